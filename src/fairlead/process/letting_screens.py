"""Requests to let something pass as the inbox shows them: lines, and the screen of a decision. Words only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.organisation.right_names import right_name
from fairlead.work.words import when_words

from .approval_screens import due_of, lasting
from .definitions import definition_of
from .enums import Kind, OverrideState
from .models import OverrideRequest
from .override_words import asked_name, reason_name
from .selectors.waiting import before_on, cases_alike
from .services import budget, overrides
from .subjects import circles_of, room_of

LOOKS = {"granted": "won", "refused": "lost", "lapsed": "hold", "withdrawn": "hold", "open": "pending"}


def kind_words(asked: OverrideRequest) -> str:
    """What sort of leave is asked."""
    if asked.criterion_key:
        return _("Waiver")
    return {Kind.SKIP: pgettext("a stage", "Skip"), Kind.REGRESS: _("Step back")}.get(
        Kind(asked.move_kind), _("Leave to move")
    )


def _amount(asked: OverrideRequest, currency: str) -> str:
    amount = asked.journey.base_amount
    return format_amount(amount, currency) if amount is not None else ""


def line_of_request(
    asked: OverrideRequest, *, at: datetime, currency: str, tab: str = "todo"
) -> dict[str, Any]:
    """In the shape of `approval_screens.line_of`."""
    definition = definition_of(asked.journey.process_version)
    state, words = due_of(asked.expires_at, at)
    waits = _("waits %(time)s") % {"time": lasting(at - asked.requested_at)}
    if tab != "todo":
        waits = when_words((asked.decided_at if tab == "done" else None) or asked.requested_at, at)
    near = state if tab == "todo" and timezone.localdate(asked.expires_at) <= timezone.localdate(at) else ""
    return {
        "pk": f"ask-{asked.pk}", "request": asked.pk,
        "url": f"{reverse('process:approvals')}?tab={tab}&ask={asked.pk}",
        "who": asked.requested_by.name, "tint": asked.requested_by_id,
        "title": asked.journey.title or f"#{asked.journey.subject_id}", "kind": kind_words(asked),
        "amount": _amount(asked, currency), "why": asked_name(asked, definition), "because": "",
        "state": str(OverrideState(asked.state).label) if tab != "todo" else "",
        "rule": asked.criterion_key, "look": near if tab == "todo" else LOOKS[asked.state],
        "when": f"{waits} · {words}" if near else waits,
    }  # fmt: skip


def screen_of_request(asked: OverrideRequest, reader: Any, *, at: datetime, currency: str) -> dict[str, Any]:
    """What a decision needs, on one screen: of the gate what stands with the journey, for the facts are many questions."""
    journey = asked.journey
    waits = asked.state == OverrideState.OPEN
    definition = definition_of(journey.process_version)
    why_not = overrides.why_not_decide(asked, journey, reader) if waits else ""
    cases, compared = cases_alike(asked, reader)
    return {
        "pk": asked.pk,
        "version": asked.version,
        "title": f"{kind_words(asked)}: {asked_name(asked, definition)}",
        "who": asked.requested_by.name,
        "when": when_words(asked.requested_at, at),
        "subject": journey.title,
        "subject_url": room_of(journey.subject_type).url(journey.subject_id),
        "circle": circles_of(journey.subject_type, [journey.subject_id], reader).get(journey.subject_id),
        "amount": _amount(asked, currency),
        "stage": localized(journey.stage.name),
        "owner": journey.owner.name if journey.owner else "—",
        "state": str(OverrideState(asked.state).label),
        "look": LOOKS[asked.state],
        "is_pending": waits,
        "right": right_name(asked.needs_right),
        "reason": reason_name(definition, asked.reason_code),
        "text": asked.text,
        "compensation": asked.compensation,
        "until": when_words(asked.expires_at, at),
        "missing": journey.gate_missing,
        "entered": when_words(journey.entered_at, at) if journey.entered_at_known else "",
        "budget": budget.rules().budget,
        "used": budget.budget_used(reader, at),
        "cases": [_decided(row, at) for row in cases],
        "compared": compared,
        "history": [_decided(row, at) | {"asked": asked_name(row, definition)} for row in before_on(asked)],
        "may_decide": waits and not why_not,
        "why_not": why_not,
        "register_url": reverse("process:override", args=[asked.pk]),
    }


def _decided(row: OverrideRequest, at: datetime) -> dict[str, Any]:
    return {
        "title": row.journey.title,
        "url": reverse("process:override", args=[row.pk]),
        "state": str(OverrideState(row.state).label),
        "look": LOOKS[row.state],
        "who": row.decided_by.name if row.decided_by else row.requested_by.name,
        "when": when_words(row.decided_at or row.requested_at, at),
        "outcome": row.journey.get_outcome_display(),
        "text": row.decision,
    }
