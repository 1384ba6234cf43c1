"""Saved views: own, shared, opening first; the address is the state; what is not there is left out and said."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.crm.models import FirstView, SavedView
from fairlead.fields.services import add_field, change_field
from fairlead.journal.models import Event
from fairlead.organisation.enums import Role

BIG = {"field": "amount", "op": "gte", "value": "500000"}
LISTS = {
    "opportunity": "crm:opportunities",
    "account": "crm:accounts",
    "contact": "crm:contacts",
    "segment": "crm:segments",
    "contract": "offers:contracts",
}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def save(where: Company, by: Any, *, kind: str = "opportunity", name: str = "Big", **more: Any) -> SavedView:
    state = crm.ViewState(
        q=more.pop("q", ""), tree=more.pop("tree", None), sort=more.pop("sort", ""), cols=more.pop("cols", "")
    )
    return crm.save_view(kind, name=name, state=state, **more, **where.how(by))


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content.decode()[:400]
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', response.content.decode())


def opened(client: Client, view: SavedView, kind: str = "opportunity") -> Any:
    return client.get(reverse(LISTS[kind]), {"view": view.pk}, follow=True)


@pytest.mark.rule("U10")
def test_a_view_is_written_out_in_its_address_which_shows_the_same_rows_to_whoever_gets_it(
    where: Company, client: Client
) -> None:
    where.deal("Small", amount=100)
    where.deal("Big A", amount=900_000)
    where.deal("Big B", amount=600_000)
    view = save(where, where.zhou, tree=BIG, sort="-amount", cols="name,amount")
    client.force_login(where.zhou)
    answer = client.get(reverse("crm:opportunities"), {"view": view.pk})
    address = answer.headers["Location"]
    said = dict(parse_qsl(urlsplit(address).query))
    assert said == {"view": str(view.pk), "filter": json.dumps(BIG, separators=(",", ":")), "sort": "-amount",
                    "cols": "name,amount"}  # fmt: skip
    assert names(client.get(address)) == ["Big A", "Big B"] == names(client.get(address))
    other = Client()
    other.force_login(where.chen)  # who does not see the view, but the address says it all
    assert names(other.get(address)) == ["Big A", "Big B"]
    assert other.get(reverse("crm:opportunities"), {"view": view.pk}).status_code == 404
    assert other.get(reverse("crm:opportunities"), {"view": 987654321}).status_code == 404
    crm.change_view(view.pk, version=1, state=crm.ViewState(sort="name"), **where.how(where.zhou))
    assert names(client.get(address)) == ["Big A", "Big B"]


@pytest.mark.rule("U10")
def test_save_update_and_revert_are_offered_only_where_something_changed(
    where: Company, client: Client
) -> None:
    where.deal("A", amount=900_000)
    client.force_login(where.zhou)
    address = reverse("crm:opportunities")
    plain = client.get(address).content.decode()
    assert "Save as new view" not in plain and "Update this view" not in plain
    assert "Save as new view" in client.get(address, {"q": "a"}).content.decode()
    view = save(where, where.zhou, tree=BIG)
    page = opened(client, view).content.decode()
    assert "Save as new view" not in page and "changed" not in page and "Update this view" not in page
    state = {"view": view.pk, "filter": json.dumps(BIG), "sort": "amount"}
    page = client.get(address, state).content.decode()
    assert all(word in page for word in ("changed", "Save as new view", "Update this view", "Revert"))
    client.post(reverse("crm:view_update", args=[view.pk]), state | {"version": 1})
    assert SavedView.objects.get().sort == "amount"
    assert "Update this view" not in client.get(address, state).content.decode()


@pytest.mark.rule("U10", "T01")
def test_who_may_not_share_cannot_overwrite_a_shared_view(where: Company, client: Client) -> None:
    view = save(where, where.chen, tree=BIG, is_shared=True)
    for person in (where.zhou, where.sun, where.mo, where.fang, where.lu, where.shen):
        client.force_login(person)
        for name in ("crm:view_update", "crm:view_delete", "crm:view"):
            answer = client.post(
                reverse(name, args=[view.pk]), {"version": 1, "sort": "amount", "name": "X", "shared": ""}
            )
            assert answer.status_code == 403 or name == "crm:view"
        with pytest.raises(NotPermitted):
            crm.change_view(view.pk, version=1, name="Mine", **where.how(person))
        with pytest.raises(NotPermitted):
            crm.delete_view(view.pk, version=1, **where.how(person))
        with pytest.raises(NotPermitted):
            save(where, person, name="Everybody's", is_shared=True)
        page = client.get(reverse("crm:opportunities"), {"view": view.pk, "sort": "amount"}).content.decode()
        assert "Save as new view" in page and "Update this view" not in page
    view.refresh_from_db()
    assert (view.version, view.name, view.tree, view.deleted_at) == (1, "Big", BIG, None)
    for person in (where.luo, where.tang, where.admin):
        view = crm.change_view(view.pk, version=view.version, name=f"By {person.pk}", **where.how(person))
    assert view.version == 4


@pytest.mark.rule("U10")
def test_an_own_view_that_is_shared_is_no_longer_the_sellers_alone(where: Company) -> None:
    view = save(where, where.zhou)
    with pytest.raises(NotPermitted):
        crm.change_view(view.pk, version=1, is_shared=True, **where.how(where.zhou))
    with pytest.raises(NotFound):  # nobody else sees a private one
        crm.change_view(view.pk, version=1, is_shared=True, **where.how(where.chen))
    assert crm.change_view(view.pk, version=1, name="Larger", **where.how(where.zhou)).version == 2
    with pytest.raises(Stale):
        crm.change_view(view.pk, version=1, name="Late", **where.how(where.zhou))
    with pytest.raises(Invalid):
        save(where, where.zhou, name="Larger")
    with pytest.raises(Invalid):
        save(where, where.zhou, name="  \u200b ")


@pytest.mark.rule("U10")
def test_a_list_opens_with_ones_own_choice_before_the_one_of_the_role(where: Company, client: Client) -> None:
    where.deal("Small", amount=100)
    where.deal("Large", amount=900_000)
    address = reverse("crm:opportunities")
    of_role = save(where, where.chen, name="Role", tree=BIG, is_shared=True, roles=[Role.AR])
    own = save(where, where.zhou, name="Own", sort="amount")
    client.force_login(where.zhou)
    assert names(client.get(address, follow=True)) == ["Large"]
    crm.choose_first("opportunity", own.pk, **where.how(where.zhou))
    assert names(client.get(address, follow=True)) == ["Small", "Large"]
    page = client.get(address, follow=True).content.decode()
    plain = re.search(r'<a href="([^"]+)"[^>]*>All</a>', page)
    assert plain is not None
    assert client.get(plain.group(1).replace("&amp;", "&")).status_code == 200  # the way to all rows
    assert names(client.get(plain.group(1))) == ["Large", "Small"]
    crm.choose_first("opportunity", None, **where.how(where.zhou))
    assert names(client.get(address, follow=True)) == ["Large"]
    client.force_login(where.sun)  # not of that role
    assert client.get(address).status_code == 200
    crm.choose_first("opportunity", of_role.pk, **where.how(where.sun))
    assert client.get(address).status_code == 302
    crm.change_view(of_role.pk, version=1, is_shared=False, roles=[], **where.how(where.chen))
    assert client.get(address).status_code == 200 and not FirstView.objects.filter(person=where.sun).exists()


@pytest.mark.rule("U10", "T04", "FLD-3")
def test_what_is_gone_or_unreadable_is_left_out_with_a_word_and_unnamed(
    where: Company, client: Client
) -> None:
    field = add_field(
        subject_type="opportunity", key="grid", type="text", label={"en": "Grid", "zh": "电网"},
        **where.how(where.admin),
    )  # fmt: skip
    deal = where.deal("Kept", amount=900_000)
    where.edit(deal, margin="34.27")
    margin = {"field": "margin", "op": "gte", "value": "34.26"}
    grid = {"field": "grid", "op": "eq", "value": "secret-9"}
    view = save(
        where, where.chen, tree={"all": [BIG, margin, {"not": {"any": [BIG, grid]}}]}, cols="name,margin,grid,amount",
        is_shared=True,
    )  # fmt: skip
    change_field(field.pk, version=field.version, retired=True, **where.how(where.admin))
    client.force_login(where.mo)  # may not read margins
    page = opened(client, view)
    text = page.content.decode()
    assert names(page) == ["Kept"] and "4 parts of this view are left out" in text
    assert not re.search('34.26|34.27|secret-9|Gross margin|"margin"', text)
    assert 'class="fl-filter"' in text and "changed" not in text
    settings = client.get(reverse("crm:view", args=[view.pk])).content.decode()
    assert "4 parts are left out" in settings and "34.26" not in settings and "secret-9" not in settings
    client.force_login(where.chen)
    assert "2 parts of this view are left out" in opened(client, view).content.decode()


@pytest.mark.rule("U10")
@pytest.mark.parametrize("kind", LISTS)
def test_every_list_has_views(where: Company, client: Client, kind: str) -> None:
    client.force_login(where.chen)
    url = reverse(LISTS[kind])
    answer = client.post(
        reverse("crm:view_save"),
        {"kind": kind, "q": "x", "name": "With x", "shared": "1", "first": "1"},
        follow=True,
    )
    assert answer.redirect_chain[0][0].startswith(url) and "With x" in answer.content.decode()
    view = SavedView.objects.get()
    assert (view.kind, view.q, view.is_shared) == (kind, "x", True)
    assert client.get(url).status_code == 302
    refused = client.post(
        reverse("crm:view_save"), {"kind": kind, "q": "x", "name": "With x", "sort": "name2"}
    )
    assert refused.status_code == 400
    refused = client.post(reverse("crm:view_save"), {"kind": kind, "q": "y", "name": "With x"})
    assert refused.status_code == 422 and 'value="With x"' in refused.content.decode()
    assert 'name="q" value="y"' in refused.content.decode()  # nothing is lost


@pytest.mark.rule("U10", "U14", "EV-1")
def test_each_change_is_in_the_journal_and_a_deletion_is_taken_back(where: Company, client: Client) -> None:
    client.force_login(where.chen)
    view = save(where, where.chen, tree=BIG)
    answer = client.post(
        reverse("crm:view", args=[view.pk]),
        {"version": 1, "name": "Bigger", "shared": "1", "roles": ["AR", "MGR"], "first": "1"},
    )
    assert answer.status_code == 302
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.roles, view.version) == ("Bigger", True, ["AR", "MGR"], 2)
    client.post(reverse("crm:view_delete", args=[view.pk]), {"version": 2})
    assert client.get(reverse("crm:opportunities"), {"view": view.pk}).status_code == 404
    assert client.get(reverse("crm:opportunities")).status_code == 200  # it opens nothing any more
    stranger = Client()
    stranger.force_login(where.zhou)
    assert stranger.post(reverse("crm:view_restore", args=[view.pk, 3])).status_code == 403
    assert client.post(reverse("crm:view_restore", args=[view.pk, 2])).status_code == 409
    assert client.post(reverse("crm:view_restore", args=[view.pk, 3])).status_code == 302
    view.refresh_from_db()
    assert view.deleted_at is None
    types = list(Event.objects.filter(subject_type="view").order_by("id").values_list("type", flat=True))
    assert types == ["view_saved", "view_changed", "view_shared", "view_deleted", "view_restored"]
    told = Event.objects.get(type="view_changed")
    assert told.data == {"kind": "opportunity", "fields": ["name"]}
    assert told.detail.payload == {"before": {"name": "Big"}, "after": {"name": "Bigger"}}
    assert Event.objects.get(type="view_chosen_first").subject_id == where.chen.pk


@pytest.mark.rule("B-LIST-1")
def test_views_cost_a_list_one_question(where: Company, client: Client) -> None:
    for n in range(30):
        save(where, where.zhou, name=f"V{n}", tree=BIG)
    where.deal("A")
    client.force_login(where.zhou)
    view = SavedView.objects.first()
    assert view is not None
    opened(client, view)
    address = client.get(reverse("crm:opportunities"), {"view": view.pk}).headers["Location"]
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    assert len(queries) <= 8


@pytest.mark.rule("U10")
def test_columns_are_chosen_and_ordered_by_a_plain_form(where: Company, client: Client) -> None:
    where.deal("A")
    client.force_login(where.zhou)
    url = reverse("crm:opportunities")
    answer = client.get(url, {"choose": "apply", "col": ["name", "source", "amount"], "sort": "-amount"})
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query)) == {
        "sort": "-amount", "cols": "name,source,amount"}  # fmt: skip
    answer = client.get(url, {"choose": "amount:-1", "col": ["name", "source", "amount"]})
    assert "cols=name%2Camount%2Csource&columns=open" in answer.headers["Location"]
    page = client.get(answer.headers["Location"].partition("#")[0]).content.decode()
    assert re.search(r'id="columns" open', page)
    assert re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)', page)[:3] == ["Name", "Amount", "Source"]
    assert client.get(url, {"choose": "default", "cols": "name"}).headers["Location"] == url
    assert client.get(url, {"choose": "apply"}).status_code == 400
    client.force_login(where.mo)
    answer = client.get(url, {"choose": "apply", "col": ["name", "margin", "no_such"]})
    assert "margin" not in answer.headers["Location"]


@pytest.mark.rule("U10", "T04")
def test_the_api_says_a_view_as_it_is_for_the_reader_and_keeps_versions(
    where: Company, client: Client
) -> None:
    margin = {"field": "margin", "op": "gte", "value": "34.26"}
    view = save(where, where.chen, tree={"all": [BIG, margin]}, cols="name,margin", is_shared=True)
    address = f"/api/v1/views/{view.pk}"

    def send(method: str, body: Any, version: int = 1) -> Any:
        return client.generic(
            method, address, json.dumps(body), "application/json", headers={"If-Match": f'"{version}"'}
        )

    client.force_login(where.mo)
    for said in (client.get(address).json(), client.get("/api/v1/views").json()["items"][0]):
        assert said["filter"] == {"all": [BIG]} and said["columns"] == ["name"] and said["left_out"] == 2
        assert "margin" not in json.dumps(said) and not said["may_change"]
    assert send("PATCH", {"name": "Mine"}).status_code == 403
    assert send("DELETE", {}).status_code == 403
    client.force_login(where.luo)
    assert client.get(address).json()["left_out"] == 0
    assert send("PATCH", {"name": "Wide", "sort": "-amount"}).json()["version"] == 2
    view.refresh_from_db()
    assert (view.name, view.sort, view.tree) == ("Wide", "-amount", {"all": [BIG, margin]})
    assert send("PATCH", {"name": "Late"}).status_code == 412
    assert send("PATCH", {"filter": {"field": "no_such", "op": "present"}}, 2).status_code == 400
    assert send("PATCH", {"roles": ["KING"]}, 2).status_code == 422
    assert send("DELETE", {}, 2).status_code == 204
    assert client.get(address).status_code == 404
