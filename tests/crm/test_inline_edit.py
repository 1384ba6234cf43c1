"""Editing a record, a field or a form at a time; versions, conflicts, and what a form may not set."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone
from tests.factories.crm import Company, company
from tests.kit.browser import open_page

from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity, Segment
from fairlead.fields import catalogue
from fairlead.fields.services import add_field
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.offers.models import Contract
from fairlead.organisation.models import User
from fairlead.work import services as work
from fairlead.work.models import Activity, Task

HTMX = {"HX-Request": "true", "HX-Target": "f-amount"}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def field_url(deal: Opportunity, key: str) -> str:
    return reverse("crm:opportunity_field", args=[deal.pk, key])


def text_of(response: Any) -> str:
    return str(response.content.decode())


# --- one field ---


@pytest.mark.rule("U09")
def test_a_field_is_opened_changed_and_shown_again_as_a_piece(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    client.force_login(where.zhou)
    opened = text_of(client.get(field_url(deal, "amount") + "?edit=1", headers=HTMX))
    assert "<html" not in opened and 'name="version" value="1"' in opened and "data-focus" in opened
    saved = client.post(field_url(deal, "amount"), {"amount": "250,000.5", "version": 1}, headers=HTMX)
    assert saved.status_code == 200 and "¥250,000.50" in text_of(saved)
    assert "record-changed" in saved.headers["HX-Trigger"]
    deal.refresh_from_db()
    assert (str(deal.amount), deal.version) == ("250000.50", 2)
    cancelled = text_of(client.get(field_url(deal, "amount"), headers=HTMX))
    assert "¥250,000.50" in cancelled and "<form" not in cancelled


@pytest.mark.rule("U09")
def test_it_works_without_a_script(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    client.force_login(where.zhou)
    page = text_of(client.get(field_url(deal, "amount") + "?edit=1"))
    assert "<html" in page and 'name="amount"' in page
    response = client.post(field_url(deal, "amount"), {"amount": "7", "version": 1})
    assert response.status_code == 302 and response.headers["Location"].endswith("?tab=fields#f-amount")


@pytest.mark.rule("U09", "U34", "T14")
def test_the_later_one_sees_both_values_and_chooses(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    client.force_login(where.zhou)
    where.edit(deal, by=where.chen, amount=372)
    late = client.post(field_url(deal, "amount"), {"amount": "386", "version": 1}, headers=HTMX)
    page = text_of(late)
    assert late.status_code == 409
    assert "372" in page and 'value="386"' in page and "陈立新 changed Amount just now." in page
    deal.refresh_from_db()
    assert str(deal.amount) == "372.00"
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    mine = client.post(
        field_url(deal, "amount"), {"amount": "386", "version": version.group(1)}, headers=HTMX
    )
    deal.refresh_from_db()
    assert mine.status_code == 200 and str(deal.amount) == "386.00"


@pytest.mark.rule("U34")
def test_the_same_value_twice_is_no_conflict(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, by=where.chen, amount=372)
    client.force_login(where.zhou)
    late = client.post(field_url(deal, "amount"), {"amount": "372.00", "version": 1}, headers=HTMX)
    assert late.status_code == 200 and "372" in text_of(late)


@pytest.mark.rule("U32")
@pytest.mark.parametrize(
    "key,typed",
    [
        ("amount", "a lot"),
        ("amount", "-5"),
        ("expected_close_date", "2026-11-31"),
        ("margin", "1000"),
        ("discount", "1e12"),
        ("deal_type", "nope"),
        ("account", "nobody of this name"),
        ("name", ""),
        ("name", "x" * 300),
        ("sr", "999999"),
        ("bant_need", "x"),
    ],
)
def test_a_wrong_value_is_kept_with_the_way_to_mend_it(
    where: Company, client: Client, key: str, typed: str
) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    response = client.post(field_url(deal, key), {key: typed, "version": 1}, headers=HTMX)
    page = text_of(response)
    assert response.status_code == 422 and 'class="fl-err"' in page and 'aria-invalid="true"' in page
    if key not in ("deal_type", "sr", "bant_need"):  # what was chosen from a list is chosen again
        assert f'value="{typed}"' in page
    deal.refresh_from_db()
    assert deal.version == 1


@pytest.mark.rule("T05")
def test_a_field_that_is_not_to_be_set_is_not_set(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    for key in ("owner", "team", "ar", "incomplete", "account_tier"):
        assert client.post(field_url(deal, key), {key: "1", "version": 1}).status_code == 403
    for key in ("version", "journey", "is_sample", "created_at", "commercial_locked", "no_such"):
        assert client.post(field_url(deal, key), {key: "1", "version": 1}).status_code == 404
    deal.refresh_from_db()
    assert deal.version == 1


@pytest.mark.rule("T01")
def test_a_stranger_finds_no_field_and_a_reader_no_input(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.qi)
    for method in (client.get, client.post):
        assert method(field_url(deal, "amount"), {"amount": "1", "version": 1}).status_code == 404
    client.force_login(where.shen)
    assert client.get(field_url(deal, "amount")).status_code == 200
    assert client.get(field_url(deal, "amount") + "?edit=1").status_code == 403
    assert client.post(field_url(deal, "amount"), {"amount": "1", "version": 1}).status_code == 403


@pytest.mark.rule("U09")
@pytest.mark.browser
@pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored")
@pytest.mark.django_db(transaction=True)
def test_five_fields_take_eleven_steps_by_keyboard(chromium: Any, live_server: Any) -> None:
    from playwright.sync_api import expect  # only where there is a browser

    where = company(language="en")
    deal = where.deal("Old name", amount=1)
    with open_page(chromium, live_server.url, language="en-US") as page:
        page.goto("/sign-in")
        page.fill("[name=username]", "zhou")
        page.fill("[name=password]", "correct-horse-battery")
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/")
        page.goto(reverse("crm:opportunity", args=[deal.pk]) + "?tab=fields")
        page.keyboard.press("e")  # 1
        typed = {"name": "New name", "account": "", "product": "", "amount": "4500", "currency": ""}
        steps = 1
        for key, value in typed.items():
            box = page.locator(f"#f-{key} [name={key}]")
            box.wait_for()
            expect(box).to_be_focused(timeout=45_000)
            if value:
                box.fill(value)
                steps += 1
            box.press("Tab")
            steps += 1
        date = page.locator("#f-expected_close_date [name=expected_close_date]")
        expect(date).to_be_focused(timeout=45_000)
        page.keyboard.press("Escape")
        page.locator("#f-expected_close_date form").wait_for(state="detached")
        assert steps <= 11
        assert page.locator("#f-amount").inner_text().endswith("¥4,500.00")
        expect(page.locator("h1")).to_have_text("New name", timeout=45_000)
    deal.refresh_from_db()
    assert (deal.name, str(deal.amount), deal.account_id) == ("New name", "4500.00", deal.account.pk)


# --- whole forms ---


@pytest.mark.rule("U34", "T14")
def test_a_form_writes_only_what_was_touched(where: Company, client: Client) -> None:
    """Two people change different fields at once: both stand, and the second hears of the first."""
    account = where.account("恒岳", city="南京", industry="轨道交通")
    client.force_login(where.zhou)
    address = reverse("crm:account_edit", args=[account.pk])
    form = _fields(text_of(client.get(address)))
    crm.edit("account", account.pk, {"city": "苏州"}, version=1, **where.how(where.chen))
    late = client.post(address, form | {"industry": "铁路"})
    assert late.status_code == 302
    assert "陈立新 changed City just now." in text_of(client.get(late.headers["Location"]))
    account.refresh_from_db()
    assert (account.city, account.industry, account.version) == ("苏州", "铁路", 3)


@pytest.mark.rule("U34")
def test_a_form_shows_both_values_of_a_field_that_both_changed(where: Company, client: Client) -> None:
    account = where.account("恒岳", city="南京")
    client.force_login(where.zhou)
    address = reverse("crm:account_edit", args=[account.pk])
    form = _fields(text_of(client.get(address)))
    crm.edit("account", account.pk, {"city": "苏州"}, version=1, **where.how(where.chen))
    late = client.post(address, form | {"city": "无锡"})
    page = text_of(late)
    assert late.status_code == 409
    assert re.search(r"City</th>.*?苏州.*?无锡", page, re.S) and 'value="无锡"' in page
    assert client.post(address, _fields(page)).status_code == 302
    account.refresh_from_db()
    assert account.city == "无锡"


def _fields(page: str) -> dict[str, str]:
    """What a browser would send back of the record's form, untouched."""
    form = page[page.index('<form class="fl-sheet"') :]
    found = dict(re.findall(r'<input[^>]*? name="([^"]+)" value="([^"]*)"', form))
    for name, inner in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        found[name] = chosen.group(1) if chosen else ""
    for name, inner in re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.S):
        found[name] = inner
    found.pop("csrfmiddlewaretoken", None)
    return found


