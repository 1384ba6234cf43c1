"""Reads one cell as the type of the field that it is mapped to."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from fairlead.exchange.reading.dates import DateOrder, OrderFinding, infer_order, read_date, read_datetime
from fairlead.exchange.reading.numbers import NumberStyle, StyleFinding, infer_style, read_number
from fairlead.exchange.reading.placeholders import is_placeholder
from fairlead.exchange.reading.problems import shown
from fairlead.exchange.reading.reading import EMPTY, Outcome, Reading, Value, bad, read
from fairlead.fields.enums import NUMERIC, FieldType

__all__ = [
    "DateOrder",
    "NumberStyle",
    "OrderFinding",
    "Outcome",
    "ReadAs",
    "Reading",
    "StyleFinding",
    "Value",
    "infer_order",
    "infer_style",
    "read_boolean",
    "read_cell",
    "read_choice",
    "read_column",
    "read_date",
    "read_datetime",
    "read_email",
    "read_number",
    "read_phone",
    "split_values",
]

_YES: Final = frozenset(
    {
        "yes",
        "y",
        "true",
        "t",
        "1",
        "on",
        "x",
        "checked",
        "是",
        "对",
        "真",
        "有",
        "√",
        "✓",
        "✔",
        "☑",
        "开",
        "启用",
    }
)
_NO: Final = frozenset(
    {
        "no",
        "n",
        "false",
        "f",
        "0",
        "off",
        "unchecked",
        "否",
        "不",
        "不是",
        "错",
        "假",
        "无",
        "没有",
        "×",
        "✗",
        "✘",
        "☐",
        "关",
        "停用",
    }
)
_PARTS: Final = re.compile(r"[;；|\n\r]+")
_PARTS_AND_COMMAS: Final = re.compile(r"[;；|\n\r,，、]+")
_ADDRESS: Final = re.compile(
    r"[^@\s<>(),;:\"\[\]]{1,64}@[^@\s<>(),;:\"\[\]]{1,190}\.[^@\s<>(),;:\"\[\].]{2,63}"
)
_ROUNDED: Final = re.compile(r"\d(?:\.\d+)?e\+?\d{1,2}", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(\d{5,15})\.0+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """How the cells of one column are read: the type of the field, and what was found out about the column.

    `choices`: key of each entry → its words. `value_map`: the cell's words (see `matching.plain_value`) →
    key, as a person confirmed it; an empty key means “leave empty”.
    """

    type: FieldType
    order: DateOrder | None = None
    style: NumberStyle | None = None
    tz: tzinfo = UTC
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    value_map: Mapping[str, str] = field(default_factory=dict)
    max_length: int = 0  # 0: no limit
    keep_placeholders: bool = False


def plain_value(text: str) -> str:
    """A cell's words as they are compared: half-width, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def read_cell(text: str, how: ReadAs) -> Reading:
    """One cell as a value of the field's type. Never raises, never drops anything silently."""
    trimmed = text.strip()
    if not trimmed:
        return EMPTY
    if how.value_map and (key := how.value_map.get(plain_value(text))) is not None:
        return read(key) if key else Reading(Outcome.PLACEHOLDER, None, "placeholder", {"value": shown(text)})
    if how.type is FieldType.BOOLEAN and plain_value(text) in _YES | _NO:
        return read_boolean(text)
    if how.choices and (found := _key_of(text, how.choices)):
        return read((found,) if how.type is FieldType.MULTI_CHOICE else found)
    if is_placeholder(trimmed) and not how.keep_placeholders:
        return Reading(Outcome.PLACEHOLDER, None, "placeholder", {"value": shown(text)})
    if how.type in NUMERIC:
        return _read_numeric(trimmed, how)
    match how.type:
        case FieldType.DATE:
            return read_date(trimmed, order=how.order, tz=how.tz)
        case FieldType.DATETIME:
            return read_datetime(trimmed, order=how.order, tz=how.tz)
        case FieldType.BOOLEAN:
            return read_boolean(trimmed)
        case FieldType.CHOICE:
            return read_choice(trimmed, how.choices)
        case FieldType.MULTI_CHOICE:
            return _read_choices(trimmed, how)
        case FieldType.EMAIL:
            return read_email(trimmed)
        case FieldType.PHONE:
            return read_phone(trimmed)
    if how.max_length and len(text) > how.max_length:
        return bad("text-too-long", length=len(text), limit=how.max_length)
    return read(text)


