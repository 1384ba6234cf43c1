"""What is worth a second look about the approvals of a document that may well be published (PD-5). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.conditions import Compiled, Leaf

from .approval_policy import ApprovalKind
from .definition import Definition, Trouble
from .enums import CriterionType


def approval_doubts(definition: Definition) -> Iterator[Trouble]:
    """Approvals that nothing asks for, and values that decide who is asked but are free to move afterwards (AP-3)."""
    asked = {
        str(one.params.get("approval"))
        for _stage, _side, criterion in definition.criteria()
        for one in (criterion, *criterion.children)
        if one.type == CriterionType.APPROVAL
    }
    asked |= {t.approval for stage in definition.stages for t in stage.transitions}
    for kind in definition.approvals.kinds.values():
        path = f"approvals.kinds.{kind.key}"
        if kind.key not in asked:
            said = _("Nothing asks for “%(approval)s” yet: add it as an item to the gate of a stage.")
            yield Trouble(f"{path}.uses", said % {"approval": pick(kind.name)})
        yield from _unbound(kind, f"{path}.binds")


def _unbound(kind: ApprovalKind, path: str) -> Iterator[Trouble]:
    free = {
        spec.key: spec.name() for row in kind.rows for spec in _read(row.when) if spec.key not in kind.fields
    }
    for name in free.values():
        said = _(
            "%(field)s decides who is asked, but is not bound: once “%(approval)s” is given, it may change "
            "within its tier without anybody being asked again."
        )
        yield Trouble(path, said % {"field": name, "approval": pick(kind.name)})


def _read(tree: Compiled | None) -> Iterator[FieldSpec]:
    if isinstance(tree, Leaf):
        yield tree.spec
    elif tree is not None:
        for part in tree.parts:
            yield from _read(part)
