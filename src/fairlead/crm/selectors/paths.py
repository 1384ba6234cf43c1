"""The process path and the checklist of a gate, as templates draw them: words, states, addresses of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from fairlead.fields.catalogue import Catalogue, pick
from fairlead.organisation.calendars import Calendar
from fairlead.process.carrying import stage_now
from fairlead.process.definition import Criterion, Definition, Stage
from fairlead.process.engine import evaluate
from fairlead.process.enums import CLOSED_STATES, CriterionState, ExitType, JourneyState, Level
from fairlead.process.facts import Facts
from fairlead.process.models import Journey, Visit
from fairlead.process.roles import role_name
from fairlead.process.selectors.flags import Flag
from fairlead.process.verdicts import CriterionResult, TrackResult, Verdict
from fairlead.process.words import criterion_name, headline, item_name, join_words, stage_name, why_text

MOST_BEADS = 9  # more than these would not fit on the thread: then the required ones alone
MEND_ICONS: Mapping[str, str] = {
    "field": "pencil",
    "activity": "notes",
    "document": "upload",
    "relation": "user-plus",
    "score": "adjustments-horizontal",
    "attest": "user-check",
    "external": "external-link",
    "task": "clipboard-check",
    "approval": "rubber-stamp",
    "group": "layout-list",
    "veto": "hand-stop",
}


def results_of(definition: Definition, facts: Facts, verdict: Verdict | None) -> tuple[CriterionResult, ...]:
    """The items of the current gate; of earlier stages only what no longer holds. On hold they are shown too,
    though nothing can move; a closed one has none."""
    if verdict is not None:
        here = definition.position(facts.journey.stage_key)
        return tuple(r for r in verdict.results if not r.settled or definition.position(r.stage_key) >= here)
    if facts.journey.state == JourneyState.ON_HOLD:
        return tuple(evaluate(definition, facts, definition.stage(facts.journey.stage_key), "exit"))
    return ()


def path_of(
    definition: Definition,
    journey: Journey,
    facts: Facts,
    verdict: Verdict | None,
    visits: Sequence[Visit],
    calendar: Calendar,
    *,
    waived: Iterable[str] = (),
    flagged: Sequence[Flag] = (),
    at: datetime,
) -> dict[str, Any]:
    """`stages` and `label` for the macro `path`. `waived`: keys of criteria that a waiver ever let pass; `flagged`:
    what was left open behind."""
    stay = [v for v in visits if v.episode_no == journey.episode_no]
    by_stage: dict[str, list[Visit]] = {}
    for visit in stay:
        by_stage.setdefault(stage_now(visit, journey.carried), []).append(visit)
    waived_at = {found[0].key for key in waived if (found := definition.criterion(key))}
    flagged_at = {flag.result.stage_key for flag in flagged}
    here = definition.position(journey.stage.key)
    closed = journey.state in CLOSED_STATES
    stages = []
    for i, stage in enumerate(definition.stages):
        rows = by_stage.get(stage.key, [])
        if i == here and not closed:
            stages.append(_here(definition, stage, facts, verdict, rows))
        elif i < here or (i == here and closed):
            stages.append(
                _past(
                    stage,
                    rows,
                    calendar,
                    at,
                    stage.key in waived_at,
                    stage.key in flagged_at,
                    journey,
                    i == here,
                )
            )
        else:
            limit = stage.limit_red or stage.limit_yellow
            stages.append(
                {
                    "name": pick(stage.name),
                    "state": "ahead",
                    "ring": "ahead",
                    "meta": _("Limit %(days)s d") % {"days": limit} if limit else "",
                }
            )
    total, gaps = len(definition.stages), len(verdict.gaps) if verdict is not None else 0
    label = _("Process path: step %(at)s of %(total)s") % {"at": here + 1, "total": total}
    if gaps:
        label += ngettext(", %(count)s item missing", ", %(count)s items missing", gaps) % {"count": gaps}
    return {"stages": stages, "label": label}


def _past(
    stage: Stage,
    rows: Sequence[Visit],
    calendar: Calendar,
    at: datetime,
    waived: bool,
    flags: bool,
    journey: Journey,
    is_last: bool,
) -> dict[str, Any]:
    known = [v for v in rows if v.entered_at_known]
    left_out = not rows or all(v.skipped for v in rows)
    days = sum(
        calendar.working_days_between(timezone.localdate(v.entered_at), timezone.localdate(v.left_at or at))
        for v in known
    )
    meta = [] if left_out or not known else [_("%(days)s d") % {"days": days}]
    if waived:
        meta.append(_("waiver"))
    if rows and all(v.imported for v in rows) and not known:
        meta.append(_("imported"))
    won = not is_last or journey.state == JourneyState.WON
    ring = "flagged" if flags else "waived" if waived else "passed" if won else "ahead"
    again = sum(1 for v in rows if v.exit_type == ExitType.REGRESS)
    return {
        "name": pick(stage.name),
        "state": "skipped" if left_out else "done",
        "ring": ring,
        "meta": " · ".join(meta),
        "loop": ngettext("%(count)s rework", "%(count)s reworks", again) % {"count": again} if again else "",
    }


def _here(
    definition: Definition, stage: Stage, facts: Facts, verdict: Verdict | None, rows: Sequence[Visit]
) -> dict[str, Any]:
    results = results_of(definition, facts, verdict)
    required = [r for r in results if r.level == Level.BLOCK]
    gaps = [r for r in required if not r.settled]
    days, limit = facts.working_days_in_stage, stage.limit_red or stage.limit_yellow
    figure = ""
    if days is not None:
        figure = (
            _("Day %(days)s of %(limit)s") % {"days": days, "limit": limit}
            if limit
            else _("%(days)s d") % {"days": days}
        )
    shown = results if len(results) <= MOST_BEADS else required
    ordered = sorted(shown, key=lambda r: not r.settled)
    note, state = "", "ready"
    if verdict is not None:
        gate = pick(stage.gate_name) or _("Gate")
        note = (
            _("Ready to move")
            if not gaps
            else ngettext("%(gate)s: %(count)s left", "%(gate)s: %(count)s left", len(gaps))
            % {"gate": gate, "count": len(gaps)}
        )
        state = "blocked" if gaps else "ready"
    again = sum(1 for v in rows if v.visit_no > 1)
    return {
        "name": pick(stage.name),
        "state": "here",
        "figure": figure,
        "note": note,
        "note_state": state,
        "ring": ring_of(verdict),
        "meta": _("Required %(done)s / %(total)s")
        % {"done": len(required) - len(gaps), "total": len(required)}
        if required
        else "",
        "loop": ngettext("%(count)s rework", "%(count)s reworks", again) % {"count": again} if again else "",
        "beads": [
            {
                "state": look_of(r),
                "url": f"#c-{r.key}",
                "label": _("%(item)s: %(state)s")
                % {"item": item_name(definition, r), "state": CriterionState(r.state).label},
            }
            for r in ordered
        ],
    }


PENDING = "approval_pending"


def look_of(result: CriterionResult) -> str:
    """The state as it is drawn: what was submitted waits for others, and lacks nothing from here."""
    return "pending" if result.why == PENDING else str(result.state)


def ring_of(verdict: Verdict | None) -> str:
    if verdict is None:
        return "ahead"
    if verdict.gaps and all(r.why == PENDING for r in verdict.gaps):
        return "pending"
    if verdict.gaps:
        return "missing"
    if any(r.state == CriterionState.WAIVED for r in verdict.results):
        return "waived"
    return "flagged" if verdict.flags else "ready"


def checklist_of(
    definition: Definition,
    facts: Facts,
    verdict: Verdict | None,
    fields: Catalogue,
    *,
    people: Mapping[int, str],
    owners: Mapping[str, str],
    flagged: Sequence[Flag] = (),
) -> dict[str, Any] | None:
    """Items of the gate, open ones first, and those that were left open behind. `owners`: the person in each role of
    the deal, by role."""
    results = results_of(definition, facts, verdict)
    if verdict is None and not results:
        return None
    required = [r for r in results if r.level == Level.BLOCK]
    advised = [r for r in results if r.level == Level.FLAG]
    sub = []
    for words, rows in (
        (_("Required %(done)s / %(total)s"), required),
        (_("Suggested %(done)s / %(total)s"), advised),
    ):
        if rows:
            sub.append(words % {"done": sum(r.settled for r in rows), "total": len(rows)})
    items = [_item(r, definition, fields, people, owners) for r in results]
    settled = [i for i in items if i["settled"]]
    counts: dict[str, int] = {}
    for item in settled:
        counts[item["said"]] = counts.get(item["said"], 0) + 1
    stage = definition.stage(facts.journey.stage_key)
    behind = behind_of(flagged, results)
    return {
        "title": headline(definition, verdict)
        if verdict is not None
        else _("On hold at %(stage)s") % {"stage": stage_name(definition, stage.key)},
        "state": ring_of(verdict) if verdict is not None else "pending",
        "sub": " · ".join(sub),
        "lanes": lanes_of(definition, facts, verdict.tracks if verdict is not None else (), owners),
        "join": join_words(definition, verdict) if verdict is not None else "",
        "open": sorted((i for i in items if not i["settled"]), key=lambda i: i["must"] is not True),
        "settled": settled,
        "settled_words": " · ".join(f"{word} {count}" for word, count in counts.items()),
        "behind": [
            _item(f.result, definition, fields, people, owners)
            | {"stage": stage_name(definition, f.result.stage_key), "since": since_words(f)}
            for f in behind
        ],
        "behind_words": behind_words(behind),
        "gaps": len(verdict.gaps) if verdict is not None else 0,
        "to": verdict.target if verdict is not None else "",
        "guide": {
            "goal": pick(stage.goal) if stage.goal else "",
            "guidance": [pick(n) for n in stage.guidance],
            "questions": [pick(q.text) for q in stage.questions],
            "deliverables": [pick(n) for n in stage.deliverables],
            "risks": [pick(n) for n in stage.risks],
        },
    }


def behind_of(flagged: Iterable[Flag], results: Iterable[CriterionResult]) -> list[Flag]:
    """Flags whose item is not asked at the gate ahead, where it would stand twice."""
    asked = {r.key for r in results}
    return [f for f in flagged if f.result.key not in asked]


def behind_words(flagged: Sequence[Flag]) -> str:
    return ngettext("%(count)s item left open behind", "%(count)s items left open behind", len(flagged)) % {
        "count": len(flagged)
    }


def since_words(flag: Flag) -> str:
    """The day counter of a flag (AC-3)."""
    return ngettext("open for %(count)s working day", "open for %(count)s working days", flag.days) % {
        "count": flag.days
    }


def lanes_of(
    definition: Definition, facts: Facts, tracks: Sequence[TrackResult], owners: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The tracks of a stage as lanes: who works on each, how far it is, and how its own limit stands (IT-2)."""
    found = []
    for result in tracks:
        track = next(t for t in definition.stage(result.stage_key).tracks if t.key == result.key)
        limit, days = track.limit_red or track.limit_yellow, facts.working_days_in_stage
        late = (
            not result.is_through
            and days is not None
            and track.limit_red is not None
            and days > track.limit_red
        )
        soon = (
            not result.is_through
            and days is not None
            and track.limit_yellow is not None
            and days > track.limit_yellow
        )
        clock = ""
        if days is not None and limit and not result.is_through:
            clock = _("day %(days)s of %(limit)s") % {"days": days, "limit": limit}
        found.append(
            {
                "key": track.key,
                "name": pick(track.name),
                "role": result.role,
                "who": owners.get(result.role, ""),
                "done": result.done,
                "total": result.total,
                "through": result.is_through,
                "must": result.level == Level.BLOCK,
                "clock": clock,
                "state": "overdue" if late else "due" if soon else "",
                "owes": [criterion_name(definition, key) for key in result.missing],
            }
        )
    return found


