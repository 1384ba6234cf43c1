"""Whose rows a person's figures are made of, as a mask over cases: never more than the person may see.

Loads NumPy: imported inside the views that need it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _

from fairlead.analytics.tables import EVERYTHING, Everything, Scope
from fairlead.crm.models import Opportunity
from fairlead.organisation.models import Team, User
from fairlead.process import subjects

from .history import Loaded
from .questions import BadQuestion, Question

FUNNEL = "funnel.view"


def scope_for(user: Any, loaded: Loaded) -> Scope:
    """The cases behind `user`'s figures: those reached both by the right to see figures and by that to see rows."""
    rights = {FUNNEL, subjects.room_of(loaded.subject_type).view_right}
    scope: Scope = EVERYTHING
    for right in sorted(rights):
        scope = both(scope, _reached(user, right, loaded))
    return scope


def both(one: Scope, other: Scope) -> Scope:
    if isinstance(one, Everything):
        return other
    return one if isinstance(other, Everything) else one & other


def _reached(user: Any, right: str, loaded: Loaded) -> Scope:
    reach = user.reach(right)
    if reach.all:
        return EVERYTHING
    journeys = loaded.history.journeys
    mask = np.zeros(len(journeys), bool)
    if reach.team_ids:
        mask |= np.isin(journeys.team, list(reach.team_ids))
    if reach.own:
        mask |= journeys.owner == user.pk
        if loaded.subject_type == "opportunity":
            slots = Opportunity.objects.filter(Q(sr=user) | Q(fr=user)).values_list("pk", flat=True)
            mask |= np.isin(loaded.subject, np.array(list(slots), np.int64))
    return mask


def narrowed(scope: Scope, loaded: Loaded, question: Question) -> Scope:
    """The scope within the team (with every team below it) and the person that are asked for."""
    journeys = loaded.history.journeys
    if question.team is not None:
        team = Team.objects.filter(pk=question.team).first()
        if team is None:
            raise BadQuestion("team", _("There is no such team."))
        scope = both(scope, np.isin(journeys.team, [team.pk, *team.branch_ids]))
    if question.owner is not None:
        scope = both(scope, journeys.owner == question.owner)
    return scope


def choices(loaded: Loaded, scope: Scope) -> tuple[list[Team], list[User]]:
    """Teams and people that own at least one case in scope."""
    journeys = loaded.history.journeys
    mine = loaded.history.cases_in(scope)
    teams = Team.objects.filter(pk__in=np.unique(journeys.team[mine]).tolist()).as_tree()
    people = User.objects.filter(pk__in=np.unique(journeys.owner[mine]).tolist()).by_name()
    return list(teams), list(people)
