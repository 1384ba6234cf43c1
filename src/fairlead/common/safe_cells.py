"""Text cells that a spreadsheet must not take for formulas, and back.

A spreadsheet runs a CSV cell that begins with `=`, `+`, `-` or `@`, even behind spaces. Such text gets a
leading apostrophe on the way out and loses it on the way in. Text that looks guarded already gets one more,
so the way out and back is exact for every text. Numbers are no text: they are written bare.
"""

import re
from typing import Any, Final

# What Excel, LibreOffice or another separator may skip before it meets the sign that starts a formula.
_SKIPPED: Final = (
    "\\x00-\\x20\\x7f-\\xa0\\u00ad\\u1680\\u180e\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff"
)
_RISKY: Final = re.compile(f"'*(?:[\\t\\r\\n\\x00]|[{_SKIPPED}\";,|]*[=+\\-@＝＋－＠﹦﹢﹣﹫])")


def is_risky(text: str) -> bool:
    """Whether a spreadsheet might run `text`, with or without apostrophes before it."""
    return _RISKY.match(text) is not None


def safe_cell(text: str) -> str:
    """`text` as it may stand in a CSV file."""
    return "'" + text if _RISKY.match(text) else text


def restored_cell(text: str) -> str:
    """The text that `safe_cell` was given."""
    return text[1:] if text.startswith("'") and _RISKY.match(text, 1) else text


def safe_value(value: Any) -> Any:
    """A text as `safe_cell` writes it; numbers, days and nothing at all stay what they are."""
    return safe_cell(value) if isinstance(value, str) else value
