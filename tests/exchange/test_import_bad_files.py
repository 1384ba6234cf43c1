"""What people bring that is not as it should be: named by row, field and mend before anything is written."""

from __future__ import annotations

import io
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.exchange.importing import checked, codes, columns, how, ran, staged, undone
from tests.factories.crm import Company, company
from tests.kit.isolation import undone as rolled_back

from fairlead.crm.models import Account, Opportunity
from fairlead.exchange import services
from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.exchange.writing import csv_chunks

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T23")]


@pytest.fixture
def where() -> Company:
    return company()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_every_encoding_and_separator_gives_the_same_records(
    where: Company, encoding: str, sign: str
) -> None:
    text = "客户名称,城市,员工数\n东方机电制造有限公司,上海,120\n西域化工股份公司,兰州,80\n北方重工集团,沈阳,900\n".replace(
        ",", sign
    )
    run = checked(staged(text.encode(encoding), by=where.admin, kind="account"), by=where.admin)
    ran(run, by=where.admin)
    assert set(Account.objects.values_list("name", "city", "employees")) == {
        ("东方机电制造有限公司", "上海", 120),
        ("西域化工股份公司", "兰州", 80),
        ("北方重工集团", "沈阳", 900),
    }


def test_a_workbook_comes_in_with_its_dates_and_what_its_formulas_gave(where: Company) -> None:
    """The value of a formula, never the formula; one that gave an error is named by row, column and mend."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet("商机")
        day = book.add_format({"num_format": "yyyy/m/d"})
        sheet.write_row(0, 0, ["name", "amount", "closes", "description"])
        for row in (1, 2):
            sheet.write_string(row, 0, f"冷却系统 {row}")
            sheet.write_datetime(row, 2, date(2030, 3, 4), day)
            sheet.write_string(row, 3, "=1+1")
        sheet.write_formula(1, 1, "=60000*2", None, 120000)
        sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    mapping = columns(name="name", amount="amount", closes="expected_close_date", description="description")
    run = checked(staged(buffer.getvalue(), by=where.admin, name="a.xlsx"), by=where.admin, mapping=mapping)
    assert codes(run) == {"cell-error": 1} and Opportunity.objects.count() == 0
    (told,) = ImportRow.objects.get(run=run, number=3).problems
    assert (told["code"], told["column"]) == ("cell-error", 1)
    ran(run, by=where.admin)
    deal = Opportunity.objects.get(name="冷却系统 1")
    assert (deal.amount, str(deal.expected_close_date), deal.description) == (120000, "2030-03-04", "=1+1")


def test_a_date_with_two_meanings_asks_which(where: Company) -> None:
    text = "name,closes\n冷却系统,03/04/2030\n泵组,05/06/2030\n"
    mapping = columns(name="name", closes="expected_close_date")
    run = checked(staged(text, by=where.admin), by=where.admin, mapping=mapping)
    assert codes(run) == {"date-ambiguous": 2}
    assert (run.counts["create"], run.counts["error"]) == (0, 2)
    services.mend_column(run.pk, column=1, code="date-order", params={"order": "dmy"}, **how(where.admin))
    services.check(run.pk)
    run.refresh_from_db()
    assert (run.counts["create"], run.counts["error"]) == (2, 0)
    ran(run, by=where.admin)
    assert {str(d) for d in Opportunity.objects.values_list("expected_close_date", flat=True)} == {
        "2030-04-03",
        "2030-06-05",
    }


def test_torn_rows_are_mended_by_one_click_or_stay_out(where: Company) -> None:
    run = checked(
        staged(
            "name,city,phone\n东方机电,上海\n西域化工,兰州,0931,x\n北方重工,沈阳,024\n",
            by=where.admin,
            kind="account",
        ),
        by=where.admin,
    )
    assert codes(run) == {"row-short": 1, "row-long": 1}
    assert run.counts["create"] == 1
    for code in ("fill-missing", "drop-surplus"):
        services.mend_rows(run.pk, code=code, **how(where.admin))
        services.check(run.pk)
    run.refresh_from_db()
    assert (run.counts["create"], run.counts["error"]) == (3, 0)


def test_unknown_people_stages_and_products_are_offered_what_they_resemble(where: Company) -> None:
    where.account("海星药业", owner=where.zhou)
    text = "name,owner,stage,account\n冷却系统,周 敏,谈判,海星药业\n泵组,无此人,第九阶段,海星药厂\n"
    run = checked(
        staged(text, by=where.admin),
        by=where.admin,
        mapping=columns(name="name", owner="owner", stage="stage", account="account"),
    )
    assert codes(run) == {"unknown-person": 1, "unknown-stage": 2, "unknown-record": 1}
    offers = run.findings["unknown"]
    assert [(o["text"], o["key"]) for o in offers["owner"]] == [("无此人", None)]  # 周 敏 is 周敏
    assert [(o["text"], o["name"]) for o in offers["account"]] == [("海星药厂", "海星药业")]
    assert {o["text"] for o in offers["stage"]} == {"谈判", "第九阶段"}
    assert next(o for o in offers["stage"] if o["text"] == "谈判")["key"] == "stage:quote_negotiation"
    assert run.counts["create"] == 0 and Opportunity.objects.count() == 0


def test_a_missing_account_is_made_when_somebody_says_so_and_goes_with_the_undo(where: Company) -> None:
    text = "name,account\n冷却系统,新来的公司\n泵组,新来的公司\n"
    run = checked(
        staged(text, by=where.admin), by=where.admin, mapping=columns(name="name", account="account")
    )
    assert codes(run)["unknown-record"] == 2
    services.map_value(run.pk, target="account", choices={"新来的公司": "+"}, **how(where.admin))
    services.check(run.pk)
    ran(run, by=where.admin)
    account = Account.objects.get(name="新来的公司")
    assert set(Opportunity.objects.values_list("account", flat=True)) == {account.pk}
    undone(run, by=where.admin)
    assert (Opportunity.objects.count(), Account.objects.count()) == (0, 0)


def test_the_same_record_twice_in_a_file_is_one_record_and_one_error(where: Company) -> None:
    run = checked(
        staged("number,name\nX1,东方机电\nX1,东方机电二厂\n", by=where.admin, kind="account"),
        by=where.admin,
        mapping=columns(number="external_id", name="name"),
    )
    assert codes(run) == {"duplicate-in-file": 1}
    assert ImportRow.objects.get(run=run, number=3).problems[0]["params"] == {"row": 2}


def test_two_columns_of_one_title_are_told_apart(where: Company) -> None:
    run = staged("name,city,city\n东方机电,上海,浦东\n", by=where.admin, kind="account")
    assert [c["key"] for c in run.profile["columns"]] == ["name", "city", "city (2)"]
    assert "header-duplicate" in {p["code"] for p in run.profile["problems"]}


def test_a_file_that_was_cut_off_is_named_and_its_whole_rows_come_in(where: Company) -> None:
    run = checked(
        staged('name,city\n东方机电,上海\n西域化工,"兰', by=where.admin, kind="account"), by=where.admin
    )
    assert codes(run) == {"unterminated-quote": 1}
    ran(run, by=where.admin)
    assert list(Account.objects.values_list("name", flat=True)) == ["东方机电"]


@pytest.mark.parametrize("bad", ["\x00", "😀" * 30, "\u202eesrever", "a" * 5000, "\x07"])
def test_odd_text_is_a_message_or_a_value(where: Company, bad: str) -> None:
    run = checked(
        staged(
            f"name,city\n东方机电,{bad}\n".encode("utf-8", "surrogatepass"), by=where.admin, kind="account"
        ),
        by=where.admin,
    )
    if run.counts["create"]:
        ran(run, by=where.admin)
        assert run.counts["done"]["created"] + run.counts["done"]["refused"] == 1
    else:
        assert run.counts["error"] == 1


@pytest.mark.rule("T10")
def test_what_goes_out_comes_back_unchanged(where: Company) -> None:
    words = [
        "=1+1",
        "+86 138 1234 5678",
        "-5",
        "@cmd",
        "'=x",
        "\t=x",
        "＝全角",
        "plain",
        " spaced",
        'a,b;c"d',
    ]
    table = b"".join(csv_chunks(["name", "city"], [[f"公司 {i}", word] for i, word in enumerate(words)]))
    run = checked(staged(table, by=where.admin, kind="account"), by=where.admin)
    ran(run, by=where.admin)
    assert list(Account.objects.order_by("pk").values_list("city", flat=True)) == [w.strip() for w in words]


@given(
    st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), min_size=1, max_size=12),
    st.sampled_from([",", ";", "\t"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_table_ends_in_a_crash_and_what_is_promised_is_what_comes(
    where: Company, rows: list[list[str]], sign: str
) -> None:
    with rolled_back():
        text = "name,city,employees\n" + "\n".join(sign.join(cells) for cells in rows)
        data = text.encode("utf-8", "surrogatepass")
        try:
            run = checked(staged(data, by=where.admin, kind="account"), by=where.admin)
        except services.FileRefused as refusal:
            assert refusal.details["problems"]
            return
        except services.NotReady:
            return
        if not run.counts["create"]:
            assert Account.objects.count() == 0
            return
        promised = run.counts["create"]
        ran(run, by=where.admin)
        assert Account.objects.count() == promised - run.counts["done"]["refused"]


@pytest.mark.nightly
def test_fifty_thousand_rows_are_looked_at_in_a_minute(where: Company, tmp_path: Path) -> None:
    lines = ["number,name,owner,amount,opened"] + [
        f"N{i},商机 {i},周敏,{i},2026-01-05" for i in range(50_000)
    ]
    begun = time.monotonic()
    run = staged("\n".join(lines), by=where.admin)
    run = checked(
        run,
        by=where.admin,
        mapping=columns(
            number="external_id", name="name", owner="owner", amount="amount", opened="opened_at"
        ),
    )
    assert run.counts["create"] == 50_000
    assert time.monotonic() - begun < 60


def test_more_rows_than_are_read_are_refused_before_anything(where: Company) -> None:
    with pytest.raises(services.FileRefused):
        staged("name\n" + "x\n" * 50_001, by=where.admin, kind="account")
    assert ImportRun.objects.count() == 0


def test_a_process_that_was_never_published_brings_a_message(db: Any) -> None:
    from fairlead.exchange.services.staging import definition_for

    assert definition_for({}) is None
