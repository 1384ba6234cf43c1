"""Approvals on the designer's page: the matrix is built as sentences, examined while one edits, published and asked for."""

from __future__ import annotations

import html
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from tests.factories.crm import PROCESS, Company, company

from fairlead.journal.models import Event
from fairlead.organisation.models import User
from fairlead.process import services
from fairlead.process.differences import differences
from fairlead.process.editing_approvals import directions
from fairlead.process.examining import examine
from fairlead.process.models import ProcessDraft
from fairlead.process.services.drafting import replace_document

pytestmark = pytest.mark.django_db
DRAFT = f"/processes/{PROCESS}/draft/"
API = f"/api/v1/processes/{PROCESS}/draft"
PART = {"part": "approvals"}
NAMES = {"name-zh": "折扣", "name-en": "Discount"}


@pytest.fixture
def where(client: Any) -> Company:
    made = company(language="en")
    client.force_login(made.people["tang"])
    services.begin_draft(PROCESS, **made.how(made.people["tang"]))
    return made


def held() -> dict[str, Any]:
    return ProcessDraft.objects.get().document


def kind() -> dict[str, Any]:
    return held()["approvals"]["kinds"][0]


def send(client: Any, op: str, **values: Any) -> Any:
    return client.post(
        f"{DRAFT}edit", {"op": op, "version": ProcessDraft.objects.get().version, **PART, **values}
    )


def when(*leaves: tuple[str, str, str]) -> dict[str, str]:
    found = {"when-mode": "all"}
    for i in range(1, 4):
        field, op, value = leaves[i - 1] if i <= len(leaves) else ("", "present", "")
        found |= {f"when-{i}-field": field, f"when-{i}-op": op, f"when-{i}-value": value}
    return found


def row(*leaves: tuple[str, str, str], who: tuple[str, ...] = ("line:1",), **more: str) -> dict[str, str]:
    seats = {f"approvers-{i}": who[i] if i < len(who) else "" for i in range(4)}
    plain = {"name-zh": "", "name-en": "", "mode": "sequential", "k": "", "tier": "1", "lever": "price",
             "response_hours": "8", "decision_hours": "24", "bind": "1"}  # fmt: skip
    return {**plain, **when(*leaves), **seats, **more}


def built(client: Any) -> None:
    """The discount approval, as somebody builds it who has never seen the file."""
    said = {"approval_key": "discount", "list": "rows"}
    for op, values in (
        ("approval_add", {**NAMES, "ask_at": "quote_negotiation"}),
        ("approval_part_add", said | row(("discount", "gt", "15 %"))),
        ("approval_part_add", said | row(("discount", "gt", "25"), who=("line:2",), tier="2")),
    ):
        answer = send(client, op, **values)
        assert answer.status_code == 302, (op, answer.content.decode()[:4000])


@pytest.mark.rule("AP-1", "AP-3", "PD-3")
def test_the_discount_approval_is_built_as_sentences_and_said_back(client, where):
    built(client)

    assert kind() == {
        "name": {"zh": "折扣", "en": "Discount"}, "key": "discount",
        "rows": [
            {"lever": "price", "tier": 1, "approvers": [{"line": 1}], "when": {"field": "discount", "op": "gt", "value": 15},
             "mode": "sequential", "response_hours": 8, "decision_hours": 24, "key": "row"},
            {"lever": "price", "tier": 2, "approvers": [{"line": 2}], "when": {"field": "discount", "op": "gt", "value": 25},
             "mode": "sequential", "response_hours": 8, "decision_hours": 24, "key": "row_2"},
        ],
        "binds": [{"lever": "price", "field": "discount", "direction": "at_most"}],
    }  # fmt: skip
    found = examine(held())
    assert not found.errors
    assert not [f for f in found.warnings if "approvals" in f.path]
    page = html.unescape(client.get(f"{DRAFT}?part=approvals&item=discount").content.decode())
    for words in (
        "If Discount > 15 %: direct manager", "If Discount > 25 %: manager 2 levels up", "如果 折扣 > 15 %",
            "In every other case",
        "Discount: a higher value asks again", "Quotation & negotiation · to leave",
    ):  # fmt: skip
        assert words in page, words
    listed = html.unescape(client.get(f"{DRAFT}?part=approvals").content.decode())
    assert "If Discount > 25 %: manager 2 levels up" in listed
    gate = html.unescape(client.get(f"{DRAFT}?stage=quote_negotiation&part=exit").content.decode())
    assert "approved: “Discount”. If Discount > 15 %: direct manager" in gate
    assert "otherwise nobody is asked" in gate


