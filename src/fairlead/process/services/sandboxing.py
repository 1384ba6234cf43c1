"""Clicking through a draft: one sandbox a person and draft. Only its own row is written: no journal, no journey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.fields.catalogue import Catalogue, catalogue
from fairlead.fields.values import BadValue, clean, to_json
from fairlead.organisation.calendars import Calendar
from fairlead.organisation.selectors import default_calendar

from .. import playground
from ..answers import find_journey, situation_of
from ..definition import Criterion, Definition
from ..engine import decide, forward_move, legal_moves
from ..enums import Kind, Mode
from ..examining import Examination, examine
from ..facts import Facts
from ..loading import declared_specs
from ..models import ProcessDraft, Sandbox
from ..refusals import SandboxRefused
from ..verdicts import Verdict, Wish
from .drafting import draft_of, read_draft

MOST_DAYS: Final = 1_000  # that the clock is put on at once
BACK: Final = timedelta(days=14)  # when something on hold shall come back


@dataclass(frozen=True, slots=True)
class Scene:
    """A sandbox with all that a page or a machine reads of it. `verdict`: of the plain way ahead; None where there is
    none."""

    row: Sandbox
    definition: Definition
    fields: Catalogue
    calendar: Calendar
    facts: Facts
    verdict: Verdict | None


def fields_for(definition: Definition) -> Catalogue:
    """The catalogue with the fields that the document brings."""
    base = catalogue(definition.subject)
    declared = [spec for spec in declared_specs(definition.fields) if spec.key not in base]
    return Catalogue(definition.subject, [*base, *declared])


def readable(draft: ProcessDraft) -> Definition:
    """The document, if it is without error. Raises SandboxRefused."""
    found: Examination = examine(draft.document)
    if found.errors or found.definition is None or not found.definition.stages:
        raise SandboxRefused(
            _("The draft has %(count)s errors. Correct them first; then it can be clicked through.")
            % {"count": len(found.errors)}
        )
    return found.definition


def sandbox_of(process_key: str, *, by: Any) -> Sandbox | None:
    """For a door that has asked who reads. Raises NotFound where there is no draft."""
    draft = read_draft(process_key)
    return Sandbox.objects.select_related("source").filter(draft=draft, user=by).first()


def scene(row: Sandbox, draft: ProcessDraft, *, by: Any, now: datetime) -> Scene:
    """Raises SandboxRefused where the draft cannot be read any more, or has lost the stage."""
    definition = readable(draft)
    if row.state["stage"] not in definition.by_key:
        raise SandboxRefused(_("The draft has no such stage any more. Begin the sandbox anew."))
    fields, calendar = fields_for(definition), default_calendar()
    real = None
    if row.source is not None:
        try:
            real = situation_of(find_journey(by, row.source_id or 0), now).facts
        except NotFound:
            raise SandboxRefused(
                _("The record it was copied from is out of sight. Begin the sandbox anew.")
            ) from None
    soft = draft.document.get("mode", Mode.SOFT) == Mode.SOFT
    facts = playground.facts_of(definition, row.state, fields, calendar, soft=soft, real=real)
    wish = forward_move(definition, facts)
    verdict = decide(definition, facts, with_forms(definition, facts, wish)) if wish is not None else None
    return Scene(row, definition, fields, calendar, facts, verdict)


def with_forms(definition: Definition, facts: Facts, wish: Wish) -> Wish:
    """What the form of a move asks for is filled in by itself: the sandbox tries gates and ways, not forms."""
    reasons = next(
        (m.reasons for m in legal_moves(definition, facts) if (m.kind, m.to) == (wish.kind, wish.to)), ""
    )
    listed = definition.lists.get(reasons, ()) if reasons else ()
    reason = wish.reason or (listed[0].key if listed else "")
    form: dict[str, Any] = {"resume_date": (facts.today + BACK).isoformat(), "competitor": "—"}
    if not facts.fields.get("amount"):
        form["amount"] = "1"
    return Wish(kind=wish.kind, to=wish.to, reason=reason, comment=wish.comment or "—", form=form)


# --- acts ---


@transaction.atomic
def begin_sandbox(process_key: str, *, by: Any, at: datetime, source: int | None = None) -> Sandbox:
    """Begin, or begin anew: empty at the first stage, or as a copy of a record that `by` sees.

    Raises NotPermitted, NotFound, SandboxRefused.
    """
    draft = draft_of(process_key, by=by)
    definition = readable(draft)
    journey = find_journey(by, source) if source is not None else None
    if journey is not None and journey.subject_type != definition.subject:
        raise NotFound
    situation = situation_of(journey, at) if journey is not None else None
    state = playground.begin(
        definition,
        at=at,
        old=situation.definition if situation else None,
        real=situation.facts if situation else None,
    )
    row, _made = Sandbox.objects.update_or_create(
        draft=draft, user=by, defaults={"source": journey, "state": state, "changed_at": at, "version": 1}
    )
    return row


@transaction.atomic
def end_sandbox(process_key: str, *, by: Any) -> None:
    Sandbox.objects.filter(draft=draft_of(process_key, by=by), user=by).delete()


@transaction.atomic
def play(
    process_key: str, do: str, given: Mapping[str, Any], *, version: int | None, by: Any, at: datetime
) -> tuple[Scene, Verdict | None]:
    """One act in the sandbox: `fields` (`values`), `suppose` and `drop` (`item`), `wait` (`days`), `until` (`at`),
    `move` (`kind`, `to`, `reason`). The scene afterwards, and of a move what the engine said.

    Raises NotPermitted, NotFound, Stale, Invalid, SandboxRefused. A move that is not allowed changes nothing.
    """
    draft = draft_of(process_key, by=by)
    row = (
        Sandbox.objects.select_for_update(of=("self",))
        .select_related("source")
        .filter(draft=draft, user=by)
        .first()
    )
    if row is None:
        raise NotFound
    if version is not None and row.version != version:
        raise Stale
    seen = scene(row, draft, by=by, now=at)
    if do not in _ACTS:
        raise Invalid.field("do", _("Say what is to be done."))
    state, verdict = _ACTS[do](seen, given)
    if state is None:
        return seen, verdict
    row.state, row.changed_at = state, at
    row.version += 1
    row.save(update_fields=["state", "changed_at", "version"])
    return scene(row, draft, by=by, now=at), verdict


Acted = tuple[dict[str, Any] | None, Verdict | None]


def _fields(seen: Scene, given: Mapping[str, Any]) -> Acted:
    values = given.get("values")
    if not isinstance(values, Mapping):
        raise Invalid.field("values", _("A mapping is expected."))
    found, errors = dict(seen.row.state["fields"]), []
    for key, raw in values.items():
        spec = seen.fields.get(str(key))
        if spec is None:
            errors.append({"field": str(key)[:60], "message": _("There is no such field.")})
            continue
        try:
            found[spec.key] = to_json(clean(spec, raw))
        except BadValue as error:
            errors.append({"field": spec.key, "message": str(error)})
    if errors:
        raise Invalid(errors=errors)
    return {**seen.row.state, "fields": found}, None


def _item(seen: Scene, given: Mapping[str, Any]) -> Criterion:
    found = seen.definition.criterion(str(given.get("item", "")))
    if found is None:
        raise Invalid.field("item", _("This process has no such item."))
    return found[2]


def _suppose(seen: Scene, given: Mapping[str, Any]) -> Acted:
    return playground.suppose(seen.definition, seen.row.state, _item(seen, given)), None


def _drop(seen: Scene, given: Mapping[str, Any]) -> Acted:
    return playground.drop(seen.row.state, _item(seen, given)), None


def _wait(seen: Scene, given: Mapping[str, Any]) -> Acted:
    days = given.get("days")
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
        raise Invalid.field("days", _("From 1 to %(most)s working days.") % {"most": MOST_DAYS})
    # Counted as the days in a stage are, from day to day: also in the evening the next one is tomorrow.
    day = seen.calendar.workday_after(timezone.localdate(seen.facts.at), days)
    later = seen.calendar.add_working_days(timezone.make_aware(datetime.combine(day, time.min)), 0)
    return {**seen.row.state, "at": later.isoformat()}, None


def _until(seen: Scene, given: Mapping[str, Any]) -> Acted:
    later = given.get("at")
    if not isinstance(later, datetime) or not seen.facts.at < later <= seen.facts.at + timedelta(
        days=MOST_DAYS * 2
    ):
        raise Invalid.field("at", _("The clock of the sandbox runs ahead only. Choose a later day."))
    return {**seen.row.state, "at": later.isoformat()}, None


def _move(seen: Scene, given: Mapping[str, Any]) -> Acted:
    kind = str(given.get("kind", ""))
    if kind not in Kind.values:
        raise Invalid.field("kind", _("There is no such kind of move."))
    wish = Wish(kind=Kind(kind), to=str(given.get("to", ""))[:60], reason=str(given.get("reason", ""))[:60])
    verdict = decide(seen.definition, seen.facts, with_forms(seen.definition, seen.facts, wish))
    if not verdict.allowed:
        return None, verdict
    return playground.moved(seen.definition, seen.row.state, verdict), verdict


_ACTS: Final = {
    "fields": _fields,
    "suppose": _suppose,
    "drop": _drop,
    "wait": _wait,
    "until": _until,
    "move": _move,
}