def read_column(texts: Iterable[str], how: ReadAs) -> tuple[list[Reading], ReadAs]:
    """All cells of a column, with the order of dates and the decimal sign taken from the whole of it."""
    cells = list(texts)
    if how.type in (FieldType.DATE, FieldType.DATETIME) and how.order is None:
        how = _with(how, order=infer_order(cells).order)
    elif how.type in NUMERIC and how.style is None:
        how = _with(how, style=infer_style(cells).style)
    return [read_cell(cell, how) for cell in cells], how


def _with(how: ReadAs, *, order: DateOrder | None = None, style: NumberStyle | None = None) -> ReadAs:
    return ReadAs(
        type=how.type,
        order=order or how.order,
        style=style or how.style,
        tz=how.tz,
        choices=how.choices,
        value_map=how.value_map,
        max_length=how.max_length,
        keep_placeholders=how.keep_placeholders,
    )


def _read_numeric(text: str, how: ReadAs) -> Reading:
    reading = read_number(text, style=how.style)
    if reading.outcome is not Outcome.VALUE:
        return reading
    if how.type is FieldType.INTEGER:
        number = reading.value
        if int(str(number).split(".")[0]) != number:
            return bad("not-a-number", value=shown(text))
        return read(int(str(number)), *reading.hints)
    return reading


def read_boolean(text: str) -> Reading:
    plain = plain_value(text)
    if plain in _YES or plain in _NO:
        return read(plain in _YES)
    return bad("not-a-boolean", value=shown(text))


def _key_of(text: str, choices: Mapping[str, Sequence[str]]) -> str:
    plain = plain_value(text)
    for key, words in choices.items():
        if plain == plain_value(key) or any(plain == plain_value(word) for word in words):
            return key
    return ""


def read_choice(text: str, choices: Mapping[str, Sequence[str]]) -> Reading:
    """The key of the entry that the cell names exactly, by key or by one of its words. Guesses are
    `matching`'s."""
    key = _key_of(text, choices)
    return read(key) if key else bad("not-a-choice", value=shown(text))


def _read_choices(text: str, how: ReadAs) -> Reading:
    keys: list[str] = []
    for part in split_values(text, commas=True):
        key = how.value_map.get(plain_value(part)) or _key_of(part, how.choices)
        if not key:
            return bad("not-a-choice", value=shown(part))
        keys.append(key)
    return read(tuple(dict.fromkeys(keys)))


def split_values(text: str, *, commas: bool = False) -> list[str]:
    """The values of a cell that holds several: split at ; | and line breaks, at commas and 、 only if
    told."""
    parts = (_PARTS_AND_COMMAS if commas else _PARTS).split(text)
    return [part.strip() for part in parts if part.strip()]


def read_email(text: str) -> Reading:
    """The address, lower-case in its domain. `Name <a@b.cn>` and `mailto:` are understood; of several, the
    first is the value and all are `options`."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found: list[str] = []
    for part in split_values(plain, commas=True):
        inner = re.sub(r"^.*<([^<>]*)>\s*$", r"\1", part).strip()
        inner = inner[7:] if inner.lower().startswith("mailto:") else inner
        if not _ADDRESS.fullmatch(inner):
            return bad("not-an-email", value=shown(part))
        local, domain = inner.rsplit("@", 1)
        found.append(f"{local}@{domain.lower()}")
    if not found:
        return bad("not-an-email", value=shown(text))
    return Reading(Outcome.VALUE, found[0], options=tuple(found) if len(found) > 1 else ())


def read_phone(text: str) -> Reading:
    """The number as text, as it was written: the plus sign, leading zeros and extensions stay."""
    if _ROUNDED.fullmatch(text):
        return bad("phone-rounded", value=shown(text))
    if match := _WHOLE.fullmatch(text):  # a spreadsheet's number
        return read(match[1])
    parts = split_values(text)
    if not parts:
        return EMPTY
    return Reading(Outcome.VALUE, parts[0], options=tuple(parts) if len(parts) > 1 else ())
