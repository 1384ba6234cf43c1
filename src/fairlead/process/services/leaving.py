"""Running records that are taken out of their process by decision, with a published plan (VR-2 d): the journey ends as
`left`, counted neither won nor lost, what was asked about it is called off, and the record stays to be worked as data.

Within a day the plan's undo lets it run on; later it is given a process again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.journal.services import NewEvent

from .. import fold
from ..definitions import definitions_of
from ..ending_aside import stood
from ..enums import JourneyState, MigrationRowState, RunState
from ..models import Journey, Migration, MigrationRow, PlaybookRun, Visit
from . import gates, ledger
from .assigning import assigned
from .clock_notices import Notice, tell
from .ending import end_what_waits, vetoes_stand_again
from .playbooks import end_with_the_deal, go_on_with
from .starting import NewJourney, default_process, published_keys, start_journeys

_NO_GATE: Final = {
    "gate_state": "", "gate_missing": 0, "gate_waived": 0, "gate_flags": 0, "gate_next_expiry_at": None,
    "step_back_advised": False, "waits_for_id": None,
}  # fmt: skip


def leave(migration: Migration, rows: Sequence[tuple[MigrationRow, Journey]], *, at: datetime) -> None:
    """End these (locked) running journeys, in the caller's transaction; each row says why."""
    if not rows:
        return
    by = migration.confirmed_by
    called_off = _called_off([journey for _row, journey in rows], by=by, at=at)
    held = dict(
        Visit.objects.filter(journey__in=[j.pk for _row, j in rows], left_at=None).values_list(
            "journey_id", "held_seconds"
        )
    )
    events = [
        NewEvent(
            **ledger.event_base(
                journey,
                row.from_version,
                type=fold.LEFT,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                recorded_at=at,
                channel=Channel.SYSTEM,
                from_stage=journey.stage.key,
                comment=row.outlook.get("reason", ""),
                data={
                    "migration": migration.pk,
                    "stood": stood(journey, held.get(journey.pk, 0)),
                    "called_off": called_off[journey.pk],
                },
            )
        )
        for row, journey in rows
    ]

    def settle(journeys: Sequence[Journey], _visits: ledger.Visits) -> Sequence[str]:
        for journey in journeys:
            for name, value in _NO_GATE.items():
                setattr(journey, name, value)
        return list(_NO_GATE)

    stored = ledger.write({j.pk: j for _row, j in rows}, events, settle=settle)
    for (row, _journey), event in zip(rows, stored, strict=True):
        row.state, row.event_id, row.done_at = MigrationRowState.LEFT, event.pk, at
    tell_owners([journey for _row, journey in rows], "process_left", at)


def tell_owners(journeys: Sequence[Journey], code: str, at: datetime) -> None:
    tell(
        [
            Notice(
                recipient_ids=(journey.owner_id,),
                subject_type=journey.subject_type,
                subject_id=journey.subject_id,
                code=code,
                params={},
                at=at,
            )
            for journey in journeys
            if journey.owner_id is not None
        ]
    )


def _called_off(journeys: Sequence[Journey], *, by: Any, at: datetime) -> dict[int, dict[str, list[int]]]:
    """What waited for somebody ends with it, and playbooks with their open tasks. The ids of each by journey."""
    how: dict[str, Any] = {"by": by, "at": at, "channel": Channel.SYSTEM}
    by_id = {j.pk: j for j in journeys}
    found = {pk: defaultdict(list, own) for pk, own in end_what_waits(journeys, **how).items()}
    running = PlaybookRun.objects.filter(journey__in=list(by_id), state=RunState.OPEN)
    for journey_id, run_id in running.order_by("pk").values_list("journey_id", "pk"):
        found[journey_id]["playbook"].append(run_id)
    for pk, own in found.items():
        if "playbook" in own:
            end_with_the_deal(by_id[pk], **how)
    return {pk: dict(own) for pk, own in found.items()}


def come_back(migration: Migration, rows: Sequence[tuple[MigrationRow, Journey]], *, at: datetime) -> None:
    """The undo: they run on as if they had never left, in the caller's transaction. Playbooks give out what is left of
    their tasks, vetoes stand again; an approval or a request to let pass is asked anew by whoever wants it."""
    if not rows:
        return
    told = Event.objects.in_bulk([row.event_id for row, _journey in rows])
    events = [
        NewEvent(
            **ledger.event_base(
                journey,
                row.from_version,
                type=fold.UNLEFT,
                actor_id=migration.undone_by_id,
                effective_at=at,
                recorded_at=at,
                channel=Channel.SYSTEM,
                to_stage=journey.stage.key,
                data={"migration": migration.pk, **told[row.event_id].data["stood"]},
            )
        )
        for row, journey in rows
    ]
    ledger.write({journey.pk: journey for _row, journey in rows}, events)
    vetoes_stand_again(
        [journey for _row, journey in rows], by=migration.undone_by, at=at, channel=Channel.SYSTEM
    )
    gates.refresh_gates([journey for _row, journey in rows if journey.state == JourneyState.OPEN], at=at)
    for row, journey in rows:
        runs = told[row.event_id].data["called_off"].get("playbook", ())
        if runs:
            version = journey.process_version_id
            books = definitions_of({version})[version].playbooks
            go_on_with(journey, runs, books, by=migration.undone_by, at=at, channel=Channel.SYSTEM)
        row.state = MigrationRowState.UNDONE
    tell_owners([journey for _row, journey in rows], "leaving_undone", at)


@transaction.atomic
def give_process(left: Journey, *, process_key: str = "", by: Any, at: datetime, channel: str) -> Journey:
    """Set the record of a (locked) journey that left its process out on one again, at its beginning: the one named, else
    what the rules say, else the default (PD-4). The caller checks the right. Raises Invalid."""
    if left.state != JourneyState.LEFT or left.superseded_at is not None:
        raise Invalid.field("process", _("Only a record that has left its process is given one again."))
    if process_key and process_key not in published_keys(left.subject_type):
        raise Invalid.field("process", _("Choose one of the published processes for this kind of record."))
    event = NewEvent(
        **ledger.event_base(left, 0, type=fold.SUPERSEDED, actor_id=by.pk, effective_at=at, channel=channel)
        | {"process_version": None}
    )
    ledger.write({left.pk: left}, [event])
    return start_journeys(
        [NewJourney(subject_type=left.subject_type, subject_id=left.subject_id, process_key=process_key)],
        by_id=by.pk,
        at=at,
        channel=channel,
    )[0]


def process_by_rule(left: Journey, *, at: datetime) -> str:
    """The process that the rules give its record now, else the default; raises Invalid where none is published."""
    kind = left.subject_type
    by_rule = assigned(kind, [left.subject_id], at=at, published=published_keys(kind))
    return by_rule.get(left.subject_id) or default_process(kind)
