"""What changed about approvals from one version of a process to the next, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import pick
from fairlead.fields.conditions import words as condition_words

from .approval_policy import ApprovalKind, PackageItem, Prohibition
from .approval_words import approver_name, bind_sentence, kind_sentence, row_sentence
from .definition import Definition
from .roles import role_name

Said = tuple[str, str]  # sign, text
Words = Mapping[Any, str]


def approval_changes(old: Definition, new: Definition) -> Iterator[Said]:
    """Kinds that came and went, and of those that stayed: rows, what is bound, prohibited or brought along, validity."""
    before, after = old.approvals.kinds, new.approvals.kinds
    for sign, some, others, whole in (("removed", before, after, old), ("added", after, before, new)):
        for key, kind in some.items():
            if key not in others:
                said = _("Approval “%(name)s”: %(rows)s")
                yield sign, said % {"name": pick(kind.name), "rows": kind_sentence(kind, whole)}
    for key, kind in after.items():
        if key in before:
            name = pick(kind.name)
            for sign, text in _kind(before[key], kind, old, new):
                yield sign, _("“%(name)s”: %(change)s") % {"name": name, "change": text}
    yield from _committees(old, new)
    if old.approvals.distinct != new.approvals.distinct:
        yield (
            "changed",
            _("Approvals: somebody asked twice in a row decides %(times)s")
            % {"times": _("once") if new.approvals.distinct else _("each time")},
        )


def _kind(old: ApprovalKind, new: ApprovalKind, then: Definition, now: Definition) -> Iterator[Said]:
    if old.name != new.name:
        yield "changed", _("was called %(name)s") % {"name": pick(old.name)}
    yield from _compared({r.key: _row(r, then) for r in old.rows}, {r.key: _row(r, now) for r in new.rows})
    yield from _compared(
        {(b.lever, b.spec.key): bind_sentence(b) for b in old.binds},
        {(b.lever, b.spec.key): bind_sentence(b) for b in new.binds},
    )
    yield from _compared(_prohibited(old.prohibited), _prohibited(new.prohibited))
    for were, are in ((old.package, new.package), (old.opinions, new.opinions)):
        yield from _compared(_items(were), _items(are))
    for was, is_, words in (
        (old.valid_days, new.valid_days, _validity),
        (old.carry, new.carry, _carry),
        (old.lapses_on_regress, new.lapses_on_regress, _regress),
    ):
        if was != is_:
            yield "changed", _was(words(is_), words(was))


def _compared(were: Words, are: Words) -> Iterator[Said]:
    yield from (("removed", text) for key, text in were.items() if key not in are)
    yield from (("added", text) for key, text in are.items() if key not in were)
    yield from (
        ("changed", _was(text, were[key])) for key, text in are.items() if were.get(key, text) != text
    )


def _was(now: str, then: str) -> str:
    return _("%(now)s (was: %(then)s)") % {"now": now, "then": then}


def _row(row: Any, definition: Definition) -> str:
    """The sentence of a row; tier, lever and clocks only where they are not the usual ones."""
    text = row_sentence(row, definition)
    if row.tier > 1:
        text = _("%(row)s, tier %(tier)s") % {"row": text, "tier": row.tier}
    if (row.response_hours, row.decision_hours) != (8, 24):
        text = _("%(row)s, within %(first)s and %(whole)s h") % {
            "row": text, "first": row.response_hours, "whole": row.decision_hours,
        }  # fmt: skip
    return text


def _prohibited(entries: Iterable[Prohibition]) -> dict[str, str]:
    return {
        p.key: _("“%(name)s”: nobody approves if %(condition)s")
        % {"name": pick(p.name), "condition": condition_words(p.when)}
        for p in entries
    }


def _items(entries: Iterable[PackageItem]) -> dict[str, str]:
    found = {}
    for one in entries:
        text = _("brings along “%(name)s”") % {"name": pick(one.name)}
        if one.role:
            text = _("%(item)s from %(role)s") % {"item": text, "role": role_name(one.role)}
        found[one.key] = text if one.needed else _("%(item)s, if there is any") % {"item": text}
    return found


def _validity(days: Any) -> str:
    if days is None:
        return _("without end")
    return ngettext("holds for %(days)s day", "holds for %(days)s days", days) % {"days": days}


def _carry(carry: Any) -> str:
    return _("what was approved counts again") if carry else _("everything is asked anew")


def _regress(lapses: Any) -> str:
    return _("ends on a move back") if lapses else _("stays on a move back")


def _committees(old: Definition, new: Definition) -> Iterator[Said]:
    def words(definition: Definition) -> dict[str, str]:
        return {
            key: _("Committee “%(name)s”: %(members)s")
            % {
                "name": pick(one.name),
                "members": _(", ").join(approver_name(m, definition) for m in one.members),
            }
            for key, one in definition.approvals.committees.items()
        }

    yield from _compared(words(old), words(new))
