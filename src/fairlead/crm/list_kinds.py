"""The lists of this room: what each shows at first, and by what it can be ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from fairlead.fields.catalogue import FieldSpec, Option
from fairlead.fields.enums import FieldType
from fairlead.process.enums import JourneyState

from .lists import ListKind, Sort, register
from .models import Account, Contact, Opportunity, Segment
from .selectors.strengths import STRENGTH, account_levels, contact_levels

_STATES: Mapping[str, tuple[str, str]] = {
    "open": ("进行中", "Open"),
    "on_hold": ("搁置", "On hold"),
    "won": ("赢单", "Won"),
    "lost": ("丢单", "Lost"),
    "cancelled": ("取消", "Cancelled"),
    "left": ("已退出流程", "Left the process"),
}
assert set(_STATES) == set(JourneyState.values)
_GATES: Mapping[str, tuple[str, str]] = {
    "ready": ("可推进", "Ready"),
    "missing": ("缺项", "Items missing"),
    "waived": ("带豁免", "Ready by waiver"),
    "unknown": ("未知", "Unknown"),
}
_OUTCOMES: Mapping[str, tuple[str, str]] = {
    "won": ("赢单", "Won"),
    "lost": ("输给竞争对手", "Lost to a competitor"),
    "no_decision": ("未决策", "No decision"),
    "walked_away": ("我方放弃", "We walked away"),
    "invalid": ("无效", "Invalid"),
    "duplicate": ("重复", "Duplicate"),
    "merged": ("已合并", "Merged into another"),
    "left": ("已退出流程", "Left the process"),
}


def _options(labels: Mapping[str, tuple[str, str]]) -> tuple[Option, ...]:
    return tuple(Option(value, {"zh": zh, "en": en}) for value, (zh, en) in labels.items())


def _f(key: str, type_: FieldType, zh: str, en: str, path: str, **more: object) -> FieldSpec:
    return FieldSpec(key=key, type=type_, label={"zh": zh, "en": en}, path=path, settable=False, **more)  # type: ignore[arg-type]


CREATED = _f("created", FieldType.DATETIME, "创建时间", "Created", "created_at")
UPDATED = _f("updated", FieldType.DATETIME, "更新时间", "Updated", "updated_at")
JOURNEY: tuple[FieldSpec, ...] = (
    _f("stage", FieldType.TEXT, "阶段", "Stage", "journey__stage__axis_key"),
    _f("state", FieldType.CHOICE, "状态", "State", "journey__state", options=_options(_STATES)),
    _f("outcome", FieldType.CHOICE, "结果", "Outcome", "journey__outcome", options=_options(_OUTCOMES)),
    _f("gate", FieldType.CHOICE, "关口", "Gate", "journey__gate_state", options=_options(_GATES)),
    _f("entered", FieldType.DATETIME, "进入阶段", "Entered stage", "journey__entered_at"),
    _f("next_step", FieldType.DATETIME, "下一步", "Next step", "journey__next_step_at"),
    _f(
        "probability",
        FieldType.INTEGER,
        "赢率",
        "Win probability",
        "journey__probability",
        unit="%",
        zero_is_placeholder=False,
    ),
    _f("closed", FieldType.DATETIME, "关闭时间", "Closed", "journey__closed_at"),
)


def with_dates() -> Sequence[FieldSpec]:
    return (CREATED, UPDATED)


def with_strength() -> Sequence[FieldSpec]:
    return (STRENGTH, CREATED, UPDATED)


def with_journey() -> Sequence[FieldSpec]:
    return (*JOURNEY, CREATED, UPDATED)


def visible_deals(user: Any) -> QuerySet[Opportunity]:
    """`visible_to`, asked so that a seller's few deals are found first and sorted then; the other way
    round SQLite goes through everybody's deals in the order of the list. PostgreSQL knows how few they are."""
    rows = Opportunity.objects.visible_to(user)
    reach = user.reach("opportunity.view")
    if reach.all or reach.team_ids or connection.vendor == "postgresql":
        return rows
    return Opportunity.objects.filter(pk__in=rows.values("pk"))


def register_lists() -> None:
    register(
        ListKind(
            kind="opportunity",
            page="crm:opportunities",
            more=with_journey,
            rows=lambda user: (
                visible_deals(user)
                .select_related("account", "owner", "journey__stage")
                .defer("description", "search_key", "account__custom", "account__search_key")
            ),
            columns=(
                "name",
                "account",
                "stage",
                "amount",
                "expected_close_date",
                "next_step",
                "gate",
                "owner",
            ),
            sorts={
                "created": Sort("created_at"),
                "name": Sort("name"),
                "amount": Sort("amount", nullable=True),
                "expected_close_date": Sort("expected_close_date", nullable=True),
            },
            default_sort="-created",
        )
    )
    register(
        ListKind(
            kind="account",
            page="crm:accounts",
            more=with_strength,
            worked_out={STRENGTH.key: account_levels},
            rows=lambda user: (
                Account.objects.visible_to(user).select_related("owner").defer("search_key", "name_key")
            ),
            columns=("name", "tier", "industry", "region", "city", "is_customer", "owner", "updated"),
            sorts={"name": Sort("name_key")},
            default_sort="name",
        )
    )
    register(
        ListKind(
            kind="contact",
            page="crm:contacts",
            more=with_strength,
            worked_out={STRENGTH.key: contact_levels},
            rows=lambda user: (
                Contact.objects.visible_to(user)
                .select_related("account", "owner")
                .defer(
                    "search_key",
                    "name_key",
                    "note",
                    "account__custom",
                    "account__search_key",
                    "account__name_key",
                )
            ),
            columns=("name", "account", "title", "department", "mobile", "email", "updated"),
            sorts={"name": Sort("name_key")},
            default_sort="name",
        )
    )
    register(
        ListKind(
            kind="segment",
            page="crm:segments",
            more=with_dates,
            rows=lambda user: Segment.objects.visible_to(user).select_related("owner").defer("search_key"),
            columns=("name", "market_size", "growth", "owner", "updated"),
            sorts={"name": Sort("name")},
            default_sort="name",
        )
    )
