"""Several of the inbox at once: by one rule of the lowest tier, or by one item that is asked to be let pass. Each has its
own result, and none stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Refusal

from .approval_words import kind_name, row_name
from .definitions import definition_of
from .models import OverrideRequest
from .override_words import asked_name
from .selectors.approval_inbox import Item
from .selectors.waiting import Waiting
from .services import approving, overrides

LETTING: Final = "~let-pass"  # in the place of a kind of approval, which is never written so

Result = dict[str, Any]


def together_of(waiting: Sequence[Waiting]) -> list[dict[str, Any]]:
    """Rules and items that several of these are about: they can be decided together."""
    rules: dict[tuple[str, str], list[Item]] = {}
    items: dict[str, list[OverrideRequest]] = {}
    for one in waiting:
        if one.item is not None and is_plain(one.item):
            key = (one.item.request.kind, next(iter(one.item.rows_asked)))
            rules.setdefault(key, []).append(one.item)
        if one.asked is not None and one.asked.criterion_key:
            items.setdefault(one.asked.criterion_key, []).append(one.asked)
    here = reverse("process:approvals_together")
    return [
        {
            "url": f"{here}?{urlencode({'kind': kind, 'rule': rule})}",
            "n": len(rows),
            "name": rule_name(rows[0]),
            "is_letting": False,
        }
        for (kind, rule), rows in rules.items()
        if len(rows) > 1
    ] + [
        {
            "url": f"{here}?{urlencode({'kind': LETTING, 'rule': key})}",
            "n": len(asked),
            "name": item_name(asked[0]),
            "is_letting": True,
        }
        for key, asked in items.items()
        if len(asked) > 1
    ]


def is_plain(item: Item) -> bool:
    """Whether it may be approved with others: one rule, of the lowest tier of its lever, in one's own name."""
    kind = item.kind
    if kind is None or len(item.rows_asked) != 1 or any(seat.because for seat in item.seats):
        return False
    row = kind.row(next(iter(item.rows_asked)))
    return row is not None and row.tier == min(r.tier for r in kind.rows if r.lever == row.lever)


def rule_name(item: Item) -> str:
    kind = item.kind
    row = kind.row(next(iter(item.rows_asked))) if kind else None
    name = kind_name(item.definition, item.request.kind)
    return f"{name}: {row_name(row)}" if row is not None else name


def item_name(asked: OverrideRequest) -> str:
    return asked_name(asked, definition_of(asked.journey.process_version))


def approve_together(
    fitting: Iterable[Item],
    wanted: set[int],
    *,
    versions: Mapping[int, int],
    comment: str,
    by: Any,
    channel: str,
) -> list[Result]:
    """The result of each: what cannot be approved says why and stays as it was."""
    titles = {item.request.pk: item.journey.title for item in fitting}

    def approve(pk: int) -> None:
        approving.decide(
            pk,
            approves=True,
            comment=comment,
            version=versions.get(pk),
            by=by,
            at=timezone.now(),
            channel=channel,
        )

    return _each(wanted, titles, approve, _("Approved"))


def let_pass_together(
    fitting: Iterable[OverrideRequest], wanted: set[int], *, comment: str, by: Any, channel: str
) -> list[Result]:
    """The result of each: what may not be let pass, the budget of waivers included, says why and stays as it was."""
    titles = {asked.pk: asked.journey.title for asked in fitting}

    def let_pass(pk: int) -> None:
        overrides.decide_override(pk, granted=True, text=comment, by=by, at=timezone.now(), channel=channel)

    return _each(wanted, titles, let_pass, _("Let pass"))


def _each(wanted: set[int], titles: Mapping[int, str], act: Callable[[int], None], done: str) -> list[Result]:
    found: list[Result] = []
    for pk in sorted(wanted):
        if pk not in titles:
            said = _("This is not among what one rule asks of you; decide it by itself.")
            found.append({"pk": pk, "title": f"#{pk}", "done": False, "code": "not-together", "text": said})
            continue
        one: Result = {"pk": pk, "title": titles[pk]}
        try:
            act(pk)
        except Refusal as refusal:
            found.append(one | {"done": False, "code": refusal.code, "text": str(refusal.message)})
        else:
            found.append(one | {"done": True, "code": "", "text": done})
    return found
