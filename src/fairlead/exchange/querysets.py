"""Words for asking about imports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from .enums import WORKING, RowAction, RowState

if TYPE_CHECKING:
    from .models import ImportRow, ImportRun, MappingPreset  # noqa: F401


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def visible_to(self, user: Any) -> Self:
        """One's own imports; all of them for whoever manages the settings. A file may hold anything, so a
        wider right over records opens no file."""
        if not user.may("import.run"):
            return self.none()
        return self if user.may("settings.manage") else self.filter(created_by=user)

    def orphaned(self, at: datetime, *, after: timedelta) -> Self:
        """At work, but nobody has been heard of working on it."""
        return self.filter(state__in=WORKING, alive_at__lt=at - after)


class ImportRowQuerySet(models.QuerySet["ImportRow"]):
    def waiting(self) -> Self:
        """Rows that the run has still to write, parents before children."""
        wanted = (RowAction.CREATE, RowAction.UPDATE, RowAction.MOVE)
        return self.filter(state=RowState.PENDING, action__in=wanted).order_by("rank", "number")

    def written(self) -> Self:
        return self.filter(state=RowState.DONE)


class MappingPresetQuerySet(models.QuerySet["MappingPreset"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(owner=user)
