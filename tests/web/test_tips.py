"""Help in place: each main page explains the word that it turns on, in both languages, once (help in place)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.offers import services as offers


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


PAGES = (
    "crm:board", "crm:opportunities", "crm:accounts", "crm:contacts", "crm:segments", "offers:contracts",
    "process:processes", "work:inbox", "work:tasks", "work:calendar", "web:calendar", "web:rights",
    "web:lists", "web:fields",
)  # fmt: skip


def words(html: str) -> list[str]:
    return re.findall(r'role="note" popover><b>([^<]+)</b>', html)


@pytest.mark.rule("U16")
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_main_pages_explain_a_word_where_it_stands(where: Company, client: Client, language: str) -> None:
    deal = where.deal()
    person = where.contact(deal.account)
    how: Any = where.how()
    contract = offers.create_contract(deal.pk, number="C-1", amount=1, currency="CNY", **how)
    user = where.admin
    user.language = language
    user.save(update_fields=["language"])
    where.zhou.language = language
    where.zhou.save(update_fields=["language"])
    silent = []
    for name in PAGES:
        client.force_login(user if name.startswith("web:") else where.zhou)
        answer = client.get(reverse(name))
        assert answer.status_code == 200, name
        if not words(answer.content.decode()):
            silent.append(name)
    client.force_login(where.zhou)
    for name, pk in (
        ("crm:opportunity", deal.pk), ("crm:account", deal.account_id), ("crm:contact", person.pk),
        ("offers:contract", contract.pk),
    ):  # fmt: skip
        html = client.get(reverse(name, args=[pk])).content.decode()
        found = words(html)
        if not found:
            silent.append(name)
        ids = re.findall(r' id="(term-\d+)"', html)
        assert len(ids) == len(set(ids)), name
        assert all(re.search("[一-鿿]", word) for word in found) == (language == "zh-hans"), found
    assert silent == []
