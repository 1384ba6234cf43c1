"""The five steps in the browser's own words: plain forms, no script."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.crm.models import Account, Opportunity, Product
from fairlead.exchange import services
from fairlead.exchange.models import ImportRun, MappingPreset

pytestmark = pytest.mark.django_db

FILE = (
    "商机编号,商机名称,客户名称,负责人,产品,阶段,开始日期,金额\n"
    "A1,冷却系统,海星药业,周敏,GTXPro,方案,2026-01-05,12万\n"
    "A2,泵组,海星药业,林芷若,GTX Pro,赢单,2026-01-06,5000\n"
    "A3,换热器,海星药业,没有这个人,GTX Pro,方案,2026-01-07,5000\n"
)


@pytest.fixture
def where() -> Company:
    where = company()
    where.account("海星药业", owner=where.zhou)
    Product.objects.create(name="GTX Pro", list_price=4821)
    return where


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="fairlead.organisation.backends.PasswordBackend")
    return client


def upload(client: Client, text: str = FILE, **more: str) -> ImportRun:
    answer = client.post(
        reverse("exchange:imports"), {"file": SimpleUploadedFile("商机.csv", text.encode("gb18030")), **more}
    )
    assert answer.status_code == 302, answer.content.decode()
    return ImportRun.objects.latest("pk")


def words(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.rule("U17", "T23")
def test_from_a_file_to_records_and_back(where: Company) -> None:
    client = client_of(where.admin)
    run = upload(client)
    assert (run.kind, run.source_format["encoding"]) == ("opportunity", "gb18030")
    assert "GB18030" in words(client.get(reverse("exchange:file", args=[run.pk])))

    page = words(client.get(reverse("exchange:columns", args=[run.pk])))
    assert '<option value="account" selected>' in page
    form = {
        f"c{i}": t
        for i, t in enumerate(
            ["external_id", "name", "account", "owner", "product", "stage", "opened_at", "amount"]
        )
    }
    answer = client.post(
        reverse("exchange:columns", args=[run.pk]),
        {
            **form,
            "then": "check",
            "save_as": "我的商机表",
            "on_existing": "update",
            "w:stage:0": "方案",
            "m:stage:0": "stage:solution_design",
            "w:stage:1": "赢单",
            "m:stage:1": "won",
        },
    )
    assert answer.status_code == 302
    assert "hx-get" in words(
        client.get(reverse("exchange:check", args=[run.pk]))
    )  # the worker has not come yet
    services.check(run.pk)

    page = words(client.get(reverse("exchange:check", args=[run.pk])))
    assert "没有这个人" in page and "GTXPro" in page
    for target, safe in (
        ("product", {"safe": "1"}),
        ("owner", {"w:owner:0": "没有这个人", "m:owner:0": str(where.wu.pk)}),
    ):
        client.post(reverse("exchange:mend", args=[run.pk]), {"target": target, **safe})
        services.check(run.pk)
    run.refresh_from_db()
    assert run.counts["create"] == 3 and run.counts["error"] == 0

    assert "换热器" in words(client.get(reverse("exchange:preview", args=[run.pk])))
    assert client.post(reverse("exchange:run", args=[run.pk])).status_code == 302
    services.execute(run.pk)
    assert client.get(reverse("exchange:run", args=[run.pk])).status_code == 200
    deal = Opportunity.objects.select_related("product", "journey").get(external_id="A1")
    assert (deal.amount, deal.product.name, deal.owner) == (120000, "GTX Pro", where.zhou)
    assert Opportunity.objects.get(external_id="A3").owner == where.wu
    assert Opportunity.objects.get(external_id="A2").journey.state == "won"

    assert client.post(reverse("exchange:undo", args=[run.pk])).status_code == 302
    services.undo(run.pk)
    assert Opportunity.objects.count() == 0
    assert client.get(reverse("exchange:run", args=[run.pk])).status_code == 200

    again = upload(client)  # the same titles: the saved mapping is applied
    assert again.options["preset"] == "我的商机表"
    assert again.mapping["开始日期"]["target"] == "opened_at"
    assert again.value_maps["owner"] == {"没有这个人": str(where.wu.pk)}


@pytest.mark.rule("T23")
def test_one_cell_is_typed_anew(where: Company) -> None:
    client = client_of(where.admin)
    run = upload(client, "客户名称,员工数\n东方机电,许多\n", kind="account")
    client.post(
        reverse("exchange:columns", args=[run.pk]), {"c0": "name", "c1": "employees", "then": "check"}
    )
    services.check(run.pk)
    run.refresh_from_db()
    assert run.counts["error"] == 1
    page = words(client.get(reverse("exchange:row", args=[run.pk, 2])))
    assert "许多" in page
    client.post(reverse("exchange:row", args=[run.pk, 2]), {"cell0": "东方机电", "cell1": "120"})
    services.check(run.pk)
    client.post(reverse("exchange:run", args=[run.pk]))
    services.execute(run.pk)
    assert Account.objects.get(name="东方机电").employees == 120


@pytest.mark.rule("T10", "T23")
def test_error_rows_are_downloaded_with_their_reasons_and_no_formula_runs(where: Company) -> None:
    client = client_of(where.admin)
    run = upload(client, '客户名称,员工数\n"=HYPERLINK(""http://x"")",许多\n', kind="account")
    client.post(
        reverse("exchange:columns", args=[run.pk]), {"c0": "name", "c1": "employees", "then": "check"}
    )
    services.check(run.pk)
    answer = client.get(reverse("exchange:errors", args=[run.pk]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "'=HYPERLINK" in text and "许多" in text


def test_a_column_becomes_a_field_for_whoever_keeps_the_fields(where: Company) -> None:
    client = client_of(where.admin)
    run = upload(client, "客户名称,成立年份\n东方机电,1998\n", kind="account")
    client.post(reverse("exchange:columns", args=[run.pk]), {"c0": "name", "c1": "+field", "then": "check"})
    services.check(run.pk)
    client.post(reverse("exchange:run", args=[run.pk]))
    services.execute(run.pk)
    assert list(Account.objects.get(name="东方机电").custom.values()) == [1998]


@pytest.mark.rule("T05", "T23")
def test_an_import_of_another_is_not_there(where: Company) -> None:
    run = upload(client_of(where.chen), "客户名称\n东方机电\n", kind="account")
    stranger = client_of(where.luo)
    for name, extra in (
        ("import", []),
        ("file", []),
        ("columns", []),
        ("check", []),
        ("preview", []),
        ("run", []),
        ("errors", []),
        ("row", [2]),
    ):
        assert stranger.get(reverse(f"exchange:{name}", args=[run.pk, *extra])).status_code == 404, name
    for name in ("file", "columns", "mend", "run", "undo", "preset"):
        assert stranger.post(reverse(f"exchange:{name}", args=[run.pk])).status_code == 404, name
    assert words(stranger.get(reverse("exchange:imports"))).count("商机.csv") == 0
    assert client_of(where.zhou).get(reverse("exchange:imports")).status_code == 403


@pytest.mark.rule("T23")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"PK\x03\x04broken",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    ],
)
def test_what_is_no_table_is_refused_in_words(where: Company, content: bytes) -> None:
    answer = client_of(where.admin).post(
        reverse("exchange:imports"), {"file": SimpleUploadedFile("x.csv", content)}
    )
    assert answer.status_code == 422
    assert ImportRun.objects.count() == 0


@pytest.mark.rule("T05")
def test_forged_choices_change_nothing(where: Company) -> None:
    client = client_of(where.chen)
    run = upload(client, "客户名称\n东方机电\n", kind="account")
    for forged in ({"c0": "is_sample"}, {"c0": "version"}, {"c0": "owner_id"}):
        assert client.post(reverse("exchange:columns", args=[run.pk]), forged).status_code == 422
    assert client.post(reverse("exchange:imports"), {"pasted": "a\n1", "kind": "person"}).status_code == 422
    run.refresh_from_db()
    assert run.state == "uploaded"
    assert MappingPreset.objects.count() == 0
