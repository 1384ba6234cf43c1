"""Whole journeys in a browser, from one end to the other, each as somebody would go it."""

import csv
import io
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.e2e.screens import Board, DealPage, Panel, Wizard
from tests.e2e.signing import page_of
from tests.factories.crm import PASSWORD, Company, company
from tests.kit.browser import axe_violations, open_page

from fairlead.crm.models import Opportunity
from fairlead.exchange import services as exchange
from fairlead.exchange.enums import RunState
from fairlead.exchange.models import ImportRun
from fairlead.journal.models import Event
from fairlead.organisation.models import Organisation, User
from fairlead.process.fold import MOVED
from fairlead.process.models import Evaluation
from fairlead.work.models import Activity

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "crm-sales-opportunities"
ROWS = 120
STAGES = {"Prospecting": "Contact", "Engaging": "Needs"}
CONTACT, ANALYSIS, DESIGN = "Customer contact", "Needs analysis", "Solution design"
ENGLISH = "en-GB"
#: Milliseconds between two questions of an open board, where the page does not say it.
EVERY = 1500


@pytest.fixture
def where() -> Company:
    return company(language="en")


def stage_of(where: Company, deal: Opportunity) -> str:
    return where.journey(deal).stage.key


# --- the first hour ---


@pytest.mark.rule("U16", "U17", "T01", "AC-1", "GT-3")
def test_from_an_empty_installation_over_ones_own_deals_and_a_gate_to_the_funnel(
    chromium: Any, live_server: Any
) -> None:
    with open_page(chromium, live_server.url, language=ENGLISH) as page:
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Where you work")
        page.get_by_label("Company").fill("Hardware Sales")
        page.get_by_label("Currency").select_option("USD")
        page.get_by_label("Plain, five stages").check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name", exact=True).fill("Ada Worth")
        page.get_by_label("User name").fill("ada")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Finish").click()
        expect(page).to_have_url(live_server.url + "/")
        assert User.objects.get().username == "ada"
        assert Organisation.objects.current().currency == "USD"

        wizard = Wizard(page)
        bring_in(wizard, "sales_teams.csv", rows=None)
        bring_in(wizard, "products.csv", rows=None)
        bring_in(wizard, "accounts.csv", rows=None)
        bring_in(wizard, "sales_pipeline.csv", rows=ROWS)

        lines = cut("sales_pipeline.csv", ROWS)
        open_ = Counter(line["deal_stage"] for line in lines if line["deal_stage"] in STAGES)
        assert Opportunity.objects.count() == ROWS
        assert Opportunity.objects.filter(product__name="GTX Pro").count() == sum(
            line["product"] == "GTXPro" for line in lines
        )
        board = Board(page).open("?scope=all")
        for word, stage in STAGES.items():
            heading = board.column(stage).get_by_role("heading", level=2)
            expect(heading.locator("..").locator(".n")).to_have_text(str(open_[word]))
        page.goto("/first-run")
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Where you work")
        through_the_gate(page, board, arrived=open_["Engaging"])


def through_the_gate(page: Any, board: Board, *, arrived: int) -> None:
    """An imported deal is stopped, mended where it lies, moved, and counted where it stands now."""
    page.goto("/processes/plain_opportunity/")
    page.get_by_role("button", name="Enforce now").click()
    expect(page.get_by_role("button", name="Only flag")).to_be_visible()
    here = Opportunity.objects.filter(journey__stage__key="contact").exclude(account=None)
    deal = here.order_by("-amount", "pk")[0]
    board.open("?scope=all")
    board.drag(deal.name, "Needs")
    panel = Panel(page)
    expect(panel.title).to_have_text("2 more items, then on to Needs")
    assert Event.objects.filter(journey_id=deal.journey_id, type=MOVED).count() == 0
    panel.write("Customer states a problem", "Orders wait a week for a part")
    panel.log("Customer answered", summary="Walked the line", person="Li", department="Equipment")
    panel.move_on()
    expect(board.note(f"{deal.name} moved to Needs")).to_be_visible()
    expect(board.card(deal.name, "Needs")).to_be_visible()
    assert Event.objects.filter(journey_id=deal.journey_id, type=MOVED).count() == 1
    page.goto("/funnel/")
    page.get_by_role("link", name="Stock", exact=True).click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Needs"))
    row.first.get_by_role("link", name=f"{arrived + 1}", exact=True).first.click()
    expect(page.get_by_role("main")).to_contain_text(deal.name)


