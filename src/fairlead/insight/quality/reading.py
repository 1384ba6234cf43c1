"""Attempts at the gates of a process, read for criterion quality (OV-4): the database unfolds and groups them.

Bounded, for each attempt is a document of its own: the newest `MOST` attempts ahead within a year, of records that the
reader's figures are made of. An item is found again in another version by its key (VR-7). Only the gate that was tried
counts: items of stages passed before are asked again there, but are not its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from fairlead.analytics.criteria import Cell, Passing
from fairlead.process.enums import FORWARD, CriterionState
from fairlead.process.models import Journey

WINDOW: Final = timedelta(days=365)
MOST: Final = 5_000  # newest attempts that are read
#: The states as digits, so that one number carries an attempt and how the item stood: the greatest is the last.
CODES: Final = tuple(state.value for state in CriterionState if state != CriterionState.NA)

_EACH: Final[Mapping[str, str]] = {
    "sqlite": "FROM tried, json_each(tried.results) one",
    "postgresql": "FROM tried CROSS JOIN LATERAL jsonb_array_elements(tried.results) AS one(value)",
}
_PART: Final[Mapping[str, str]] = {
    "sqlite": "json_extract(one.value, '$.{}')",
    "postgresql": "one.value->>'{}'",
}


def attempts(journeys: QuerySet[Journey], at: datetime) -> tuple[str, list[Any]]:
    """The first tables of every question, with what they are asked with: `items` has a row for each item asked."""
    inner, given = journeys.order_by().values("pk").query.sql_with_params()
    part = _PART[connection.vendor].format
    codes = " ".join(f"WHEN '{state}' THEN {code}" for code, state in enumerate(CODES))
    kinds = ", ".join(["%s"] * len(FORWARD))
    sql = f"""
WITH newest AS MATERIALIZED (
  SELECT e.id FROM process_evaluation e
  WHERE e.kind IN ({kinds}) AND e.at > %s AND e.at <= %s AND e.journey_id IN ({inner})
  ORDER BY e.id DESC LIMIT {MOST}
), tried AS MATERIALIZED (
  SELECT e.id, e.journey_id, e.from_stage, e.allowed, e.results
  FROM process_evaluation e WHERE e.id IN (SELECT id FROM newest)
), items AS MATERIALIZED (
  SELECT tried.id, tried.journey_id, tried.from_stage, tried.allowed, {part("key")} AS item,
    CASE {part("state")} {codes} END AS code
  {_EACH[connection.vendor]}
  WHERE {part("state")} <> 'na' AND ({part("stage")} = tried.from_stage OR {part("side")} = 'entry')
), stood AS MATERIALIZED (
  SELECT journey_id, item, MAX(from_stage) AS from_stage, COUNT(*) AS attempts,
    MIN(id * 8 + code) %% 8 AS first_code, MAX(id * 8 + code) %% 8 AS last_code,
    COALESCE(MAX(CASE WHEN allowed THEN id * 8 + code END), -1) AS passed
  FROM items GROUP BY journey_id, item
)"""  # noqa: S608
    return sql, [*sorted(FORWARD), at - WINDOW, at, *given]


def _rows(sql: str, given: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, _plain(given))
        return list(cursor.fetchall())


def _plain(given: Sequence[Any]) -> list[Any]:
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(one) if isinstance(one, datetime) else one for one in given]


def _state(code: int) -> str:
    return "" if code < 0 else CODES[code]


def read(journeys: QuerySet[Journey], *, at: datetime) -> tuple[dict[str, list[Cell]], list[Passing], int]:
    """By key of the item how many records stood alike; each record once for each gate that it went through, as it last
    did; and how many attempts were read. One question, for unfolding the attempts is what takes the time."""
    tables, given = attempts(journeys, at)
    sql = f"""{tables}
SELECT journey_id, item, from_stage, attempts, first_code, last_code, passed, j.outcome, j.team_id, j.base_amount
FROM stood JOIN process_journey j ON j.id = journey_id
UNION ALL SELECT 0, '', '', COUNT(*), 0, 0, 0, '', 0, NULL FROM newest"""  # noqa: S608
    alike: Counter[tuple[str, int, int, int, str, int]] = Counter()
    tries: Counter[tuple[str, int, int, int, str, int]] = Counter()
    last: dict[
        tuple[int, str], tuple[int, bool]
    ] = {}  # record and gate → the attempt that went through, waived
    about: dict[int, tuple[int | None, str]] = {}
    count = 0
    waived = CODES.index(CriterionState.WAIVED)
    rows = _rows(sql, given)
    bands = _bands({row[0]: row[-1] for row in rows})
    for record, item, stage, number, first, latest, passed, outcome, team, _amount in rows:
        if not item:  # the last row: how many were read
            count = number
            continue
        code = passed % 8 if passed >= 0 else -1
        key = (item, first, latest, code, outcome, bands[record])
        alike[key] += 1
        tries[key] += number
        if passed >= 0:
            attempt, gate = passed // 8, (record, stage)
            before, by_waiver = last.get(gate, (-1, False))
            if attempt >= before:
                last[gate] = (attempt, code == waived or (attempt == before and by_waiver))
            about[record] = (team, outcome)
    cells: dict[str, list[Cell]] = defaultdict(list)
    for key, records in alike.items():
        item, first, latest, code, outcome, band = key
        cell = Cell(_state(first), _state(latest), _state(code), outcome, band, records, tries[key])
        cells[item].append(cell)
    passings = [
        Passing(record, stage, *about[record], by_waiver)
        for (record, stage), (_attempt, by_waiver) in last.items()
    ]
    return dict(cells), passings, count


def _bands(amounts: Mapping[int, Any]) -> dict[int, int]:
    """Three bands of as many records each, equal amounts in the same one; 0 for those without an amount."""
    ordered = sorted(float(amount) for amount in amounts.values() if amount is not None)
    edges = [ordered[len(ordered) * third // 3] for third in (1, 2)] if ordered else []
    return {
        record: 0 if amount is None else 1 + bisect_left(edges, float(amount))
        for record, amount in amounts.items()
    }


#: Figures of an item whose rows can be opened → which records those are, of `stood`.
_ENDED = "outcome IN ('won', 'lost', 'no_decision', 'walked_away')"


def _is(column: str, *states: CriterionState) -> str:
    return f"{column.replace('%', '%%')} IN ({', '.join(str(CODES.index(state)) for state in states)})"


_NOT_MET = (CriterionState.UNMET, CriterionState.EXPIRED, CriterionState.WAIVED)
PARTS: Final[Mapping[str, str]] = {
    "asked": "1 = 1",
    "at_once": _is("first_code", CriterionState.MET),
    "through": "passed >= 0",
    "waived": _is("passed % 8", CriterionState.WAIVED),
    "met_ended": f"{_is('last_code', CriterionState.MET)} AND {_ENDED}",
    "unmet_ended": f"{_is('last_code', *_NOT_MET)} AND {_ENDED}",
    "waived_ended": f"{_is('passed % 8', CriterionState.WAIVED)} AND {_ENDED}",
    "clean_ended": f"{_is('passed % 8', CriterionState.MET)} AND {_ENDED}",
}


def records_of(journeys: QuerySet[Journey], item: str, part: str, *, at: datetime) -> list[int]:
    """The journeys behind one figure of an item: as many as it says."""
    tables, given = attempts(journeys, at)
    sql = f"""{tables}
SELECT journey_id FROM stood JOIN process_journey j ON j.id = journey_id WHERE item = %s AND {PARTS[part]} ORDER BY 1 DESC"""  # noqa: S608
    return [row[0] for row in _rows(sql, [*given, item])]
