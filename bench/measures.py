"""Numbers of one measurement, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, between two neighbours by straight line."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    return {
        "n": len(values),
        "p50": round(percentile(values, 0.5) * 1000, 2),
        "p95": round(percentile(values, 0.95) * 1000, 2),
        "min": round(min(values) * 1000, 2),
        "max": round(max(values) * 1000, 2),
    }


@dataclass
class Figure:
    """One line of the report. `limit`: what the figure should not pass (or reach, with `at_least`)."""

    group: str  # pages, load, import, size
    name: str
    engine: str = ""
    who: str = ""
    value: float | None = None
    unit: str = "ms"
    limit: float | None = None
    at_least: bool = False
    ratio: float | None = None  # page / floor
    more: dict[str, Any] = field(default_factory=dict)
    note: str = ""  # why there is no value, or which of many it is

    @property
    def key(self) -> str:
        return "/".join(filter(None, (self.group, self.engine, self.name, self.who)))

    @property
    def is_over(self) -> bool | None:
        if self.value is None or self.limit is None:
            return None
        return self.value < self.limit if self.at_least else self.value > self.limit

    def as_json(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if v not in (None, "", {})} | {"over": self.is_over}


def chunks(n: int, size: int) -> Iterator[int]:
    while n > 0:
        yield min(n, size)
        n -= size
