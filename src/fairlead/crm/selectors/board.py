"""The board: columns of one process with their figures, and the cards that are shown.

Everything is asked of the journeys' own columns, which mirror what a card shows; figures are sums of the
database over all that match, never over the cards that happen to be loaded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from fairlead.common.questions import Question
from fairlead.organisation.models import User
from fairlead.organisation.selectors import calendars
from fairlead.process.definitions import definition_of
from fairlead.process.enums import JourneyState, Kind, VersionStatus
from fairlead.process.models import Journey, ProcessVersion, StageRow
from fairlead.process.selectors.clocks import WorstClock, worst_clocks

from ..models import Opportunity
from .visible import own_ones, visible_journeys, visible_parts

MAX_CARDS = 250
ZONE_DAYS = 30
OTHER = "other"  # the column of journeys whose stage has no place on the axis of the published version
SCOPES = ("mine", "team", "all")
NEXT_STATES = ("overdue", "due", "planned", "none")
GATE_STATES = ("ready", "missing", "waived", "flagged", "unknown")
SORTS: Mapping[str, tuple[Any, ...]] = {
    "amount": (F("base_amount").desc(nulls_last=True), "pk"),
    "close": (F("close_date").asc(nulls_last=True), "pk"),
    "days": ("entered_at", "pk"),
    "next": (F("next_step_at").asc(nulls_last=True), "pk"),
}
_CLOSING = {Kind.CLOSE_WON: "won", Kind.CLOSE_LOST: "lost", Kind.HOLD: "hold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """What the address of a board says. `scope`: mine, team, all that I see."""

    process: str = ""
    scope: str = "all"
    owner: int | None = None
    amount: Decimal | None = None
    account: int | None = None
    close_from: date | None = None
    close_to: date | None = None
    next: str = ""
    gate: str = ""
    text: str = ""
    sort: str = "amount"

    @property
    def narrowed(self) -> bool:
        return replace(self, process="", scope="all", sort="amount") != BoardFilter()


@dataclass(frozen=True, slots=True)
class StageShape:
    """What a card needs to know of its stage: where it may go (axis keys, won, lost, hold), and the gate's name."""

    axis: str
    legal: str  # as the card says it, with spaces between
    gate: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Process:
    """A published process for opportunities, with every version that still has journeys."""

    key: str
    name: Mapping[str, str]
    number: int
    version_id: int
    versions: Mapping[int, str]  # id → checksum


@dataclass(slots=True)
class Figures:
    """Sums over all journeys that match. `weighted` by the probability of each; `mix` by state of the next step."""

    count: int = 0
    amount: Decimal = Decimal(0)
    weighted: Decimal = Decimal(0)
    mix: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NEXT_STATES, 0))
    ready: int = 0

    def add(self, other: Figures) -> None:
        self.count += other.count
        self.amount += other.amount
        self.weighted += other.weighted
        self.ready += other.ready
        for state, number in other.mix.items():
            self.mix[state] += number


@dataclass(slots=True)
class CardRow:
    """One card, in plain values."""

    journey: int
    subject: int
    version: int
    title: str
    owner_id: int | None
    amount: Decimal | None
    close_date: date | None
    next_at: datetime | None
    next_kind: str
    next_text: str
    gate_state: str
    gate_missing: int
    gate_waived: int
    gate_flags: int
    days: int | None
    limit: int | None
    legal: str
    account: str = ""
    currency: str = "CNY"
    clock: WorstClock | None = None
    is_sample: bool = False


@dataclass(slots=True)
class Column:
    key: str
    name: Mapping[str, str]
    gate: Mapping[str, str]
    stage_ids: tuple[int, ...]
    figures: Figures = field(default_factory=Figures)
    cards: list[CardRow] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.figures.count - len(self.cards)


@dataclass(slots=True)
class Board:
    process: Process
    filter: BoardFilter
    columns: list[Column]
    total: Figures
    owners: dict[int, User]
    zones: dict[str, int] = field(default_factory=dict)

    def column(self, key: str) -> Column | None:
        return next((c for c in self.columns if c.key == key), None)


