"""Eight tasks of a seller on a phone, by thumb: 390 px, touch alone, nothing wider than the screen."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.browser import PHONE

from fairlead.crm.models import Opportunity
from fairlead.work.models import Activity, Comment, File

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
ENGLISH = "en-GB"


@pytest.fixture
def where() -> Company:
    return company(language="en")


@contextmanager
def thumb(chromium: Any, live_server: Any, where: Company) -> Iterator[Page]:
    how = {"language": ENGLISH, "size": PHONE, "has_touch": True, "is_mobile": True}
    with page_of(chromium, live_server.url, where.zhou, **how) as page:
        yield page


def photograph() -> bytes:
    """A small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + b"\x10\x20\x60" * 40 for _row in range(30))
    head = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def fits(page: Page) -> None:
    """Nothing scrolls sideways, and what stands at the thumb is at least 44 px high and wide."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url
    small = page.evaluate(
        """() => [...document.querySelectorAll(".fl-phonebar a, .fl-pbar .btn, .btn-primary, .fl-dialog__foot .btn")]
        .filter((e) => e.getClientRects().length && !e.closest("[hidden]"))
        .map((e) => [e.textContent.trim(), e.getBoundingClientRect().width, e.getBoundingClientRect().height])
        .filter(([, width, height]) => width < 44 || height < 44)"""
    )
    assert small == [], (page.url, small)


def tap(target: Locator) -> None:
    target.scroll_into_view_if_needed()
    target.tap()


@pytest.mark.rule("U27")
def test_see_the_plan_of_today_and_clear_a_step(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    where.next_step(deal, days=-1, summary="Ring about the offer")
    with thumb(chromium, live_server, where) as page:
        page.goto("/opportunities/")
        tap(page.locator(".fl-phonebar a").first)
        page.wait_for_url(live_server.url + "/")
        main, dialog = page.get_by_role("main"), page.locator("#dialog")
        expect(main).to_contain_text("Ring about the offer")
        fits(page)
        tap(main.get_by_role("link", name="Done: Cooling for line 4"))
        tap(dialog.get_by_role("button", name="Done", exact=True))
        dialog.get_by_label("What", exact=True).fill("Send the drawings")
        fits(page)
        tap(dialog.locator(".btn-primary"))
        expect(main.get_by_role("link", name="Cooling for line 4", exact=True)).to_have_count(0)
        fits(page)
    assert sorted(Activity.objects.values_list("summary", "state")) == [
        ("Ring about the offer", "done"), ("Send the drawings", "planned"),
    ]  # fmt: skip


@pytest.mark.rule("U27")
def test_find_a_customer_call_it_and_log_the_call_on_return(
    chromium: Any, live_server: Any, where: Company
) -> None:
    account = where.account("Heng Yue Rail")
    contact = where.contact(account, "Zhang Wei", mobile="13812345678")
    with thumb(chromium, live_server, where) as page:
        page.goto("/")
        tap(page.locator(".fl-find input"))
        page.locator(".fl-find input").fill("zhang")
        tap(page.locator("#palette a", has_text="Zhang Wei").first)
        page.wait_for_url(f"**/contacts/{contact.pk}/")
        fits(page)
        call = page.locator("a[href='tel:13812345678']")
        expect(call).to_contain_text("138 1234 5678")
        box = call.bounding_box()
        assert box is not None and box["height"] >= 44
        page.evaluate(
            "document.addEventListener('click', (e) => { if (e.target.closest('[href^=tel]')) e.preventDefault(); })"
        )
        tap(call)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # back from the telephone
        expect(page.locator("#dialog")).to_be_visible()
        expect(page.locator("#dialog [name=summary]")).to_have_value("Call with Zhang Wei")
        expect(page.locator("#dialog [name=kind]")).to_have_value("call")
        fits(page)
        tap(page.locator("#dialog .btn-primary"))
        expect(page.locator("#toasts")).to_contain_text("Logged")
    done = Activity.objects.get()
    assert (done.subject_type, done.subject_id, done.kind, done.state) == (
        "contact",
        contact.pk,
        "call",
        "done",
    )


@pytest.mark.rule("U27")
def test_move_a_deal(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.fulfil(where.deal("Cooling for line 4"))
    with thumb(chromium, live_server, where) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        fits(page)
        tap(page.locator(".fl-pbar .btn-primary"))
        expect(page.locator("#toasts")).to_contain_text("moved to")
        fits(page)
    assert where.journey(deal).stage.key == "needs_analysis"


@pytest.mark.rule("U27")
def test_log_in_one_line_comment_and_photograph(chromium: Any, live_server: Any, where: Company) -> None:
    deal = where.deal("Cooling for line 4")
    with thumb(chromium, live_server, where) as page:
        page.goto(f"/opportunities/{deal.pk}/")
        page.locator("#line-text").fill("visited, line walk")
        expect(page.locator("#line-preview")).to_contain_text("Visit")
        tap(page.locator("#line form .btn").first)
        expect(page.locator("#line .work-line__saved")).to_contain_text("Logged")
        expect(page.locator("#timeline")).to_contain_text("line walk")
        tap(page.get_by_role("navigation", name="What to add").get_by_role("link", name="Comment"))
        box = page.locator("#add-text")
        box.fill("Please look at this, @陈立")
        option = page.locator("[role=option]", has_text="陈立新").first
        tap(option)
        tap(page.locator("form#add .btn"))
        expect(page.locator("#timeline")).to_contain_text("Please look at this")
        fits(page)
        page.goto(f"/opportunities/{deal.pk}/?tab=files")
        photo = page.locator("input[capture=environment]")
        expect(photo).to_be_visible()
        assert photo.get_attribute("accept") == "image/*"
        photo.set_input_files({"name": "line4.png", "mimeType": "image/png", "buffer": photograph()})
        fits(page)
        tap(page.get_by_role("button", name="File it"))
        expect(page.locator("#toasts")).to_contain_text("Filed")
        fits(page)
    assert Activity.objects.get().kind == "visit"
    assert Comment.objects.get().mentions == [where.chen.pk]
    file = File.objects.get()
    assert (file.name, file.image) == ("line4.png", "png")


@pytest.mark.rule("U27")
def test_create_an_opportunity(chromium: Any, live_server: Any, where: Company) -> None:
    where.account("Heng Yue Rail")
    with thumb(chromium, live_server, where) as page:
        page.goto("/board/")
        fits(page)
        tap(page.locator(".fl-top details.fl-menu > summary.btn-primary"))
        tap(page.locator(".fl-top .fl-menu__box a").first)
        page.wait_for_url("**/opportunities/new/**")
        fits(page)
        page.get_by_label("Name").first.fill("Cooling for line 9")
        page.get_by_label("Account").first.fill("Heng Yue Rail")
        page.locator("[name=amount]").fill("250000")
        page.locator("[name=expected_close_date]").fill(
            (timezone.localdate().replace(month=12, day=28)).isoformat()
        )
        tap(page.locator("main .btn-primary, #panel .btn-primary").last)
        page.wait_for_url(re.compile(r"/opportunities/\d+/"))
        fits(page)
    assert Opportunity.objects.get(name="Cooling for line 9").account is not None
