"""Reading the rules of assignment: how many open records each would take, and who changed them (PD-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists

from fairlead.fields.catalogue import catalogue
from fairlead.fields.conditions import ConditionError, compile_tree, narrow
from fairlead.journal.models import Event

from ..models import AssignmentRule, Journey
from ..subjects import visible_subjects

LATEST = 200  # events among which those of one kind of record are looked for
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Takes:
    """Of the records on their way that the reader sees: how many fall to a rule, and how many of them are on its
    process already. `is_broken`: it reads a field that is gone and decides nothing."""

    records: int = 0
    there: int = 0
    is_broken: bool = False


def has_rules(kind: str) -> Exists:
    """Whether records of the kind are given their process by rules; for a query that is asked anyway."""
    return Exists(AssignmentRule.objects.filter(subject_type=kind))


def preview(
    kind: str, rules: Sequence[Mapping[str, Any]], default: str, *, reader: Any, at: datetime
) -> list[Takes]:
    """One entry a rule in their order, and a last one for what goes the default way."""
    journeys = Journey.objects.current().running().filter(subject_type=kind)
    seen = visible_subjects(reader).get(kind)
    if seen is None:
        return [Takes() for _rule in (*rules, default)]
    rows = list(journeys.filter(subject_id__in=seen.values("pk")).values_list("subject_id", "process_key"))
    left: dict[int, set[str]] = {}
    for pk, key in rows:
        left.setdefault(pk, set()).add(key)
    fields, found = catalogue(kind), []
    for rule in rules:
        try:
            tree = compile_tree(rule["condition"], fields)
        except ConditionError:
            found.append(Takes(is_broken=True))
            continue
        taken = left.keys() & set(narrow(seen, tree, now=at).values_list("pk", flat=True))
        there = sum(1 for pk in taken if rule["process"] in left[pk])
        found.append(Takes(len(taken), there))
        for pk in taken:
            del left[pk]
    return [*found, Takes(len(left), sum(1 for keys in left.values() if default in keys))]


def changes(kind: str) -> list[Event]:
    """The last times that the rules of a kind of record were set, the newest first."""
    rows = Event.objects.filter(type="assignment_set").order_by("-pk")[:LATEST]
    return [event for event in rows if event.data.get("kind") == kind][:SHOWN]
