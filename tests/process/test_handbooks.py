"""The handbook of a stage: for the record at hand, in the words of its version, never a gate."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from tests.process.subjects import EXTERNALS, subject_catalogue
from tests.process.test_content import PROCESSES

from fairlead.process.definition import Definition, DefinitionError
from fairlead.process.enums import NoteKind, QuestionType, TriggerKind
from fairlead.process.handbooks import handbook_of, playbooks_for, whole_handbook
from fairlead.process.loading import load
from fairlead.process.structure import stale_examples

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
DEALS = ("key_account_opportunity", "ltc_opportunity", "plain_opportunity")


def read(document: dict[str, Any]) -> Definition:
    return load(document, subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"])


def titles(definition: Definition, stage: str, kind: NoteKind, **values: Any) -> list[str]:
    shown = dict(handbook_of(definition.stage(stage), values, now=NOW).notes)
    return [note.title["en"] for note in shown.get(kind, ())]


@pytest.fixture(scope="module")
def chain() -> Definition:
    return read(PROCESSES["key_account_opportunity"])


@pytest.mark.rule("PB-1")
@pytest.mark.parametrize("key", DEALS)
def test_every_stage_of_a_deal_says_why_what_good_is_what_to_say_and_what_counts(key: str) -> None:
    definition = read(PROCESSES[key])

    for stage in definition.stages:
        kinds = {note.kind for note in stage.handbook.notes}
        assert stage.handbook.why and stage.handbook.good, stage.key
        assert {NoteKind.TALK, NoteKind.TEMPLATE, NoteKind.OBJECTION, NoteKind.TRAINING} <= kinds, stage.key
        assert all(question.key and question.type for question in stage.questions), stage.key
    asked = {question.type for stage in definition.stages for question in stage.questions}
    assert asked == set(QuestionType)
    assert any(
        n.kind == NoteKind.EVIDENCE and n.criterion for s in definition.stages for n in s.handbook.notes
    )


@pytest.mark.rule("PB-4")
def test_guidance_fits_the_deal(chain: Definition) -> None:
    new = titles(chain, "customer_contact", NoteKind.TALK, deal_type="new")
    old = titles(chain, "customer_contact", NoteKind.TALK, deal_type="expansion")

    assert new == ["Winning the first meeting"]
    assert old == ["Coming back to a customer"]
    assert "Before the bid" in titles(chain, "quote_negotiation", NoteKind.TEMPLATE, is_tender=True)
    assert "Before the bid" not in titles(chain, "quote_negotiation", NoteKind.TEMPLATE, is_tender=False)


@pytest.mark.rule("PB-4")
def test_what_does_not_fit_is_counted_and_what_cannot_be_decided_is_shown(chain: Definition) -> None:
    stage = chain.stage("quote_negotiation")
    small = handbook_of(stage, {"is_tender": False, "amount": 10, "account_tier": "A"}, now=NOW)
    unknown = handbook_of(stage, {}, now=NOW)

    assert small.left_out == 2
    assert unknown.left_out == 0
    assert sum(len(notes) for _kind, notes in whole_handbook(stage).notes) == len(stage.handbook.notes)


@pytest.mark.rule("PB-2")
def test_playbooks_are_offered_where_they_belong(chain: Definition) -> None:
    at_contact = {b.key for b in playbooks_for(chain, "customer_contact", {"is_tender": False}, now=NOW)}
    bid = {b.key for b in playbooks_for(chain, "quote_negotiation", {"is_tender": True}, now=NOW)}

    assert "first_visit" in at_contact and "bid" not in at_contact
    assert "bid" in bid and "first_visit" not in bid
    assert {b.trigger.event for b in chain.playbooks.values() if b.trigger} == set(TriggerKind)


@pytest.mark.rule("PB-1", "PD-3")
def test_an_example_for_a_criterion_that_is_gone_is_a_warning() -> None:
    document = copy.deepcopy(PROCESSES["plain_opportunity"])
    del document["stages"][0]["exit"][1]
    stale = stale_examples(read(document).stages)

    assert [(t.path, "problem_stated" in t.message) for t in stale] == [
        ("stages.contact.handbook.notes.5.criterion", True)
    ]
    assert stale_examples(read(PROCESSES["plain_opportunity"]).stages) == []


BROKEN = [
    ("playbooks: [{key: a, name: {zh: 甲, en: A}, purpose: {zh: 乙, en: B}, tasks: []}]", "playbooks.a.tasks"),
    ("playbooks: [{key: a, trigger: {event: moon}, tasks: [{key: b, title: {zh: 甲, en: A}}]}]", "playbooks.a.trigger.event"),
    ("playbooks: [{key: a, trigger: {event: stage, stage: nowhere}, tasks: []}]", "playbooks.a.trigger.stage"),
    ("playbooks: [{key: a, tasks: [{key: b, title: {zh: 甲, en: A}, due: 999}]}]", "playbooks.a.tasks.0.due"),
    ("playbooks: [{key: a, tasks: [{key: b, title: {zh: 甲, en: A}, role: KING}]}]", "playbooks.a.tasks.0.role"),
    ("playbooks: [{key: a, stages: [nowhere], tasks: []}]", "playbooks.a.stages"),
    ("playbooks: 7", "playbooks"),
    ("stage: {handbook: {notes: [{kind: song, title: {zh: 甲, en: A}}]}}", "stages.contact.handbook.notes.0.kind"),
    ("stage: {handbook: {notes: [{kind: case, title: {zh: 甲, en: A}, url: 'javascript:x'}]}}",
     "stages.contact.handbook.notes.0.url"),
    ("stage: {handbook: {notes: [{kind: case, title: {zh: 甲, en: A}, url: '//evil.example'}]}}",
     "stages.contact.handbook.notes.0.url"),
    ("stage: {handbook: {why: 3}}", "stages.contact.handbook.why"),
    ("stage: {questions: [{key: a, type: moan, text: {zh: 甲, en: A}}]}", "stages.contact.questions.0.type"),
    ("stage: {questions: [{key: a, text: {zh: 甲, en: A}}, {key: a, text: {zh: 乙, en: B}}]}", "stages.contact.questions.1.key"),
    ("scores: {s: {name: {zh: 甲, en: A}, elements: [deal_type], points: {new: 1}}}", "scores.s.elements"),
    ("scores: {s: {name: {zh: 甲, en: A}, elements: [amount], acts: {discount: []}}}", "scores.s.acts.discount"),
    ("scores: {s: {name: {zh: 甲, en: A}, elements: [amount], words: [{zh: 甲, en: A}]}}", "scores.s.words"),
]  # fmt: skip


@pytest.mark.rule("PB-1", "PB-2", "PD-3")
@pytest.mark.parametrize(("change", "path"), BROKEN, ids=[path for _change, path in BROKEN])
def test_what_is_wrong_is_named_with_its_place(change: str, path: str) -> None:
    document = dict(PROCESSES["plain_opportunity"])
    for key, value in yaml.safe_load(change).items():
        if key == "stage":
            document["stages"] = [document["stages"][0] | value, *document["stages"][1:]]
        else:
            document[key] = value

    with pytest.raises(DefinitionError) as refused:
        read(document)

    assert path in {problem.path for problem in refused.value.problems}
