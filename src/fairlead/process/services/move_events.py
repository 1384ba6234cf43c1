"""What a move is in the journal: the type of its event and its data, which is all that the fold needs."""

from __future__ import annotations

from typing import Any

from .. import fold
from ..definition import Definition, Stage
from ..enums import CANCELLING_OUTCOMES, ExitType, ForecastCategory, Kind
from ..verdicts import Verdict


def event_of(definition: Definition, verdict: Verdict) -> tuple[str, dict[str, Any]]:
    """The type and the data of the event that a verdict's move writes; all that the fold needs is in `data`."""
    wish = verdict.wish
    if wish.kind == Kind.HOLD:
        return fold.HELD, {"resume_date": wish.form["resume_date"]}
    if wish.kind == Kind.RESUME:
        return fold.RESUMED, {}
    if wish.kind == Kind.CLOSE_WON:
        data: dict[str, Any] = {"probability": 100, "category": ForecastCategory.CLOSED}
        if wish.form.get("amount"):
            data["amount"] = str(wish.form["amount"])
        return fold.WON, data
    if wish.kind == Kind.CLOSE_LOST:
        reason = definition.reason("lost", wish.reason)
        outcome = reason.outcome if reason and reason.outcome else "lost"
        type_ = fold.CANCELLED if outcome in CANCELLING_OUTCOMES else fold.LOST
        return type_, {"outcome": outcome, "probability": 0, "category": ForecastCategory.OMITTED}
    target = definition.stage(verdict.target)
    if wish.kind == Kind.REOPEN:
        return fold.REOPENED, _entering(target)
    exit_type = {Kind.SKIP: ExitType.SKIP_FORWARD, Kind.REGRESS: ExitType.REGRESS}.get(
        wish.kind, ExitType.ADVANCE
    )
    if verdict.again:
        exit_type = ExitType.REGRESS  # back to the fork: the way that is left does not count as gone
    skipped = [(key, definition.stage(key).axis_key) for key in verdict.skipped]
    data = {"kind": wish.kind, "exit": exit_type, "skipped": skipped, **_entering(target)}
    return fold.MOVED, data | branches_of(verdict)


def branches_of(verdict: Verdict) -> dict[str, Any]:
    """What a fork looked at and in which order, for the journal (PD-6)."""
    found: dict[str, Any] = (
        {"branches": [list(seen) for seen in verdict.branches]} if verdict.branches else {}
    )
    return found | ({"again": True} if verdict.again else {})


def _entering(stage: Stage) -> dict[str, Any]:
    return {"axis": stage.axis_key, "probability": stage.probability[1], "category": stage.forecast}
