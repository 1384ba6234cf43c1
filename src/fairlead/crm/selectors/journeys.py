"""The processes that a record travels on, as its page shows them: for accounts, segments and contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import catalogue, pick
from fairlead.organisation.models import User
from fairlead.process.engine import decide, forward_move
from fairlead.process.enums import CLOSED_STATES, Kind
from fairlead.process.models import Journey, ProcessVersion, Visit
from fairlead.process.selectors.flags import flags_of, waived_and_flagged
from fairlead.process.selectors.gathering import Situation, situations
from fairlead.process.words import people_in

from .paths import checklist_of, path_of


def journeys_on(subject_type: str, pk: int) -> list[Journey]:
    rows = Journey.objects.on(subject_type, [pk]).current()
    return list(rows.select_related("stage", "process_version").order_by("-opened_at", "-pk"))


def shown_journeys(journeys: Sequence[Journey], *, at: datetime) -> list[dict[str, Any]]:
    """Path, checklist and acts of each; a fixed number of queries, whatever the number of journeys."""
    found = situations(journeys, at=at)
    visits: dict[int, list[Visit]] = {}
    for visit in Visit.objects.filter(journey__in=journeys).in_order():
        visits.setdefault(visit.journey_id, []).append(visit)
    waived, raised = waived_and_flagged([j.pk for j in journeys])
    verdicts = {}
    for journey_pk, s in found.items():
        wish = forward_move(s.definition, s.facts)
        verdicts[journey_pk] = decide(s.definition, s.facts, wish) if wish is not None else None
    people = {p for v in verdicts.values() if v is not None for p in people_in(v.results)}
    people |= {j.owner_id for j in journeys if j.owner_id}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name"))
    return [
        _shown(
            j,
            found[j.pk],
            verdicts[j.pk],
            visits.get(j.pk, []),
            waived.get(j.pk, set()),
            raised.get(j.pk, {}),
            names,
            at,
        )
        for j in journeys
        if j.pk in found
    ]


def _shown(
    journey: Journey,
    situation: Situation,
    verdict: Any,
    visits: list[Visit],
    waived: set[str],
    raised: Mapping[str, datetime],
    names: Mapping[int, str],
    at: datetime,
) -> dict[str, Any]:
    definition, facts = situation.definition, situation.facts
    flagged = flags_of(definition, facts, situation.calendar, raised)
    gaps = len(verdict.gaps) if verdict is not None else 0
    act = ""
    if verdict is not None:
        act = _("Complete") if verdict.wish.kind == Kind.CLOSE_WON else _("Move on")
        if gaps:
            act = ngettext("%(act)s · %(count)s left", "%(act)s · %(count)s left", gaps) % {
                "act": act,
                "count": gaps,
            }
    owner = names.get(journey.owner_id or 0, "")
    return {
        "journey": journey,
        "name": pick(definition.name),
        "definition": definition,
        "facts": facts,
        "verdict": verdict,
        "path": path_of(
            definition,
            journey,
            facts,
            verdict,
            visits,
            situation.calendar,
            waived=waived,
            flagged=flagged,
            at=at,
        ),
        "gate": checklist_of(
            definition,
            facts,
            verdict,
            catalogue(journey.subject_type),
            people=names,
            owners={"AR": owner} if owner else {},
            flagged=flagged,
        ),
        "forward": verdict.wish if verdict is not None else None,
        "act": act,
        "gaps": gaps,
        "closed": journey.state in CLOSED_STATES,
        "state": str(journey.get_state_display()),
        "url": reverse("crm:journey", args=[journey.pk]),
        "move_url": reverse("crm:journey_move", args=[journey.pk]),
    }


def startable(subject_type: str, journeys: Sequence[Journey]) -> list[tuple[str, str]]:
    """Published processes of this kind of record that it is not on already."""
    running = {j.process_key for j in journeys if j.state not in CLOSED_STATES}
    rows = (
        ProcessVersion.objects.published()
        .filter(process__subject_type=subject_type)
        .select_related("process")
    )
    return [
        (v.process.key, pick(v.process.name)) for v in rows.defer("document") if v.process.key not in running
    ]
