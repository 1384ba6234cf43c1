"""The fields that a column can be mapped to, for each kind of import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairlead.exchange.enums import ImportKind
from fairlead.exchange.reading.mapping import TargetField, target_of
from fairlead.fields.catalogue import FieldSpec, catalogue, pick
from fairlead.fields.enums import FieldType
from fairlead.process.definition import Definition

#: The date on which a record entered a stage: one target for each stage of the process.
ENTERED: Final = "entered__"
_MEANINGS: Final[Mapping[str, str]] = {
    "expected_close_date": "expected_close_on",
    "deal_type": "type",
    "annual_revenue": "revenue",
    "uscc": "credit_code",
}


@dataclass(frozen=True, slots=True)
class Target:
    """`spec`: the catalogue field behind it, if any. `lookup`: how its words become a record or a stage."""

    field: TargetField
    spec: FieldSpec | None = None
    lookup: str = ""  # person, team, account, product, segment, stage, state, reason

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def label(self) -> str:
        return pick(self.field.labels)


def _t(
    key: str,
    type_: FieldType,
    zh: str,
    en: str,
    *,
    lookup: str = "",
    meaning: str = "",
    required: bool = False,
    synonyms: Sequence[str] = (),
) -> Target:
    return Target(
        TargetField(key, type_, {"zh": zh, "en": en}, required, tuple(synonyms), meaning), None, lookup
    )


_EXTERNAL: Final = _t("external_id", FieldType.TEXT, "外部编号", "External number")
_OWNER: Final = _t("owner", FieldType.TEXT, "负责人", "Owner", lookup="person")
_TIMES: Final = (
    _t("stage", FieldType.TEXT, "阶段", "Stage", lookup="stage"),
    _t("state", FieldType.TEXT, "状态", "State", lookup="state"),
    _t("opened_at", FieldType.DATETIME, "开始日期", "Opened on"),
    _t("stage_entered_at", FieldType.DATETIME, "进入当前阶段日期", "Entered the current stage on"),
    _t("closed_at", FieldType.DATETIME, "结束日期", "Closed on"),
    _t("history", FieldType.LONG_TEXT, "阶段经历", "Stage history", meaning="stage_history"),
    _t("lost_reason", FieldType.TEXT, "输单原因", "Reason for losing", lookup="reason"),
)
_PRODUCT: Final = (
    _t("name", FieldType.TEXT, "产品名称", "Product name", required=True),
    _t("code", FieldType.TEXT, "产品编码", "Code"),
    _t("series", FieldType.TEXT, "系列", "Series", meaning="category"),
    _t("list_price", FieldType.MONEY, "目录价", "List price", meaning="price"),
    _t("currency", FieldType.TEXT, "币种", "Currency"),
)
_PERSON: Final = (
    _t("name", FieldType.TEXT, "姓名", "Name", required=True),
    _t("username", FieldType.TEXT, "用户名", "User name"),
    _t("email", FieldType.EMAIL, "邮箱", "E-mail"),
    _t("manager", FieldType.TEXT, "经理", "Manager"),
    _t("team", FieldType.TEXT, "分部", "Branch"),
)
_CONTACT_NAMES: Final = (
    _t("first_name", FieldType.TEXT, "名", "First name"),
    _t("last_name", FieldType.TEXT, "姓", "Last name"),
)


def targets(kind: str, *, by: Any, definition: Definition | None = None) -> list[Target]:
    """In the order in which a person meets them: what is required first. `by` None is the installation."""
    if kind == ImportKind.PRODUCT:
        return list(_PRODUCT)
    if kind == ImportKind.PERSON:
        return list(_PERSON)
    found = [_of(spec) for spec in catalogue(kind) if spec.settable and (by is None or spec.writable_by(by))]
    found = [t for t in found if t.key not in ("is_customer",)]
    found.sort(key=lambda t: not t.field.required)
    if kind == ImportKind.CONTACT:
        found += _CONTACT_NAMES
    found += [_EXTERNAL, _OWNER]
    if kind == ImportKind.OPPORTUNITY:
        found += [*_TIMES, *(_entered(stage) for stage in (definition.stages if definition else ()))]
    return found


def _of(spec: FieldSpec) -> Target:
    lookup = {FieldType.PERSON: "person", FieldType.TEAM: "team"}.get(spec.type, "")
    if spec.type == FieldType.RECORD:
        lookup = spec.target
    required = spec.required and spec.key != "currency"  # the organisation's own, where the file names none
    return Target(target_of(spec, meaning=_MEANINGS.get(spec.key, ""), required=required), spec, lookup)


def _entered(stage: Any) -> Target:
    names = [n for n in stage.name.values() if n]
    words = [
        w
        for name in names
        for w in (f"date entered {name}", f"entered {name}", f"{name} date", f"进入{name}日期")
    ]
    return Target(
        TargetField(
            f"{ENTERED}{stage.key}",
            FieldType.DATETIME,
            {
                "zh": f"进入“{stage.name.get('zh', stage.key)}”日期",
                "en": f"Entered “{stage.name.get('en', stage.key)}” on",
            },
            synonyms=tuple(words),
            meaning=f"{ENTERED}{stage.key}",
        )
    )


def required_missing(kind: str, mapped: set[str], composed: bool) -> list[str]:
    """Required targets that nothing fills; a name may be put together from other columns."""
    needed = {t.key for t in targets(kind, by=None) if t.field.required}
    if composed or (kind == ImportKind.CONTACT and mapped & {"first_name", "last_name"}):
        needed.discard("name")
    return sorted(needed - mapped)
