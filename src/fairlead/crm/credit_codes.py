"""The 统一社会信用代码 of a company: eighteen characters, the last of which is computed from the others (GB 32100)."""

from __future__ import annotations

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V, Z
LENGTH: Final = 18


def check_character(code: str) -> str:
    """The last character that belongs to the first seventeen. Raises ValueError for a character that is not used."""
    weight, total = 1, 0
    for character in code[: LENGTH - 1].upper():
        total += ALPHABET.index(character) * weight
        weight = weight * 3 % 31
    return ALPHABET[(31 - total % 31) % 31]


def fault_of(code: str) -> str:
    """What is wrong with a credit code: `length`, `character` or `check`; blank when it may be right."""
    code = code.strip().upper()
    if len(code) != LENGTH:
        return "length"
    if any(character not in ALPHABET for character in code):
        return "character"
    return "" if check_character(code) == code[-1] else "check"
