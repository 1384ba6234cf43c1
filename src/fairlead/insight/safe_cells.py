"""Cells of a CSV that no spreadsheet runs."""

from typing import Any


def safe(value: Any) -> Any:
    """A text that begins like a formula gets an apostrophe, so that a spreadsheet reads it as text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value
