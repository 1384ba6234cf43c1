"""Types of fields and operators of conditions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class FieldType(models.TextChoices):
    TEXT = "text", pgettext_lazy("field type", "Text")
    LONG_TEXT = "long_text", pgettext_lazy("field type", "Long text")
    INTEGER = "integer", pgettext_lazy("field type", "Whole number")
    DECIMAL = "decimal", pgettext_lazy("field type", "Number")
    MONEY = "money", pgettext_lazy("field type", "Amount")
    PERCENT = "percent", pgettext_lazy("field type", "Percent")
    DATE = "date", pgettext_lazy("field type", "Date")
    DATETIME = "datetime", pgettext_lazy("field type", "Date and time")
    BOOLEAN = "boolean", pgettext_lazy("field type", "Yes or no")
    CHOICE = "choice", pgettext_lazy("field type", "Choice")
    MULTI_CHOICE = "multi_choice", pgettext_lazy("field type", "Several choices")
    PERSON = "person", pgettext_lazy("field type", "Person")
    TEAM = "team", pgettext_lazy("field type", "Team")
    RECORD = "record", pgettext_lazy("field type", "Record")
    EMAIL = "email", pgettext_lazy("field type", "E-mail")
    PHONE = "phone", pgettext_lazy("field type", "Phone")


TEXTUAL = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.CHOICE, FieldType.EMAIL, FieldType.PHONE})
NUMERIC = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT})
TEMPORAL = frozenset({FieldType.DATE, FieldType.DATETIME})
REFERENCE = frozenset({FieldType.PERSON, FieldType.TEAM, FieldType.RECORD})


class Operator(models.TextChoices):
    """What a condition may ask of one field."""

    PRESENT = "present", pgettext_lazy("operator", "is filled")
    ABSENT = "absent", pgettext_lazy("operator", "is empty")
    EQ = "eq", pgettext_lazy("operator", "is")
    NE = "ne", pgettext_lazy("operator", "is not")
    GT = "gt", pgettext_lazy("operator", "is more than")
    GTE = "gte", pgettext_lazy("operator", "is at least")
    LT = "lt", pgettext_lazy("operator", "is less than")
    LTE = "lte", pgettext_lazy("operator", "is at most")
    IN = "in", pgettext_lazy("operator", "is one of")
    NOT_IN = "not_in", pgettext_lazy("operator", "is none of")
    CONTAINS = "contains", pgettext_lazy("operator", "contains")
    OLDER_THAN = "older_than_days", pgettext_lazy("operator", "is older than (days)")
    WITHIN = "within_days", pgettext_lazy("operator", "is within the next (days)")


_ANY = {Operator.PRESENT, Operator.ABSENT}
_EQUAL = {Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN}
_ORDER = {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}
_TIME = {Operator.OLDER_THAN, Operator.WITHIN}


def operators_for(kind: FieldType) -> frozenset[Operator]:
    """The operators that make sense for a field of type `kind`."""
    allowed = set(_ANY)
    if kind == FieldType.BOOLEAN:
        allowed |= {Operator.EQ, Operator.NE}
    elif kind == FieldType.MULTI_CHOICE:
        allowed |= {Operator.CONTAINS}
    elif kind in REFERENCE:
        allowed |= _EQUAL
    elif kind in TEXTUAL:
        allowed |= _EQUAL | {Operator.CONTAINS}
    elif kind in NUMERIC:
        allowed |= _EQUAL | _ORDER
    elif kind in TEMPORAL:
        allowed |= {Operator.EQ, Operator.NE} | _ORDER | _TIME
    return frozenset(allowed)


class PersonalData(models.TextChoices):
    """How a field stands to a natural person; decides masks, exports and erasure."""

    NONE = "none", pgettext_lazy("personal data", "none")
    CONTACT = "contact", pgettext_lazy("personal data", "business contact")
    PRIVATE = "private", pgettext_lazy("personal data", "private")
