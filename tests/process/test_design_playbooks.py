"""Playbooks in a draft: what starts them, their tasks with day, role and text, on the page and through the API."""

from __future__ import annotations

import pytest
from django.utils import translation

from fairlead.common.refusals import Invalid
from fairlead.process import services
from fairlead.process.differences import differences
from fairlead.process.editing import edit
from fairlead.process.examining import examine
from fairlead.process.models import ProcessDraft
from fairlead.process.services.shipping import shipped

from .test_designer import DRAFT, KEY, NOON, conditions, send, tang  # noqa: F401

pytestmark = pytest.mark.django_db
PLAY = f"{DRAFT}?part=playbooks"


def books():
    return ProcessDraft.objects.get().document.get("playbooks", [])


def said(**values):
    return conditions("applies_if") | {
        "name-zh": "首次拜访", "name-en": "Site round", "purpose-zh": "准备好再见面", "purpose-en": "Meet prepared",
        "trigger-event": "", "trigger-stage": "", "trigger-count": "",
    } | values  # fmt: skip


def task(**values):
    return {
        "title-zh": "写三个问题", "title-en": "Write three questions", "due": "2", "role": "AR",
        "template-zh": "", "template-en": "",
    } | values  # fmt: skip


@pytest.mark.rule("PB-2")
@pytest.mark.usefixtures("tang")
def test_a_playbook_with_its_trigger_and_tasks_is_built_by_forms_and_said_back_in_both_languages(client):
    made = send(
        client, "playbook_add", part="playbooks", stages=["needs", "proposal"],
        **said(**{"trigger-event": "pushed", "trigger-count": "4"}, **conditions("applies_if", ("amount", "gt", "500000"))),
    )  # fmt: skip
    assert made.status_code == 302, made.content.decode()[:3000]
    (held,) = books()[-1:]
    assert held == {
        "key": "site_round",
        "name": {"zh": "首次拜访", "en": "Site round"},
        "purpose": {"zh": "准备好再见面", "en": "Meet prepared"},
        "stages": ["needs", "proposal"],
        "trigger": {"event": "pushed", "count": 4},
        "applies_if": {"field": "amount", "op": "gt", "value": 500000},
        "tasks": [],
    }
    page = client.get(PLAY).content.decode()
    assert "A playbook has one to 30 tasks." in page
    assert f'href="{DRAFT}?part=playbooks&amp;item=site_round#form"' in page
    assert "Starts when the close date has been put off 4 times." in page
    assert "Only if Amount &gt; 500,000." in page
    assert "仅当" in page

    for values in (task(), task(**{"title-en": "Send the agenda", "due": "3", "role": "", "template-zh": "四十分钟",
                                   "template-en": "Forty minutes"})):  # fmt: skip
        answer = send(client, "task_add", part="playbooks", playbook_key="site_round", asks="1", **values)
        assert (answer.status_code, answer["Location"]) == (302, f"{PLAY}&item=site_round")
    assert [t["key"] for t in books()[-1]["tasks"]] == ["write_three_questions", "send_the_agenda"]
    assert not examine(ProcessDraft.objects.get().document).errors
    page = client.get(f"{PLAY}&item=site_round&in=1").content.decode()
    assert "after 2 working days · Account manager (AR)" in page
    assert 'name="task_key" value="send_the_agenda"' in page and "Forty minutes" in page

    here = {"part": "playbooks", "playbook_key": "site_round"}
    send(client, "task_move", **here, task_key="send_the_agenda", by="-1")
    send(
        client,
        "task_set",
        **here,
        task_key="send_the_agenda",
        **task(**{"title-en": "Agenda sent", "due": "5"}),
    )
    assert [(t["key"], t["due"]) for t in books()[-1]["tasks"]] == [
        ("send_the_agenda", 5), ("write_three_questions", 2),
    ]  # fmt: skip
    send(client, "task_remove", **here, task_key="write_three_questions")
    send(client, "playbook_set", **here, **said(**{"trigger-event": "stage", "trigger-stage": "needs"}))
    assert books()[-1]["trigger"] == {"event": "stage", "stage": "needs"}
    assert [t["key"] for t in books()[-1]["tasks"]] == ["send_the_agenda"]
    count = len(books())
    send(client, "playbook_move", **here, to="0")
    assert books()[0]["key"] == "site_round"
    send(client, "playbook_remove", **here)
    assert len(books()) == count - 1


@pytest.mark.rule("PB-2", "PD-3")
@pytest.mark.usefixtures("tang")
def test_what_is_wrong_with_a_playbook_is_said_at_its_field_and_keeps_what_was_typed(client):
    refused = send(client, "playbook_add", part="playbooks", **said(**{"trigger-event": "stage"}))
    page = refused.content.decode()
    assert refused.status_code == 422
    assert 'href="#f-trigger-stage"' in page and "Choose the stage." in page
    assert 'value="Meet prepared"' in page
    refused = send(client, "playbook_add", part="playbooks", **said(**{"name-en": ""}))
    assert refused.status_code == 422 and 'href="#f-name-en"' in refused.content.decode()
    assert ProcessDraft.objects.get().version == 1

    send(client, "playbook_add", part="playbooks", **said())
    refused = send(
        client, "task_add", part="playbooks", playbook_key="site_round", asks="1", **task(due="900")
    )
    page = refused.content.decode()
    assert refused.status_code == 422
    assert 'href="#f-due"' in page and "New task in “Site round”" in page and 'value="900"' in page
    assert books()[-1]["tasks"] == []


