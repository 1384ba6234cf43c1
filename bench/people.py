"""The people of the measured company: one head office, four branches, sellers in teams, their helpers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from random import Random
from typing import Any

import yaml
from django.contrib.auth.hashers import make_password
from django.db import transaction

from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role, TeamKind
from fairlead.organisation.models import (
    Organisation,
    RoleAssignment,
    Team,
    TeamMembership,
    User,
    WorkingCalendar,
)
from fairlead.organisation.names import name_key
from fairlead.organisation.services.setup import OFFICE_HOURS
from fairlead.process import services as process
from fairlead.process.models import ProcessVersion, StageRow

from . import words
from .client import PASSWORD

PROCESS = "key_account_opportunity"
SELLERS_AT_FULL_SCALE = 160
BRANCHES = ("华东", "华南", "华北", "西部")
TEAMS_PER_BRANCH = 4


@dataclass(frozen=True)
class People:
    """`sellers`: (id, team id); `specialists`: ids of solution and delivery managers."""

    sellers: list[tuple[int, int]]
    solution: list[int]
    delivery: list[int]
    version: ProcessVersion
    stages: list[StageRow]


@transaction.atomic
def hire(scale: float, at: datetime) -> People:
    """Seller `s000` belongs to the branch that manager `m0` leads."""
    Organisation.objects.update_or_create(
        pk=1, defaults={"name": "海纳工业", "soft_mode": False, "default_processes": {"opportunity": PROCESS}}
    )
    WorkingCalendar.objects.get_or_create(
        is_default=True, defaults={"name": "办公时间", "weekly": OFFICE_HOURS}
    )
    how: dict[str, Any] = {"by": None, "at": at, "channel": Channel.SYSTEM}
    head = organisation.create_team(name="总部", kind=TeamKind.BRANCH, **how)
    branches = [organisation.create_team(name=n, kind=TeamKind.BRANCH, parent=head, **how) for n in BRANCHES]
    teams = [
        organisation.create_team(name=f"{b.name}{i + 1}组", parent=b, **how)
        for i in range(TEAMS_PER_BRANCH)
        for b in branches
    ]
    hand = _Hand(at)
    count = max(8, round(SELLERS_AT_FULL_SCALE * scale))
    sellers = hand.take("s", count, Role.AR, teams)
    solution = hand.take("t", max(2, count // 8), Role.SR, teams)
    delivery = hand.take("f", max(2, count // 16), Role.FR, teams)
    hand.take("m", len(branches), Role.MGR, branches)
    hand.take("admin", 1, Role.ADMIN, [head])
    text = files("fairlead.process").joinpath("content", f"{PROCESS}.yaml").read_text(encoding="utf-8")
    version = process.publish(yaml.safe_load(text), by=None, at=at, channel=Channel.SYSTEM, mode="enforced")
    return People(
        [(u.pk, u.team_id or 0) for u in sellers],
        [u.pk for u in solution],
        [u.pk for u in delivery],
        version,
        list(StageRow.objects.filter(version=version).order_by("order")),
    )


class _Hand:
    """Takes people on many at once, all with one password that is hashed once."""

    def __init__(self, at: datetime) -> None:
        self.at, self.random, self.password = at, Random(1), make_password(PASSWORD)

    def take(self, prefix: str, count: int, role: Role, teams: list[Team]) -> list[User]:
        rows = []
        for i in range(count):
            name, _key = words.person(self.random)
            rows.append(
                User(
                    username=f"{prefix}{i:03d}" if prefix in "stf" else f"{prefix}{i}",
                    name=name,
                    name_key=name_key(name),
                    password=self.password,
                    team=teams[i % len(teams)],
                    created_at=self.at,
                )
            )
        people = User.objects.bulk_create(rows)
        TeamMembership.objects.bulk_create(
            [TeamMembership(user=u, team=u.team, from_date=self.at.date()) for u in people]
        )
        RoleAssignment.objects.bulk_create([RoleAssignment(user=u, role=role) for u in people])
        return people
