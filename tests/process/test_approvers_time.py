"""Approvals run by the calendar of whoever decides; tasks by that of whoever does them (AP-11, CA-1)."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import company

from fairlead.journal.models import Event
from fairlead.organisation import services as organisation
from fairlead.organisation.selectors import calendars, default_calendar
from fairlead.process.models import ApprovalRequest, ApprovalStep
from fairlead.process.services import approving as acts
from fairlead.process.services import delegating
from fairlead.process.services.approval_clocks import calendar_of_step
from fairlead.process.services.approval_handing import remind
from fairlead.process.services.recalculating import recompute_clocks
from fairlead.work.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return approving(company(language="en"))


@pytest.fixture
def step(where) -> ApprovalStep:
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="启晨半导体")
    request = acts.submit(
        deal.journey_id, kind="discount", package={"reason": "客户比价，三年框架"}, **where.how(where.zhou)
    )
    return ApprovalStep.objects.get(request=request)


def away(where, person, days: int = 13):
    today = timezone.localdate()
    return organisation.enter_leave(
        person, first_day=today, last_day=today + timedelta(days=days), **where.how(where.admin)
    )


@pytest.mark.rule("AP-11", "CA-1", "CA-3")
def test_leave_of_the_approver_lets_the_time_for_a_decision_rest(where, step):
    recompute_clocks(at=timezone.now())
    before = step.decision_due_at
    row = away(where, where.chen)
    done = recompute_clocks(at=timezone.now())
    step.refresh_from_db()
    assert done.approvals == 1
    assert before < step.decision_due_at
    assert timezone.localdate(step.decision_due_at) > row.last_day
    assert ApprovalRequest.objects.get().next_due_at == step.decision_due_at
    assert Event.objects.get(type="calendar_recomputed").data["approvals"] == 1
    assert remind(at=before) == 0
    assert remind(at=step.decision_due_at) == 1
    organisation.remove_leave(row.pk, version=1, **where.how(where.chen))
    recompute_clocks(at=timezone.now())
    step.refresh_from_db()
    assert step.decision_due_at == before


@pytest.mark.rule("AP-11", "CA-1")
def test_a_request_that_is_made_while_the_approver_is_away_is_due_after(where):
    away(where, where.chen)
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="启晨半导体")
    acts.submit(
        deal.journey_id, kind="discount", package={"reason": "客户比价，三年框架"}, **where.how(where.zhou)
    )
    step = ApprovalStep.objects.get()
    assert step.decision_due_at > timezone.now() + timedelta(days=13)


@pytest.mark.rule("AP-8", "CA-1")
def test_a_deputy_takes_it_and_the_time_runs_by_the_deputy(where):
    today = timezone.localdate()
    away(where, where.chen)
    delegating.delegate(
        delegator=where.chen, delegate_to=where.luo.pk, from_date=today, to_date=today + timedelta(days=13),
        **where.how(where.chen),
    )  # fmt: skip
    deal = where.deal(stage="quote_negotiation", discount=8, margin=25, payment_days=30, payer="启晨半导体")
    acts.submit(
        deal.journey_id, kind="discount", package={"reason": "客户比价，三年框架"}, **where.how(where.zhou)
    )
    step = ApprovalStep.objects.get()
    plain = default_calendar().add_working_time(step.started_at, timedelta(hours=step.decision_hours))
    assert step.decision_due_at == plain


def test_a_step_of_several_depends_on_the_first_the_last_or_so_many(where):
    away(where, where.chen)
    away(where, where.luo, days=30)
    book, at = calendars(), timezone.now()
    zhou, chen, luo = (where.people[n].pk for n in ("zhou", "chen", "luo"))
    asked = {0: [zhou], 1: [chen], 2: [luo]}

    def of(mode: str, k: int = 0, asked=asked):
        step = SimpleNamespace(mode=mode, k=k, decision_hours=8)
        return calendar_of_step(step, asked, at, book)

    assert of("any") is book.default
    assert of("all") is of("sequential") is book.of(luo)
    assert of("k_of_n", 2) is book.of(chen)
    assert of("all", asked={0: [chen, zhou]}) is book.default
    assert of("all", asked={}) is book.default


@pytest.mark.rule("CA-1")
def test_a_task_in_working_days_is_due_by_the_calendar_of_whoever_does_it(where, client):
    away(where, where.sun, days=6)
    deal = where.deal(sr=where.sun.pk)
    client.force_login(where.zhou)
    for person in (where.sun, where.zhou):
        data = {"title": person.username, "assignee": person.pk, "due_in": "2"}
        assert client.post(reverse("work:task", args=["opportunity", deal.pk]), data).status_code == 302
    today = timezone.localdate()
    due = dict(Task.objects.values_list("title", "due_date"))
    assert due["zhou"] == default_calendar().workday_after(today, 2)
    assert due["sun"] == default_calendar().workday_after(today + timedelta(days=6), 2)
