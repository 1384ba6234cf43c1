"""Verdicts in words: why a criterion stands as it does, what is missing, why a move is impossible.

The engine answers in codes and parameters; here they become sentences in the active language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import Catalogue, pick

from .approval_words import lever_names, prohibited_names, row_names
from .definition import Definition
from .enums import CriterionState, Kind, VetoDomain
from .roles import buying_role_name
from .verdicts import VETO, CriterionResult, Objection, Verdict

Names = Mapping[int, str]

_namers: dict[str, Callable[[str], str]] = {}


def name_keys(prefix: str, namer: Callable[[str], str]) -> None:
    """Criteria that no document names, such as the conditions of an approval, are named by `namer`."""
    _namers[prefix] = namer


def objection_text(objection: Objection | Mapping[str, Any]) -> str:
    """Why a move is not possible, as a sentence that says the mend."""
    code = objection.code if isinstance(objection, Objection) else objection["code"]
    params = objection.params if isinstance(objection, Objection) else objection.get("params", {})
    texts = {
        "no_such_move": _("The process knows no such move from here."),
        "closed": _("This is closed. Reopen it first."),
        "on_hold": _("This is on hold. Resume it first."),
        "not_on_hold": _("This is not on hold."),
        "not_closed": _("This is still open."),
        "reason_missing": _("Choose a reason."),
        "reason_unknown": _("The reason is not on the list. Choose one from it."),
        "resume_date_missing": _("Say on which day it shall come back."),
        "resume_date_invalid": _("A day is expected as YYYY-MM-DD."),
        "resume_date_past": _("The day to come back lies in the future."),
        "competitor_missing": _("Say to whom it was lost."),
        "competitor_invalid": _("Give the name of the competitor, at most 200 characters."),
        "amount_invalid": _("An amount of zero or more is expected, such as 1200.50."),
        "amount_missing": _("Fill in the final amount."),
        "reopen_too_far": _("It reopens at the stage where it ended, or before."),
        "approval_missing": _("This move needs an approval first. Submit it for approval."),
        "merged": _("This was merged into another record. Go on there."),
        "left": _("This has left its process. Give it one again before it is moved."),
        "branch_unknown": _("Which way it takes here cannot be told. Fill in what the branch asks for."),
        "other_branch": _("The process leads to another stage from here."),
        "too_late_to_reopen": _("Closed more than %(days)s days ago: create a linked successor instead.")
        % {"days": params.get("days", 0)},
    }
    return texts[code]


def criterion_name(definition: Definition, key: str) -> str:
    found = definition.criterion(key)
    if found:
        return pick(found[2].name)
    if key.startswith("veto_"):
        return _("Veto")
    namer = _namers.get(key.partition("_")[0])
    return (namer(key) if namer else "") or key


def item_name(definition: Definition, result: CriterionResult) -> str:
    """What a gap is called: the item of the document, or the field in which somebody said no."""
    if result.type == VETO:
        return _("Veto: %(domain)s") % {"domain": VetoDomain(result.why_params["domain"]).label}
    return criterion_name(definition, result.key)


def join_words(definition: Definition, verdict: Verdict) -> str:
    """Whom the join of the tracks waits for; blank where it waits for nobody (IT-2)."""
    waiting = verdict.waits_for
    if not waiting:
        return ""
    names = {track.key: track for track in definition.stage(waiting[0].stage_key).tracks}
    return _("Waits for %(tracks)s") % {
        "tracks": _(", ").join(f"{pick(names[t.key].name)} ({t.role})" for t in waiting)
    }


def stage_name(definition: Definition, key: str) -> str:
    return pick(definition.by_key[key].name) if key in definition.by_key else key


def move_name(definition: Definition, kind: str, to: str) -> str:
    """A move in words: “Move back · Needs analysis”."""
    label = str(Kind(kind).label)
    return f"{label} · {stage_name(definition, to)}" if to else label


def headline(definition: Definition, verdict: Verdict) -> str:
    """The goal, not the ban: “Two more and this can move to Quotation”."""
    count = len(verdict.gaps)
    if verdict.wish.kind == Kind.CLOSE_WON:
        if not count:
            return _("Ready to be won")
        return ngettext(
            "%(count)s more item and it can be won", "%(count)s more items and it can be won", count
        ) % {"count": count}
    target = stage_name(definition, verdict.target)
    if not count:
        return _("Ready to move to %(stage)s") % {"stage": target}
    return ngettext(
        "%(count)s more item, then on to %(stage)s", "%(count)s more items, then on to %(stage)s", count
    ) % {"count": count, "stage": target}


def day(value: Any) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return timezone.localtime(at).strftime("%Y-%m-%d") if isinstance(at, datetime) else str(value)


def why_text(result: CriterionResult, definition: Definition, catalogue: Catalogue, people: Names) -> str:
    """One line under a checklist item: who, when, what is missing."""
    p = result.why_params
    builder = _WHY.get(result.why)
    return builder(p, definition, catalogue, people) if builder else ""


def _field_names(p: Mapping[str, Any], catalogue: Catalogue) -> str:
    return _(", ").join(spec.name() for key in p.get("fields", ()) if (spec := catalogue.get(key)))


def _role_names(keys: Any) -> str:
    return _(", ").join(buying_role_name(k) for k in keys)


def _activity(p: Mapping[str, Any]) -> str:
    text = _("%(count)s of %(min)s two-way contacts") % {"count": p["count"], "min": p["min"]}
    if p["departments_min"]:
        text += _("; %(count)s of %(min)s departments") % {
            "count": p["departments"],
            "min": p["departments_min"],
        }
    return text


def _reason(definition: Definition, key: str) -> str:
    if key == "break_glass":
        return _("glass broken")
    reason = definition.reason("waiver", key)
    return pick(reason.name) if reason else key


_WHY: Mapping[str, Any] = {
    "imported": lambda p, d, c, n: _("Passed before the import; not asked again."),
    "grandfathered": lambda p, d, c, n: _(
        "Was added after this record had passed the stage; it is not asked for."
    ),
    "grace": lambda p, d, c, n: (
        _("Was added while this record stood in the stage; asked for from %(day)s.")
        % {"day": day(p["until"])}
    ),
    "does_not_apply": lambda p, d, c, n: _("Does not apply to this record."),
    "applies_unknown": lambda p, d, c, n: _("Whether it applies cannot be known."),
    "evidence_unknown": lambda p, d, c, n: _("This cannot be known from what is stored."),
    "field_unknown": lambda p, d, c, n: _("This cannot be known from what is stored."),
    "field_met": lambda p, d, c, n: _("%(fields)s filled") % {"fields": _field_names(p, c)},
    "field_empty": lambda p, d, c, n: _("Fill in %(fields)s") % {"fields": _field_names(p, c)},
    "field_placeholder": lambda p, d, c, n: (
        _("%(fields)s holds a placeholder") % {"fields": _field_names(p, c)}
    ),
    "field_value": lambda p, d, c, n: (
        _("%(fields)s is not yet at the needed value") % {"fields": _field_names(p, c)}
    ),
    "activity_met": lambda p, d, c, n: _activity(p),
    "activity_missing": lambda p, d, c, n: _activity(p),
    "activity_too_old": lambda p, d, c, n: _("None in the last %(days)s days") % {"days": p["within_days"]},
    "document_met": lambda p, d, c, n: (
        _("Version %(version)s of %(day)s") % {"version": p["version"], "day": day(p["at"])}
    ),
    "document_missing": lambda p, d, c, n: _("No file yet"),
    "document_not_customer": lambda p, d, c, n: _("The file at hand is not the customer's, or not signed"),
    "document_expired": lambda p, d, c, n: _("Ran out on %(day)s") % {"day": day(p["ended_at"])},
    "relation_met": lambda p, d, c, n: _("Covered: %(roles)s") % {"roles": _role_names(p["roles"])},
    "relation_missing": lambda p, d, c, n: (
        _("Nobody yet as %(roles)s") % {"roles": _role_names(p["missing"])}
    ),
    "relation_weak": lambda p, d, c, n: (
        _("Known, but contact or support is still too weak: %(roles)s") % {"roles": _role_names(p["missing"])}
    ),
    "score_met": lambda p, d, c, n: _("%(total)s of %(top)s points") % p,
    "score_low": lambda p, d, c, n: _("%(total)s points; at least %(min)s of %(top)s are needed") % p,
    "score_floor": lambda p, d, c, n: (
        _("Too low: %(fields)s") % {"fields": _field_names({"fields": p["below"]}, c)}
    ),
    "attestation_met": lambda p, d, c, n: (
        _("%(name)s confirmed on %(day)s") % {"name": n.get(p["by_id"], "—"), "day": day(p["at"])}
    ),
    "attestation_missing": lambda p, d, c, n: _("Waits for a word from %(role)s") % {"role": p["role"]},
    "attestation_own": lambda p, d, c, n: (
        _("The owner's own word does not count; ask %(role)s") % {"role": p["role"]}
    ),
    "attestation_expired": lambda p, d, c, n: (
        _("%(name)s confirmed on %(day)s; that has run out")
        % {"name": n.get(p["by_id"], "—"), "day": day(p["at"])}
    ),
    "approval_unknown": lambda p, d, c, n: _("Approvals are not set up yet."),
    "approval_met": lambda p, d, c, n: _("Approved on %(day)s") % {"day": day(p["at"])},
    "approval_not_needed": lambda p, d, c, n: _("Within what needs nobody's approval"),
    "approval_pending": lambda p, d, c, n: _("Submitted; being decided"),
    "approval_missing": lambda p, d, c, n: _("Not approved yet: %(rows)s") % {"rows": row_names(p, d)},
    "approval_outside": lambda p, d, c, n: (
        _("A value left what was approved; to be decided anew: %(levers)s") % {"levers": lever_names(p)}
    ),
    "approval_expired": lambda p, d, c, n: (
        _("The approval has run out; to be decided anew: %(levers)s") % {"levers": lever_names(p)}
    ),
    "approval_prohibited": lambda p, d, c, n: (
        _("Nobody may approve this: %(what)s") % {"what": prohibited_names(p, d)}
    ),
    "condition_met": lambda p, d, c, n: _("The condition of the approval is fulfilled"),
    "condition_open": lambda p, d, c, n: _("Condition of the approval, still open"),
    "external_met": lambda p, d, c, n: _("Happened on %(day)s") % {"day": day(p["at"])},
    "external_missing": lambda p, d, c, n: _("Has not happened yet"),
    "external_expired": lambda p, d, c, n: _("Happened too long ago"),
    "child_met": lambda p, d, c, n: _("%(done)s of %(total)s tasks done") % p,
    "child_open": lambda p, d, c, n: _("%(done)s of %(min)s tasks done") % p,
    "elapsed_met": lambda p, d, c, n: _("%(days)s working days passed") % p,
    "elapsed_early": lambda p, d, c, n: _("%(days)s of %(min)s working days passed") % p,
    "elapsed_in_time": lambda p, d, c, n: _("In time: before %(date)s") % p,
    "elapsed_late": lambda p, d, c, n: _("Too late: %(date)s has passed") % p,
    "veto_open": lambda p, d, c, n: (
        _("%(name)s, %(day)s: “%(clause)s”")
        % {"name": n.get(p["by_id"], "—"), "day": day(p["at"]), "clause": p["clause"]}
    ),
    "waived": lambda p, d, c, n: (
        _("%(name)s: %(reason)s; until %(day)s")
        % {"name": n.get(p["by_id"], "—"), "reason": _reason(d, p["reason"]), "day": day(p["until"])}
    ),
    "group": lambda p, d, c, n: _("%(done)s of %(total)s parts") % p,
}


def people_in(results: tuple[CriterionResult, ...]) -> set[int]:
    """Ids of people that the words will name."""
    found = {int(r.why_params["by_id"]) for r in results if r.why_params.get("by_id")}
    for result in results:
        found |= people_in(result.children)
    return found


def count_states(results: tuple[CriterionResult, ...]) -> dict[CriterionState, int]:
    counts: dict[CriterionState, int] = {}
    for result in results:
        counts[result.state] = counts.get(result.state, 0) + 1
    return counts
