"""Lists of records by condition, search and named sort, as far as the reader may know of the fields."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from fairlead.common.rest import BadInput, loads

from .catalogue import Catalogue, catalogue
from .conditions import Compiled, ConditionError, Leaf, Node, compile_tree, narrow
from .enums import FieldType, Operator

M = TypeVar("M", bound=Model)
MAX_FILTER = 8000
#: Operators that a column answers as they are.
PLAIN_LOOKUPS = {
    Operator.EQ: "",
    Operator.IN: "__in",
    Operator.GT: "__gt",
    Operator.GTE: "__gte",
    Operator.LT: "__lt",
    Operator.LTE: "__lte",
}


def readable(subject_type: str, reader: Any) -> Catalogue:
    """The catalogue without what the reader may not read: to them such a field is not there."""
    fields = catalogue(subject_type)
    return Catalogue(subject_type, fields.readable_by(reader))


def filtered(rows: QuerySet[M], tree: str, fields: Catalogue, *, at: datetime) -> QuerySet[M]:
    """`rows` of which the condition (JSON) is true. Raises BadInput with every problem and its path."""
    if not tree:
        return rows
    if len(tree) > MAX_FILTER:
        raise BadInput.field("filter", _("At most %(limit)s characters.") % {"limit": MAX_FILTER})
    try:
        compiled = compile_tree(loads(tree), fields)
    except ConditionError as error:
        raise BadInput(_("The filter cannot be read."), errors=[
            {"field": ".".join(filter(None, ["filter", p.path])), "message": p.message} for p in error.problems
        ]) from None  # fmt: skip
    return narrowed(rows, compiled, at=at)


def narrowed(rows: QuerySet[M], tree: Compiled, *, at: datetime) -> QuerySet[M]:
    """Rows of which the tree is true. Plain conditions that all must hold go to the database as they are, so
    that an index can serve them; the rest goes through `narrow`, which means the same."""
    parts = tree.parts if isinstance(tree, Node) and tree.mode == "all" else (tree,)
    rest = []
    for part in parts:
        if (
            isinstance(part, Leaf)
            and not part.spec.custom
            and part.op in PLAIN_LOOKUPS
            and part.spec.type != FieldType.MULTI_CHOICE
        ):
            value = list(part.value) if isinstance(part.value, tuple) else part.value
            rows = rows.filter(**{f"{part.spec.path or part.spec.key}{PLAIN_LOOKUPS[part.op]}": value})
        else:
            rest.append(part)
    return narrow(rows, Node("all", tuple(rest)), now=at) if rest else rows


def sorts_of(fields: Catalogue, **more: str) -> Mapping[str, str]:
    """The names of the indexed sorts of a list, with their ORM paths."""
    return {spec.key: spec.sort for spec in fields if spec.sort} | more
