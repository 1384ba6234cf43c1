"""The product's own figures over a demo company: does each planted truth show itself?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from fairlead.analytics.days import Window
from fairlead.analytics.duration import lateness, stage_by_period
from fairlead.analytics.funnel import period_exit_yield
from fairlead.analytics.intervals import Difference
from fairlead.analytics.outcomes import CRITERION, compare_groups, criterion_lift, loss_reason_chart
from fairlead.analytics.tables import EVERYTHING, instants
from fairlead.exchange.demo import truths
from fairlead.exchange.demo.company import Company
from fairlead.insight import history
from fairlead.journal.models import Event
from fairlead.organisation.models import Team, User
from fairlead.process import fold
from fairlead.process.enums import CriterionType
from fairlead.process.models import Evaluation

UNTIL = date(2025, 12, 10)
CAN_EXPIRE = {CriterionType.ACTIVITY, CriterionType.DOCUMENT, CriterionType.ATTESTATION}
KINDS = set(CriterionType) - {CriterionType.GROUP}
PROCESS = "key_account_opportunity"
WRITTEN_DOWN = ("activity_done", *sorted(fold.JOURNEY_EVENTS - {fold.MIRRORED, fold.SUPERSEDED}))
_CODE = {"na": "not_applicable", "unknown": "unmet"}


def build(*, seed: int = 42, scale: float, until: date = UNTIL) -> Company:
    company = Company(seed=seed, until=until, scale=scale, report=lambda stage, done, total: None)
    company.build()
    return company


def states_by_kind() -> Counter[tuple[str, str]]:
    """How often criteria of each kind stood in each state at gates, parts of groups included."""
    found: Counter[tuple[str, str]] = Counter()

    def count(results: list[dict[str, Any]]) -> None:
        for result in results:
            found[result["type"], result["state"]] += 1
            count(result.get("children", []))

    for results in Evaluation.objects.values_list("results", flat=True).iterator():
        count(results)
    return found


@dataclass(frozen=True)
class Found:
    """Which truths the figures show, and the interval of the criterion that matters for nothing."""

    bottleneck: bool
    weak_branch: bool
    price_shock: bool
    decisive: bool
    late_sellers: bool
    idle: Difference

    @property
    def all(self) -> bool:
        return (
            self.bottleneck and self.weak_branch and self.price_shock and self.decisive and self.late_sellers
        )


def look(until: date) -> Found:
    dates, loaded = truths.Dates(until), history.load(PROCESS)
    as_of = datetime(until.year, until.month, until.day, tzinfo=UTC)
    return Found(
        bottleneck=bottleneck(loaded, dates, as_of),
        weak_branch=weak_branch(loaded, dates, as_of),
        price_shock=price_shock(loaded, dates, as_of),
        decisive=above_zero(lift(loaded, truths.DECISIVE_CRITERION, as_of)),
        late_sellers=late_sellers(),
        idle=lift(loaded, truths.IDLE_CRITERION, as_of),
    )


def bottleneck(loaded: Any, dates: truths.Dates, as_of: datetime) -> bool:
    """The stage, and no other one, has become slower in the second year: its median and the log-rank test."""
    slower = set()
    periods = [Window(dates.start, dates.bottleneck_from), Window(dates.bottleneck_from, dates.until)]
    for stage in loaded.axis_keys[:4]:
        first, second = stage_by_period(loaded.history, stage, scope=EVERYTHING, as_of=as_of, periods=periods)
        medians = first.curve.median.value, second.curve.median.value
        if second.signal and None not in medians and medians[1] > 1.4 * medians[0]:
            slower.add(stage)
    return slower == {truths.BOTTLENECK_STAGE}


def weak_branch(loaded: Any, dates: truths.Dates, as_of: datetime) -> bool:
    """One branch stands out below the others until it is trained, and no longer afterwards."""
    before = _branch_rows(loaded, Window(dates.start, dates.trained_on), as_of)
    after = _branch_rows(loaded, Window(dates.trained_on + timedelta(days=60), dates.until), as_of)
    low = {row.group for row in before if row.signal and row.versus_rest.value < 0}
    still = {row.group for row in after if row.signal and row.versus_rest.value < 0}
    return low == {truths.WEAK_BRANCH} and truths.WEAK_BRANCH not in still


def _branch_rows(loaded: Any, period: Window, as_of: datetime) -> tuple[Any, ...]:
    rates = {}
    for key, name in (("east", "华东"), ("south", "华南"), ("north", "华北"), ("west", "西部")):
        teams = Team.objects.get(name=f"{name}分公司").branch_ids
        scope = np.isin(loaded.history.journeys.team, teams)
        table = period_exit_yield(loaded.history, scope=scope, as_of=as_of, period=period)
        rates[key] = next(row.count for row in table.rows if row.stage == truths.WEAK_STAGE)
    return compare_groups(rates)


def price_shock(loaded: Any, dates: truths.Dates, as_of: datetime) -> bool:
    """The month of the shock lies outside the limits of the year before it, and far above all its months."""
    months = [_month_before(dates.shock_month, back) for back in range(12, -1, -1)]
    periods = [Window(first, _month_before(first, -1)) for first in months]
    chart = loss_reason_chart(
        loaded.history,
        scope=EVERYTHING,
        as_of=as_of,
        reason=loaded.reason,
        code=loaded.reasons.index(truths.SHOCK_REASON),
        periods=periods,
        baseline=list(range(12)),
    )
    *before, month = chart.points
    return month.signal == "outside" and all(month.value > 1.5 * (point.value or 0) for point in before)


def _month_before(first: date, back: int) -> date:
    months = first.year * 12 + first.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def lift(loaded: Any, key: str, as_of: datetime) -> Difference:
    """The win rate with the criterion met at the gate against that without it."""
    return criterion_lift(loaded.history, scope=EVERYTHING, as_of=as_of, criterion=_states(loaded, key))


def above_zero(difference: Difference) -> bool:
    return difference.low is not None and difference.low > 0


def _states(loaded: Any, key: str) -> Any:
    """How the criterion stood at the last pass of its gate, a code per case."""
    passes = (
        Event.objects.filter(
            type=fold.MOVED,
            process_key=PROCESS,
            from_stage=truths.CRITERIA_STAGE,
            data__exit="advance",
        )
        .order_by("id")
        .values_list("journey_id", "episode_no", "evaluation_id")
    )
    results = dict(
        Evaluation.objects.filter(
            journey__process_key=PROCESS, allowed=True, from_stage=truths.CRITERIA_STAGE
        ).values_list("pk", "results")
    )
    states = {}
    for journey, episode, evaluation in passes:
        state = next((r["state"] for r in results.get(evaluation, ()) if r["key"] == key), None)
        states[journey, episode] = "none" if state is None else _CODE.get(state, state)
    cases = zip(
        loaded.history.journeys.journey.tolist(), loaded.history.journeys.episode.tolist(), strict=True
    )
    return np.array([CRITERION.index(states.get(case, "none")) for case in cases], np.int8)


def late_sellers() -> bool:
    """Exactly the planted sellers write down later than everybody else."""
    rows = list(
        Event.objects.filter(type__in=WRITTEN_DOWN, actor_id__isnull=False).values_list(
            "recorded_at", "effective_at", "actor_id"
        )
    )
    found = lateness(
        instants(r[0] for r in rows),
        instants(r[1] for r in rows),
        np.array([r[2] for r in rows], np.int64),
        scope=np.ones(len(rows), bool),
    )
    late = {row.person for row in found if row.signal}
    return late == set(User.objects.filter(username__in=truths.LATE_SELLERS).values_list("pk", flat=True))
