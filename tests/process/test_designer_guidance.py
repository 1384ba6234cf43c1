"""Notes of the handbook and questions of the bank, on the designer's page and by the API; differences in words."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
from django.utils import translation
from tests.factories.crm import PROCESS, Company, company
from tests.process.test_designer import conditions

from fairlead.process import services
from fairlead.process.differences import differences
from fairlead.process.enums import NoteKind, QuestionType
from fairlead.process.examining import examine, place_of
from fairlead.process.models import ProcessDraft

pytestmark = pytest.mark.django_db
DRAFT = f"/processes/{PROCESS}/draft/"
STAGE = "needs_analysis"


@pytest.fixture
def where(client: Any) -> Company:
    made = company(language="en")
    client.force_login(made.people["tang"])
    services.begin_draft(PROCESS, **made.how(made.people["tang"]))
    return made


def stage() -> dict[str, Any]:
    return next(s for s in ProcessDraft.objects.get().document["stages"] if s["key"] == STAGE)


def notes() -> list[dict[str, Any]]:
    return stage().get("handbook", {}).get("notes", [])


def send(client: Any, op: str, part: str, **values: Any) -> Any:
    version = ProcessDraft.objects.get().version
    return client.post(f"{DRAFT}edit", {"op": op, "version": version, "stage": STAGE, "part": part, **values})


NOTE = {"kind": "objection", "title-zh": "太贵", "title-en": "Too dear", "text-zh": "和什么比？", "text-en": "Compared to what?",
        "url": "/handbook/price", **conditions("applies_if")}  # fmt: skip
QUESTION = {
    "text-zh": "谁会签字？",
    "text-en": "Who will sign?",
    "type": "situation",
    **conditions("applies_if"),
}


@pytest.mark.rule("PB-1", "PD-3")
def test_notes_are_added_changed_ordered_and_taken_out_by_forms(client: Any, where: Company) -> None:
    old, before = examine(ProcessDraft.objects.get().document).definition, len(notes())
    assert send(client, "note_add", "notes", **NOTE).status_code == 302
    assert notes()[-1] == {
        "kind": "objection", "title": {"zh": "太贵", "en": "Too dear"},
        "text": {"zh": "和什么比？", "en": "Compared to what?"}, "url": "/handbook/price",
    }  # fmt: skip
    found = examine(ProcessDraft.objects.get().document)
    assert not found.errors
    read = found.definition.stage(STAGE).handbook.notes
    assert (len(read), read[-1].kind, read[-1].url) == (before + 1, NoteKind.OBJECTION, "/handbook/price")
    shown = html.unescape(client.get(f"{DRAFT}?stage={STAGE}&part=notes&item={before}").content.decode())
    assert "Too dear" in shown and 'value="note_set"' in shown

    changed = NOTE | {"title-en": "Too expensive", "title-zh": "太贵了", "url": ""}
    assert send(client, "note_set", "notes", number=before, **changed).status_code == 302
    assert notes()[-1]["title"]["en"] == "Too expensive" and "url" not in notes()[-1]
    assert send(client, "note_move", "notes", number=before, by=-before).status_code == 302
    assert notes()[0]["title"]["en"] == "Too expensive"
    with translation.override("en"):
        said = {
            str(c.text) for c in differences(old, examine(ProcessDraft.objects.get().document).definition)
        }
    assert any("note “Too expensive” (Objections)" in one for one in said)
    assert send(client, "note_remove", "notes", number=0).status_code == 302
    assert differences(old, examine(ProcessDraft.objects.get().document).definition) == []


@pytest.mark.rule("PB-1", "PD-3")
def test_questions_keep_their_key_so_that_answers_stay(client: Any, where: Company) -> None:
    old, before = examine(ProcessDraft.objects.get().document).definition, stage()["questions"][0]
    assert send(client, "question_add", "questions", **QUESTION).status_code == 302
    added = stage()["questions"][-1]
    assert (added["key"], added["type"], added["text"]["en"]) == (
        "who_will_sign",
        "situation",
        "Who will sign?",
    )
    assert send(client, "question_add", "questions", **QUESTION).status_code == 302
    assert stage()["questions"][-1]["key"] == "who_will_sign_2"
    words = QUESTION | {"text-zh": "换一种问法？", "text-en": "Asked otherwise?", "type": "problem"}
    assert send(client, "question_set", "questions", number=0, **words).status_code == 302
    assert stage()["questions"][0]["key"] == before["key"]
    new = examine(ProcessDraft.objects.get().document)
    assert not new.errors
    assert new.definition.stage(STAGE).questions[0].type == QuestionType.PROBLEM
    with translation.override("en"):
        said = [(str(c.sign), str(c.text)) for c in differences(old, new.definition)]
    assert ("changed", f"{old.stage(STAGE).name['en']}: question “Asked otherwise?”") in said
    assert sum(sign == "added" for sign, _text in said) == 2


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize(
    ("op", "part", "wrong", "said"),
    [
        ("note_add", "notes", NOTE | {"url": "javascript:alert(1)"}, "https://"),
        ("note_add", "notes", NOTE | {"title-zh": "", "title-en": ""}, "title"),
        ("note_add", "notes", NOTE | {"kind": "song"}, ""),
        ("note_set", "notes", NOTE | {"number": "999"}, ""),
        ("question_add", "questions", QUESTION | {"text-zh": "", "text-en": ""}, "text"),
        ("question_set", "questions", QUESTION | {"number": "999"}, ""),
    ],
)
def test_what_is_wrong_is_refused_at_its_form_and_nothing_changes(
    client: Any, where: Company, op: str, part: str, wrong: dict[str, str], said: str
) -> None:
    before = ProcessDraft.objects.get()
    answer = send(client, op, part, **wrong)
    assert answer.status_code == 422 and said in html.unescape(answer.content.decode())
    after = ProcessDraft.objects.get()
    assert (after.document, after.version) == (before.document, before.version)


def test_a_finding_leads_to_the_very_note_or_question() -> None:
    assert place_of(f"stages.{STAGE}.handbook.notes.3.url").query == f"stage={STAGE}&part=notes&item=3"
    assert place_of(f"stages.{STAGE}.questions.2.type").query == f"stage={STAGE}&part=questions&item=2"
    assert place_of(f"stages.{STAGE}.handbook.why").query == f"stage={STAGE}&part=guidance"


@pytest.mark.rule("PD-3")
def test_the_same_by_the_api(client: Any, where: Company) -> None:
    url = f"/api/v1/processes/{PROCESS}/draft/edits"

    def call(**body: Any) -> Any:
        version = ProcessDraft.objects.get().version
        return client.post(url, json.dumps(body), "application/json", headers={"If-Match": f'"{version}"'})

    count = len(notes())
    note = {"kind": "case", "title": {"zh": "案例", "en": "A case"}}
    assert call(op="note_add", stage=STAGE, note=note).status_code == 200
    assert notes()[count] == note
    assert call(op="note_move", stage=STAGE, number=count, to=0).status_code == 200
    assert notes()[0] == note
    refused = call(op="note_set", stage=STAGE, number=0, note={"kind": "case"})
    assert refused.status_code == 422 and notes()[0] == note
    assert call(op="question_remove", stage=STAGE, number=0).status_code == 200
    assert call(op="question_remove", stage=STAGE, number=99).status_code == 422


def handed() -> list[dict[str, Any]]:
    return ProcessDraft.objects.get().document.get("handovers", [])


PACKAGE = {"name-zh": "报价交接", "name-en": "Quote", "from": "AR", "to": "FR", "days": "3", "stages": [STAGE],
           "required-zh": "范围\n工期", "required-en": "Scope\nTime", "optional-zh": "风险", "optional-en": "Risks"}  # fmt: skip


@pytest.mark.rule("IT-5", "PD-3")
def test_hand_overs_are_written_by_forms_and_their_items_keep_their_keys(client: Any, where: Company) -> None:
    old = examine(ProcessDraft.objects.get().document).definition
    before = len(handed())
    assert send(client, "package_add", "handovers", **PACKAGE).status_code == 302
    assert handed()[-1] == {
        "name": {"zh": "报价交接", "en": "Quote"}, "from": "AR", "to": "FR", "days": 3, "stages": [STAGE],
        "items": [
            {"key": "scope", "name": {"zh": "范围", "en": "Scope"}},
            {"key": "time", "name": {"zh": "工期", "en": "Time"}},
            {"key": "risks", "name": {"zh": "风险", "en": "Risks"}, "required": False},
        ],
    }  # fmt: skip
    found = examine(ProcessDraft.objects.get().document)
    assert not found.errors
    assert [item.key for item in found.definition.packages["ar_fr"].items] == ["scope", "time", "risks"]
    shown = html.unescape(client.get(f"{DRAFT}?part=handovers&item={before}").content.decode())
    assert "AR → FR" in shown and 'value="package_set"' in shown

    changed = PACKAGE | {
        "required-zh": "工期\n范围（含边界）",
        "required-en": "Time\nScope",
        "optional-zh": "",
        "optional-en": "",
    }
    assert send(client, "package_set", "handovers", number=before, **changed).status_code == 302
    assert [item["key"] for item in handed()[-1]["items"]] == ["time", "scope"]
    with translation.override("en"):
        said = [
            str(c.text) for c in differences(old, examine(ProcessDraft.objects.get().document).definition)
        ]
    assert any("AR → FR “Quote”" in one for one in said)
    for wrong in ({"to": "AR"}, {"required-zh": "", "required-en": ""}, {"required-en": "Time"}):
        assert send(client, "package_set", "handovers", number=before, **(changed | wrong)).status_code == 422
    assert [item["key"] for item in handed()[-1]["items"]] == ["time", "scope"]
    assert place_of(f"handovers.{before}.to").query == f"part=handovers&item={before}"
    assert send(client, "package_remove", "handovers", number=before).status_code == 302
    assert len(handed()) == before
    if not before:  # nothing written: what is usual holds again
        now = examine(ProcessDraft.objects.get().document).definition
        assert "handovers" not in ProcessDraft.objects.get().document and now.packages == old.packages


@pytest.mark.rule("PB-1", "PD-3")
def test_the_guidance_of_an_item_is_written_with_it_and_a_change_is_told(client: Any, where: Company) -> None:
    item = next(
        c for c in stage()["exit"] if c["type"] == "field" and not isinstance(c.get("condition"), list)
    )
    old = examine(ProcessDraft.objects.get().document).definition
    asked = {"side": "exit", "asks": "field", "criterion_key": item["key"], "name-zh": item["name"]["zh"],
             "name-en": item["name"]["en"], "level": item.get("level", "block"), "role": "", "valid_days": "",
             "waivable": "1", "help-zh": "问财务要", "help-en": "Ask finance for it",
             **conditions("condition", ("amount", "present", "")), **conditions("applies_if")}  # fmt: skip
    assert send(client, "criterion_set", "exit", **asked).status_code == 302
    now = examine(ProcessDraft.objects.get().document).definition
    assert next(c for c in now.stage(STAGE).exit if c.key == item["key"]).help == {
        "zh": "问财务要",
        "en": "Ask finance for it",
    }
    assert any(
        item["name"]["zh"] in str(c.text) or item["name"]["en"] in str(c.text) for c in differences(old, now)
    )
    shown = client.get(f"{DRAFT}?stage={STAGE}&part=exit&item={item['key']}").content.decode()
    assert "Ask finance for it" in shown


@pytest.mark.rule("PD-3")
def test_the_picture_marks_what_asks_for_an_approval_and_has_tracks(client: Any, where: Company) -> None:
    shown = client.get(DRAFT).content.decode()
    marks = {kind: shown.count(f'class="dg-mark is-{kind}"') for kind in ("approval", "tracks")}
    read = examine(ProcessDraft.objects.get().document).definition
    tracked = sum(bool(s.tracks) for s in read.stages)
    assert marks["tracks"] == (tracked + 1 if tracked else 0)  # and once in the legend
    track = {"name-zh": "方案", "name-en": "Solution", "role": "SR", "level": "block", "limit-yellow": "", "limit-red": "",
             "criteria": [c["key"] for c in stage()["exit"] if c.get("level", "block") == "block"][:1]}  # fmt: skip
    assert send(client, "track_add", "tracks", **track).status_code == 302
    again = client.get(DRAFT).content.decode()
    here = not read.stage(STAGE).tracks
    assert again.count('class="dg-mark is-tracks"') == marks["tracks"] + (here + (here and not tracked))
    assert "has tracks of roles" in again
