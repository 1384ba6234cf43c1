"""What changed in the groups of items from one version of a process to the next, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .change import Change
from .definition import Criterion
from .describing import group_words


def group_changes(stage: str, old: Criterion, new: Criterion) -> list[Change]:
    """How many of a group are asked for, and which items came, went or are another now."""
    where = {"stage": stage, "group": pick(new.name)}
    found = []
    if (old.mode, old.k) != (new.mode, new.k):
        said = _("%(stage)s: of “%(group)s” %(old)s → %(new)s")
        found.append(Change("changed", said % {**where, "old": group_words(old), "new": group_words(new)}))
    were, are = ({c.key: c for c in one.children} for one in (old, new))
    item = _("%(stage)s: “%(item)s” in “%(group)s”")
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        found += [
            Change(sign, item % {**where, "item": pick(c.name)})
            for key, c in some.items()
            if key not in others
        ]
    found += [
        Change("changed", item % {**where, "item": pick(c.name)})
        for key, c in are.items()
        if key in were and _asked(were[key]) != _asked(c)
    ]
    return found


def _asked(criterion: Criterion) -> tuple[object, ...]:
    one = criterion
    return one.name, one.level, one.params, one.applies_if, one.valid_days, one.role
