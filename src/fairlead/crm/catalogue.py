"""The built-in fields of segments, accounts, contacts and opportunities, as the catalogue knows them."""

from __future__ import annotations

from fairlead.fields.catalogue import FieldSpec, Option, register
from fairlead.fields.enums import FieldType, PersonalData

from .enums import DealType, Source, Tier

CURRENCIES = ("CNY", "USD", "EUR", "HKD", "JPY", "GBP")


def _options(**labels: tuple[str, str]) -> tuple[Option, ...]:
    return tuple(Option(value, {"zh": zh, "en": en}) for value, (zh, en) in labels.items())


TIERS = _options(key=("大客户", "Key account"), A=("A", "A"), B=("B", "B"), C=("C", "C"))
DEAL_TYPES = _options(
    new=("新购", "New business"), expansion=("增购", "Expansion"), renewal=("续约", "Renewal")
)
SOURCES = _options(
    target_list=("目标清单", "Target list"),
    referral=("转介绍", "Referral"),
    exhibition=("展会", "Exhibition"),
    web=("网站", "Website"),
    tender=("招标信息", "Tender notice"),
    existing=("老客户", "Existing customer"),
    **{"import": ("导入", "Import")},
    other=("其他", "Other"),
)
assert {o.value for o in TIERS} == set(Tier.values) and {o.value for o in SOURCES} == set(Source.values)
assert {o.value for o in DEAL_TYPES} == set(DealType.values)

_CURRENCY = tuple(Option(code, {"zh": code, "en": code}) for code in CURRENCIES)


def _f(key: str, type_: FieldType, zh: str, en: str, **more: object) -> FieldSpec:
    return FieldSpec(key=key, type=type_, label={"zh": zh, "en": en}, **more)  # type: ignore[arg-type]


OWNER = _f("owner", FieldType.PERSON, "负责人", "Owner", path="owner_id", settable=False, target="user")
TEAM = _f("team", FieldType.TEAM, "团队", "Team", path="team_id", settable=False, target="team")

SEGMENT = (
    _f("name", FieldType.TEXT, "名称", "Name", required=True, max_length=200, sort="name"),
    OWNER,
    TEAM,
    _f("market_size", FieldType.MONEY, "市场规模", "Market size"),
    _f("growth", FieldType.PERCENT, "年增速", "Yearly growth", zero_is_placeholder=False),
    _f("description", FieldType.LONG_TEXT, "说明", "Description", max_length=5000),
)

ACCOUNT = (
    _f("name", FieldType.TEXT, "客户名称", "Name", required=True, max_length=200, sort="name_key"),
    _f("short_name", FieldType.TEXT, "简称", "Short name", max_length=100),
    _f("uscc", FieldType.TEXT, "统一社会信用代码", "Credit code (USCC)", max_length=18),
    _f("industry", FieldType.TEXT, "行业", "Industry", max_length=100),
    _f("tier", FieldType.CHOICE, "客户分级", "Tier", options=TIERS),
    _f("region", FieldType.TEXT, "区域", "Region", max_length=100),
    _f("city", FieldType.TEXT, "城市", "City", max_length=100),
    _f("employees", FieldType.INTEGER, "员工数", "Employees"),
    _f("annual_revenue", FieldType.MONEY, "年营收", "Annual revenue"),
    _f("website", FieldType.TEXT, "网站", "Website", max_length=300),
    _f("phone", FieldType.PHONE, "电话", "Phone", max_length=60),
    _f("parent", FieldType.RECORD, "上级单位", "Parent company", path="parent_id", target="account"),
    _f("segment", FieldType.RECORD, "细分市场", "Market segment", path="segment_id", target="segment"),
    OWNER,
    TEAM,
    _f("is_customer", FieldType.BOOLEAN, "已成交客户", "Is a customer"),
    _f("source", FieldType.CHOICE, "来源", "Source", options=SOURCES),
)

CONTACT = (
    _f(
        "name",
        FieldType.TEXT,
        "姓名",
        "Name",
        required=True,
        max_length=200,
        personal=PersonalData.CONTACT,
        sort="name_key",
    ),
    _f("account", FieldType.RECORD, "客户", "Account", path="account_id", target="account", required=True),
    _f("title", FieldType.TEXT, "职务", "Title", max_length=100, personal=PersonalData.CONTACT),
    _f("department", FieldType.TEXT, "部门", "Department", max_length=100),
    _f("email", FieldType.EMAIL, "邮箱", "E-mail", max_length=254, personal=PersonalData.CONTACT),
    _f("phone", FieldType.PHONE, "电话", "Phone", max_length=60, personal=PersonalData.CONTACT),
    _f("mobile", FieldType.PHONE, "手机", "Mobile", max_length=60, personal=PersonalData.PRIVATE),
    _f("note", FieldType.LONG_TEXT, "备注", "Note", max_length=5000, personal=PersonalData.PRIVATE),
    OWNER,
    TEAM,
)

OPPORTUNITY = (
    _f("name", FieldType.TEXT, "商机名称", "Name", required=True, max_length=200, sort="name"),
    _f("account", FieldType.RECORD, "客户", "Account", path="account_id", target="account"),
    OWNER,
    TEAM,
    _f("product", FieldType.RECORD, "产品", "Product", path="product_id", target="product"),
    _f("amount", FieldType.MONEY, "金额", "Amount", sort="amount"),
    _f("currency", FieldType.CHOICE, "币种", "Currency", options=_CURRENCY, required=True),
    _f(
        "expected_close_date", FieldType.DATE, "预计签约日", "Expected close date", sort="expected_close_date"
    ),
    _f("deal_type", FieldType.CHOICE, "商机类型", "Deal type", options=DEAL_TYPES),
    _f("is_tender", FieldType.BOOLEAN, "招标项目", "Tender"),
    _f("source", FieldType.CHOICE, "来源", "Source", options=SOURCES),
    _f("description", FieldType.LONG_TEXT, "说明", "Description", max_length=5000),
    _f("competitor", FieldType.TEXT, "竞争对手", "Competitor", max_length=200),
    _f("discount", FieldType.PERCENT, "折扣", "Discount", unit="%", zero_is_placeholder=False),
    _f(
        "margin",
        FieldType.PERCENT,
        "毛利率",
        "Gross margin",
        unit="%",
        zero_is_placeholder=False,
        read_right="margin.view",
    ),
    _f(
        "ar",
        FieldType.PERSON,
        "客户经理 AR",
        "Account manager (AR)",
        path="ar_id",
        settable=False,
        target="user",
    ),
    _f("sr", FieldType.PERSON, "解决方案经理 SR", "Solution manager (SR)", path="sr_id", target="user"),
    _f("fr", FieldType.PERSON, "交付经理 FR", "Delivery manager (FR)", path="fr_id", target="user"),
    _f(
        "account_tier",
        FieldType.CHOICE,
        "客户分级",
        "Account tier",
        options=TIERS,
        path="account__tier",
        settable=False,
    ),
    _f(
        "account_industry",
        FieldType.TEXT,
        "客户行业",
        "Account industry",
        path="account__industry",
        settable=False,
    ),
    _f("incomplete", FieldType.BOOLEAN, "资料不全", "Incomplete", settable=False),
)


def register_fields() -> None:
    register("segment", SEGMENT)
    register("account", ACCOUNT)
    register("contact", CONTACT)
    register("opportunity", OPPORTUNITY)