_versions: Question[tuple[Any, ...]] = Question(
    lambda: (
        ProcessVersion.objects.filter(process__subject_type="opportunity")
        .exclude(status=VersionStatus.DRAFT)
        .order_by("process__key", "number")
        .values_list("pk", "checksum", "number", "status", "process__key", "process__name")
    )
)
_stage_rows: Question[StageRow] = Question(
    lambda versions: StageRow.objects.filter(version_id__in=versions).order_by("version", "order"),
    lists=("versions",),
)
_owners: Question[User] = Question(
    lambda ids: User.objects.filter(pk__in=ids).only("pk", "name", "name_key", "is_active"), lists=("ids",)
)
_about: Question[tuple[int, str | None, str, bool]] = Question(
    lambda ids: Opportunity.objects.filter(pk__in=ids).values_list(
        "pk", "account__name", "currency", "is_sample"
    ),
    lists=("ids",),
)


def processes() -> list[Process]:
    """The published opportunity processes, by name of their key."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"versions": {}})
    for pk, checksum, number, status, key, name in _versions():
        entry = found[key]
        entry["versions"][pk] = checksum
        if status == VersionStatus.PUBLISHED:
            entry |= {"key": key, "name": name, "number": number, "version_id": pk}
    return [Process(**entry) for entry in found.values() if "key" in entry]


def day_bounds(at: datetime) -> tuple[datetime, datetime]:
    """Where the reader's today begins and ends."""
    today = timezone.localdate(at)
    begin = timezone.make_aware(datetime.combine(today, time.min))
    return begin, timezone.make_aware(datetime.combine(today + timedelta(days=1), time.min))


def next_condition(state: str, at: datetime) -> Q:
    begin, end = day_bounds(at)
    return {
        "overdue": Q(next_step_at__lt=begin),
        "due": Q(next_step_at__gte=begin, next_step_at__lt=end),
        "planned": Q(next_step_at__gte=end),
        "none": Q(next_step_at=None),
    }[state]


GATE_CONDITIONS: Mapping[str, Q] = {
    "ready": Q(gate_state__in=["ready", "waived"]),
    "missing": Q(gate_state="missing"),
    "waived": Q(gate_waived__gt=0),
    "flagged": Q(gate_flags__gt=0),
    "unknown": Q(gate_state="unknown"),
}


def matching(user: Any, f: BoardFilter, at: datetime) -> QuerySet[Journey]:
    """The open journeys that `user` sees and the filter keeps."""
    return _kept(visible_journeys(user, f.process), user, f, at)


def _kept(rows: QuerySet[Journey], user: Any, f: BoardFilter, at: datetime) -> QuerySet[Journey]:
    rows = rows.filter(state=JourneyState.OPEN)
    if f.scope == "mine":
        rows = rows.filter(own_ones(user))
    elif f.scope == "team" and user.team_id:
        rows = rows.filter(team_id__in=user.team.branch_ids or [user.team_id])
    if f.owner is not None:
        rows = rows.filter(owner_id=f.owner)
    if f.amount is not None:
        rows = rows.filter(base_amount__gte=f.amount)
    if f.close_from is not None:
        rows = rows.filter(close_date__gte=f.close_from)
    if f.close_to is not None:
        rows = rows.filter(close_date__lte=f.close_to)
    if f.next:
        rows = rows.filter(next_condition(f.next, at))
    if f.gate:
        rows = rows.filter(GATE_CONDITIONS[f.gate])
    if f.account is not None or f.text:
        deals = Opportunity.objects.all()
        if f.account is not None:
            deals = deals.filter(account_id=f.account)
        if f.text:
            deals = deals.filter(Q(search_key__contains=f.text) | Q(account__search_key__contains=f.text))
        rows = rows.filter(subject_id__in=deals.values("pk"))
    return rows


# --- the shape of a version, kept in memory: published documents never change ---

_shapes: dict[tuple[int, str], dict[str, StageShape]] = {}


def shapes(process: Process) -> dict[int, dict[str, StageShape]]:
    """By version and stage key. One query for versions not met before, none later."""
    missing = [pk for pk, checksum in process.versions.items() if (pk, checksum) not in _shapes]
    for version in ProcessVersion.objects.filter(pk__in=missing) if missing else ():
        definition = definition_of(version)
        axis = {stage.key: stage.axis_key for stage in definition.stages}
        if len(_shapes) > 200:
            _shapes.clear()
        _shapes[version.pk, version.checksum] = {
            stage.key: StageShape(
                axis=stage.axis_key,
                gate=stage.gate_name,
                legal=" ".join(
                    dict.fromkeys(
                        _CLOSING.get(t.kind) or axis[t.to]
                        for t in stage.transitions
                        if t.to or t.kind in _CLOSING
                    )
                ),
            )
            for stage in definition.stages
        }
    return {
        pk: _shapes[pk, checksum] for pk, checksum in process.versions.items() if (pk, checksum) in _shapes
    }


