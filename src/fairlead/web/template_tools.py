"""What this room gives to every template."""

from typing import Any, Final

from fairlead.common.names import localized
from fairlead.web.frame import frame_of
from fairlead.web.views.help import glossary

GLOBALS: Final[dict[str, Any]] = {"frame_of": frame_of, "glossary": glossary}
FILTERS: Final[dict[str, Any]] = {"localized": localized}
