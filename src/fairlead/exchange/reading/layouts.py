"""Recognises the exports of other systems by their column titles and takes off their dress.

Salesforce writes `CloseDate` and `Loss_Reason__c`, Pipedrive `Deal - Title`, Odoo `user_id/id`, Wukong
`*商机名称`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fairlead.exchange.reading.formats import plain_title


class Layout(StrEnum):
    SALESFORCE = "salesforce"
    HUBSPOT = "hubspot"
    PIPEDRIVE = "pipedrive"
    ODOO = "odoo"
    SUITECRM = "suitecrm"
    WUKONG = "wukong"
    CRM_SALES = "crm-sales-opportunities"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LayoutFinding:
    """Where a file seems to come from, and what its rows are (`subject` is empty where nothing tells)."""

    layout: Layout
    subject: str
    confidence: float  # 0–1


@dataclass(frozen=True, slots=True)
class Heading:
    """A column title without its dress: `words` to compare; `entity` before it (Pipedrive); whether the
    cell is another system's id; the unit that stands in brackets."""

    title: str
    words: str
    entity: str = ""
    is_reference_id: bool = False
    unit: str = ""


_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNIT: Final = re.compile(r"[(（\[【]\s*([^()（）\[\]【】]{1,20})\s*[)）\]】]\s*$")
_REQUIRED: Final = re.compile(r"[(（\[【]\s*(?:必填|必填项|required)\s*[)）\]】]", re.IGNORECASE)
_ENTITIES: Final = {
    "deal": "opportunity",
    "organization": "account",
    "organisation": "account",
    "person": "contact",
    "activity": "activity",
    "note": "note",
    "product": "product",
    "lead": "lead",
}
#: Meanings of Salesforce and other column names whose words alone would mislead.
_EXACT: Final[Mapping[tuple[Layout, str], Mapping[str, str]]] = {
    (Layout.SALESFORCE, "opportunity"): {
        "Id": "external_id", "Name": "name", "AccountId": "account", "OwnerId": "owner", "StageName": "stage",
        "CloseDate": "expected_close_on", "ContactId": "contact", "LastStageChangeDate": "stage_entered_at",
        "CurrencyIsoCode": "currency", "Type": "type", "Territory2Id": "team",
        "Loss_Reason__c": "lost_reason",
        "LossReason__c": "lost_reason", "MainCompetitors__c": "competitor", "Channel__c": "",
        "ForecastCategory": "",
    },
    (Layout.SALESFORCE, "stage_history"): {
        "Id": "external_id", "OpportunityId": "opportunity", "CreatedDate": "changed_at",
        "CreatedById": "changed_by",
        "StageName": "to_stage", "FromOpportunityStageName": "from_stage", "CloseDate": "expected_close_on",
        "CurrencyIsoCode": "currency",
    },
    (Layout.SALESFORCE, "account"): {
        "Id": "external_id", "Name": "name", "ParentId": "parent", "OwnerId": "owner", "Type": "type",
        "MasterRecordId": "", "Site": "", "Rating": "tier", "CustomerPriority__c": "",
    },
    (Layout.SALESFORCE, "contact"): {
        "Id": "external_id", "AccountId": "account", "OwnerId": "owner", "Title": "title", "ReportsToId": "",
        "MasterRecordId": "",
    },
    (Layout.SALESFORCE, "lead"): {
        "Id": "external_id", "Company": "account", "OwnerId": "owner", "Title": "title", "Status": "state",
        "MasterRecordId": "", "State": "province",
    },
    (Layout.ODOO, "opportunity"): {
        "id": "external_id", "name": "name", "partner_id/id": "account", "partner_name": "account",
        "contact_name": "contact", "user_id/id": "owner", "email_from": "contact_email",
        "phone": "contact_phone",
        "planned_revenue": "amount", "date_deadline": "expected_close_on", "source_id/id": "source",
        "type": "type",
        "description": "description", "Opportunity": "name", "Customer": "account", "company_id/id": "",
        "country_id/id": "country", "create_uid/id": "created_by", "ref": "", "State": "province",
    },
    (Layout.SUITECRM, "lead"): {
        "ID": "external_id", "Assigned to": "owner", "Assigned User": "", "Opportunity Name": "name",
        "Description": "description", "Status": "state", "Address": "", "Primary Address Street": "address",
        "Contact ID": "", "Account ID": "", "Opportunity ID": "",
    },
    (Layout.CRM_SALES, "opportunity"): {
        "engage_date": "opened_at", "close_date": "closed_at", "close_value": "amount", "deal_stage": "stage",
    },
    (Layout.HUBSPOT, "opportunity"): {
        "Record ID": "external_id", "Close Date": "closed_at", "Live date": "",
        "Associated Company IDs": "account",
        "Associated Company Domain": "account", "Associated Contact IDs": "contact",
        "Create Date": "created_at",
        "Customer tier": "",
    },
    (Layout.PIPEDRIVE, "opportunity"): {
        "Deal - Organization": "", "Deal - Value": "amount", "Organization - Name": "account",
        "Person - Name": "contact", "Deal - Territory": "team", "Deal - Expected REVENUE": "expected_revenue",
        "Deal - Currency of Expected REVENUE": "",
    },
}  # fmt: skip
#: Columns that a system keeps for itself, whatever the rows are.
_BOOKKEEPING: Final[Mapping[Layout, frozenset[str]]] = {
    Layout.SALESFORCE: frozenset({
        "systemmodstamp", "isdeleted", "masterrecordid", "cleanstatus", "jigsaw", "jigsawcontactid",
        "jigsawcompanyid",
        "stagesortorder", "createddateforinsert", "dandbcompanyid", "isunreadbyowner",
    }),
}  # fmt: skip
_MARKS: Final[Mapping[Layout, frozenset[str]]] = {
    Layout.SALESFORCE: frozenset({"systemmodstamp", "isdeleted", "createdbyid", "lastmodifiedbyid",
    "ownerid"}),
    Layout.HUBSPOT: frozenset({
        "record id", "deal name", "deal stage", "deal owner", "company owner", "contact owner",
        "associated company ids",
        "associated contact ids", "associated company domain", "associated contact email",
        "company domain name",
        "lifecycle stage", "create date", "last modified date", "deal id", "company id", "contact id",
        "activity id",
    }),
    Layout.SUITECRM: frozenset({
        "assigned user", "assigned to", "date created", "date modified", "non primary e-mails",
        "primary address street",
        "email address", "lawful basis", "geocode status",
    }),
    Layout.WUKONG: frozenset({
        "*商机名称", "*客户名称", "*商机状态组", "*商机阶段", "*姓名", "*合同编号", "*合同名称",
        "*线索名称", "*产品名称",
        "*回款编号", "*成交状态", "*产品编码", "*计划回款金额", "负责人", "创建时间", "更新时间",
        "下次联系时间",
    }),
    Layout.CRM_SALES: frozenset({
        "opportunity_id", "sales_agent", "deal_stage", "engage_date", "close_date", "close_value",
        "regional_office",
        "subsidiary_of", "year_established", "office_location", "sales_price", "series",
    }),
}  # fmt: skip
#: Titles that tell what the rows are: the first of these subjects with a match wins.
_SUBJECT_MARKS: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("case", frozenset({"case number", "case id", "ticket id", "ticket name"})),
    ("campaign", frozenset({"budgeted cost", "campaign name"})),
    ("stage_history", frozenset({"from opportunity stage name", "from stage"})),
    ("receivable_plan", frozenset({"计划回款金额", "计划回款日期"})),
    ("receivable", frozenset({"回款编号", "回款金额"})),
    ("contract", frozenset({"合同编号", "合同名称", "contract number", "contract name"})),
    ("activity", frozenset({"activity id", "activity type"})),
    ("lead", frozenset({"线索名称", "lead status", "converted", "is converted", "lead id", "mql id"})),
    ("opportunity", frozenset({
        "商机名称", "商机阶段", "deal stage", "deal name", "stage name", "stage", "销售阶段",
        "planned revenue", "close value",
        "opportunity name", "expected close date", "opportunity result",
    })),
    ("product", frozenset({"产品名称", "产品编码", "sales price", "list price", "product code", "series"})),
    ("contact", frozenset({"姓名", "first name", "last name", "job title", "contact id"})),
    ("person", frozenset({"sales agent", "regional office"})),
    ("account", frozenset({
        "客户名称", "company name", "account name", "company", "account", "industry", "sector",
        "annual revenue",
    })),
)  # fmt: skip