@pytest.mark.rule("U32")
def test_a_refused_form_keeps_everything_and_links_each_error(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    typed = {"name": "", "city": "南京", "employees": "many", "website": "https://x"}
    response = client.post(reverse("crm:account_new"), typed)
    page = text_of(response)
    assert response.status_code == 422 and "2 things to correct" in page
    assert '<a href="#i-name">' in page and '<a href="#i-employees">' in page
    for value in ("南京", "many", "https://x"):
        assert f'value="{value}"' in page
    assert not Account.objects.filter(city="南京").exists()


@pytest.mark.rule("T05")
@pytest.mark.parametrize("kind,model", [("account", Account), ("contact", Contact), ("segment", Segment)])
def test_a_forged_field_is_not_stored_on_creation(
    where: Company, client: Client, kind: str, model: Any
) -> None:
    """Every column of the table that is no settable field of the catalogue, and some that are none at all."""
    account = where.account("Mine")
    settable = {
        spec.path or spec.key for spec in catalogue.catalogue(kind) if spec.settable and not spec.custom
    }
    columns = {f.attname for f in model._meta.concrete_fields} - settable - {"id"}
    assert {"owner_id", "team_id", "version", "is_sample", "created_at"} <= columns
    client.force_login(where.chen)
    clean = {"name": f"Plain {kind}", "account": account.pk}
    for value in ("true", "1", where.qi.pk, '{"id": 1}', "null"):
        forged = {name: value for column in columns for name in (column, column.removesuffix("_id"))}
        before = timezone.now()
        response = client.post(
            reverse(f"crm:{kind}_new"), {**forged, "id": 777, "pk": 777, "is_superuser": 1, **clean}
        )
        assert response.status_code == 302
        row = model.objects.latest("pk")
        assert row.pk != 777 and row.owner_id == where.chen.pk and row.team_id == where.chen.team_id
        assert (
            row.version == 1 and row.is_sample is False and row.external_id == "" and row.created_at >= before
        )
        assert row.custom == {}


@pytest.mark.rule("T05")
@pytest.mark.parametrize(
    "typed", ["{pk}", "#{pk}", "别家 #{pk}", " {pk} ", "+{pk}", "别家", "０{pk}", "²", "1_0", "9" * 30]
)
def test_a_record_that_is_not_seen_cannot_be_referred_to(where: Company, client: Client, typed: str) -> None:
    foreign = where.account("别家", owner=where.qi)
    typed = typed.replace("{pk}", str(foreign.pk))
    mine = where.account("Mine")
    contact = where.contact(mine)
    deal = where.deal(account=mine)
    client.force_login(where.zhou)
    for address, key, row in (
        (reverse("crm:account_edit", args=[mine.pk]), "parent", mine),
        (reverse("crm:contact_edit", args=[contact.pk]), "account", contact),
        (field_url(deal, "account"), "account", deal),
    ):
        response = client.post(address, {key: typed, "version": 1})
        assert response.status_code == 422, (address, typed)
        row.refresh_from_db()
        assert getattr(row, f"{key}_id") != foreign.pk and row.version == 1
    before = Contact.objects.count()
    assert client.post(reverse("crm:contact_new"), {"name": "x", "account": typed}).status_code == 422
    assert Contact.objects.count() == before


@pytest.mark.rule("T05")
def test_the_service_itself_refuses_an_unseen_record_however_it_is_written(where: Company) -> None:
    foreign = where.account("别家", owner=where.qi)
    mine = where.account("Mine")
    for raw in (
        foreign.pk,
        str(foreign.pk),
        f" {foreign.pk}",
        f"+{foreign.pk}",
        f"0{foreign.pk}",
        "²",
        "9" * 5000,
        10**30,
    ):
        with pytest.raises(crm.records.Invalid):
            crm.edit("account", mine.pk, {"parent": raw}, version=1, **where.how(where.zhou))


# --- every form that changes something says which version it changes ---


def _subjects(where: Company) -> dict[str, Any]:
    account = where.account("A")
    deal = where.deal(account=account)
    contract = offers.create_contract(
        deal.pk, number="C-1", amount=1, currency="CNY", **where.how(where.chen)
    )
    return {
        "account": account,
        "opportunity": deal,
        "contact": where.contact(account),
        "contract": contract,
        "segment": crm.create("segment", {"name": "S"}, **where.how(where.chen)),
        "activity": work.plan_activity(
            "opportunity",
            deal.pk,
            kind="call",
            summary="x",
            due_at=timezone.now() + timedelta(days=1),
            **where.how(where.zhou),
        ),
        "task": work.add_task("opportunity", deal.pk, title="x", **where.how(where.zhou)),
        "comment": work.add_comment("opportunity", deal.pk, text="x", **where.how(where.chen)),
    }


# Route → (what it changes, further arguments, what is sent beside the version).
UPDATES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    **{
        f"crm:{kind}_edit": (kind, (), {"name": "Other"})
        for kind in ("account", "contact", "segment", "opportunity")
    },
    **{
        f"crm:{kind}_field": (kind, ("name",), {"name": "Other"})
        for kind in ("account", "contact", "segment", "opportunity")
    },
    **{
        f"crm:{kind}_reassign": (kind, (), {"owner": "lin"})
        for kind in ("account", "contact", "segment", "opportunity")
    },
    "crm:set_team": ("opportunity", (), {"role": "SR", "person": "sun"}),
    "crm:contact_left": ("contact", (), {}),
    "offers:contract_edit": ("contract", (), {"number": "C-2"}),
    "offers:contract_field": ("contract", ("number",), {"number": "C-2"}),
    "work:complete": ("activity", (), {"outcome": "talked"}),
    "work:cancel": ("activity", (), {}),
    "work:later": ("activity", (), {"to": "day"}),
    "work:task_done": ("task", (), {}),
    "work:task_edit": ("task", (), {"title": "Other"}),
    "work:edit_comment": ("comment", (), {"text": "Other"}),
}
# Routes that add something, start something, or are moves, whose race has tests of its own.
ADDING = re.compile(
    r"crm:(as_of|\w+_new|new_deal|add_role|remove_role|\w+_start|journey\w*|move|undo_move|mend\w*|attest|meet_condition|waive|panel|pick|account_options"
    r"|board\w*|[a-z]+s|account|contact|segment|opportunity|\w+_alike|clean_up|view(_\w+)?|\w+_many|many_\w+)$"
    r"|crm:(merge|unmerge)$"  # tests/crm/test_merge
    r"|crm:given_process$"  # tests/process/test_leaving
    r"|crm:successor$"  # tests/process/test_scenarios
    r"|crm:(team_split|veto\w*|hand_over\w*|role_\w+)$"  # tests/crm/test_deal_team
    r"|crm:(handbook\w*|launch|playbook_end|answer|unanswer|assess|plan\w*)$"  # tests/crm/test_methods, process/test_playbooks
    r"|offers:(contract_new|contracts|contract|milestone_\w+|of_opportunity)$"
    r"|work:(log|plan|comment|remove_comment|react|task|tasks|calendar|upload|withdraw|download)$"
    r"|work:(line\w*|day_line\w*|mentionable|attention|inbox\w*|notification_\w+|star|kept|seen|forget_seen)$"
)


