"""Lists in a browser: a view built and shared in nine steps, columns, many changed, on a desk and on a phone."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import PHONE

from fairlead.crm import services as crm
from fairlead.crm.models import Account, SavedView
from fairlead.crm.services import changing_many
from fairlead.journal.enums import Channel

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    made = company(language="en")
    for n in range(6):
        made.deal(f"Deal {n}", amount=n * 300_000 or None)
        made.account(f"Account {n}", tier="B")
    return made


@pytest.mark.rule("U10", "U11")
def test_a_view_is_built_and_shared_in_nine_steps(chromium: Any, live_server: Any, where: Company) -> None:
    steps = 0

    def step(act: Any) -> None:
        nonlocal steps
        steps += 1
        act()

    with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as page:
        page.goto("/opportunities/")
        main = page.get_by_role("main")
        step(lambda: main.get_by_text("Condition", exact=True).click())
        step(lambda: page.get_by_label("Field", exact=True).select_option(label="Amount"))
        step(lambda: page.get_by_label("Is", exact=True).select_option("gte"))
        step(lambda: page.get_by_label("Value", exact=True).fill("900000"))
        step(lambda: page.get_by_role("button", name="Add", exact=True).click())
        expect(main.get_by_role("status").filter(has_text="3 records")).to_be_visible()
        step(lambda: main.get_by_text("Save as new view").click())
        step(lambda: page.get_by_label("Name of the view").fill("Large deals"))
        step(lambda: page.get_by_label("Share with everybody").check())
        step(lambda: page.get_by_role("button", name="Save", exact=True).click())
        expect(main.locator("summary").filter(has_text="Large deals")).to_be_visible()
        expect(main.get_by_text("Save as new view")).to_have_count(0)
    assert steps <= 9
    view = SavedView.objects.get()
    assert view.is_shared and view.name == "Large deals"
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/?view={view.pk}")
        expect(page.get_by_role("rowheader")).to_have_count(3)
        page.locator("summary").filter(has_text="Order").click()
        page.get_by_role("link", name="Amount").first.click()
        expect(page.get_by_text("changed", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Update this view")).to_have_count(0)
        page.get_by_role("link", name="Revert").click()
        expect(page.get_by_text("changed", exact=True)).to_have_count(0)


@pytest.mark.rule("U12", "U14")
def test_many_are_changed_and_put_back(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/accounts/?q=account")
        page.get_by_role("link", name="Choose this page").click()
        page.get_by_role("checkbox", name="Choose Account 3").uncheck()
        page.get_by_role("button", name="Change chosen").click()
        page.get_by_label("Change", exact=True).select_option(label="Tier")
        page.get_by_label("to", exact=True).select_option("A")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("heading", name="5 will be changed, 0 you may not")).to_be_visible()
        assert not Account.objects.filter(tier="A").exists()
        page.get_by_role("button", name="Change 5").click()
        expect(page.locator("#toasts").get_by_text("5 records changed")).to_be_visible()
        assert Account.objects.filter(tier="A").count() == 5
        page.locator("#toasts").get_by_role("button", name="Undo").click()
        expect(page.get_by_role("main").get_by_text("Taken back").first).to_be_visible()
        assert Account.objects.filter(tier="B").count() == 6


@pytest.mark.rule("U13", "U31")
def test_rows_are_walked_ticked_and_opened_by_keys(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/accounts/?q=account")
        focused = page.locator(":focus")
        for key, name in (("j", "Account 0"), ("j", "Account 1"), ("j", "Account 2"), ("k", "Account 1")):
            page.keyboard.press(key)
            expect(focused).to_have_text(name)
        page.keyboard.press("x")
        expect(page.get_by_role("checkbox", name="Choose Account 1")).to_be_checked()
        expect(focused).to_have_text("Account 1")
        page.evaluate(
            """for (const key of ["j", "x", "Enter"]) document.activeElement.dispatchEvent(
                new KeyboardEvent("keydown", {key, bubbles: true, isComposing: true}))"""
        )
        expect(focused).to_have_text("Account 1")
        expect(page.get_by_role("checkbox", name="Choose Account 1")).to_be_checked()
        page.get_by_role("searchbox", name="Search by name").focus()
        page.keyboard.type("jkx")
        expect(page.get_by_role("searchbox", name="Search by name")).to_have_value("jkxaccount")
        page.get_by_role("link", name="Account 3").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Account 3")


@pytest.mark.rule("U12", "U10", "U27")
def test_without_a_script_and_on_a_phone_too(chromium: Any, live_server: Any, where: Company) -> None:
    with page_of(
        chromium, live_server.url, where.zhou, language=ENGLISH, size=PHONE, java_script_enabled=False
    ) as page:
        page.goto("/accounts/?q=account")
        page.get_by_role("checkbox", name="Choose Account 1").check()
        page.get_by_role("button", name="Change chosen").click()
        page.get_by_label("Change", exact=True).select_option(label="City")
        page.get_by_role("button", name="Next").click()
        page.get_by_label("to", exact=True).fill("Wuxi")
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("button", name="Change 1").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Change of many")
        assert Account.objects.get(city="Wuxi").name == "Account 1"
        page.goto("/accounts/")
        page.locator("summary").filter(has_text="Columns").click()
        page.get_by_role("checkbox", name="Phone").check()
        page.get_by_role("button", name="Show these").click()
        expect(page.locator("thead")).to_contain_text("Phone")
        page.locator("summary").filter(has_text="Columns").click()
        page.get_by_role("button", name="Phone: to the front").click()
        titles = page.locator("thead th").all_text_contents()
        assert titles.index("Phone") == len(titles) - 2


@pytest.mark.rule("U27", "U31")
@pytest.mark.parametrize("language", ["zh-CN", ENGLISH])
def test_nothing_of_a_list_runs_out_of_a_phone(
    chromium: Any, live_server: Any, where: Company, language: str
) -> None:
    state = crm.ViewState(sort="-amount")
    done = changing_many.begin(
        "account", [Account.objects.all()[0].pk], what="tier", raw="A", by=where.chen, at=timezone.now()
    )
    changing_many.work_on(done.pk, at=timezone.now, channel=Channel.UI)
    view = crm.save_view("opportunity", name="Big ones", state=state, **where.how(where.chen))
    with page_of(chromium, live_server.url, where.chen, language=language, size=PHONE) as page:
        for address in (
            f"/opportunities/?view={view.pk}&sort=amount", "/opportunities/?sort=amount&columns=open",
            f"/views/{view.pk}/", "/accounts/?q=account", "/accounts/change/?all=1&what=tier&value=A",
            "/opportunities/change/?all=1&what=next_stage", f"/changes/{done.pk}/",
        ):  # fmt: skip
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
            for summary in page.locator("main summary").all():
                if summary.is_visible():
                    summary.evaluate("it => { it.parentElement.open = true }")
                    assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
                    boxes = page.locator("main details[open] > .fl-menu__box")
                    for box in boxes.all():
                        sides = box.bounding_box()
                        assert sides and sides["x"] >= 0 and sides["x"] + sides["width"] <= 390, address
                    summary.evaluate("it => { it.parentElement.open = false }")
