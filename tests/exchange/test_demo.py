"""The demo company as it stands: through real gates, alive at its end, told by its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from tests.exchange.demo_figures import CAN_EXPIRE, KINDS, UNTIL, build, states_by_kind

from fairlead.crm.models import Account, HandOver, Opportunity, RoleQuestion
from fairlead.exchange.demo import truths
from fairlead.exchange.demo.clock import MIDNIGHT, at
from fairlead.exchange.demo.company import CHAIN, Company
from fairlead.exchange.demo.people import PASSWORD, SIGN_INS
from fairlead.exchange.demo.second_version import PROCESS
from fairlead.insight import history
from fairlead.insight.adoption.behaviour import ask
from fairlead.journal.models import Event
from fairlead.journal.sealing import verify
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User
from fairlead.organisation.selectors import default_calendar
from fairlead.process.enums import JourneyState, MigrationState, Mode
from fairlead.process.files import read_yaml
from fairlead.process.models import (
    ApprovalRequest,
    ApprovalSeat,
    DailySnapshot,
    Delegation,
    Evaluation,
    Journey,
    Migration,
    OverrideRequest,
    Process,
    ProcessVersion,
    PublishRequest,
    Veto,
    Visit,
)
from fairlead.process.selectors.known import known_on
from fairlead.process.services import ledger
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.work.models import Activity, Task

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.xdist_group("demo"),  # one worker: they look at one company
]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    history.forget()
    yield
    history.forget()


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[Company]:
    """One small company for the tests that only look at it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build(scale=0.12)
        transaction.set_rollback(True)


def test_the_journal_tells_every_journey_and_visit_as_it_stands(company: Company) -> None:
    assert list(differences()) == []
    assert verify().sound


@pytest.mark.rule("EV-1", "EV-2", "T15")
def test_the_journal_alone_makes_the_same_journeys_and_visits_again(company: Company) -> None:
    """Row for row into empty tables: every column of a visit, and all of a journey that the journal tells."""

    def rows() -> tuple[list[tuple[Any, ...]], ...]:
        own = [f.attname for f in Visit._meta.concrete_fields if not f.primary_key]
        return (
            list(Journey.objects.order_by("pk").values_list("pk", "stage__key", *ledger.TRAVEL_FIELDS)),
            list(Visit.objects.order_by("journey_id", "ordinal").values_list(*own)),
        )

    before = rows()
    assert len(before[0]) > 500 and len(before[1]) > 1000
    with transaction.atomic():
        Visit.objects.all().delete()
        Journey.objects.update(regress_count=99, probability=1, base_amount=None, episode_no=9)
        assert rows() != before
        rebuild()
        assert rows() == before
        transaction.set_rollback(True)


def test_everything_went_through_enforced_gates(company: Company) -> None:
    assert set(Process.objects.filter(mode=Mode.ENFORCED).values_list("key", flat=True)) == set(CHAIN)
    moved = Event.objects.filter(type__in=("stage_moved", "won", "lost"))
    assert moved.filter(evaluation_id=None).count() == 0
    refused = Evaluation.objects.filter(allowed=False)
    assert refused.filter(gaps__gt=0).count() > 30
    passed = Evaluation.objects.filter(allowed=True, kind__in=("advance", "close_won"))
    assert passed.filter(gaps__gt=0).count() == 0


def test_what_is_open_looks_alive(company: Company) -> None:
    deals = Journey.objects.filter(process_key="key_account_opportunity", state=JourneyState.OPEN)
    states = Counter(deals.values_list("gate_state", flat=True))
    assert {"missing", "ready"} <= set(states) and "" not in states
    assert deals.filter(gate_flags__gt=0).exists()
    morning = datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=timezone.get_default_timezone())
    shares = [
        deals.filter(next_step_at__gte=morning),
        deals.filter(next_step_at__lt=morning),
        deals.filter(next_step_at=None),
    ]
    assert all(part.count() / deals.count() > 0.08 for part in shares)
    planned = [step for part in shares[:2] for step in part.values_list("next_step_at", flat=True)]
    assert all(default_calendar().is_workday(timezone.localdate(step)) for step in planned)
    dates = [d for d in deals.values_list("close_date", flat=True) if d]
    assert any(d < UNTIL for d in dates) and any(d > UNTIL for d in dates)


@pytest.mark.rule("MV-6")
def test_nothing_that_is_over_waits_in_anybodys_list(company: Company) -> None:
    """Tasks of closed deals are off the lists, and no other one is late for longer than a season."""
    over = set(
        Journey.objects.current()
        .exclude(closed_at=None)
        .exclude(subject_type="account")
        .values_list("subject_type", "subject_id")
    )
    tasks = Task.objects.filter(done_at=None, removed_at=None)
    waiting = [(t.subject_type, t.subject_id) for t in tasks]
    waiting += list(Activity.objects.filter(state="planned").values_list("subject_type", "subject_id"))
    assert len(waiting) > 50 and not over & set(waiting)
    late = sorted((UNTIL - t.due_date).days for t in tasks if t.due_date)
    assert sum(days > 120 for days in late) < len(late) * 0.1 and late[-1] < 500, late[-10:]


@pytest.mark.rule("U39")
def test_the_habit_of_planning_grows_and_does_not_come_from_nothing(company: Company) -> None:
    now = datetime(UNTIL.year, UNTIL.month, UNTIL.day, 9, tzinfo=timezone.get_default_timezone())
    asked = ask(User.objects.get(username="process"), now=now)
    shares = [asked.whole(week).shares["planned"].value or 0 for week in asked.week_ends()]
    assert len(shares) == 8 and min(shares) > 0.2 and shares[-1] > shares[0], shares


