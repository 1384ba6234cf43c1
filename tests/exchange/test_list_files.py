"""Files of lists: safe in a spreadsheet, the same when they come back, holding only what the asker may read."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.exchange.importing import checked, ran, staged
from tests.exchange.kit import cells_of
from tests.factories.crm import Company, company

from fairlead.common.safe_cells import is_risky
from fairlead.crm.models import Account, Contact

PREFIXES = (
    "=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u200b=", "\ufeff=", "\u00a0=", "＝", "＋", "－", "＠", '"=', ";=", ",=",
    "　=", "'=",
)  # fmt: skip
TEXTS = {
    "account": ("short_name", "industry", "region", "city", "website", "phone"),
    "contact": ("title", "department", "note", "mobile", "phone"),
}
FORMATS = ("csv", "xlsx")


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def fetch(client: Client, plural: str, **params: Any) -> bytes:
    answer = client.get(reverse(f"crm:{plural}"), params)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def hostile(kind: str, n: int, prefix: str) -> dict[str, str]:
    return {key: f"{prefix}{n}+{at}x" for at, key in enumerate(TEXTS[kind])}


def furnished(where: Company, kind: str) -> dict[str, dict[str, str]]:
    """name → texts that a spreadsheet might run, stored as they are: many would be trimmed on the way in."""
    made = {}
    account = where.account("Holder") if kind == "contact" else None
    for n, prefix in enumerate(PREFIXES):
        name, values = f"Row {n:02}", hostile(kind, n, prefix)
        row = where.contact(account, name) if account else where.account(name)
        type(row).objects.filter(pk=row.pk).update(**values)
        made[name] = values
    return made


@pytest.mark.rule("T10")
@pytest.mark.parametrize("fields", ["shown", "all"])
@pytest.mark.parametrize("kind", TEXTS)
def test_no_cell_of_any_export_can_run(where: Company, client: Client, kind: str, fields: str) -> None:
    assert len(PREFIXES) == 20
    furnished(where, kind)
    client.force_login(where.zhou)
    params = {"fields": fields, "cols": ",".join(["name", *TEXTS[kind]])}
    plural = f"{kind}s"
    text = fetch(client, plural, export="csv", **params).decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert len(cells) > 100
    assert [c for c in cells if is_risky(c) and not c.startswith("'")] == []
    data = fetch(client, plural, export="xlsx", **params)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in archive.read(name) and b"<f " not in archive.read(name)
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    texts = [cell for row in sheet[1:] for cell in row if cell and re.search(r"\+\dx$", str(cell))]
    assert len(texts) == 20 * len(TEXTS[kind]) and all(isinstance(cell, str) for cell in texts)


@pytest.mark.rule("T10")
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kind", TEXTS)
def test_every_hostile_text_comes_out_as_it_is_stored(
    where: Company, client: Client, kind: str, format_: str
) -> None:
    """As the import reads the cells of the file."""
    made = furnished(where, kind)
    client.force_login(where.zhou)
    data = fetch(client, f"{kind}s", export=format_, fields="shown", cols=",".join(["name", *TEXTS[kind]]))
    read = {cells[0]: cells[1:] for cells in cells_of(data)}
    assert read == {name: tuple(values.values()) for name, values in made.items()}


@pytest.mark.rule("T10", "T23")
@pytest.mark.parametrize("format_", FORMATS)
def test_export_and_import_restore_the_identical_value(where: Company, client: Client, format_: str) -> None:
    """Numbers stay numbers, phones keep their plus and zeros, what looks like a formula stays text."""
    values: dict[str, Any] = {}
    for n, prefix in enumerate(("=", "+86 138 0013 ", "-", "@", "'=", "＝", "007", "1e5", "+")):
        row = where.account(
            f"Account {n}", short_name=f"{prefix}{n}", city=f"{prefix}{n}", phone=f"+86 0{n}38 {n}",
            employees=n + 1, annual_revenue=f"{n}234567.89",
        )  # fmt: skip
        values[row.name] = (row.short_name, row.city, row.phone, row.employees, str(row.annual_revenue))
    Account.objects.filter(name="Account 2").update(annual_revenue=None)
    client.force_login(where.zhou)
    columns = ("name", "short_name", "city", "phone", "employees", "annual_revenue")
    data = fetch(client, "accounts", export=format_, fields="shown", cols=",".join(columns))
    Account.objects.all().delete()
    run = staged(data, by=where.admin, kind="account", name=f"a.{format_}")
    keys = [column["key"] for column in run.profile["columns"]]
    mapping = {key: {"target": target} for key, target in zip(keys, columns, strict=True)}
    run = ran(checked(run, by=where.admin, mapping=mapping), by=where.admin)
    assert run.counts["done"]["created"] == len(values), run.findings
    back = {
        row.name: (row.short_name, row.city, row.phone, row.employees, str(row.annual_revenue))
        for row in Account.objects.all()
    }
    for name, wanted in values.items():
        if name == "Account 2":
            assert back[name][:4] == (*wanted[:3], wanted[3]) and back[name][4] == "None"
        else:
            assert (*back[name][:4], float(back[name][4])) == (*wanted[:4], float(wanted[4])), name


@pytest.mark.rule("T04", "T01")
@pytest.mark.parametrize("format_", FORMATS)
def test_a_field_that_one_may_not_read_is_in_no_file(where: Company, client: Client, format_: str) -> None:
    deal = where.deal("A", amount=900_000)
    where.edit(deal, margin="34.27")
    where.deal("Theirs", owner=where.qi)
    client.force_login(where.mo)
    for params in ({}, {"fields": "shown"}):
        data = fetch(client, "opportunities", export=format_, **params)
        said = str(cells_of(data)) + str(_sheets(data) if format_ == "xlsx" else "")
        assert "34.27" not in said and "Gross margin" not in said and "'A'" in said
    asked = {"export": format_, "fields": "shown", "cols": "name,margin"}
    assert client.get(reverse("crm:opportunities"), asked).status_code == 400
    asked = {"export": format_, "filter": '{"field":"margin","op":"gte","value":30}'}
    assert client.get(reverse("crm:opportunities"), asked).status_code == 400
    client.force_login(where.zhou)
    assert "34.27" in str(cells_of(fetch(client, "opportunities", export=format_)))
    assert "Theirs" not in str(cells_of(fetch(client, "opportunities", export=format_)))


def _sheets(data: bytes) -> list[list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


@pytest.mark.rule("U38")
def test_a_workbook_says_what_it_holds_who_took_it_and_when(where: Company, client: Client) -> None:
    where.deal("Small", amount=100)
    where.deal("Big", amount=900_000)
    client.force_login(where.zhou)
    data = fetch(
        client, "opportunities", export="xlsx", fields="shown", cols="name,amount,created", sort="-amount",
        filter=json.dumps(
            {"all": [{"field": "amount", "op": "gte", "value": "500000"},
                     {"field": "owner", "op": "eq", "value": where.zhou.pk}]}
        ),
    )  # fmt: skip
    rows, notes = _sheets(data)
    assert rows[0] == ["Name", "Amount", "Created"] and [row[0] for row in rows[1:]] == ["Big"]
    assert rows[1][1] == 900_000
    created = timezone.localtime(Account.objects.order_by("pk").last().created_at, where.zhou.tz)
    assert abs((rows[1][2] - created.replace(tzinfo=None)).days) <= 10
    said = {line[0]: line[1] for line in notes}
    assert said["Filter"] == "Amount ≥ ¥500K and Owner is 周敏"
    assert (said["Order"], said["Exported by"], said["Rows"]) == ("Amount ↓", "周敏", 1)
    assert said["Exported at"].date() == timezone.localtime(timezone.now(), where.zhou.tz).date()
    page = client.get(reverse("crm:opportunities")).content.decode()
    assert page.count(" download>") == 4


@pytest.mark.rule("T10")
def test_a_hostile_filter_is_a_text_on_the_second_sheet(where: Company, client: Client) -> None:
    where.contact(where.account("Any"), "=1+1")
    client.force_login(where.zhou)
    data = fetch(client, "contacts", export="xlsx", q="=1+1")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert all(b"<f>" not in archive.read(name) for name in archive.namelist())
    assert ["Search", "=1+1"] in [line[:2] for line in _sheets(data)[1]]
    assert Contact.objects.count() == 1
