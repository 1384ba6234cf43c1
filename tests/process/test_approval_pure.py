"""Approvals without a database: the matrix of a document, envelopes, votes, and whom a row means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml
from tests.factories.approvals import DISCOUNT, document
from tests.process.subjects import EXTERNALS, subject_catalogue

from fairlead.process.approval_chain import Chain, Line, advance, outcome, send_back, step_before, stop, vote
from fairlead.process.approval_enums import Because, Resolver
from fairlead.process.approval_policy import ApprovalPolicy, Approver, Committee, MatrixRow, asked_of
from fairlead.process.approver_resolution import (
    Ask,
    Deputy,
    Leader,
    NobodyDecides,
    Picture,
    Standing,
    closes_a_circle,
    replacement,
    steps_of,
)
from fairlead.process.definition import Definition, DefinitionError
from fairlead.process.envelopes import (
    Cover,
    bounds_as_json,
    bounds_from_json,
    coverage,
    envelope,
    left,
    of_lever,
)
from fairlead.process.facts import ApprovalFact
from fairlead.process.loading import load

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def loaded(given: dict[str, Any]) -> Definition:
    return load(given, subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"])


def problems(given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(DefinitionError) as refused:
        loaded(given)
    return {p.path: p.message for p in refused.value.problems}


def values(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "discount": Decimal("12"), "margin": Decimal("25"), "amount": Decimal("900000"), "currency": "CNY",
        "payment_days": 30, "prepay": Decimal("30"), "clauses": [], "payer": "启晨半导体",
    }  # fmt: skip
    return found | changes


# --- the document ---


@pytest.mark.rule("AP-1", "AP-2", "VR-10")
def test_a_document_with_a_matrix_is_read_and_written_back_whole():
    given = document()
    found = loaded(given)
    kind = found.approvals.kinds["discount"]
    assert [row.tier for row in kind.rows] == [1, 2, 3, 1, 1]
    assert kind.fields == {"discount", "margin", "amount", "payment_days", "prepay", "clauses", "payer"}
    assert kind.levers == ("price", "payment", "legal")
    again = yaml.safe_load(yaml.safe_dump(found.source, allow_unicode=True))
    assert loaded(again).approvals == found.approvals


@pytest.mark.rule("AP-1")
def test_every_row_fires_and_the_highest_tier_wins_for_each_lever():
    kind = loaded(document()).approvals.kinds["discount"]
    assert asked_of(kind, values(discount=Decimal("5")), at=AT).lanes == {}
    found = asked_of(kind, values(payment_days=75, clauses=["penalty"]), at=AT)
    assert {lever: row.key for lever, row in found.lanes.items()} == {
        "price": "price_2", "payment": "credit", "legal": "clauses",
    }  # fmt: skip
    assert [p.key for p in asked_of(kind, values(clauses=["uncapped"]), at=AT).prohibited] == ["uncapped"]
    unknown = values()
    del unknown["discount"]
    assert asked_of(kind, unknown, at=AT).is_unknown


def rows(**changes: Any) -> list[dict[str, Any]]:
    found = [dict(row) for row in DISCOUNT["rows"]]
    for key, change in changes.items():
        next(row for row in found if row["key"] == key).update(change)
    return found


@pytest.mark.rule("PD-3", "AC-12", "AP-1")
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"rows": []}, "rows"),
        ({"rows": rows(price_1={"approvers": []})}, "rows.price_1.approvers"),
        ({"rows": rows(price_1={"approvers": [{"deal": "XX"}]})}, "rows.price_1.approvers.0.deal"),
        ({"rows": rows(price_1={"approvers": [{"role": "KING"}]})}, "rows.price_1.approvers.0.role"),
        ({"rows": rows(price_1={"approvers": [{"line": 0}]})}, "rows.price_1.approvers.0.line"),
        ({"rows": rows(price_1={"approvers": [{"committee": "none"}]})}, "rows.price_1.approvers.0.committee"),
        ({"rows": rows(price_1={"approvers": [{"moon": 1}]})}, "rows.price_1.approvers.0"),
        ({"rows": rows(price_3={"k": 4})}, "rows.price_3.k"),
        ({"rows": rows(price_1={"k": 1})}, "rows.price_1.k"),
        ({"rows": rows(price_1={"mode": "loudest"})}, "rows.price_1.mode"),
        ({"rows": rows(price_1={"lever": "weather"})}, "rows.price_1.lever"),
        ({"rows": rows(price_1={"when": {"field": "nothing", "op": "present"}})}, "rows.price_1.when.field"),
        # two rows of one tier that may hold at once
        ({"rows": rows(price_2={"tier": 1, "when": {"field": "discount", "op": "gte", "value": 10}})}, "rows.price_2.when"),
        ({"rows": rows(price_2={"tier": 1, "when": {"field": "amount", "op": "gt", "value": 1}})}, "rows.price_2.when"),
        # values that no row decides about
        ({"rows": rows(price_2={"when": {"all": [{"field": "discount", "op": "gt", "value": 11},
                                                 {"field": "discount", "op": "lte", "value": 18}]}})}, "rows.price_2.when"),
        ({"rows": rows(price_3={"when": {"all": [{"field": "discount", "op": "gt", "value": 18},
                                                 {"field": "discount", "op": "lte", "value": 40}]}})}, "rows.price_3.when"),
        ({"binds": [{"lever": "security", "field": "payer", "direction": "equal"}]}, "rows"),
        ({"binds": [{"lever": "price", "field": "payer", "direction": "at_most"}]}, "binds.0.direction"),
        ({"binds": [{"lever": "price", "field": "payer", "direction": "subset"}]}, "binds.0.direction"),
        ({"binds": [{"lever": "price", "field": "nothing", "direction": "equal"}]}, "binds.0.field"),
        ({"prohibited": [{"key": "x", "name": {"zh": "甲", "en": "X"}}]}, "prohibited.x.when"),
        ({"valid_days": 0}, "valid_days"),
        ({"carry": "yes"}, "carry"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_matrix_is_named_with_its_path(changes, path):
    assert f"approvals.kinds.discount.{path}" in problems(document(**changes))


@pytest.mark.rule("PD-3")
def test_rows_of_one_tier_that_cannot_meet_are_no_overlap():
    split = rows(
        price_1={"when": {"all": [{"field": "discount", "op": "gt", "value": 5}, {"field": "discount", "op": "lte", "value": 18},
                                  {"field": "deal_type", "op": "eq", "value": "new"}]}},
        price_2={"tier": 1, "when": {"all": [{"field": "discount", "op": "gt", "value": 5},
                                             {"field": "discount", "op": "lte", "value": 18},
                                             {"field": "deal_type", "op": "in", "value": ["renewal", "expansion"]}]}},
    )  # fmt: skip
    assert loaded(document(rows=split)).approvals.kinds["discount"].rows[1].tier == 1


@pytest.mark.rule("PD-3", "AC-12")
def test_a_criterion_and_a_move_ask_for_kinds_that_there_are():
    given = document()
    given["stages"][0]["exit"][0]["approval"] = "moon"
    given["stages"][0]["transitions"][0]["approval"] = "sun"
    assert {"stages.first.exit.ati_given.approval", "stages.first.transitions.skip.approval"} <= set(
        problems(given)
    )


# --- envelopes ---


def fact(kind: Any, given: dict[str, Any], lever: str = "price", tier: int = 2, **more: Any) -> ApprovalFact:
    bounds = bounds_from_json(bounds_as_json(of_lever(kind, envelope(kind, given), lever)))
    return ApprovalFact(
        **{"id": 1, "kind": kind.key, "lever": lever, "tier": tier, "bounds": bounds, "granted_at": AT} | more
    )


@pytest.fixture(scope="module")
def kind() -> Any:
    return loaded(document()).approvals.kinds["discount"]


@pytest.mark.rule("AP-3", "AP-4", "AC-16")
def test_a_value_inside_needs_nothing_and_one_outside_touches_its_lever_alone(kind):
    both = envelope(kind, values(payment_days=45))
    assert left(both, values(payment_days=45, discount=Decimal("10"))) == frozenset()
    assert left(both, values(payment_days=45, discount=Decimal("12.01"))) == {"price"}
    assert left(both, values(payment_days=75)) == {"payment"}
    assert left(both, values(payment_days=45, currency="USD")) == {"price"}
    assert left(both, values(payment_days=45, payer="另一家")) == {"legal"}


@pytest.mark.rule("AP-4", "AC-17")
def test_ten_small_cuts_leave_the_envelope_where_a_large_one_does(kind):
    approved = envelope(kind, values(margin=Decimal("20")))
    crossed = [n for n in range(11) if left(approved, values(margin=Decimal("25") - n))]
    assert crossed[0] == 6 and crossed == list(range(6, 11))


@pytest.mark.rule("AP-3", "AP-14")
def test_coverage_says_what_holds_what_is_outside_and_what_has_run_out(kind):
    def cover(given: dict[str, Any], *facts: ApprovalFact, at: datetime = AT) -> Cover:
        return coverage(kind, given, facts, at=at).cover

    approved = fact(kind, values())
    assert cover(values(discount=Decimal("5"))) == Cover.NOT_NEEDED
    assert cover(values()) == Cover.MISSING
    assert cover(values(), approved) == Cover.COVERED
    assert cover(values(discount=Decimal("10.5")), approved) == Cover.COVERED
    assert cover(values(discount=Decimal("12.01")), approved) == Cover.OUTSIDE
    assert cover(values(), fact(kind, values(), expires_at=AT + timedelta(days=1))) == Cover.COVERED
    assert cover(values(), fact(kind, values(), expires_at=AT)) == Cover.EXPIRED
    assert cover(values(), fact(kind, values(), was_outside=True)) == Cover.OUTSIDE
    assert cover(values(), fact(kind, values(), tier=1)) == Cover.OUTSIDE  # a higher tier is asked now
    assert cover(values(), fact(kind, values(), is_pending=True)) == Cover.PENDING
    assert cover(values(clauses=["uncapped"]), approved) == Cover.PROHIBITED
    assert cover({k: v for k, v in values().items() if k != "margin"}, approved) == Cover.UNKNOWN
    wide = coverage(kind, values(payment_days=75), [approved], at=AT)
    assert (wide.cover, wide.open_levers, wide.by) == (Cover.MISSING, ("payment",), (approved,))


# --- votes ---


@dataclass
class Seat:
    person_id: int
    number: int = 0
    state: str = "waiting"
    required: bool = False


@dataclass
class Step:
    key: str
    lane: str
    order: int
    mode: str = "all"
    k: int = 0
    state: str = "waiting"
    seats: list[Seat] = field(default_factory=list)


def chain(*steps: Step, distinct: bool = True) -> Chain:
    found = Chain([Line(step, list(step.seats)) for step in steps], distinct=distinct)
    advance(found)
    return found


def one_step(mode: str, people: list[int], k: int = 0) -> Chain:
    return chain(Step("a.1", "a", 0, mode, k, seats=[Seat(p, n) for n, p in enumerate(people)]))


@pytest.mark.rule("AP-2")
@pytest.mark.parametrize(
    ("mode", "k", "votes", "end"),
    [
        ("all", 0, "1+2+3+", "approved"), ("all", 0, "1+2+", "pending"), ("all", 0, "1+2-", "rejected"),
        ("any", 0, "2+", "approved"), ("any", 0, "2-", "rejected"), ("any", 0, "", "pending"),
        ("k_of_n", 2, "1+", "pending"), ("k_of_n", 2, "1+3+", "approved"), ("k_of_n", 2, "1-2+", "pending"),
        ("k_of_n", 2, "1-2+3+", "approved"), ("k_of_n", 2, "1-2-", "rejected"), ("k_of_n", 3, "1-", "rejected"),
    ],
)  # fmt: skip
def test_votes_are_counted_by_the_mode(mode, k, votes, end):
    found = one_step(mode, [1, 2, 3], k)
    for person, sign in zip(votes[::2], votes[1::2], strict=True):
        assert vote(found, int(person), approves=sign == "+")
    assert outcome(found) == end
    assert vote(found, 9, approves=True) == []
    if end != "pending":
        assert all(vote(found, person, approves=True) == [] for person in (1, 2, 3))


@pytest.mark.rule("AP-2")
def test_lanes_run_beside_each_other_and_join():
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1)]), Step("a.2", "a", 1, seats=[Seat(2)]), Step("b.1", "b", 2, seats=[Seat(3)])
    )  # fmt: skip
    assert {line.step.key for line in found.active()} == {"a.1", "b.1"}
    vote(found, 3, approves=True)
    assert outcome(found) == "pending" and vote(found, 2, approves=True) == []
    vote(found, 1, approves=True)
    vote(found, 2, approves=True)
    assert outcome(found) == "approved"


@pytest.mark.rule("AP-1", "AP-2")
def test_of_two_who_stand_in_for_each_other_one_vote_is_enough():
    found = chain(Step("a.1", "a", 0, seats=[Seat(1, 0), Seat(2, 0), Seat(3, 1)]))
    vote(found, 2, approves=True)
    assert vote(found, 1, approves=True) == [] and outcome(found) == "pending"
    vote(found, 3, approves=True)
    assert outcome(found) == "approved"


@pytest.mark.rule("AP-10", "AC-22")
@pytest.mark.parametrize(("distinct", "asked"), [(True, []), (False, ["a.2"])])
def test_the_same_person_in_consecutive_steps_decides_once(distinct, asked):
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1)]), Step("a.2", "a", 1, seats=[Seat(1)]), Step("a.3", "a", 2, seats=[Seat(2)]),
        distinct=distinct,
    )  # fmt: skip
    vote(found, 1, approves=True)
    assert [line.step.key for line, _seat in found.asked(1)] == asked


@pytest.mark.rule("AP-7", "AC-19")
def test_returned_to_a_named_step_that_step_and_all_after_it_are_asked_again():
    found = chain(*(Step(f"a.{n}", "a", n, seats=[Seat(n)]) for n in (1, 2, 3)))
    vote(found, 1, approves=True)
    vote(found, 2, approves=True)
    third = next(found.active())
    assert step_before(found, third).step.key == "a.2"
    assert not send_back(found, "a.3") and not send_back(found, "z")
    assert send_back(found, "a.1")
    assert [line.step.state for line in found.lines] == ["active", "waiting", "waiting"]
    assert [pair[0].step.key for pair in found.asked(1)] == ["a.1"]
    stop(found)
    assert not found.asked(1) and outcome(found) == "pending"


@pytest.mark.rule("AP-9")
def test_a_required_seat_counts_beside_the_mode():
    found = chain(Step("a.1", "a", 0, "any", seats=[Seat(1), Seat(2, 1), Seat(3, 2, required=True)]))
    vote(found, 1, approves=True)
    assert outcome(found) == "pending"
    vote(found, 3, approves=True)
    assert outcome(found) == "approved"


# --- whom a row means ---

# 1 chairs the house (team 1), 2 leads the branch (team 2), 3 the team (team 3); 4 and 5 sell in team 3.
PICTURE = Picture(
    team_of={1: 1, 2: 2, 3: 3, 4: 3, 5: 3, 6: 1, 7: 1, 9: 1},
    leaders=(
        Leader(user_id=1, depth=0, team_ids=frozenset({1, 2, 3})),
        Leader(user_id=2, depth=1, team_ids=frozenset({2, 3})),
        Leader(user_id=3, depth=2, team_ids=frozenset({3})),
    ),
    holders={"FIN": (6, 7)},
    deal={"FR": (5,)},
    by_username={"gone": 8, "li": 7},
    process_owners=(9,),
    teams_then={8: 3},
)


def row(*approvers: tuple[str, Any], mode: str = "all", k: int = 0) -> MatrixRow:
    return MatrixRow(
        key="r", lever="price", tier=1, mode=mode, k=k, approvers=tuple(Approver(Resolver(a), v) for a, v in approvers)
    )  # fmt: skip


def asked(picture: Picture = PICTURE, submitter: int = 4, **more: Any) -> Ask:
    return Ask(**{"kind": "discount", "submitter_id": submitter, "own": frozenset({submitter})} | more)


def people(found: Any) -> list[list[int]]:
    return [[seat.person_id for seat in step.seats] for step in found]


@pytest.mark.rule("AP-1", "AP-2")
def test_rows_name_people_by_line_role_deal_name_and_committee():
    policy = ApprovalPolicy(
        committees={
            "sdt": Committee(
                key="sdt", name={}, members=(Approver(Resolver.LINE, 2), Approver(Resolver.PERSON, "li"))
            )
        }
    )
    every = row(("line", 1), ("line", 3), ("role", "FIN"), ("deal", "FR"), mode="sequential")
    found = steps_of(policy, every, asked(), PICTURE)
    assert people(found) == [[3], [1], [6, 7], [5]]
    assert [step.key for step in found] == ["price.1", "price.2", "price.3", "price.4"]
    assert people(steps_of(policy, row(("committee", "sdt"), mode="k_of_n", k=2), asked(), PICTURE)) == [
        [2, 7]
    ]


@pytest.mark.rule("AP-1")
def test_the_set_of_approvers_holds_everybody_once():
    found = steps_of(ApprovalPolicy(), row(("line", 1), ("line", 1), ("person", "li")), asked(), PICTURE)
    assert people(found) == [[3, 7]]


@pytest.mark.rule("AP-10", "AC-22")
def test_whoever_submits_is_asked_one_level_up():
    (step,) = steps_of(ApprovalPolicy(), row(("person", "li")), asked(submitter=7), PICTURE)
    assert (step.seats[0].person_id, step.seats[0].because, step.seats[0].for_id) == (1, Because.OWN, 7)
    # Of several who hold a role, the other one decides.
    assert people(steps_of(ApprovalPolicy(), row(("role", "FIN")), asked(submitter=7), PICTURE)) == [[6]]
    # A leader's line begins above the team that is led.
    assert people(steps_of(ApprovalPolicy(), row(("line", 1)), asked(submitter=3), PICTURE)) == [[2]]


@pytest.mark.rule("AP-10")
def test_the_top_of_the_line_decides_with_a_second_reader_or_the_process_owner_does():
    alone = asked(submitter=1)
    (step,) = steps_of(ApprovalPolicy(), row(("line", 1)), alone, PICTURE)
    assert [s.person_id for s in step.seats] == [9]
    (step,) = steps_of(ApprovalPolicy(), row(("line", 1)), asked(submitter=1, second_reader_id=6), PICTURE)
    assert [(s.person_id, s.required) for s in step.seats] == [(1, False), (6, True)]
    nobody = Picture(team_of={1: 1}, leaders=PICTURE.leaders)
    with pytest.raises(NobodyDecides) as caught:
        steps_of(ApprovalPolicy(), row(("line", 1)), alone, nobody)
    assert caught.value.needs_reader


@pytest.mark.rule("AP-8", "AC-21")
def test_a_disabled_approver_gives_way_to_deputy_line_and_process_owner():
    def first(picture: Picture) -> tuple[int, str]:
        seat = steps_of(ApprovalPolicy(), row(("person", "gone")), asked(picture), picture)[0].seats[0]
        return seat.person_id, seat.because

    def changed(**more: Any) -> Picture:
        held = {name: getattr(PICTURE, name) for name in Picture.__slots__}
        return Picture(**held | more)

    deputies = {8: (Deputy(id=1, delegate_id=5),)}
    assert first(changed(deputies=deputies)) == (5, Because.DEPUTY)
    assert first(PICTURE) == (3, Because.ABSENT)
    assert first(changed(leaders=())) == (9, Because.ABSENT)
    with pytest.raises(NobodyDecides):
        first(changed(leaders=(), process_owners=()))
    assert replacement(8, asked(), changed(leaders=(), process_owners=())) == ()
    assert [c.person_id for c in replacement(8, asked(), PICTURE)] == [3]


@pytest.mark.rule("AP-8", "AC-20")
def test_a_deputy_decides_up_to_the_cap_of_the_kinds_given_and_never_the_own_request():
    def who(*deputies: Deputy, amount: int | None = 900, **more: Any) -> list[int]:
        held = {name: getattr(PICTURE, name) for name in Picture.__slots__}
        picture = Picture(**held | {"deputies": {3: deputies}})
        found = steps_of(
            ApprovalPolicy(),
            row(("line", 1)),
            asked(amount=Decimal(amount) if amount is not None else None, **more),
            picture,
        )
        return people(found)[0]

    assert who(Deputy(id=1, delegate_id=5)) == [5]
    assert who(Deputy(id=1, delegate_id=5, cap=Decimal(900))) == [5]
    assert who(Deputy(id=1, delegate_id=5, cap=Decimal("899.99"))) == [2]  # the next person
    assert who(Deputy(id=1, delegate_id=5, cap=Decimal(1)), Deputy(id=2, delegate_id=6)) == [6]
    assert who(Deputy(id=1, delegate_id=5, cap=Decimal(1)), amount=None) == [2]
    assert who(Deputy(id=1, delegate_id=5, kinds=frozenset({"ati"}))) == [3]
    assert who(Deputy(id=1, delegate_id=4)) == [3]  # the submitter is no deputy for the own request
    assert who(Deputy(id=1, delegate_id=8)) == [3]  # nor somebody who cannot sign in


@pytest.mark.rule("AP-8")
def test_a_deputy_of_a_deputy_is_not_asked():
    held = {name: getattr(PICTURE, name) for name in Picture.__slots__}
    picture = Picture(
        **held | {"deputies": {3: (Deputy(id=1, delegate_id=5),), 5: (Deputy(id=2, delegate_id=6),)}}
    )
    assert people(steps_of(ApprovalPolicy(), row(("line", 1)), asked(), picture)) == [[5]]


@pytest.mark.rule("AP-8")
def test_circles_of_delegations_are_found_where_days_and_kinds_meet():
    def one(by: int, to: int, since: int, until: int, *kinds: str) -> Standing:
        days = (date(2026, 3, since), date(2026, 3, until))
        return Standing(delegator_id=by, delegate_id=to, since=days[0], until=days[1], kinds=frozenset(kinds))

    assert closes_a_circle(one(1, 2, 1, 9), [one(2, 1, 5, 20)])
    assert closes_a_circle(one(1, 2, 1, 9), [one(2, 3, 5, 20), one(3, 1, 9, 9)])
    assert not closes_a_circle(one(1, 2, 1, 9), [one(2, 1, 10, 20)])
    assert not closes_a_circle(one(1, 2, 1, 9, "discount"), [one(2, 1, 1, 9, "ati")])
    assert closes_a_circle(one(1, 2, 1, 9, "discount"), [one(2, 1, 1, 9)])
