"""Ten tasks of every day by keys alone: no pointer at all, the focus seen at each stop, and no step too many."""

from typing import Any

import pyotp
import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.e2e.keyboard import Hand
from tests.e2e.screens import Board, Panel
from tests.e2e.signing import page_of
from tests.factories.crm import PASSWORD, Company, company
from tests.kit.browser import open_page

from fairlead.crm.models import Opportunity, SavedView
from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.models import SecondStep, User
from fairlead.work.models import Activity

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("U31"),
    pytest.mark.one_engine("sqlite", "what a page does with keys does not depend on the engine"),
]
ENGLISH = "en-GB"
ANALYSIS = "Needs analysis"


@pytest.fixture
def where() -> Company:
    return company(language="en")


@pytest.mark.rule("U40", "T12")
def test_signing_in_with_a_code(chromium: Any, live_server: Any, where: Company) -> None:
    at, user = timezone.now(), where.zhou
    how: dict[str, Any] = {"by": user, "at": at, "channel": Channel.UI}
    organisation.begin_second_step(user, **how)
    totp = pyotp.TOTP(SecondStep.objects.get(user=user).secret)
    organisation.confirm_second_step(user, code=totp.at(at, counter_offset=-1), current=PASSWORD, **how)
    with open_page(chromium, live_server.url, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/board/")
        hand.write(page.get_by_label("User name"), "zhou")
        hand.write(page.get_by_label("Password", exact=True), PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("textbox", name="Code")).to_be_focused()
        hand.type(totp.at(timezone.now()))
        hand.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Pipeline board")
        hand.done(4)


@pytest.mark.rule("U01", "U06", "U14")
def test_a_deal_is_made_found_and_told_of(chromium: Any, live_server: Any, where: Company) -> None:
    where.account("Heng Yue Rail")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/board/")
        hand.press("c")
        hand.act(page.get_by_role("link", name="Opportunity", exact=True))
        hand.write(page.get_by_label("Name").first, "Cooling for line 9")
        hand.write(page.get_by_label("Account").first, "Heng Yue Rail")
        hand.write(page.locator("[name=amount]"), "250000")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Cooling for line 9")
        hand.done(6)
        deal = Opportunity.objects.get(name="Cooling for line 9")

        page.goto("/")
        hand.press("/")
        hand.type("cooling")
        expect(page.get_by_role("option").first).to_contain_text("Cooling for line 9")
        hand.press("Enter")
        page.wait_for_url(f"**/opportunities/{deal.pk}/")
        hand.done(3)

        hand.press("a")
        hand.type("called about the budget -> visit tomorrow 10am")
        expect(page.locator("#line-preview")).to_contain_text("Planned")
        hand.press("Enter")
        expect(page.locator("#line .work-line__saved")).to_contain_text("Planned")
        hand.look()
        hand.done(3)
        assert sorted(Activity.objects.values_list("state", flat=True)) == ["done", "planned"]


@pytest.mark.rule("U03", "U04", "GT-3")
def test_a_deal_is_moved_and_what_is_missing_is_filled_in(
    chromium: Any, live_server: Any, where: Company
) -> None:
    ready = where.fulfil(where.deal("Ready to go", amount=9_000_000))
    lacking = where.fulfil(where.deal("Two are missing"), but=("problem_stated", "bant"))
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        hand, board, panel = Hand(page), Board(page), Panel(page)
        board.open()
        hand.into_content()
        hand.to(board.link(ready.name))
        hand.press("m")
        expect(page.get_by_role("menu").get_by_role("menuitem", name=ANALYSIS)).to_be_focused()
        page.keyboard.press("Enter")
        expect(board.card(ready.name, ANALYSIS)).to_be_visible()
        expect(board.link(ready.name)).to_be_focused()
        hand.done(1)

        page.goto(f"/opportunities/{lacking.pk}/")
        hand.press(".")
        expect(panel.title).to_have_text(f"2 more items, then on to {ANALYSIS}")
        hand.look()
        stated = panel.item("Customer states a problem")
        hand.write(stated.get_by_role("textbox"), "A stop costs 200,000")
        hand.act(stated.get_by_role("button", name="Save"))
        expect(panel.title).to_have_text(f"1 more item, then on to {ANALYSIS}")
        bant = panel.item("BANT: none unknown")
        for choice in bant.get_by_role("combobox").all():
            hand.to(choice)
            page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowDown")
        hand.steps += 1  # one thing is said with four keys
        hand.act(bant.get_by_role("button", name="Save"))
        expect(panel.title).to_have_text(f"Ready to move to {ANALYSIS}")
        hand.act(panel.box.get_by_role("button", name="Complete and move"))
        expect(page.locator("#toasts")).to_contain_text("moved to")
        hand.done(7)
    assert [where.journey(deal).stage.key for deal in (ready, lacking)] == ["needs_analysis"] * 2


@pytest.mark.rule("U06")
def test_ten_things_of_my_day_are_cleared(chromium: Any, live_server: Any, where: Company) -> None:
    """Five steps are done and followed by another, five deals without a next step get one."""
    for number in range(5):
        where.next_step(where.deal(f"Due {number}"), days=-1, summary=f"Ring number {number}")
        where.deal(f"Bare {number}")
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/")
        dialog = page.locator("#dialog")
        for _item in range(10):
            page.keyboard.press("j")  # wherever the focus was before: the first row that is left
            hand.look()
            name = page.locator(":focus").inner_text()
            page.keyboard.press("Tab")
            hand.look()
            hand.press("Enter")
            expect(dialog).to_be_visible()
            if name.startswith("Due"):
                hand.act(dialog.get_by_role("button", name="Done", exact=True))
            expect(dialog.get_by_label("What", exact=True)).to_be_focused()
            hand.say("Send the drawings")
            expect(page.get_by_role("main").get_by_role("link", name=name, exact=True)).to_have_count(0)
            expect(dialog).to_be_hidden()
        hand.done(25)
    assert Activity.objects.filter(state="planned", due_at__gt=timezone.now()).count() == 10
    assert Activity.objects.filter(state="done").count() == 5


@pytest.mark.rule("U10", "U11")
def test_a_view_is_built_and_shared_and_a_colleague_is_added(
    chromium: Any, live_server: Any, where: Company
) -> None:
    for number in range(4):
        where.deal(f"Deal {number}", amount=number * 400_000 or None)
    with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/opportunities/")
        main = page.get_by_role("main")
        hand.press("f")
        hand.choose(page.get_by_label("Field", exact=True), "Amount")
        hand.pick(page.get_by_label("Is", exact=True), "gte")
        hand.write(page.get_by_label("Value", exact=True), "800000")
        hand.press("Enter")
        expect(main.get_by_role("status").filter(has_text="2 records")).to_be_visible()
        hand.into_content()
        hand.act(main.locator("summary").filter(has_text="Save as new view"))
        hand.write(page.get_by_label("Name of the view"), "Large deals")
        hand.act(page.get_by_label("Share with everybody"), "Space")
        page.keyboard.press("Enter")
        expect(main.locator("summary").filter(has_text="Large deals")).to_be_visible()
        hand.done(9)
    assert SavedView.objects.get().is_shared
    with page_of(chromium, live_server.url, where.admin, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/people/new")
        hand.into_content()
        hand.write(page.get_by_label("Name", exact=True), "Ada Worth")
        hand.write(page.get_by_label("User name"), "ada")
        hand.pick(page.get_by_role("combobox", name="Team"), str(where.teams["east_one"].pk))
        hand.act(page.get_by_role("checkbox", name="Account manager (AR)"), "Space")
        hand.write(page.get_by_role("textbox", name="Password"), PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text("Ada Worth")
        hand.done(7)
    assert User.objects.get(username="ada").may("opportunity.edit")


@pytest.mark.rule("U35")
def test_the_language_is_switched_in_the_middle_of_a_form(
    chromium: Any, live_server: Any, where: Company
) -> None:
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        hand = Hand(page)
        page.goto("/accounts/new/")
        hand.write(page.locator("#i-name"), "Heng Yue Rail")
        hand.steps = 0
        me = page.locator(".fl-top summary").last
        hand.act(me, back=True)
        hand.act(page.locator(".fl-top button[name=language][value=zh-hans]"))
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        expect(page.locator("#i-name")).to_have_value("Heng Yue Rail")
        hand.done(2)