# --- the whole ---


def load_board(
    user: Any,
    process: Process,
    f: BoardFilter,
    *,
    at: datetime,
    only: Iterable[str] | None = None,
    extra: Mapping[str, int] | None = None,
) -> Board:
    """The board. `only`: load the cards of these columns alone; `extra`: a higher limit for a column."""
    stage_rows = _stage_rows(process.versions)
    columns = _columns(process, stage_rows)
    rows = matching(user, f, at)
    owner_ids, stray = _figures(user, f, columns, at)
    if stray:
        columns.append(stray)
    wanted = columns if only is None else [c for c in columns if c.key in set(only)]
    total = Figures()
    for column in columns:
        total.add(column.figures)
    owners = {u.pk: u for u in _owners(owner_ids)}
    by_id = {row.pk: row for row in stage_rows}
    _cards(user, process, rows, wanted, f, by_id, at=at, extra=extra or {})
    return Board(process, f, columns if only is None else wanted, total, owners)


def zone_counts(user: Any, f: BoardFilter, at: datetime) -> dict[str, int]:
    """Won and lost of the last 30 days, and what is on hold now."""
    since = at - timedelta(days=ZONE_DAYS)
    rows = visible_journeys(user, f.process).order_by().values_list("state").annotate(n=Count("*"))
    held = rows.filter(state=JourneyState.ON_HOLD)
    closed = rows.filter(state__in=[JourneyState.WON, JourneyState.LOST], closed_at__gte=since)
    # Two questions in one statement: joined by OR neither could use an index.
    found = dict(held.union(closed, all=True))
    return {"won": found.get("won", 0), "lost": found.get("lost", 0), "hold": found.get("on_hold", 0)}