def _item(
    result: CriterionResult,
    definition: Definition,
    fields: Catalogue,
    people: Mapping[int, str],
    owners: Mapping[str, str],
) -> dict[str, Any]:
    found = definition.criterion(result.key)
    criterion: Criterion | None = found[2] if found else None
    how = [why_text(result, definition, fields, people)]
    if not result.settled:
        open_parts = [criterion_name(definition, c.key) for c in result.children if not c.settled]
        if open_parts:
            how.append(_("open: %(parts)s") % {"parts": _(", ").join(open_parts)})
        if result.role:
            who = owners.get(result.role, "")
            how.append(
                _("owed by %(role)s %(name)s") % {"role": result.role, "name": who}
                if who
                else _("owed by %(role)s") % {"role": role_name(result.role)}
            )
    return {
        "key": result.key,
        "id": f"c-{result.key}",
        "state": look_of(result),
        "settled": result.settled,
        "title": item_name(definition, result),
        "said": _("Being decided") if result.why == PENDING else str(CriterionState(result.state).label),
        "must": True if result.level == Level.BLOCK else False if result.level == Level.FLAG else None,
        "how": _("; ").join(w for w in how if w),
        "mend": _("Look")
        if result.why == PENDING
        else _("Assign now")
        if criterion and criterion.slot
        else mend_word(result.mend),
        "icon": "user-plus" if criterion and criterion.slot else MEND_ICONS.get(result.mend, "pencil"),
        "help": pick(criterion.help) if criterion and criterion.help else "",
    }


def mend_word(mend: str) -> str:
    """The act that settles an item, as a button says it."""
    words = {
        "field": _("Fill in"),
        "activity": _("Log activity"),
        "document": _("File it"),
        "relation": _("Add contact"),
        "score": pgettext("to do", "Score"),
        "attest": _("Confirm"),
        "task": _("Do tasks"),
        "external": _("Look"),
        "veto": _("Settle"),
        "approval": _("Ask for approval"),
    }
    return words.get(mend, _("Complete"))