def undress(title: str, layout: Layout = Layout.OTHER) -> Heading:
    """A column title as words to compare."""
    text = unicodedata.normalize("NFKC", title.replace("\ufeff", "")).strip()
    text = _REQUIRED.sub("", text).strip().strip("*").strip()
    unit = ""
    if match := _UNIT.search(text):
        unit, text = match[1], text[: match.start()].strip()
    entity = ""
    if " - " in text and (before := text.split(" - ", 1)[0].strip().casefold()) in _ENTITIES:
        entity, text = _ENTITIES[before], text.split(" - ", 1)[1].strip("* ")
    reference = text.endswith(("/id", "/.id"))
    text = text.rsplit("/", 1)[0] if reference else text
    if layout is Layout.ODOO and text.endswith("_id"):
        text = text.removesuffix("_id")
    elif re.fullmatch(r"[A-Za-z0-9]+Id|[A-Z]\w+Ids", text):
        reference = True
    text = text.removesuffix("__c")
    words = " ".join(_CAMEL.sub(" ", text).replace("_", " ").split()).casefold()
    # `Email (Work)` is not a unit: what stands in brackets belongs to the words there.
    if unit.casefold() in ("work", "home", "other", "mobile"):
        words, unit = f"{words} {unit.casefold()}", ""
    return Heading(title, words, entity, reference, unit)


