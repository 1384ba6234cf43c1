"""What this room gives to every template."""

from typing import Any, Final

from fairlead.organisation.asking import whom_to_ask

GLOBALS: Final[dict[str, Any]] = {"whom_to_ask": whom_to_ask}
