"""Which process a new record takes: ordered rules, the first whose condition holds, else the default (PD-4).

A field that changes later never switches a running record; `better_fit` says that another process would fit now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.fields.catalogue import catalogue
from fairlead.fields.conditions import Compiled, ConditionError, compile_tree
from fairlead.fields.conditions import verdict as condition_verdict
from fairlead.journal.services import NewEvent, record

from .. import subjects
from ..models import AssignmentRule, Process
from .publishing import PUBLISH

MOST_RULES: Final = 50

_rules = Question(
    lambda subject_type: (
        AssignmentRule.objects.filter(subject_type=subject_type)
        .order_by("position", "pk")
        .values_list("condition", "process_key")
    )
)


@dataclass(frozen=True, slots=True)
class Rule:
    condition: Compiled
    process_key: str


def rules_of(subject_type: str) -> list[Rule]:
    """The rules in their order. One over a field that is gone decides nothing and is left out."""
    fields, found = catalogue(subject_type), []
    for tree, key in _rules(subject_type):
        try:
            found.append(Rule(compile_tree(tree, fields), str(key)))
        except ConditionError:
            continue
    return found


def choose(
    rules: Sequence[Rule], values: Mapping[str, Any], *, at: datetime, published: Sequence[str]
) -> str:
    """The process of the first rule that holds; blank where none does. What cannot be known does not hold."""
    for rule in rules:
        if rule.process_key in published and condition_verdict(rule.condition, values, now=at) is True:
            return rule.process_key
    return ""


def assigned(
    subject_type: str, subject_ids: Sequence[int], *, at: datetime, published: Sequence[str]
) -> dict[int, str]:
    """Record → process by the rules; those that no rule takes are not in it. Costs one question without rules."""
    rules = rules_of(subject_type)
    if not rules:
        return {}
    facts = subjects.room_of(subject_type).facts(subject_ids)
    found = {
        pk: choose(rules, facts[pk].fields, at=at, published=published) for pk in subject_ids if pk in facts
    }
    return {pk: key for pk, key in found.items() if key}


def better_fit(
    subject_type: str, process_key: str, values: Mapping[str, Any], *, at: datetime, published: Sequence[str]
) -> str:
    """Another process whose rule would take the record now; blank where its own one still fits, or no rule does."""
    chosen = choose(rules_of(subject_type), values, at=at, published=published)
    return chosen if chosen and chosen != process_key else ""


@transaction.atomic
def set_rules(
    subject_type: str, rules: Sequence[Mapping[str, Any]], *, by: Any, at: datetime, channel: str
) -> None:
    """Replace the rules of a kind of record. Raises NotPermitted, NotFound, and Invalid naming rule and field."""
    if not by.may(PUBLISH):
        raise NotPermitted
    if subject_type not in subjects.registered():
        raise NotFound
    if len(rules) > MOST_RULES:
        raise Invalid.field("rules", _("At most %(most)s rules.") % {"most": MOST_RULES})
    fields, errors = catalogue(subject_type), []
    known = set(Process.objects.filter(subject_type=subject_type).values_list("key", flat=True))
    for i, rule in enumerate(rules):
        try:
            compile_tree(rule.get("condition") or {}, fields)
        except ConditionError as error:
            errors += [
                {"field": ".".join(filter(None, [f"rules.{i}.condition", p.path])), "message": p.message}
                for p in error.problems
            ]
        if rule.get("process") not in known:
            said = _("There is no process “%(key)s” for this kind of record.") % {
                "key": str(rule.get("process"))[:60]
            }
            errors.append({"field": f"rules.{i}.process", "message": said})
    if errors:
        raise Invalid(errors=errors)
    before = list(_rules(subject_type))
    AssignmentRule.objects.filter(subject_type=subject_type).delete()
    AssignmentRule.objects.bulk_create(
        [
            AssignmentRule(
                subject_type=subject_type,
                position=i,
                condition=rule["condition"],
                process_key=rule["process"],
            )
            for i, rule in enumerate(rules)
        ]
    )
    record(
        [
            NewEvent(
                type="assignment_set",
                subject_type="organisation",
                subject_id=1,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={
                    "kind": subject_type,
                    "before": [list(row) for row in before],
                    "after": [[rule["condition"], rule["process"]] for rule in rules],
                },
            )
        ]
    )
