"""Saved views as a reader meets them: which there are, which opens first, and what one means for this reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from fairlead.common.questions import Question
from fairlead.fields.catalogue import Catalogue
from fairlead.fields.conditions import check
from fairlead.organisation.enums import Role

from ..lists import BadList, ListKind, ListPage, dump, read_tree, readable_sort
from ..models import FirstView, SavedView

STATE = ("q", "filter", "sort", "cols")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a view says to one reader, and how much of it was left out for them."""

    q: str
    filter: str
    sort: str
    cols: str
    left_out: int = 0

    def params(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in STATE}


def _views_of(kind: str, person: int) -> Any:
    chosen = FirstView.objects.filter(view=OuterRef("pk"), person=person)
    rows = SavedView.objects.visible_to(person).filter(kind=kind).annotate(is_first=Exists(chosen))
    return rows.order_by("name", "pk")[:200]


_views: Question[SavedView] = Question(_views_of)


def views_of(kind: str, user: Any) -> list[SavedView]:
    """One's own and the shared ones by name; `is_first`: chosen by this reader to open first."""
    return _views(kind, user.pk)


def first_of(views: Iterable[SavedView], user: Any) -> SavedView | None:
    """The reader's own choice, else the one of the first of their roles that has one."""
    found = list(views)
    if own := next((view for view in found if getattr(view, "is_first", False)), None):
        return own
    for role in Role.values:
        if role in user.roles and (fitting := [v for v in found if v.is_shared and role in v.roles]):
            return fitting[0]
    return None


def meaning_of(view: SavedView, kind: ListKind, fields: Catalogue) -> Meaning:
    """The view without what is not there for this reader: a field that is gone and one that may not be read
    look the same, and neither is named."""
    dropped = 0
    tree: Mapping[str, Any] | None = view.tree
    if tree is not None:
        tree, dropped = _pruned(tree, fields)
    keys = [key for key in view.cols.split(",") if key]
    kept = [key for key in dict.fromkeys(keys) if key in fields]
    dropped += len(keys) - len(kept)
    sort = view.sort or kind.default_sort
    if not readable_sort(kind, sort, fields):
        sort, dropped = kind.default_sort, dropped + 1
    default = [key for key in kind.columns if key in fields]
    raw = dump(tree)
    if raw:
        try:
            read_tree(raw, fields)
        except BadList:
            raw, dropped = "", dropped + 1
    return Meaning(view.q, raw, sort, "" if kept == default else ",".join(kept), dropped)


def _pruned(tree: Any, fields: Catalogue) -> tuple[Any, int]:
    """The tree without the conditions that cannot be asked, and how many those were. A negation goes as a
    whole: half of what it denies would deny something else."""
    if isinstance(tree, Mapping):
        for mode in ("all", "any"):
            if isinstance(parts := tree.get(mode), Sequence) and not isinstance(parts, str):
                found = [_pruned(part, fields) for part in parts]
                kept = [part for part, _dropped in found if part is not None]
                return ({mode: kept} if kept else None), sum(dropped for _part, dropped in found)
        if "not" in tree:
            _inner, dropped = _pruned(tree["not"], fields)
            return (None, dropped) if dropped else (tree, 0)
        if not check(tree, fields):
            return tree, 0
    return None, 1


def is_changed(found: ListPage, meaning: Meaning) -> bool:
    return found.state() != meaning.params()
