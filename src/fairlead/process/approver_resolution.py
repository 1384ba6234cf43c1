"""From a row of the matrix to people (AP-1, AP-8, AP-10). Pure: over a plain picture of the organisation.

Nobody decides the own request, not through a deputy either; an absent person gives way to the deputy, then to the
line above, then to the process owner. A seat that nobody can take is said, and never counts as approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from .approval_enums import ApprovalMode, Because, Resolver
from .approval_policy import ApprovalPolicy, Approver, MatrixRow

MAX_LEVELS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """A standing delegation in force: `kinds` empty is all, `cap` None without limit (AP-8)."""

    id: int
    delegate_id: int
    kinds: frozenset[str] = frozenset()
    cap: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Somebody who leads a team and those below it; `depth` is that of the team, 0 at the top."""

    user_id: int
    depth: int
    team_ids: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The organisation as approvals see it. `team_of` holds everybody who may sign in."""

    team_of: Mapping[int, int | None]
    leaders: tuple[Leader, ...] = ()
    holders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # role → active people
    deal: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # role in the deal → people
    deputies: Mapping[int, tuple[Deputy, ...]] = field(default_factory=dict)
    by_username: Mapping[str, int] = field(
        default_factory=dict
    )  # of those whom the matrix names, active or not
    process_owners: tuple[int, ...] = ()
    teams_then: Mapping[int, int | None] = field(default_factory=dict)  # of those who do not sign in any more

    def is_active(self, person: int) -> bool:
        return person in self.team_of

    def levels_above(self, person: int) -> Iterator[tuple[int, ...]]:
        """The active leaders over a person, nearest level first; only those above the level the person leads."""
        team = self.team_of.get(person, self.teams_then.get(person))
        over = [one for one in self.leaders if team is not None and team in one.team_ids]
        own = min((one.depth for one in over if one.user_id == person), default=None)
        for depth in sorted({one.depth for one in over}, reverse=True):
            if own is not None and depth >= own:
                continue
            found = tuple(
                sorted(
                    {
                        one.user_id
                        for one in over
                        if one.depth == depth and one.user_id != person and self.is_active(one.user_id)
                    }
                )
            )
            if found:
                yield found


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a request is about, as far as it matters for whom to ask. `own` are those who may not decide it."""

    kind: str
    submitter_id: int
    own: frozenset[int]
    amount: Decimal | None = None
    second_reader_id: int | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """One person for one seat; several of the same `number` stand in for each other."""

    number: int
    person_id: int
    because: Because = Because.NAMED
    for_id: int | None = None  # whose place it is
    required: bool = False  # beside whatever the mode asks


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    key: str
    lever: str
    row_key: str
    tier: int
    mode: ApprovalMode
    k: int
    seats: tuple[Chosen, ...]
    response_hours: int
    decision_hours: int


class NobodyDecides(Exception):
    """A row of which a seat cannot be filled. `needs_reader`: a second reader would mend it."""

    def __init__(self, row_key: str, approver: Approver, *, needs_reader: bool = False) -> None:
        super().__init__(row_key)
        self.row_key, self.approver, self.needs_reader = row_key, approver, needs_reader


def steps_of(policy: ApprovalPolicy, row: MatrixRow, ask: Ask, picture: Picture) -> tuple[PlannedStep, ...]:
    """The steps of one lane. A sequential row is a step a person, any other one step. Raises NobodyDecides."""
    seats: list[list[Chosen]] = []
    taken: set[int] = set()
    for approver in _members(policy, row.approvers):
        found = _seat(row, approver, ask, picture, len(seats))
        people = {one.person_id for one in found}
        # The set of approvers holds everybody once (AP-1).
        if people <= taken and not any(one.required for one in found):
            continue
        taken |= people
        seats.append(found)
    if row.mode == ApprovalMode.SEQUENTIAL:
        return tuple(
            _step(row, f"{row.lever}.{i + 1}", ApprovalMode.ALL, own, picture) for i, own in enumerate(seats)
        )
    return (_step(row, f"{row.lever}.1", row.mode, [one for own in seats for one in own], picture),)


def _step(
    row: MatrixRow, key: str, mode: ApprovalMode, seats: Sequence[Chosen], picture: Picture
) -> PlannedStep:
    places = len({one.number for one in seats if not one.required})
    return PlannedStep(
        key=key,
        lever=row.lever,
        row_key=row.key,
        tier=row.tier,
        mode=mode,
        k=min(row.k, places) if mode == ApprovalMode.K_OF_N else 0,
        seats=tuple(seats),
        response_hours=row.response_hours,
        decision_hours=row.decision_hours,
    )


def _members(policy: ApprovalPolicy, approvers: Iterable[Approver]) -> Iterator[Approver]:
    for approver in approvers:
        if approver.kind == Resolver.COMMITTEE:
            yield from policy.committees[str(approver.value)].members
        else:
            yield approver


