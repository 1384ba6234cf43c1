"""What this room gives to every template."""

from typing import Any, Final

from .selectors.keeping import is_starred

GLOBALS: Final[dict[str, Any]] = {"is_starred": is_starred}
