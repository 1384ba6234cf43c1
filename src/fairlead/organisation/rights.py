"""Who may do what, to whose rows.

`RIGHTS` is the whole truth: role → right → scope. A right that a role does not name is denied. No right skips
a gate silently: an administrator who moves a deal meets the same criteria as anybody, and a waiver needs a reason.
Breaking the glass (`glass.break`) tells the process owners at once and leaves its mark (OV-2).

Scopes: *own* is what a person owns or whose deal team they are on; *team* adds the rows of the team where the
role stands; *branch* adds those of every team below it; *all* is everything. A team or branch scope without a
team reaches nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from fairlead.organisation.enums import KeyScope, Role, Scope

ALL_RIGHTS: Final[tuple[str, ...]] = (
    "opportunity.view", "opportunity.create", "opportunity.edit", "opportunity.move", "opportunity.reassign",
    "account.view", "account.create", "account.edit",
    "contact.view", "contact.create", "contact.edit",
    "segment.view", "segment.edit",
    "contract.view", "contract.edit",
    "comment.add", "views.share",
    "waiver.grant", "regress.confirm", "deal.attest", "deal.reopen", "deal.reopen_won",
    "veto.raise", "veto.overrule",
    "approval.decide", "approval.delegate", "glass.break",
    "process.view", "process.publish",
    "import.run", "import.history",
    "audit.view", "funnel.view", "margin.view",
    "fields.manage", "users.manage", "people.view_as", "settings.manage", "apikeys.own",
)  # fmt: skip

_READER: Final = {"process.view": Scope.ALL, "apikeys.own": Scope.OWN}
# A word on any record that one sees; an auditor reads and leaves no trace on what is audited.
# A decision is asked by name: whoever is not asked decides nothing with this right.
_EVERYBODY: Final = _READER | {"comment.add": Scope.ALL, "approval.decide": Scope.ALL}


def _at(scope: Scope, *rights: str) -> dict[str, Scope]:
    return dict.fromkeys(rights, scope)


_LOOK: Final = (
    "opportunity.view",
    "account.view",
    "contact.view",
    "segment.view",
    "contract.view",
    "funnel.view",
)

_SELL: Final = (
    "opportunity.create", "opportunity.edit", "opportunity.move",
    "account.create", "account.edit", "contact.create", "contact.edit", "contract.edit",
)  # fmt: skip

# Solution and delivery managers work on the deals whose team they are on; the account stays the seller's.
_DEAL_TEAM_MEMBER: Final = (
    _EVERYBODY
    | _at(
        Scope.OWN,
        "opportunity.view",
        "opportunity.edit",
        "opportunity.move",
        "contract.view",
        "deal.attest",
        "veto.raise",
    )
    | _at(
        Scope.OWN,
        "account.view",
        "contact.view",
        "contact.create",
        "contact.edit",
        "funnel.view",
        "margin.view",
    )
    | _at(Scope.ALL, "segment.view")
)

RIGHTS: Final[Mapping[Role, Mapping[str, Scope]]] = MappingProxyType(
    {
        # No deal.attest: an attestation is a judgement of those in the trade.
        Role.ADMIN: MappingProxyType(
            _EVERYBODY
            | _at(Scope.ALL, *_LOOK, *_SELL, "opportunity.reassign", "segment.edit")
            | _at(Scope.ALL, "waiver.grant", "regress.confirm", "deal.reopen", "glass.break")
            | _at(Scope.ALL, "process.publish", "import.run", "import.history", "audit.view", "margin.view")
            | _at(
                Scope.ALL,
                "fields.manage",
                "users.manage",
                "people.view_as",
                "settings.manage",
                "views.share",
                "approval.delegate",
            )
        ),
        Role.PROCESS_OWNER: MappingProxyType(
            _EVERYBODY
            | _at(Scope.ALL, *_LOOK, "waiver.grant", "regress.confirm", "deal.reopen", "segment.edit")
            | _at(Scope.ALL, "process.publish", "fields.manage", "import.run", "import.history")
            | _at(Scope.ALL, "audit.view", "margin.view", "views.share", "approval.delegate")
        ),
        Role.MGR: MappingProxyType(
            _EVERYBODY
            | _at(Scope.BRANCH, *_LOOK, *_SELL, "opportunity.reassign")
            | _at(
                Scope.BRANCH, "waiver.grant", "regress.confirm", "deal.attest", "deal.reopen", "veto.overrule"
            )
            | _at(Scope.BRANCH, "import.run", "audit.view", "margin.view")
            | _at(Scope.ALL, "segment.view", "segment.edit", "views.share")
        ),
        Role.AR: MappingProxyType(
            _EVERYBODY
            | _at(Scope.OWN, *_LOOK, *_SELL, "margin.view", "veto.raise")
            | _at(Scope.TEAM, "account.view", "contact.view")
            | _at(Scope.ALL, "segment.view")
        ),
        Role.SR: MappingProxyType(_DEAL_TEAM_MEMBER),
        Role.FR: MappingProxyType(_DEAL_TEAM_MEMBER | _at(Scope.OWN, "contract.edit")),
        Role.MKT: MappingProxyType(
            _EVERYBODY
            | _at(Scope.ALL, "opportunity.view", "account.view", "contact.view", "funnel.view")
            | _at(Scope.ALL, "segment.view", "segment.edit", "account.create", "contact.create", "import.run")
        ),
        # Reading, a no to terms of one's own field, and one act that finance alone may do: reopening a won deal reverses
        # what was booked.
        Role.FIN: MappingProxyType(
            _EVERYBODY | _at(Scope.ALL, *_LOOK, "margin.view", "deal.reopen_won", "veto.raise")
        ),
        Role.LEG: MappingProxyType(_EVERYBODY | _at(Scope.ALL, *_LOOK, "veto.raise")),
        Role.AUDITOR: MappingProxyType(_READER | _at(Scope.ALL, *_LOOK, "audit.view", "margin.view")),
    }
)

DECIDING: Final = frozenset(
    {
        "approval.decide",
        "waiver.grant",
        "regress.confirm",
        "deal.attest",
        "deal.reopen",
        "deal.reopen_won",
        "veto.raise",
        "veto.overrule",
        "glass.break",
    }
)
_MANAGING: Final = frozenset(
    {
        "process.publish",
        "fields.manage",
        "users.manage",
        "people.view_as",
        "settings.manage",
        "apikeys.own",
        "opportunity.reassign",
        "views.share",
        "approval.delegate",
    }
)
_READING: Final = frozenset(right for right in ALL_RIGHTS if right.endswith(".view"))
_IMPORTING: Final = frozenset({"import.run", "import.history"})

KEY_RIGHTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        KeyScope.READ.value: _READING,
        KeyScope.WRITE.value: frozenset(ALL_RIGHTS) - _READING - DECIDING - _MANAGING - _IMPORTING,
        KeyScope.DECIDE.value: DECIDING,
        KeyScope.IMPORT.value: _IMPORTING,
        # A key never makes keys: whoever steals one must not be able to outlive it.
        KeyScope.MANAGE.value: _MANAGING - {"apikeys.own"},
    }
)

_WIDTH: Final = {Scope.OWN: 0, Scope.TEAM: 1, Scope.BRANCH: 2, Scope.ALL: 3}


def narrower(one: Scope, other: Scope) -> Scope:
    return min(one, other, key=_WIDTH.__getitem__)


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person, with the teams it stands on."""

    role: Role
    team_id: int | None
    branch_ids: frozenset[int]
    limit: Scope = Scope.ALL


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows a right reaches: all, or those of `team_ids`, and with `own` one's own."""

    all: bool = False
    team_ids: frozenset[int] = frozenset()
    own: bool = False

    def __bool__(self) -> bool:
        return self.all or self.own or bool(self.team_ids)


