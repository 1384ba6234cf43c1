"""Exports of other systems and public data sets, as they were found: exact rows, columns where they
belong."""

import csv
import gzip
from pathlib import Path

import pytest
from tests.exchange.kit import REAL, mapped, needs_real_files

from fairlead.exchange.reading.dates import DateOrder, read_date
from fairlead.exchange.reading.files import open_table, read_whole, sniff
from fairlead.exchange.reading.formats import Content
from fairlead.exchange.reading.layouts import recognise
from fairlead.exchange.reading.matching import Entry as Known
from fairlead.exchange.reading.matching import MatchReason, Person, suggest_people, suggest_values
from fairlead.exchange.reading.profile import FileProfile, profile

pytestmark = [pytest.mark.rule("T23"), needs_real_files]

ROWS = {
    "crm-sales-opportunities/accounts.csv": 85,
    "crm-sales-opportunities/products.csv": 7,
    "crm-sales-opportunities/sales_teams.csv": 35,
    "crm-sales-opportunities/sales_pipeline.csv": 8_800,
    "olist-marketing-funnel/olist_marketing_qualified_leads_dataset.csv": 8_000,
    "olist-marketing-funnel/olist_closed_deals_dataset.csv": 842,
    "olist-marketing-funnel/olist_sellers_dataset.csv": 3_095,
    "olist-marketing-funnel/import-variants/mql_us_dates_without_landing_page.csv": 8_000,
    "ibm-sales-win-loss/sales_win_loss_60.csv.gz": 46_683,
    "x-education-leads/Leads.csv.gz": 9_240,
    "chinese-company-names/stock_basic_gbk.csv": 4_732,
    "crm-exports/salesforce-weekly-export/Account.csv": 12,
    "crm-exports/salesforce-weekly-export/Contact.csv": 20,
    "crm-exports/salesforce-weekly-export/Lead.csv": 22,
    "crm-exports/salesforce-weekly-export/Opportunity.csv": 31,
    "crm-exports/salesforce-weekly-export/OpportunityHistory.csv": 62,
    "crm-exports/salesforce-weekly-export/Case.csv": 26,
    "crm-exports/salesforce-weekly-export/CaseHistory2.csv": 26,
    "crm-exports/salesforce-weekly-export/Campaign.csv": 4,
    "crm-exports/hubspot-style/hubspot_companies.csv": 200,
    "crm-exports/hubspot-style/hubspot_contacts.csv.gz": 950,
    "crm-exports/hubspot-style/hubspot_deals.csv": 500,
    "crm-exports/hubspot-style/hubspot_activities.csv.gz": 2_000,
    "crm-exports/hubspot-style/hubspot_tickets.csv": 300,
}

