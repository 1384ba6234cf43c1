"""Whatever is typed into a field of a record is stored, or refused with a sentence; no page breaks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.crm import services as crm
from fairlead.fields.catalogue import catalogue
from fairlead.fields.services import add_field

HOSTILE = (
    "a\x00b",
    "a\ud800b",
    "\u202eabc",
    "😀🏳️‍🌈",
    "x" * 200_000,
    "' OR 1=1 --",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "-1",
    "0",
    "9" * 18,
    "9" * 400,
    "1e308",
    "NaN",
    "Infinity",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "true",
    "null",
    "[]",
    "²",
    "#",
    "#99999999999999999999",
    " ",
)
COLUMN_BREAKERS = (
    "a\x00b",
    "a\ud800b",
    "x" * 100_000,
    "-1",
    "9" * 18,
    "9999-12-31",
    "<script>alert(1)</script>",
)
FINE = (200, 302, 413, 422)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def post(client: Client, address: str, data: dict[str, Any], **headers: str) -> Any:
    body = "&".join(f"{quote(k)}={quote(str(v).encode('utf-8', 'surrogatepass'))}" for k, v in data.items())
    return client.post(address, body, content_type="application/x-www-form-urlencoded", headers=headers)


def rows(where: Company) -> dict[str, Any]:
    account = where.account()
    return {
        "account": account,
        "contact": where.contact(account),
        "opportunity": where.deal(account=account),
        "segment": crm.create("segment", {"name": "S"}, **where.how(where.chen)),
    }


@pytest.mark.rule("T07", "T21")
@pytest.mark.parametrize("kind", ["account", "contact", "segment", "opportunity"])
def test_no_field_breaks_whatever_is_typed(where: Company, client: Client, kind: str) -> None:
    for type_ in (
        "text",
        "long_text",
        "integer",
        "decimal",
        "money",
        "percent",
        "date",
        "datetime",
        "boolean",
        "email",
        "phone",
        "person",
        "team",
    ):
        add_field(
            subject_type=kind, key=f"x_{type_}", type=type_, label={"en": type_}, **where.how(where.admin)
        )
    add_field(
        subject_type=kind,
        key="x_multi",
        type="multi_choice",
        label={"en": "m"},
        options=[{"value": "a", "label": {"en": "a"}}],
        **where.how(where.admin),
    )
    row = rows(where)[kind]
    client.force_login(where.admin)
    seen = set()
    for spec in catalogue(kind):
        if not spec.settable or (spec.custom and not spec.key.startswith("x_")):
            continue
        address = reverse(f"crm:{kind}_field", args=[row.pk, spec.key])
        # Every type meets everything once; columns of the table meet what breaks columns.
        for typed in HOSTILE if spec.custom and kind == "account" else COLUMN_BREAKERS:
            row.refresh_from_db()
            response = post(
                client, address, {spec.key: typed, "version": row.version}, **{"HX-Request": "true"}
            )
            assert response.status_code in FINE, (spec.key, ascii(typed)[:30], response.status_code)
            seen.add(response.status_code)
            assert "<script>alert" not in response.content.decode(errors="replace")
    assert seen >= {200, 422}
    for tab in ("timeline", "fields", "history"):
        page = client.get(reverse(f"crm:{kind}", args=[row.pk]) + f"?tab={tab}")
        assert page.status_code == 200 and "<script>alert" not in page.content.decode()
    assert client.get(reverse(f"crm:{kind}_edit", args=[row.pk])).status_code == 200


@pytest.mark.rule("T07", "T21")
@pytest.mark.parametrize("kind", ["account", "contact", "segment"])
def test_no_new_record_breaks_whatever_is_typed(where: Company, client: Client, kind: str) -> None:
    client.force_login(where.chen)
    account = where.account("Mine")
    keys = [spec.key for spec in catalogue(kind) if spec.settable]
    for typed in HOSTILE:
        for data in (dict.fromkeys(keys, typed), {"name": typed, "account": account.pk}):
            response = post(client, reverse(f"crm:{kind}_new"), data)
            assert response.status_code in FINE, (ascii(typed)[:30], response.status_code)
    assert client.get(reverse(f"crm:{'segments' if kind == 'segment' else kind + 's'}")).status_code == 200


@pytest.mark.rule("T07")
def test_the_version_and_the_roles_take_any_text(where: Company, client: Client) -> None:
    deal = where.deal()
    contact = where.contact(deal.account)
    client.force_login(where.zhou)
    for typed in HOSTILE:
        for address, data in (
            (reverse("crm:opportunity_field", args=[deal.pk, "name"]), {"name": "x", "version": typed}),
            (reverse("crm:set_team", args=[deal.pk]), {"role": typed, "person": typed, "version": typed}),
            (reverse("crm:set_team", args=[deal.pk]), {"role": "SR", "person": typed, "version": "1"}),
            (reverse("crm:add_role", args=[deal.pk]), {"contact": typed, "role": typed}),
            (
                reverse("crm:add_role", args=[deal.pk]),
                {"contact": contact.pk, "role": "EB", "stance": typed, "depth": typed, "influence": typed},
            ),
            (reverse("crm:opportunity_reassign", args=[deal.pk]), {"owner": typed, "version": typed}),
        ):
            response = post(client, address, data)
            assert response.status_code in (302, 403, 409, 413, 422), (
                address,
                ascii(typed)[:30],
                response.status_code,
            )
    for big in (2**63 - 1, 2**63, 10**30):
        for name in ("opportunity", "account", "contact", "segment"):
            assert client.get(f"/{name.replace('opportunity', 'opportunitie')}s/{big}/").status_code in (
                403,
                404,
            )
