"""Phone numbers as people read them. What is stored stays as it was typed."""

from __future__ import annotations

import re
from typing import Final

_MOBILE: Final = re.compile(r"(\+86|0086|86)?\s*(1[3-9]\d)[\s-]?(\d{4})[\s-]?(\d{4})")
_DIGITS: Final = re.compile(r"\d")


def phone_text(value: str) -> str:
    """`138 1234 5678` for a Chinese mobile number, its +86 kept; every other number as it was typed."""
    found = _MOBILE.fullmatch(value.strip())
    if found is None:
        return value.strip()
    country, *parts = found.groups()
    return " ".join(filter(None, ["+86" if country else "", *parts]))


def phone_mask(value: str) -> str:
    """`138****5678`: enough to recognise one's own contact, too little to call somebody else's."""
    found = _MOBILE.fullmatch(value.strip())
    if found is not None:
        country, first, _middle, last = found.groups()
        return f"{'+86 ' if country else ''}{first}****{last}"
    digits = len(_DIGITS.findall(value))
    shown = min(4, digits // 3)
    seen = 0

    def cover(match: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        return match.group(0) if seen > digits - shown else "*"

    return _DIGITS.sub(cover, value.strip())


def phone_link(value: str) -> str:
    """The address that a tap calls; blank where there is no number. An extension is dialled after a pause."""
    number, _x, extension = re.sub(r"(转|ext\.?|分机|#)", "x", value.strip(), flags=re.IGNORECASE).partition(
        "x"
    )
    digits = "".join(_DIGITS.findall(number))
    if len(digits) < 3:
        return ""
    plus = "+" if number.strip().startswith("+") else ""
    inside = "".join(_DIGITS.findall(extension))
    return f"tel:{plus}{digits}" + (f",{inside}" if inside else "")
