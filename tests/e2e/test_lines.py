"""One line of typing in a browser: seen before Enter, saved by it, safe from the input method."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from tests.e2e.screens import settled
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import PHONE, axe_violations, wait_until

from fairlead.work.models import Activity, Comment

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


def type_line(page: Page, text: str) -> None:
    page.locator("#line-text").press_sequentially(text)


@pytest.mark.rule("U06", "U27")
@pytest.mark.parametrize("size", [None, PHONE], ids=["desk", "phone"])
def test_a_call_and_its_next_step_in_three_steps(
    chromium: Any, live_server: Any, where: Company, size: Any
) -> None:
    """Eight seconds are enough for it: its three steps wait for no more than three short answers."""
    deal = where.deal("Cooling for line 4")
    where.contact(deal.account, "张工")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH, size=size) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.locator("#line-text").fill("call Zhang about the budget, agreed")  # 1
        expect(page.locator("#line-preview")).to_contain_text("张工")
        page.keyboard.press("Enter")  # 2
        offer = page.locator("#line form button", has_text="Call").last
        offer.click()  # 3
        expect(page.locator("#line .work-line__saved")).to_contain_text("Planned")
        assert len([path for path in asked if "/line/" in path]) <= 3, asked
        expect(page.locator("#beside")).to_contain_text("Done")
        expect(page.locator("#timeline")).to_contain_text("the budget")
    done, planned = Activity.objects.order_by("pk")
    assert (done.state, done.kind, done.outcome, len(done.contact_ids)) == ("done", "call", "agreed", 1)
    assert planned.state == "planned" and planned.due_at > timezone.now()


@pytest.mark.rule("U19")
def test_news_is_heard_while_a_piece_takes_its_place(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.headers.get("hx-target", "")))
        page.evaluate(
            """() => {
            window.asked = 0;
            document.body.addEventListener("htmx:beforeRequest", (e) => { window.asked += e.detail.target.id === "state"; });
            const say = () => document.body.dispatchEvent(new CustomEvent("record-changed", {bubbles: true}));
            document.body.addEventListener("htmx:afterSwap", () => setTimeout(say), {once: true});
            say();
        }"""
        )
        wait_until(page, "window.asked >= 2")
        settled(page)
        assert asked.count("state") == 2


@pytest.mark.rule("U06", "U13")
def test_both_parts_in_one_line_and_by_keyboard_alone(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4")
    where.contact(deal.account, "张工")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        page.keyboard.press("a")
        expect(page.locator("#line-text")).to_be_focused()
        type_line(page, "call Zhang no answer -> tomorrow 10am try again")
        expect(page.locator("#line-preview .work-line__part")).to_have_count(2)
        page.keyboard.press("Enter")
        expect(page.locator("#line .work-line__saved li")).to_have_count(2)
        expect(page.locator("#line-text")).to_be_focused()
    done, planned = Activity.objects.order_by("pk")
    assert (done.outcome, planned.kind, planned.summary) == ("no_answer", "call", "try again")


@pytest.mark.rule("U06", "U13")
def test_nothing_is_asked_or_saved_while_the_input_method_composes(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        sent: list[str] = []
        page.goto(f"/opportunities/{deal.pk}/")
        page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        page.locator("#line-text").focus()
        page.evaluate(
            """() => {
            const field = document.getElementById("line-text");
            field.dispatchEvent(new CompositionEvent("compositionstart", {bubbles: true}));
            for (const text of ["d", "di", "dian"]) {
              field.value = text;
              field.dispatchEvent(new InputEvent("input", {bubbles: true, isComposing: true, data: text}));
              const enter = {bubbles: true, cancelable: true, key: "Enter", isComposing: true, keyCode: 229};
              field.dispatchEvent(new KeyboardEvent("keydown", enter));
            }
        }"""
        )
        page.wait_for_timeout(400)  # longer than the line waits before it asks
        assert sent == []
        page.evaluate(
            """() => {
            const field = document.getElementById("line-text");
            field.value = "电话 明天10点 报价";
            field.dispatchEvent(new CompositionEvent("compositionend", {bubbles: true, data: "电话"}));
        }"""
        )
        expect(page.locator("#line-preview")).to_contain_text("报价")
        assert len(sent) == 1 and sent[0].endswith("/preview/")
    assert not Activity.objects.exists()


@pytest.mark.rule("U06")
def test_on_my_day_the_line_names_its_deal(chromium: Any, live_server: Any, where: Company) -> None:
    account = where.account("华锐重工")
    deal = where.deal("轧机监测", account=account)
    where.contact(account, "张工")
    where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto("/")
        page.locator("#line-text").fill("电话 华锐 张工 明天10点 报价")
        expect(page.locator("#line-preview")).to_contain_text("轧机监测")
        page.keyboard.press("Enter")
        expect(page.locator("#line .work-line__saved")).to_contain_text("Planned")
    row = Activity.objects.get()
    assert (row.subject_id, row.kind, row.summary, len(row.contact_ids)) == (deal.pk, "call", "报价", 1)


@pytest.mark.rule("U26", "U13")
def test_a_name_is_chosen_by_keyboard_under_a_comment(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Cooling for line 4")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        page.goto(f"/opportunities/{deal.pk}/?add=comment")
        page.locator("#add-text").press_sequentially("Ask @clx")
        expect(page.get_by_role("option", name="陈立新")).to_be_visible()
        assert axe_violations(page) == []
        page.keyboard.press("Enter")
        expect(page.locator("#add-text")).to_have_value("Ask @陈立新 ")
        page.keyboard.type("about the price")
        page.get_by_role("button", name="Comment", exact=True).click()
        expect(page.locator("#timeline")).to_contain_text("Ask @陈立新 about the price")
        agree = page.get_by_role("button", name="Agreed")
        agree.click()
        expect(agree).to_have_attribute("aria-pressed", "true")
    assert Comment.objects.get().mentions == [where.chen.pk]
