"""The section `approvals` of a process document: checked by path (PD-3). See `approval_policy` for what it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.fields.enums import NUMERIC, TEMPORAL, FieldType
from fairlead.organisation.enums import Role

from .approval_enums import ApprovalMode, Direction, Lever, Resolver
from .approval_policy import (
    ApprovalKind,
    ApprovalPolicy,
    Approver,
    Bind,
    Committee,
    MatrixRow,
    PackageItem,
    Prohibition,
)
from .approval_rows import holes, overlap
from .approval_words import row_name
from .definition import Stage
from .document import Reader
from .enums import CriterionType

MAX_TIER: Final = 9
MAX_LEVEL: Final = 9
MAX_HOURS: Final = 2000
MAX_DAYS: Final = 3650
DEAL_ROLES: Final = ("AR", "SR", "FR")
_KEYS = {"kinds", "committees", "distinct"}
_KIND_KEYS = {
    "key", "name", "help", "rows", "binds", "prohibited", "package", "opinions", "valid_days", "carry", "lapses_on_regress",
}  # fmt: skip
_ROW_KEYS = {
    "key", "name", "when", "lever", "tier", "approvers", "mode", "k", "response_hours", "decision_hours",
}  # fmt: skip


def read_approvals(reader: Reader, value: Any) -> ApprovalPolicy:
    """What is wrong is noted in `reader` with its path."""
    given = reader.mapping(value, "approvals", _KEYS)
    committees = _committees(reader, given.get("committees"))
    kinds: dict[str, ApprovalKind] = {}
    for i, item in enumerate(reader.items(given.get("kinds"), "approvals.kinds")):
        named = item.get("key") if isinstance(item, Mapping) else None
        path = f"approvals.kinds.{named if isinstance(named, str) else i}"
        if not reader.is_mapping(item, path):
            continue
        kind = _kind(reader, item, path, committees)
        if kind.key in kinds:
            reader.bad(f"{path}.key", _("This kind of approval stands twice."))
        kinds[kind.key] = kind
    return ApprovalPolicy(
        kinds=kinds,
        committees=committees,
        distinct=reader.flag(given.get("distinct", True), "approvals.distinct"),
    )


def check_uses(reader: Reader, policy: ApprovalPolicy, stages: Sequence[Stage]) -> None:
    """Criteria and transitions ask for kinds that the document has.

    A criterion of a document without any approval waits for one from elsewhere; a move that wants an approval which
    nobody can ask for could never be made.
    """
    for stage in stages:
        for side, criteria in (("entry", stage.entry), ("exit", stage.exit)) if policy.kinds else ():
            for criterion in criteria:
                for one in (criterion, *criterion.children):
                    if one.type == CriterionType.APPROVAL and one.params["approval"] not in policy.kinds:
                        _no_kind(
                            reader, f"stages.{stage.key}.{side}.{one.key}.approval", one.params["approval"]
                        )
        for transition in stage.transitions:
            if transition.approval and transition.approval not in policy.kinds:
                _no_kind(
                    reader, f"stages.{stage.key}.transitions.{transition.kind}.approval", transition.approval
                )


def _no_kind(reader: Reader, path: str, key: Any) -> None:
    reader.bad(path, _("There is no kind of approval “%(key)s”.") % {"key": str(key)[:40]})


def _committees(reader: Reader, value: Any) -> dict[str, Committee]:
    found = {}
    for key, item in reader.mapping(value, "approvals.committees").items():
        path = f"approvals.committees.{str(key)[:60]}"
        name = reader.key(key, path)
        body = reader.mapping(item, path, {"name", "members"})
        members = tuple(
            one
            for i, member in enumerate(reader.items(body.get("members"), f"{path}.members"))
            if (one := _approver(reader, member, f"{path}.members.{i}", None)) is not None
        )
        if not members:
            reader.bad(f"{path}.members", _("A committee has at least one member."))
        found[name] = Committee(key=name, name=reader.name(body.get("name"), f"{path}.name"), members=members)
    return found


def _kind(
    reader: Reader, item: Mapping[str, Any], path: str, committees: Mapping[str, Committee]
) -> ApprovalKind:
    reader.unknown(item, _KIND_KEYS, path)
    binds = _binds(reader, item.get("binds"), f"{path}.binds")
    rows = _rows(reader, item.get("rows"), f"{path}.rows", committees)
    if not rows:
        reader.bad(f"{path}.rows", _("Nobody decides: at least one row is needed."), whole=True)
    decided = {row.lever for row in rows}
    for bind in binds:
        if rows and bind.lever not in decided and Lever.DECISION not in decided:
            said = _("No row decides about the lever “%(lever)s”.") % {"lever": Lever(bind.lever).label}
            reader.bad(f"{path}.rows", said, whole=True)
    for one, other in overlap(rows):
        reader.bad(
            f"{path}.rows.{other.key}.when",
            _("Both this row and “%(row)s” of the same tier can hold at once: which one decides?")
            % {"row": row_name(one)},
            whole=True,
        )
    for row, text in holes(rows, binds):
        said = _("No row decides about %(values)s.") % {"values": text}
        reader.bad(f"{path}.rows.{row.key}.when", said, whole=True)
    return ApprovalKind(
        key=reader.key(item.get("key"), f"{path}.key"),
        name=reader.name(item.get("name"), f"{path}.name"),
        help=reader.name(item.get("help"), f"{path}.help", needed=False),
        rows=rows,
        binds=binds,
        prohibited=_prohibited(reader, item.get("prohibited"), f"{path}.prohibited"),
        package=_package(reader, item.get("package"), f"{path}.package"),
        opinions=_package(reader, item.get("opinions"), f"{path}.opinions", role=True),
        valid_days=reader.optional_number(item.get("valid_days"), f"{path}.valid_days", 1, MAX_DAYS),
        carry=reader.flag(item.get("carry", True), f"{path}.carry"),
        lapses_on_regress=reader.flag(item.get("lapses_on_regress", False), f"{path}.lapses_on_regress"),
    )


def _binds(reader: Reader, value: Any, path: str) -> tuple[Bind, ...]:
    found = []
    for i, item in enumerate(reader.items(value, path)):
        here = f"{path}.{i}"
        if not reader.is_mapping(item, here):
            continue
        reader.unknown(item, {"lever", "field", "direction"}, here)
        lever = _one_of(reader, item.get("lever", Lever.DECISION), f"{here}.lever", Lever.values)
        direction = _one_of(reader, item.get("direction"), f"{here}.direction", Direction.values)
        spec = reader.catalogue.get(str(item.get("field", "")))
        if spec is None:
            reader.bad(
                f"{here}.field",
                _("There is no field “%(field)s”.") % {"field": str(item.get("field", ""))[:40]},
            )
        elif direction in (Direction.AT_MOST, Direction.AT_LEAST) and spec.type not in NUMERIC | TEMPORAL:
            reader.bad(f"{here}.direction", _("Only a number or a date has more and less."))
        elif direction == Direction.SUBSET and spec.type != FieldType.MULTI_CHOICE:
            reader.bad(f"{here}.direction", _("Only several choices can be fewer."))
        elif lever and direction:
            found.append(Bind(lever=lever, spec=spec, direction=Direction(direction)))
    return tuple(found)


def _one_of(reader: Reader, value: Any, path: str, known: Sequence[str]) -> str:
    if value not in known:
        reader.bad(path, _("One of these is expected: %(known)s.") % {"known": ", ".join(known)})
        return ""
    return str(value)


def _rows(
    reader: Reader, value: Any, path: str, committees: Mapping[str, Committee]
) -> tuple[MatrixRow, ...]:
    found: dict[str, MatrixRow] = {}
    for i, item in enumerate(reader.items(value, path)):
        named = item.get("key") if isinstance(item, Mapping) else None
        here = f"{path}.{named if isinstance(named, str) else i}"
        if not reader.is_mapping(item, here):
            continue
        row = _row(reader, item, here, committees)
        if row.key in found:
            reader.bad(f"{here}.key", _("This row stands twice."))
        found[row.key] = row
    return tuple(found.values())


def _row(
    reader: Reader, item: Mapping[str, Any], path: str, committees: Mapping[str, Committee]
) -> MatrixRow:
    reader.unknown(item, _ROW_KEYS, path)
    approvers = tuple(
        one
        for i, approver in enumerate(reader.items(item.get("approvers"), f"{path}.approvers"))
        if (one := _approver(reader, approver, f"{path}.approvers.{i}", committees)) is not None
    )
    if not approvers:
        reader.bad(f"{path}.approvers", _("Say who decides."))
    mode = (
        _one_of(reader, item.get("mode", ApprovalMode.SEQUENTIAL), f"{path}.mode", ApprovalMode.values)
        or ApprovalMode.SEQUENTIAL
    )
    k = 0
    if mode == ApprovalMode.K_OF_N:
        seats = sum(
            len(committees[str(a.value)].members) if a.kind == Resolver.COMMITTEE else 1 for a in approvers
        )
        k = reader.number(item.get("k"), f"{path}.k", 1, max(seats, 1))
    elif item.get("k") is not None:
        reader.bad(f"{path}.k", _("Only k_of_n counts votes."))
    return MatrixRow(
        key=reader.key(item.get("key"), f"{path}.key"),
        name=reader.name(item.get("name"), f"{path}.name", needed=False),
        lever=_one_of(reader, item.get("lever", Lever.DECISION), f"{path}.lever", Lever.values)
        or Lever.DECISION,
        tier=reader.number(item.get("tier", 1), f"{path}.tier", 1, MAX_TIER),
        when=reader.condition(item.get("when"), f"{path}.when"),
        approvers=approvers,
        mode=ApprovalMode(mode),
        k=k,
        response_hours=reader.number(item.get("response_hours", 8), f"{path}.response_hours", 1, MAX_HOURS),
        decision_hours=reader.number(item.get("decision_hours", 24), f"{path}.decision_hours", 1, MAX_HOURS),
    )


def _approver(
    reader: Reader, item: Any, path: str, committees: Mapping[str, Committee] | None
) -> Approver | None:
    """One of `{line: 1}`, `{deal: FR}`, `{role: FIN}`, `{person: wang}`, `{committee: sdt}`; in a committee no other."""
    if not isinstance(item, Mapping) or len(item) != 1 or next(iter(item)) not in Resolver.values:
        reader.bad(path, _("One of these is expected: %(known)s.") % {"known": ", ".join(Resolver.values)})
        return None
    kind, value = Resolver(next(iter(item))), next(iter(item.values()))
    before = len(reader.problems)
    if kind == Resolver.LINE:
        reader.number(value, f"{path}.line", 1, MAX_LEVEL)
    elif kind == Resolver.DEAL:
        reader.keys([value], f"{path}.deal", DEAL_ROLES, _("There is no role “%(key)s”."))
    elif kind == Resolver.ROLE:
        reader.keys([value], f"{path}.role", Role.values, _("There is no role “%(key)s”."))
    elif kind == Resolver.PERSON:
        if not isinstance(value, str) or not value or len(value) > 150:
            reader.bad(f"{path}.person", _("A user name is expected."))
    elif committees is None:
        reader.bad(f"{path}.committee", _("A committee holds no committee."))
    elif value not in committees:
        reader.bad(f"{path}.committee", _("There is no committee “%(key)s”.") % {"key": str(value)[:40]})
    if len(reader.problems) > before:
        return None
    return Approver(kind, value.casefold() if kind == Resolver.PERSON else value)


def _prohibited(reader: Reader, value: Any, path: str) -> tuple[Prohibition, ...]:
    found = []
    for i, item in enumerate(reader.items(value, path)):
        named = item.get("key") if isinstance(item, Mapping) else None
        here = f"{path}.{named if isinstance(named, str) else i}"
        if not reader.is_mapping(item, here):
            continue
        reader.unknown(item, {"key", "name", "when"}, here)
        when = reader.condition(item.get("when"), f"{here}.when")
        if when is None and item.get("when") is None:
            reader.bad(f"{here}.when", _("This is needed."))
        if when is not None:
            found.append(
                Prohibition(
                    key=reader.key(named, f"{here}.key"),
                    name=reader.name(item.get("name"), f"{here}.name"),
                    when=when,
                )
            )
    return tuple(found)


def _package(reader: Reader, value: Any, path: str, *, role: bool = False) -> tuple[PackageItem, ...]:
    found: dict[str, PackageItem] = {}
    known = {"key", "name", "needed"} | ({"role"} if role else set())
    for i, item in enumerate(reader.items(value, path)):
        named = item.get("key") if isinstance(item, Mapping) else None
        here = f"{path}.{named if isinstance(named, str) else i}"
        if not reader.is_mapping(item, here):
            continue
        reader.unknown(item, known, here)
        key = reader.key(named, f"{here}.key")
        if key in found:
            reader.bad(f"{here}.key", _("This item stands twice."))
        found[key] = PackageItem(
            key=key,
            name=reader.name(item.get("name"), f"{here}.name"),
            needed=reader.flag(item.get("needed", True), f"{here}.needed"),
            role=reader.text(item.get("role"), f"{here}.role"),
        )
    return tuple(found.values())
