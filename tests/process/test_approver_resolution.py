"""Whom a row of the matrix means, at the edges: co-leaders, deputies of some kinds, the top of the line, circles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.process.test_approval_pure import PICTURE, asked, people, row

from fairlead.process.approval_enums import Because
from fairlead.process.approval_policy import ApprovalPolicy
from fairlead.process.approver_resolution import (
    Chosen,
    Deputy,
    Leader,
    NobodyDecides,
    Standing,
    closes_a_circle,
    replacement,
    steps_of,
)

ALONE = replace(PICTURE, leaders=())


def seats(given: Any, ask: Any = None, picture: Any = PICTURE) -> list[Chosen]:
    return [
        seat for step in steps_of(ApprovalPolicy(), given, ask or asked(), picture) for seat in step.seats
    ]


@pytest.mark.rule("AP-1")
def test_the_line_of_a_leader_begins_above_the_highest_team_that_is_led() -> None:
    def above(person: int, *more: Leader) -> list[tuple[int, ...]]:
        return list(replace(PICTURE, leaders=(*PICTURE.leaders, *more)).levels_above(person))

    third = frozenset({3})
    assert above(4) == [(3,), (2,), (1,)]
    assert above(3, Leader(user_id=5, depth=2, team_ids=third)) == [(2,), (1,)]  # not whoever leads beside
    assert above(3, Leader(user_id=3, depth=1, team_ids=frozenset({2, 3}))) == [(1,)]
    assert above(4, Leader(user_id=5, depth=2, team_ids=third)) == [(3, 5), (2,), (1,)]
    assert above(4, Leader(user_id=8, depth=2, team_ids=third)) == [
        (3,),
        (2,),
        (1,),
    ]  # who is gone leads nobody
    assert above(4, Leader(user_id=8, depth=3, team_ids=third)) == [(3,), (2,), (1,)]
    assert above(4, Leader(user_id=6, depth=2, team_ids=frozenset({4}))) == [(3,), (2,), (1,)]
    assert above(8) == [(3,), (2,), (1,)]  # by the team of then
    assert above(99) == []


@pytest.mark.rule("AP-1")
def test_a_level_beyond_the_line_is_its_top() -> None:
    assert [s.person_id for s in seats(row(("line", 3)))] == [1]
    assert [s.person_id for s in seats(row(("line", 9)))] == [1]
    assert [s.person_id for s in seats(row(("line", 3)), asked(submitter=3))] == [1]
    assert [s.person_id for s in seats(row(("line", 2)), asked(submitter=3))] == [1]


@pytest.mark.rule("AP-1", "AP-8")
def test_a_seat_that_nobody_holds_goes_up_the_line_and_then_to_who_owns_the_process() -> None:
    assert seats(row(("deal", "SR"))) == [Chosen(0, 3, Because.VACANT)]
    assert seats(row(("role", "LEG")), picture=ALONE) == [Chosen(0, 9, Because.VACANT)]
    with pytest.raises(NobodyDecides) as caught:
        seats(row(("role", "LEG")), picture=replace(ALONE, process_owners=(8,)))  # 8 cannot sign in any more
    assert (caught.value.row_key, caught.value.needs_reader) == ("r", False)
    assert caught.value.approver.value == "LEG" and str(caught.value) == "r"
    with pytest.raises(NobodyDecides):
        seats(row(("role", "LEG")), asked(own=frozenset({4, 9})), ALONE)
    two = replace(ALONE, process_owners=(9, 8, 6))
    assert [s.person_id for s in seats(row(("role", "LEG")), asked(own=frozenset({4, 6})), two)] == [9]


@pytest.mark.rule("AP-10", "AC-22")
def test_only_whoever_submits_at_the_top_decides_with_a_second_reader() -> None:
    top = asked(submitter=1, second_reader_id=6)
    first, second = seats(row(("line", 1)), top)
    assert first == Chosen(0, 1, Because.TOP)
    assert (second.person_id, second.because, second.for_id, second.required) == (6, Because.SECOND, 1, True)
    assert second.number != first.number
    # Somebody else whose own work it is does not; nor somebody who only left.
    of_two = asked(own=frozenset({4, 7}), second_reader_id=6)
    assert seats(row(("person", "li")), of_two, ALONE) == [Chosen(0, 9, Because.OWN, 7)]
    left = asked(submitter=8, own=frozenset(), second_reader_id=6)
    assert replacement(8, left, ALONE) == (Chosen(0, 9, Because.ABSENT, 8),)
    # Each step of a sequence has the reader.
    steps = steps_of(ApprovalPolicy(), row(("line", 1), ("line", 2), mode="sequential"), top, PICTURE)
    assert people(steps) == [[1, 6], [1, 6]]
    # Above a leader the line is asked before any reader is.
    assert [s.person_id for s in seats(row(("line", 1)), asked(submitter=3, second_reader_id=6))] == [2]


@pytest.mark.rule("AP-2")
def test_no_more_votes_are_asked_for_than_there_are_places() -> None:
    def k(given: Any, ask: Any = None) -> int:
        (step,) = steps_of(ApprovalPolicy(), given, ask or asked(), PICTURE)
        return step.k

    assert k(row(("line", 1), ("line", 2), ("line", 3), mode="k_of_n", k=2)) == 2
    assert k(row(("line", 1), ("line", 1), mode="k_of_n", k=2)) == 1
    assert k(row(("role", "FIN"), mode="k_of_n", k=2)) == 1  # two who stand in for each other have one place
    assert k(row(("line", 1), mode="k_of_n", k=2), asked(submitter=1, second_reader_id=6)) == 1
    assert k(row(("line", 1), ("line", 2), mode="all", k=2)) == 0


@pytest.mark.rule("AP-8", "AC-20")
def test_deputies_stand_in_for_the_kinds_and_amounts_they_were_given() -> None:
    def who(*deputies: Deputy, **more: Any) -> list[Chosen]:
        return seats(
            row(("line", 1)),
            asked(**({"amount": Decimal(900)} | more)),
            replace(PICTURE, deputies={3: deputies}),
        )

    assert who(Deputy(id=1, delegate_id=5, kinds=frozenset({"discount"}))) == [
        Chosen(0, 5, Because.DEPUTY, 3)
    ]
    assert who(Deputy(id=1, delegate_id=5, cap=Decimal(1))) == [Chosen(0, 2, Because.BEYOND_CAP, 3)]
    no_line = replace(
        ALONE, by_username={"li": 7}, deputies={7: (Deputy(id=1, delegate_id=5, cap=Decimal(1)),)}
    )
    # Beyond every cap and with nobody above, it stays with the person.
    assert seats(row(("person", "li")), asked(amount=Decimal(9)), no_line) == [Chosen(0, 7)]
    gone = replace(PICTURE, deputies={8: (Deputy(id=1, delegate_id=5, cap=Decimal(1)),)})
    assert seats(row(("person", "gone")), asked(amount=Decimal(9)), gone) == [Chosen(0, 3, Because.ABSENT, 8)]
    own = replace(PICTURE, deputies={7: (Deputy(id=1, delegate_id=5),)})
    assert seats(row(("person", "li")), asked(submitter=7), own) == [Chosen(0, 1, Because.OWN, 7)]


@pytest.mark.rule("AP-8")
def test_circles_end_where_days_or_kinds_part() -> None:
    def one(by: int, to: int, since: int, until: int, *kinds: str) -> Standing:
        days = (date(2026, 3, since), date(2026, 3, until))
        return Standing(delegator_id=by, delegate_id=to, since=days[0], until=days[1], kinds=frozenset(kinds))

    wanted = one(1, 2, 5, 9, "discount")
    assert closes_a_circle(wanted, [one(2, 1, 1, 5)]) and closes_a_circle(wanted, [one(2, 1, 9, 12)])
    assert not closes_a_circle(wanted, [one(2, 1, 1, 4)]) and not closes_a_circle(wanted, [one(2, 1, 10, 12)])
    assert closes_a_circle(one(1, 2, 5, 9), [one(2, 1, 5, 9, "ati")])
    assert closes_a_circle(wanted, [one(2, 1, 5, 9, "ati", "discount")])
    assert not closes_a_circle(wanted, [one(2, 3, 5, 9), one(3, 2, 5, 9)])  # a circle of others
    assert not closes_a_circle(wanted, [])
    assert closes_a_circle(wanted, [one(2, 4, 5, 9), one(2, 3, 5, 9), one(3, 1, 5, 9)])
