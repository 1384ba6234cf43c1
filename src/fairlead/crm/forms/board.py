"""The address of a board as a filter, and back. What cannot be read is left out: an address never breaks a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.http import urlencode

from fairlead.common.text import matches

from ..selectors.board import GATE_STATES, NEXT_STATES, SCOPES, SORTS, BoardFilter

LARGEST = Decimal("1e15")
MAX_ID = 2**63 - 1


def read_filter(params: Mapping[str, Any], *, processes: list[str], scope: str = "all") -> BoardFilter:
    """`processes`: keys to choose from, the default first. `scope`: where none is said."""
    key = str(params.get("process", ""))
    return BoardFilter(
        process=key if key in processes else (processes[0] if processes else ""),
        scope=_one_of(params, "scope", SCOPES, scope),
        owner=_id(params, "owner"),
        amount=_amount(params, "amount"),
        account=_id(params, "account"),
        close_from=_date(params, "close_from"),
        close_to=_date(params, "close_to"),
        next=_one_of(params, "next", NEXT_STATES),
        gate=_one_of(params, "gate", GATE_STATES),
        text=matches(str(params.get("q", ""))[:100]),
        sort=_one_of(params, "sort", tuple(SORTS), "amount"),
    )


def as_query(f: BoardFilter, **changes: Any) -> str:
    """`?process=…&next=overdue`: the address of this filter, with `changes`."""
    new = replace(f, **changes)
    values = {
        "process": new.process,
        "scope": new.scope,
        "owner": new.owner,
        "amount": format(new.amount.normalize(), "f") if new.amount is not None else None,
        "account": new.account,
        "close_from": new.close_from.isoformat() if new.close_from else None,
        "close_to": new.close_to.isoformat() if new.close_to else None,
        "next": new.next,
        "gate": new.gate,
        "q": new.text,
        "sort": new.sort if new.sort != "amount" else "",
    }
    return "?" + urlencode({name: value for name, value in values.items() if value not in (None, "")})


def _one_of(params: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str = "") -> str:
    value = str(params.get(name, ""))
    return value if value in choices else default


def _id(params: Mapping[str, Any], name: str) -> int | None:
    text = str(params.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= MAX_ID else None


def _amount(params: Mapping[str, Any], name: str) -> Decimal | None:
    try:
        value = Decimal(str(params.get(name, ""))[:40].replace(",", "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 < value < LARGEST else None


def _date(params: Mapping[str, Any], name: str) -> date | None:
    try:
        return parse_date(str(params.get(name, ""))[:10])
    except ValueError:
        return None