def cut(name: str, rows: int | None) -> list[dict[str, str]]:
    """The first rows of an example file: of the pipeline every fiftieth, so that all its stages are there."""
    with (EXAMPLES / name).open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    return lines if rows is None else lines[:: len(lines) // rows][:rows]


def as_csv(lines: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    out = csv.DictWriter(text, lines[0].keys())
    out.writeheader()
    out.writerows(lines)
    return text.getvalue().encode()


def bring_in(wizard: Wizard, name: str, rows: int | None) -> None:
    """A file through the five steps; the worker is this thread, and the page hears of it by asking."""
    page = wizard.page
    lines = cut(name, rows)
    wizard.upload(name, as_csv(lines))
    page.get_by_role("link", name="Map columns").click()
    if name == "sales_pipeline.csv":
        for word, stage in STAGES.items():
            page.get_by_label(word, exact=True).select_option(label=stage)
    page.get_by_role("button", name="Check file").click()
    work(page)
    page.get_by_role("link", name="See preview").click()
    page.get_by_role("button", name=re.compile("Bring in")).click()
    work(page)
    assert wizard.count("Created") == f"{len(lines)}", name
    assert wizard.count("With errors") == "0", name


def work(page: Any) -> None:
    """What the worker does with the run that waits; then the page shows the end of it."""
    expect(page.locator("#progress")).to_be_visible()
    run = ImportRun.objects.latest("pk")
    {RunState.CHECKING: exchange.check, RunState.RUNNING: exchange.execute}[RunState(run.state)](run.pk)
    expect(page.get_by_role("region", name="Counts")).to_be_visible()


# --- a deal and its gates ---


@pytest.mark.rule("U03", "U07", "U08", "AC-1", "GT-3")
def test_a_refused_card_is_mended_where_it_lies_and_goes_on(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal(
        "Cooling for line 4",
        account=where.account("Qichen Semiconductor"),
        sr=where.sun.pk,
        fr=where.he.pk,
    )
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        board, panel = Board(page).open(), Panel(page)
        board.drag(deal.name, ANALYSIS)

        expect(panel.title).to_have_text(f"3 more items, then on to {ANALYSIS}")
        assert panel.open_items() == [
            "Two-way contact with two departments", "Customer states a problem", "BANT: none unknown",
        ]  # fmt: skip
        assert axe_violations(page) == []
        assert stage_of(where, deal) == "customer_contact"
        assert Evaluation.objects.filter(allowed=False, gaps=3).count() == 1

        panel.write("Customer states a problem", "A stop of the line costs 200,000")
        expect(panel.title).to_have_text(f"2 more items, then on to {ANALYSIS}")
        panel.choose_all("BANT: none unknown", "claimed")
        expect(panel.title).to_have_text(f"1 more item, then on to {ANALYSIS}")
        panel.log("Two-way contact", summary="Walked the line", person="Li", department="Equipment")
        panel.log("Two-way contact", summary="Spoke of the price", person="Wang", department="Purchasing")
        expect(panel.box.get_by_role("button", name="Complete and move")).not_to_have_attribute(
            "aria-disabled", "true"
        )
        panel.move_on()

        expect(board.note(f"{deal.name} moved to {ANALYSIS}")).to_be_visible()
        expect(panel.box).to_be_hidden()
        expect(board.card(deal.name, ANALYSIS)).to_contain_text("3 left")
        expect(board.card(deal.name, CONTACT)).to_have_count(0)
        assert stage_of(where, deal) == "needs_analysis"

        board.drag(deal.name, DESIGN)
        expect(panel.title).to_have_text(f"3 more items, then on to {DESIGN}")
        panel.file("Customer confirmed the requirements", reference="Cabinet 3, folder 12")
        panel.place("Decision maker known and reachable", person="Zhao")
        expect(panel.title).to_have_text(f"1 more item, then on to {DESIGN}")
        with page_of(chromium, live_server.url, where.chen, language=ENGLISH) as managers:
            managers.goto(f"/opportunities/{deal.pk}/panel/")
            Panel(managers, whole_page=True).confirm("ATI: investment decided")
        expect(panel.title).to_have_text(f"Ready to move to {DESIGN}")  # the open panel hears of it
        panel.move_on()
        expect(board.note(f"{deal.name} moved to {DESIGN}")).to_be_visible()
        expect(board.card(deal.name, DESIGN)).to_be_visible()

        page.goto("/funnel/")
        page.get_by_role("link", name="Stock", exact=True).click()
        row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=DESIGN))
        row.first.get_by_role("link", name="1", exact=True).first.click()
        expect(page.get_by_role("main")).to_contain_text(deal.name)


@pytest.mark.rule("U04")
def test_a_card_is_moved_and_a_field_is_changed_by_keys_alone(
    chromium: Any, live_server: Any, where: Company
) -> None:
    other = where.deal("First in line", amount=9_000_000)
    deal = where.deal("Second in line", sr=where.sun.pk, fr=where.he.pk)
    where.fulfil(deal)
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as page:
        board = Board(page).open()
        tab_to(page, board.link(other.name))
        page.keyboard.press("ArrowDown")
        expect(board.link(deal.name)).to_be_focused()
        page.keyboard.press("m")
        menu = page.get_by_role("menu")
        expect(menu.get_by_role("menuitem", name=ANALYSIS)).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(board.card(deal.name, ANALYSIS)).to_be_visible()
        expect(board.link(deal.name)).to_be_focused()
        expect(board.note("moved to")).to_be_visible()
        expect(board.card(deal.name, ANALYSIS)).to_contain_text("3 left")
        assert stage_of(where, deal) == "needs_analysis"
        page.keyboard.press("m")
        expect(menu.get_by_role("menuitem", name=DESIGN)).to_be_focused()  # on, not back
        page.keyboard.press("Escape")
        expect(board.link(deal.name)).to_be_focused()

        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
        DealPage(page).open(deal.pk, "fields")
        page.keyboard.press("e")
        field = page.get_by_role("main").locator("input:focus, textarea:focus, select:focus")
        expect(field).to_have_count(1)
        field.fill("Renamed by keys")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Renamed by keys")
        deal.refresh_from_db()
        assert deal.name == "Renamed by keys"


def tab_to(page: Any, target: Any, most: int = 80) -> None:
    """By the skip link into the content, then on by Tab."""
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _step in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("Tab does not lead there")


# --- two people at once ---


@pytest.mark.rule("U03", "U34", "MV-11")
def test_what_one_moves_the_other_sees_and_a_stale_move_goes_back(
    chromium: Any, live_server: Any, where: Company
) -> None:
    quiet = where.deal("Left alone", amount=9_000_000)
    deals = [where.fulfil(where.deal(f"Shared {n}")) for n in range(4)]
    hers_, his_ = where.zhou, where.chen
    with (
        page_of(chromium, live_server.url, hers_, language=ENGLISH) as hers,
        page_of(chromium, live_server.url, his_, language=ENGLISH) as his,
    ):
        one, two = Board(hers).open(), Board(his).open("?scope=all")
        two.link(quiet.name).focus()
        assert int(his.locator("[data-token-url]").get_attribute("data-every") or EVERY) < 2000
        answers: list[int] = []
        his.on("response", lambda told: answers.append(told.status) if "/board/changes" in told.url else None)
        for deal in deals[:3]:
            before = len(answers)
            one.drag(deal.name, ANALYSIS)
            expect(one.note(f"{deal.name} moved to")).to_be_visible()
            moved = len(answers)
            expect(two.card(deal.name, ANALYSIS)).to_be_visible()
            # The question that was under way may have come too early; the next one brings the news.
            assert answers.index(200, before) <= moved + 1, answers[before:]
            expect(two.link(quiet.name)).to_be_focused()

        last = deals[3]
        his.route("**/board/changes*", lambda route: route.fulfill(status=204))  # he has not heard of it yet
        one.drag(last.name, ANALYSIS)
        expect(one.note(f"{last.name} moved to")).to_be_visible()
        two.drag(last.name, ANALYSIS)
        expect(two.note(f"{where.zhou.name} moved {last.name} to {ANALYSIS}")).to_be_visible()
        expect(two.card(last.name, CONTACT)).to_be_visible()
        his.unroute("**/board/changes*")
        expect(two.card(last.name, ANALYSIS)).to_be_visible()
        assert Event.objects.filter(journey_id=last.journey_id, type=MOVED).count() == 1


@pytest.mark.rule("U09", "U34", "T14")
def test_two_tabs_that_change_one_field_see_both_values(
    chromium: Any, live_server: Any, where: Company
) -> None:
    deal = where.deal("Contested", amount=100)
    with page_of(chromium, live_server.url, where.zhou, language=ENGLISH) as first:
        second = first.context.new_page()
        tabs = [DealPage(first).open(deal.pk, "fields"), DealPage(second).open(deal.pk, "fields")]
        typed = [tab.edit("Amount") for tab in tabs]
        typed[0].fill("200")
        tabs[0].save()
        expect(tabs[0].value("Amount")).to_contain_text("200")
        typed[1].fill("300")
        tabs[1].save()

        told = second.get_by_role("alert")
        expect(told).to_contain_text(where.zhou.name)
        row = told.get_by_role("row").filter(has=second.get_by_role("rowheader", name="Amount"))
        expect(row.get_by_role("cell").nth(0)).to_contain_text("200")
        expect(row.get_by_role("cell").nth(1)).to_contain_text("300")
        deal.refresh_from_db()
        assert deal.amount == 200
        second.get_by_role("button", name="Keep mine").click()
        expect(tabs[1].value("Amount")).to_contain_text("300")
        deal.refresh_from_db()
        assert deal.amount == 300
    amounts = [
        e.detail.payload["after"]["amount"]
        for e in Event.objects.filter(type="edited", subject_type="opportunity", subject_id=deal.pk)
        .select_related("detail")
        .order_by("pk")
    ]
    assert [float(amount) for amount in amounts] == [200, 300]


# --- with less than others have ---


@pytest.mark.rule("U31", "AC-1")
def test_a_deal_is_moved_on_without_any_script(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.fulfil(where.deal("Plain paper"), but=("problem_stated",))
    with open_page(chromium, live_server.url, language=ENGLISH, java_script_enabled=False) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        page.get_by_label("User name").fill("zhou")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)

        page.locator(".fl-head").get_by_role("button", name="Move on · 1 left").click()
        panel = Panel(page, whole_page=True)
        expect(panel.title).to_have_text(f"1 more item, then on to {ANALYSIS}")
        panel.write("Customer states a problem", "A stop costs 200,000")
        expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
        page.locator(".fl-head").get_by_role("button", name="Move on", exact=True).click()
        expect(page.get_by_role("status").filter(has_text=f"{deal.name} moved to {ANALYSIS}")).to_be_visible()
        assert stage_of(where, deal) == "needs_analysis"

        deals = DealPage(page).open(deal.pk, "fields")
        deals.value("Amount").click()
        page.get_by_role("main").get_by_label("Amount", exact=True).fill("4500")
        deals.save()
        expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
        deal.refresh_from_db()
        assert deal.amount == 4500

        deals.open(deal.pk)
        page.locator(".fl-head").get_by_role("link", name="Log activity").click()
        page.get_by_label("What happened").fill("Sent the drawings")
        page.get_by_role("button", name="Log it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(deal.name)
        expect(page.get_by_role("main")).to_contain_text("Sent the drawings")
        assert Activity.objects.filter(summary="Sent the drawings", subject_id=deal.pk).count() == 1


@pytest.mark.rule("U40")
def test_signing_in_is_no_puzzle(chromium: Any, live_server: Any, where: Company) -> None:
    with open_page(chromium, live_server.url, language="zh-CN") as page:
        page.goto("/board/")
        name, password = page.get_by_label("用户名"), page.get_by_label("密码", exact=True)
        expect(name).to_have_attribute("autocomplete", "username")
        expect(password).to_have_attribute("autocomplete", "current-password")
        for left in (4, 3):
            name.fill("zhou")
            password.fill("not-it")
            page.get_by_role("button", name="登录").click()
            expect(page.get_by_role("main")).to_contain_text(f"{left} 次")
            expect(password).to_have_value("")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("text => navigator.clipboard.writeText(text)", PASSWORD)
        password.focus()
        page.keyboard.press("ControlOrMeta+V")
        expect(password).to_have_value(PASSWORD)
        page.keyboard.press("Enter")
        expect(page).to_have_url(live_server.url + "/board/")
