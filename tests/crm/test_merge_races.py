"""Merges that meet each other, and moves, at the same instant: one counts, the other one hears that it was late (T13)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.factories.crm import Company, company
from tests.process.test_approval_races import at_once, how

from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.services.rebuilding import differences
from fairlead.process.verdicts import Wish

ROUNDS = 6


@pytest.fixture
def where(transactional_db: Any) -> Company:
    return company()


def three(where: Company) -> list[Opportunity]:
    account = where.account()
    return [where.deal(name, account=account) for name in ("甲", "乙", "丙")]


def seen(deal: Opportunity) -> crm.Seen:
    row = Opportunity.objects.select_related("journey").get(pk=deal.pk)
    assert row.journey is not None
    return crm.Seen(row.version, row.journey.version)


def merging(where: Company, kept: Opportunity, other: Opportunity) -> Any:
    saw, other_saw = seen(kept), seen(other)
    return lambda: crm.merge(kept.pk, other_id=other.pk, seen=saw, other_seen=other_saw, **how(where, "zhou"))


def into_two(where: Company) -> None:
    one, two, double = three(where)
    answers = at_once(merging(where, one, double), merging(where, two, double))
    assert sorted(answers)[0] == "done" and sorted(answers)[1] in ("merge-refused", "stale-version")
    double.refresh_from_db()
    assert double.merged_into_id in (one.pk, two.pk)
    assert Event.objects.about("opportunity", [double.pk]).filter(type="merged").count() == 1


def into_each_other(where: Company) -> None:
    one, two, _third = three(where)
    answers = at_once(merging(where, one, two), merging(where, two, one))
    assert sorted(answers)[0] == "done" and sorted(answers)[1] in ("merge-refused", "stale-version")
    ends = Opportunity.objects.filter(pk__in=[one.pk, two.pk], merged_into__isnull=False)
    assert ends.count() == 1


def beside_a_move(where: Company) -> None:
    kept, double, _third = three(where)
    lost = where.version.document["lists"]["lost"][0]["key"]
    version = seen(double).journey
    wish = Wish(kind=Kind.CLOSE_LOST, reason=lost, form={"competitor": "西门子"})

    def move() -> Any:
        return process.move(double.journey_id, wish, version=version, **how(where, "zhou"))

    answers = at_once(merging(where, kept, double), move)
    assert answers in (["done", "lost-race"], ["stale-version", "done"], ["merge-refused", "done"])
    outcome = where.journey(double).outcome
    assert outcome == ("merged" if answers[0] == "done" else "lost")


@pytest.mark.rule("MV-8", "MV-11", "T13")
@pytest.mark.parametrize("race", [into_two, into_each_other, beside_a_move])
def test_of_two_at_once_one_counts(where: Company, race: Any) -> None:
    for _round in range(ROUNDS):
        race(where)
    assert not list(differences())
