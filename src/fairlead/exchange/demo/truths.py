"""What the simulator plants, so that the product's figures have something to find (docs/demo.md).

Days count back from the last simulated day, so that a demo of any date tells the same story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

DAYS = 730  # length of the simulated time
BOTTLENECK_STAGE = "solution_design"
BOTTLENECK_DAYS_BACK = 365  # visits that begin later take longer
BOTTLENECK_FACTOR = 2.1
WEAK_STAGE = "needs_analysis"
WEAK_BRANCH = "west"
TRAINED_DAYS_BACK = 300  # from then on the weak branch is as good as the others
SHOCK_MONTHS_BACK = 7  # the month in which a competitor dumps prices
SHOCK_CHANCE = 0.5  # of an open deal in solution or quotation to be lost for price in that month
SHOCK_REASON = "price"
DECISIVE_CRITERION = "value_case"
DECISIVE_ODDS = (0.32, 0.82)  # chance to be won at the quotation without and with it
IDLE_CRITERION = "criteria_shaped"
CRITERIA_STAGE = "solution_design"  # both are asked when this stage is left
LATE_SELLERS = ("he.jun", "cao.lei", "peng.tao")  # user names
LATE_SHARE, LATE_DAYS = 0.6, (3, 9)
HABIT_WEEKS = 14  # for so long next steps have been planned in the product
HABIT = (0.45, 0.9)  # the share of talks that were, at first and at last


@dataclass(frozen=True, slots=True)
class Dates:
    """The planted dates of a demo that ends on `until`."""

    until: date

    @property
    def start(self) -> date:
        return self.until - timedelta(days=DAYS)

    @property
    def bottleneck_from(self) -> date:
        return self.until - timedelta(days=BOTTLENECK_DAYS_BACK)

    @property
    def trained_on(self) -> date:
        return self.until - timedelta(days=TRAINED_DAYS_BACK)

    @property
    def shock_month(self) -> date:
        """The first day of the month of the price shock."""
        months = self.until.year * 12 + self.until.month - 1 - SHOCK_MONTHS_BACK
        return date(months // 12, months % 12 + 1, 1)

    def habit(self, day: date) -> float:
        """The share of talks that were planned as a next step before: none at first, then more from week to week."""
        weeks = (day - self.until).days / 7 + HABIT_WEEKS
        return 0.0 if weeks <= 0 else HABIT[0] + (HABIT[1] - HABIT[0]) * weeks / HABIT_WEEKS

    def in_shock(self, day: date) -> bool:
        first = self.shock_month
        return (day.year, day.month) == (first.year, first.month)
