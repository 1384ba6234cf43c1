"""The built-in fields of contracts."""

from __future__ import annotations

from fairlead.crm.catalogue import OWNER, TEAM
from fairlead.fields.catalogue import FieldSpec, Option, register
from fairlead.fields.enums import FieldType

CONTRACT = (
    FieldSpec(
        key="number",
        type=FieldType.TEXT,
        label={"zh": "合同编号", "en": "Number"},
        required=True,
        max_length=60,
        sort="number",
    ),
    FieldSpec(
        key="opportunity",
        type=FieldType.RECORD,
        label={"zh": "商机", "en": "Opportunity"},
        path="opportunity_id",
        target="opportunity",
        required=True,
        settable=False,
    ),
    FieldSpec(key="signed_date", type=FieldType.DATE, label={"zh": "签订日期", "en": "Signed on"}),
    FieldSpec(
        key="countersigned_date", type=FieldType.DATE, label={"zh": "双方签章日期", "en": "Countersigned on"}
    ),
    FieldSpec(
        key="amount",
        type=FieldType.MONEY,
        label={"zh": "合同金额", "en": "Amount"},
        required=True,
        sort="amount",
    ),
    FieldSpec(
        key="currency",
        type=FieldType.TEXT,
        label={"zh": "币种", "en": "Currency"},
        max_length=3,
        required=True,
    ),
    FieldSpec(
        key="actual_cost",
        type=FieldType.MONEY,
        label={"zh": "实际成本", "en": "Actual cost"},
        help={
            "zh": "合同已发生和已确定的全部成本，币种同合同。合同利润 = 合同金额 − 实际成本。",
            "en": "All that the contract has cost and will cost for certain, in its currency. Profit is the amount less this.",
        },
        read_right="margin.view",
        zero_is_placeholder=False,
    ),
    FieldSpec(
        key="satisfaction",
        type=FieldType.DECIMAL,
        label={"zh": "客户满意度", "en": "Customer satisfaction"},
        unit="/ 10",
        help={
            "zh": "客户给出的评分，0 到 10 分；须同时写明日期和来源。",
            "en": "As the customer rates it, from 0 to 10; with the day and the source of that word.",
        },
        sort="satisfaction",
        zero_is_placeholder=False,
    ),
    FieldSpec(
        key="satisfaction_date",
        type=FieldType.DATE,
        label={"zh": "满意度日期", "en": "Satisfaction as of"},
    ),
    FieldSpec(
        key="satisfaction_source",
        type=FieldType.CHOICE,
        label={"zh": "满意度来源", "en": "Source of the satisfaction"},
        options=(
            Option("survey", {"zh": "问卷", "en": "Survey"}),
            Option("visit", {"zh": "回访", "en": "Return visit"}),
            Option("acceptance", {"zh": "验收单", "en": "Sheet of acceptance"}),
            Option("review", {"zh": "项目复盘", "en": "Review of the project"}),
            Option("other", {"zh": "其他来源", "en": "Other source"}),
        ),
    ),
    FieldSpec(
        key="satisfaction_target",
        type=FieldType.DECIMAL,
        label={"zh": "满意度目标", "en": "Target of satisfaction"},
        unit="/ 10",
        help={
            "zh": "立项时约定的目标；不填按 8 分。",
            "en": "As agreed when the deal was set up; 8 where nothing is said.",
        },
        zero_is_placeholder=False,
    ),
    OWNER,
    TEAM,
)


def register_fields() -> None:
    register("contract", CONTRACT)