@pytest.mark.rule("T14")
def test_every_form_that_updates_is_known_here() -> None:
    names = {
        f"{entry.namespace}:{pattern.name}"
        for entry in get_resolver().url_patterns
        for inner in [getattr(entry, "url_patterns", [])]
        for sub in inner
        for pattern in (getattr(sub, "url_patterns", None) or [sub])
        if entry.namespace in ("crm", "offers", "work") and getattr(pattern, "name", None)
    }
    from fairlead.common.access import routes

    names |= {r.name for r in routes() if r.name.split(":")[0] in ("crm", "offers", "work")}
    unknown = {name for name in names if name not in UPDATES and not ADDING.match(name)}
    assert unknown == set()
    assert set(UPDATES) <= names


@pytest.mark.rule("T14")
@pytest.mark.parametrize("name", sorted(UPDATES))
def test_a_form_made_from_an_older_version_is_a_conflict(where: Company, client: Client, name: str) -> None:
    rows = _subjects(where)
    subject, more, data = UPDATES[name]
    row = rows[subject]
    data = {key: where.people[value].pk if value in where.people else value for key, value in data.items()}
    client.force_login(where.chen)
    address = reverse(name, args=[row.pk, *more])
    if (
        name not in ("crm:set_team", "crm:contact_left", "work:cancel", "work:later", "work:task_done")
        and "reassign" not in name
    ):
        opened = text_of(client.get(address + ("?edit=1" if "field" in name else "")))
        assert 'name="version"' in opened
    type(row).objects.filter(pk=row.pk).update(version=7)
    before = _stored(row)
    stale = client.post(address, {**data, "version": 6})
    assert stale.status_code == 409, text_of(stale)[:500]
    assert _stored(row) == before
    without = client.post(address, data)
    assert without.status_code == 422 and _stored(row) == before
    fresh = client.post(address, {**data, "version": 7})
    assert fresh.status_code == 302 and _stored(row) != before


