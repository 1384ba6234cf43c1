"""Groups of items in a draft: all, one or so many of their members, made and changed on the page and through the API."""

from __future__ import annotations

import copy

import pytest
from django.utils import translation

from fairlead.common.refusals import Invalid
from fairlead.process.differences import differences
from fairlead.process.editing import edit
from fairlead.process.examining import examine
from fairlead.process.models import ProcessDraft
from fairlead.process.services.shipping import shipped

from .test_designer import DRAFT, KEY, conditions, read, send, tang  # noqa: F401

pytestmark = pytest.mark.django_db


def gate(stage="needs", side="exit"):
    document = ProcessDraft.objects.get().document
    return next(s for s in document["stages"] if s["key"] == stage)[side]


def new_group(client, **said):
    given = read(**(conditions("applies_if") | {"mode": "any", "k": "", "name-en": "Known people", **said}))
    return send(client, "criterion_add", stage="needs", part="exit", side="exit", asks="group", **given)


def member(client, name, **said):
    given = read(**(conditions("applies_if") | {"kind": "minutes", "by": "", "name-en": name}))
    return send(
        client, "criterion_add", stage="needs", part="exit", side="exit", asks="document", group="known_people",
        **(given | said),
    )  # fmt: skip


@pytest.mark.rule("GT-1", "PD-3")
@pytest.mark.usefixtures("tang")
def test_a_group_is_begun_empty_named_until_it_has_a_member_and_asked_for_by_number(client):
    assert new_group(client).status_code == 302
    page = client.get(f"{DRAFT}?stage=needs&part=exit").content.decode()
    assert "A group needs at least one item." in page
    assert f'href="{DRAFT}?stage=needs&amp;part=exit&amp;item=known_people#form"' in page
    assert "add=document&amp;in=known_people#form" in page or "add=document&in=known_people#form" in page

    for name in ("First paper", "Second paper", "Third paper"):
        assert member(client, name).status_code == 302
    too_many = read(**(conditions("applies_if") | {"mode": "k_of", "k": "9", "name-en": "Known people"}))
    said = {"stage": "needs", "part": "exit", "asks": "group", "criterion_key": "known_people"}
    refused = send(client, "criterion_set", **said, **too_many)
    assert refused.status_code == 422
    assert 'href="#f-k"' in refused.content.decode()
    assert send(client, "criterion_set", **said, **(too_many | {"k": "2"})).status_code == 302

    held = gate()[-1]
    assert (held["mode"], held["k"], [m["key"] for m in held["criteria"]]) == (
        "k_of", 2, ["first_paper", "second_paper", "third_paper"],
    )  # fmt: skip
    page = client.get(f"{DRAFT}?stage=needs&part=exit").content.decode()
    assert "A group needs at least one item." not in page
    assert "2 of these 3" in page
    assert "of these" in page and "First paper" in page
    assert "Needs analysis: “Known people”" in page or "“Known people”" in page


@pytest.mark.rule("GT-1")
@pytest.mark.usefixtures("tang")
def test_members_are_changed_ordered_taken_out_and_put_in(client):
    new_group(client)
    for name in ("First paper", "Second paper"):
        member(client, name)
    plain = gate()[0]["key"]
    here = {"stage": "needs", "part": "exit"}

    assert (
        "New in “Known people”"
        in client.get(f"{DRAFT}?stage=needs&part=exit&add=field&in=known_people").content.decode()
    )
    form = client.get(f"{DRAFT}?stage=needs&part=exit&item=second_paper").content.decode()
    assert 'value="Second paper"' in form
    given = read(
        **(conditions("applies_if") | {"kind": "offer", "by": "customer", "name-en": "Second paper"})
    )
    send(client, "criterion_set", criterion_key="second_paper", asks="document", **here, **given)
    send(client, "criterion_move", criterion_key="second_paper", by="-1", **here)
    send(client, "criterion_group", criterion_key=plain, group="known_people", **here)
    group = gate()[-1]
    assert [m["key"] for m in group["criteria"]] == ["second_paper", "first_paper", plain]
    assert (group["criteria"][0]["kind"], group["criteria"][0]["by"]) == ("offer", "customer")

    send(client, "criterion_remove", criterion_key="first_paper", **here)
    send(client, "criterion_ungroup", criterion_key=plain, **here)
    assert [c["key"] for c in gate()][-2:] == ["known_people", plain]
    send(client, "criterion_ungroup", criterion_key="known_people", **here)
    assert [c["key"] for c in gate()][-2:] == ["second_paper", plain]
    assert not examine(ProcessDraft.objects.get().document).errors


