"""A process with the five levers of approvals, for the tests of approvals."""

from __future__ import annotations

import copy
from typing import Any


def name(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


DISCOUNT: dict[str, Any] = {
    "key": "discount",
    "name": name("商务条件", "Commercial terms"),
    "valid_days": 60,
    "package": [{"key": "reason", "name": name("让步理由", "Why we concede")}],
    "binds": [
        {"lever": "price", "field": "discount", "direction": "at_most"},
        {"lever": "price", "field": "margin", "direction": "at_least"},
        {"lever": "price", "field": "amount", "direction": "at_least"},
        {"lever": "payment", "field": "payment_days", "direction": "at_most"},
        {"lever": "payment", "field": "prepay", "direction": "at_least"},
        {"lever": "legal", "field": "clauses", "direction": "subset"},
        {"lever": "legal", "field": "payer", "direction": "equal"},
    ],
    "prohibited": [
        {"key": "uncapped", "name": name("无限责任", "Uncapped liability"),
         "when": {"field": "clauses", "op": "contains", "value": "uncapped"}},
    ],
    "rows": [
        {"key": "price_1", "lever": "price", "tier": 1, "approvers": [{"line": 1}],
         "when": {"all": [{"field": "discount", "op": "gt", "value": 5}, {"field": "discount", "op": "lte", "value": 10}]}},
        {"key": "price_2", "lever": "price", "tier": 2, "approvers": [{"line": 1}, {"role": "FIN"}], "mode": "sequential",
         "when": {"all": [{"field": "discount", "op": "gt", "value": 10}, {"field": "discount", "op": "lte", "value": 18}]}},
        {"key": "price_3", "lever": "price", "tier": 3, "approvers": [{"committee": "sdt"}], "mode": "k_of_n", "k": 2,
         "when": {"field": "discount", "op": "gt", "value": 18}},
        {"key": "credit", "lever": "payment", "tier": 1, "approvers": [{"role": "FIN"}], "response_hours": 4,
         "decision_hours": 16, "when": {"field": "payment_days", "op": "gt", "value": 30}},
        {"key": "clauses", "lever": "legal", "tier": 1, "approvers": [{"role": "LEG"}],
         "when": {"field": "clauses", "op": "present"}},
    ],
}  # fmt: skip
ATI: dict[str, Any] = {
    "key": "ati",
    "name": name("立项决策 ATI", "ATI: authorize to invest"),
    "rows": [{"key": "ati", "tier": 1, "approvers": [{"line": 1}]}],
}
FIELDS = [
    {"key": "payment_days", "type": "integer", "label": name("账期", "Credit days"), "zero_is_placeholder": False},
    {"key": "prepay", "type": "percent", "label": name("预付", "Prepaid"), "zero_is_placeholder": False},
    {"key": "payer", "type": "text", "label": name("付款方", "Payer")},
    {"key": "clauses", "type": "multi_choice", "label": name("非标条款", "Non-standard clauses"), "options": [
        {"value": "penalty", "label": name("罚则", "Penalty")},
        {"value": "retention", "label": name("质保金", "Retention")},
        {"value": "uncapped", "label": name("无限责任", "Uncapped liability")},
    ]},
]  # fmt: skip
COMMITTEES = {
    "sdt": {
        "name": name("销售决策团队", "Sales decision team"),
        "members": [{"line": 1}, {"role": "FIN"}, {"role": "LEG"}],
    }
}
DOCUMENT: dict[str, Any] = {
    "process": "approving", "version": 1, "subject": "opportunity", "mode": "enforced", "name": name("审批", "Approving"),
    "fields": FIELDS,
    "lists": {
        "lost": [{"key": "price", "name": name("价格", "Price"), "outcome": "lost"}],
        "regress": [{"key": "need", "name": name("需求变更", "Need changed")}],
        "skip": [{"key": "frame", "name": name("框架合同", "Framework contract")}],
    },
    "approvals": {"committees": COMMITTEES, "kinds": [DISCOUNT, ATI]},
    "stages": [
        {"key": "first", "name": name("一", "One"),
         "exit": [{"key": "ati_given", "name": name("ATI 通过", "ATI given"), "type": "approval", "approval": "ati"}],
         "transitions": [{"type": "skip", "to": "third", "reasons": "skip", "approval": "ati"}]},
        {"key": "second", "name": name("二", "Two"),
         "exit": [{"key": "terms", "name": name("报价在审批范围内", "Terms approved"), "type": "approval",
                   "approval": "discount"}]},
        {"key": "third", "name": name("三", "Three")},
    ],
}  # fmt: skip


def document(**changes: Any) -> dict[str, Any]:
    """The document anew; `changes` go to the kind `discount`."""
    found = copy.deepcopy(DOCUMENT)
    found["approvals"]["kinds"][0] |= copy.deepcopy(changes)
    return found
