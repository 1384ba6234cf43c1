"""Custom fields as rows: typed, usable at once in forms, lists, filters, gates, import and the API."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from . import catalogue as _catalogue
from .catalogue import FieldSpec, Option
from .enums import FieldType, PersonalData


class CustomField(models.Model):
    """A field that the organisation, or a process document, has added to a kind of subject."""

    subject_type = models.CharField(max_length=30)
    key = models.SlugField(max_length=60)
    type = models.CharField(max_length=16, choices=FieldType)
    label = models.JSONField(default=dict)  # {"zh": …, "en": …}
    help = models.JSONField(default=dict)
    unit = models.CharField(max_length=20, blank=True, default="")
    options = models.JSONField(default=list)  # [{"value": …, "label": {"zh": …, "en": …}}]
    personal = models.CharField(max_length=10, choices=PersonalData, default=PersonalData.NONE)
    read_right = models.CharField(max_length=60, blank=True, default="")
    write_right = models.CharField(max_length=60, blank=True, default="")
    zero_is_placeholder = models.BooleanField(default=True)
    declared_by = models.CharField(max_length=60, blank=True, default="")  # process key, or blank: by hand
    position = models.PositiveIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["subject_type", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "key"], name="custom_field_key_once"),
            models.CheckConstraint(condition=~Q(key=""), name="custom_field_key_given"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_type}.{self.key}"

    def spec(self) -> FieldSpec:
        return FieldSpec(
            key=self.key,
            type=FieldType(self.type),
            label=self.label,
            help=self.help,
            unit=self.unit,
            options=tuple(Option(o["value"], o["label"], bool(o.get("retired"))) for o in self.options),
            personal=PersonalData(self.personal),
            read_right=self.read_right or None,
            write_right=self.write_right or None,
            custom=True,
            zero_is_placeholder=self.zero_is_placeholder,
            max_length=5000 if self.type == FieldType.LONG_TEXT else 500,
        )


def _load(subject_type: str) -> list[FieldSpec]:
    return [row.spec() for row in CustomField.objects.filter(subject_type=subject_type, retired_at=None)]


def _revision() -> int:
    row: dict[str, Any] = CustomField.objects.aggregate(total=models.Sum("version"), last=models.Max("pk"))
    return (row["last"] or 0) * 1_000_003 + (row["total"] or 0)


_catalogue.connect_store(_load, _revision)
