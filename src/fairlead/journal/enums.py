"""Choices of the journal."""

from django.db import models
from django.utils.translation import pgettext_lazy


class Channel(models.TextChoices):
    """The door by which an act came in. Every door calls the same service (GT-2)."""

    UI = "ui", pgettext_lazy("channel", "page")
    API = "api", pgettext_lazy("channel", "API")
    IMPORT = "import", pgettext_lazy("channel", "import")
    AUTOMATION = "automation", pgettext_lazy("channel", "automation")
    MOBILE = "mobile", pgettext_lazy("channel", "phone")
    SYSTEM = "system", pgettext_lazy("channel", "system")


class Fidelity(models.TextChoices):
    """How much of an imported history is known (EV-5). Blank: written by the product itself."""

    FULL = "full", pgettext_lazy("fidelity", "every step with its date")
    STAGE_DATES_ONLY = "stage_dates_only", pgettext_lazy("fidelity", "dated steps only")
    FINAL_ONLY = "final_only", pgettext_lazy("fidelity", "final state only")


class Fault(models.TextChoices):
    """What a reading of the sealed journal found not to hold."""

    ALTERED = "altered", pgettext_lazy("fault", "altered")
    MISSING = "missing", pgettext_lazy("fault", "missing")
    ADDED = "added", pgettext_lazy("fault", "added afterwards")
    DETAIL_ALTERED = "detail_altered", pgettext_lazy("fault", "detail altered")
    DETAIL_MISSING = "detail_missing", pgettext_lazy("fault", "detail missing")
    DETAIL_ADDED = "detail_added", pgettext_lazy("fault", "detail added afterwards")
    ERASED_UNTOLD = "erased_untold", pgettext_lazy("fault", "detail erased without a trace")
    SEAL_ALTERED = "seal_altered", pgettext_lazy("fault", "seal altered or missing")
    OTHER_HEAD = "other_head", pgettext_lazy("fault", "another chain than the one noted")