def _seat(row: MatrixRow, approver: Approver, ask: Ask, picture: Picture, number: int) -> list[Chosen]:
    named = _named(approver, ask, picture)
    present = [p for p in named if picture.is_active(p) and p not in ask.own]
    if present:
        found = {one.person_id: one for p in present for one in _with_deputy(p, ask, picture, number)}
        return list(found.values())
    if named:
        return _instead(row, approver, named[0], ask, picture, number)
    above = _first_above(ask.submitter_id, ask, picture)
    if above:
        return [Chosen(number, p, Because.VACANT) for p in above]
    return _last_resort(row, approver, ask, picture, number, Because.VACANT, None)


def _named(approver: Approver, ask: Ask, picture: Picture) -> tuple[int, ...]:
    """Whom the row means, active or not."""
    match approver.kind:
        case Resolver.LINE:
            levels = list(picture.levels_above(ask.submitter_id))[:MAX_LEVELS]
            wanted = int(approver.value)
            if len(levels) >= wanted:
                return levels[wanted - 1]
            # Whoever stands at the top of the own line, or just below it, decides with a second reader.
            return levels[-1] if levels else (ask.submitter_id,)
        case Resolver.DEAL:
            return tuple(sorted(picture.deal.get(str(approver.value), ())))
        case Resolver.ROLE:
            return picture.holders.get(str(approver.value), ())
        case Resolver.PERSON:
            found = picture.by_username.get(str(approver.value))
            return (found,) if found is not None else ()
    return ()


def _with_deputy(person: int, ask: Ask, picture: Picture, number: int) -> list[Chosen]:
    """The person, or the deputy of these days. Above the cap of every deputy it goes to the next person (AC-20)."""
    covering = [
        d
        for d in picture.deputies.get(person, ())
        if (not d.kinds or ask.kind in d.kinds)
        and d.delegate_id not in ask.own
        and picture.is_active(d.delegate_id)
    ]
    for deputy in covering:
        if deputy.cap is None or (ask.amount is not None and ask.amount <= deputy.cap):
            return [Chosen(number, deputy.delegate_id, Because.DEPUTY, person)]
    if covering:
        above = _first_above(person, ask, picture)
        if above:
            return [Chosen(number, p, Because.BEYOND_CAP, person) for p in above]
    return [Chosen(number, person)]


def _instead(
    row: MatrixRow, approver: Approver, person: int, ask: Ask, picture: Picture, number: int
) -> list[Chosen]:
    """For somebody who is absent, or whose own request it is."""
    is_own = person in ask.own
    because = Because.OWN if is_own else Because.ABSENT
    if not is_own:
        chosen = _with_deputy(person, ask, picture, number)
        if chosen[0].because == Because.DEPUTY:
            return chosen
    above = _first_above(person, ask, picture)
    if above:
        return [Chosen(number, p, because, person) for p in above]
    if is_own and person == ask.submitter_id and ask.second_reader_id is not None:
        return [
            Chosen(number, person, Because.TOP),
            Chosen(number + 1000, ask.second_reader_id, Because.SECOND, person, required=True),
        ]
    return _last_resort(row, approver, ask, picture, number, because, person)


def _first_above(person: int, ask: Ask, picture: Picture) -> tuple[int, ...]:
    for level in picture.levels_above(person):
        found = tuple(p for p in level if p not in ask.own)
        if found:
            return found
    return ()


def _last_resort(
    row: MatrixRow,
    approver: Approver,
    ask: Ask,
    picture: Picture,
    number: int,
    because: Because,
    person: int | None,
) -> list[Chosen]:
    found = [p for p in picture.process_owners if picture.is_active(p) and p not in ask.own]
    if not found:
        raise NobodyDecides(row.key, approver, needs_reader=because == Because.OWN)
    return [Chosen(number, p, because, person) for p in found]


def replacement(person: int, ask: Ask, picture: Picture) -> tuple[Chosen, ...]:
    """Who takes the seat of somebody who cannot sign in any more: deputy, line above, process owner (AP-8).

    Empty where nobody is left: the seat stays open, and nothing counts as approved.
    """
    row = MatrixRow(key="", lever="", tier=0, approvers=())
    try:
        return tuple(_instead(row, Approver(Resolver.PERSON, ""), person, ask, picture, 0))
    except NobodyDecides:
        return ()


# --- standing delegations ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A standing delegation as it is stored, `until` included."""

    delegator_id: int
    delegate_id: int
    since: date
    until: date
    kinds: frozenset[str] = frozenset()


def closes_a_circle(wanted: Standing, others: Iterable[Standing]) -> bool:
    """Whether `wanted`, together with others of the same days and kinds, leads back to whoever delegates."""
    along: dict[int, list[Standing]] = {}
    for one in others:
        overlaps = one.since <= wanted.until and wanted.since <= one.until
        shares = not one.kinds or not wanted.kinds or one.kinds & wanted.kinds
        if overlaps and shares:
            along.setdefault(one.delegator_id, []).append(one)
    reached, todo = set(), [wanted.delegate_id]
    while todo:
        person = todo.pop()
        if person == wanted.delegator_id:
            return True
        if person not in reached:
            reached.add(person)
            todo.extend(one.delegate_id for one in along.get(person, ()))
    return False
