"""From the document of a gate to its criteria (§2.2): what each type may say, needs, and how it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, FieldSpec
from fairlead.fields.conditions import Compiled, fields_of
from fairlead.fields.enums import FieldType, Operator

from .definition import Criterion, Score
from .document import Reader
from .enums import CriterionType, Level

COMMON_CRITERION_KEYS = {
    "key",
    "name",
    "type",
    "level",
    "applies_if",
    "valid_days",
    "skippable",
    "waivable",
    "role",
    "help",
}
# What each type of criterion may say beside the common keys; those with * are needed.
CRITERION_KEYS: Mapping[CriterionType, frozenset[str]] = {
    CriterionType.FIELD: frozenset({"field", "op", "value", "condition"}),
    CriterionType.ACTIVITY: frozenset(
        {"kinds", "min", "outcomes", "within_days", "departments_min", "contact_roles"}
    ),
    CriterionType.DOCUMENT: frozenset({"*kind", "version_min", "by", "signed"}),
    CriterionType.RELATION: frozenset({"*roles", "min", "depth_min", "stance_min"}),
    CriterionType.SCORE: frozenset({"*score", "*min", "floor"}),
    CriterionType.APPROVAL: frozenset({"*approval", "envelope"}),
    CriterionType.ATTESTATION: frozenset({"statement"}),
    CriterionType.EXTERNAL: frozenset({"*fact"}),
    CriterionType.CHILD: frozenset({"*tasks", "min"}),
    CriterionType.ELAPSED: frozenset({"min_days", "before"}),
    CriterionType.GROUP: frozenset({"*mode", "k", "*criteria"}),
}
ACTIVITY_KINDS = ("call", "meeting", "visit", "email", "chat", "demo", "site_visit", "workshop", "other")
ROLES = ("AR", "SR", "FR", "MGR", "MKT", "BIZ", "LEG", "FIN", "SDT")
BUYING_ROLES = ("EB", "UB", "TB", "PUR", "COACH", "INFLUENCER", "OPPONENT")
MAX_DAYS = 3650
# Numbers that a criterion may state, with their bounds.
NUMBERS: Mapping[str, tuple[int, int]] = {
    "min": (0, 1000),
    "within_days": (1, MAX_DAYS),
    "departments_min": (0, 50),
    "version_min": (1, 1000),
    "depth_min": (0, 4),
    "stance_min": (-2, 2),
    "min_days": (0, MAX_DAYS),
}


class CriteriaReader(Reader):
    """Reads the criteria of stages; knows the scores and the outside facts that they may refer to."""

    def __init__(self, catalogue: Catalogue, externals: Sequence[str]) -> None:
        super().__init__(catalogue)
        self.externals = externals
        self.scores: dict[str, Score] = {}
        self.seen_criteria: set[str] = set()
        self.criterion_words: dict[str, dict[str, str]] = {}  # how a branch that asks for one says so

    def criteria(self, value: Any, path: str, *, inside: bool = False) -> tuple[Criterion, ...]:
        found = []
        for i, item in enumerate(self.items(value, path)):
            if self.is_mapping(item, f"{path}.{i}"):
                key = item.get("key")
                criterion = self.criterion(
                    item, f"{path}.{key if isinstance(key, str) else i}", inside=inside
                )
                if criterion:
                    found.append(criterion)
        return tuple(found)

    def criterion(self, item: Mapping[str, Any], path: str, *, inside: bool) -> Criterion | None:
        if item.get("type") not in CriterionType.values:
            self.bad(f"{path}.type", _("There is no such type of criterion."))
            return None
        type_ = CriterionType(item["type"])
        allowed = {k.lstrip("*") for k in CRITERION_KEYS[type_]}
        self.unknown(item, COMMON_CRITERION_KEYS | allowed, path)
        missing = [k[1:] for k in CRITERION_KEYS[type_] if k.startswith("*") and k[1:] not in item]
        for needed in sorted(missing):
            self.bad(f"{path}.{needed}", _("This is needed."))
        if type_ == CriterionType.GROUP and inside:
            self.bad(path, _("A group holds no group."))
            return None
        if missing:
            return None
        level = item.get("level", Level.BLOCK)
        if level not in Level.values:
            self.bad(f"{path}.level", _("A level is block, flag or info."))
            level = Level.BLOCK
        key = self.key(item.get("key"), f"{path}.key")
        if key and key in self.seen_criteria:
            self.bad(f"{path}.key", _("The key is used twice in this process."))
        self.seen_criteria.add(key)
        if isinstance(named := item.get("name"), Mapping):
            zh, en = named.get("zh", key), named.get("en", key)
            self.criterion_words[key] = {"zh": f"“{zh}”已满足", "en": f"“{en}” met"}
        if item.get("role") is not None:
            self.keys([item["role"]], f"{path}.role", ROLES, _("There is no role “%(key)s”."))
        condition, fields, operator = self._reads(type_, item, path)
        self._check_params(type_, item, path)
        return Criterion(
            key=key,
            name=self.name(item.get("name"), f"{path}.name"),
            type=type_,
            level=Level(level),
            params={k: v for k, v in item.items() if k in allowed},
            applies_if=self.condition(item.get("applies_if"), f"{path}.applies_if"),
            condition=condition,
            fields=fields,
            operator=operator,
            valid_days=self.optional_number(item.get("valid_days"), f"{path}.valid_days", 1, MAX_DAYS),
            skippable=self.flag(item.get("skippable", True), f"{path}.skippable"),
            waivable=self.flag(item.get("waivable", True), f"{path}.waivable"),
            role=str(item.get("role") or ""),
            help=self.name(item.get("help"), f"{path}.help", needed=False),
            children=self.criteria(item["criteria"], f"{path}.criteria", inside=True)
            if type_ == CriterionType.GROUP
            else (),
            mode=str(item.get("mode", "")),
            k=k if isinstance(k := item.get("k", 0), int) else 0,
        )

    def _reads(
        self, type_: CriterionType, item: Mapping[str, Any], path: str
    ) -> tuple[Compiled | None, tuple[FieldSpec, ...], Operator | None]:
        if type_ == CriterionType.FIELD and item.get("condition") is not None:
            condition = self.condition(item["condition"], f"{path}.condition")
            return condition, self._leaf_specs(condition), None
        if type_ == CriterionType.FIELD:
            tree = {"field": item.get("field", ""), "op": item.get("op", "present")}
            if "value" in item:
                tree["value"] = item["value"]
            condition = self.condition(tree, path)
            operator = Operator(tree["op"]) if tree["op"] in Operator.values else None
            return condition, self._leaf_specs(condition), operator
        if type_ == CriterionType.SCORE:
            return None, self._score_specs(item, path), None
        if type_ == CriterionType.ELAPSED and item.get("before") is not None:
            spec = self.catalogue.get(str(item["before"]))
            if spec is None or spec.type not in (FieldType.DATE, FieldType.DATETIME):
                self.bad(f"{path}.before", _("A date field is expected."))
                return None, (), None
            return None, (spec,), None
        return None, (), None

    def _score_specs(self, item: Mapping[str, Any], path: str) -> tuple[FieldSpec, ...]:
        score = self.scores.get(str(item["score"]))
        if score is None:
            self.bad(
                f"{path}.score", _("There is no score “%(score)s”.") % {"score": str(item["score"])[:40]}
            )
            return ()
        self.number(item["min"], f"{path}.min", 0, score.top * len(score.elements))
        for element, low in self.mapping(item.get("floor"), f"{path}.floor").items():
            if element not in score.elements:
                self.bad(f"{path}.floor.{str(element)[:60]}", _("The score has no such element."))
            self.number(low, f"{path}.floor.{str(element)[:60]}", 0, score.top)
        return tuple(self.catalogue[e] for e in score.elements if e in self.catalogue)

    def _leaf_specs(self, condition: Compiled | None) -> tuple[FieldSpec, ...]:
        return tuple(self.catalogue[k] for k in sorted(fields_of(condition))) if condition else ()

    def _check_params(self, type_: CriterionType, item: Mapping[str, Any], path: str) -> None:
        if type_ != CriterionType.SCORE:  # its `min` has bounds of its own
            for name in CRITERION_KEYS[type_] & set(NUMBERS):
                self.optional_number(item.get(name), f"{path}.{name}", *NUMBERS[name])
        check = _PARAMS.get(type_)
        if check is not None:
            check(self, item, path)

    def check_relation(self, item: Mapping[str, Any], path: str) -> None:
        roles = self.keys(
            item["roles"], f"{path}.roles", BUYING_ROLES, _("There is no buying role “%(key)s”.")
        )
        if not roles:
            self.bad(f"{path}.roles", _("This is needed."))

    def check_activity(self, item: Mapping[str, Any], path: str) -> None:
        self.keys(
            self.items(item.get("kinds"), f"{path}.kinds"),
            f"{path}.kinds",
            ACTIVITY_KINDS,
            _("There is no kind of activity “%(key)s”."),
        )
        self.keys(
            self.items(item.get("contact_roles"), f"{path}.contact_roles"),
            f"{path}.contact_roles",
            BUYING_ROLES,
            _("There is no buying role “%(key)s”."),
        )
        for i, outcome in enumerate(self.items(item.get("outcomes"), f"{path}.outcomes")):
            self.key(outcome, f"{path}.outcomes.{i}")

    def check_document(self, item: Mapping[str, Any], path: str) -> None:
        self.key(item["kind"], f"{path}.kind")
        if item.get("by") not in (None, "", "customer"):
            self.bad(f"{path}.by", _("Only “customer” can stand here."))
        self.flag(item.get("signed", False), f"{path}.signed")

    def check_external(self, item: Mapping[str, Any], path: str) -> None:
        fact = self.key(item["fact"], f"{path}.fact")
        if fact and self.externals and fact not in self.externals:
            self.bad(f"{path}.fact", _("Nobody reports the fact “%(fact)s”.") % {"fact": fact})

    def check_group(self, item: Mapping[str, Any], path: str) -> None:
        count = len(item["criteria"]) if isinstance(item["criteria"], (list, tuple)) else 0
        if item["mode"] not in ("all", "any", "k_of"):
            self.bad(f"{path}.mode", _("A group is all, any or k_of."))
        elif not count:
            self.bad(f"{path}.criteria", _("A group needs at least one item."))
        elif item["mode"] == "k_of" and not (type(item.get("k")) is int and 0 < item["k"] <= count):
            self.bad(f"{path}.k", _("k is a number from 1 to the number of criteria."))

    def check_attestation(self, item: Mapping[str, Any], path: str) -> None:
        self.name(item.get("statement"), f"{path}.statement", needed=False)
        if not item.get("role"):
            self.bad(f"{path}.role", _("Say which role confirms."))

    def check_elapsed(self, item: Mapping[str, Any], path: str) -> None:
        if item.get("before") is None and item.get("min_days") is None:
            self.bad(f"{path}.min_days", _("A number of working days, or a date field, is expected."))

    def check_child(self, item: Mapping[str, Any], path: str) -> None:
        self.key(item["tasks"], f"{path}.tasks")

    def check_approval(self, item: Mapping[str, Any], path: str) -> None:
        self.key(item["approval"], f"{path}.approval")
        self.text(item.get("envelope"), f"{path}.envelope")


_PARAMS: Mapping[CriterionType, Callable[[CriteriaReader, Mapping[str, Any], str], None]] = {
    CriterionType.RELATION: CriteriaReader.check_relation,
    CriterionType.ACTIVITY: CriteriaReader.check_activity,
    CriterionType.DOCUMENT: CriteriaReader.check_document,
    CriterionType.EXTERNAL: CriteriaReader.check_external,
    CriterionType.GROUP: CriteriaReader.check_group,
    CriterionType.ATTESTATION: CriteriaReader.check_attestation,
    CriterionType.ELAPSED: CriteriaReader.check_elapsed,
    CriterionType.CHILD: CriteriaReader.check_child,
    CriterionType.APPROVAL: CriteriaReader.check_approval,
}