@pytest.mark.rule("AP-1", "VR-1")
def test_once_it_is_published_a_deal_asks_for_it(client, where):
    built(client)
    changes = client.get(f"{API}").json()["changes"]
    assert (
        "Approval “Discount”: If Discount > 15 %: direct manager; If Discount > 25 %: manager 2 levels up; "
        "otherwise nobody is asked" in {c["text"] for c in changes}
    )
    published = client.post(f"{DRAFT}act", {"act": "publish", "version": ProcessDraft.objects.get().version})
    assert published.status_code == 302
    client.force_login(where.zhou)
    asked = {}
    for discount in (10, 20, 30):
        deal = where.deal(f"折扣 {discount}", stage="quote_negotiation", discount=Decimal(discount))
        found = client.get(
            f"/api/v1/journeys/{where.journey(deal).pk}/approvals/preview?kind=discount"
        ).json()
        asked[discount] = [step["row"] for step in found["steps"]]
    assert asked == {10: [], 20: ["row"], 30: ["row_2"]}


@pytest.mark.rule("PD-3", "AC-12")
def test_rows_that_overlap_values_without_a_row_and_strangers_are_named_where_they_are(client, where):
    built(client)
    said = {"approval_key": "discount", "list": "rows"}
    overlapping = send(
        client, "approval_part_set", **said, number="1", **row(("discount", "gt", "25"), tier="1")
    )
    assert overlapping.status_code == 302  # it lies between two rows: listed, and publishing waits
    url = f"{DRAFT}?part=approvals&item=discount"
    page = html.unescape(client.get(url).content.decode())
    second = page[page.index('id="item-rows-row_2"') :][:2500]
    assert "Both this row and “Discount > 15 %” of the same tier can hold at once" in second
    assert f'href="{url}&in=rows.row_2#form"' in page
    refused = client.post(f"{DRAFT}act", {"act": "publish", "version": ProcessDraft.objects.get().version})
    assert refused.status_code == 422

    send(
        client,
        "approval_part_set",
        **said,
        number="1",
        **row(("discount", "gt", "20"), ("discount", "lte", "25"), tier="2"),
    )
    send(
        client,
        "approval_part_set",
        **said,
        number="0",
        **row(("discount", "gt", "10"), ("discount", "lte", "15")),
    )
    page = html.unescape(client.get(url).content.decode())
    assert "No row decides about 15 < Discount ≤ 20" in page
    assert "No row decides about Discount > 25" in page

    document = held()
    document["approvals"]["kinds"][0]["rows"] = [
        {"key": "boss", "lever": "price", "tier": 1, "approvers": [{"person": "nobody_here"}]}
    ]
    replace_document(PROCESS, document, version=None, **where.how(where.people["tang"]))
    page = html.unescape(client.get(url).content.decode())
    assert "Nobody signs in here as “nobody_here”" in page[page.index('id="item-rows-boss"') :][:2500]
    assert f'href="{url}&in=rows.boss#form"' in page
    opened = client.get(f"{url}&in=rows.boss").content.decode()
    assert '<option value="person:nobody_here" selected>' in opened


