"""Approvals as pages show them: lines of the inbox, the screen of a decision, the rail of its steps. Words only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.fields.catalogue import Catalogue, FieldSpec, catalogue, pick
from fairlead.fields.conditions import Compiled, Leaf
from fairlead.fields.enums import FieldType, Operator
from fairlead.organisation.models import Organisation
from fairlead.work.words import when_words

from .approval_alike import Case, number, span
from .approval_enums import Because, Direction, Lever, RequestState, SeatState, StepState
from .approval_policy import MatrixRow
from .approval_rows import Span, boxes
from .approval_words import kind_name, row_name, value_text
from .engine import decide, forward_move
from .enums import CriterionState, Level
from .facts import Bound
from .models import ApprovalCondition, ApprovalRequest, ApprovalSeat, ApprovalStep
from .selectors.approval_inbox import Detail, Item
from .selectors.approvals import says_when_met
from .selectors.gathering import Situation
from .subjects import room_of
from .words import criterion_name, stage_name

SIGNS: Final = {Direction.AT_MOST: "≤", Direction.AT_LEAST: "≥", Direction.EQUAL: "=", Direction.SUBSET: "⊆"}
_UPPER: Final = frozenset({Operator.GT, Operator.GTE})
_LOWER: Final = frozenset({Operator.LT, Operator.LTE})
_OPS: Final = {Operator.GT: ">", Operator.GTE: "≥", Operator.LT: "<", Operator.LTE: "≤"}
PENDING: Final = "approval_pending"
STATE_LOOKS: Final = {
    RequestState.PENDING: "pending", RequestState.APPROVED: "won", RequestState.REJECTED: "lost",
    RequestState.RETURNED: "due", RequestState.RECALLED: "hold",
}  # fmt: skip


def lasting(span_: timedelta) -> str:
    """A time in one unit: 40 min, 26 h, 3 d."""
    minutes = max(int(span_.total_seconds() // 60), 0)
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s d") % {"n": minutes // (24 * 60)}


def due_of(due: datetime | None, at: datetime) -> tuple[str, str]:
    """(state, words) of a deadline."""
    if due is None:
        return "", ""
    if due <= at:
        return "overdue", _("%(time)s over time") % {"time": lasting(at - due)}
    words = _("by %(when)s") % {"when": when_words(due, at)}
    return ("due" if timezone.localdate(due) <= timezone.localdate(at) else ""), words


def numbered(name: str, number_: int) -> str:
    """The name of a request, with its number from the second one on."""
    return name if number_ == 1 else " · ".join((name, _("no. %(n)s") % {"n": number_}))


def amount_of(request: ApprovalRequest, currency: str) -> str:
    return format_amount(request.amount, currency) if request.amount is not None else ""


def house_currency() -> str:
    return Organisation.objects.values_list("currency", flat=True).first() or "CNY"


# --- why ---


def why_fired(row: MatrixRow, values: Mapping[str, Any], fields: Catalogue, reader: Any) -> str:
    """The rule with its value: “Discount 12 % > 10 %”, or the name of the row where it has no such value."""
    for leaf in _leaves(row.when) if row.when is not None else ():
        spec = fields.get(leaf.spec.key)
        if leaf.op in _OPS and leaf.spec.key in values and (spec is None or spec.readable_by(reader)):
            sharp = leaf.op in _UPPER or leaf.op in _LOWER
            now = number(values[leaf.spec.key])
            if sharp and now is not None and leaf.op in (_UPPER if _is_above(now, leaf) else _LOWER):
                name = (spec or leaf.spec).name()
                return f"{name} {value_of(values[leaf.spec.key], spec)} {_OPS[leaf.op]}\u00a0{value_of(str(leaf.value), spec)}"
    if row.when is not None and not all(leaf.spec.readable_by(reader) for leaf in _leaves(row.when)):
        return str(Lever(row.lever).label)
    return row_name(row)


def _is_above(now: Decimal, leaf: Leaf) -> bool:
    limit = number(leaf.value)
    return limit is not None and now >= limit


def _leaves(tree: Compiled) -> Iterable[Leaf]:
    if isinstance(tree, Leaf):
        yield tree
        return
    for part in tree.parts:
        yield from _leaves(part)


def why_of(item: Item, reader: Any) -> str:
    """Why the reader is asked, or where there is no seat of theirs, what was asked at all."""
    kind, request = item.kind, item.request
    fields = catalogue(item.journey.subject_type)
    values = {b["field"]: b["value"] for b in request.bounds}
    wanted = item.rows_asked or {one["row"] for one in request.asked}
    rows = [row for key in sorted(wanted) if kind and (row := kind.row(key))]
    return " · ".join(why_fired(row, values, fields, reader) for row in rows)


def because_of(seats: Iterable[ApprovalSeat]) -> str:
    """Why this person sits there and not the one whom the matrix names."""
    found = []
    for seat in seats:
        if not seat.because:
            continue
        words = str(Because(seat.because).label)
        if seat.for_person is not None:
            words = _("for %(name)s: %(why)s") % {"name": seat.for_person.name, "why": words}
        found.append(words)
    return " · ".join(dict.fromkeys(found))


# --- lines ---


def line_of(item: Item, reader: Any, *, at: datetime, tab: str, currency: str) -> dict[str, Any]:
    request = item.request
    name = kind_name(item.definition, request.kind)
    line: dict[str, Any] = {
        "pk": request.pk,
        "url": f"{reverse('process:approvals')}?tab={tab}&item={request.pk}",
        "who": request.submitted_by.name,
        "tint": request.submitted_by_id,
        "title": item.journey.title or f"#{item.journey.subject_id}",
        "kind": numbered(name, request.number),
        "amount": amount_of(request, currency),
        "why": why_of(item, reader),
        "because": because_of(item.seats) if tab == "todo" else "",
        "state": "",
        "rule": "+".join(sorted(item.rows_asked)),
    }
    if tab == "todo":
        state, words = due_of(item.due_at, at)
        waits = _("waits %(time)s") % {"time": lasting(at - (item.asked_at or request.submitted_at))}
        return line | {"look": state, "when": " · ".join(w for w in (waits, words) if w)}
    look = STATE_LOOKS[RequestState(request.state)]
    when = when_words(request.ended_at or request.submitted_at, at)
    line |= {"look": look, "state": str(RequestState(request.state).label), "when": when}
    if request.is_auto:
        line["state"] = _("Approved by the rule")
    if tab == "mine" and request.state == RequestState.PENDING and request.next_due_at:
        state, words = due_of(request.next_due_at, at)
        line |= {"when": words, "look": state or look}
    return line


# --- the screen of a decision ---


def _condition(one: ApprovalCondition, item: Item, reader: Any, at: datetime) -> dict[str, Any]:
    """A condition with who may say that it is fulfilled, and who said so."""
    is_open = one.met_at is None
    return {
        "pk": one.pk,
        "text": one.text,
        "stage": stage_name(item.definition, one.stage_key),
        "is_met": not is_open,
        "met_by": one.met_by.name if one.met_by else "",
        "met_when": when_words(one.met_at, at) if one.met_at else "",
        "may_say": is_open and one.holds_from is not None and says_when_met(reader, one),
        "says": one.set_by.name if is_open and one.kind == "word" else "",
    }


def screen_of(found: Detail, reader: Any, *, at: datetime, currency: str) -> dict[str, Any]:
    item, request = found.item, found.item.request
    kind = item.kind
    name = kind_name(item.definition, request.kind)
    fields = catalogue(item.journey.subject_type)
    values = {b.field: b.value for b in found.bounds}
    rows = [(one, row) for one in request.asked if kind and (row := kind.row(one["row"]))]
    limits = _limits([row for _one, row in rows])
    return {
        "pk": request.pk,
        "version": request.version,
        "title": numbered(name, request.number),
        "subject": item.journey.title,
        "subject_url": room_of(item.journey.subject_type).url(item.journey.subject_id),
        "who": request.submitted_by.name,
        "tint": request.submitted_by_id,
        "when": when_words(request.submitted_at, at),
        "amount": amount_of(request, currency),
        "stage": localized(item.journey.stage.name),
        "circle": found.circle,
        "state": str(RequestState(request.state).label),
        "look": STATE_LOOKS[RequestState(request.state)],
        "is_pending": request.state == RequestState.PENDING,
        "is_auto": request.is_auto,
        "reasons": [why_fired(row, values, fields, reader) for _one, row in rows],
        "help": pick(kind.help) if kind and kind.help else "",
        "because": because_of(found.mine),
        "terms": [
            _term(b, found, limits, fields) for b in found.bounds if _is_told(b, found, fields, reader)
        ],
        "has_before": bool(found.before),
        "before_at": when_words(found.before_at, at) if found.before_at else "",
        "cases": [_case(case, found, fields, reader, at) for case in found.cases],
        "compared": found.compared,
        "moved": [
            {"name": _name(b.field, fields), "then": value_text(b.value, fields.get(b.field))}
            for b in found.moved
            if _may_read(b.field, fields, reader)
        ],
        "has_moved": bool(found.moved),
        "text": request.text,
        "package": [
            {"name": pick(one.name), "text": str(request.package.get(one.key) or "")}
            for one in ((*kind.package, *kind.opinions) if kind else ())
        ],
        "rail": rail_of(found, at),
        "history": [
            {
                "url": f"{reverse('process:approvals')}?item={one.pk}",
                "text": _("no. %(n)s") % {"n": one.number},
                "state": str(RequestState(one.state).label),
                "look": STATE_LOOKS[RequestState(one.state)],
                "who": one.submitted_by.name,
                "when": when_words(one.submitted_at, at),
            }
            for one in found.history
        ],
        "questions": [
            {
                "pk": q.pk, "by": q.by.name, "to": q.to.name, "text": q.text, "answer": q.answer,
                "is_mine": q.to_id == reader.pk and q.answered_at is None, "when": when_words(q.at, at),
            }
            for q in found.questions
        ],
        "conditions": [_condition(one, item, reader, at) for one in found.conditions],
        "copies": ", ".join(copy.person.name for copy in found.copies),
        "path": path_of_request(found),
        "valid_days": kind.valid_days if kind else None,
        "back_to": back_steps(found),
        "may_decide": bool(found.mine) and request.state == RequestState.PENDING,
        "may_recall": request.state == RequestState.PENDING
        and reader.pk in (request.submitted_by_id, request.owner_id_then),
        "takes_part": reader.pk in {s.person_id for _step, seats in found.steps for s in seats}
        or reader.pk == request.submitted_by_id,
    }  # fmt: skip


def _may_read(key: str, fields: Catalogue, reader: Any) -> bool:
    spec = fields.get(key)
    return spec is None or spec.readable_by(reader)


def _is_told(bound: Bound, found: Detail, fields: Catalogue, reader: Any) -> bool:
    """Whether a value is worth a line: one that is there, or has changed; a currency only where it has."""
    if not _may_read(bound.field, fields, reader):
        return False
    then = found.before.get(bound.field)
    if bound.field == "currency":
        return bound.field in found.before and then != bound.value
    return bool(bound.value not in (None, "", []) or then not in (None, "", []))


def _name(key: str, fields: Catalogue) -> str:
    if (spec := fields.get(key)) is not None:
        return spec.name()
    return _("Currency") if key == "currency" else key


def _limits(rows: Sequence[MatrixRow]) -> dict[tuple[str, str], Span]:
    """How far the rows that were asked reach, by lever and field."""
    found: dict[tuple[str, str], Span] = {}
    for row in rows:
        for box in boxes(row.when):
            for key, allowed in box.items():
                if isinstance(allowed, Span):
                    found[row.lever, key] = allowed
    return found


def value_of(value: Any, spec: FieldSpec | None) -> str:
    """A bound value, short: money in its own way, a unit that does not leave its number."""
    found = number(value)
    if spec is not None and spec.type == FieldType.MONEY and found is not None:
        return format_amount(found, "").strip()
    return value_text(value, spec).replace(" ", "\u00a0") if found is not None else value_text(value, spec)


def _term(
    bound: Bound, found: Detail, limits: Mapping[tuple[str, str], Span], fields: Catalogue
) -> dict[str, Any]:
    spec = fields.get(bound.field)
    limit = limits.get((bound.lever, bound.field))
    fired = False
    said = ""
    if limit is not None:
        if bound.direction == Direction.AT_MOST:
            fired = limit.low.is_finite()
            if limit.high.is_finite():
                said = f"{'≤' if limit.high_in else '<'} {value_of(str(limit.high), spec)}"
        elif bound.direction == Direction.AT_LEAST:
            fired = limit.high.is_finite()
            if limit.low.is_finite():
                said = f"{'≥' if limit.low_in else '>'} {value_of(str(limit.low), spec)}"
    then = found.before.get(bound.field)
    across = span(bound.field, found.cases)
    near = ""
    if across is not None:
        low, high = (value_of(str(one), spec) for one in across)
        near = low if low == high else f"{low}–{high}"
    return {
        "name": _name(bound.field, fields),
        "now": value_of(bound.value, spec),
        "limit": said,
        "fired": fired,
        "arrow": "up" if bound.direction == Direction.AT_MOST else "down",
        "before": value_of(then, spec) if bound.field in found.before else "",
        "changed": bound.field in found.before and str(then) != str(bound.value),
        "near": near,
        "sign": SIGNS[Direction(bound.direction)],
    }


def _case(case: Case, found: Detail, fields: Catalogue, reader: Any, at: datetime) -> dict[str, Any]:
    row = found.precedents[case.id]
    journey = row.grant.request.journey
    shown = [
        f"{_name(key, fields)} {value_of(value, fields.get(key))}"
        for key, value in case.values.items()
        if _may_read(key, fields, reader) and number(value) is not None
    ]
    return {
        "title": journey.title,
        "url": room_of(row.subject_type).url(row.subject_id),
        "shown": " · ".join(shown[:4]),
        "when": when_words(case.at, at),
        "same": bool(case.circle and found.circle and case.circle == found.circle.key),
    }


def rail_of(found: Detail, at: datetime) -> list[dict[str, Any]]:
    """The thread of people: who submitted, who decided, who decides now, who comes."""
    request = found.item.request
    many = len({step.lane for step, _seats in found.steps}) > 1
    rail = [
        {
            "look": "past", "name": request.submitted_by.name, "tint": request.submitted_by_id, "word": _("submitted"),
            "when": when_words(request.submitted_at, at), "mark": "check", "state": "", "comment": request.text[:0],
        }
    ]  # fmt: skip
    for step, seats in found.steps:
        for seat in seats:
            if seat.state in (SeatState.REPLACED, SeatState.PASSED):
                continue
            rail.append(_seat(step, seat, many, at))
    return sorted(rail, key=lambda one: {"past": 0, "now": 1, "ahead": 2}[one["look"]])


def _seat(step: ApprovalStep, seat: ApprovalSeat, many: bool, at: datetime) -> dict[str, Any]:
    word = str(SeatState(seat.state).label)
    if seat.for_person is not None and seat.because:
        stands_in = _("for %(name)s") % {"name": seat.for_person.name}
        word = f"{word} · {stands_in}"
    if many or step.row_key == "":
        word = f"{Lever(step.lever).label} · {word}"
    look, state, mark, when = "ahead", "", "", ""
    if seat.state in (SeatState.APPROVED, SeatState.CARRIED, SeatState.REJECTED):
        look, mark = "past", "x" if seat.state == SeatState.REJECTED else "check"
        state = "lost" if seat.state == SeatState.REJECTED else "won"
        when = when_words(seat.decided_at, at) if seat.decided_at else ""
        if seat.decided_at and seat.asked_at and seat.state != SeatState.CARRIED:
            took = _("after %(time)s") % {"time": lasting(seat.decided_at - seat.asked_at)}
            when = f"{when} · {took}"
    elif seat.state == SeatState.ASKED:
        look, mark = "now", "clock"
        state, words = due_of(step.decision_due_at, at)
        took = _("for %(time)s already") % {"time": lasting(at - seat.asked_at)} if seat.asked_at else ""
        when = " · ".join(one for one in (took, words) if one)
        state = state or "pending"
    else:
        when = _("within %(hours)s working hours") % {"hours": step.decision_hours}
    return {
        "look": look, "name": seat.person.name, "tint": seat.person_id, "word": word, "when": when, "mark": mark,
        "state": state, "comment": seat.comment,
    }  # fmt: skip


def back_steps(found: Detail) -> list[tuple[str, str]]:
    """To whom it may be returned: whoever submitted it, or a step of the lane that was decided."""
    choices = [("", _("%(name)s, who submitted it") % {"name": found.item.request.submitted_by.name})]
    lanes = {s.step.lane for s in found.mine}
    for step, seats in found.steps:
        if step.lane in lanes and step.state == StepState.APPROVED:
            names = _(", ").join(
                s.person.name for s in seats if s.state in (SeatState.APPROVED, SeatState.CARRIED)
            )
            choices.append((step.key, names or step.key))
    return choices


def path_of_request(found: Detail) -> dict[str, Any] | None:
    """The road of the record, its beads and what it waits for; nothing once the request has ended."""
    return path_of(found.situation) if found.situation is not None else None


def path_of(situation: Situation) -> dict[str, Any] | None:
    """The stage where a record stands with its beads, the one before and the one after."""
    definition, here = situation.definition, situation.facts.journey.stage_key
    if here not in definition.by_key:
        return None
    wish = forward_move(definition, situation.facts)
    results = decide(definition, situation.facts, wish).results if wish is not None else ()
    required = sorted(
        (r for r in results if r.level == Level.BLOCK and r.state != CriterionState.NA),
        key=lambda r: not r.settled,
    )
    place = definition.position(here)
    left = [r for r in required if not r.settled]
    only = len(left) == 1 and left[0].why == PENDING
    stages = []
    for stage in definition.stages[max(place - 1, 0) : place + 2]:
        position = definition.position(stage.key)
        state = "here" if position == place else "done" if position < place else "ahead"
        one: dict[str, Any] = {"name": pick(stage.name), "state": state}
        if state == "here":
            one["beads"] = [
                {
                    "state": "pending" if r.why == PENDING else str(r.state),
                    "label": f"{criterion_name(definition, r.key)}: {r.state.label}",
                }
                for r in required
            ]
            settled = sum(1 for r in required if r.settled)
            one |= {
                "ring": "pending" if left else "ready",
                "meta": _("Items %(done)s / %(all)s") % {"done": settled, "all": len(required)}
                if required
                else "",
                "note": _("waits for this alone") if only else "",
                "note_state": "pending",
            }
        else:
            one["ring"] = "passed" if state == "done" else "ahead"
        stages.append(one)
    return {"stages": stages, "label": pick(definition.stage(here).name)}
