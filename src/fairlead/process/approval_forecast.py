"""What a person reads before submitting for approval: who, why, how long, and what would need nobody. Words only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import Catalogue
from fairlead.fields.conditions import value_words

from .approval_easing import Change
from .approval_enums import Because, Direction, Lever
from .approval_policy import ApprovalKind
from .approval_screens import why_fired
from .approval_times import Usually


def usual_words(usual: Usually) -> str:
    """How long it usually takes; says so where that is known from few decisions."""
    if usual.median is None or usual.p90 is None:
        return _("No decision of this kind has ended yet, so nobody knows how long it takes.")
    said = ngettext(
        "Half are decided within %(median)s working hours, nine in ten within %(p90)s (%(n)s decision).",
        "Half are decided within %(median)s working hours, nine in ten within %(p90)s (%(n)s decisions).",
        usual.n,
    ) % {"median": _hours(usual.median), "p90": _hours(usual.p90), "n": usual.n}
    hint = _("Few cases: take it as a hint.")
    return said if usual.enough else f"{said} {hint}"


def _hours(value: float) -> str:
    return "<1" if 0 <= value < 1 else f"{value:.1f}".rstrip("0").rstrip(".")


def ease_words(changes: Sequence[Change], reader: Any) -> str:
    """The change that would need nobody: “Discount down to 8 %: no approval needed”."""
    if not changes or not all(change.spec.readable_by(reader) for change in changes):
        return ""
    parts = []
    for change in changes:
        name, value = change.spec.name(), value_words(change.spec, change.value)
        if change.direction == Direction.AT_MOST:
            parts.append(_("%(field)s down to %(value)s") % {"field": name, "value": _unit(value, change)})
        elif change.direction == Direction.AT_LEAST:
            parts.append(_("%(field)s up to %(value)s") % {"field": name, "value": _unit(value, change)})
        elif change.value:
            parts.append(_("%(field)s only %(value)s") % {"field": name, "value": value})
        else:
            parts.append(_("no %(field)s") % {"field": name})
    return _("%(changes)s: no approval needed") % {"changes": _(", ").join(parts)}


def _unit(value: str, change: Change) -> str:
    return f"{value} {change.spec.unit_name}" if change.spec.unit else value


def steps_words(
    steps: Iterable[Any], kind: ApprovalKind, names: Mapping[int, str], values: Mapping[str, Any],
    fields: Catalogue, reader: Any,
) -> list[dict[str, Any]]:  # fmt: skip
    """The forecast rail: who would be asked, and why."""
    found = []
    for step in steps:
        row = kind.row(step.row_key)
        people: dict[int, list[Any]] = {}
        for seat in step.seats:
            people.setdefault(seat.number, []).append(seat)
        for seats in people.values():
            first = seats[0]
            more = [str(Because(first.because).label)] if first.because else []
            found.append(
                {
                    "name": _(" or ").join(names.get(s.person_id, "") for s in seats),
                    "tint": first.person_id,
                    "short": names.get(first.person_id, ""),
                    "lever": str(Lever(step.lever).label),
                    "why": why_fired(row, values, fields, reader) if row else "",
                    "more": " · ".join(more),
                    "hours": step.decision_hours,
                }
            )
    return found