def test_a_row_that_cannot_be_read_comes_back_with_what_was_typed(client, where):
    built(client)
    given = row(("discount", "gt", "a lot"), who=("role:FIN",)) | {"approval_key": "discount", "list": "rows"}
    answer = send(client, "approval_part_add", **given)
    page = answer.content.decode()

    assert answer.status_code == 422
    assert 'value="a lot"' in page and 'href="#f-when-1-value"' in page
    assert '<option value="role:FIN" selected>' in page
    assert len(kind()["rows"]) == 2
    nobody = send(client, "approval_part_add", **(given | row(("discount", "gt", "30"), who=())))
    assert nobody.status_code == 422 and "Say who decides." in nobody.content.decode()


@pytest.mark.rule("AP-2", "AP-11", "AP-14")
def test_committees_votes_envelope_prohibitions_packages_and_validity_are_set_by_forms(client, where):
    built(client)
    named = {"name-zh": "名", "name-en": "Board"}
    members = {"members-0": "line:2", "members-1": "role:FIN", "members-2": "person:wu", "members-3": ""}
    of = {"approval_key": "discount"}
    for op, values in (
        ("committee_add", named | members),
        ("approval_part_add", of | {"list": "rows"} | row(("discount", "gt", "40"), who=("committee:board",), tier="3",
                                                         mode="k_of_n", k="2", response_hours="4", decision_hours="16")),
        ("approval_part_add", of | {"list": "binds", "field": "amount", "direction": "at_least", "lever": "price"}),
        ("approval_part_add", of | {"list": "prohibited", "name-zh": "亏", "name-en": "Below cost",
                               **when(("discount", "gt", "60"))}),
        ("approval_part_add", of | {"list": "package", "name-zh": "理由", "name-en": "Reason", "needed": "1"}),
        ("approval_part_add", of | {"list": "opinions", "name-zh": "财务意见", "name-en": "Word of finance", "role": "FIN"}),
        ("approval_set", of | {"name-zh": "折扣审批", "name-en": "Discount", "help-zh": "说明理由", "help-en": "Say why",
                               "valid_days": "60", "lapses_on_regress": "1"}),
        ("approval_part_move", of | {"list": "rows", "number": "2", "by": "-1"}),
        ("approvals_set", {}),
    ):  # fmt: skip
        answer = send(client, op, **values)
        assert answer.status_code == 302, (op, answer.content.decode()[:4000])

    found = examine(held())
    assert not found.errors, found.errors
    policy = found.definition.approvals
    read = policy.kinds["discount"]
    assert [r.key for r in read.rows] == ["row", "row_3", "row_2"]
    assert (read.rows[1].mode, read.rows[1].k, read.rows[1].response_hours) == ("k_of_n", 2, 4)
    assert [(b.spec.key, b.direction) for b in read.binds] == [
        ("discount", "at_most"),
        ("amount", "at_least"),
    ]
    assert [p.key for p in read.prohibited] == ["below_cost"]
    assert [(o.role, o.needed) for o in read.opinions] == [("FIN", False)]
    assert (read.valid_days, read.carry, read.lapses_on_regress, policy.distinct) == (60, False, True, False)
    assert [str(m.value) for m in policy.committees["board"].members] == ["2", "FIN", "wu"]
    page = html.unescape(client.get(f"{DRAFT}?part=approvals&item=discount").content.decode())
    for words in (
        "If Discount > 40 %: Board (2 of them)",
        "Tier 3",
        "answer in 4 h, decision in 16 h",
        "Nobody approves if Discount > 60 %",
    ):
        assert words in page, words
    assert User.objects.get(username="wu").name in client.get(f"{DRAFT}?part=approvals").content.decode()
    for inner, field in (("rows.1", "approvers-0"), ("binds.1", "direction"), ("prohibited.0", "when-1-field"),
                         ("package.0", "needed"), ("opinions.0", "role")):  # fmt: skip
        assert (
            f'name="{field}"'
            in client.get(f"{DRAFT}?part=approvals&item=discount&in={inner}").content.decode()
        )
    assert 'value="Board"' in client.get(f"{DRAFT}?part=approvals&in=committee.board").content.decode()


