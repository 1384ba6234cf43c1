"""A process of six stages and eight items, built and published through the pages by somebody who thinks at each step."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.e2e.signing import page_of
from tests.factories.crm import company

from fairlead.organisation.models import User
from fairlead.process.models import ProcessVersion

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
THINKING = 0.2  # seconds at each step: counted, not slept
AT_MOST = 12 * 60
STAGES = (
    ("线索", "Lead"),
    ("需求", "Needs"),
    ("方案", "Solution"),
    ("报价", "Quote"),
    ("谈判", "Talks"),
    ("签约", "Signing"),
)


class Script:
    """Each act of a hand is a step: a page opened, a value typed or chosen, a button pressed."""

    def __init__(self, page: Any) -> None:
        self.page, self.steps = page, 0

    def go(self, path: str) -> None:
        self.steps += 1
        self.page.goto(path)

    def fill(self, name: str, value: str) -> None:
        self.steps += 1
        self.page.locator(f"main form [name='{name}']").last.fill(value)

    def choose(self, name: str, value: str) -> None:
        self.steps += 1
        self.page.locator(f"main form [name='{name}']").last.select_option(value)

    def press(self, text: str) -> None:
        self.steps += 1
        with self.page.expect_response(lambda r: r.request.method == "POST"):
            self.page.get_by_role("button", name=text, exact=True).last.click()
        self.page.wait_for_load_state("networkidle")


@pytest.mark.rule("PD-1", "PD-3")
def test_six_stages_and_eight_items_are_built_and_published_in_twelve_minutes(
    chromium: Any, live_server: Any
) -> None:
    where = company(language="en")
    User.objects.update(language="en")
    draft = "/processes/channel_script/draft/"
    begun = time.perf_counter()
    with page_of(chromium, live_server.url, where.people["tang"]) as page:
        hand = Script(page)
        hand.go("/processes/new/")
        hand.fill("zh", "渠道商机")
        hand.fill("en", "Channel deal")
        hand.fill("key", "channel_script")
        hand.press("Begin the draft")
        for zh, en in STAGES:
            hand.go(f"{draft}?part=stages")
            hand.fill("name-zh", zh)
            hand.fill("name-en", en)
            hand.press("Add the stage")
        for stage, field in (("lead", "description"), ("needs", "amount"), ("needs", "description"),
                             ("solution", "amount"), ("solution", "expected_close_date"), ("quote", "amount"),
                             ("talks", "expected_close_date"), ("signing", "amount")):  # fmt: skip
            hand.go(f"{draft}?stage={stage}&part=exit&add=field")
            hand.fill("name-zh", f"客户确认 {stage} {field}")
            hand.fill("name-en", f"Customer confirmed {stage} {field}")
            hand.choose("condition-1-field", field)
            hand.press("Add the item")
        hand.go(draft)
        hand.press("Publish v1")
    took = time.perf_counter() - begun + hand.steps * THINKING

    version = ProcessVersion.objects.get(process__key="channel_script")
    assert len(version.document["stages"]) == len(STAGES)
    assert sum(len(s.get("exit", ())) for s in version.document["stages"]) == 8
    assert version.status == "published"
    assert took <= AT_MOST, f"{took:.0f} s in {hand.steps} steps"
