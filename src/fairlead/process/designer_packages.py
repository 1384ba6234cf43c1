"""Hand-overs in the designer: what one role hands to another, at which stages, to be answered by when (IT-5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .definition import Package
from .describing import joined
from .designer_inputs import Input, Inputs, Post, lines, lines_of, name_of, names
from .designer_pieces import PieceRow, PieceWords, in_both
from .designer_sentences import Around, Values, deal_roles, plain
from .designer_shapes import At, Form, name_words, other_language
from .editing_lists import PACKAGES
from .editing_places import items_of, key_from
from .team_reading import DEAL_TEAM
from .words import stage_name

USUAL_DAYS: Final = 2
MOST_DAYS: Final = 60


def package_inputs(body: Values, around: Around) -> Inputs:
    roles = tuple(pair for pair in deal_roles() if pair[0] in DEAL_TEAM)
    required, optional = ([i["name"] for i in items_of(body, "items") if i.get("required", True) is is_required
                           and isinstance(i.get("name"), Mapping)] for is_required in (True, False))  # fmt: skip
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name")),
        Input(name="from", label=_("From"), kind="select", options=roles, value=str(body.get("from") or "AR")),
        Input(name="to", label=_("To"), kind="select", options=roles, value=str(body.get("to") or "SR")),
        Input(name="days", label=_("To be answered within"), kind="number", low=1, high=MOST_DAYS,
              unit=_("working days"), value=plain(body.get("days", USUAL_DAYS))),
        Input(name="stages", label=_("Offered in these stages; none: in all"), kind="checks", wide=True,
              options=around.stage_options, value=body.get("stages") or []),
        *lines("required", _("Has to be brought, in Chinese"), _("Has to be brought, in English"), required),
        *lines("optional", _("May be brought, in Chinese"), _("May be brought, in English"), optional),
    )  # fmt: skip


def package_from(values: Values, old: Values) -> dict[str, Any]:
    """An item whose words stay in one language keeps its key: what was ticked is known by it."""
    taken: set[str] = set()
    items = []
    for name, is_required in (("required", True), ("optional", False)):
        for words in lines_of(values, name):
            key = _key_of(words, old, taken) or key_from(words, taken | _keys(old), "item")
            taken.add(key)
            items.append({"key": key, "name": words} | ({} if is_required else {"required": False}))
    body: dict[str, Any] = {"from": values["from"], "to": values["to"], "name": name_of(values, "name")}
    if values["stages"]:
        body["stages"] = values["stages"]
    return body | {"days": values["days"] or USUAL_DAYS, "items": items}


def _keys(old: Values) -> set[str]:
    return {str(item.get("key")) for item in items_of(old, "items")}


def _key_of(words: Mapping[str, str], old: Values, taken: set[str]) -> str:
    for item in items_of(old, "items"):
        said = item.get("name")
        free = isinstance(said, Mapping) and item.get("key") not in taken
        if free and any(said.get(language) == text for language, text in words.items()):
            return str(item["key"])
    return ""


def packages_part(document: Mapping[str, Any], at: At, near: Around) -> dict[str, Any]:
    entries = items_of(document, PACKAGES.name)
    number = int(at.item) if at.item.isdigit() and len(at.item) <= 3 else -1
    read = (
        list(near.definition.packages.values())
        if near.definition and len(near.definition.packages) == len(entries)
        else []
    )
    rows = [
        PieceRow(
            key=str(i), name=name_words(body), other=other_language(body.get("name")),
            says=in_both(partial(_package_words, read[i], near)) if read else [],
            count=f"{body.get('from', '?')} → {body.get('to', '?')}", said={"part": at.part, "number": str(i)},
            is_open=i == number, first=i == 0, last=i == len(entries) - 1,
        )
        for i, body in enumerate(entries)
    ]  # fmt: skip
    held = entries[number] if 0 <= number < len(entries) else None
    form = Form(
        op="package_add" if held is None else "package_set", inputs=package_inputs(held or {}, near),
        said={"part": at.part} | ({} if held is None else {"number": at.item}),
        submit=_("Add the hand-over") if held is None else _("Save the hand-over"),
        title=_("New hand-over") if held is None else name_words(held), icon="plus" if held is None else "check",
    )  # fmt: skip
    words = PieceWords(
        op=PACKAGES.op, inner_op="", icon="arrows-split", none=_("No hand-over of its own"),
        none_hint=_("A deal hands over what is usual until the first one is written here."),
        add=_("New hand-over"), add_inner="", none_inner="",
    )  # fmt: skip
    return {"pieces": words, "rows": rows, "forms": [form], "is_pieces": True}


def _package_words(read: Package, near: Around) -> str:
    assert near.definition is not None
    count = len(read.items)
    text = ngettext("%(count)s thing to bring", "%(count)s things to bring", count) % {"count": count}
    days = ngettext("within %(days)s working day", "within %(days)s working days", read.days) % {
        "days": read.days
    }
    where = joined(stage_name(near.definition, key) for key in read.stages)
    return " · ".join(filter(None, [text, days, where]))


def _read(post: Post, near: Around, row: Any) -> tuple[Inputs, Callable[[Values], dict[str, Any]]]:
    entries, number = items_of(row.document, PACKAGES.name), post.one("number")
    is_there = number.isdigit() and len(number) <= 3 and int(number) < len(entries)
    old: Values = entries[int(number)] if is_there else {}
    return package_inputs(old, near), lambda v: {"package": package_from(v, old)}


READINGS: Final = {"package_add": _read, "package_set": _read}
