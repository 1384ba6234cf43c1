"""Many deals to their next stage: each through its gate, each refusal with its gaps in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from fairlead.organisation.models import User
from fairlead.process import stages, words
from fairlead.process.engine import forward_move
from fairlead.process.enums import Kind
from fairlead.process.models import Journey
from fairlead.process.refusals import GateRefused
from fairlead.process.selectors.gathering import situations
from fairlead.process.services import MoveWish, move_many

from ..models import Opportunity


@dataclass(frozen=True, slots=True)
class Step:
    """`text` is empty when the deal has moved, else why not."""

    text: str = ""


def step(ids: Sequence[int], *, by: User, at: datetime, channel: str) -> dict[int, Step]:
    """What became of each deal. Winning asks for more than a press of a button: it is not done here."""
    journeys = dict(Opportunity.objects.filter(pk__in=ids).values_list("journey_id", "pk"))
    rows = list(Journey.objects.filter(pk__in=journeys).order_by("pk"))
    stages.attach(rows)
    found, wishes = {}, []
    known = situations(rows, at=at)
    for row in rows:
        situation = known.get(row.pk)
        wish = forward_move(situation.definition, situation.facts) if situation is not None else None
        if wish is None or wish.kind == Kind.CLOSE_WON:
            found[journeys[row.pk]] = Step(_("There is no next stage for it now."))
        else:
            wishes.append(MoveWish(journey_id=row.pk, wish=wish, version=row.version))
    for outcome in move_many(wishes, by=by, at=at, channel=channel):
        text = ""
        if isinstance(outcome.refusal, GateRefused):
            definition = known[outcome.journey_id].definition
            gaps = [words.criterion_name(definition, gap.key) for gap in outcome.refusal.verdict.gaps]
            text = _("Missing: %(gaps)s") % {"gaps": _(", ").join(gaps)}
        elif outcome.refusal is not None:
            text = str(outcome.refusal)
        found[journeys[outcome.journey_id]] = Step(text)
    return found
