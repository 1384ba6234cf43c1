"""Five questions a month (ADKAR): answered without a name, told as means of five answers or more (metrics 3.22)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from fairlead.analytics.adoption import ADKAR, barrier_point
from fairlead.common.refusals import Invalid, NotPermitted, Refusal
from fairlead.organisation.selectors import default_calendar
from fairlead.process.services import rollout

from ..models import PulseSum, PulseTaken

RIGHT: Final = "comment.add"  # everybody who works here; an auditor reads and leaves no trace
FEWEST: Final = 5


class AlreadyAnswered(Refusal):
    """One answer a month."""

    code = "already-answered"
    status = 409
    default_message = _("The five questions of this month are answered already.")


class NotAsked(Refusal):
    """The settings say that nobody is asked."""

    code = "not-asked"
    status = 422
    default_message = _("The five questions are switched off here.")


@dataclass(frozen=True, slots=True)
class Pulse:
    """Means per element of `n` answers of a round; `barrier`: the element to act on first."""

    round: str
    n: int
    means: Mapping[str, float]
    barrier: str | None


def round_of(at: datetime) -> str:
    return f"{at.astimezone(default_calendar().zone):%Y-%m}"


def may_answer(user: Any, *, at: datetime) -> bool:
    is_asked = user.may(RIGHT) and rollout.current().asks_pulse
    return is_asked and not PulseTaken.objects.filter(round=round_of(at), person=user).exists()


def answer_pulse(scores: Mapping[str, int], *, by: Any, at: datetime) -> None:
    """Add one answer to the sums. Raises NotPermitted, NotAsked, AlreadyAnswered, Invalid.

    No event is written: the journal would tie the answer to an instant, and the sums before and after to a person.
    """
    if not by.may(RIGHT):
        raise NotPermitted
    if not rollout.current().asks_pulse:
        raise NotAsked
    wrong = [key for key in ADKAR if scores.get(key) not in range(1, 6)]
    if wrong:
        raise Invalid(errors=[{"field": key, "message": _("Choose from 1 to 5.")} for key in wrong])
    round_ = round_of(at)
    with transaction.atomic():
        try:
            with transaction.atomic():
                PulseTaken.objects.create(round=round_, person=by)
        except IntegrityError:
            raise AlreadyAnswered from None
        for key in ADKAR:
            about: dict[str, Any] = {"round": round_, "element": key, "score": scores[key]}
            PulseSum.objects.get_or_create(**about)
            PulseSum.objects.filter(**about).update(count=F("count") + 1)
        if PulseTaken.objects.filter(round=round_).count() % FEWEST == 0:
            PulseSum.objects.filter(round=round_).update(shown=F("count"))


def latest_pulse() -> Pulse | None:
    """The newest round that has five answers or more."""
    newest = PulseSum.objects.filter(shown__gt=0).order_by("-round").values_list("round", flat=True).first()
    if newest is None:
        return None
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in PulseSum.objects.filter(round=newest, shown__gt=0):
        total, n = sums[row.element]
        sums[row.element] = (total + row.score * row.shown, n + row.shown)
    means = {key: sums[key][0] / sums[key][1] for key in ADKAR if sums[key][1]}
    return Pulse(newest, max(n for _total, n in sums.values()), means, barrier_point(means))