def more_cards(
    user: Any, process: Process, f: BoardFilter, key: str, *, at: datetime, offset: int
) -> tuple[Board, Column | None]:
    """The next cards of one column."""
    board = load_board(user, process, f, at=at, only=[])
    stage_rows = _stage_rows(process.versions)
    columns = _columns(process, stage_rows)
    column = next((c for c in columns if c.key == key), None)
    if column is None:
        return board, None
    rows = matching(user, f, at)
    _figures(user, f, [column], at)
    by_id = {row.pk: row for row in stage_rows}
    each = max(MAX_CARDS // len(columns), 1)
    _cards(user, process, rows, [column], f, by_id, at=at, extra={key: each}, offset=offset, each=each)
    board.columns = [column]
    return board, column


def _columns(process: Process, stage_rows: Sequence[StageRow]) -> list[Column]:
    """One column for each stage of the published version; older versions join by the axis (VR-4)."""
    by_axis: dict[str, list[int]] = defaultdict(list)
    for row in stage_rows:
        by_axis[row.axis_key].append(row.pk)
    shape = shapes(process)[process.version_id]
    return [
        Column(row.axis_key, row.name, shape[row.key].gate, tuple(by_axis[row.axis_key]))
        for row in stage_rows
        if row.version_id == process.version_id
    ]


def _figures(
    user: Any, f: BoardFilter, columns: Sequence[Column], at: datetime
) -> tuple[set[int], Column | None]:
    """One grouped query for all columns; by team and owner too, in the order of the index that answers it, and
    for the names on cards and in the filter."""
    place = {stage: column for column in columns for stage in column.stage_ids}
    first, *others = [
        _kept(part, user, f, at)
        .order_by()
        .values_list("team_id", "owner_id", "stage_id")
        .annotate(
            n=Count("*"),
            amount=Sum("base_amount"),
            weighted=Sum(F("base_amount") * F("probability")),
            ready=Count("stage_id", filter=GATE_CONDITIONS["ready"]),
            overdue=Count("stage_id", filter=next_condition("overdue", at)),
            due=Count("stage_id", filter=next_condition("due", at)),
            planned=Count("stage_id", filter=next_condition("planned", at)),
        )
        for part in visible_parts(user, f.process)
    ]
    grouped = first.union(*others, all=True) if others else first
    owners: set[int] = set()
    stray: Column | None = None
    for _team_id, owner_id, stage_id, n, amount, weighted, ready, overdue, due, planned in grouped:
        if owner_id is not None:
            owners.add(owner_id)
        column = place.get(stage_id)
        if column is None:
            stray = stray or Column(OTHER, {"zh": "其他阶段", "en": "Other stages"}, {}, ())
            column = stray
            stray.stage_ids = (*stray.stage_ids, stage_id)
        column.figures.add(
            Figures(
                count=n,
                amount=amount or Decimal(0),
                weighted=(weighted or Decimal(0)) / 100,
                ready=ready,
                mix={"overdue": overdue, "due": due, "planned": planned, "none": n - overdue - due - planned},
            )
        )
    return owners, stray


_CARD = (
    "pk",
    "subject_id",
    "version",
    "title",
    "owner_id",
    "base_amount",
    "close_date",
    "next_step_at",
    "next_step_kind",
    "next_step_text",
    "gate_state",
    "gate_missing",
    "gate_waived",
    "gate_flags",
)


def _cards(
    user: Any,
    process: Process,
    rows: QuerySet[Journey],
    columns: Sequence[Column],
    f: BoardFilter,
    stages: Mapping[int, StageRow],
    *,
    at: datetime,
    extra: Mapping[str, int],
    offset: int = 0,
    each: int = 0,
) -> None:
    """Fill the columns with what fits: all at once where all fits, else the first ones of each column."""
    ordered = rows.order_by(*SORTS[f.sort]).values_list(
        *_CARD, "stage_id", "team_id", "entered_at", "entered_at_known"
    )
    shown = [c for c in columns if c.figures.count]
    each = each or max(MAX_CARDS // max(len(columns), 1), 1)
    lists: list[tuple[Column, list[Any]]] = []
    if not offset and not extra and sum(c.figures.count for c in shown) <= MAX_CARDS:
        by_stage: dict[int, list[Any]] = defaultdict(list)
        place = {stage: c for c in columns for stage in c.stage_ids}
        for row in ordered.filter(stage_id__in=place):
            by_stage[id(place[row[len(_CARD)]])].append(row)
        lists = [(c, by_stage[id(c)]) for c in columns]
    else:
        first = Question(lambda stage: ordered.filter(stage_id=stage)[offset : offset + each])
        for c in shown:
            limit = max(extra.get(c.key, 0), each)
            if limit == each and len(c.stage_ids) == 1:
                lists.append((c, first(*c.stage_ids)))
            else:
                lists.append((c, list(ordered.filter(stage_id__in=c.stage_ids)[offset : offset + limit])))
    shape, may = shapes(process), _movable(user)
    book, today = calendars(), timezone.localdate(at)
    everything = [row for _c, found in lists for row in found]
    about = {
        pk: (account or "", currency, is_sample)
        for pk, account, currency, is_sample in _about([row[1] for row in everything])
    }
    clocks = worst_clocks({row[0]: row[4] for row in everything}, at=at, book=book)
    zone = timezone.get_current_timezone()
    starts = [row[-2].astimezone(zone).date().toordinal() for row in everything]
    days = iter(book.days_until(today, starts, [row[4] for row in everything]))
    for column, found in lists:
        for row in found:
            stage = stages[row[len(_CARD)]]
            account, currency, is_sample = about.get(row[1], ("", "CNY", False))
            in_stage = next(days)
            legal = shape[stage.version_id][stage.key].legal if may(row[4], row[len(_CARD) + 1]) else ""
            column.cards.append(
                CardRow(  # type: ignore[call-arg]  # the first values stand in the order of _CARD
                    *row[: len(_CARD)],
                    in_stage if row[-1] else None,
                    stage.limit_red or stage.limit_yellow,
                    legal,
                    account,
                    currency,
                    clocks.get(row[0]),
                    is_sample,
                )
            )


def _movable(user: Any) -> Any:
    """Whether `user` may move a card of this owner and team; the server asks again at the move itself."""
    move, view = user.reach("opportunity.move"), user.reach("opportunity.view")
    if move == view:
        return lambda owner, team: True
    if not move:
        return lambda owner, team: False
    return lambda owner, team: move.all or (move.own and owner == user.pk) or team in move.team_ids
