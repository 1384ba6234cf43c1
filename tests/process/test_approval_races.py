"""Who is quicker: of decisions, recalls and changes that meet at the same instant exactly one counts (T13)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import Company, company

from fairlead.common.refusals import Refusal
from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.process.models import ApprovalGrant, ApprovalRequest
from fairlead.process.services import approving as acts
from fairlead.process.services.approval_handing import reroute_absent

ROUNDS = 20
WAIT = 120


def at_once(*acts_: Callable[[], Any]) -> list[str]:
    """Each act in a thread of its own, all let go together: what became of each. A bug is raised again."""
    barrier, answers, broken = Barrier(len(acts_)), [""] * len(acts_), []

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=WAIT)
            act()
            answers[place] = "done"
        except Refusal as refusal:
            answers[place] = refusal.code
        except Exception as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts_)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=WAIT)
    if broken:
        raise broken[0]
    return answers


def how(where: Company, name: str) -> dict[str, Any]:
    return {"by": where.people[name], "at": timezone.now(), "channel": "ui"}


def asked(where: Company) -> tuple[Any, ApprovalRequest]:
    """A deal of zhou whose discount waits for chen alone."""
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="启晨")
    request = acts.submit(deal.journey_id, kind="discount", package={"reason": "框架"}, **how(where, "zhou"))
    deal.refresh_from_db()
    return deal, request


def approve(where: Company, request: ApprovalRequest) -> Callable[[], Any]:
    return lambda: acts.decide(request.pk, approves=True, **how(where, "chen"))


def many_clicks(where: Company) -> None:
    _deal, request = asked(where)
    answers = at_once(*[approve(where, request)] * 6)
    assert sorted(answers) == ["approval-decided"] * 5 + ["done"]
    assert ApprovalGrant.objects.filter(request=request).count() == 1
    assert votes(request) == 1


def approve_and_recall(where: Company) -> None:
    _deal, request = asked(where)
    answers = at_once(approve(where, request), lambda: acts.recall(request.pk, **how(where, "zhou")))
    request.refresh_from_db()
    assert sorted(answers) == ["approval-decided", "done"]
    expected = "approved" if answers[0] == "done" else "recalled"
    assert request.state == expected
    assert ApprovalGrant.objects.filter(request=request).count() == (expected == "approved")


def approve_and_change(where: Company) -> None:
    deal, request = asked(where)

    def change() -> Any:
        return crm.edit("opportunity", deal.pk, {"discount": 30}, version=deal.version, **how(where, "admin"))

    answers = at_once(approve(where, request), change)
    assert answers[0] == "done"
    grant = ApprovalGrant.objects.get(request=request)
    deal.refresh_from_db()
    # Refused while it was being decided; or made afterwards, and then the approval has ended with it.
    assert (answers[1], deal.discount, grant.voided_at is not None) in (
        ("invalid", 8, False),
        ("done", 30, True),
    )


def approve_and_leave(where: Company) -> None:
    organisation.reactivate(where.chen, **how(where, "admin"))
    where.chen.refresh_from_db()
    _deal, request = asked(where)

    def leave() -> Any:
        organisation.deactivate(where.chen, **how(where, "admin"))
        reroute_absent(at=timezone.now(), channel="system")

    answers = at_once(approve(where, request), leave)
    request.refresh_from_db()
    assert answers[1] == "done"
    people = {s.person.username: s.state for s in request.seats.select_related("person")}
    if answers[0] == "done":
        assert request.state == "approved" and people == {"chen": "approved"}
    else:
        assert request.state == "pending" and people == {"chen": "replaced", "boss": "asked"}
    assert votes(request) == (answers[0] == "done")


def submit_twice(where: Company) -> None:
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="启晨")

    def submit() -> Any:
        return acts.submit(deal.journey_id, kind="discount", package={"reason": "框架"}, **how(where, "zhou"))

    assert sorted(at_once(submit, submit)) == ["approval-pending", "done"]
    assert ApprovalRequest.objects.filter(journey=deal.journey_id).count() == 1


def votes(request: ApprovalRequest) -> int:
    found = Event.objects.filter(type="approval_voted", journey_id=request.journey_id)
    return sum(1 for event in found if event.data["request"] == request.pk)


RACES = (many_clicks, approve_and_recall, approve_and_change, approve_and_leave, submit_twice)


@pytest.fixture
def where(transactional_db: None) -> Company:
    return approving(company())


@pytest.mark.rule("T13")
@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(200, marks=pytest.mark.nightly)])
def test_exactly_one_of_those_who_act_at_once_counts(where: Company, race: Any, rounds: int) -> None:
    for _round in range(rounds):
        race(where)
