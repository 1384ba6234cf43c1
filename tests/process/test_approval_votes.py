"""The steps and votes of a request at their edges: seats that were given away, required seats, returns, the way on."""

from __future__ import annotations

import pytest
from tests.process.test_approval_pure import Seat, Step, chain

from fairlead.process.approval_chain import (
    Chain,
    Line,
    advance,
    outcome,
    renumber,
    send_back,
    step_before,
    stop,
    vote,
    votes_left,
)


def seats(found: Chain, key: str = "a.1") -> list[str]:
    return [str(seat.state) for line in found.lines if line.step.key == key for seat in line.seats]


def steps(found: Chain) -> dict[str, str]:
    return {line.step.key: str(line.step.state) for line in found.lines}


def begun(found: Chain) -> list[str]:
    return [line.step.key for line in found.begun]


@pytest.mark.rule("AP-2")
def test_a_seat_that_was_given_away_counts_no_more() -> None:
    one = Step("a.1", "a", 0, seats=[Seat(1), Seat(2, 1, state="replaced"), Seat(3, 1)])
    found = chain(one)
    assert seats(found) == ["asked", "replaced", "asked"]
    vote(found, 1, approves=True)
    assert outcome(found) == "pending"
    vote(found, 3, approves=True)
    assert outcome(found) == "approved"
    alone = chain(Step("a.1", "a", 0, "any", seats=[Seat(1, state="replaced"), Seat(2, 1)]))
    assert vote(alone, 1, approves=True) == [] and vote(alone, 2, approves=True)
    assert outcome(alone) == "approved"


@pytest.mark.rule("AP-9")
def test_a_required_seat_is_no_place_and_its_no_is_a_no() -> None:
    def asked(mode: str, state: str = "waiting") -> Chain:
        return chain(
            Step("a.1", "a", 0, mode, 1, seats=[Seat(1), Seat(2, 1), Seat(3, 2, required=True, state=state)])
        )

    found = asked("any")
    vote(found, 3, approves=True)
    assert outcome(found) == "pending"  # whom the mode asks has not voted
    vote(found, 2, approves=True)
    assert outcome(found) == "approved" and seats(found) == ["passed", "approved", "approved"]
    for mode in ("any", "all", "k_of_n"):
        refused = asked(mode)
        vote(refused, 3, approves=False)
        assert outcome(refused) == "rejected" and seats(refused) == ["passed", "passed", "rejected"]
    given_away = asked("any", "replaced")
    vote(given_away, 1, approves=True)
    assert outcome(given_away) == "approved"
    only = chain(Step("a.1", "a", 0, "all", seats=[Seat(3, required=True)]))
    assert outcome(only) == "pending"
    vote(only, 3, approves=True)
    assert outcome(only) == "approved"


@pytest.mark.rule("AP-2")
def test_a_step_without_anybody_is_never_approved() -> None:
    for mode in ("all", "any", "k_of_n"):
        empty = chain(Step("a.1", "a", 0, mode, seats=[]))
        assert outcome(empty) == "pending" and steps(empty) == {"a.1": "active"}


@pytest.mark.rule("AP-2")
def test_any_one_yes_carries_a_step_that_any_may_decide() -> None:
    found = chain(Step("a.1", "a", 0, "any", seats=[Seat(1, 0), Seat(2, 1)]))
    first, second = found.lines[0].seats
    first.state, second.state = "rejected", "approved"
    advance(found)
    assert outcome(found) == "approved"
    refused = chain(Step("a.1", "a", 0, "any", seats=[Seat(1, 0), Seat(2, 1)]))
    vote(refused, 1, approves=False)
    assert outcome(refused) == "rejected"


@pytest.mark.rule("AP-1", "AP-2")
def test_of_people_who_stand_in_for_each_other_the_first_word_counts() -> None:
    def pair(*more: Seat) -> Chain:
        return chain(Step("a.1", "a", 0, "k_of_n", 1, seats=[Seat(1, 0), Seat(2, 0), *more]))

    said_no = pair(Seat(3, 1), Seat(4, 2))
    vote(said_no, 1, approves=False)
    assert seats(said_no) == ["rejected", "passed", "asked", "asked"] and outcome(said_no) == "pending"
    said_yes = chain(Step("a.1", "a", 0, "all", seats=[Seat(1, 0), Seat(2, 0), Seat(3, 1)]))
    vote(said_yes, 1, approves=True)
    assert seats(said_yes) == ["approved", "passed", "asked"]
    # A yes beside a no of the same place is a yes.
    said_yes.lines[0].seats[1].state = "rejected"
    vote(said_yes, 3, approves=True)
    assert outcome(said_yes) == "approved"


