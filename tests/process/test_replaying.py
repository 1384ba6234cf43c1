"""A candidate document tried on moves that were made: the same gates, the facts of then, nothing written."""

import copy
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.factories.crm import PROCESS, STAGES, Company, company, document
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.fields import catalogue
from fairlead.fields.services import add_field
from fairlead.journal.enums import Channel
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.engine import decide
from fairlead.process.enums import CriterionState, Kind, Tried
from fairlead.process.models import Evaluation, Journey
from fairlead.process.recording import results_as_json
from fairlead.process.replaying import Trial
from fairlead.process.selectors import passages
from fairlead.process.selectors.gathering import situations
from fairlead.process.selectors.passages import TriedJourney, try_on_history
from fairlead.process.services.publishing import validate
from fairlead.process.verdicts import Wish

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = STAGES[:3]


@pytest.fixture
def where() -> Company:
    return company(language="en")


def draft(**more: Any) -> dict[str, Any]:
    """The published document as the next version; `more`: stage → criteria that its exit asks for as well."""
    found = copy.deepcopy(document())
    found["version"] = 2
    for stage in found["stages"]:
        stage["exit"] = [*stage.get("exit", ()), *more.pop(stage["key"], ())]
    assert not more
    return found


def item(key: str, type: str = "field", **values: Any) -> dict[str, Any]:
    if type == "field":
        values = {"condition": {"field": "competitor", "op": "present"}, **values}
    return {"key": key, "name": {"zh": key, "en": key}, "type": type, "level": "block", **values}


def in_line(found: dict[str, Any]) -> dict[str, Any]:
    """The same with the plain ways from stage to stage, so that stages can be put in, taken out and turned."""
    for stage in found["stages"]:
        stage.pop("transitions", None)
    found.pop("playbooks", None)  # they name stages
    return {**found, "linear": True}


def typed(found: dict[str, Any]) -> Definition:
    return validate(found)[0]


def tried(candidate: Definition) -> dict[int, TriedJourney]:
    ids = list(Journey.objects.order_by("pk").values_list("pk", flat=True))
    return {one.journey.pk: one for one in try_on_history(candidate, ids, at=timezone.now())}


def states(trial: Trial) -> dict[str, str]:
    return {r.key: str(r.state) for r in trial.results}


def travelled(where: Company, to: str = THIRD, **values: Any) -> Any:
    """A deal that has really passed its gates up to `to`."""
    deal = where.deal(**values)
    for stage in STAGES[1 : STAGES.index(to) + 1]:
        where.move(where.fulfil(deal), to=stage)
    deal.refresh_from_db()
    return deal


@pytest.mark.rule("GT-3", "GT-4")
def test_the_same_document_says_of_each_move_what_was_said_then(where: Company) -> None:
    deal = travelled(where, STAGES[3])
    where.edit(deal, customer_problem="", competitor="西门子")
    one = tried(definition_of(where.version))[deal.journey_id]
    then = list(Evaluation.objects.filter(allowed=True).order_by("pk"))
    assert len(one.past) == len(then) == 3
    for trial, attempt in zip(one.past, then, strict=True):
        assert trial.answer == Tried.PASSES
        by_key = {r["key"]: r for r in attempt.results}
        assert {r["key"]: r for r in results_as_json([*trial.earlier, *trial.results])} == by_key


