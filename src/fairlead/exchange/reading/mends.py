"""One-click repairs of a column, proposed from its profile. A mend is plain data: it is kept with the
mapping and applied to each cell again when the rows are read."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from fairlead.exchange.reading.dates import DateOrder
from fairlead.exchange.reading.mapping import ColumnSuggestion, TargetField
from fairlead.exchange.reading.numbers import NumberStyle, read_number
from fairlead.exchange.reading.placeholders import is_placeholder
from fairlead.exchange.reading.profile import ColumnProfile, FileProfile
from fairlead.exchange.reading.values import Outcome, ReadAs, plain_value
from fairlead.fields.enums import NUMERIC, TEMPORAL, TEXTUAL

LABELS: Final = {
    "trim": _("Remove spaces around the values"),
    "remove-nul": _("Remove NUL characters"),
    "half-width": _("Turn full-width letters and digits into half-width ones"),
    "date-order": _("Say whether the day or the month comes first"),
    "number-style": _("Say what separates the decimals"),
    "multiply": _("Convert %(unit)s: multiply by %(factor)s"),
    "clear-placeholder": _("Import words such as “%(example)s” as empty"),
    "map-value": _("Map unknown values"),
    "map-owner": _("Map unknown people"),
    "fill-missing": _("Fill missing cells as empty"),
    "drop-surplus": _("Drop surplus cells"),
}
#: Mends that need an answer before they can be applied.
ASKING: Final = frozenset({"date-order", "number-style", "map-value", "map-owner"})
_UNITS: Final = {"万元": 10_000, "万": 10_000, "亿元": 100_000_000, "亿": 100_000_000, "千元": 1_000,
"k": 1_000,
                 "m": 1_000_000, "million": 1_000_000, "thousand": 1_000, "百万": 1_000_000}  # fmt: skip
_FULL_WIDTH: Final = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3000]")


@dataclass(frozen=True, slots=True)
class Mend:
    """`column` is the place from 0, None for whole rows; `params` are plain JSON; `rows`: how many it
    helps."""

    code: str
    column: int | None = None
    rows: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return str(LABELS[self.code]) % self.params

    @property
    def asks(self) -> bool:
        return self.code in ASKING

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "column": self.column, "rows": self.rows, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Mend":
        return cls(data["code"], data["column"], data.get("rows", 0), data.get("params", {}))


def propose_mends(
    profile: FileProfile, suggestions: Sequence[ColumnSuggestion], targets: Sequence[TargetField]
) -> list[Mend]:
    """What one click could repair, with the number of rows that it touches. Values to map are
    `matching`'s."""
    by_key = {target.key: target for target in targets}
    mends = [
        Mend(mend, None, profile.problem_counts[code])
        for code, mend in (("row-short", "fill-missing"), ("row-long", "drop-surplus"), ("nul", "remove-nul"))
        if profile.problem_counts[code]
    ]
    for suggestion in suggestions:
        target = by_key.get(suggestion.target or "")
        if target is not None:
            mends += _column_mends(profile.columns[suggestion.column.index], suggestion, target)
    return mends


def _column_mends(column: ColumnProfile, suggestion: ColumnSuggestion, target: TargetField) -> list[Mend]:
    place, found = column.column.index, []
    if column.untrimmed:
        found.append(Mend("trim", place, column.untrimmed))
    if target.type in TEXTUAL:
        wide = sum(rows for text, rows in column.values.items() if _FULL_WIDTH.search(text))
        found += [Mend("half-width", place, wide)] if wide else []
    if target.type in TEMPORAL and column.order.asks:
        found.append(
            Mend(
                "date-order",
                place,
                column.kinds["date"] + column.kinds["datetime"],
                {"example": column.order.example},
            )
        )
    if target.type in NUMERIC:
        if column.style.style is None and (column.style.undecided or column.style.conflict):
            found.append(
                Mend("number-style", place, column.kinds["number"], {"example": column.style.example})
            )
        if factor := _UNITS.get(suggestion.unit.casefold()):
            found.append(Mend("multiply", place, column.filled, {"unit": suggestion.unit, "factor": factor}))
    if column.placeholders:
        example = column.placeholders.most_common(1)[0][0]
        found.append(Mend("clear-placeholder", place, column.placeholders.total(), {"example": example}))
    return found


def apply(mend: Mend, text: str) -> str:
    """The cell after the mend. Mends that ask are answered in `answered`; row mends leave cells alone."""
    match mend.code:
        case "trim":
            return text.strip()
        case "remove-nul":
            return text.replace("\x00", "")
        case "half-width":
            return _FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
        case "clear-placeholder":
            return "" if is_placeholder(text) else text
        case "multiply":
            return _multiplied(text, Decimal(mend.params["factor"]), mend.params.get("style"))
    return text


def _multiplied(text: str, factor: Decimal, style: str | None) -> str:
    """A cell that names its own factor (180万 under a title in 万元) is not multiplied again."""
    reading = read_number(text.strip(), style=NumberStyle(style) if style else None)
    if reading.outcome is not Outcome.VALUE or any(hint.startswith("factor:") for hint in reading.hints):
        return text
    plain = format((Decimal(str(reading.value)) * factor).normalize(), "f")
    if len(plain.partition(".")[2]) == 3:
        plain += "0"  # 1.234 could be read as 1234
    return plain.replace(".", ",") if style == NumberStyle.COMMA else plain


def answered(mend: Mend, how: ReadAs) -> ReadAs:
    """How a column is read after a person answered an asking mend: `params` carry `order`, `style` or
    `map`."""
    match mend.code:
        case "date-order":
            return replace(how, order=DateOrder(mend.params["order"]))
        case "number-style":
            return replace(how, style=NumberStyle(mend.params["style"]))
        case "map-value" | "map-owner":
            chosen = {plain_value(text): key for text, key in mend.params["map"].items()}
            return replace(how, value_map={**how.value_map, **chosen})
    return how
