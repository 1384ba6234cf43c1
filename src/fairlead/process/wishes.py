"""What a wish says in its form must be what it claims to be: a day, an amount, a name. Every channel meets this."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from .definition import Definition, Transition
from .enums import Kind, Outcome
from .envelopes import Cover, coverage
from .facts import Facts
from .verdicts import Objection, Wish

MOST_DIGITS = Decimal(10) ** 16  # before the point, as amounts are stored
LONGEST_NAME = 200


def _form_objections(facts: Facts, wish: Wish) -> Iterator[Objection]:
    if wish.form.get("competitor") and not _is_name(wish.form["competitor"]):
        yield Objection("competitor_invalid")
    if wish.form.get("amount") and not _is_amount(wish.form["amount"]):
        yield Objection("amount_invalid")
    if wish.form.get("resume_date"):
        day = _day(wish.form["resume_date"])
        if day is None:
            yield Objection("resume_date_invalid")
        elif wish.kind == Kind.HOLD and day <= facts.today:
            yield Objection("resume_date_past")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_NAME


def _is_amount(value: Any) -> bool:
    """Zero or more, with at most two decimals; a text or an exact number, no float and no truth value."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return False
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return False
    return amount.is_finite() and 0 <= amount < MOST_DIGITS and amount == amount.quantize(Decimal("0.01"))


def _day(value: Any) -> date | None:
    """A day written as YYYY-MM-DD, and in no other of the ways that a date can be written."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return day if day is not None and day.isoformat() == value else None


def default_reasons(kind: Kind) -> str:
    return {Kind.REGRESS: "regress", Kind.SKIP: "skip", Kind.CLOSE_LOST: "lost", Kind.HOLD: "hold"}.get(
        kind, ""
    )


def reason_objections(
    definition: Definition, facts: Facts, wish: Wish, transition: Transition
) -> Iterator[Objection]:
    name = transition.reasons or default_reasons(wish.kind)
    if name:
        if not wish.reason:
            yield Objection("reason_missing", {"list": name})
        elif definition.lists.get(name) and definition.reason(name, wish.reason) is None:
            yield Objection("reason_unknown", {"list": name, "reason": wish.reason})
    if wish.kind == Kind.CLOSE_LOST:
        reason = definition.reason("lost", wish.reason)
        if (
            reason
            and reason.outcome == Outcome.LOST
            and not (wish.form.get("competitor") or facts.fields.get("competitor"))
        ):
            yield Objection("competitor_missing")
    if (
        wish.kind == Kind.CLOSE_WON
        and "amount" in facts.fields
        and not (wish.form.get("amount") or facts.fields.get("amount"))
    ):
        yield Objection("amount_missing")
    if wish.kind == Kind.HOLD and not wish.form.get("resume_date"):
        yield Objection("resume_date_missing")
    if transition.approval and not _is_approved(definition, facts, transition):
        yield Objection("approval_missing", {"approval": transition.approval, "to": transition.to})
    yield from _form_objections(facts, wish)


def move_about(kind: str, to: str) -> str:
    """What an approval of one move is about."""
    return f"{kind}:{to}"


def _is_approved(definition: Definition, facts: Facts, transition: Transition) -> bool:
    """Whether a live approval covers this very move."""
    kind = definition.approvals.kinds.get(transition.approval)
    if kind is None:
        return False
    about = move_about(transition.kind, transition.to)
    found = coverage(kind, facts.fields, [a for a in facts.approvals if a.about == about], at=facts.at)
    return found.cover in (Cover.COVERED, Cover.NOT_NEEDED)
