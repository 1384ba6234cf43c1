"""Six faulty drafts, begun from files: each is refused by name, its link opens the form where it is mended, and then it
is published. Nothing but the pages is used."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.e2e.signing import page_of
from tests.e2e.test_design_script import Script
from tests.factories.crm import company
from tests.process.test_drafts import faulty

from fairlead.process.files import write_yaml
from fairlead.process.models import ProcessVersion
from fairlead.process.services.shipping import shipped

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.browser,
    pytest.mark.one_engine("sqlite", "what a browser makes of a page says nothing about where it was stored"),
]
KEY = "faulty_draft"
DRAFT = f"/processes/{KEY}/draft/"
Mend = Callable[[Script], None]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`path`: where the message says it is. `query`: what the address of its link opens. `op`: the edit of the form."""

    message: str
    path: str
    query: str
    op: str
    mend: Mend


def matrix(*rows: Mapping[str, Any]) -> dict[str, Any]:
    kind = {
        "key": "discount",
        "name": {"zh": "折扣", "en": "Discount"},
        "rows": [{"lever": "price", **row} for row in rows],
        "binds": [{"lever": "price", "field": "discount", "direction": "at_most"}],
    }
    return {**shipped("plain_opportunity"), "approvals": {"kinds": [kind]}}


def over(percent: int) -> dict[str, Any]:
    return {"field": "discount", "op": "gt", "value": percent}


FAULTS: Mapping[str, Mapping[str, Any]] = {
    "unreachable": faulty(shipped("plain_opportunity"), "unreachable")[0],
    "no_way_out": faulty(shipped("plain_opportunity"), "no_way_out")[0],
    "no_else": faulty(shipped("plain_opportunity"), "no_else")[0],
    "missing_field": faulty(shipped("plain_opportunity"), "missing_field")[0],
    "nobody": matrix({"key": "boss", "tier": 1, "approvers": [{"person": "nobody_here"}]}),
    "overlap": matrix(
        {"key": "low", "tier": 1, "approvers": [{"line": 1}], "when": over(15)},
        {"key": "high", "tier": 1, "approvers": [{"line": 2}], "when": over(25)},
    ),
}


def begins_there(hand: Script) -> None:
    hand.page.locator("#form [name='start']").check()
    hand.press("Save")


def ends_well(hand: Script) -> None:
    hand.choose("type", "close_won")
    hand.press("Add the way")


def otherwise(hand: Script) -> None:
    hand.choose("type", "branch")
    hand.choose("to", "negotiation")
    hand.press("Add the way")


def another_field(hand: Script) -> None:
    hand.choose("condition-1-field", "amount")
    hand.choose("condition-1-op", "present")
    hand.press("Save the item")


def the_manager(hand: Script) -> None:
    hand.choose("approvers-0", "line:1")
    hand.press("Save")


def up_to_there(hand: Script) -> None:
    """The row above its tier instead of beside it."""
    hand.fill("tier", "2")
    hand.press("Save")


MENDED: Mapping[str, Fault] = {
    "unreachable": Fault(
        message="No way leads to this stage.",
        path="stages.lonely",
        query="stage=lonely&part=moves",
        op="stage_set",
        mend=begins_there,
    ),
    "no_way_out": Fault(
        message="The stage cannot be left towards a good end.",
        path="stages.signing.transitions",
        query="stage=signing&part=moves&add=1",
        op="transition_add",
        mend=ends_well,
    ),
    "no_else": Fault(
        message="The last branch has no condition: it takes what is left.",
        path="stages.needs.transitions",
        query="stage=needs&part=moves&add=1",
        op="transition_add",
        mend=otherwise,
    ),
    "missing_field": Fault(
        message="There is no field “deleted_since”.",
        path="stages.needs.exit.budget_band.field",
        query="stage=needs&part=exit&item=budget_band",
        op="criterion_set",
        mend=another_field,
    ),
    "nobody": Fault(
        message="Nobody signs in here as “nobody_here”.",
        path="approvals.kinds.discount.rows.boss.approvers.0",
        query="part=approvals&item=discount&in=rows.boss",
        op="approval_part_set",
        mend=the_manager,
    ),
    "overlap": Fault(
        message="of the same tier can hold at once: which one decides?",
        path="approvals.kinds.discount.rows.high.when",
        query="part=approvals&item=discount&in=rows.high",
        op="approval_part_set",
        mend=up_to_there,
    ),
}


def begin(page: Page, tmp_path: Path, document: Mapping[str, Any]) -> None:
    file = tmp_path / "faulty.yaml"
    file.write_text(write_yaml({**copy.deepcopy(dict(document)), "process": KEY}), encoding="utf-8")
    page.goto("/processes/new/")
    page.locator("[name='template']").select_option("file")
    page.locator("[name='file']").set_input_files(file)
    page.get_by_role("button", name="Begin the draft").click()
    page.wait_for_url(f"**{DRAFT}")


@pytest.mark.rule("PD-3", "PD-5", "AC-12", "VR-10")
@pytest.mark.parametrize("what", FAULTS)
def test_a_faulty_draft_is_refused_by_name_mended_at_its_link_and_published(
    chromium: Any, live_server: Any, tmp_path: Path, what: str
) -> None:
    where, fault = company(language="en"), MENDED[what]
    with page_of(chromium, live_server.url, where.people["tang"]) as page:
        hand = Script(page)
        begin(page, tmp_path, FAULTS[what])
        found = page.locator(".dg-findings li").filter(has_text=fault.message)
        there = found.filter(has=page.get_by_text(fault.path, exact=True))
        publish = page.get_by_role("button", name="Publish v1", exact=True)
        expect(there).to_have_count(1)
        expect(page.get_by_text("First correct what stands above")).to_be_visible()
        expect(publish).to_have_count(0)
        assert not ProcessVersion.objects.filter(process__key=KEY).exists()

        there.get_by_role("link", name="Go there").click()
        expect(page).to_have_url(re.compile(re.escape(f"{DRAFT}?{fault.query}#form") + "$"))
        form = page.locator("#form")
        expect(form.locator("[name='op']")).to_have_value(fault.op)
        expect(form).to_be_in_viewport()

        fault.mend(hand)
        expect(page.locator(".dg-findings li").filter(has_text=fault.message)).to_have_count(0)
        expect(page.get_by_text("0 errors")).to_be_visible()
        publish.click()
        page.wait_for_url(re.compile(rf"/processes/{KEY}/$"))
    assert ProcessVersion.objects.get(process__key=KEY).status == "published"