WUKONG_TAIL = {"负责人": "owner", "创建时间": "created_at", "更新时间": "updated_at"}
HEADERS = {
    "derived_wukong_crm_business_header": {
        "*商机名称": "name", "*客户名称": "account", "*商机状态组": "process", "*商机阶段": "stage",
        "商机金额": "amount",
        "*预计成交日期": "expected_close_on", "备注": "description", **WUKONG_TAIL,
    },
    "derived_wukong_crm_customer_header": {
        "*客户名称": "name", "客户级别": "tier", "客户行业": "industry", "客户来源": "source",
        "*成交状态": "state", "电话": "phone",
        "网址": "website", "手机": "mobile", "下次联系时间": "next_contact_at", **WUKONG_TAIL,
    },
    "derived_wukong_crm_contacts_header": {
        "*姓名": "name", "*客户名称": "account", "手机": "mobile", "电话": "phone", "电子邮箱": "email",
        "职务": "title",
        "是否关键决策人": "is_decision_maker", "性别": "gender", **WUKONG_TAIL,
    },
    "derived_wukong_crm_contract_header": {
        "*合同编号": "number", "*合同名称": "name", "*客户名称": "account", "商机名称": "opportunity",
        "*合同金额": "amount",
        "下单时间": "signed_on", "合同开始时间": "start_on", "合同到期时间": "end_on", **WUKONG_TAIL,
    },
    "derived_wukong_crm_leads_header": {"*线索名称": "name", "线索来源": "source", "手机": "mobile",
    **WUKONG_TAIL},
    "derived_wukong_crm_product_header": {
        "*产品名称": "name", "*产品类别": "category", "*产品编码": "code", "*标准价格": "price",
        "*单位": "unit", **WUKONG_TAIL,
    },
    "derived_wukong_crm_receivables_header": {
        "*回款编号": "number", "*合同编号": "contract", "*回款日期": "received_on", "*回款金额": "amount",
        **WUKONG_TAIL,
    },
    "derived_wukong_crm_receivables_plan_header": {
        "*合同编号": "contract", "*计划回款金额": "amount", "*计划回款日期": "due_on", **WUKONG_TAIL,
    },
    "hubspot_companies_export_seen_in_importers": {
        "Record ID": "external_id", "Company name": "name", "Website URL": "website",
        "Company owner": "owner",
        "Create Date": "created_at",
    },
    "hubspot_contacts_export_seen_in_importers": {
        "Record ID": "external_id", "First Name": "first_name", "Last Name": "last_name", "Email": "email",
        "Phone Number": "phone",
    },
    "hubspot_deals_export_seen_in_importers": {
        "Record ID": "external_id", "Deal Name": "name", "Deal Stage": "stage", "Amount": "amount",
        "Deal owner": "owner",
        "Associated Company IDs": "account", "Lead source": "source",
        "Date entered current stage": "stage_entered_at",
    },
    "odoo_crm.lead_import_compatible_export": {
        "id": "external_id", "name": "name", "partner_name": "account", "user_id/id": "owner",
        "planned_revenue": "amount",
        "date_deadline": "expected_close_on", "probability": "probability", "contact_name": "contact",
        "email_from": "contact_email", "source_id/id": "source", "description": "description",
    },
    "odoo_crm.lead_xlsx_addon_export": {
        "Opportunity": "name", "Customer": "account", "Contact Name": "contact", "Sales Person": "owner",
        "Sales Team": "team", "Deadline": "expected_close_on", "Source": "source", "Stage": "stage",
        "City": "city",
    },
    "pipedrive_deal_columns_one_company": {
        "Deal - Title": "name", "Deal - Pipeline": "process", "Deal - Stage": "stage",
        "Deal - Owner": "owner",
        "Deal - Value": "amount", "Organization - Name": "account",
        "Deal - Expected close date": "expected_close_on",
        "Deal - Status": "state", "Deal - Won time": "closed_at", "Deal - Currency": "currency",
        "Deal - Contact person": "contact", "Deal - Last stage change": "stage_entered_at",
    },
    "pipedrive_sample_import": {
        "Deal - Title": "name", "Deal - Value": "amount", "Organization - Name*": "account",
        "Person - Name*": "contact",
        "Person - Phone": "contact_phone", "Person - Email (Work)": "contact_email",
    },
    "pipedrive_sample_import_with_products": {
        "Deal - Title": "name", "Deal - Value": "amount", "Organization - Name*": "account",
        "Product - Name*": "product",
    },
    "salesforce_OpportunityHistory_multicurrency_export": {
        "OpportunityId": "opportunity", "CreatedDate": "changed_at", "StageName": "to_stage",
        "Amount": "amount",
        "FromOpportunityStageName": "from_stage", "CreatedById": "changed_by", "CurrencyIsoCode": "currency",
    },
    "salesforce_Opportunity_multicurrency_custom_fields_export": {
        "Id": "external_id", "Name": "name", "AccountId": "account", "StageName": "stage", "Amount": "amount",
        "OwnerId": "owner", "CloseDate": "expected_close_on", "CurrencyIsoCode": "currency",
        "LeadSource": "source",
        "Loss_Reason__c": "lost_reason", "NextStep": "next_step", "Probability": "probability",
    },
    "suitecrm8_leads_export": {
        "First Name": "first_name", "Last Name": "last_name", "ID": "external_id", "Account Name": "account",
        "Email Address": "email", "Mobile": "mobile", "Office Phone": "phone", "Status": "state",
        "Lead Source": "source",
        "Assigned to": "owner", "Date Created": "created_at", "Primary Address Street": "address",
    },
    "suitecrm8_leads_export_dmy_unquoted": {"Assigned to": "owner", "Opportunity Amount": "amount"},
}  # fmt: skip


def content_of(name: str) -> Content:
    path = REAL / name
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path


def profile_of(name: str) -> FileProfile:
    found = sniff(content_of(name))
    assert found.format is not None
    return profile(open_table(content_of(name), found.format))


@pytest.mark.parametrize(("name", "count"), ROWS.items())
def test_every_row_is_read_and_none_is_odd(name, count):
    table, rows, problems = read_whole(content_of(name))

    assert table is not None
    assert (len(rows), problems) == (count, [])
    encoding = "gb18030" if "gbk" in name else "utf-8-sig"
    content = content_of(name)
    raw = content.read_bytes() if isinstance(content, Path) else content
    lines = raw.decode(encoding).splitlines(keepends=True)
    width = len(table.columns)  # a separator at the end of the header makes no column
    assert [list(row.cells) for row in rows] == [line[:width] for line in list(csv.reader(lines))[1:]]


