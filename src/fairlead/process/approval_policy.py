"""What a process document says about approvals (§2.4): kinds, their levers, and the matrix. Pure, no I/O.

A *kind* (a discount, ATI, a skip) is asked for as a whole. Its *rows* say who decides: every row whose condition
holds fires, the highest tier wins for each lever (AP-1). A prohibited condition is approved by no tier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.conditions import Compiled
from fairlead.fields.conditions import verdict as condition_verdict

from .approval_enums import ApprovalMode, Direction, Resolver

Name = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A value that an approval binds, on which lever, and which way it may move (AP-3)."""

    lever: str
    spec: FieldSpec
    direction: Direction


@dataclass(frozen=True, slots=True)
class Approver:
    """Whom to ask: `value` is a level, a role, a user name or the key of a committee."""

    kind: Resolver
    value: str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    key: str
    name: Name
    members: tuple[Approver, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """`when` None: in any case. Limits are working hours (AP-11)."""

    key: str
    lever: str
    tier: int
    approvers: tuple[Approver, ...]
    name: Name = field(default_factory=dict)
    when: Compiled | None = None
    mode: ApprovalMode = ApprovalMode.SEQUENTIAL
    k: int = 0
    response_hours: int = 8
    decision_hours: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Prohibition:
    """What no tier approves without a trade."""

    key: str
    name: Name
    when: Compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageItem:
    """What a request brings along; a request without a needed one bounces (AP-11)."""

    key: str
    name: Name
    needed: bool = True
    role: str = ""  # a functional opinion: whose it is


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalKind:
    key: str
    name: Name
    rows: tuple[MatrixRow, ...]
    help: Name = field(default_factory=dict)
    binds: tuple[Bind, ...] = ()
    prohibited: tuple[Prohibition, ...] = ()
    package: tuple[PackageItem, ...] = ()
    opinions: tuple[PackageItem, ...] = ()
    valid_days: int | None = None
    carry: bool = True
    lapses_on_regress: bool = False

    @property
    def levers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(row.lever for row in self.rows))

    @property
    def fields(self) -> frozenset[str]:
        """What is frozen while it is being decided (AP-5)."""
        return frozenset(bind.spec.key for bind in self.binds)

    def row(self, key: str) -> MatrixRow | None:
        return next((row for row in self.rows if row.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """`distinct`: a person who stands in consecutive steps decides once (AP-10)."""

    kinds: Mapping[str, ApprovalKind] = field(default_factory=dict)
    committees: Mapping[str, Committee] = field(default_factory=dict)
    distinct: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the matrix asks of some values: the row of the highest tier on each lever, what is forbidden, and whether
    anything could not be told."""

    lanes: Mapping[str, MatrixRow]
    prohibited: tuple[Prohibition, ...] = ()
    is_unknown: bool = False


def asked_of(kind: ApprovalKind, fields: Mapping[str, Any], *, at: datetime) -> Asked:
    """All rows that fire; the highest tier a lever (AP-1). A condition that cannot be told makes the whole unknown."""
    lanes: dict[str, MatrixRow] = {}
    is_unknown = False
    for row in kind.rows:
        fires = True if row.when is None else condition_verdict(row.when, fields, now=at)
        if fires is None:
            is_unknown = True
        elif fires and (row.lever not in lanes or row.tier > lanes[row.lever].tier):
            lanes[row.lever] = row
    prohibited = []
    for one in kind.prohibited:
        holds = condition_verdict(one.when, fields, now=at)
        if holds is None:
            is_unknown = True
        elif holds:
            prohibited.append(one)
    return Asked(lanes=lanes, prohibited=tuple(prohibited), is_unknown=is_unknown)
