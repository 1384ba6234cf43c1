"""What came out of reading one cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from fairlead.exchange.reading.problems import RowProblem

Value = str | bool | int | Decimal | date | datetime | tuple[str, ...] | None


class Outcome(StrEnum):
    VALUE = "value"
    EMPTY = "empty"
    PLACEHOLDER = "placeholder"  # the cell says “nothing known” in words; `value` is None
    AMBIGUOUS = "ambiguous"  # a person must say which reading is meant; `options` holds them
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Reading:
    """A cell read as a type. `code` names the problem, if any (see `problems`); `hints` what was met on the
    way: `excel-serial`, `percent`, `currency:CNY`, `factor:10000`, `negative-in-parentheses`."""

    outcome: Outcome
    value: Value = None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[Value, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.outcome in (Outcome.VALUE, Outcome.EMPTY, Outcome.PLACEHOLDER)

    @property
    def currency(self) -> str:
        """The currency that the cell itself names (¥ is taken for CNY), or nothing."""
        return next(
            (hint.removeprefix("currency:") for hint in self.hints if hint.startswith("currency:")), ""
        )

    def problem(self, row: int | None, column: int | None) -> RowProblem | None:
        return RowProblem(row, column, self.code, self.params) if self.code else None


EMPTY = Reading(Outcome.EMPTY)


def read(value: Value, *hints: str) -> Reading:
    return Reading(Outcome.VALUE, value, hints=hints)


def bad(code: str, **params: Any) -> Reading:
    return Reading(Outcome.BAD, None, code, params)
