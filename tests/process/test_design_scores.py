"""Scorecards in a draft: elements, steps, what raises them and what a gate asks of them, on the page and by the API."""

from __future__ import annotations

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
SCORES = f"{DRAFT}?part=scores"
HERE = {"part": "scores", "score_key": "fit_score"}


def score():
    return ProcessDraft.objects.get().document["scores"]["fit_score"]


def said(**values):
    return {
        "name-zh": "匹配评分", "name-en": "Fit score", "top": "2", "fresh_days": "30",
        "words-zh": "未知\n提过\n核实", "words-en": "Unknown\nClaimed\nVerified", "points": "",
    } | values  # fmt: skip


@pytest.mark.rule("PD-8", "PD-3")
@pytest.mark.usefixtures("tang")
def test_a_score_is_built_by_forms_and_asked_for_with_the_least_of_its_elements(client):
    made = send(client, "score_add", part="scores", **said())
    assert made.status_code == 302, made.content.decode()[:3000]
    page = client.get(SCORES).content.decode()
    assert "A score needs elements" in page
    assert f'href="{DRAFT}?part=scores&amp;item=fit_score#form"' in page

    acts = "1 | 30 | 问预算 | Ask for the budget\n2 ｜ 90 ｜ 当面确认 ｜ Have it confirmed"
    for element, raises in (("amount", acts), ("discount", "")):
        answer = send(client, "element_add", **HERE, asks="1", element=element, acts=raises)
        assert (answer.status_code, answer["Location"]) == (302, f"{SCORES}&item=fit_score")
    held = score()
    assert held["elements"] == ["amount", "discount"]
    assert held["acts"] == {
        "amount": [
            {"to": 1, "minutes": 30, "text": {"zh": "问预算", "en": "Ask for the budget"}},
            {"to": 2, "minutes": 90, "text": {"zh": "当面确认", "en": "Have it confirmed"}},
        ]
    }
    assert (held["top"], held["fresh_days"], len(held["words"])) == (2, 30, 3)
    assert not examine(ProcessDraft.objects.get().document).errors

    asks = {"score": "fit_score", "min": "3", **conditions("applies_if"), **read(**{"name-en": "Fit known"})}
    send(client, "criterion_add", stage="needs", part="exit", side="exit", asks="score", **asks)
    form = client.get(f"{DRAFT}?stage=needs&part=exit&item=fit_known").content.decode()
    assert 'name="floor-amount"' in form and "At least, of Amount" in form
    send(
        client, "criterion_set", stage="needs", part="exit", asks="score", criterion_key="fit_known",
        **(asks | {"floor-amount": "1", "floor-discount": ""}),
    )  # fmt: skip
    item = next(s for s in ProcessDraft.objects.get().document["stages"] if s["key"] == "needs")["exit"][-1]
    assert (item["score"], item["min"], item["floor"]) == ("fit_score", 3, {"amount": 1})
    page = client.get(f"{SCORES}&item=fit_score").content.decode()
    assert "≥ 3." in page and "4 at most" in page and "Ask for the budget" in page
    too_high = send(
        client, "criterion_set", stage="needs", part="exit", asks="score", criterion_key="fit_known",
        **(asks | {"min": "9", "floor-amount": "", "floor-discount": ""}),
    )  # fmt: skip
    assert too_high.status_code == 422 and 'href="#f-min"' in too_high.content.decode()

    send(client, "element_move", **HERE, element="discount", by="-1")
    send(client, "element_set", **HERE, element="amount", acts="1 | 20 | 问 | Ask")
    send(client, "score_set", **HERE, **said(**{"name-en": "Better fit"}))
    assert (score()["elements"], score()["name"]["en"]) == (["discount", "amount"], "Better fit")
    assert score()["acts"]["amount"][0]["minutes"] == 20
    send(client, "element_remove", **HERE, element="amount")
    assert score()["elements"] == ["discount"] and not score().get("acts")
    send(client, "score_remove", **HERE)
    page = client.get(DRAFT).content.decode()
    assert "There is no score “fit_score”." in page
    assert f'href="{DRAFT}?stage=needs&amp;part=exit&amp;item=fit_known#form"' in page


