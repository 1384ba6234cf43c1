"""Criteria as sentences of a closed grammar: the inputs of each type, and the criterion that they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.fields.catalogue import Catalogue, pick
from fairlead.fields.conditions import ConditionError, compile_tree
from fairlead.fields.conditions import words as condition_words
from fairlead.fields.enums import FieldType
from fairlead.work.enums import ActivityKind

from .branching import CRITERION
from .criteria import ACTIVITY_KINDS, BUYING_ROLES, MAX_DAYS, ROLES
from .definition import Definition
from .designer_floors import floor_inputs, floors_from
from .designer_groups import group_from, group_inputs
from .designer_inputs import MAX_WORDS, Input, Inputs, condition, condition_of, leaves_of, name_of, names
from .enums import CriterionType, Level
from .roles import buying_role_name, role_name

Values = Mapping[str, Any]
#: Types in the order in which they are offered at a gate, and inside a group: a group holds no group.
OFFERED: Final = tuple(CriterionType)
OFFERED_INSIDE: Final = tuple(t for t in CriterionType if t != CriterionType.GROUP)


@dataclass(frozen=True, slots=True)
class Around:
    """What a form may choose from: the fields of the subject, outside facts, scores and approvals of the document."""

    fields: Catalogue
    externals: tuple[str, ...]
    definition: Definition | None
    document: Mapping[str, Any]

    @property
    def field_options(self) -> tuple[tuple[str, str], ...]:
        return tuple((spec.key, spec.name()) for spec in self.fields)

    def branch_options(self, stage: str) -> tuple[tuple[str, str], ...]:
        """For the condition of a branch: the fields, and what was asked up to this stage (PD-6)."""
        found = []
        for one in self.definition.stages if self.definition else ():
            found += [
                (f"{CRITERION}{c.key}", _("Item: %(name)s") % {"name": pick(c.name)})
                for c in (*one.entry, *one.exit)
            ]
            if one.key == stage:
                break
        return (*self.field_options, *found)

    @property
    def stage_options(self) -> tuple[tuple[str, str], ...]:
        stages = self.definition.stages if self.definition else ()
        return tuple((s.key, pick(s.name) or s.key) for s in stages)

    @property
    def approval_options(self) -> tuple[tuple[str, str], ...]:
        kinds = self.definition.approvals.kinds if self.definition else {}
        return tuple((key, pick(kind.name) or key) for key, kind in kinds.items())

    def words(self, tree: Any) -> str:
        try:
            return condition_words(compile_tree(tree, self.fields))
        except ConditionError:
            return "…"


def choices(options: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(value), str(label)) for value, label in options)


def deal_roles() -> tuple[tuple[str, str], ...]:
    return tuple((r, role_name(r)) for r in ROLES)


def buyers() -> tuple[tuple[str, str], ...]:
    return tuple((r, buying_role_name(r)) for r in BUYING_ROLES)


def contact_kinds() -> tuple[tuple[str, str], ...]:
    return tuple((k, str(ActivityKind(k).label)) for k in ACTIVITY_KINDS)


# --- criteria ---


def criterion_inputs(type_: str, body: Values, around: Around) -> Inputs:
    """The sentence of one criterion: what it is called, what it asks for, when, and how hard it stands."""
    asked = _ASKED[CriterionType(type_)](body, around) if type_ in _ASKED else ()
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name")),
        *asked,
        Input(name="level", label=_("How hard it stands"), kind="select", options=choices(Level.choices),
              value=body.get("level", Level.BLOCK)),
        Input(name="role", label=_("Who owes it"), kind="select", options=(("", "—"), *deal_roles()),
              value=body.get("role") or ""),
        *condition("applies_if", body.get("applies_if"), around.field_options, first=_("Asked only if"),
                   kept=around.words(body.get("applies_if"))),
        Input(name="valid_days", label=_("Evidence holds for"), kind="number", low=1, high=MAX_DAYS, unit=_("days"),
              value=plain(body.get("valid_days"))),
        Input(name="waivable", label=_("May be waived"), kind="checkbox", value=body.get("waivable", True)),
        Input(name="unskippable", label=_("Asked even where its stage is skipped"), kind="checkbox",
              value=not body.get("skippable", True)),
        *names("help", _("Guidance for this item, in Chinese"), _("Guidance for this item, in English"), body.get("help"),
               optional=True, kind="textarea", most=500),
    )  # fmt: skip


def criterion_from(type_: str, values: Values, old: Values, around: Around) -> dict[str, Any]:
    """The criterion that the sentence says; what the form does not show stays as it was."""
    body = {k: v for k, v in old.items() if k in ("key", "envelope", "criteria", "outcomes")}
    body |= {"name": name_of(values, "name"), "type": type_, "level": values["level"]}
    body |= {
        k: v for k, v in _SAID[CriterionType(type_)](values, old, around).items() if v not in (None, "", [])
    }
    if type_ == CriterionType.GROUP:
        body.setdefault("criteria", [])  # its members come one by one
    only = condition_of(values, "applies_if", old.get("applies_if"), around.fields)
    if only is not None:
        body["applies_if"] = only
    if values["role"]:
        body["role"] = values["role"]
    if values["valid_days"] is not None:
        body["valid_days"] = values["valid_days"]
    if not values["waivable"]:
        body["waivable"] = False
    if values["unskippable"]:
        body["skippable"] = False
    if guidance := name_of(values, "help"):
        body["help"] = guidance
    return body


def plain(value: Any) -> str:
    return "" if value is None else str(value)


def _number(
    name: str, label: str, body: Values, low: int, high: int, otherwise: Any = None, unit: str = ""
) -> Input:
    return Input(name=name, label=label, kind="number", low=low, high=high, unit=unit,
                 value=plain(body.get(name, otherwise)))  # fmt: skip


def _asks_field(body: Values, around: Around) -> Inputs:
    return condition(
        "condition", _tree(body), around.field_options, first=_("Field"), kept=around.words(_tree(body))
    )


def _tree(body: Values) -> Any:
    if body.get("condition") is not None:
        return body["condition"]
    if body.get("field"):
        return {k: body[k] for k in ("field", "op", "value") if k in body} | {"op": body.get("op", "present")}
    return None


def _says_field(values: Values, old: Values, around: Around) -> dict[str, Any]:
    tree = condition_of(values, "condition", _tree(old), around.fields)
    if tree is None:
        return {"field": "?"}  # nothing chosen: the check of the document says so at the field
    return dict(tree) if "field" in tree else {"condition": tree}


def _asks_activity(body: Values, around: Around) -> Inputs:
    return (
        _number("min", _("At least"), body, 0, 1000, 1, _("contacts")),
        Input(name="kinds", label=_("Of the kind"), kind="checks", options=contact_kinds(), wide=True,
              value=body.get("kinds") or []),
        Input(name="contact_roles", label=_("With somebody who is"), kind="checks", options=buyers(), wide=True,
              value=body.get("contact_roles") or []),
        _number("within_days", _("Within the last"), body, 1, MAX_DAYS, unit=_("days")),
        _number("departments_min", _("From so many departments"), body, 0, 50),
    )  # fmt: skip


def _asks_document(body: Values, around: Around) -> Inputs:
    return (
        Input(name="kind", label=_("Kind of file"), value=body.get("kind", ""), most=60, optional=False,
              hint=_("A word of small letters, such as minutes or need_confirmation.")),
        Input(name="by", label=_("From whom"), kind="select", value=body.get("by") or "",
              options=(("", _("anybody")), ("customer", _("the customer")))),
        Input(name="signed", label=pgettext("a document", "Signed"), kind="checkbox", value=body.get("signed", False)),
        _number("version_min", _("From version"), body, 1, 1000),
    )  # fmt: skip


def _asks_relation(body: Values, around: Around) -> Inputs:
    roles = body.get("roles") or []
    return (
        Input(name="roles", label=_("Known at the customer"), kind="checks", options=buyers(), wide=True,
              value=roles if isinstance(roles, list) else [roles]),
        _number("min", _("At least so many of them"), body, 0, 7),
        _number("depth_min", _("Contact depth from"), body, 0, 4),
        _number("stance_min", _("Stance from"), body, -2, 2),
    )  # fmt: skip


def _asks_score(body: Values, around: Around) -> Inputs:
    scores = around.definition.scores if around.definition else {}
    options = tuple((key, pick(score.name)) for key, score in scores.items())
    return (
        Input(name="score", label=_("Score"), kind="select", options=options or (("", _("no score is declared")),),
              value=str(body.get("score", "")) or (options[0][0] if options else "")),
        _number("min", _("At least so many points"), body, 0, 1000, 1),
        *floor_inputs(body, around),
    )  # fmt: skip


def _asks_attestation(body: Values, around: Around) -> Inputs:
    return names("statement", _("What is confirmed, in Chinese"), _("What is confirmed, in English"),
                 body.get("statement"), optional=True, most=MAX_WORDS)  # fmt: skip


def _asks_approval(body: Values, around: Around) -> Inputs:
    options = around.approval_options
    if options:
        return (Input(name="approval", label=_("Approval"), kind="select", options=options,
                      value=str(body.get("approval", options[0][0]))),)  # fmt: skip
    return (Input(name="approval", label=_("Approval"), value=body.get("approval", ""), most=60, optional=False,
                  hint=_("The key of the approval, such as ati.")),)  # fmt: skip


def _asks_external(body: Values, around: Around) -> Inputs:
    options = tuple((key, key.replace("_", " ")) for key in around.externals)
    if not options:
        return (Input(name="fact", label=_("Fact"), value=body.get("fact", ""), most=60, optional=False),)
    return (Input(name="fact", label=_("Fact from outside"), kind="select", options=options,
                  value=str(body.get("fact", options[0][0]))),)  # fmt: skip


def _asks_child(body: Values, around: Around) -> Inputs:
    return (
        Input(name="tasks", label=_("List of tasks"), value=body.get("tasks", ""), most=60, optional=False,
              hint=_("A word of small letters by which the tasks are found.")),
        _number("min", _("At least so many done"), body, 0, 1000),
    )  # fmt: skip


def _asks_elapsed(body: Values, around: Around) -> Inputs:
    dates = tuple((s.key, s.name()) for s in around.fields if s.type in (FieldType.DATE, FieldType.DATETIME))
    return (
        _number("min_days", _("Working days in this stage"), body, 0, MAX_DAYS),
        Input(name="before", label=_("Or not later than"), kind="select", options=(("", "—"), *dates),
              value=body.get("before") or ""),
    )  # fmt: skip


def _named(*keys: str) -> Callable[[Values, Values, Around], dict[str, Any]]:
    return lambda values, old, around: {key: values[key] for key in keys}


def _says_document(values: Values, old: Values, around: Around) -> dict[str, Any]:
    said = {key: values[key] for key in ("kind", "by", "version_min")}
    return said | ({"signed": True} if values["signed"] else {})


def _says_score(values: Values, old: Values, around: Around) -> dict[str, Any]:
    return {"score": values["score"], "min": values["min"], "floor": floors_from(values, old) or None}


def _says_attestation(values: Values, old: Values, around: Around) -> dict[str, Any]:
    return {"statement": name_of(values, "statement") or None}


_ASKED: Final[Mapping[CriterionType, Callable[[Values, Around], Inputs]]] = {
    CriterionType.FIELD: _asks_field,
    CriterionType.ACTIVITY: _asks_activity,
    CriterionType.DOCUMENT: _asks_document,
    CriterionType.RELATION: _asks_relation,
    CriterionType.SCORE: _asks_score,
    CriterionType.ATTESTATION: _asks_attestation,
    CriterionType.APPROVAL: _asks_approval,
    CriterionType.EXTERNAL: _asks_external,
    CriterionType.CHILD: _asks_child,
    CriterionType.ELAPSED: _asks_elapsed,
    CriterionType.GROUP: group_inputs,
}
_SAID: Final[Mapping[CriterionType, Callable[[Values, Values, Around], dict[str, Any]]]] = {
    CriterionType.FIELD: _says_field,
    CriterionType.ACTIVITY: _named("min", "kinds", "contact_roles", "within_days", "departments_min"),
    CriterionType.DOCUMENT: _says_document,
    CriterionType.RELATION: _named("roles", "min", "depth_min", "stance_min"),
    CriterionType.SCORE: _says_score,
    CriterionType.ATTESTATION: _says_attestation,
    CriterionType.APPROVAL: _named("approval"),
    CriterionType.EXTERNAL: _named("fact"),
    CriterionType.CHILD: _named("tasks", "min"),
    CriterionType.ELAPSED: _named("min_days", "before"),
    CriterionType.GROUP: group_from,
}


def is_editable(body: Values) -> bool:
    """Whether the sentence can show it: a condition that is nested deeper stays as it is in the file."""
    return body.get("type") in _ASKED and leaves_of(_tree(body)) is not None