@pytest.mark.rule("AP-10", "AC-22")
def test_a_vote_carries_over_steps_that_follow_and_only_a_yes_does() -> None:
    def three(distinct: bool = True) -> Chain:
        return chain(
            *(Step(f"a.{n}", "a", n, seats=[Seat(who)]) for n, who in ((1, 1), (2, 1), (3, 2))),
            distinct=distinct,
        )

    found = three()
    assert begun(found) == ["a.1"]
    (voted,) = vote(found, 1, approves=True)
    assert voted is found.lines[0].seats[0]
    assert steps(found) == {"a.1": "approved", "a.2": "approved", "a.3": "active"}
    assert seats(found, "a.2") == ["carried"] and begun(found) == ["a.2", "a.3"]
    twice = three(distinct=False)
    vote(twice, 1, approves=True)
    assert (seats(twice, "a.2"), begun(twice)) == (["asked"], ["a.2"])
    no = three()
    vote(no, 1, approves=False)
    assert steps(no) == {"a.1": "rejected", "a.2": "waiting", "a.3": "waiting"} and begun(no) == []
    assert vote(no, 2, approves=True) == [] and steps(no)["a.3"] == "waiting"


@pytest.mark.rule("AP-10")
def test_a_vote_in_one_lane_does_not_count_in_another() -> None:
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1)]), Step("a.2", "a", 1, seats=[Seat(3), Seat(1, 1)]),
        Step("b.1", "b", 2, seats=[Seat(2)]), Step("b.2", "b", 3, seats=[Seat(1)]),
    )  # fmt: skip
    vote(found, 1, approves=True)
    assert seats(found, "a.2") == ["asked", "carried"]
    vote(found, 2, approves=True)
    assert seats(found, "b.2") == ["asked"] and [line.step.key for line, _ in found.asked(1)] == ["b.2"]
    assert begun(found) == ["b.2"] and votes_left(found.lines) == 2
    assert found.lanes().keys() == {"a", "b"}


@pytest.mark.rule("AP-10")
def test_who_said_no_or_was_not_asked_before_is_asked_now() -> None:
    found = chain(
        Step("a.1", "a", 0, "k_of_n", 1, seats=[Seat(1), Seat(2, 1)]),
        Step("a.2", "a", 1, seats=[Seat(1), Seat(2, 1), Seat(3, 2)]),
    )  # fmt: skip
    vote(found, 1, approves=False)
    vote(found, 2, approves=True)
    assert seats(found, "a.2") == ["asked", "carried", "asked"]


@pytest.mark.rule("AP-10")
def test_a_step_that_is_carried_whole_is_through_at_once() -> None:
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1), Seat(2, 1)]), Step("a.2", "a", 1, seats=[Seat(1), Seat(2, 1)]),
        Step("a.3", "a", 2, seats=[Seat(3)]),
    )  # fmt: skip
    vote(found, 1, approves=True)
    vote(found, 2, approves=True)
    assert seats(found, "a.2") == ["carried", "carried"]
    assert steps(found) == {"a.1": "approved", "a.2": "approved", "a.3": "active"}


@pytest.mark.rule("AP-7", "AC-19")
def test_sent_back_in_its_own_lane_with_seats_that_were_given_away_left_alone() -> None:
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1)]), Step("a.2", "a", 1, seats=[Seat(2)]),
        Step("b.1", "b", 2, seats=[Seat(3, state="replaced"), Seat(4)]), Step("b.2", "b", 3, seats=[Seat(5)]),
    )  # fmt: skip
    for person in (1, 4, 5):
        vote(found, person, approves=True)
    assert send_back(found, "b.1") and seats(found, "b.1") == ["replaced", "asked"]
    assert steps(found) == {"a.1": "approved", "a.2": "active", "b.1": "active", "b.2": "waiting"}
    assert seats(found, "b.2") == ["waiting"] and begun(found) == ["b.1"]
    assert not send_back(found, "b.2") and not send_back(found, "b.1")
    second = found.lines[1]
    assert step_before(found, second) is found.lines[0] and step_before(found, found.lines[0]) is None


@pytest.mark.rule("AP-7")
def test_what_is_stopped_asks_nobody_and_keeps_what_was_decided() -> None:
    found = chain(
        Step("a.1", "a", 0, seats=[Seat(1), Seat(2, 1)]), Step("b.1", "b", 1, seats=[Seat(3)]),
        Step("b.2", "b", 2, seats=[Seat(4)]),
    )  # fmt: skip
    vote(found, 1, approves=True)
    vote(found, 3, approves=True)
    stop(found)
    assert steps(found) == {"a.1": "waiting", "b.1": "approved", "b.2": "waiting"}
    assert (seats(found), seats(found, "b.1"), seats(found, "b.2")) == (
        ["approved", "passed"],
        ["approved"],
        ["passed"],
    )
    assert votes_left(found.lines) == 0


@pytest.mark.rule("AP-2", "AP-9")
def test_steps_follow_their_number_and_not_their_place() -> None:
    first, second = Step("a.1", "a", 1, seats=[Seat(1)]), Step("a.2", "a", 2, seats=[Seat(2)])
    found = Chain([Line(second, list(second.seats)), Line(first, list(first.seats))])
    advance(found)
    assert steps(found) == {"a.2": "waiting", "a.1": "active"}
    renumber(found.lines)
    assert (second.order, first.order) == (0, 1)
