"""Role tracks on the designer's page and by the API: what each role works on at the exit of a stage, and by when."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.utils import translation
from tests.factories.crm import PROCESS, Company, company

from fairlead.process import services
from fairlead.process.differences import differences
from fairlead.process.examining import examine
from fairlead.process.models import ProcessDraft

pytestmark = pytest.mark.django_db
DRAFT = f"/processes/{PROCESS}/draft/"
AT = {"stage": "needs_analysis", "part": "tracks"}


@pytest.fixture
def where(client: Any) -> Company:
    made = company(language="en")
    client.force_login(made.people["tang"])
    services.begin_draft(PROCESS, **made.how(made.people["tang"]))
    return made


def stage() -> dict[str, Any]:
    return next(s for s in ProcessDraft.objects.get().document["stages"] if s["key"] == AT["stage"])


def items(level: str) -> list[str]:
    return [c["key"] for c in stage()["exit"] if c.get("level", "block") == level]


def send(client: Any, op: str, **values: Any) -> Any:
    return client.post(
        f"{DRAFT}edit", {"op": op, "version": ProcessDraft.objects.get().version, **AT, **values}
    )


def said(**more: Any) -> dict[str, Any]:
    return {"name-zh": "方案", "name-en": "Solution", "role": "SR", "level": "block", "criteria": items("block")[:1],
            "limit-yellow": "3", "limit-red": "5"} | more  # fmt: skip


@pytest.mark.rule("IT-2", "PD-3")
def test_tracks_are_added_changed_ordered_and_taken_out_by_forms(client, where):
    old = examine(ProcessDraft.objects.get().document).definition
    assert send(client, "track_add", **said()).status_code == 302
    second = said(**{"name-en": "Customer", "role": "AR", "level": "flag", "criteria": items("flag")[:1]})
    assert send(client, "track_add", **second).status_code == 302
    assert [t["key"] for t in stage()["tracks"]] == ["solution", "customer"]
    found = examine(ProcessDraft.objects.get().document)
    assert not found.errors
    read = found.definition.stage(AT["stage"]).tracks
    assert [(t.role, str(t.level), t.limit_yellow, t.limit_red) for t in read] == [
        ("SR", "block", 3, 5),
        ("AR", "flag", 3, 5),
    ]
    page = html.unescape(client.get(f"{DRAFT}?stage=needs_analysis&part=tracks").content.decode())
    assert "within 3/5 working days" in page and "may lag behind" in page
    with translation.override("en"):
        changes = {(c.sign, c.text.partition("”")[0]) for c in differences(old, found.definition)}
    assert ("added", "Needs analysis: track “Solution") in changes
    assert differences(found.definition, found.definition) == []

    opened = client.get(f"{DRAFT}?stage=needs_analysis&part=tracks&item=customer").content.decode()
    assert 'value="Customer"' in opened and "Save the track" in opened
    assert (
        send(
            client, "track_set", track_key="solution", **said(**{"limit-yellow": "", "limit-red": ""})
        ).status_code
        == 302
    )
    assert send(client, "track_move", track_key="customer", by="-1").status_code == 302
    assert [t["key"] for t in stage()["tracks"]] == ["customer", "solution"]
    assert "limit" not in stage()["tracks"][1]
    assert send(client, "track_remove", track_key="customer").status_code == 302
    assert [t["key"] for t in stage()["tracks"]] == ["solution"]


@pytest.mark.rule("IT-2")
def test_a_track_that_blocks_nothing_comes_back_with_what_was_typed(client, where):
    answer = send(client, "track_add", **said(criteria=items("flag")[:1]))
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "A track that blocks needs an item that is required." in page and 'value="Solution"' in page
    assert "tracks" not in stage()


@pytest.mark.rule("IT-2", "PD-3")
def test_an_item_taken_from_the_gate_is_missed_by_its_track_with_a_link_to_it(client, where):
    send(client, "track_add", **said(criteria=items("block")[:2]))
    gone = stage()["tracks"][0]["criteria"][0]
    services.edit_draft(
        PROCESS, "criterion_remove", {"criterion_key": gone}, version=None, **where.how(where.people["tang"])
    )
    wrong = [f for f in examine(ProcessDraft.objects.get().document).errors if ".tracks." in f.path]
    assert [f.place.query for f in wrong] == ["stage=needs_analysis&part=tracks&item=solution"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"op": "track_add", "stage": "nowhere", "track": {}}, "stage"),
        ({"op": "track_add", "stage": "needs_analysis"}, "track"),
        ({"op": "track_add", "stage": "needs_analysis",
          "track": {"name": {"zh": "一", "en": "One"}, "role": "KING", "criteria": [], "level": "flag"}}, "role"),
        ({"op": "track_set", "stage": "needs_analysis", "track_key": "none", "track": {}}, "track_key"),
        ({"op": "track_remove", "stage": "needs_analysis", "track_key": "none"}, "track_key"),
    ],
)  # fmt: skip
def test_the_api_refuses_what_has_no_place_and_changes_nothing(client, where, body, field):
    answer = client.post(
        f"/api/v1/processes/{PROCESS}/draft/edits", json.dumps(body), content_type="application/json",
        headers={"if-match": '"1"'},
    )  # fmt: skip
    assert answer.status_code == 422, answer.json()
    assert answer.json()["errors"][0]["field"] == field
    assert ProcessDraft.objects.get().version == 1