def test_an_approval_that_is_asked_for_stays_and_one_that_nobody_asks_for_is_named(client, where):
    built(client)
    refused = send(client, "approval_remove", approval_key="discount")
    assert refused.status_code == 422 and "still asks for it" in refused.content.decode()
    item = held()["stages"][3]["exit"][-1]["key"]
    services.edit_draft(
        PROCESS, "criterion_remove", {"criterion_key": item}, version=None, **where.how(where.people["tang"])
    )
    page = client.get(DRAFT).content.decode()
    assert "Nothing asks for “Discount” yet" in page
    assert f'href="{DRAFT}?part=approvals&amp;item=discount#form"' in page
    assert send(client, "approval_remove", approval_key="discount").status_code == 302
    assert held()["approvals"]["kinds"] == []


@pytest.mark.rule("AP-3")
def test_a_value_that_decides_but_is_free_to_move_is_doubted(client, where):
    built(client)
    send(client, "approval_part_remove", approval_key="discount", list="binds", number="0")
    found = [f for f in examine(held()).warnings if f.path == "approvals.kinds.discount.binds"]
    assert len(found) == 1 and found[0].place.query == "part=approvals&item=discount&add=binds"


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"field": "discount", "op": "gt", "value": 1}, {"discount": "at_most"}),
        ({"field": "margin", "op": "lt", "value": 1}, {"margin": "at_least"}),
        (
            {"all": [{"field": "d", "op": "gt", "value": 1}, {"field": "d", "op": "lte", "value": 2}]},
            {"d": "at_most"},
        ),
        ({"any": [{"field": "a", "op": "absent"}, {"field": "a", "op": "lt", "value": 2}]}, {"a": "equal"}),
        ({"not": {"field": "region", "op": "in", "value": ["x"]}}, {"region": "equal"}),
        (None, {}),
        ({"all": "?"}, {}),
    ],
)
def test_the_direction_that_is_bound_follows_the_condition(tree, wanted):
    assert directions(tree) == wanted


def api(client: Any, **body: Any) -> Any:
    version = ProcessDraft.objects.get().version
    return client.post(
        f"{API}/edits",
        json.dumps(body),
        content_type="application/json",
        headers={"if-match": f'"{version}"'},
    )