NOWHERE: Final = Reach()


def scope_of(role: Role, right: str) -> Scope | None:
    return RIGHTS[role].get(right)


def reach_of(right: str, grants: Iterable[Grant]) -> Reach:
    """The union of what `grants` give for `right`; an unknown right is a bug, not a denial.

    A team or branch scope brings one's own rows along, but only together with a team: somebody without a team
    reaches nothing through it.
    """
    if right not in ALL_RIGHTS:
        raise KeyError(f"“{right}” is not a right; see organisation.rights.ALL_RIGHTS")
    team_ids: frozenset[int] = frozenset()
    own = False
    for grant in grants:
        scope = scope_of(grant.role, right)
        if scope is None:
            continue
        match narrower(scope, grant.limit):
            case Scope.ALL:
                return Reach(all=True, own=True)
            case Scope.OWN:
                own = True
            case Scope.TEAM if grant.team_id is not None:
                team_ids, own = team_ids | {grant.team_id}, True
            case Scope.BRANCH if grant.team_id is not None:
                team_ids, own = team_ids | grant.branch_ids | {grant.team_id}, True
    return Reach(team_ids=team_ids, own=own)


def key_allows(scopes: Iterable[str], right: str) -> bool:
    return any(right in KEY_RIGHTS.get(scope, frozenset()) for scope in scopes)
