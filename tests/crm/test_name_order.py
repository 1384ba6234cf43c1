"""Lists of accounts and contacts stand in the order of the sound of their names, page by page, and by an index."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.crm import lists
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact

# Zeng, Shan, Xie, Qiu: as surnames; 李 before 连; other scripts by their letters.
PEOPLE = ["Anna Wolf", "李明", "连战", "仇英", "单雄信", "解缙", "尉迟恭", "曾国"]
COMPANIES = [
    "Bosch",
    "曾经科技",
    "长春客车",
    "重庆钢铁",
    "宁波港务",
    "上海电气",
]  # céng, cháng, chóng: as words


@pytest.fixture
def where(db: None) -> Company:
    return company(language="zh-hans")


def shown(client: Client, plural: str, **params: Any) -> list[str]:
    page = client.get(reverse(f"crm:{plural}"), params).content.decode()
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)


@pytest.mark.rule("T23")
def test_contacts_stand_by_the_sound_of_their_surname(
    where: Company, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PER_PAGE", 3)
    account = where.account("启晨")
    for name in reversed(PEOPLE):
        where.contact(account, name)
    client.force_login(where.zhou)
    pages = [shown(client, "contacts", page=n) for n in (1, 2, 3)]
    assert [name for page in pages for name in page] == PEOPLE
    falling = [name for n in (1, 2, 3) for name in shown(client, "contacts", sort="-name", page=n)]
    assert falling == PEOPLE[::-1]
    on_the_account = client.get(
        reverse("crm:account", args=[account.pk]), {"tab": "contacts"}
    ).content.decode()
    places = [on_the_account.index(f">{name}<") for name in PEOPLE]
    assert places == sorted(places)


@pytest.mark.rule("T23")
def test_companies_are_read_as_words_not_as_people(where: Company, client: Client) -> None:
    for name in reversed(COMPANIES):
        where.account(name)
    client.force_login(where.zhou)
    assert shown(client, "accounts") == COMPANIES


@pytest.mark.rule("T23")
def test_a_new_name_has_a_new_place(where: Company, client: Client) -> None:
    account = where.account("启晨")
    row = where.contact(account, "单雄信")
    where.contact(account, "李明")
    client.force_login(where.zhou)
    assert shown(client, "contacts") == ["李明", "单雄信"]
    crm.edit("contact", row.pk, {"name": "卜凡"}, version=row.version, **where.how())
    assert shown(client, "contacts") == ["卜凡", "李明"]


@pytest.mark.rule("T23")
def test_the_pages_of_the_interface_stand_in_the_same_order(where: Company, client: Client) -> None:
    account = where.account("启晨")
    for name in PEOPLE:
        where.contact(account, name)
    client.force_login(where.zhou)
    found: list[str] = []
    cursor = ""
    while True:
        answer = client.get("/api/v1/contacts", {"limit": 3, "sort": "name", "cursor": cursor}).json()
        found += [row["name"] for row in answer["items"]]
        cursor = answer["next"] or ""
        if not cursor:
            break
    assert found == PEOPLE


@pytest.mark.rule("T23")
@pytest.mark.parametrize("model,index", [(Account, "account_sound"), (Contact, "contact_sound")])
def test_an_index_gives_the_order(db: None, model: Any, index: str) -> None:
    asked = model.objects.order_by("name_key", "pk").values_list("pk")[:1001]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    assert index in asked.explain()
