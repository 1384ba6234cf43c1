"""A compiled question answers as its query set does, with one statement, on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext
from tests.factories.crm import Company, company

from fairlead.common.questions import Question
from fairlead.crm.models import Opportunity
from fairlead.organisation.models import User
from fairlead.process.models import Journey, Visit

AT = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.fixture
def where(db: None) -> Company:
    made = company(language="en")
    for number in range(12):
        made.deal(f"Deal {number}", amount=1000 * number + 7, expected_close_date=date(2026, 5, number + 1))
    return made


def same(asked: list[Any], rows: Any) -> bool:
    """Equal rows in equal order; instances field by field, with what was read along."""

    def plain(row: Any, depth: int = 3) -> Any:
        if not hasattr(row, "_state"):
            return row
        fields = {k: v for k, v in vars(row).items() if not k.startswith("_")}
        along = row._state.fields_cache if depth else {}
        return fields | {k: plain(v, depth - 1) for k, v in along.items()}

    found = [plain(row) for row in rows]
    return bool(found) and [plain(row) for row in asked] == found


def test_instances_with_joins_dates_money_and_documents(where: Company) -> None:
    def build(owner: Any) -> Any:
        rows = Opportunity.objects.select_related("account", "journey__stage")
        return rows.filter(owner_id=owner).order_by("pk").annotate(n=Count("team_members"))

    question = Question(build)
    assert same(question(where.zhou.pk), build(where.zhou.pk))
    assert question(where.zhou.pk)[3].n == 1
    assert question(2**40) == [] == list(build(2**40))


def test_one_statement_and_no_building_after_the_first_call(where: Company) -> None:
    built = []

    def build(pk: Any) -> Any:
        built.append(pk)
        return User.objects.filter(pk=pk)

    question = Question(build)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert question.first(where.zhou.pk) == where.zhou
        assert question.first(where.zhou.pk) == where.zhou
        assert question.first(0) is None
    assert len(statements) == 3
    assert len(built) == 1


def test_tuples_flat_values_and_text(where: Company) -> None:
    def build(kind: Any, state: Any) -> Any:
        rows = Journey.objects.filter(subject_type=kind, state=state).order_by("pk")
        return rows.values_list("pk", "entered_at", "base_amount", "close_date", "stage__name")

    assert same(Question(build)("opportunity", "open"), build("opportunity", "open"))
    flat = Question(
        lambda kind: Visit.objects.filter(stage_key=kind).order_by("pk").values_list("pk", flat=True)
    )
    key = Visit.objects.values_list("stage_key", flat=True).first()
    assert same(flat(key), Visit.objects.filter(stage_key=key).order_by("pk").values_list("pk", flat=True))
    assert flat("'; --") == []


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 12])
def test_lists_of_any_length(where: Company, count: int) -> None:
    question = Question(
        lambda owner, ids: Opportunity.objects.filter(Q(owner_id=owner), pk__in=ids).order_by("pk"),
        lists=("ids",),
    )
    ids = list(Opportunity.objects.order_by("-pk").values_list("pk", flat=True)[:count])
    assert [row.pk for row in question(where.zhou.pk, [*ids, *range(10**6, 10**6 + 600)])] == sorted(ids)
    assert [row.pk for row in question(where.zhou.pk, ids)] == sorted(ids)


def test_parts_of_a_union_and_what_cannot_fit(where: Company) -> None:
    def build(one: Any, other: Any) -> Any:
        rows = Opportunity.objects.order_by().values_list("name", "amount")
        return rows.filter(pk=one).union(rows.filter(pk=other), all=True)

    first, second = Opportunity.objects.order_by("pk")[:2]
    assert sorted(Question(build)(first.pk, second.pk)) == [
        (first.name, first.amount),
        (second.name, second.amount),
    ]
    assert Question(lambda: Opportunity.objects.none())() == []


def test_an_argument_must_stand_for_itself(where: Company) -> None:
    with pytest.raises(ValueError, match="no place"):
        Question(lambda pk: User.objects.all())(1)
    with pytest.raises(ValueError, match="instances, tuples or flat"):
        Question(lambda pk: User.objects.filter(pk=pk).prefetch_related("role_assignments"))(1)


@pytest.mark.parametrize("size", [1, 40, 700])
def test_a_list_may_be_anything_that_can_be_read_once(where: Company, size: int) -> None:
    deals = [deal.pk for deal in Opportunity.objects.order_by("pk")]
    question = Question(
        lambda owner, ids: Opportunity.objects.filter(owner_id=owner, pk__in=ids).order_by("pk"),
        lists=("ids",),
    )
    wanted = [*deals, *range(10**9, 10**9 + size)]
    assert [row.pk for row in question(where.zhou.pk, (pk for pk in wanted))] == deals
