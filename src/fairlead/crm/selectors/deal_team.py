"""Everything about the team of one deal: who held which slot, the split, vetoes, hand-overs, questions (§2.8)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import (
    BigIntegerField,
    CharField,
    DateField,
    DateTimeField,
    F,
    Field,
    Model,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast

from fairlead.common.questions import Question
from fairlead.organisation.models import User
from fairlead.process.models import Veto
from fairlead.process.packages import DEAL_TEAM
from fairlead.process.vetoes import ROLE_OF

from ..models import BonusSplit, DealTeamMember, HandOver, Opportunity, RoleQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWork:
    """What is known of a deal team, read in one question. The rows have names once the page knows them (`name`)."""

    members: list[DealTeamMember]  # today's and former ones, the newest first
    split: BonusSplit | None
    vetoes: list[Veto]
    hand_overs: list[HandOver]  # the newest first
    questions: list[RoleQuestion]

    @property
    def people(self) -> set[int]:
        """Whom the rows name."""
        return {pk for row, name in self._named() if (pk := getattr(row, f"{name}_id")) is not None}

    def name(self, names: Mapping[int, str]) -> None:
        """Give the rows the people whom the page has read together with all others that it names."""
        for row, name in self._named():
            pk = getattr(row, f"{name}_id")
            if pk is not None:
                setattr(row, name, User.from_db(DEFAULT_DB_ALIAS, ["id", "name"], [pk, names[pk]]))

    def _named(self) -> Iterator[tuple[Model, str]]:
        for row in (*self.members, *self.vetoes, *self.hand_overs, *self.questions):
            places = _PLACES[type(row)]
            yield from ((row, places[c].removesuffix("_id")) for c in _PEOPLE if c in places)


#: The five tables in one shape, so that they are asked at once: of each model what stands in which column.
_SHAPE: dict[str, Field[Any, Any]] = {
    "_one": BigIntegerField(), "_two": BigIntegerField(), "_three": BigIntegerField(),
    "_role": TextField(), "_key": TextField(), "_stands": TextField(), "_code": TextField(),
    "_text": TextField(), "_more": TextField(), "_last": TextField(),
    "_by": BigIntegerField(), "_to": BigIntegerField(), "_settled_by": BigIntegerField(),
    "_at": DateTimeField(), "_due": DateTimeField(), "_settled": DateTimeField(), "_escalated": DateTimeField(),
    "_day": DateField(), "_until": DateField(),
}  # fmt: skip
_PLACES: dict[type[Model], dict[str, str]] = {
    DealTeamMember: {"_role": "role", "_by": "person_id", "_day": "from_date", "_until": "to_date"},
    BonusSplit: {"_one": "ar", "_two": "sr", "_three": "fr", "_by": "agreed_by_id", "_at": "agreed_at"},
    Veto: {
        "_one": "version", "_role": "role", "_key": "domain", "_stands": "state",
        "_text": "clause", "_more": "alternative", "_last": "reason", "_by": "by_id", "_settled_by": "settled_by_id",
        "_at": "at", "_settled": "settled_at", "_escalated": "escalated_at",
    },
    HandOver: {
        "_one": "version", "_two": "attempt", "_role": "from_role", "_key": "to_role", "_stands": "state",
        "_code": "reason_code", "_text": "package", "_more": "note", "_last": "reason",
        "_by": "by_id", "_to": "to_id", "_settled_by": "answered_by_id",
        "_at": "offered_at", "_due": "due_at", "_settled": "answered_at",
    },
    RoleQuestion: {
        "_one": "version", "_role": "role", "_stands": "state", "_text": "question", "_more": "answer",
        "_by": "by_id", "_to": "to_id", "_settled_by": "settled_by_id",
        "_at": "asked_at", "_due": "due_at", "_settled": "settled_at",
    },
}  # fmt: skip
_KINDS: dict[str, type[Model]] = {model.__name__: model for model in _PLACES}
_PEOPLE = ("_by", "_to", "_settled_by")


def _shaped(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    model, places = rows.model, _PLACES[rows.model]
    columns: dict[str, Any] = {
        column: F(places[column]) if column in places else Cast(Value(None), kind)
        for column, kind in _SHAPE.items()
    }
    if model is HandOver:
        columns["_text"] = Cast(F("package"), TextField())
    kind = Value(model.__name__, output_field=CharField())
    return rows.order_by().annotate(_kind=kind, **columns).values_list("_kind", "pk", *_SHAPE)


_rows: Question[tuple[Any, ...]] = Question(
    lambda deal, journey: _shaped(DealTeamMember.objects.filter(opportunity_id=deal)).union(
        _shaped(BonusSplit.objects.filter(opportunity_id=deal, ended_at=None)),
        _shaped(Veto.objects.filter(journey_id=journey)),
        _shaped(HandOver.objects.filter(opportunity_id=deal)),
        _shaped(RoleQuestion.objects.filter(opportunity_id=deal)),
        all=True,
    )
)


def team_work(deal: Opportunity) -> TeamWork:
    assert deal.journey_id is not None
    found: dict[type[Model], list[Any]] = {model: [] for model in _PLACES}
    for kind, pk, *values in _rows(deal.pk, deal.journey_id):
        model, of = _KINDS[kind], dict(zip(_SHAPE, values, strict=True))
        if model is HandOver:
            of["_text"] = json.loads(of["_text"])
        known = {"id": pk} | {field: of[column] for column, field in _PLACES[model].items()}
        # What is not asked here stays deferred: the rows are whole ones for whoever looks further. In the table's order.
        names = [f.attname for f in model._meta.concrete_fields if f.attname in known]
        found[model].append(model.from_db(DEFAULT_DB_ALIAS, names, [known[name] for name in names]))
    split = found[BonusSplit]
    return TeamWork(
        members=_newest_first(found[DealTeamMember], "from_date"),
        split=split[0] if split else None,
        vetoes=_newest_first(found[Veto], "at"),
        hand_overs=_newest_first(found[HandOver], "offered_at"),
        questions=_newest_first(found[RoleQuestion], "asked_at"),
    )


def _newest_first(rows: list[Any], when: str) -> list[Any]:
    return sorted(rows, key=lambda row: (getattr(row, when), row.pk), reverse=True)


def roles_of(user: Any, deal: Opportunity) -> set[str]:
    """The roles that a person holds over a deal: slots of its team, and those of the company that may say no."""
    held = {role for role in DEAL_TEAM if getattr(deal, f"{role.lower()}_id") == user.pk}
    company = {str(role) for role in user.roles}
    return held | (company & {role for role in ROLE_OF.values() if role not in DEAL_TEAM})
