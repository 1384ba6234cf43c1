"""Criterion quality of one process, for one reader: figures by item, by stage, by team and by who granted (OV-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from fairlead.analytics.criteria import (
    HIDDEN_BELOW,
    Quality,
    overridden_against_clean,
    override_rates,
    quality,
)
from fairlead.analytics.intervals import Difference, Rate
from fairlead.fields.catalogue import pick
from fairlead.organisation.models import Team, User
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.enums import OverrideState
from fairlead.process.models import Journey, OverrideRequest, Process, ProcessVersion, Waiver
from fairlead.process.services.budget import rules

from ..usage import journeys_of
from . import reading

LEADS: Final = "opportunity.reassign"


@dataclass(frozen=True, slots=True)
class Item:
    """An item with its figures. `stage` and `level` are blank for one that the published version no longer has."""

    key: str
    name: str
    stage: str
    level: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class Grantor:
    """Who granted waivers within the year, and what became of the requests that this person decided."""

    person: User
    waivers: int
    records: int
    granted: Rate

    @property
    def is_hidden(self) -> bool:
        return self.records < HIDDEN_BELOW


@dataclass(frozen=True, slots=True)
class Found:
    """`read` attempts are counted, all of the year or the newest. `review`: the share above which an item is looked at."""

    process: Process
    definition: Definition
    read: int
    is_all: bool
    review: float
    items: Sequence[Item]
    stages: Sequence[tuple[str, str, Rate]]  # key, name, share of passings with a waiver
    teams: Sequence[tuple[int, str, Rate]]
    grantors: Sequence[Grantor]
    overridden: Difference

    @property
    def for_review(self) -> list[Item]:
        found = [one for one in self.items if one.quality.is_for_review(self.review)]
        return sorted(found, key=lambda one: -(one.quality.override.value or 0))


def figures(process: Process, *, reader: Any, at: datetime) -> Found | None:
    """None for a process that was never published. A fixed number of questions, whatever there is."""
    version = ProcessVersion.objects.published().filter(process=process).first()
    if version is None:
        return None
    definition = definition_of(version)
    journeys = journeys_of(process.key, process.subject_type, reader)
    cells, passings, tried = reading.read(journeys, at=at)
    by_team = override_rates(passings, "team")
    names = dict(Team.objects.filter(pk__in=[pk for pk in by_team if pk]).as_tree().values_list("pk", "name"))
    by_stage = override_rates(passings, "stage")
    return Found(
        process=process,
        definition=definition,
        read=tried,
        is_all=tried < reading.MOST,
        review=rules().review_percent / 100,
        items=_items(definition, {k: quality(c) for k, c in cells.items()}),
        stages=[
            (stage.key, pick(stage.name), by_stage[stage.key])
            for stage in definition.stages
            if stage.key in by_stage
        ],
        teams=[(pk, name, by_team[pk]) for pk, name in names.items() if by_team[pk].n >= HIDDEN_BELOW],
        grantors=_grantors(journeys, reader, at),
        overridden=overridden_against_clean(passings),
    )


def _items(definition: Definition, found: Mapping[str, Quality]) -> list[Item]:
    """In the order of the published document; then those that only earlier versions had."""
    items = [
        Item(one.key, pick(one.name), pick(stage.name), str(one.level.label), found[one.key])
        for stage, _side, one in definition.criteria()
        if one.key in found
    ]
    present = {one.key for one in items}
    return items + [Item(key, key, "", "", found[key]) for key in sorted(found) if key not in present]


def led_by(reader: Any) -> QuerySet[User]:
    """People whose own doings the reader may read: oneself, and those whose records one may give to others."""
    reach = reader.reach(LEADS)
    if reach.all:
        return User.objects.all()
    return User.objects.filter(Q(pk=reader.pk) | Q(team__in=reach.team_ids))


def waivers_of(journeys: QuerySet[Journey], reader: Any, at: datetime) -> QuerySet[Waiver]:
    """Those granted within the year by people whose doings the reader may read; a glass broken stands in the journal."""
    return Waiver.objects.filter(
        journey__in=journeys.order_by().values("pk"), forced=False, granted_by__in=led_by(reader).values("pk"),
        granted_at__gt=at - reading.WINDOW, granted_at__lte=at,
    )  # fmt: skip


def _grantors(journeys: QuerySet[Journey], reader: Any, at: datetime) -> list[Grantor]:
    waivers = waivers_of(journeys, reader, at).order_by().values("granted_by")
    counts = {
        row["granted_by"]: (row["n"], row["records"])
        for row in waivers.annotate(n=Count("pk"), records=Count("journey", distinct=True))
    }
    decided = OverrideRequest.objects.filter(
        journey__in=journeys.order_by().values("pk"), decided_by__in=led_by(reader).values("pk"),
        decided_at__gt=at - reading.WINDOW, decided_at__lte=at,
    )  # fmt: skip
    granted = {
        row["decided_by"]: (row["k"], row["n"])
        for row in decided.order_by()
        .values("decided_by")
        .annotate(n=Count("pk"), k=Count("pk", filter=Q(state=OverrideState.GRANTED)))
    }
    people = User.objects.filter(pk__in=[*counts, *granted]).by_name()
    return [
        Grantor(person, *counts.get(person.pk, (0, 0)), Rate.of(*granted.get(person.pk, (0, 0))))
        for person in people
    ]
