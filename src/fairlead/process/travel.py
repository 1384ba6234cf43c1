"""What the fold knows of a journey and of its visits; plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .enums import JourneyState


@dataclass(slots=True)
class VisitState:
    """A visit as the fold knows it; field by field what `models.Visit` stores."""

    episode_no: int
    ordinal: int
    stage_key: str
    axis_key: str
    process_version: int
    visit_no: int
    entered_at: datetime
    entered_at_known: bool
    left_at: datetime | None
    exit_type: str
    outcome: str
    skipped: bool
    imported: bool
    held_seconds: int
    amount: Decimal | None
    close_date: date | None
    owner_id_then: int | None
    team_id_then: int | None
    forecast_category: str


@dataclass(slots=True)
class Travel:
    """A journey as the fold knows it. `changed` and `added` name the visits touched by the last event."""

    stage_key: str = ""
    process_key: str = ""
    process_version: int = 0
    state: str = JourneyState.OPEN
    outcome: str = ""
    reason_code: str = ""
    episode_no: int = 1
    opened_at: datetime | None = None
    entered_at: datetime | None = None
    entered_at_known: bool = True
    closed_at: datetime | None = None
    hold_since: datetime | None = None
    resume_date: date | None = None
    forecast_category: str = ""
    category_pinned: bool = False
    probability: int = 0
    owner_id: int | None = None
    team_id: int | None = None
    base_amount: Decimal | None = None
    close_date: date | None = None
    regress_count: int = 0
    fidelity: str = ""
    superseded_at: datetime | None = None
    # What a migration brought along (see `carrying`). JSON; never changed in place, for rows share it.
    carried: dict[str, Any] = field(default_factory=dict)
    # What the clocks remember: `seen` by cause, `holds` of the episode, `marks` of breaches, `norms` frozen at
    # entry, `answers` by role, `policy` taken over. JSON; never changed in place, for rows share it.
    clocks: dict[str, Any] = field(default_factory=dict)
    visits: list[VisitState] = field(default_factory=list)
    visit_total: int = 0
    stage_visits: dict[str, int] = field(default_factory=dict)  # of this episode
    touched: list[VisitState] = field(default_factory=list)
    removed: list[VisitState] = field(default_factory=list)

    @property
    def open_visit(self) -> VisitState | None:
        return self.visits[-1] if self.visits and self.visits[-1].left_at is None else None

    @property
    def setting_out(self) -> tuple[Any, ...]:
        """All that its clocks depend on, while a running journey is in its very first stay; else nothing."""
        if len(self.visits) != 1 or self.state != JourneyState.OPEN or self.superseded_at is not None:
            return ()
        visit = self.visits[0]
        return visit.stage_key, visit.entered_at, visit.left_at, self.opened_at, repr(self.clocks)
