"""`move_many`, the only door through which a journey changes its stage or state; `move` is a batch of one.

Page, API, importer, worker and agents all call it with another `channel` (GT-2). Facts are gathered before
the write lock; inside it `facts_rev` and `version` are compared, the engine decides, and stage, visits,
evaluation, flags and journal are written in one transaction (GT-4, MV-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent, record

from .. import stages, subjects
from ..engine import decide
from ..models import Evaluation, GateFlag, Journey, OverrideRequest
from ..recording import facts_as_json, objections_as_json, results_as_json
from ..refusals import GateRefused, LostRace, MoveImpossible
from ..selectors.gathering import Situation, after_move, situations
from ..subjects import Moved
from ..verdicts import TrackResult, Verdict, Wish
from ..words import objection_text
from . import gates, ledger, track_noting
from .approval_watch import void_on_regress
from .carrying_over import WithMoves
from .closing import end_work
from .ending import follow_ends
from .move_events import branches_of, event_of
from .norms import norm_of_stage
from .playbooks import follow_moves


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveWish:
    """One wish in a batch. `version`: the journey's version that the person saw; None: whatever it is now.

    `acted_by`: in a batch of the product itself (`by` None) the person in whose name it acts, such as in a
    simulated company. Stored as the mover, and asked for the rights that a move needs beyond that to move.
    """

    journey_id: int
    wish: Wish
    version: int | None = None
    effective_at: datetime | None = None
    batch_id: int | None = None
    on_behalf_of_id: int | None = None
    acted_by: Any = None
    tag: str = ""  # carried by the event, by which such moves are found again
    forced: bool = False  # the glass was broken: see `overrides.force_move`


@dataclass(slots=True)
class MoveOutcome:
    """What became of one wish: exactly one of `verdict` (decided) or `refusal` (not decided) is telling."""

    journey_id: int
    wish: Wish
    allowed: bool = False
    verdict: Verdict | None = None
    refusal: Exception | None = None
    evaluation_id: int | None = None
    event: Event | None = None
    journey: Journey | None = None
    details: dict[str, Any] = field(default_factory=dict)


def move(
    journey_id: int,
    wish: Wish,
    *,
    by: Any,
    at: datetime,
    channel: str,
    version: int | None = None,
    effective_at: datetime | None = None,
    on_behalf_of_id: int | None = None,
    known: Situation | None = None,
) -> MoveOutcome:
    """Move one journey. Raises NotFound, NotPermitted, LostRace, MoveImpossible, GateRefused.

    `known`: what the caller has gathered at `at`, its journey read first; used if nothing changed since.

    GateRefused and MoveImpossible leave exactly one stored attempt and nothing else.
    """
    outcome = move_many(
        [
            MoveWish(
                journey_id=journey_id,
                wish=wish,
                version=version,
                effective_at=effective_at,
                on_behalf_of_id=on_behalf_of_id,
            )
        ],
        by=by,
        at=at,
        channel=channel,
        known={journey_id: known} if known is not None else {},
    )[0]
    if outcome.refusal is not None:
        raise outcome.refusal
    return outcome


def move_many(
    wishes: Sequence[MoveWish],
    *,
    by: Any,
    at: datetime,
    channel: str,
    refresh: bool = True,
    known: Mapping[int, Situation] | None = None,
    gather_locked: bool = False,
) -> list[MoveOutcome]:
    """Judge and carry out many wishes, at most one a journey; one refused wish stops no other (MV-10).

    `by` None is the product itself (a scheduled job): it passes rights, never gates. `refresh=False` leaves the
    gate summaries and clocks of the moved journeys to a later `refresh_gates` and `refold_clocks` (a simulation
    does so once at its end). `gather_locked` reads each journey once, under its lock, instead of gathering facts
    before: for a caller for whose transaction nobody waits.
    """
    if len({w.journey_id for w in wishes}) != len(wishes):
        raise ValueError("one wish a journey")
    if not wishes:
        return []
    known = known or {}
    ids = [w.journey_id for w in wishes]
    before = dict(known)
    if not gather_locked:
        before |= _gathered([pk for pk in ids if pk not in known], at)
    seen = {pk: situation.journey.facts_rev for pk, situation in before.items()}
    outcomes = {w.journey_id: MoveOutcome(w.journey_id, w.wish) for w in wishes}
    with transaction.atomic():
        locked = ledger.lock(ids)
        current = _still_true(locked, before, seen, at)
        reach = _reachable(list(locked.values()), by)
        batch = _Batch(by=by, at=at, channel=channel)
        for w in wishes:
            outcome, row = outcomes[w.journey_id], locked.get(w.journey_id)
            if row is None or w.journey_id not in current or w.journey_id not in reach["view"]:
                outcome.refusal = NotFound()
            elif w.version is not None and w.version != row.version:
                outcome.refusal = LostRace(
                    details={"version": row.version, "stage": row.stage.key, "state": row.state}
                )
            else:
                batch.judge(w, outcome, row, current[w.journey_id], may_move=w.journey_id in reach["move"])
        batch.write(locked, refresh=refresh)
    return [outcomes[w.journey_id] for w in wishes]


def _gathered(journey_ids: Sequence[int], at: datetime) -> dict[int, Situation]:
    rows = Journey.objects.in_bulk(journey_ids)
    stages.attach(rows.values())
    return situations(list(rows.values()), at=at)


def _still_true(
    locked: Mapping[int, Journey], before: Mapping[int, Situation], seen: Mapping[int, int], at: datetime
) -> dict[int, Situation]:
    """The facts gathered outside the lock, and anew those of journeys that changed while we gathered."""
    current = {pk: s for pk, s in before.items() if pk in locked}
    changed = [
        row
        for pk, row in locked.items()
        if pk not in before or row.facts_rev != seen[pk] or row.version != before[pk].journey.version
    ]
    current.update(situations(changed, at=at))
    return current


def _reachable(rows: Sequence[Journey], by: Any) -> dict[str, set[int]]:
    """Journeys that the mover may see, move, and move with a further right: one bulk question a right."""
    if by is None:
        every = {r.pk for r in rows}
        return {"view": every, "move": every}
    found: dict[str, set[int]] = {"view": set(), "move": set()}
    for subject_type in {r.subject_type for r in rows}:
        room = subjects.room_of(subject_type)
        own = [r for r in rows if r.subject_type == subject_type]
        for name, right in (("view", room.view_right), ("move", room.move_right)):
            if name == "move" and by.reach(room.move_right) == by.reach(room.view_right):
                found["move"] |= found["view"] & {r.pk for r in own}
                continue
            ids = room.visible_ids(by, [r.subject_id for r in own], right=right)
            found[name] |= {r.pk for r in own if r.subject_id in ids}
    return found


class _Batch:
    """Collects what a batch of decided wishes writes, then writes it in a fixed number of statements."""

    def __init__(self, *, by: Any, at: datetime, channel: str) -> None:
        self.by, self.at, self.channel = by, at, channel
        self.decided: list[tuple[MoveWish, MoveOutcome, Journey, Situation]] = []
        self.permits: dict[int, int] = {}

    def judge(
        self, wish: MoveWish, outcome: MoveOutcome, row: Journey, situation: Situation, *, may_move: bool
    ) -> None:
        verdict = decide(situation.definition, situation.facts, wish.wish)
        if wish.forced:
            verdict = _forced(verdict)
        outcome.verdict, outcome.journey = verdict, row
        # A move with a right of its own asks that one alone: finance reopens a won deal without selling any.
        if not verdict.needs_right and not may_move:
            outcome.refusal = NotPermitted()
            return
        is_free = not verdict.needs_right or self._may(self._mover(wish), row, verdict.needs_right)
        if not is_free and may_move and verdict.allowed:
            is_free = self._permit(wish, row, verdict)
        if not is_free:
            outcome.refusal = NotPermitted(
                _("This move needs a person with the right “%(right)s” over this record.")
                % {"right": verdict.needs_right},
                details={"needs_right": verdict.needs_right},
            )
            return
        outcome.allowed = verdict.allowed
        self.decided.append((wish, outcome, row, situation))

    def _mover(self, wish: MoveWish) -> Any:
        return wish.acted_by if self.by is None else self.by

    def _may(self, mover: Any, row: Journey, right: str) -> bool:
        """Far back and reopening won deals are confirmed by somebody other than the owner (MV-3, OV-5)."""
        if mover is None:
            return False
        if right in ("regress.confirm", "deal.reopen_won") and row.owner_id == mover.pk:
            return False
        if right == "deal.reopen" and row.owner_id == mover.pk:
            return True
        room = subjects.room_of(row.subject_type)
        return bool(room.visible_ids(mover, [row.subject_id], right=right))

    def _permit(self, wish: MoveWish, row: Journey, verdict: Verdict) -> bool:
        """Whether somebody above let this person make this move; it is used up by it (OV-1)."""
        permits = OverrideRequest.objects.select_for_update(of=("self",)).permits(self.at)
        found = permits.filter(
            journey=row.pk,
            requested_by=self._mover(wish),
            move_kind=verdict.wish.kind,
            to_stage=verdict.target,
        ).first()
        if found is not None:
            found.used_at = self.at
            found.version += 1
            found.save(update_fields=["used_at", "version"])
            self.permits[row.pk] = found.pk
        return found is not None

    def write(self, locked: Mapping[int, Journey], *, refresh: bool) -> None:
        evaluations = bulk.insert([self._evaluation(*d) for d in self.decided])
        events: list[NewEvent] = []
        moved: list[tuple[MoveOutcome, Journey, Situation]] = []
        joining = WithMoves(at=self.at, channel=self.channel)
        for (wish, outcome, row, situation), evaluation in zip(self.decided, evaluations, strict=True):
            outcome.evaluation_id = evaluation.pk
            verdict = outcome.verdict
            assert verdict is not None
            if verdict.allowed:
                events.append(self._event(wish, row, situation, verdict, evaluation.pk))
                moved.append((outcome, row, situation))
                joining.join(row, situation, verdict, actor_id=self._actor(wish))
            else:
                outcome.refusal = _refusal(verdict, row, evaluation.pk)
        attempts = self._attempts()
        flags, raised = self._flags(moved)
        cleared: list[GateFlag] = []
        tracks: dict[int, Sequence[TrackResult]] = {}

        def settle(_rows: Sequence[Journey], _visits: ledger.Visits) -> Sequence[str]:
            known = {
                row.pk: joining.after(after_move(s, row, o.verdict), row)
                for o, row, s in moved
                if o.verdict is not None
            }
            rows = [row for _o, row, _s in moved]
            cleared.extend(gates.judge(rows, at=self.at, known=known, flags=flags, tracks=tracks))
            return gates.COLUMNS

        stored = ledger.write(
            locked,
            [*events, *joining.events],
            calendars=moved[0][2].calendars if moved else None,
            clocks=refresh,
            visits={row.pk: situation.visits for _o, row, situation in moved},
            settle=settle if refresh else None,
        )
        record(attempts)
        for (outcome, _row, _situation), event in zip(moved, stored[: len(moved)], strict=True):
            outcome.event = event
        track_noting.note([row for _o, row, _s in moved], tracks, at=self.at)
        joining.settle(stored, locked)
        bulk.update([flag for flag in cleared if flag.pk is not None], ["cleared_at"])
        bulk.insert(raised)
        self._follow_up(moved, refresh=refresh)

    def _evaluation(
        self, wish: MoveWish, outcome: MoveOutcome, row: Journey, situation: Situation
    ) -> Evaluation:
        verdict = outcome.verdict
        assert verdict is not None
        return bulk.new(
            Evaluation,
            journey_id=row.pk,
            kind=verdict.wish.kind,
            from_stage=situation.facts.journey.stage_key,
            to_stage=verdict.target,
            allowed=verdict.allowed,
            at=self.at,
            by_id=self._actor(wish),
            channel=self.channel,
            gaps=len(verdict.gaps),
            process_version=situation.definition.version,
            results=results_as_json(verdict.results),
            objections=objections_as_json(verdict.objections),
            facts=facts_as_json(situation.facts),
        )

    def _attempts(self) -> list[NewEvent]:
        """A refused attempt is an event too, and the only one (EV-1)."""
        return [
            NewEvent(
                **ledger.event_base(
                    row,
                    situation.definition.version,
                    type="move_refused",
                    actor_id=self._actor(wish),
                    on_behalf_of_id=wish.on_behalf_of_id,
                    effective_at=self.at,
                    channel=self.channel,
                    reason_code=wish.wish.reason[:60],
                    from_stage=row.stage.key,
                    to_stage=outcome.verdict.target,
                    evaluation_id=outcome.evaluation_id,
                    batch_id=wish.batch_id,
                    data={
                        "kind": wish.wish.kind,
                        "gaps": [g.key for g in outcome.verdict.gaps],
                        "objections": [o.code for o in outcome.verdict.objections],
                        **branches_of(outcome.verdict),
                    },
                )
            )
            for wish, outcome, row, situation in self.decided
            if outcome.verdict is not None and not outcome.verdict.allowed
        ]

    def _actor(self, wish: MoveWish) -> int | None:
        mover = self._mover(wish)
        return mover.pk if mover is not None else None

    def _event(
        self, wish: MoveWish, row: Journey, situation: Situation, verdict: Verdict, evaluation_id: int
    ) -> NewEvent:
        definition = situation.definition
        type_, data = event_of(definition, verdict)
        if "axis" in data and definition.clocks.needs_norm(verdict.target):
            data["norm"] = norm_of_stage(definition, verdict.target, situation.calendars.default)
        if verdict.soft_passed:
            data["soft_passed"] = list(verdict.soft_passed)
        if wish.tag:
            data["tag"] = wish.tag
        if wish.forced:
            data["forced"] = list(verdict.soft_passed)
        if row.pk in self.permits:
            data["permit"] = self.permits[row.pk]
        return NewEvent(
            **ledger.event_base(
                row,
                definition.version,
                type=type_,
                actor_id=self._actor(wish),
                on_behalf_of_id=wish.on_behalf_of_id,
                effective_at=wish.effective_at or self.at,
                recorded_at=self.at,
                channel=self.channel,
                reason_code=verdict.wish.reason[:60],
                from_stage=row.stage.key,
                to_stage=verdict.target,
                evaluation_id=evaluation_id,
                batch_id=wish.batch_id,
                data=data,
                comment=verdict.wish.comment,
                payload={"form": dict(verdict.wish.form)} if verdict.wish.form else {},
            )
        )

    def _flags(
        self, moved: list[tuple[MoveOutcome, Journey, Situation]]
    ) -> tuple[dict[int, list[GateFlag]], list[GateFlag]]:
        """Suggested items left open behind a move, and required ones that soft mode let pass, become flags.

        The standing flags of each journey, the raised ones among them; and the raised ones, not stored yet.
        """
        standing = gates.standing_flags([row.pk for _o, row, _s in moved])
        raised = []
        for outcome, row, _situation in moved:
            assert outcome.verdict is not None
            there = {flag.criterion_key for flag in standing[row.pk]}
            for result in outcome.verdict.results:
                is_open = result.open_flag or result.key in outcome.verdict.soft_passed
                if not is_open or result.key in there:
                    continue
                there.add(result.key)
                flag = GateFlag(
                    journey_id=row.pk,
                    criterion_key=result.key,
                    stage_key=result.stage_key,
                    level=result.level,
                    raised_at=self.at,
                )
                standing[row.pk].append(flag)
                raised.append(flag)
        return standing, raised

    def _follow_up(self, moved: list[tuple[MoveOutcome, Journey, Situation]], *, refresh: bool) -> None:
        void_on_regress([(o.verdict, row, s) for o, row, s in moved if o.verdict is not None], at=self.at)
        by_type: dict[str, list[Moved]] = {}
        for outcome, row, _situation in moved:
            assert outcome.verdict is not None
            by_type.setdefault(row.subject_type, []).append(
                Moved(row, outcome.verdict, self.at, self.by, self.channel, refresh)
            )
        for subject_type, moves in by_type.items():
            subjects.room_of(subject_type).after_moves(moves)
            follow_moves(moves)
            end_work(moves)
            follow_ends(moves)


def _forced(verdict: Verdict) -> Verdict:
    """The same move, its gaps passed as flags and no right asked; what the process does not know stays impossible."""
    if verdict.objections:
        return verdict
    return replace(verdict, allowed=True, needs_right="", soft_passed=tuple(r.key for r in verdict.gaps))


def _refusal(verdict: Verdict, row: Journey, evaluation_id: int) -> Exception:
    if verdict.objections:
        texts = [(o.asked_field, objection_text(o)) for o in verdict.objections]
        details: dict[str, Any] = {
            "objections": objections_as_json(verdict.objections),
            "evaluation_id": evaluation_id,
        }
        if fields := [{"field": name, "message": text} for name, text in texts if name]:
            details["errors"] = fields
        return MoveImpossible(" ".join(text for _name, text in texts), details=details)
    return GateRefused(
        verdict,
        journey_id=row.pk,
        evaluation_id=evaluation_id,
        details={
            "to": verdict.target,
            "gaps": [g.key for g in verdict.gaps],
            "waits_for": [t.role for t in verdict.waits_for],
            "evaluation_id": evaluation_id,
            "results": results_as_json(verdict.results),
        },
    )
