"""Choosing the columns of a list: a plain form, each press of a button a new address."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..lists import MOST_COLUMNS, BadList, ListPage


def chosen(request: HttpRequest, found: ListPage) -> str:
    """The address that a sent form of columns makes, or nothing where none was sent.

    `col`: the keys in their order; `move`: `key:-1` or `key:1`, a step to the front or to the back.
    """
    if "choose" not in request.GET:
        return ""
    wanted = request.GET["choose"]
    if wanted == "default":
        return found.address(cols="")
    keys = list(dict.fromkeys(key for key in request.GET.getlist("col")[:200] if key in found.fields))
    key, _colon, step = wanted.partition(":")
    if key in keys and step in ("-1", "1"):
        at = keys.index(key)
        to = min(max(at + int(step), 0), len(keys) - 1)
        keys.insert(to, keys.pop(at))
    if not keys:
        raise BadList(_("Choose at least one column."))
    if len(keys) > MOST_COLUMNS:
        raise BadList(_("At most %(n)s columns fit. Take some out first.") % {"n": MOST_COLUMNS})
    cols = ",".join(keys)
    address = found.address(cols="" if keys == found.default_columns else cols)
    if step:  # the form stays open for the next step
        address += f"{'&' if '?' in address else '?'}columns=open#columns"
    return address


def context(request: HttpRequest, found: ListPage) -> dict[str, Any]:
    shown = [spec.key for spec in found.columns]
    rest = [(key, name) for key, name in found.names.items() if key not in shown]
    return {
        "is_open": request.GET.get("columns") == "open",
        "shown": tuple((spec.key, found.names[spec.key]) for spec in found.columns),
        "rest": tuple(sorted(rest, key=lambda one: one[1])),
        "is_default": shown == found.default_columns,
    }
