"""A process with a matrix of approvals: alone as a document, and as version 2 of the key-account process.

    where = approving(company())
    deal = where.deal(stage="quote_negotiation", discount=12, margin=25)

Of `company()` chen leads the branch of zhou; `boss` leads the house, fang is finance, lu is legal, tang owns processes.
"""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from django.utils import timezone

from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User
from fairlead.process import services as process
from fairlead.process.models import (
    ApprovalCondition,
    ApprovalGrant,
    ApprovalQuestion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Delegation,
    Precedent,
)

from .crm import PASSWORD, Company
from .crm import document as shipped


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


def approving(where: Company, *, ati_if: dict[str, Any] | None = None, **changes: Any) -> Company:
    """Publish version 2 of the key-account process with approvals; `changes` go to the kind `discount`.

    `ati_if`: of which deals ATI is asked, where not of all.
    """
    how: dict[str, Any] = {"by": None, "at": where.at - timedelta(days=700), "channel": Channel.SYSTEM}
    organisation.create_user(
        username="boss",
        name="高远",
        password=PASSWORD,
        team=where.teams["head"],
        roles=(Role.MGR,),
        language=where.zhou.language,
        **how,
    )
    where.people["boss"] = User.objects.select_related("team").get(username="boss")
    found = copy.deepcopy(shipped())
    kinds = copy.deepcopy([DISCOUNT, ATI])
    kinds[0] |= copy.deepcopy(changes)
    found["version"] = 2
    found["fields"] = [*found["fields"], *FIELDS]
    found["approvals"] = {"committees": COMMITTEES, "kinds": kinds}
    for stage in found["stages"]:
        if stage["key"] == "needs_analysis":
            stage["exit"] = [
                {"key": "ati", "name": name("ATI 通过", "ATI given"), "type": "approval", "approval": "ati"}
                | ({"applies_if": ati_if} if ati_if else {})
            ]
        elif stage["key"] == "quote_negotiation":
            stage["exit"] = [
                {"key": "terms", "name": name("条件已批准", "Terms approved"), "type": "approval",
                 "approval": "discount"}
            ]  # fmt: skip
    where.version = process.publish(found, **how, mode="enforced")
    return where


def a_request(where: Company, journey_id: int, *, owner: Any, approver: Any, at: Any) -> dict[str, Any]:
    """One of everything about approvals: `approver` is asked about a request of `owner`, and asks back."""
    request = ApprovalRequest.objects.create(
        journey_id=journey_id, kind="ati", process_version=1, stage_key="needs_analysis", submitted_by=owner,
        submitted_at=at, owner_id_then=owner.pk, asked=[{"lever": "decision", "row": "ati", "tier": 1}],
    )  # fmt: skip
    step = ApprovalStep.objects.create(
        request=request, key="decision.1", lane="decision", lever="decision", order=0, mode="all", state="active",
        started_at=at, tier=1,
    )  # fmt: skip
    ApprovalSeat.objects.create(
        step=step, request=request, number=0, person=approver, state="asked", asked_at=at
    )
    day = timezone.localdate(at)
    grant = ApprovalGrant.objects.create(
        request=request,
        journey_id=journey_id,
        kind="ati",
        lever="decision",
        row_key="ati",
        tier=1,
        granted_at=at,
    )
    return {
        "approval": request,
        "precedent": Precedent.objects.create(
            grant=grant, subject_type="opportunity", subject_id=grant.journey.subject_id, kind="ati", lever="decision",
            row_key="ati", tier=1, granted_at=at, expires_at=at + timedelta(days=90),
        ),
        "approval_question": ApprovalQuestion.objects.create(
            request=request, by=approver, to=owner, text="客户的底线？", at=at
        ),
        "approval_condition": ApprovalCondition.objects.create(
            request=request, journey_id=journey_id, subject_type="opportunity", stage_key="needs_analysis", key="c1",
            text="先见决策人", kind="word", set_by=approver, set_at=at, holds_from=at,
        ),
        "delegation": Delegation.objects.create(
            delegator=owner, delegate=where.lin, from_date=day, to_date=day, granted_by=owner, granted_at=at
        ),
    }  # fmt: skip
