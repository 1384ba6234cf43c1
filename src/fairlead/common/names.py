"""Names that people give in more than one language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language

from fairlead.common.text import LANGUAGE_OF_CODE


def localized(name: Mapping[str, Any] | str | None) -> str:
    """The name in the language of the reader, or in the other one where only that was given."""
    if name is None:
        return ""
    if isinstance(name, str):
        return name
    wanted = LANGUAGE_OF_CODE.get((get_language() or "").lower(), "en")
    for language in (wanted, "zh", "en"):
        if value := name.get(language):
            return str(value)
    return next((str(value) for value in name.values() if value), "")
