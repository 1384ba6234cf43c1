"""What every template may use without importing it."""

from typing import Any, Final

from fairlead.common.phones import phone_link, phone_text
from fairlead.common.remembered import Remembered
from fairlead.common.symbols import symbols_of
from fairlead.common.text import avatar_text

GLOBALS: Final[dict[str, Any]] = {
    "avatar_text": avatar_text,
    "phone_link": phone_link,
    "remembered": Remembered,
    "symbols_of": symbols_of,
}
FILTERS: Final[dict[str, Any]] = {"phone": phone_text}
