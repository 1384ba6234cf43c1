"""Changing many records by hand: looked at before, done in short transactions, told for each, taken back.

    run = begin(kind, ids, what="tier", raw="T1", by=user, at=now, channel=Channel.UI)
    work_on(run.pk, at=clock, channel=Channel.UI)      # at once, or in a job above `AT_ONCE` records
    undo(run.pk, by=user, at=clock, channel=Channel.UI)

Nothing here passes a right or a gate: each row is asked for anew when its turn comes, on the way there and on
the way back. A row that was changed since is not put back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairlead.common import bulk, turns
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.fields.catalogue import FieldSpec, catalogue
from fairlead.fields.values import to_json
from fairlead.organisation.models import User
from fairlead.process import services as process

from ..enums import ManyRowState, ManyState
from ..models import ManyChange, ManyChangeRow, Opportunity
from . import stepping
from .many import Change, edit_many, give_many
from .records import KINDS
from .standing import COMMERCIAL, frozen_among
from .values import clean_values, error_of, unreachable, value_of

OWNER, NEXT_STAGE = "owner", "next_stage"
AT_ONCE: Final = 500  # above that a job does it
MOST: Final = 20_000
CHUNK: Final = 100
#: What each record has of its own: never the same for many.
OWN_ONLY: Final = frozenset({"name", "uscc", "email", "phone", "mobile", "short_name", "website"})
WHY: Final[Mapping[str, str | Promise]] = {
    "gone": gettext_lazy("No longer here for you"),
    "no-right": gettext_lazy("You may not change this one"),
    "locked": gettext_lazy("Won: its commercial values stand"),
    "frozen": gettext_lazy("Being decided: what was submitted stands still"),
    "own-parent": gettext_lazy("A company does not stand above itself"),
    "stage": gettext_lazy("The gate is not open, or there is no next stage"),
}
Clock = Callable[[], datetime]


@dataclass(slots=True)
class Judged:
    """Who among many may be changed: ids in their order, and why not the others."""

    may: list[int] = field(default_factory=list)
    same: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def settable_fields(kind: str, by: Any) -> list[FieldSpec]:
    """The fields that one may set for many at once."""
    return [spec for spec in catalogue(kind) if spec.writable_by(by) and spec.key not in OWN_ONLY]


def right_for(kind: str, what: str) -> str:
    if what == NEXT_STAGE:
        return "opportunity.move"
    return KINDS[kind].reassign_right if what == OWNER else KINDS[kind].edit_right


def cleaned(kind: str, what: str, raw: Any, *, by: User) -> Any:
    """The value, typed: what each record shall hold. Raises NotFound, NotPermitted, Invalid."""
    if kind not in KINDS or (what == NEXT_STAGE and kind != "opportunity"):
        raise NotFound
    if not by.may(right_for(kind, what)):
        raise NotPermitted(details={"right": right_for(kind, what)})
    if what == NEXT_STAGE:
        return None
    if what == OWNER:
        text = str(raw or "")
        owner = (
            User.objects.active().filter(pk=int(text)).first() if text.isdigit() and len(text) < 16 else None
        )
        if owner is None:
            raise Invalid.field(OWNER, _("Choose a person who signs in here."))
        return owner.pk
    fields = catalogue(kind)
    if what not in {spec.key for spec in settable_fields(kind, by)}:
        raise Invalid.field(what[:60], _("This field is not here to be set."))
    errors: list[dict[str, str]] = []
    values = clean_values(fields, {what: raw}, by=by, errors=errors)
    errors += unreachable([values], fields, by)
    if not errors and fields[what].required and values.get(what) is None:
        errors.append(error_of(fields[what], _("Fill this in.")))
    if errors:
        raise Invalid(errors=errors)
    return values[what]


def judge(kind: str, ids: Sequence[int], *, what: str, value: Any, by: User, rows: Any = None) -> Judged:
    """What would become of each: asked in bulk, for the preview and again for the change itself."""
    model = KINDS[kind].model
    if rows is None:
        rows = _in_bulk(model, ids)
    seen = _among(model.objects.visible_to(by), ids)
    right = right_for(kind, what)
    allowed = _among(model.objects.visible_to(by, right), ids)
    spec = catalogue(kind).get(what) if what not in (OWNER, NEXT_STAGE) else None
    frozen = frozen_among(kind, ids, {what} if spec is not None else ())
    found = Judged()
    for pk in dict.fromkeys(ids):
        row = rows.get(pk)
        if row is None or pk not in seen:
            found.refused[pk] = "gone"
        elif pk not in allowed:
            found.refused[pk] = "no-right"
        elif what == NEXT_STAGE:
            found.may.append(pk)
        elif (row.owner_id if what == OWNER else value_of(row, _known(spec))) == value:
            found.same.append(pk)
        elif kind == "opportunity" and row.commercial_locked and what in COMMERCIAL:
            found.refused[pk] = "locked"
        elif pk in frozen:
            found.refused[pk] = "frozen"
        elif kind == "account" and what == "parent" and value == pk:
            found.refused[pk] = "own-parent"
        else:
            found.may.append(pk)
    return found


@transaction.atomic
def begin(
    kind: str, ids: Iterable[int], *, what: str, raw: Any, by: User, at: datetime, language: str = ""
) -> ManyChange:
    """Take up a change of these records; `work_on` does it. Raises NotFound, NotPermitted, Invalid."""
    value = cleaned(kind, what, raw, by=by)
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Invalid(_("Choose at least one record."))
    if len(wanted) > MOST:
        raise Invalid(_("At most %(n)s records at once. Narrow the list first.") % {"n": f"{MOST:,}"})
    run = ManyChange.objects.create(
        kind=kind, what=what, value=to_json(value), by=by, created_at=at,
        language=(language or translation.get_language() or by.language)[:8],
    )  # fmt: skip
    bulk.insert([ManyChangeRow(change=run, record_id=pk, before=None) for pk in wanted])
    return run


def work_on(run_id: int, *, at: Clock, channel: str) -> None:
    """Change what waits, some records a transaction. Bears a second run: it goes on where the first one ended."""
    run = ManyChange.objects.select_related("by").filter(pk=run_id).first()
    if run is None or run.state not in (ManyState.WAITING, ManyState.RUNNING):
        return
    ManyChange.objects.filter(pk=run.pk).update(state=ManyState.RUNNING)
    pace = turns.pace()
    with translation.override(run.language):
        while True:
            run.by.forget_rights()
            with pace.turn(), transaction.atomic():
                if not _change_some(run, at=at(), channel=channel):
                    break
    ManyChange.objects.filter(pk=run.pk).update(state=ManyState.DONE, finished_at=at())


def _next_rows(run: ManyChange, state: str) -> list[ManyChangeRow]:
    rows = ManyChangeRow.objects.select_for_update(of=("self",)).filter(change=run, state=state)
    return list(rows.order_by("pk")[:CHUNK])


def _change_some(run: ManyChange, *, at: datetime, channel: str) -> int:
    waiting = _next_rows(run, ManyRowState.PENDING)
    if not waiting:
        return 0
    ids = [row.record_id for row in waiting]
    if run.what == NEXT_STAGE:
        _step(run, waiting, at=at, channel=channel)
    else:
        with process.facts_change(run.kind, ids, at=at):
            _set(run, waiting, ids, at=at, channel=channel)
        _rejudge(run, ids, at)
    bulk.update(waiting, ["state", "why", "said", "before", "version"])
    return len(waiting)


def _set(
    run: ManyChange, waiting: Sequence[ManyChangeRow], ids: Sequence[int], *, at: datetime, channel: str
) -> None:
    model = KINDS[run.kind].model
    rows = {row.pk: row for row in model.objects.select_for_update(of=("self",)).filter(pk__in=ids)}
    fields = catalogue(run.kind)
    value = (
        run.value
        if run.what == OWNER
        else clean_values(fields, {run.what: run.value}, by=None, errors=[])[run.what]
    )
    judged = judge(run.kind, ids, what=run.what, value=value, by=run.by, rows=rows)
    before = {
        pk: rows[pk].owner_id if run.what == OWNER else to_json(value_of(rows[pk], fields[run.what]))
        for pk in judged.may
    }
    how: dict[str, Any] = {"at": at, "channel": channel, "data": {"many": run.pk}}
    if run.what == OWNER and judged.may:
        owner = User.objects.select_related("team").get(pk=run.value)
        give_many(run.kind, dict.fromkeys(judged.may, owner), by=run.by, **how)
    elif judged.may:
        edit_many(run.kind, [Change(pk, {run.what: run.value}, run.by) for pk in judged.may], **how)
    for line in waiting:
        pk = line.record_id
        if pk in before:
            line.state, line.before, line.version = ManyRowState.CHANGED, before[pk], rows[pk].version + 1
        elif pk in judged.refused:
            line.state, line.why = ManyRowState.REFUSED, judged.refused[pk]
        else:
            line.state = ManyRowState.SAME


def _step(run: ManyChange, waiting: Sequence[ManyChangeRow], *, at: datetime, channel: str) -> None:
    """The stage changes through its gate alone; each refusal says its gaps."""
    judged = judge(run.kind, [row.record_id for row in waiting], what=NEXT_STAGE, value=None, by=run.by)
    outcomes = stepping.step(judged.may, by=run.by, at=at, channel=channel)
    for line in waiting:
        outcome = outcomes.get(line.record_id)
        if outcome is None or outcome.text:
            line.state = ManyRowState.REFUSED
            line.why = judged.refused.get(line.record_id, "stage")
            line.said = outcome.text[:2000] if outcome else ""
        else:
            line.state = ManyRowState.CHANGED


def may_undo(run: ManyChange) -> bool:
    """A move is taken back one by one, by a move; everything else as a whole."""
    return run.state == ManyState.DONE and run.what != NEXT_STAGE


@transaction.atomic
def begin_undo(run_id: int, *, by: User) -> ManyChange:
    """Raises NotFound, Invalid."""
    run = ManyChange.objects.select_for_update(of=("self",)).filter(pk=run_id, by=by).first()
    if run is None:
        raise NotFound
    if not may_undo(run):
        raise Invalid(_("This cannot be taken back as a whole."))
    run.state = ManyState.UNDOING
    run.save(update_fields=["state"])
    return run


def undo(run_id: int, *, at: Clock, channel: str) -> None:
    """Put back the values of before, where one still may and nobody changed the record since."""
    run = ManyChange.objects.select_related("by").filter(pk=run_id, state=ManyState.UNDOING).first()
    if run is None:
        return
    pace = turns.pace()
    while True:
        run.by.forget_rights()
        with pace.turn(), transaction.atomic():
            if not _undo_some(run, at=at(), channel=channel):
                break
    ManyChange.objects.filter(pk=run.pk).update(state=ManyState.UNDONE, finished_at=at())


def _undo_some(run: ManyChange, *, at: datetime, channel: str) -> int:
    changed = _next_rows(run, ManyRowState.CHANGED)
    if not changed:
        return 0
    ids = [row.record_id for row in changed]
    model = KINDS[run.kind].model
    with process.facts_change(run.kind, ids, at=at):
        rows = {row.pk: row for row in model.objects.select_for_update(of=("self",)).filter(pk__in=ids)}
        allowed = _among(model.objects.visible_to(run.by, right_for(run.kind, run.what)), ids)
        allowed &= _among(model.objects.visible_to(run.by), ids)
        people = _people(run, changed)
        back = []
        for line in changed:
            row = rows.get(line.record_id)
            fits = row is not None and row.version == line.version
            if run.what == OWNER and line.before not in people:
                fits = False  # nobody to give it back to
            if not fits:
                line.state = ManyRowState.KEPT
            elif line.record_id not in allowed or (run.what != OWNER and not _may_set(run)):
                line.state, line.why = ManyRowState.KEPT, "no-right"
            else:
                line.state = ManyRowState.UNDONE
                back.append(line)
        how: dict[str, Any] = {"at": at, "channel": channel, "data": {"many": run.pk, "undo": True}}
        if run.what == OWNER and back:
            give_many(run.kind, {line.record_id: people[line.before] for line in back}, by=run.by, **how)
        elif back:
            edit_many(run.kind, [Change(x.record_id, {run.what: x.before}, run.by) for x in back], **how)
    _rejudge(run, ids, at)
    bulk.update(changed, ["state", "why"])
    return len(changed)


def _may_set(run: ManyChange) -> bool:
    spec = catalogue(run.kind).get(run.what)
    return spec is not None and spec.writable_by(run.by)


def counts(run: ManyChange) -> dict[str, int]:
    """Rows by what became of them."""
    return dict(run.rows.order_by().values_list("state").annotate(n=Count("pk")))


# --- parts ---


def _rejudge(run: ManyChange, ids: Sequence[int], at: datetime) -> None:
    """Gates of deals read the account's tier and industry."""
    if run.kind != "account" or run.what not in ("tier", "industry"):
        return
    deals = list(Opportunity.objects.filter(account__in=ids).values_list("pk", flat=True))
    if deals:
        with process.facts_change("opportunity", deals, at=at):
            pass


def _people(run: ManyChange, lines: Sequence[ManyChangeRow]) -> dict[int | None, User]:
    if run.what != OWNER:
        return {}
    ids = {line.before for line in lines if line.before is not None}
    return dict(User.objects.active().select_related("team").in_bulk(ids))


def _in_bulk(model: Any, ids: Sequence[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for start in range(0, len(ids), 500):
        found.update(model.objects.in_bulk(ids[start : start + 500]))
    return found


def _among(rows: Any, ids: Sequence[int]) -> set[int]:
    found: set[int] = set()
    for start in range(0, len(ids), 500):
        found.update(rows.filter(pk__in=ids[start : start + 500]).values_list("pk", flat=True))
    return found


def _known(spec: FieldSpec | None) -> FieldSpec:
    if spec is None:
        raise NotFound
    return spec
