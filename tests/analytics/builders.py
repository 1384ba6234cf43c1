"""Small histories in one line, and the real pipeline straight from its CSV."""

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

import numpy as np

from fairlead.analytics.tables import (
    EXIT,
    FIDELITY,
    OUTCOME,
    STATE,
    History,
    Journeys,
    Visits,
    codes,
    instants,
)

REAL = Path(__file__).parents[2] / "examples" / "crm-sales-opportunities" / "sales_pipeline.csv"
DAY0 = date(2024, 1, 1)
KEYS = ("a", "b", "c")


@dataclass(frozen=True)
class Case:
    """`path`: "a0 b5 won9" is stage a on day 0, b on day 5, won on day 9. A "?" for the day: undated; a "*"
    after the day: jumped over; "left_process9": taken out of its process. Without an ending the case is open.
    """

    path: str
    amount: float = 100.0
    fidelity: str = "native"
    owner: int = 1
    team: int = 1
    state: str = ""


def on(day: int) -> datetime:
    return datetime(DAY0.year, DAY0.month, DAY0.day, 12, tzinfo=UTC) + timedelta(days=day)


def history(*cases: Case | str, keys: tuple[str, ...] = KEYS, zone: tzinfo = UTC) -> History:
    visits, journeys = [], []
    for number, given in enumerate(cases):
        case = Case(given) if isinstance(given, str) else given
        steps, ending = [], None
        for token in case.path.split():
            word = token.rstrip("0123456789?*")
            when = token[len(word) :].rstrip("*")
            if word in keys:
                steps.append((keys.index(word), when, token.endswith("*")))
            else:
                ending = (word, on(int(when)))
        for place, (axis, when, skipped) in enumerate(steps):
            following = steps[place + 1] if place + 1 < len(steps) else None
            if following:
                later = [on(int(when)) for _, when, _ in steps[place + 1 :] if when != "?"]
                left = later[0] if later else ending[1] if ending else on(9_000)
                jump = following[0] - axis
                leave = "regress" if jump < 0 else "advance" if jump == 1 else "skip_forward"
            else:
                leave, left = (_exit(ending[0]), ending[1]) if ending else ("open", None)
            known = when != "?"
            visits.append(
                (number, axis, on(int(when)) if known else on(9_000), known, left, leave, skipped, case)
            )
        word = ending[0] if ending and ending[0] != "migrated" else "open"
        state = case.state or (
            word
            if word in ("open", "won", "left_process")
            else "lost"
            if word in ("lost", "nodecision", "walked")
            else "cancelled"
        )
        opened = next((on(int(when)) for _, when, _ in steps if when != "?"), None)
        journeys.append(
            (state, _OUTCOME.get(word, word), opened, ending[1] if ending and word != "open" else None, case)
        )
    return History(_visits(visits, keys), _journeys(journeys), zone)


_OUTCOME = {"nodecision": "no_decision", "walked": "walked_away"}


def _exit(word: str) -> str:
    return {"invalid": "cancelled", "duplicate": "cancelled"}.get(word, _OUTCOME.get(word, word))


def _visits(rows: list, keys: tuple[str, ...]) -> Visits:
    return Visits(
        axis_keys=keys,
        journey=np.array([r[0] for r in rows], np.int64),
        episode=np.ones(len(rows)),
        axis=np.array([r[1] for r in rows], np.int16),
        entered=instants(r[2] for r in rows),
        entered_known=np.array([r[3] for r in rows], bool),
        left=instants(r[4] for r in rows),
        exit=codes([r[5] for r in rows], EXIT),
        skipped=np.array([r[6] for r in rows], bool),
        imported=np.zeros(len(rows), bool),
        amount=np.array([r[7].amount for r in rows], float),
        owner=np.array([r[7].owner for r in rows], np.int64),
        team=np.array([r[7].team for r in rows], np.int64),
    )


def _journeys(rows: list) -> Journeys:
    return Journeys(
        journey=np.arange(len(rows)),
        episode=np.ones(len(rows)),
        state=codes([r[0] for r in rows], STATE),
        outcome=codes([r[1] for r in rows], OUTCOME),
        opened=instants(r[2] for r in rows),
        closed=instants(r[3] for r in rows),
        amount=np.array([r[4].amount for r in rows], float),
        owner=np.array([r[4].owner for r in rows], np.int64),
        team=np.array([r[4].team for r in rows], np.int64),
        fidelity=codes([r[4].fidelity for r in rows], FIDELITY),
    )


def real_pipeline(zone: tzinfo = UTC) -> History:
    """The 8,800 opportunities as an import leaves them: dates at local midnight, undated steps left out."""
    with REAL.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    imported = datetime(2026, 1, 5, 9, tzinfo=UTC)

    def at(text: str) -> datetime | None:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), zone) if text else None

    word = {"Prospecting": "open", "Engaging": "open", "Won": "won", "Lost": "lost"}
    ends = [word[row["deal_stage"]] for row in rows]
    amounts = np.array([float(row["close_value"] or "nan") for row in rows])
    number, same = np.arange(len(rows)), np.ones(len(rows))
    engaged, closed = (
        [at(row["engage_date"]) for row in rows],
        instants(at(row["close_date"]) for row in rows),
    )
    visits = Visits(
        axis_keys=("prospecting", "engaging"),
        journey=number,
        episode=same,
        axis=np.array([row["deal_stage"] != "Prospecting" for row in rows]),
        entered=instants(day or imported for day in engaged),
        entered_known=np.array([day is not None for day in engaged]),
        left=closed,
        exit=codes(ends, EXIT),
        skipped=np.zeros(len(rows)),
        imported=same,
        amount=amounts,
        owner=same,
        team=same,
    )
    journeys = Journeys(
        journey=number,
        episode=same,
        state=codes(ends, STATE),
        outcome=codes(ends, OUTCOME),
        opened=instants(engaged),
        closed=closed,
        amount=amounts,
        owner=same,
        team=same,
        fidelity=np.full(len(rows), FIDELITY.index("stage_dates_only")),
    )
    return History(visits, journeys, zone)
