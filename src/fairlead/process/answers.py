"""Journeys, verdicts and refusals as the API says them: codes for machines, words in the asker's language."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet

from fairlead.common.refusals import NotFound
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import Catalogue, catalogue, pick
from fairlead.journal.models import Event
from fairlead.organisation.models import User

from . import fold, subjects, words
from .definition import Definition
from .definitions import definition_of
from .engine import decide, forward_move, legal_moves
from .enums import FORWARD, Kind
from .models import Attestation, Evaluation, Journey, Visit, Waiver
from .recording import plain
from .refusals import GateRefused, LostRace
from .selectors.flags import flags_of, raised_flags
from .selectors.gathering import Situation, situations
from .services import MoveOutcome, move
from .subjects import visible_subjects
from .verdicts import CriterionResult, TrackResult, Verdict, Wish

if TYPE_CHECKING:  # a page needs no schemas of the API
    from .schemas import MoveIn

MOVES = (fold.MOVED, fold.WON, fold.LOST, fold.CANCELLED, fold.HELD, fold.RESUMED, fold.REOPENED)


def visible_journeys(user: Any) -> QuerySet[Journey]:
    """Journeys of every kind of subject whose subject the person sees."""
    condition = Q(pk__in=[])
    for subject_type, ids in visible_subjects(user).items():
        condition |= Q(subject_type=subject_type, subject_id__in=ids)
    return Journey.objects.current().filter(condition)


def find_journey(user: Any, pk: int) -> Journey:
    """Raises NotFound for a journey whose subject the person does not see."""
    row = Journey.objects.select_related("stage", "process_version__process").filter(pk=pk).first()
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    if row.subject_id not in room.visible_ids(user, [row.subject_id], right=room.view_right):
        raise NotFound
    return row


def situation_of(journey: Journey, at: datetime) -> Situation:
    return situations([journey], at=at)[journey.pk]


# --- a wish ---


def wish_of(situation: Situation, given: "MoveIn") -> Wish:
    """What is asked for. Without `kind` it follows from `to`: the plain next move, a skip, a step back."""
    form = given.form.model_dump(exclude_none=True)
    if "resume_date" in form:
        form["resume_date"] = form["resume_date"].isoformat()
    if "amount" in form:
        form["amount"] = str(form["amount"])
    if form.get("keep_work"):
        form["keep_work"] = "1"
    else:
        form.pop("keep_work", None)
    if "competitor" in form:
        form["competitor"] = clean_text(form["competitor"], field="competitor")
    kind, to = _kind(situation, given.kind, given.to)
    return Wish(
        kind=kind, to=to, reason=clean_text(given.reason, limit=60, field="reason"),
        comment=clean_text(given.comment, limit=5000, multiline=True, field="comment"), form=form,
    )  # fmt: skip


def _kind(situation: Situation, kind: str | None, to: str) -> tuple[Kind, str]:
    definition, here = situation.definition, situation.facts.journey.stage_key
    if to and to not in definition.by_key:
        to = next((stage.key for stage in definition.stages if stage.axis_key == to), to)
    if kind:
        return Kind(kind), to
    if not to:
        plain_next = forward_move(definition, situation.facts)
        return (plain_next.kind, plain_next.to) if plain_next else (Kind.ADVANCE, "")
    if to in definition.by_key and definition.position(to) < definition.position(here):
        return Kind.REGRESS, to
    found = (t.kind for t in definition.stage(here).transitions if t.to == to and t.kind in FORWARD)
    return next(found, Kind.ADVANCE), to


def make_move(journey: Journey, given: "MoveIn", *, by: Any, at: datetime, channel: str) -> dict[str, Any]:
    """The one door of every room. Raises what `move` raises."""
    wish = wish_of(situation_of(journey, at), given)
    try:
        outcome: MoveOutcome = move(journey.pk, wish, by=by, at=at, channel=channel, version=given.version)
    except LostRace as refusal:
        refusal.details |= {"changed": last_move(journey.pk)}
        raise
    assert outcome.verdict is not None
    row = Journey.objects.select_related("stage").get(pk=journey.pk)
    return {
        "journey": journey_out(row), "evaluation_id": outcome.evaluation_id,
        "soft_passed": list(outcome.verdict.soft_passed), "flags": [r.key for r in outcome.verdict.flags],
    }  # fmt: skip


def last_move(journey_id: int) -> dict[str, Any] | None:
    """Who moved it last, from where to where: what somebody who lost the race wants to know."""
    event = Event.objects.of_journeys([journey_id]).filter(type__in=MOVES).order_by("-id").first()
    if event is None:
        return None
    return {
        "type": event.type, "from": event.from_stage, "to": event.to_stage, "by": event.actor_id,
        "at": event.recorded_at.isoformat(),
    }  # fmt: skip


# --- verdicts ---


def checklist_out(journey: Journey, at: datetime, given: "MoveIn | None" = None) -> dict[str, Any]:
    """How the next move stands, or the move that was asked about."""
    situation = situation_of(journey, at)
    definition = situation.definition
    wish = wish_of(situation, given) if given is not None else forward_move(definition, situation.facts)
    found: dict[str, Any] = {
        "journey": journey.pk, "version": journey.version, "soft": situation.facts.journey.soft, "kind": None, "to": "",
        "headline": "", "allowed": False, "needs_right": "", "gaps": [], "objections": [], "criteria": [], "tracks": [],
        "left_behind": flags_out(situation, raised_flags([journey.pk]).get(journey.pk, {})),
    }  # fmt: skip
    if wish is None:
        return found
    verdict = decide(definition, situation.facts, wish)
    return found | {
        "kind": wish.kind, "to": verdict.target, "headline": words.headline(definition, verdict),
        "allowed": verdict.allowed, "needs_right": verdict.needs_right, "gaps": [r.key for r in verdict.gaps],
        "objections": [{"code": o.code, "text": words.objection_text(o)} for o in verdict.objections],
        "criteria": criteria_out(verdict.results, definition), "tracks": tracks_out(verdict.tracks),
    }  # fmt: skip


def flags_out(situation: Situation, raised: Mapping[str, datetime]) -> list[dict[str, Any]]:
    """What was left open behind and still is, with its count of working days."""
    definition, fields = situation.definition, catalogue(situation.definition.subject)
    found = flags_of(definition, situation.facts, situation.calendar, raised)
    names = words.people_in(tuple(f.result for f in found))
    people = dict(User.objects.filter(pk__in=names).values_list("pk", "name")) if names else {}
    wanted = ("key", "name", "stage", "stage_name", "level", "state", "text", "role", "mend", "mend_params")
    rows = [(f, _criterion_out(f.result, definition, fields, people)) for f in found]
    return [
        {name: row[name] for name in wanted} | {"raised_at": f.raised_at, "working_days": f.days}
        for f, row in rows
    ]


def tracks_out(tracks: Sequence[TrackResult]) -> list[dict[str, Any]]:
    return [
        {
            "key": t.key, "role": t.role, "level": t.level, "done": t.done, "total": t.total, "through": t.is_through,
            "missing": list(t.missing),
        }
        for t in tracks
    ]  # fmt: skip


def criteria_out(results: Sequence[CriterionResult], definition: Definition) -> list[dict[str, Any]]:
    fields = catalogue(definition.subject)
    people = dict(User.objects.filter(pk__in=words.people_in(tuple(results))).values_list("pk", "name"))
    return [_criterion_out(result, definition, fields, people) for result in results]


def _criterion_out(
    result: CriterionResult, definition: Definition, fields: Catalogue, people: Mapping[int, str]
) -> dict[str, Any]:
    return {
        "key": result.key, "name": words.item_name(definition, result), "stage": result.stage_key,
        "stage_name": words.stage_name(definition, result.stage_key), "side": result.side, "type": result.type,
        "level": result.level, "state": result.state, "why": result.why,
        "text": words.why_text(result, definition, fields, people), "role": result.role, "mend": result.mend,
        "mend_params": plain(result.mend_params), "evidence": result.evidence, "expires_at": result.expires_at,
        "parts": [_criterion_out(child, definition, fields, people) for child in result.children],
    }  # fmt: skip


def gate_problem(refusal: GateRefused) -> dict[str, Any]:
    """The members of a `gate-refused` problem: every gap at once, with its mend."""
    journey = Journey.objects.select_related("process_version").get(pk=refusal.journey_id)
    definition = definition_of(journey.process_version)
    verdict: Verdict = refusal.verdict
    gaps = criteria_out(verdict.gaps, definition)
    for gap in gaps:
        gap["expires_at"] = gap["expires_at"].isoformat() if gap["expires_at"] else None
        gap["parts"] = plain(gap["parts"])
    return {
        "journey": journey.pk, "version": journey.version, "to": verdict.target,
        "to_name": words.stage_name(definition, verdict.target), "headline": words.headline(definition, verdict),
        "gaps": gaps, "waits_for": [t.role for t in verdict.waits_for], "evaluation_id": refusal.evaluation_id,
    }  # fmt: skip


def legal_moves_out(journey: Journey, at: datetime) -> dict[str, Any]:
    situation = situation_of(journey, at)
    definition = situation.definition
    return {
        "journey": journey.pk, "version": journey.version,
        "moves": [
            {
                "kind": m.kind, "to": m.to, "to_name": words.stage_name(definition, m.to), "needs_right": m.needs_right,
                "reasons": [{"key": r.key, "name": pick(r.name)} for r in definition.lists.get(m.reasons, ())],
            }
            for m in legal_moves(definition, situation.facts)
        ],
    }  # fmt: skip


# --- rows ---


def journey_out(row: Journey) -> dict[str, Any]:
    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "title": row.title,
        "process": row.process_key, "stage": row.stage.key, "stage_name": pick(row.stage.name), "axis": row.stage.axis_key,
        "state": row.state, "outcome": row.outcome, "reason": row.reason_code, "episode": row.episode_no,
        "opened_at": row.opened_at, "entered_at": row.entered_at, "entered_at_known": row.entered_at_known,
        "closed_at": row.closed_at, "resume_date": row.resume_date, "forecast_category": row.forecast_category,
        "category_pinned": row.category_pinned, "probability": row.probability, "owner": row.owner_id,
        "team": row.team_id, "amount": row.base_amount, "close_date": row.close_date, "gate_state": row.gate_state,
        "gate_missing": row.gate_missing, "gate_waived": row.gate_waived, "gate_flags": row.gate_flags,
        "next_step_at": row.next_step_at, "next_step": row.next_step_text, "step_back_advised": row.step_back_advised,
        "fidelity": row.fidelity, "version": row.version,
    }  # fmt: skip


def visits_out(journey: Journey) -> dict[str, Any]:
    return {"items": [_visit_out(v) for v in Visit.objects.filter(journey=journey).in_order()]}


def _visit_out(v: Visit) -> dict[str, Any]:
    return {
        "episode": v.episode_no, "ordinal": v.ordinal, "stage": v.stage_key, "axis": v.axis_key, "visit_no": v.visit_no,
        "entered_at": v.entered_at, "entered_at_known": v.entered_at_known, "left_at": v.left_at, "exit": v.exit_type,
        "outcome": v.outcome, "skipped": v.skipped, "imported": v.imported, "held_seconds": v.held_seconds,
        "amount": v.amount, "close_date": v.close_date, "owner": v.owner_id_then, "team": v.team_id_then,
        "forecast_category": v.forecast_category,
    }  # fmt: skip


def evaluations_out(rows: Iterable[Evaluation], subject_type: str, reader: Any) -> list[dict[str, Any]]:
    readable = {spec.key for spec in catalogue(subject_type).readable_by(reader)}
    return [
        {
            "id": e.pk, "kind": e.kind, "from_stage": e.from_stage, "to_stage": e.to_stage, "allowed": e.allowed,
            "at": e.at, "by": e.by_id, "channel": e.channel, "gaps": e.gaps, "process_version": e.process_version,
            "results": e.results, "objections": e.objections,
            "facts": e.facts | {"fields": {k: v for k, v in e.facts.get("fields", {}).items() if k in readable}},
        }
        for e in rows
    ]  # fmt: skip


def attestation_out(row: Attestation) -> dict[str, Any]:
    return {
        "id": row.pk, "criterion": row.criterion_key, "role": row.role, "statement": row.statement, "by": row.by_id,
        "at": row.at, "withdrawn_at": row.withdrawn_at,
    }  # fmt: skip


def waiver_out(row: Waiver) -> dict[str, Any]:
    return {
        "id": row.pk, "criterion": row.criterion_key, "reason": row.reason_code, "text": row.text,
        "granted_by": row.granted_by_id, "granted_at": row.granted_at, "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }  # fmt: skip
