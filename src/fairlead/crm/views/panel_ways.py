"""The ways out of a gate beside meeting it, and the form of the move itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common.names import localized
from fairlead.process import subjects, words
from fairlead.process.enums import Kind
from fairlead.work.selectors.agenda import open_work

from .. import wording
from ..selectors.panel import Gate, reasons
from ..selectors.people import who_may

#: What the waiver's service calls its inputs → what the form calls them.
WAIVER_INPUTS = {"expires": "until", "criterion": "waived"}


def ways_out(gate: Gate) -> list[dict[str, Any]]:
    if not gate.has_gate or not gate.may_move:
        return []
    stage = gate.definition.stage(gate.situation.facts.journey.stage_key)
    panel = reverse("crm:panel", args=[gate.deal.pk])
    piece = {"hx-target": "closest .fl-panel", "hx-swap": "innerHTML"}
    ways = []
    if stage.transition(Kind.HOLD):
        url = f"{panel}?kind=hold"
        ways.append(
            {
                "url": url,
                "icon": "player-pause",
                "state": "hold",
                "title": _("Put on hold until a day"),
                "text": _("The clock stops; on that day it is back on my day."),
                "attrs": {"hx-get": url, **piece},
            }
        )
    if stage.transition(Kind.CLOSE_LOST):
        url = f"{panel}?kind=close_lost"
        ways.append(
            {
                "url": url,
                "icon": "x",
                "state": "lost",
                "title": _("Close as lost"),
                "text": _("With a reason; no item is asked for."),
                "attrs": {"hx-get": url, **piece},
            }
        )
    return ways


def waiver_form(gate: Gate, errors: Mapping[str, Any]) -> dict[str, Any] | None:
    """The form for those who may waive; for others, who may."""
    waivable = gate.waivable() if gate.has_gate else []
    if not waivable:
        return None
    refused = errors if errors.get("criterion") == "waiver" else {}
    names = [(r.key, words.criterion_name(gate.definition, r.key)) for r in waivable]
    found: dict[str, Any] = {
        "may": gate.may_waive,
        "criteria": names,
        "typed": refused.get("typed", {}),
        "wrong": refused.get("fields", {}),
        "links": [
            {"field": f"w-{WAIVER_INPUTS.get(name, name)}", "message": message}
            for name, message in refused.get("fields", {}).items()
        ],
        "reasons": [
            ("", "—"),
            *((x.key, localized(x.name)) for x in gate.definition.lists.get("waiver", ())),
        ],
        "who": "",
    }
    if not gate.may_waive:
        people = who_may("waiver.grant", gate.deal)
        separator = "、" if wording.is_chinese() else ", "
        found["who"] = separator.join(u.name for u in people) or _("nobody yet")
    return found


def move_form(gate: Gate, form: Any) -> dict[str, Any]:
    """What the move itself asks for: the reason, and what belongs to its kind."""
    wish = gate.wish
    here = gate.situation.facts.journey.stage_key
    choices = [(key, localized(name)) for key, name in reasons(gate.definition, wish.kind, here, wish.to)]
    typed = form.typed if form is not None else {}
    wrong = dict(form.errors) if form is not None else {}
    if form is not None and form.asked:
        for objection in gate.verdict.objections:
            if objection.asked_field:
                wrong.setdefault(objection.asked_field, words.objection_text(objection))
    kinds = (Kind.REGRESS, Kind.CLOSE_LOST, Kind.HOLD, Kind.REOPEN, Kind.SKIP, Kind.CLOSE_WON)
    return {
        "reasons": [("", "—"), *choices] if choices else [],
        "typed": typed,
        "wrong": wrong,
        "links": [
            {"field": f"mv-{'resume' if name == 'resume_date' else name}", "message": message}
            for name, message in wrong.items()
        ],
        "competitor": wish.kind == Kind.CLOSE_LOST,
        "resume_date": wish.kind == Kind.HOLD,
        "comment": wish.kind in kinds and wish.kind != Kind.CLOSE_WON,
        "amount": wish.kind == Kind.CLOSE_WON and not gate.situation.facts.fields.get("amount"),
        "competitor_value": typed.get("competitor") or gate.situation.facts.fields.get("competitor") or "",
        "who": _confirmers(gate),
        "left": left_work(wish.kind, "opportunity", gate.deal.pk),
    }


def left_work(kind: Kind, subject_type: str, subject_id: int) -> str:
    """What is still to be done about a record that is to be closed, in words; blank where nothing is or it goes on."""
    if kind not in (Kind.CLOSE_WON, Kind.CLOSE_LOST) or not subjects.room_of(subject_type).ends_with_journey:
        return ""
    tasks, planned = open_work(subject_type, subject_id)
    if not tasks and not planned:
        return ""
    if not planned:
        return ngettext(
            "%(count)s open task is taken off the lists with it.",
            "%(count)s open tasks are taken off the lists with it.",
            tasks,
        ) % {"count": tasks}
    if not tasks:
        return ngettext(
            "%(count)s planned activity is cancelled with it.",
            "%(count)s planned activities are cancelled with it.",
            planned,
        ) % {"count": planned}
    return _(
        "Open tasks (%(tasks)s) and planned activities (%(planned)s) are taken off the lists with it."
    ) % {
        "tasks": tasks,
        "planned": planned,
    }


def _confirmers(gate: Gate) -> str:
    """Who can do it, where this person cannot."""
    right = gate.verdict.needs_right
    if not right:
        return ""
    if (
        right in ("regress.confirm", "deal.reopen_won") and gate.user.pk == gate.deal.owner_id
    ) or not gate.user.may(right):
        names = [u.name for u in who_may(right, gate.deal)]
        separator = "、" if wording.is_chinese() else ", "
        return separator.join(names)
    return ""
