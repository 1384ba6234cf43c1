"""Choices of imports."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class ImportKind(models.TextChoices):
    """What the rows of a file are."""

    OPPORTUNITY = "opportunity", pgettext_lazy("import kind", "Opportunities")
    ACCOUNT = "account", pgettext_lazy("import kind", "Accounts")
    CONTACT = "contact", pgettext_lazy("import kind", "Contacts")
    PRODUCT = "product", pgettext_lazy("import kind", "Products")
    PERSON = "person", pgettext_lazy("import kind", "People")


class RunState(models.TextChoices):
    """Where an import stands. Nothing but the staging is written before `running`."""

    UPLOADED = "uploaded", pgettext_lazy("import state", "Uploaded")
    MAPPED = "mapped", pgettext_lazy("import state", "Mapped")
    CHECKING = "checking", pgettext_lazy("import state", "Checking")
    CHECKED = "checked", pgettext_lazy("import state", "Checked")
    RUNNING = "running", pgettext_lazy("import state", "Running")
    DONE = "done", pgettext_lazy("import state", "Done")
    FAILED = "failed", pgettext_lazy("import state", "Stopped")
    UNDOING = "undoing", pgettext_lazy("import state", "Being undone")
    UNDONE = "undone", pgettext_lazy("import state", "Undone")


WORKING = (RunState.CHECKING, RunState.RUNNING, RunState.UNDOING)
OPEN_TO_CHANGE = (RunState.UPLOADED, RunState.MAPPED, RunState.CHECKED)


class RowAction(models.TextChoices):
    """What a row asks for. A move may edit other fields too."""

    CREATE = "create", pgettext_lazy("import row", "New")
    UPDATE = "update", pgettext_lazy("import row", "Update")
    MOVE = "move", pgettext_lazy("import row", "Move")
    SKIP = "skip", pgettext_lazy("import row", "Nothing to do")
    ERROR = "error", pgettext_lazy("import row", "Error")


class RowState(models.TextChoices):
    PENDING = "pending", pgettext_lazy("import row state", "Waiting")
    DONE = "done", pgettext_lazy("import row state", "Done")
    FAILED = "failed", pgettext_lazy("import row state", "Refused")
    UNDONE = "undone", pgettext_lazy("import row state", "Undone")
    KEPT = "kept", pgettext_lazy("import row state", "Kept")


class SampleState(models.TextChoices):
    """Where the sample data of a company stand. `stopped`: something went wrong; what is there can be cleared."""

    NONE = "none", pgettext_lazy("sample data", "None")
    LOADING = "loading", pgettext_lazy("sample data", "Being loaded")
    LOADED = "loaded", pgettext_lazy("sample data", "Loaded")
    CLEARING = "clearing", pgettext_lazy("sample data", "Being cleared")
    STOPPED = "stopped", pgettext_lazy("sample data", "Stopped")
