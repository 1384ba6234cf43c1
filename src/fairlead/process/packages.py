"""What is handed from role to role where a process says nothing of it: AR to SR, SR to FR, FR to AR (IT-5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .definition import Name, Package, PackageItem, Reason

DEAL_TEAM: Final = ("AR", "SR", "FR")
#: Every way between two of them, by the key of its package: what a gate may ask for as an outside fact.
WAYS: Final = tuple(f"{a}_{b}".lower() for a in DEAL_TEAM for b in DEAL_TEAM if a != b)


def fact_of(package: str) -> str:
    """The outside fact that an accepted hand-over is at a gate."""
    return f"handover_{package}"


def _item(key: str, zh: str, en: str, *, required: bool = True) -> PackageItem:
    return PackageItem(key=key, name={"zh": zh, "en": en}, required=required)


_PACKAGES: Final = (
    Package(
        from_role="AR",
        to_role="SR",
        name={"zh": "需求交接", "en": "Requirements"},
        items=(
            _item("problem", "客户的问题，用客户的话", "The problem, in the customer's words"),
            _item("people", "谁决定、谁使用、谁把关", "Who decides, who uses it, who screens"),
            _item("dates", "客户的时间表", "The customer's dates"),
            _item("budget", "预算区间和来源", "Budget range and where it comes from"),
            _item("competitors", "竞争对手与已有方案", "Competitors, and what is installed", required=False),
        ),
    ),
    Package(
        from_role="SR",
        to_role="FR",
        name={"zh": "方案交接", "en": "Solution"},
        items=(
            _item("scope", "范围：做什么，不做什么", "Scope: what is in and what is not"),
            _item("configuration", "配置清单", "List of the configuration"),
            _item("promises", "对客户的承诺，口头的也算", "Promises to the customer, spoken ones too"),
            _item("dates", "工期与里程碑", "Time and milestones"),
            _item("cost", "成本测算", "Cost sheet"),
            _item("risks", "已知风险与对策", "Known risks and what is done about them", required=False),
        ),
    ),
    Package(
        from_role="FR",
        to_role="AR",
        name={"zh": "验收后交接", "en": "After acceptance"},
        items=(
            _item("acceptance", "验收证明", "Proof of acceptance"),
            _item("open_points", "遗留问题与日期", "Open points with their dates"),
            _item("payments", "还没到的款和条件", "Payments to come and what each waits for"),
            _item("contacts", "现场的人和他们的看法", "People on site and what they think", required=False),
        ),
    ),
)
PACKAGES: Final[Mapping[str, Package]] = {package.key: package for package in _PACKAGES}


def _reason(key: str, zh: str, en: str) -> Reason:
    name: Name = {"zh": zh, "en": en}
    return Reason(key, name)


#: Why a hand-over comes back, where the process lists no reasons under `handover`.
RETURN_REASONS: Final = (
    _reason("incomplete", "材料不全", "Something is missing"),
    _reason("unclear", "说不清楚，要补充", "Not clear enough"),
    _reason("not_feasible", "按此做不到", "It cannot be done this way"),
    _reason("not_agreed", "客户还没有确认", "The customer has not agreed"),
    _reason("outdated", "内容已过时", "Out of date"),
    _reason("wrong_person", "不该交给我", "Not mine to take"),
)
