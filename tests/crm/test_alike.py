"""The warning while one types: doubles are found, and hidden ones are not shown."""

import pytest
from tests.factories.crm import Company, company

from fairlead.crm.selectors.alike import core_of, phone_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("启晨半导体（集团）股份有限公司", "启晨半导体"), ("启晨半导体", "启晨半导体"), ("启晨半导体有限责任公司", "启晨半导体"),
        ("Acme Industrial Co., Ltd.", "acmeindustrial"), ("ACME Industrial", "acmeindustrial"), ("有限公司", "有限公司"),
        ("Ｓｉｅｍｅｎｓ AG", "siemens"), ("", ""),
    ],
)  # fmt: skip
def test_the_core_of_a_company_name(name, core):
    assert core_of(name) == core


@pytest.mark.parametrize(
    ("text", "phone"),
    [("+86 138 1234 5678", "13812345678"), ("138-1234-5678", "13812345678"), ("12", ""), ("", "")],
)
def test_the_core_of_a_phone_number(text, phone):
    assert phone_of(text) == phone


def warned(client, kind, **typed):
    answer = client.get(f"/{kind}s/alike/", typed, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.rule("U18")
@pytest.mark.parametrize("name", ["启晨半导体", "启晨半导体有限公司", "启晨 半导体 集团"])
def test_an_account_of_that_name_is_shown_with_its_owner(where, client, name):
    where.account("启晨半导体（集团）股份有限公司")
    client.force_login(where.zhou)
    text = warned(client, "account", name=name)
    assert "This may be here already" in text and where.zhou.name in text and "the same name" in text


@pytest.mark.rule("U18")
def test_a_credit_code_counts_whatever_the_name(where, client):
    where.account("启晨半导体", uscc="91320594MA1N5QYU0X")
    client.force_login(where.zhou)
    assert "the same credit code" in warned(client, "account", name="别的名字", uscc="91320594ma1n5qyu0x")
    assert warned(client, "account", name="别的名字", uscc="91320594").strip() == ""


@pytest.mark.rule("U18", "T05")
def test_a_record_that_the_person_may_not_see_is_masked(where, client):
    where.account("启晨半导体", owner=where.qi)
    client.force_login(where.wu)
    text = warned(client, "account", name="启晨半导体有限公司")
    assert "which you may not see" in text
    assert where.qi.name not in text and "/accounts/" not in text and "启晨" not in text


@pytest.mark.rule("U18")
def test_a_contact_is_found_by_phone_mail_and_name_at_the_account(where, client):
    account = where.account("启晨半导体")
    where.contact(account, "王磊", mobile="+86 138 1234 5678", email="Wang@qichen.cn")
    client.force_login(where.zhou)
    warning = warned(client, "contact", name="李", phone="13812345678")
    assert "the same phone number" in warning
    assert "138****5678" in warning and "138 1234 5678" not in warning  # enough to recognise it by
    assert "the same e-mail address" in warned(client, "contact", name="李", email="wang@QICHEN.cn")
    assert "the same name at the same account" in warned(
        client, "contact", name="王 磊", account=f"启晨半导体 #{account.pk}"
    )
    assert warned(client, "contact", name="王磊").strip() == ""
    assert warned(client, "contact", name="王磊", account="9" * 30).strip() == ""


@pytest.mark.rule("U18")
def test_the_form_asks_for_it_and_a_reader_is_denied(where, client):
    client.force_login(where.zhou)
    assert 'hx-get="/accounts/alike/"' in client.get("/accounts/new/").content.decode()
    assert client.get("/accounts/alike/?name=x")["Location"] == "/accounts/new/"
    client.force_login(where.sun)
    assert client.get("/accounts/alike/?name=x", headers=HTMX).status_code == 403


@pytest.mark.parametrize("rows", [1, 50])
def test_as_many_queries_for_one_as_for_fifty(where, client, django_assert_num_queries, rows):
    for _number in range(rows):
        where.account("启晨半导体")
    client.force_login(where.zhou)
    warned(client, "account", name="启晨半导体")
    with django_assert_num_queries(5):  # session, person, roles; candidates, those that are seen
        warned(client, "account", name="启晨半导体")
