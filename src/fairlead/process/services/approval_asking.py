"""What a submission would meet, and why it cannot be made: read by the preview and by `approving.submit` alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import pick

from ..approval_enums import Resolver
from ..approval_policy import ApprovalKind, ApprovalPolicy, MatrixRow
from ..approval_words import approver_name, row_name
from ..approver_resolution import Ask, NobodyDecides, Picture, PlannedStep, steps_of
from ..definition import Definition
from ..envelopes import Cover, Coverage, coverage, envelope
from ..facts import Bound, Facts
from ..models import Journey
from ..refusals import ApprovalRefused
from ..selectors.approvals import picture
from ..selectors.gathering import situations


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a submission would meet, without one: who is asked, and why (which row, for which values)."""

    kind: ApprovalKind
    coverage: Coverage
    bounds: tuple[Bound, ...]
    steps: tuple[PlannedStep, ...]
    missing: tuple[str, ...] = ()  # items of the package


def preview(
    journey: Journey,
    *,
    kind_key: str,
    about: str = "",
    by: Any,
    at: datetime,
    package: Mapping[str, Any] | None = None,
    second_reader_id: int | None = None,
    values: Mapping[str, Any] | None = None,
) -> Preview:
    """Whom it would meet with the values of now, or with `values` in their place. Raises Invalid, ApprovalRefused."""
    situation = situations([journey], at=at)[journey.pk]
    kind = kind_of(situation.definition, kind_key)
    facts = situation.facts
    fields = {**facts.fields, **(values or {})}
    found = cover(kind, facts, fields, about, at)
    asked = ask(journey, kind, fields, by=by, second_reader_id=second_reader_id)
    steps: tuple[PlannedStep, ...] = ()
    if found.open_levers:
        rows = [found.asked.lanes[lever] for lever in found.open_levers]
        steps = planned(
            situation.definition, rows, asked, organisation_for(journey, situation.definition, rows, at)
        )
    return Preview(
        kind=kind,
        coverage=found,
        bounds=envelope(kind, fields),
        steps=steps,
        missing=missing(kind, package or {}),
    )


def refuse_open_ends(kind: ApprovalKind, found: Coverage) -> None:
    if found.cover == Cover.PROHIBITED:
        names = _(", ").join(pick(one.name) for one in found.asked.prohibited)
        raise ApprovalRefused(
            _("No tier may approve this: %(what)s. Take it out, or trade it.") % {"what": names},
            code="approval-prohibited",
            details={"prohibited": [one.key for one in found.asked.prohibited]},
        )
    if found.cover == Cover.UNKNOWN:
        raise ApprovalRefused(
            _("Which approval is needed cannot be told: fill in the values first."), code="approval-unknown"
        )
    if found.cover == Cover.COVERED:
        raise ApprovalRefused(
            _("The approval in force covers these values; nothing is to be asked."), code="approval-stands"
        )


def kind_of(definition: Definition, key: str) -> ApprovalKind:
    kind = definition.approvals.kinds.get(key)
    if kind is None:
        raise Invalid.field("kind", _("This process has no such approval."))
    return kind


def cover(kind: ApprovalKind, facts: Facts, fields: Mapping[str, Any], about: str, at: datetime) -> Coverage:
    held = [a for a in facts.approvals if a.about == about and not a.is_pending]
    return coverage(kind, fields, held, at=at)


def ask(
    journey: Journey, kind: ApprovalKind, fields: Mapping[str, Any], *, by: Any, second_reader_id: int | None
) -> Ask:
    amount = fields.get("amount")
    return Ask(
        kind=kind.key,
        submitter_id=by.pk,
        own=frozenset(p for p in (by.pk, journey.owner_id) if p is not None),
        amount=amount if isinstance(amount, Decimal) else None,
        second_reader_id=second_reader_id,
    )


def organisation_for(
    journey: Journey, definition: Definition, rows: Sequence[MatrixRow], at: datetime
) -> Picture:
    return picture(journey, at=at, usernames=usernames_in(definition.approvals, rows))


def usernames_in(policy: ApprovalPolicy, rows: Sequence[MatrixRow]) -> set[str]:
    """The people that rows and committees name."""
    members = [a for row in rows for a in row.approvers]
    members += [a for committee in policy.committees.values() for a in committee.members]
    return {str(a.value) for a in members if a.kind == Resolver.PERSON}


def planned(
    definition: Definition, rows: Sequence[MatrixRow], ask: Ask, seen: Picture
) -> tuple[PlannedStep, ...]:
    planned: list[PlannedStep] = []
    for row in rows:
        try:
            planned.extend(steps_of(definition.approvals, row, ask, seen))
        except NobodyDecides as nobody:
            mend = (
                _("Name a second reader.")
                if nobody.needs_reader
                else _("Ask the process owner to name somebody.")
            )
            raise ApprovalRefused(
                _("Nobody is there to decide “%(row)s” (%(who)s). %(mend)s")
                % {
                    "row": row_name(row),
                    "who": approver_name(nobody.approver, definition),
                    "mend": mend,
                },
                code="approval-nobody",
                details={"row": row.key, "needs_second_reader": nobody.needs_reader},
            ) from nobody
    return tuple(planned)


def missing(kind: ApprovalKind, package: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        item.key
        for item in (*kind.package, *kind.opinions)
        if item.needed and not str(package.get(item.key) or "").strip()
    )
