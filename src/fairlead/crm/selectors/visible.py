"""Which journeys of opportunities a person sees, asked of the journeys alone: they mirror owner and team."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from fairlead.common.questions import Question
from fairlead.process.models import Journey

from ..models import Opportunity

_helped: Question[int] = Question(
    lambda user: Opportunity.objects.filter(Q(sr=user) | Q(fr=user)).values_list("pk", flat=True)
)


def visible_journeys(user: Any, process_key: str) -> QuerySet[Journey]:
    """Running journeys of the opportunities that `user` sees, by the mirrors of owner and team (see `visible_to`)."""
    rows = _of_process(process_key)
    reach = user.reach("opportunity.view")
    if reach.all:
        return rows
    condition = own_ones(user) if reach.own else Q(pk__in=[])
    if reach.team_ids:
        condition |= Q(team_id__in=reach.team_ids)
    return rows.filter(condition)


def visible_parts(user: Any, process_key: str = "") -> list[QuerySet[Journey]]:
    """The same rows in parts that have none in common: those of teams, and own ones elsewhere. Each part is
    answered from one index; joined by OR they would be looked for among everybody's."""
    reach = user.reach("opportunity.view")
    if reach.all or not reach.team_ids:
        return [visible_journeys(user, process_key)]
    rows = _of_process(process_key)
    parts = [rows.filter(team_id__in=reach.team_ids)]
    if reach.own:
        elsewhere = Q(team_id=None) | ~Q(team_id__in=reach.team_ids)
        parts.append(rows.filter(own_ones(user)).filter(elsewhere))
    return parts


def _of_process(process_key: str) -> QuerySet[Journey]:
    """Of every process where the key is blank."""
    rows = Journey.objects.current().filter(subject_type="opportunity")
    return rows.of_process(process_key) if process_key else rows


def own_ones(user: Any) -> Q:
    return Q(owner=user) | Q(subject_id__in=_helped_with(user))


def _helped_with(user: Any) -> list[int]:
    """Deals of others on whose team the person is: asked once a request, for as a question inside the next one it
    would keep PostgreSQL from its indexes."""
    known: list[int] | None = user.__dict__.get("_helped_with")
    if known is None:
        known = user.__dict__["_helped_with"] = _helped(user.pk)
    return known