def _stored(row: Any) -> Any:
    return type(row).objects.filter(pk=row.pk).values().get()


@pytest.mark.rule("T12")
def test_editing_a_contact_never_touches_a_sign_in(where: Company, client: Client) -> None:
    contact = where.contact(where.account(), email="zhou@example.com")
    before = list(User.objects.order_by("pk").values())
    client.force_login(where.zhou)
    client.post(
        reverse("crm:contact_edit", args=[contact.pk]),
        {"name": "admin", "email": "admin@example.com", "username": "admin", "password": "x", "version": 1},
    )
    contact.refresh_from_db()
    assert contact.name == "admin" and contact.version == 2
    after = list(User.objects.order_by("pk").values())
    assert [{**u, "last_login": None} for u in after] == [{**u, "last_login": None} for u in before]


@pytest.mark.rule("FLD-2")
def test_a_custom_field_is_in_every_form_at_once(where: Company, client: Client) -> None:
    add_field(
        subject_type="account",
        key="grids",
        type="multi_choice",
        label={"en": "Grids", "zh": "电网"},
        options=[{"value": v, "label": {"en": v, "zh": v}} for v in ("north", "south")],
        **where.how(where.admin),
    )
    account = where.account()
    client.force_login(where.zhou)
    address = reverse("crm:account_edit", args=[account.pk])
    assert "Grids" in text_of(client.get(address))
    client.post(address, {"grids": ["north", "south"], "has-grids": "1", "version": 1})
    account.refresh_from_db()
    assert account.custom["grids"] == ["north", "south"]
    client.post(address, {"has-grids": "1", "was-grids": "north,south", "version": 2})
    account.refresh_from_db()
    assert "grids" not in account.custom
    assert Event.objects.about("account", [account.pk]).filter(type="edited").count() == 2
    assert Activity.objects.count() == Task.objects.count() == Contract.objects.count() == 0
