"""What this room gives to every template."""

from typing import Any, Final

from django.urls import reverse

from fairlead.common.names import localized
from fairlead.exchange.services.samples import is_offered
from fairlead.web.frame import frame_of
from fairlead.web.views.help import glossary


def samples_url(user: Any) -> str:
    """Where this person may load sample data, if the company is empty; one question, for empty pages alone."""
    return reverse("exchange:load_sample_data") if is_offered(user) else ""


GLOBALS: Final[dict[str, Any]] = {"frame_of": frame_of, "glossary": glossary, "samples_url": samples_url}
FILTERS: Final[dict[str, Any]] = {"localized": localized}