def test_people_write_down_after_it_happened_and_nothing_lies_in_the_future(company: Company) -> None:
    last = datetime(UNTIL.year, UNTIL.month, UNTIL.day, 12, tzinfo=timezone.get_default_timezone())
    rows = list(Event.objects.values_list("effective_at", "recorded_at"))
    assert all(effective <= recorded <= last for effective, recorded in rows)
    assert DailySnapshot.objects.values("date").distinct().count() > 150


def test_everybody_and_everything_is_a_sample(company: Company) -> None:
    for model in (User, Account, Opportunity):
        assert not model.objects.filter(is_sample=False).exists()
    assert User.objects.count() == 40
    for username, name, role in SIGN_INS:
        user = User.objects.get(username=username)
        assert user.name == name and user.roles == {role} and user.check_password(PASSWORD)
    assert not User.objects.get(username="xu.jie").has_usable_password()
    assert User.objects.get(username="manager").team_id == User.objects.get(username="seller").team.parent_id
    assert {role for _u, _n, role in SIGN_INS} == set(Role)


def test_every_kind_of_criterion_occurs_met_and_unmet(company: Company) -> None:
    """At an eighth of the size six of each are the same share; the full size is counted at night."""
    found = states_by_kind()
    for kind in KINDS:
        assert found[kind, "met"] >= 6 and found[kind, "unmet"] >= 6, kind
    assert all(found[kind, "expired"] > 0 for kind in CAN_EXPIRE)


@pytest.mark.rule("VR-2", "VR-4", "OV-5")
def test_a_second_version_with_approvals_is_published_by_two_and_deals_are_moved_over(
    company: Company,
) -> None:
    version = ProcessVersion.objects.published().get(process__key=PROCESS)
    example = Path(__file__).parents[2] / "examples" / "processes" / f"{PROCESS}.yaml"
    assert version.document == read_yaml(example.read_bytes())
    asked = PublishRequest.objects.get(process__key=PROCESS)
    assert asked.asked_by.username == "process" and asked.decided_by.username == "admin"
    migration = Migration.objects.get()
    states = Counter(migration.rows.values_list("choice", "state"))
    assert migration.state == MigrationState.DONE and migration.totals["journeys"] == sum(states.values())
    assert states["now", "done"] > 20 and set(states) <= {("now", "done"), ("keep", "kept")}
    assert not migration.rows.filter(choice="keep").exclude(from_stage="signing").exists()
    running = Journey.objects.current().running().filter(process_key=PROCESS)
    assert running.filter(process_version=version).count() > running.count() * 0.9


@pytest.mark.rule("AP-1", "AP-6", "AP-7", "AP-8", "AP-12")
def test_approvals_are_asked_decided_and_left_waiting(company: Company) -> None:
    requests = ApprovalRequest.objects.all()
    assert {"ati", "atc", "terms"} <= set(requests.values_list("kind", flat=True))
    states = Counter(requests.values_list("state", flat=True))
    assert states["approved"] > 15 and states["pending"], states
    assert states["returned"] + states["rejected"], states
    assert not requests.filter(is_auto=True).exists()
    # Nobody decides the own request, and everybody who decided was asked before.
    seats = ApprovalSeat.objects.exclude(decided_at=None).select_related("request")
    assert len(seats) > 20
    for seat in seats:
        assert seat.person_id != seat.request.submitted_by_id
        assert seat.asked_at is not None and seat.decided_at is not None and seat.decided_at > seat.asked_at
    # Deals that are over leave nothing in anybody's inbox.
    assert not requests.filter(state="pending").exclude(journey__state__in=("open", "on_hold")).exists()
    today = UNTIL
    assert Delegation.objects.filter(from_date__lte=today, to_date__gte=today, revoked_at=None).count() == 1


@pytest.mark.rule("IT-3", "IT-5", "SL-4", "OV-1")
def test_the_deal_teams_have_something_open_and_something_settled(company: Company) -> None:
    for model in (Veto, HandOver, RoleQuestion, OverrideRequest):
        states = Counter(model._default_manager.values_list("state", flat=True))
        waiting = states["open"] + states["offered"]
        assert waiting and sum(states.values()) > waiting, (model, states)


def test_the_documents_name_the_truths_as_they_are_planted() -> None:
    root = Path(__file__).parents[2] / "docs"
    for text in ((root / "demo.md").read_text(), (root / "zh" / "demo.md").read_text()):
        for told in (
            truths.BOTTLENECK_STAGE,
            truths.WEAK_STAGE,
            truths.DECISIVE_CRITERION,
            truths.IDLE_CRITERION,
            *truths.LATE_SELLERS,
            PASSWORD,
        ):
            assert told in text


@pytest.mark.rule("AC-39", "EV-4", "PI-1")
def test_as_known_on_a_day_equals_the_snapshot_that_was_taken_then(company: Company) -> None:
    """Every row of nine snapshots over the run, each from the journal as it stood at that midnight."""
    days = list(DailySnapshot.objects.order_by("date").values_list("date", flat=True).distinct())
    looked = 0
    for day in days[:: max(1, len(days) // 8)]:
        rows = list(DailySnapshot.objects.filter(date=day))
        journeys = Journey.objects.filter(pk__in=[row.journey_id for row in rows])
        told = known_on(journeys, at(day, MIDNIGHT))
        for row in rows:
            travel = told[row.journey_id]
            assert (
                row.stage_key, row.state, row.outcome, row.forecast_category, row.probability, row.amount,
                row.close_date, row.owner_id_then, row.team_id_then,
            ) == (
                travel.stage_key, travel.state, travel.outcome, travel.forecast_category, travel.probability,
                travel.base_amount, travel.close_date, travel.owner_id, travel.team_id,
            ), (day, row.journey_id)  # fmt: skip
            looked += 1
    assert looked > 300