@pytest.mark.rule("GT-4", "EV-4")
def test_a_stored_attempt_and_the_journal_give_the_same_verdicts(
    where: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = [travelled(where, to, amount=amount) for to, amount in ((SECOND, 10), (STAGES[3], 900_000))]
    for deal in deals:
        where.edit(deal, customer_problem="", amount=7, bant_need="unknown", competitor="西门子")
        where.move(deal, "close_lost", reason="price", form={"competitor": "ABB"})
    rich = {"field": "amount", "op": "gte", "value": 1000}
    candidate = typed(
        draft(
            customer_contact=[item("rich", condition=rich)],
            needs_analysis=[item("named"), item("paper", "document", kind="requirement_confirmation")],
        )
    )
    stored = tried(candidate)
    assert all(t.passage.from_attempt for one in stored.values() for t in one.past)
    monkeypatch.setattr(passages, "_attempts", lambda points: {})
    rebuilt = tried(candidate)
    assert not any(t.passage.from_attempt for one in rebuilt.values() for t in one.past)
    told = [[(t.answer, t.stage, [*t.earlier, *t.results]) for t in one.past] for one in stored.values()]
    assert [
        [(t.answer, t.stage, [*t.earlier, *t.results]) for t in one.past] for one in rebuilt.values()
    ] == told
    assert [[answer for answer, _s, _r in found] for found in told] == [
        [Tried.STOPPED, Tried.ENDED],
        [Tried.PASSES, Tried.STOPPED, Tried.STOPPED, Tried.ENDED],
    ]


@pytest.mark.rule("EV-4")
def test_a_past_moment_does_not_know_what_its_own_move_changed(where: Company) -> None:
    deal = travelled(where, SECOND)
    [trial] = tried(definition_of(where.version))[deal.journey_id].past
    assert trial.passage.facts.journey.stage_key == FIRST
    assert trial.passage.facts.journey.passed == frozenset()
    assert trial.passage.facts.at == Evaluation.objects.get().at


@pytest.mark.rule("GT-3")
def test_a_new_criterion_stops_those_that_did_not_meet_it_then(where: Company) -> None:
    late, early, never = (travelled(where, SECOND) for _each in range(3))
    where.edit(late, competitor="西门子")  # too late for the move, in time for the next one
    with_name = travelled(where, SECOND, competitor="ABB")
    found = tried(typed(draft(customer_contact=[item("named")])))
    assert {pk: one.past[0].answer for pk, one in found.items()} == {
        late.journey_id: Tried.STOPPED,
        early.journey_id: Tried.STOPPED,
        never.journey_id: Tried.STOPPED,
        with_name.journey_id: Tried.PASSES,
    }
    assert [r.key for r in found[late.journey_id].past[0].stops] == ["named"]
    assert found[late.journey_id].place == FIRST
    assert found[with_name.journey_id].place == SECOND
    # What blocks at the stage before is asked at the next move too (GT-3).
    assert {r.key: r.state for r in found[late.journey_id].next.earlier}["named"] == CriterionState.MET
    assert "named" in [r.key for r in found[never.journey_id].next.stops]


def test_the_next_move_is_judged_as_the_engine_judges_it(where: Company) -> None:
    deal = where.fulfil(where.deal(stage=SECOND), but=("ati",))
    [one] = tried(definition_of(where.version)).values()
    situation = situations([where.journey(deal)], at=timezone.now())[deal.journey_id]
    verdict = decide(situation.definition, situation.facts, Wish(kind=Kind.ADVANCE, to=THIRD))
    assert [r.key for r in one.next.stops] == [g.key for g in verdict.gaps] == ["ati"]
    assert one.imported == 1  # the step that came in as history
    assert one.past == []


@pytest.mark.rule("GT-4")
def test_what_nobody_could_give_then_is_unknown_and_stops_nothing(where: Company) -> None:
    travelled(where, SECOND)
    how = {"by": where.admin, "at": timezone.now(), "channel": Channel.UI}
    add_field(subject_type="opportunity", key="lately", type="text", label={"zh": "新", "en": "New"}, **how)
    asked = [
        item("lately_said", condition={"field": "lately", "op": "present"}),
        item("second_pair", "attestation", role="MGR"),
        item("new_paper", "document", kind="site_survey"),
        item("new_tasks", "child", tasks="site_tasks"),
        item("known_paper", "document", kind="requirement_confirmation"),
    ]
    [one] = tried(typed(draft(customer_contact=asked))).values()
    found = states(one.past[0])
    assert {
        key: found[key] for key in ("lately_said", "second_pair", "new_paper", "new_tasks")
    } == dict.fromkeys(("lately_said", "second_pair", "new_paper", "new_tasks"), "unknown")
    assert found["known_paper"] == "unmet"  # the process asked for it, one stage later
    assert one.past[0].answer == Tried.STOPPED
    [one] = tried(typed(draft(customer_contact=asked[:4]))).values()
    assert one.past[0].answer == Tried.UNKNOWN


@pytest.mark.rule("VR-7")
def test_stages_are_found_by_key_else_by_axis_and_else_not_at_all(where: Company) -> None:
    travelled(where, THIRD)
    renamed = in_line(draft())
    second = next(s for s in renamed["stages"] if s["key"] == SECOND)
    second["key"], second["axis"] = "analysis", second.get("axis", SECOND)
    [one] = tried(typed(renamed)).values()
    assert [(t.answer, t.stage) for t in one.past] == [(Tried.PASSES, FIRST), (Tried.PASSES, "analysis")]
    lost = copy.deepcopy(renamed)
    next(s for s in lost["stages"] if s["key"] == "analysis")["axis"] = "elsewhere"
    [one] = tried(typed(lost)).values()
    assert [t.answer for t in one.past] == [Tried.NO_PLACE, Tried.NO_PLACE]


@pytest.mark.rule("VR-7")
def test_a_stage_put_between_is_asked_by_the_move_that_crosses_it(where: Company) -> None:
    travelled(where, SECOND)
    more = in_line(draft())
    between = {"key": "site_visit", "name": {"zh": "勘察", "en": "Site visit"}}
    between["exit"] = [item("named"), item("week", "elapsed", min_days=5)]
    more["stages"].insert([s["key"] for s in more["stages"]].index(SECOND), between)
    [one] = tried(typed(more)).values()
    assert one.past[0].answer == Tried.STOPPED
    found = states(one.past[0])
    assert (found["named"], found["week"]) == ("unmet", "unknown")


def test_stages_that_became_one_have_no_gate_and_a_turned_order_is_said(where: Company) -> None:
    travelled(where, SECOND)
    first, second, *others = in_line(draft())["stages"]
    merged = {**in_line(draft()), "stages": [{**second, "axis": FIRST, "start": True}, *others]}
    [one] = tried(typed(merged)).values()
    assert (one.past[0].answer, one.past[0].results) == (Tried.INSIDE, ())
    turned = {**in_line(draft()), "stages": [{**second, "start": True}, first, *others]}
    [one] = tried(typed(turned)).values()
    assert one.past[0].answer == Tried.OTHER_ORDER


@pytest.mark.rule("GT-4")
def test_nothing_is_written(where: Company) -> None:
    travelled(where, THIRD)
    where.deal(stage=SECOND)
    before = db_fingerprint()
    assert len(tried(typed(draft(customer_contact=[item("named")])))) == 2
    assert changed(before, db_fingerprint()) == {}


@pytest.fixture
def many(where: Company) -> Iterator[Company]:
    for number in range(6):
        travelled(where, THIRD if number % 2 else SECOND, at=where.at - timedelta(days=number))
    yield where


@pytest.mark.rule("T21")
def test_the_number_of_questions_does_not_grow_with_the_journeys(
    many: Company, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a slow machine the catalogue would ask in between whether it is still the newest.
    monkeypatch.setattr(catalogue, "RECHECK_SECONDS", 3600.0)
    candidate = typed(draft(customer_contact=[item("named")]))
    assert candidate.key == PROCESS
    tried(candidate)
    # Now and then each: open vetoes, accepted hand-overs, what was approved and on which conditions.
    with django_assert_max_num_queries(40):
        assert len(tried(candidate)) == 6
