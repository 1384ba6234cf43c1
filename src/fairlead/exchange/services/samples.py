"""Sample data are loaded and cleared by whoever manages the settings; the work itself is a job (see `tasks`).

The row of `SampleData` is the lock: of two people who press at once one is told no. Every transaction of the job counts
its step in that row, so that a job that was killed goes on behind its last one and nothing comes twice.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F
from django.utils.translation import gettext as _

from fairlead.common.refusals import NotPermitted, Refusal
from fairlead.crm.models import Account, Contact, Opportunity, Segment
from fairlead.exchange.enums import SampleState
from fairlead.exchange.models import SampleData
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation, User
from fairlead.process.services.starting import default_process
from fairlead.work.services.notifications import with_rights

from .working import ClaimLost

RIGHT: Final = "settings.manage"
SUBJECT: Final = "sample_data"
KINDS: Final[dict[str, Any]] = {
    "opportunity": Opportunity,
    "contact": Contact,
    "account": Account,
    "segment": Segment,
}
#: So many of the people who are here get sample records beside whoever loads them.
MOST_OWNERS: Final = 5
#: A job that nobody has heard of for so long may be cleared away.
SILENT: Final = timedelta(minutes=5)


class CannotLoad(Refusal):
    """Not now, or not here: the message says why."""

    code = "sample-data"
    status = 409


def sample_data() -> SampleData:
    """Where the sample data stand; a row that is not stored yet says that there are none."""
    return SampleData.objects.filter(pk=1).select_related("begun_by").first() or SampleData(pk=1)


def _empty_company() -> Any:
    """The organisation, if there is no account, contact or opportunity yet."""
    rows = Organisation.objects.filter(pk=1)
    for model in (Account, Contact, Opportunity):
        rows = rows.exclude(Exists(model.objects.all()))
    return rows


def is_offered(user: Any) -> bool:
    """Whether a page that has nothing to show offers this person to load sample data: one question."""
    if not user.may(RIGHT):
        return False
    here = SampleData.objects.exclude(state=SampleState.NONE)
    rows = _empty_company().exclude(Exists(here)).exclude(Exists(User.objects.filter(is_sample=True)))
    return bool(rows.exists())


def why_not(row: SampleData) -> str:
    """Why nothing can be loaded now, in words; blank where it can."""
    if row.state != SampleState.NONE:
        return _("The sample data are here already, or are being cleared.")
    if User.objects.filter(is_sample=True).exists():
        return _("This is the demo company; it has its own sample data.")
    if not _empty_company().exists():
        return _("Sample data come into an empty company only: there are records here.")
    return ""


def may_clear(row: SampleData, *, at: datetime) -> bool:
    if row.state in (SampleState.LOADED, SampleState.STOPPED):
        return True
    return row.state == SampleState.LOADING and row.alive_at is not None and at - row.alive_at > SILENT


@transaction.atomic
def begin_load(*, by: User, at: datetime, channel: str) -> SampleData:
    """Put the loading before the worker. Raises NotPermitted, CannotLoad, and Invalid where no process is published."""
    row = _locked(by)
    if reason := why_not(row):
        raise CannotLoad(reason)
    row.state, row.number, row.begun_by, row.begun_at, row.alive_at = (
        SampleState.LOADING,
        row.number + 1,
        by,
        at,
        at,
    )
    row.basis = {
        "process": default_process("opportunity"),
        "language": by.language,
        "people": [by.pk, *_owners(but=by)],
    }
    row.made, row.removed, row.kept, row.ended_at = {}, {}, {}, None
    row.steps_done, row.steps_total, row.runner = 0, 0, ""
    _save(row)
    journal("sample_load_started", by_id=by.pk, at=at, channel=channel, data={"number": row.number})
    return row


@transaction.atomic
def begin_clear(*, by: User, at: datetime, channel: str) -> SampleData:
    """Put the clearing before the worker. Raises NotPermitted, CannotLoad."""
    row = _locked(by)
    if not may_clear(row, at=at):
        raise CannotLoad(_("There are no sample data to clear, or they are at work right now."))
    row.state, row.begun_by, row.begun_at, row.alive_at = SampleState.CLEARING, by, at, at
    row.steps_done = row.steps_total = 0
    row.removed, row.kept, row.ended_at, row.runner = {}, {}, None, ""
    _save(row)
    journal("sample_clear_started", by_id=by.pk, at=at, channel=channel, data={"number": row.number})
    return row


def _locked(by: User) -> SampleData:
    if not by.may(RIGHT):
        raise NotPermitted
    SampleData.objects.bulk_create([SampleData(pk=1)], ignore_conflicts=True)
    return SampleData.objects.select_for_update(of=("self",)).get(pk=1)


def _save(row: SampleData) -> None:
    row.version += 1
    row.save()


def _owners(*, but: User) -> list[int]:
    """People who sell: the first of them, in the order in which they came."""
    ids = User.objects.active().exclude(pk=but.pk).order_by("pk").values_list("pk", flat=True)[:200]
    sellers = [u.pk for u in with_rights(list(ids)) if u.team_id and u.may("opportunity.create")]
    return sorted(sellers)[:MOST_OWNERS]


def journal(type_: str, *, by_id: int | None, at: datetime, channel: str, data: dict[str, Any]) -> None:
    record(
        [
            NewEvent(
                type=type_, subject_type=SUBJECT, subject_id=1, actor_id=by_id, effective_at=at, channel=channel,
                data=data,
            )
        ]
    )  # fmt: skip


# --- the job's hold on the row ---


@transaction.atomic
def claim(state: str, *, at: datetime) -> SampleData | None:
    """The row, if it is in `state`; a worker before us loses its claim with its next transaction."""
    row = SampleData.objects.select_for_update(of=("self",)).filter(pk=1, state=state).first()
    if row is None:
        return None
    row.runner, row.alive_at = secrets.token_hex(16), at
    row.save(update_fields=["runner", "alive_at"])
    return row


def one_step(row: SampleData, *, at: datetime, **fields: Any) -> None:
    """Count one transaction of the job, inside it; `fields` are set with it. Raises ClaimLost."""
    fresh = SampleData.objects.filter(pk=1, runner=row.runner, state=row.state, steps_done=row.steps_done)
    if not fresh.update(alive_at=at, steps_done=F("steps_done") + 1, **fields):
        raise ClaimLost
    row.steps_done += 1


def finish(row: SampleData, state: str, *, at: datetime, **fields: Any) -> None:
    """Set the last state, in the caller's transaction. Raises ClaimLost."""
    fresh = SampleData.objects.filter(pk=1, runner=row.runner, state=row.state)
    if not fresh.update(state=state, runner="", alive_at=at, ended_at=at, version=F("version") + 1, **fields):
        raise ClaimLost
