"""The funnel: four different things that are never mixed.

`stock` is what lies where now (F1), `period_exit_yield` how visits that ended in a period ended (F2),
`cohort_conversion` how far those who arrived together got (F3, and F3′ for recent arrivals),
`time_in_stage` how long they stay. Spec: docs/metrics.md 3.1, 3.2.
"""

from fairlead.analytics.funnel.cohorts import (
    CohortRow,
    CohortTable,
    Path,
    PathStep,
    RecentRow,
    cohort_conversion,
    cohort_path,
    recent_conversion,
)
from fairlead.analytics.funnel.flow import ExitRow, ExitTable, period_exit_yield
from fairlead.analytics.funnel.stage_time import (
    STAGE_CAUSES,
    StageTime,
    StageTimes,
    stage_curve,
    time_in_stage,
)
from fairlead.analytics.funnel.stock import StockRow, StockTable, stock

__all__ = [
    "STAGE_CAUSES",
    "CohortRow",
    "CohortTable",
    "ExitRow",
    "ExitTable",
    "Path",
    "PathStep",
    "RecentRow",
    "StageTime",
    "StageTimes",
    "StockRow",
    "StockTable",
    "cohort_conversion",
    "cohort_path",
    "period_exit_yield",
    "recent_conversion",
    "stage_curve",
    "stock",
    "time_in_stage",
]
