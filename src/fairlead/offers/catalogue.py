"""The built-in fields of contracts."""

from __future__ import annotations

from fairlead.crm.catalogue import OWNER, TEAM
from fairlead.fields.catalogue import FieldSpec, register
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
    OWNER,
    TEAM,
)


def register_fields() -> None:
    register("contract", CONTRACT)
