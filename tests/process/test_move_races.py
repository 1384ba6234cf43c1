"""Who is quicker with a deal: of moves, edits and words that meet at the same instant none is lost and none counts
twice (T13, MV-11)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.factories.crm import Company, company
from tests.process.test_approval_races import ROUNDS, at_once, how

from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation, OverrideRequest, Veto, Visit, Waiver
from fairlead.process.services.rebuilding import differences
from fairlead.process.verdicts import Wish


def moves(where: Company, deal: Any, who: str, kind: Kind, **wish: Any) -> Callable[[], Any]:
    seen = where.journey(deal).version
    return lambda: process.move(deal.journey_id, Wish(kind=kind, **wish), version=seen, **how(where, who))


def ready(where: Company, stage: str = "customer_contact") -> Any:
    deal = where.fulfil(where.deal(stage=stage, sr=where.sun.pk, fr=where.he.pk))
    deal.refresh_from_db()
    return deal


def two_move_it(where: Company) -> None:
    deal = ready(where)
    answers = at_once(
        *[moves(where, deal, who, Kind.ADVANCE, to="needs_analysis") for who in ("zhou", "chen", "sun")]
    )
    assert sorted(answers) == ["done", "lost-race", "lost-race"]
    assert Event.objects.filter(journey_id=deal.journey_id, type="stage_moved").count() == 1
    assert Visit.objects.filter(journey=deal.journey_id).count() == 2


def moved_and_lost(where: Company) -> None:
    deal = ready(where)
    form = {"competitor": "东方自控"}
    answers = at_once(
        moves(where, deal, "zhou", Kind.ADVANCE, to="needs_analysis"),
        moves(where, deal, "chen", Kind.CLOSE_LOST, reason="price", form=form),
    )
    assert sorted(answers) == ["done", "lost-race"]
    journey = where.journey(deal)
    expected = ("open", "needs_analysis") if answers[0] == "done" else ("lost", "customer_contact")
    assert (journey.state, journey.stage.key) == expected


def moved_and_vetoed(where: Company) -> None:
    """A no that was there first stops the move; one that comes after it stands at the next gate."""
    deal = ready(where)

    def says_no() -> Any:
        return process.raise_veto(
            deal.journey_id, domain="delivery_date", clause="6 周", alternative="9 周，或分两批交货。",
            **how(where, "he"),
        )  # fmt: skip

    answers = at_once(moves(where, deal, "zhou", Kind.ADVANCE, to="needs_analysis"), says_no)
    assert answers[1] == "done"
    veto = Veto.objects.get(journey=deal.journey_id)
    passed = Evaluation.objects.filter(journey=deal.journey_id).latest("pk")
    gaps = [r["key"] for r in passed.results if r["key"] == f"veto_{veto.pk}"]
    if answers[0] == "done":
        assert passed.allowed and not gaps
        assert where.journey(deal).gate_state == "missing"
    else:
        assert (answers[0], passed.allowed, len(gaps)) == ("gate-refused", False, 1)


def moved_and_emptied(where: Company) -> None:
    """A value that the gate asks for is emptied while somebody moves: the gate judged what stood just then."""
    deal = ready(where)

    def empties() -> Any:
        return crm.edit(
            "opportunity", deal.pk, {"customer_problem": ""}, version=deal.version, **how(where, "chen")
        )

    answers = at_once(moves(where, deal, "zhou", Kind.ADVANCE, to="needs_analysis"), empties)
    assert answers[1] == "done"
    judged = Evaluation.objects.filter(journey=deal.journey_id).latest("pk")
    assert judged.allowed == bool(judged.facts["fields"].get("customer_problem")) == (answers[0] == "done")
    happened = Event.objects.filter(subject_type="opportunity", subject_id=deal.pk)
    last = happened.filter(type__in=["stage_moved", "move_refused", "edited"]).latest("pk").type
    assert answers[0] == ("done" if last == "edited" else "gate-refused")


def handed_over_and_edited(where: Company) -> None:
    deal = where.deal()

    def hands_over() -> Any:
        return crm.reassign(
            "opportunity", deal.pk, owner=where.lin, version=deal.version, **how(where, "chen")
        )

    def edits() -> Any:
        return crm.edit(
            "opportunity", deal.pk, {"competitor": "东方自控"}, version=deal.version, **how(where, "chen")
        )

    answers = at_once(hands_over, edits)
    deal.refresh_from_db()
    assert "done" in answers
    assert (deal.owner_id == where.lin.pk) == (answers[0] == "done")
    assert (deal.competitor == "东方自控") == (answers[1] == "done")
    assert where.journey(deal).owner_id == deal.owner_id


def granted_and_refused(where: Company) -> None:
    deal = where.deal()
    now = timezone.now()
    asked = process.request_override(
        deal.journey_id, criterion_key="bant", reason_code="time_first", text="客户要求本周定标，补件随后",
        compensation="周敏周五前补齐", expires_at=now + timedelta(days=5), **how(where, "zhou"),
    )  # fmt: skip

    def decides(granted: bool) -> Callable[[], Any]:
        return lambda: process.decide_override(asked.pk, granted=granted, text="说明", **how(where, "chen"))

    answers = at_once(decides(True), decides(False), decides(True))
    assert sorted(answers) == ["already-decided", "already-decided", "done"]
    asked.refresh_from_db()
    waivers = Waiver.objects.filter(journey=deal.journey_id)
    assert waivers.count() == (asked.state == "granted")
    for waiver in waivers:  # its place in the budget is free again
        process.revoke_waiver(waiver.pk, **how(where, "chen"))


def asked_twice(where: Company) -> None:
    deal = where.deal()
    now = timezone.now()

    def asks() -> Any:
        return process.request_override(
            deal.journey_id, criterion_key="bant", reason_code="time_first", text="客户要求本周定标，补件随后",
            compensation="周敏周五前补齐", expires_at=now + timedelta(days=5), **how(where, "zhou"),
        )  # fmt: skip

    assert at_once(asks, asks) == ["done", "done"]  # the second is answered with the first
    assert OverrideRequest.objects.filter(journey=deal.journey_id).count() == 1


def vetoed_and_settled_twice(where: Company) -> None:
    deal = ready(where)
    veto = process.raise_veto(
        deal.journey_id,
        domain="delivery_date",
        clause="6 周",
        alternative="9 周，或分两批交货。",
        **how(where, "he"),
    )
    answers = at_once(
        lambda: process.withdraw_veto(veto.pk, version=1, **how(where, "he")),
        lambda: process.accept_alternative(veto.pk, version=1, **how(where, "zhou")),
        moves(where, deal, "chen", Kind.CLOSE_LOST, reason="price", form={"competitor": "东方自控"}),
    )
    assert answers[2] == "done"
    veto.refresh_from_db()
    settled = [
        state
        for state, answer in zip(("withdrawn", "accepted"), answers[:2], strict=True)
        if answer == "done"
    ]
    assert [veto.state] == (settled or ["ended"])
    assert answers[:2].count("stale-version") == 2 - len(settled)


RACES = (
    two_move_it, moved_and_lost, moved_and_vetoed, moved_and_emptied, handed_over_and_edited, granted_and_refused,
    asked_twice, vetoed_and_settled_twice,
)  # fmt: skip


@pytest.fixture
def where(transactional_db: None) -> Company:
    return company()


@pytest.mark.rule("T13", "MV-11", "AC-11")
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(200, marks=pytest.mark.nightly)])
def test_exactly_one_of_those_who_act_at_once_counts(where: Company, race: Any, rounds: int) -> None:
    for _round in range(rounds):
        race(where)
    assert list(differences()) == []