@pytest.mark.rule("PD-3")
@pytest.mark.usefixtures("tang")
def test_what_is_wrong_in_a_member_leads_to_the_form_of_the_member(client):
    new_group(client)
    member(client, "First paper")
    row = ProcessDraft.objects.get()
    document = copy.deepcopy(row.document)
    stage = next(s for s in document["stages"] if s["key"] == "needs")
    stage["exit"][-1]["criteria"][0] |= {"type": "field", "field": "deleted_since"}
    stage["exit"][-1]["criteria"][0].pop("kind")
    ProcessDraft.objects.update(document=document)

    page = client.get(DRAFT).content.decode()
    link = f"{DRAFT}?stage=needs&amp;part=exit&amp;item=first_paper#form"
    assert link in page
    opened = client.get(f"{DRAFT}?stage=needs&part=exit&item=first_paper").content.decode()
    assert 'name="criterion_key" value="first_paper"' in opened


@pytest.mark.parametrize(
    ("op", "given", "field"),
    [
        ("criterion_add", {"group": "bant", "criterion": {"type": "group", "name": {}}}, "type"),
        ("criterion_add", {"group": "no_such", "criterion": {"type": "field"}}, "criterion"),
        ("criterion_add", {"group": "bant_need_known", "criterion": {"type": "field"}}, "group"),
        ("criterion_set", {"criterion_key": "bant_need_known", "criterion": {"type": "group"}}, "type"),
        ("criterion_group", {"criterion_key": "decision_map", "group": "bant"}, "type"),
        ("criterion_group", {"criterion_key": "ub_identified", "group": "bant"}, "group"),
        ("criterion_ungroup", {"criterion_key": "next_meeting"}, "criterion_key"),
    ],
)
def test_an_edit_of_a_group_that_has_no_place_is_refused(op, given, field):
    document = shipped("key_account_opportunity")
    with pytest.raises(Invalid) as refused:
        edit(document, op, given)
    assert [e["field"] for e in refused.value.details["errors"]] == [field]


@pytest.mark.rule("PD-1", "GT-1")
def test_the_difference_of_two_versions_tells_of_groups_in_words():
    old = shipped("key_account_opportunity")
    new, _path = edit(old, "criterion_remove", {"criterion_key": "coach_identified"})
    new, _path = edit(new, "criterion_group", {"criterion_key": "process_dates", "group": "decision_map"})
    group = next(c for s in new["stages"] for c in s["exit"] if c["key"] == "decision_map")
    changed = {
        **group,
        "k": 3,
        "criteria": [{**group["criteria"][0], "level": "block"}, *group["criteria"][1:]],
    }
    new, _path = edit(new, "criterion_set", {"criterion_key": "decision_map", "criterion": changed})

    with translation.override("en"):
        found = {(c.sign, c.text) for c in differences(examine(old).definition, examine(new).definition)}

    name = "“Two more roles on the decision map”"
    told = {(sign, text.partition(": ")[2]) for sign, text in found}
    assert ("changed", f"of {name} 2 of these 4 → 3 of these 4") in told
    assert ("removed", f"“Coach” in {name}") in told
    assert ("added", f"“Decision process, date and way of buying known” in {name}") in told
    assert ("changed", f"“User” in {name}") in told


@pytest.mark.rule("GT-1", "MV-11")
@pytest.mark.usefixtures("tang")
def test_the_api_makes_and_fills_a_group(client):
    def send_edit(version, **body):
        return client.post(
            f"/api/v1/processes/{KEY}/draft/edits", body, content_type="application/json",
            HTTP_IF_MATCH=f'"{version}"',
        )  # fmt: skip

    name = {"zh": "一组", "en": "A group"}
    group = {"type": "group", "level": "block", "name": name, "mode": "any", "criteria": []}
    made = send_edit(1, op="criterion_add", stage="needs", side="exit", criterion=group)
    assert made.status_code == 200, made.content
    (error,) = (f for f in made.json()["findings"] if f["level"] == "error")
    assert (error["stage"], error["part"], error["item"]) == ("needs", "exit", "a_group")
    inner = {"type": "document", "kind": "minutes", "name": {"zh": "纪要", "en": "Minutes"}}
    filled = send_edit(2, op="criterion_add", group="a_group", criterion=inner)
    assert [f for f in filled.json()["findings"] if f["level"] == "error"] == []
    nested = send_edit(3, op="criterion_add", group="a_group", criterion=group)
    assert nested.status_code == 422
    lifted = send_edit(3, op="criterion_ungroup", criterion_key="minutes")
    assert [c["key"] for c in gate()][-2:] == ["a_group", "minutes"]
    assert [f["item"] for f in lifted.json()["findings"] if f["level"] == "error"] == ["a_group"]