@pytest.mark.parametrize(("name", "expected"), HEADERS.items())
def test_headers_of_other_systems_map_their_obvious_columns(name, expected):
    table = open_table(content := REAL / "crm-exports/headers" / f"{name}.csv", sniff(content).format)
    found = mapped([column.title for column in table.columns])
    assert {title: found.get(title) for title in expected} == expected


def test_every_header_file_is_covered():
    here = {path.stem for path in (REAL / "crm-exports/headers").glob("*.csv")}
    assert here == set(HEADERS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accounts", {"account": "name", "sector": "industry", "year_established": "founded_year",
        "revenue": "revenue",
                      "employees": "employees", "office_location": "address", "subsidiary_of": "parent"}),
        ("products", {"product": "name", "series": "category", "sales_price": "price"}),
        ("sales_teams", {"sales_agent": "name", "manager": "manager", "regional_office": "team"}),
        ("sales_pipeline", {"opportunity_id": "external_id", "sales_agent": "owner", "product": "product",
                            "account": "account", "deal_stage": "stage", "engage_date": "opened_at",
                            "close_date": "closed_at", "close_value": "amount"}),
    ],
)  # fmt: skip
def test_the_public_pipeline_maps_whole(name, expected):
    titles = [c.column.title for c in profile_of(f"crm-sales-opportunities/{name}.csv").columns]
    assert mapped(titles) == expected


def test_the_quirks_of_the_public_pipeline_are_met():
    pipeline = profile_of("crm-sales-opportunities/sales_pipeline.csv")
    assert (pipeline.column("account").empty, pipeline.column("engage_date").empty) == (1_425, 500)
    products = profile_of("crm-sales-opportunities/products.csv").column("product")
    known = [Known(name, (name,)) for name in products.values]
    suggestions = {s.text: s for s in suggest_values(pipeline.column("product").values, known)}
    odd = [s for s in suggestions.values() if s.reason is not MatchReason.SAME]
    assert [(s.text, s.key, s.rows, s.is_safe) for s in odd] == [("GTXPro", "GTX Pro", 1_480, True)]

    people = [
        Person(str(n), name)
        for n, name in enumerate(
            profile_of("crm-sales-opportunities/sales_teams.csv").column("sales_agent").values
        )
    ]
    owners = suggest_people(pipeline.column("sales_agent").values, people)
    assert (len(owners), {s.confidence for s in owners}) == (30, {1.0})


def test_owners_are_found_by_their_mail():
    owners = profile_of("crm-exports/hubspot-style/hubspot_deals.csv").column("Deal Owner").values
    names = {text: text.split("@")[0].replace(".", " ").title() for text in owners}
    found = suggest_people(owners, [Person(name, name) for name in names.values()])
    assert len(found) == 5
    assert {s.text: s.key for s in found} == names


def test_one_data_set_in_two_orders_of_day_and_month():
    day_first = profile_of("olist-marketing-funnel/olist_marketing_qualified_leads_dataset.csv")
    month_first = profile_of("olist-marketing-funnel/import-variants/mql_us_dates_without_landing_page.csv")
    assert day_first.column("first_contact_date").order.order is DateOrder.DAY_FIRST
    assert month_first.column("first_contact_date").order.order is DateOrder.MONTH_FIRST
    _table, ours, _problems = read_whole(
        content_of("olist-marketing-funnel/olist_marketing_qualified_leads_dataset.csv")
    )
    _table, theirs, _problems = read_whole(
        content_of("olist-marketing-funnel/import-variants/mql_us_dates_without_landing_page.csv")
    )
    assert {r.cells[0]: read_date(r.cells[1], order=DateOrder.DAY_FIRST).value for r in ours} == {
        r.cells[0]: read_date(r.cells[1], order=DateOrder.MONTH_FIRST).value for r in theirs
    }


def test_chinese_names_in_the_legacy_encoding():
    found = sniff(content_of("chinese-company-names/stock_basic_gbk.csv")).format
    assert found is not None
    assert (found.encoding, found.why[0]) == ("gb18030", "gb-common")
    names = profile_of("chinese-company-names/stock_basic_gbk.csv")
    assert names.column("type").values == {"1": 4_136, "2": 596}
    assert names.column("outDate").filled == 154


def test_what_the_rows_of_an_export_are():
    expected = {"Account": "account", "Contact": "contact", "Lead": "lead", "Opportunity": "opportunity",
                "OpportunityHistory": "stage_history", "Case": "case", "Campaign": "campaign"}  # fmt: skip
    for name, subject in expected.items():
        titles = [
            c.column.title for c in profile_of(f"crm-exports/salesforce-weekly-export/{name}.csv").columns
        ]
        assert (recognise(titles).layout, recognise(titles).subject) == ("salesforce", subject)
