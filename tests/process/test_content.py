"""The processes that ship: they load, they are calm, and every word stands in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.kit.documents import read_document
from tests.process.subjects import EXTERNALS, FIELDS, subject_catalogue

from fairlead.fields.catalogue import built_in
from fairlead.fields.conditions import fields_of
from fairlead.process import engine, subjects
from fairlead.process.definition import Criterion, Definition
from fairlead.process.enums import CriterionType, Kind, Level, Mode, Outcome
from fairlead.process.loading import load
from fairlead.process.structure import warnings

CONTENT = Path(engine.__file__).parent / "content"
DOCUMENTS: dict[str, dict[str, Any]] = {
    path.stem: read_document(path.read_text(encoding="utf-8")) for path in sorted(CONTENT.glob("*.yaml"))
}
CHAIN = DOCUMENTS["value_chain"]
PROCESSES = {key: document for key, document in DOCUMENTS.items() if key != "value_chain"}
ENFORCED_CHAIN = (
    "market_research",
    "account_development",
    "key_account_opportunity",
    "contract_fulfilment",
    "care_cycle",
)
BLOCKING = {
    "customer_contact": ["contact_two_way", "problem_stated", "bant"],
    "needs_analysis": ["req_confirmed", "eb_identified", "ati"],
    "solution_design": ["internal_review", "fr_deliverability", "evaluator_endorses"],
    "quote_negotiation": ["customer_response", "payment_milestones", "atc"],
    "signing": ["contract_equals_approved"],
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Words of the trade that stay in Latin letters inside Chinese text.
ABBREVIATIONS = {
    "AR",
    "SR",
    "FR",
    "ATI",
    "ATB",
    "ATC",
    "ATAC",
    "ATCC",
    "BANT",
    "MEDDPICC",
    "LTC",
    "M",
    "E",
    "D",
    "P",
    "I",
    "C",
}


def definition(key: str) -> Definition:
    document = PROCESSES[key]
    return load(document, subject_catalogue(document["subject"]), externals=EXTERNALS[document["subject"]])


def every_criterion(process: Definition) -> Iterator[Criterion]:
    for _stage, _side, criterion in process.criteria():
        yield criterion
        yield from criterion.children


def named(node: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every pair of words in a document, with its path."""
    if isinstance(node, dict):
        if "zh" in node or "en" in node:
            yield path, node
        for key, value in node.items():
            yield from named(value, f"{path}.{key}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from named(value, f"{path}.{i}")


def blocking(process: Definition, stage_key: str) -> list[str]:
    stage = process.stage(stage_key)
    return [c.key for c in (*stage.entry, *stage.exit) if c.level == Level.BLOCK and not c.slot]


@pytest.mark.rule("PD-1", "PD-3")
@pytest.mark.parametrize("key", PROCESSES)
def test_a_shipped_process_loads_under_the_name_of_its_file(key: str) -> None:
    process = definition(key)

    assert process.key == key
    assert process.version == 1
    assert [stage.order for stage in process.stages] == list(range(len(process.stages)))
    assert process.lists["lost"] and process.lists["regress"] and process.lists["hold"]


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize("subject", FIELDS)
def test_the_rooms_keep_what_the_documents_count_on(subject: str) -> None:
    registered = {spec.key for spec in built_in(subject)}

    assert set(FIELDS[subject]) - registered == set()
    assert set(EXTERNALS[subject]) <= set(subjects.room_of(subject).externals)


@pytest.mark.rule("PD-5")
@pytest.mark.parametrize("key", PROCESSES)
def test_no_shipped_process_earns_a_warning_or_blocks_more_than_three_times_a_stage(key: str) -> None:
    process = definition(key)

    assert warnings(process.stages) == []
    assert max(len(blocking(process, stage.key)) for stage in process.stages) <= 3


@pytest.mark.rule("PD-5")
def test_exactly_these_criteria_block_in_the_enforced_chain() -> None:
    process = definition("key_account_opportunity")

    assert {stage.key: blocking(process, stage.key) for stage in process.stages} == BLOCKING
    for key in set(ENFORCED_CHAIN) - {"key_account_opportunity"}:
        assert [c.key for c in every_criterion(definition(key)) if c.level == Level.BLOCK] == []


@pytest.mark.rule("PD-5")
def test_the_variants_block_no_more_than_the_chain_and_the_plain_process_is_soft() -> None:
    ltc, plain = definition("ltc_opportunity"), definition("plain_opportunity")
    known = {key for keys in BLOCKING.values() for key in keys}

    assert {key for stage in ltc.stages for key in blocking(ltc, stage.key)} == known
    assert plain.mode == Mode.SOFT
    assert len(plain.stages) == 5
    assert max(len(blocking(plain, stage.key)) for stage in plain.stages) <= 2


@pytest.mark.rule("GT-1", "GT-9")
def test_every_type_of_criterion_occurs_in_the_enforced_chain() -> None:
    found = [c for key in ENFORCED_CHAIN for c in every_criterion(definition(key))]

    assert {c.type for c in found} == set(CriterionType) - {CriterionType.APPROVAL}
    assert {c.mode for c in found if c.type == CriterionType.GROUP} == {"all", "k_of"}
    assert any(c.params.get("floor") for c in found if c.type == CriterionType.SCORE)
    assert {c.type for c in found if c.valid_days} == {CriterionType.DOCUMENT, CriterionType.ATTESTATION}
    conditional = {c.key: fields_of(c.applies_if) for c in found if c.applies_if is not None}
    assert conditional["atb"] == {"is_tender"}
    assert conditional["executive_access"] == {"account_tier"}
    assert conditional["finance_review"] == {"amount"}


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize("key", PROCESSES)
def test_keys_are_used_once_and_criteria_say_who_owes_them(key: str) -> None:
    process = definition(key)
    criteria = [c.key for c in every_criterion(process)]
    axes = [stage.axis_key for stage in process.stages]
    fields = [declared.key for declared in process.fields]

    assert len(criteria) == len(set(criteria))
    assert len(axes) == len(set(axes))
    assert len(fields) == len(set(fields))
    assert [c.key for c in every_criterion(process) if not c.role] == []
    for name, entries in process.lists.items():
        assert len({entry.key for entry in entries}) == len(entries), name


@pytest.mark.rule("PD-3")
def test_a_field_that_two_processes_declare_is_the_same_field() -> None:
    seen: dict[tuple[str, str], Any] = {}
    for document in PROCESSES.values():
        for declared in document.get("fields", []):
            assert seen.setdefault((document["subject"], declared["key"]), declared) == declared


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize("key", PROCESSES)
def test_every_declared_field_is_read_by_a_criterion_or_shown_beside_one(key: str) -> None:
    """A field nobody asks for is work without a use; the few that only inform are named here."""
    informing = {"budget_high", "credit_days", "warranty_until"}
    process = definition(key)
    read = {element for score in process.scores.values() for element in score.elements}
    for criterion in every_criterion(process):
        read |= {spec.key for spec in criterion.fields}
        read |= fields_of(criterion.applies_if) if criterion.applies_if is not None else set()

    assert {declared.key for declared in process.fields} - read - informing == LTC_UNREAD[key]


# The variant shares the fields of the chain, so that a deal can change its process without losing a value.
LTC_UNREAD = {key: set[str]() for key in PROCESSES} | {
    "ltc_opportunity": {"contact_plan", "our_position", "budget_low", "poc_needed"},
}


@pytest.mark.rule("PD-1")
@pytest.mark.parametrize("key", DOCUMENTS)
def test_every_word_stands_in_both_languages(key: str) -> None:
    for path, words in named(DOCUMENTS[key]):
        assert set(words) == {"zh", "en"}, path
        assert CHINESE.search(words["zh"]), path
        assert set(re.findall(r"[A-Za-z]+", words["zh"])) <= ABBREVIATIONS, path
        assert not CHINESE.search(words["en"]), path
        assert not re.search(r"您|成功|！|^请", words["zh"]), path
        assert "!" not in words["en"], path


@pytest.mark.rule("PD-1")
@pytest.mark.parametrize("key", PROCESSES)
def test_a_stage_says_what_it_is_for_and_its_buttons_are_short(key: str) -> None:
    process = definition(key)

    for stage in process.stages:
        assert stage.goal and stage.gate_name and stage.activities and stage.deliverables and stage.risks
        assert 2 <= len(stage.guidance) <= 4
        assert stage.limit_yellow is not None and stage.limit_red is not None
        assert stage.limit_yellow < stage.limit_red
        assert stage.roles["accountable"]
        if process.subject == "opportunity":
            assert 3 <= len(stage.questions) <= 7
        for transition in stage.transitions:
            if transition.label:
                assert len(transition.label["zh"]) <= 6, transition.label["zh"]


@pytest.mark.rule("PD-2", "MV-6")
@pytest.mark.parametrize("key", ["key_account_opportunity", "ltc_opportunity", "plain_opportunity"])
def test_every_lost_reason_of_a_deal_names_how_it_ended(key: str) -> None:
    outcomes = {reason.key: reason.outcome for reason in definition(key).lists["lost"]}

    assert outcomes == {
        "price": Outcome.LOST,
        "fit": Outcome.LOST,
        "relationship": Outcome.LOST,
        "lock_in": Outcome.LOST,
        "slow_response": Outcome.LOST,
        "terms": Outcome.LOST,
        "delivery": Outcome.LOST,
        "need_cancelled": Outcome.NO_DECISION,
        "budget_cancelled": Outcome.NO_DECISION,
        "walked_away": Outcome.WALKED_AWAY,
        "invalid": Outcome.INVALID,
        "duplicate": Outcome.DUPLICATE,
    }


@pytest.mark.rule("MV-2", "AC-6")
def test_a_framework_order_may_skip_from_contact_to_quotation_with_a_reason() -> None:
    process = definition("key_account_opportunity")
    skips = [(s.key, t.to, t.reasons) for s in process.stages for t in s.transitions if t.kind == Kind.SKIP]

    assert skips == [("customer_contact", "quote_negotiation", "skip")]
    assert process.reason("skip", "framework_order") is not None
    kept = [c.key for c in every_criterion(process) if not c.skippable]
    assert kept == ["problem_stated", "fr_deliverability"]


@pytest.mark.rule("PD-1")
def test_the_value_chain_names_each_stage_of_each_process_once() -> None:
    places = [
        (carrier["process"], key, stage["number"])
        for stage in CHAIN["stages"]
        for part in stage["parts"]
        for carrier in part["processes"]
        for key in carrier["stages"]
    ]
    listed = [(process, key) for process, key, _number in places]
    subjects = {
        carrier["process"]: part["subject"]
        for stage in CHAIN["stages"]
        for part in stage["parts"]
        for carrier in part["processes"]
    }

    assert [stage["number"] for stage in CHAIN["stages"]] == list(range(1, 9))
    assert len(listed) == len(set(listed))
    assert set(listed) == {(key, stage["key"]) for key, d in PROCESSES.items() for stage in d["stages"]}
    assert subjects == {key: document["subject"] for key, document in PROCESSES.items()}
    seven = CHAIN["stages"][6]["parts"]
    assert [part["subject"] for part in seven] == ["opportunity", "contract"]
    for process in PROCESSES:  # nobody walks the chain backwards
        numbers = [number for name, _key, number in places if name == process]
        assert numbers == sorted(numbers)


EXAMPLES = Path(__file__).parents[2] / "examples" / "processes"


@pytest.mark.rule("PD-3", "PD-5", "AP-1", "VR-5")
def test_the_second_version_decides_by_approvals_what_one_person_attested() -> None:
    document = read_document((EXAMPLES / "key_account_opportunity.yaml").read_text(encoding="utf-8"))
    second = load(document, subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"])
    first = definition("key_account_opportunity")

    assert second.key == first.key and second.version == first.version + 1
    assert warnings(second.stages) == []
    # Evidence is carried by the keys of criteria: the second version keeps all but the number it replaces.
    before, after = ({c.key for c in every_criterion(process)} for process in (first, second))
    assert before - after == {"discount_in_ladder"} and after - before == {"terms_approved"}
    asked = {c.key: c.params["approval"] for c in every_criterion(second) if c.type == CriterionType.APPROVAL}
    assert asked == {"ati": "ati", "atb": "atb", "atc": "atc", "terms_approved": "terms"}
    assert set(asked.values()) == {kind["key"] for kind in document["approvals"]["kinds"]}
    for path, words in named(document):
        assert words.get("zh") and words.get("en"), path