def recognise(titles: Sequence[str]) -> LayoutFinding:
    """Which system wrote a file with these titles, and what its rows are."""
    plain = [
        unicodedata.normalize("NFKC", title.replace("\ufeff", "")).strip().casefold() for title in titles
    ]
    layout, confidence = _layout(titles, plain)
    words = {undress(title, layout).words for title in titles}
    entities = {undress(title, layout).entity for title in titles}
    if layout is Layout.PIPEDRIVE:
        subject = next((kind for kind in ("opportunity", "account", "contact") if kind in entities), "")
        return LayoutFinding(layout, subject, confidence)
    if layout is Layout.SUITECRM and "lead source" in words:
        return LayoutFinding(layout, "lead", confidence)
    if layout is Layout.ODOO:
        return LayoutFinding(layout, "opportunity", confidence)
    subject = next((kind for kind, marks in _SUBJECT_MARKS if marks & words), "")
    return LayoutFinding(layout, subject, confidence)


def _layout(titles: Sequence[str], plain: Sequence[str]) -> tuple[Layout, float]:
    prefixed = sum(1 for title in titles if undress(title).entity)
    if prefixed >= max(2, 0.8 * len(titles)):
        return Layout.PIPEDRIVE, 0.95
    if sum(1 for title in plain if title.endswith(("_id/id", "/id"))) >= 2:
        return Layout.ODOO, 0.95
    odoo_words = {"sales person", "sales team", "medium", "deadline", "priority", "opportunity"}
    if len(odoo_words & set(plain)) >= 5:
        return Layout.ODOO, 0.8
    hits = {layout: len(marks & set(plain)) for layout, marks in _MARKS.items()}
    best = max(hits, key=lambda layout: hits[layout])
    if hits[best] < 2:
        return Layout.OTHER, 0.5
    return best, min(0.99, 0.6 + 0.1 * hits[best])


def exact_meaning(title: str, layout: Layout, subject: str) -> str | None:
    """What this title means in this layout; an empty text: nothing that is kept here; None: not listed."""
    listed = _EXACT.get((layout, subject), {})
    wanted = plain_title(title)
    if wanted in _BOOKKEEPING.get(layout, ()):
        return ""
    return next((meaning for name, meaning in listed.items() if plain_title(name) == wanted), None)
