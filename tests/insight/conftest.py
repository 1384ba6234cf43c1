"""The real pipeline of examples/, as an import leaves it: dated steps alone, made by the services themselves."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test import Client
from tests.factories.kept import kept

from fairlead.common.bulk import refresh_statistics
from fairlead.crm.services import NewRecord, create_many
from fairlead.insight import history
from fairlead.journal.enums import Channel, Fidelity
from fairlead.organisation import services
from fairlead.organisation.models import Organisation, Team, User
from fairlead.process.services import NewJourney, Step, publish

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "crm-sales-opportunities"
ZONE = ZoneInfo("Asia/Shanghai")
IMPORTED = datetime(2026, 1, 5, 9, tzinfo=UTC)
REASONS = [
    {"key": "price", "name": {"zh": "价格", "en": "Price"}, "outcome": "lost"},
    {"key": "paused", "name": {"zh": "项目暂停", "en": "Paused"}, "outcome": "no_decision"},
]
PROCESS = {
    "schema": 1,
    "process": "example",
    "version": 1,
    "subject": "opportunity",
    "mode": "soft",
    "name": {"zh": "示例管道", "en": "Example pipeline"},
    "lists": {
        "lost": REASONS,
        "hold": [{"key": "waiting", "name": {"zh": "等", "en": "Waiting"}}],
        "reopen": [{"key": "returned", "name": {"zh": "回来", "en": "Returned"}}],
    },
    "stages": [
        {
            "key": "prospecting",
            "name": {"zh": "挖掘", "en": "Prospecting"},
            "start": True,
            "limit": {"yellow": 10, "red": 20},
        },
        {
            "key": "engaging",
            "name": {"zh": "洽谈", "en": "Engaging"},
            "start": True,
            "limit": {"yellow": 20, "red": 40},
        },
    ],
}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Tests take their rows back without a word in the journal."""
    history.forget()
    yield
    history.forget()


@pytest.fixture(autouse=True)
def _quick_hash(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def person(username: str, *, team: Team | None = None, roles: tuple[Any, ...] = (), name: str = "") -> User:
    user = services.create_user(
        username=username,
        name=name or username,
        password="correct-horse",
        team=team,
        roles=list(roles),
        by=None,
        at=IMPORTED,
        channel=Channel.SYSTEM,
    )
    return User.objects.select_related("team").get(pk=user.pk)


def at(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), ZONE)


def rows() -> list[dict[str, str]]:
    with (EXAMPLE / "sales_pipeline.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def journey_of(row: dict[str, str]) -> NewJourney:
    outcome = {"Won": "won", "Lost": "lost"}.get(row["deal_stage"], "")
    step = Step("prospecting", IMPORTED, known=False)
    if row["engage_date"]:
        step = Step("engaging", at(row["engage_date"]))
    return NewJourney(
        subject_type="opportunity",
        subject_id=0,
        process_key="example",
        steps=(step,),
        outcome=outcome,
        opened_at=at(row["engage_date"]) if row["engage_date"] else None,
        reason="price" if outcome == "lost" else "",
        closed_at=at(row["close_date"]) if row["close_date"] else None,
        fidelity=Fidelity.STAGE_DATES_ONLY,
    )


@pytest.fixture(scope="module")
def pipeline(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, User]]:
    """8,800 deals of 30 sellers in the teams of their managers; users by name, the administrator as "admin"."""
    with django_db_blocker.unblock(), transaction.atomic():
        kept("pipeline", _bring_in_the_pipeline)
        connection.check_constraints()  # else every test would check these rows again when it ends
        refresh_statistics()
        yield {user.name: user for user in User.objects.select_related("team")}
        transaction.set_rollback(True)


def _bring_in_the_pipeline() -> None:
    Organisation.objects.create(pk=1, name="Example", time_zone="Asia/Shanghai")
    person("admin", roles=("ADMIN",))
    publish(PROCESS, by=None, at=IMPORTED, channel=Channel.SYSTEM)
    with (EXAMPLE / "sales_teams.csv").open(encoding="utf-8") as lines:
        sellers = list(csv.DictReader(lines))
    people: dict[str, User] = {}
    teams: dict[str, Team] = {}
    for seller in sellers:
        manager, name = seller["manager"], seller["sales_agent"]
        if manager not in teams:
            teams[manager] = services.create_team(
                name=manager, parent=None, by=None, at=IMPORTED, channel=Channel.SYSTEM
            )
            person(manager.replace(" ", "."), team=teams[manager], roles=("MGR",), name=manager)
        people[name] = person(name.replace(" ", "."), team=teams[manager], roles=("AR",), name=name)
    deals = [
        NewRecord(
            values={
                "name": row["opportunity_id"],
                "amount": Decimal(row["close_value"]) if row["close_value"] else None,
            },
            owner=people[row["sales_agent"]],
            external_id=row["opportunity_id"],
            journey=journey_of(row),
        )
        for row in rows()
    ]
    create_many(
        "opportunity",
        deals,
        by=None,
        at=IMPORTED,
        channel=Channel.IMPORT,
        check_references=False,
        refresh=False,
    )


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    def enter(user: User) -> Client:
        client.force_login(user, backend="fairlead.organisation.backends.PasswordBackend")
        return client

    return enter
