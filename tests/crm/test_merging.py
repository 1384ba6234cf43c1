"""Two people change one record at once: nothing is overwritten in silence, nothing that was typed is lost."""

from __future__ import annotations

import html
import random
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from tests.factories.crm import Company, company

from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.crm.views.merging import who_changed
from fairlead.offers import services as offers
from fairlead.offers.models import Contract

#: Of each kind some fields with values that differ from each other.
FIELDS: dict[str, dict[str, list[str]]] = {
    "account": {
        "city": ["Wuxi", "Suzhou", "Nanjing"], "industry": ["Rail", "Chips", "Steel"], "phone": ["021 1", "021 2", "021 3"],
        "website": ["https://a.cn", "https://b.cn", "https://c.cn"], "employees": ["10", "20", "30"],
    },
    "contact": {
        "title": ["Head", "Chief", "Lead"], "department": ["Buying", "Plant", "Law"], "note": ["one", "two\nlines", "three"],
        "email": ["a@b.cn", "c@d.cn", "e@f.cn"],
    },
    "opportunity": {
        "amount": ["100", "250.5", "300"], "currency": ["CNY", "USD", "EUR"], "competitor": ["X", "Y", "Z"],
        "description": ["a", "b", "c"], "expected_close_date": ["2027-01-05", "2027-02-05", "2027-03-05"],
    },
    "contract": {
        "number": ["C-1", "C-2", "C-3"], "amount": ["100", "200", "300"],
        "signed_date": ["2026-01-05", "2026-01-06", "2026-01-07"],
    },
}  # fmt: skip
MODELS: dict[str, Any] = {
    "account": Account,
    "contact": Contact,
    "opportunity": Opportunity,
    "contract": Contract,
}
TOGETHER = {"amount": {"amount", "currency"}, "currency": {"amount", "currency"}}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def inputs(page: str) -> dict[str, str]:
    """What a browser would send of the form, untouched; of two radio buttons the ticked one."""
    form = page[page.index('<form class="fl-sheet"') :]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and value and ('type="radio"' not in tag or "checked" in tag):
            found[name.group(1)] = html.unescape(value.group(1))
    for name, inner in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found[name] = html.unescape(chosen.group(1)) if chosen else ""
    for name, inner in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.S):
        found[name] = html.unescape(inner)
    found.pop("csrfmiddlewaretoken", None)
    return found


def stored(kind: str, row: Any) -> dict[str, str]:
    row = MODELS[kind].objects.get(pk=row.pk)
    found = {}
    for key in FIELDS[kind]:
        value = getattr(row, key)
        found[key] = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return found


def change(kind: str, row: Any, values: dict[str, str], where: Company) -> None:
    row = MODELS[kind].objects.get(pk=row.pk)
    how = where.how(where.chen)
    if kind == "contract":
        offers.edit_contract(row.pk, dict(values), version=row.version, **how)
    else:
        crm.edit(kind, row.pk, values, version=row.version, **how)


@pytest.mark.rule("U34", "T14")
def test_a_hundred_pairs_of_edits_overwrite_nothing_in_silence(where: Company, client: Client) -> None:
    dice = random.Random(34)
    client.force_login(where.zhou)
    deal = where.deal("Line four", amount=100)
    contact = where.contact(deal.account)
    contract = offers.create_contract(
        deal.pk, number="C-0", amount=Decimal(50), currency="CNY", **where.how()
    )
    rows = {"account": deal.account, "contact": contact, "opportunity": deal, "contract": contract}
    collided = merged = 0
    for run in range(100):
        kind = dice.choice(list(FIELDS))
        row, fields = rows[kind], FIELDS[kind]
        name = "offers:contract_edit" if kind == "contract" else f"crm:{kind}_edit"
        address = reverse(name, args=[row.pk])
        form = inputs(client.get(address).content.decode())
        before = stored(kind, row)
        theirs, mine = (
            {
                key: dice.choice([v for v in fields[key] if v != before[key]])
                for key in dice.sample(sorted(fields), dice.randint(1, 2))
            }
            for _side in range(2)
        )
        change(kind, row, theirs, where)
        after_theirs = stored(kind, row)
        groups = {key: TOGETHER.get(key, {key}) for key in mine}
        clash = {
            key for key, value in mine.items() if groups[key] & set(theirs) and after_theirs[key] != value
        }
        answer = client.post(address, form | mine)
        if not clash:
            merged += 1
            assert answer.status_code == 302, (run, kind, theirs, mine)
            assert stored(kind, row) == after_theirs | mine, (run, kind, theirs, mine)
            continue
        collided += 1
        page = answer.content.decode()
        assert answer.status_code == 409 and "陈立新 changed" in page, (run, kind, theirs, mine)
        assert stored(kind, row) == after_theirs  # nothing was written
        again = inputs(page)
        assert {key: again[key] for key in mine} == mine  # nothing typed is lost
        assert {key[5:] for key in again if key.startswith("take-")} == clash
        choice = {key: dice.choice(("mine", "theirs")) for key in clash}
        done = client.post(address, again | {f"take-{key}": side for key, side in choice.items()})
        assert done.status_code == 302, (run, kind, theirs, mine, choice)
        kept = {key: value for key, value in mine.items() if choice.get(key) != "theirs"}
        assert stored(kind, row) == after_theirs | kept, (run, kind, theirs, mine, choice)
    assert collided >= 15 and merged >= 30, (collided, merged)


@pytest.mark.rule("U34")
def test_inline_another_field_is_no_obstacle_and_is_told(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    client.force_login(where.zhou)
    address = reverse("crm:opportunity_field", args=[deal.pk, "competitor"])
    opened = client.get(address + "?edit=1", headers={"HX-Request": "true"}).content.decode()
    assert 'name="was-competitor"' in opened
    where.edit(deal, by=where.chen, description="new words")
    body = {"competitor": "Sanming", "was-competitor": "", "version": 1}
    saved = client.post(address, body, headers={"HX-Request": "true"})
    assert saved.status_code == 200
    deal.refresh_from_db()
    assert (deal.competitor, deal.description) == ("Sanming", "new words")


@pytest.mark.rule("U34")
def test_an_amount_and_its_currency_are_changed_together_or_asked_about(
    where: Company, client: Client
) -> None:
    deal = where.deal(amount=100)
    client.force_login(where.zhou)
    address = reverse("crm:opportunity_field", args=[deal.pk, "amount"])
    opened = client.get(address + "?edit=1", headers={"HX-Request": "true"}).content.decode()
    bases = dict(re.findall(r'name="(was-\w+)" value="([^"]*)"', opened))
    assert bases == {"was-amount": "100", "was-currency": "CNY"}
    where.edit(deal, by=where.chen, currency="USD")
    late = client.post(address, {"amount": "250", "version": 1, **bases}, headers={"HX-Request": "true"})
    assert late.status_code == 409 and "陈立新 changed Currency just now." in late.content.decode()
    deal.refresh_from_db()
    assert (deal.amount, deal.currency) == (100, "USD")


@pytest.mark.rule("U34", "T04")
def test_who_changed_a_field_that_is_not_read_is_not_told(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, by=where.chen, margin=30, competitor="Sanming")
    keys = {"margin", "competitor"}
    assert not where.lu.may("margin.view") and where.zhou.may("margin.view")
    with translation.override("en"):
        assert "Gross margin" in who_changed("opportunity", deal.pk, keys, where.zhou)
        assert who_changed("opportunity", deal.pk, keys, where.lu) == "陈立新 changed Competitor just now."
