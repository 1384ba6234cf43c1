"""Lists of records by condition, search and named sort, as far as the reader may know of the fields."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from fairlead.common.rest import BadInput, loads

from .catalogue import Catalogue, catalogue
from .conditions import ConditionError, compile_tree, narrowed

M = TypeVar("M", bound=Model)
MAX_FILTER = 8000


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


def sorts_of(fields: Catalogue, **more: str) -> Mapping[str, str]:
    """The names of the indexed sorts of a list, with their ORM paths."""
    return {spec.key: spec.sort for spec in fields if spec.sort} | more