@pytest.mark.rule("AP-1", "PD-3")
def test_the_api_edits_approvals_by_the_same_operations(client, where):
    name = {"zh": "折扣", "en": "Discount"}
    first = {"tier": 1, "approvers": [{"line": 1}], "when": {"field": "discount", "op": "gt", "value": 15}}
    assert (
        api(client, op="approval_add", approval={"name": name}, stage="quote_negotiation").status_code == 200
    )
    found = api(
        client, op="approval_part_add", approval_key="discount", list="rows", entry=first, bind=True
    ).json()
    assert [f["path"] for f in found["findings"] if f["level"] == "error"] == []
    second = first | {"tier": 1, "when": {"field": "discount", "op": "gt", "value": 25}}
    found = api(client, op="approval_part_add", approval_key="discount", list="rows", entry=second).json()
    wrong = next(f for f in found["findings"] if f["level"] == "error")
    assert (wrong["path"], wrong["part"]) == ("approvals.kinds.discount.rows.row_2.when", "approvals")
    assert "discount" in wrong["item"]
    assert (
        Event.objects.filter(type="draft_edited").last().data["path"] == "approvals.kinds.discount.rows.row_2"
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"op": "approval_add", "approval": {"name": {"zh": "一"}}}, "name"),
        ({"op": "approval_add"}, "approval"),
        ({"op": "approval_add", "approval": {"name": {"zh": "一", "en": "One"}}, "stage": "nowhere"}, "stage"),
        ({"op": "approval_set", "approval_key": "none", "set": {"valid_days": 3}}, "approval_key"),
        ({"op": "approval_set", "approval_key": "discount", "set": {"key": "x"}}, "key"),
        ({"op": "approval_set", "approval_key": "discount", "set": {"valid_days": -3}}, "valid_days"),
        ({"op": "approval_part_add", "approval_key": "discount", "list": "moons", "entry": {}}, "list"),
        ({"op": "approval_part_add", "approval_key": "discount", "list": "rows", "entry": {"tier": 1}}, "approvers"),
        ({"op": "approval_part_add", "approval_key": "discount", "list": "rows",
          "entry": {"tier": 1, "approvers": [{"role": "KING"}]}}, "approvers.0.role"),
        ({"op": "approval_part_set", "approval_key": "discount", "list": "rows", "number": 7, "entry": {}}, "number"),
        ({"op": "approval_part_add", "approval_key": "discount", "list": "binds",
          "entry": {"field": "description", "direction": "at_most"}}, "direction"),
        ({"op": "committee_add", "committee": {"name": {"zh": "会", "en": "Board"}, "members": []}}, "members"),
        ({"op": "committee_set", "committee_key": "none", "committee": {}}, "committee_key"),
        ({"op": "committee_remove", "committee_key": "none"}, "committee_key"),
        ({"op": "approvals_set", "set": {"kinds": []}}, "kinds"),
    ],
)  # fmt: skip
def test_a_piece_that_is_wrong_is_refused_and_changes_nothing(client, where, body, field):
    built(client)
    before = ProcessDraft.objects.get()
    answer = api(client, **body)
    assert answer.status_code == 422, answer.json()
    assert answer.json()["errors"][0]["field"] == field
    after = ProcessDraft.objects.get()
    assert (after.document, after.version) == (before.document, before.version)


def test_the_differences_say_what_changed_about_an_approval(client, where):
    built(client)
    old = examine(held()).definition
    of = {"approval_key": "discount"}
    send(client, "approval_part_set", **of, list="rows", number="0", **row(("discount", "gt", "12")))
    send(client, "approval_part_remove", **of, list="rows", number="1")
    send(client, "approval_part_add", **of, list="binds", field="amount", direction="at_least", lever="price")
    send(
        client,
        "approval_set",
        **of,
        **NAMES,
        **{"help-zh": "", "help-en": "", "valid_days": "30", "carry": "1"},
    )
    new = examine(held()).definition

    with translation.override("en"):
        said = {(c.sign, c.text) for c in differences(old, new)}
    for one in (
        (
            "changed",
            "“Discount”: If Discount > 12 %: direct manager (was: If Discount > 15 %: direct manager)",
        ),
        ("removed", "“Discount”: If Discount > 25 %: manager 2 levels up, tier 2"),
        ("added", "“Discount”: Amount: a lower value asks again"),
        ("changed", "“Discount”: holds for 30 days (was: without end)"),
    ):
        assert one in said, (one, said)
    assert differences(old, old) == []


def test_a_way_out_keeps_and_takes_the_approval_that_it_needs(client, where):
    built(client)
    said = {"stage": "quote_negotiation", "part": "moves", "type": "skip", "to": "signing", "reasons": "skip",
            "approval": "discount", "label-zh": "", "label-en": "", **when()}  # fmt: skip
    answer = send(client, "transition_add", **said)
    ways = next(s for s in held()["stages"] if s["key"] == "quote_negotiation")["transitions"]
    assert answer.status_code == 302 and ways[-1]["approval"] == "discount"
    page = html.unescape(client.get(f"{DRAFT}?stage=quote_negotiation&part=moves").content.decode())
    assert "only once “Discount” is approved" in page
    assert re.search(r"a way out", html.unescape(client.get(f"{DRAFT}?part=approvals").content.decode()))