@pytest.mark.rule("PD-8")
@pytest.mark.usefixtures("tang")
@pytest.mark.parametrize(
    ("op", "values", "field", "words"),
    [
        ("score_add", said(top="0"), "top", "A whole number from 1 to 100"),
        ("score_add", said(**{"words-en": "Unknown"}), "words-en", "3 lines in Chinese and 1 in English"),
        ("score_add", said(top="4"), "words-zh", "A word for each step from 0 to 4"),
        ("score_add", said(points="claimed 1"), "points", "Line 1: value | points is expected."),
        ("element_add", {"element": "", "acts": ""}, "element", "Choose a field."),
        ("element_add", {"element": "amount", "acts": "1 | 30 | 问"}, "acts", "Line 1: points | minutes"),
        ("element_add", {"element": "amount", "acts": "\n3 | 30 | 问 | Ask"}, "acts", "reaches 1 to 2 points"),
        ("element_set", {"element": "discount", "acts": "1 | 0 | 问 | Ask"}, "acts", "1 to 10,000 minutes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_keeps_what_was_typed(client, op, values, field, words):
    if op != "score_add":
        send(client, "score_add", part="scores", **said())
        send(client, "element_add", **HERE, asks="1", element="discount", acts="")
    before = ProcessDraft.objects.get().document
    where = {"part": "scores"} if op == "score_add" else HERE | ({"asks": "1"} if op == "element_add" else {})

    refused = send(client, op, **where, **values)

    page = refused.content.decode()
    assert refused.status_code == 422
    assert f'href="#f-{field}"' in page and words in page
    assert page.count('id="form"') == 1
    assert ProcessDraft.objects.get().document == before


@pytest.mark.parametrize(
    ("op", "given", "field"),
    [
        ("score_set", {"score_key": "none", "score": {}}, "score_key"),
        ("score_add", {"key": "bant", "score": {}}, "key"),
        ("element_add", {"score_key": "bant", "element": "bant_need"}, "element"),
        ("element_move", {"score_key": "bant", "element": "amount", "by": 1}, "element"),
    ],
)
def test_an_edit_of_a_score_that_has_no_place_is_refused(op, given, field):
    with pytest.raises(Invalid) as refused:
        edit(shipped("key_account_opportunity"), op, given)
    assert [e["field"] for e in refused.value.details["errors"]] == [field]


@pytest.mark.rule("PD-1", "PD-8")
def test_the_difference_of_two_versions_tells_of_scores_in_words():
    old = shipped("key_account_opportunity")
    meddpicc = old["scores"]["meddpicc"]
    steps = (
        ("element_remove", {"score_key": "meddpicc", "element": "meddpicc_competition"}),
        ("element_add", {"score_key": "meddpicc", "element": "amount"}),
        ("element_remove", {"score_key": "meddpicc", "element": "meddpicc_metrics"}),
        ("element_set", {"score_key": "meddpicc", "element": "meddpicc_pain", "acts": []}),
        ("score_add", {"score": {"name": {"zh": "新评分", "en": "New score"}, "elements": ["amount"]}}),
        ("score_set", {"score_key": "bant", "score": {**old["scores"]["bant"], "fresh_days": 10}}),
    )  # fmt: skip
    new = old
    for op, given in steps:
        new, _path = edit(new, op, given)
    assert meddpicc["elements"] == shipped("key_account_opportunity")["scores"]["meddpicc"]["elements"]
    with translation.override("en"):
        found = {(c.sign, c.text) for c in differences(examine(old).definition, examine(new).definition)}

    assert {
        ("changed", "Score “MEDDPICC score”: at most 16 → 14 points"),
        ("added", "Score “MEDDPICC score”: “Amount”"),
        ("added", "Score “New score”"),
        ("changed", "Score “BANT score”"),
    } <= found
    assert sum(1 for sign, text in found if sign == "removed" and "MEDDPICC score" in text) == 2
    assert any(sign == "changed" and "pain" in text.lower() for sign, text in found)


@pytest.mark.rule("PD-8", "MV-11")
@pytest.mark.usefixtures("tang")
def test_the_api_builds_a_score(client):
    def put(version, **body):
        return client.post(
            f"/api/v1/processes/{KEY}/draft/edits", body, content_type="application/json",
            HTTP_IF_MATCH=f'"{version}"',
        )  # fmt: skip

    name = {"zh": "匹配评分", "en": "Fit score"}
    made = put(1, op="score_add", score={"name": name, "elements": []})
    assert made.status_code == 200, made.content
    (error,) = (f for f in made.json()["findings"] if f["level"] == "error")
    assert (error["part"], error["item"]) == ("scores", "fit_score")
    acts = [{"to": 9, "minutes": 5, "text": name}]
    wrong = put(2, op="element_add", score_key="fit_score", element="amount", acts=acts)
    assert wrong.status_code == 422, wrong.content
    acts[0]["to"] = 2
    right = put(2, op="element_add", score_key="fit_score", element="amount", acts=acts)
    assert [f for f in right.json()["findings"] if f["level"] == "error"] == []
    assert score()["acts"] == {"amount": acts}
