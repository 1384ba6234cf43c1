"""The deal that somebody wants to move: its own row and its journey's, and nothing else."""

from __future__ import annotations

from typing import Any

from fairlead.common.questions import Question
from fairlead.process import stages

from ..models import Opportunity
from .people import within

_with_journey = Question(lambda pk: Opportunity.objects.select_related("journey").filter(pk=pk))


def deal_to_move(user: Any, pk: int) -> Opportunity | None:
    """The deal with its journey, if `user` sees it and it has one."""
    deal = _with_journey.first(pk)
    if deal is None or deal.journey is None or not within(user.reach("opportunity.view"), deal, user.pk):
        return None
    stages.attach([deal.journey])
    return deal
