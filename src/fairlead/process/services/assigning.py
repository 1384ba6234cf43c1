"""Which process a new record takes: ordered rules, the first whose condition holds, else the default (PD-4).

A field that changes later never switches a running record; `fit_of` says that another process would fit now, by which
rule, and `switching` carries the one record over when somebody wishes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.fields.catalogue import catalogue
from fairlead.fields.conditions import Compiled, ConditionError, compile_tree, fields_of
from fairlead.fields.conditions import verdict as condition_verdict
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation

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
    found = fit_of(subject_type, process_key, values, at=at, published=published)
    return found.process_key if found is not None else ""


@dataclass(frozen=True, slots=True)
class Fit:
    """Another process would take the record now. `number`: of the rule, from 1. `values`: the governing fields, those of
    the rule and of the rules before it, as JSON; while they stay the same, so does the answer."""

    process_key: str
    number: int
    condition: Compiled
    values: Mapping[str, Any]


def fit_of(
    subject_type: str, process_key: str, values: Mapping[str, Any], *, at: datetime, published: Sequence[str]
) -> Fit | None:
    """The rule by which another process than `process_key` would take the record now; None where its own one fits."""
    governing: set[str] = set()
    for number, rule in enumerate(rules_of(subject_type), start=1):
        governing |= fields_of(rule.condition)
        if condition_verdict(rule.condition, values, now=at) is not True:
            continue
        if rule.process_key == process_key:
            return None
        if rule.process_key in published:
            told = {key: _plain(values.get(key)) for key in sorted(governing)}
            return Fit(rule.process_key, number, rule.condition, told)
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return json.loads(json.dumps(value, default=str))


def stamp_of(subject_type: str) -> str:
    """Changes whenever the rules of a kind of record do: what a form was made from."""
    told = json.dumps([list(row) for row in _rules(subject_type)], sort_keys=True, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


@transaction.atomic
def set_rules(
    subject_type: str,
    rules: Sequence[Mapping[str, Any]],
    *,
    by: Any,
    at: datetime,
    channel: str,
    stamp: str | None = None,
) -> None:
    """Replace the rules of a kind of record; with `stamp` only where nobody has changed them since.

    Raises NotPermitted, NotFound, Stale, and Invalid naming rule and field.
    """
    if by is not None and not by.may(PUBLISH):
        raise NotPermitted
    if subject_type not in subjects.registered():
        raise NotFound
    Organisation.objects.select_for_update().get(pk=1)  # two who set rules come one after the other
    if stamp is not None and stamp != stamp_of(subject_type):
        raise Stale(
            _("Somebody changed these rules meanwhile. Look at them again; your change was not taken.")
        )
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
                actor_id=by.pk if by is not None else None,
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


# --- as a file ---


def rules_as_document(subject_type: str) -> dict[str, Any]:
    """Kind and rules as `fairlead process assignment` writes and reads them. Raises NotFound."""
    if subject_type not in subjects.registered():
        raise NotFound(_("There is no such kind of record: “%(subject)s”.") % {"subject": subject_type[:40]})
    found = [{"condition": tree, "process": key} for tree, key in _rules(subject_type)]
    return {"kind": subject_type, "rules": found}


def rules_in_document(document: Any) -> tuple[str, list[Mapping[str, Any]]]:
    """Raises Invalid naming what a file of rules lacks."""
    if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
        raise Invalid.field("kind", _("A kind of record is expected, such as opportunity."))
    rules = document.get("rules")
    if not isinstance(rules, list) or not all(
        isinstance(rule, Mapping) and isinstance(rule.get("condition"), Mapping) for rule in rules
    ):
        raise Invalid.field("rules", _("A list of rules is expected, each with condition and process."))
    return document["kind"], rules