@pytest.mark.rule("PD-3")
@pytest.mark.usefixtures("tang")
def test_a_fault_inside_a_task_leads_to_the_form_of_the_task(client):
    send(client, "playbook_add", part="playbooks", **said())
    send(client, "task_add", part="playbooks", playbook_key="site_round", asks="1", **task())
    row = ProcessDraft.objects.get()
    row.document["playbooks"][-1]["tasks"][0]["role"] = "KING"
    ProcessDraft.objects.update(document=row.document)

    page = client.get(DRAFT).content.decode()
    assert f'href="{DRAFT}?part=playbooks&amp;item=site_round&amp;in=0#form"' in page
    assert 'value="write_three_questions"' in client.get(f"{PLAY}&item=site_round&in=0").content.decode()


@pytest.mark.parametrize(
    ("op", "given", "field"),
    [
        ("playbook_set", {"playbook_key": "nothing", "playbook": {}}, "playbook_key"),
        ("playbook_add", {"playbook": {"key": "first_visit"}}, "key"),
        ("playbook_add", {}, "playbook"),
        ("task_add", {"playbook_key": "nothing", "task": {}}, "playbook_key"),
        ("task_set", {"playbook_key": "first_visit", "task_key": "nothing", "task": {}}, "task_key"),
        ("task_move", {"playbook_key": "first_visit", "task_key": "agenda", "to": "x"}, "to"),
    ],
)
def test_an_edit_of_a_playbook_that_has_no_place_is_refused(op, given, field):
    with pytest.raises(Invalid) as refused:
        edit(shipped("key_account_opportunity"), op, given)
    assert [e["field"] for e in refused.value.details["errors"]] == [field]


@pytest.mark.rule("PD-1", "PB-2")
def test_the_difference_of_two_versions_tells_of_playbooks_in_words():
    old = shipped("key_account_opportunity")
    book = next(b for b in old["playbooks"] if b["key"] == "first_visit")
    steps = (
        ("playbook_set", {"playbook_key": "first_visit", "playbook": {**book, "trigger": {"event": "hold"}}}),
        ("task_set", {"playbook_key": "first_visit", "task_key": "agenda", "task": {**book["tasks"][1], "due": 3}}),
        ("task_remove", {"playbook_key": "first_visit", "task_key": "minutes"}),
        ("task_set", {"playbook_key": "first_visit", "task_key": "prepare", "task": {**book["tasks"][0], "role": "SR"}}),
        ("playbook_add", {"playbook": {"name": {"zh": "新打法", "en": "New way"}, "purpose": book["purpose"],
                                       "tasks": book["tasks"][:1]}}),
        ("playbook_remove", {"playbook_key": "reach_decider"}),
        ("playbook_move", {"playbook_key": "first_visit", "to": 2}),
    )  # fmt: skip
    new = old
    for op, given in steps:
        new, _path = edit(new, op, given)
    with translation.override("en"):
        found = {(c.sign, c.text) for c in differences(examine(old).definition, examine(new).definition)}

    name = "Playbook “First visit”"
    assert {
        ("changed", f"{name}: Starts when the deal is put on hold."),
        ("changed", f"{name}: “Send the agenda, agree who comes” is due after 2 → 3 working days"),
        ("removed", f"{name}: “Send minutes the same day and have them corrected”"),
        (
            "changed",
            f"{name}: “Read what is public on the customer, write three questions” goes to Solution manager (SR)",
        ),
        ("added", "Playbook “New way”"),
        ("removed", "Playbook “Reach the decision maker”"),
    } <= found
    assert any(text.startswith("The order of playbooks") for _sign, text in found)


@pytest.mark.rule("PB-2", "MV-11")
def test_the_api_builds_a_playbook_and_publishes_it(client, tang):  # noqa: F811
    def put(version, **body):
        return client.post(
            f"/api/v1/processes/{KEY}/draft/edits", body, content_type="application/json",
            HTTP_IF_MATCH=f'"{version}"',
        )  # fmt: skip

    words = {"zh": "打法", "en": "A way"}
    answer = put(1, op="playbook_add", playbook={"name": words, "purpose": words, "tasks": []})
    assert answer.status_code == 200, answer.content
    (error,) = (f for f in answer.json()["findings"] if f["level"] == "error")
    assert (error["part"], error["item"]) == ("playbooks", "a_way")
    wrong = put(2, op="task_add", playbook_key="a_way", task={"title": words, "due": -1})
    assert wrong.status_code == 422 and ProcessDraft.objects.get().version == 2
    right = put(2, op="task_add", playbook_key="a_way", task={"title": words, "due": 1, "role": "AR"})
    assert [f for f in right.json()["findings"] if f["level"] == "error"] == []
    published = services.publish_draft(KEY, version=3, by=tang, at=NOON, channel="api")
    assert [b["key"] for b in published.document["playbooks"]][-1] == "a_way"
