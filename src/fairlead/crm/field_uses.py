"""Which fields the saved views of lists ask for or show, and where custom values stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import ngettext

from fairlead.fields import uses
from fairlead.fields.uses import Use

from .models import Account, Contact, Opportunity, SavedView, Segment

_ROWS = {"account": Account, "contact": Contact, "opportunity": Opportunity, "segment": Segment}


def register_field_uses() -> None:
    for kind, model in _ROWS.items():
        uses.keep_values_in(kind, model._default_manager.all)
    uses.read_with(read)


def read(subject_type: str, asker: Any) -> Iterator[tuple[str, Use]]:
    """Shared views by name; of views that people keep to themselves only the number."""
    own: dict[str, int] = {}
    views = SavedView.objects.filter(kind=subject_type, deleted_at=None)
    told = ("pk", "owner_id", "name", "tree", "sort", "cols", "is_shared")
    for pk, owner, name, tree, sort, cols, shared in views.values_list(*told):
        for key in _keys(tree) | {sort.removeprefix("-")} | set(cols.split(",")):
            if key and shared:
                yield key, Use("view", name, reverse("crm:view", args=[pk]) if owner == asker.pk else "")
            elif key:
                own[key] = own.get(key, 0) + 1
    for key, n in own.items():
        yield (
            key,
            Use("view", ngettext("%(n)s view of its owner", "%(n)s views of their owners", n) % {"n": n}),
        )


def _keys(tree: Any) -> set[str]:
    """Every field that a condition names, however deep."""
    if isinstance(tree, Mapping):
        named = {str(tree["field"])} if "field" in tree else set()
        return named.union(*(_keys(part) for part in tree.values()))
    if isinstance(tree, list):
        return set().union(*(_keys(part) for part in tree))
    return set()
