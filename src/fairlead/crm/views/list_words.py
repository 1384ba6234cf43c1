"""A list in words: its conditions with the names that they mean, and its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from fairlead.common.money import format_amount
from fairlead.fields.catalogue import pick
from fairlead.fields.conditions import Compiled, Leaf, leaf_words, value_words, words
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.process.models import StageRow

from ..lists import ListPage, chips_of
from ..selectors.references import names_of, target_of


def sentence_of(found: ListPage) -> Callable[[Compiled], str]:
    """How a condition of this list reads."""
    stages = _stage_names(found)
    return lambda tree: sentence(tree, found, stages)


def sentences(found: ListPage) -> list[str]:
    return [chip.text for chip in chips_of(found, sentence_of(found))]


def order_words(found: ListPage) -> str:
    name = found.sort.removeprefix("-")
    words = {"created": _("Created")}
    said = found.fields[name].name() if name in found.fields else words.get(name, name)
    return f"{said} ↓" if found.sort.startswith("-") else f"{said} ↑"


def looked_words(limit: int) -> str:
    """Said where a condition that is worked out record by record did not see them all."""
    return _(
        "The relationship was worked out for the first %(n)s records in this order. Add a condition to reach the others."
    ) % {"n": f"{limit:,}"}


def sentence(tree: Compiled, found: ListPage, stages: Mapping[str, str]) -> str:
    """A condition in words; ids of people and records are named, stages are called by their names."""
    if not isinstance(tree, Leaf):
        return words(tree)
    if tree.spec.key == "stage" and tree.value is not None:
        values = tree.value if isinstance(tree.value, tuple) else (tree.value,)
        listed = _(", ").join(stages.get(v, v) for v in values)
        return f"{tree.spec.name()} {tree.op.label} {listed}"
    if tree.spec.type in REFERENCE and tree.value is not None:
        values = tree.value if isinstance(tree.value, tuple) else (tree.value,)
        names = names_of(((tree.spec, v) for v in values), reader=found.user)
        said = _(", ").join(names.get((target_of(tree.spec), int(v)), f"#{v}") for v in values)
        return f"{tree.spec.name()} {tree.op.label} {said}"
    if tree.spec.type == FieldType.MONEY and isinstance(tree.value, Decimal):
        return leaf_words(tree).replace(value_words(tree.spec, tree.value), format_amount(tree.value))
    return leaf_words(tree)


def _stage_names(found: ListPage) -> dict[str, str]:
    """Names of the stages by axis, read only where a condition speaks of one."""
    if found.tree is None or '"stage"' not in str(found.tree).replace("'", '"'):
        return {}
    return stage_options()


def stage_options() -> dict[str, str]:
    rows = StageRow.objects.filter(version__status="published").order_by("process_key", "order")
    found: dict[str, str] = {}
    for key, name in rows.values_list("axis_key", "name"):
        found.setdefault(key, pick(name))
    return found
