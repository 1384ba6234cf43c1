"""Running deals that leave their process by decision when a new version is published (VR-2 d), and what becomes of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from tests.factories.approvals import approving
from tests.factories.approvals import document as with_approvals
from tests.factories.crm import PROCESS, Company, company
from tests.process.test_overrides import ask
from tests.process.test_versions import everything, told_alike
from tests.process.versions import HOW, carried_out, next_document, planned, publish_next, undone

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import (
    ApprovalRequest,
    Clock,
    Journey,
    Migration,
    OverrideRequest,
    PlaybookRun,
    Visit,
)
from fairlead.process.refusals import MoveImpossible
from fairlead.process.services import approving as approvals
from fairlead.process.services import carrying_over, migrating
from fairlead.process.services.rebuilding import differences
from fairlead.process.verdicts import Wish
from fairlead.work import services as work
from fairlead.work.models import NotificationEntry, Task

pytestmark = pytest.mark.django_db
LEAVE = [{"choice": "leave", "reason": "framework buyers are not sold to any more"}]


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(at=timezone.now() - timedelta(days=60), language="en")


def left(where: Company, groups: Any = LEAVE, at: Any = None) -> Migration:
    at = at or timezone.now()
    publish_next(where, at=at)
    return carried_out(planned(at, groups=groups), at)


@pytest.mark.rule("VR-2", "PD-7", "VR-4")
def test_the_journey_ends_as_left_the_record_stays_and_is_worked_on(where: Company) -> None:
    deal, other = where.deal(at=where.at, amount=500_000), where.deal(at=where.at, owner=where.lin)
    now = timezone.now()
    publish_next(where, at=now)
    tried = planned(now, groups=[{"owner": where.zhou.pk, **LEAVE[0]}])
    assert (tried.totals["leaving"], tried.totals["movable"], tried.totals["kept"]) == (1, 1, 0)
    assert float(tried.totals["weighted_after"]) < float(tried.totals["weighted_before"])
    assert everything()["journeys"][0]["state"] == "open"  # a trial changes nothing

    plan = carried_out(tried, now)

    journey = where.journey(deal)
    assert (journey.state, journey.outcome, journey.closed_at) == ("left", "left", now)
    assert (journey.probability, journey.forecast_category, journey.gate_state) == (0, "omitted", "")
    assert journey.process_version.number == 1  # history keeps the names it had
    last = Visit.objects.filter(journey=journey).in_order().last()
    assert last is not None and (last.exit_type, last.outcome, last.left_at) == ("left", "left", now)
    assert not Clock.objects.filter(journey=journey).exists()
    assert where.journey(other).process_version.number == 2
    assert dict(plan.rows.values_list("journey__subject_id", "state")) == {deal.pk: "left", other.pk: "done"}
    told = Event.objects.select_related("detail").get(type="process_left")
    assert (told.subject_id, told.data["migration"]) == (deal.pk, plan.pk)
    assert told.detail.comment == LEAVE[0]["reason"]
    deal.refresh_from_db()
    changed = crm.edit("opportunity", deal.pk, {"amount": 10}, version=deal.version, **where.how())
    assert changed.amount == 10
    told_alike()


@pytest.mark.rule("VR-2")
def test_no_move_leads_out_of_it_not_even_reopening(where: Company) -> None:
    deal = where.deal(at=where.at)
    left(where)
    for kind in (Kind.ADVANCE, Kind.REOPEN, Kind.CLOSE_LOST, Kind.RESUME):
        with pytest.raises(MoveImpossible) as refused:
            wish = Wish(kind=kind, reason="no_budget", comment="again")
            process.move(deal.journey_id, wish, by=where.zhou, at=timezone.now(), channel="ui")
        assert [o["code"] for o in refused.value.details["objections"]] == ["left"]
    assert where.journey(deal).state == "left"


@pytest.mark.rule("VR-2", "OV-1", "PB-2")
def test_what_waited_for_somebody_is_called_off_and_playbooks_go_on_after_the_undo(where: Company) -> None:
    now = timezone.now()
    deal = where.deal(at=where.at, stage="needs_analysis")
    request = ask(where, deal)
    run = process.launch_playbook(deal.journey_id, playbook="reach_decider", **where.how())
    own = work.add_task("opportunity", deal.pk, title="call back", due_date=now.date(), **where.how())
    first = run.tasks.order_by("pk")[0].task
    work.complete_task(first.pk, version=first.version, **where.how())

    plan = left(where)

    request.refresh_from_db()
    run.refresh_from_db()
    assert (request.state, run.state, run.outcome) == ("withdrawn", "ended", "")
    standing = Task.objects.filter(subject_id=deal.pk, done_at=None, removed_at=None)
    assert [task.pk for task in standing] == [own.pk]  # what is no playbook's stays
    told = NotificationEntry.objects.filter(notification__recipient=where.zhou, code="process_left")
    assert told.count() == 1

    undone(plan, timezone.now() + timedelta(hours=2))
    run = PlaybookRun.objects.get(pk=run.pk)
    assert run.state == "open"
    assert standing.all().count() == 4  # the own one, and three that are left of the four of the playbook
    assert OverrideRequest.objects.get().state == "withdrawn"  # asked anew by whoever wants it
    assert list(differences()) == []


@pytest.mark.rule("VR-2", "AP-6")
def test_an_open_approval_is_called_off_and_whoever_was_asked_is_told(where: Company) -> None:
    approving(where)
    deal = where.deal(at=where.at, stage="needs_analysis", amount=800_000)
    asked = approvals.submit(deal.journey_id, kind="ati", text="why", **where.how())
    assert asked.state == "pending"
    following = next_document(number=3)
    following["approvals"] = with_approvals()["approvals"]
    process.publish(following, at=timezone.now(), **HOW)
    now = timezone.now()
    carried_out(planned(now, groups=LEAVE), now)
    request = ApprovalRequest.objects.get()
    assert (request.state, request.ended_at) == ("recalled", now)
    journey = where.journey(deal)
    assert (journey.state, journey.approvals) == ("left", 0)
    assert NotificationEntry.objects.filter(code="approval_recalled").exists()
    assert list(differences()) == []


@pytest.mark.rule("VR-9", "AC-15", "VR-2")
def test_undone_within_a_day_it_runs_on_as_if_nothing_had_been(where: Company) -> None:
    still, held, given = (where.deal(at=where.at) for _ in range(3))
    form = {"resume_date": (timezone.localdate() + timedelta(days=30)).isoformat()}
    hold = Wish(kind=Kind.HOLD, reason="project_paused", form=form)
    process.move(held.journey_id, hold, by=where.zhou, at=where.at + timedelta(days=2), channel="ui")
    before = everything()

    plan = left(where)
    assert set(Journey.objects.values_list("state", flat=True)) == {"left"}
    told_alike()
    crm.give_process(given.pk, version=given.version, **where.how())
    plan = undone(plan, timezone.now() + timedelta(hours=23))

    states = dict(plan.rows.values_list("journey__subject_id", "state"))
    assert states == {still.pk: "undone", held.pk: "undone", given.pk: "refused"}
    after, own = everything(), {still.journey_id, held.journey_id}
    assert [j for j in after["journeys"] if j["subject_id"] in (still.pk, held.pk)] == [
        j for j in before["journeys"] if j["subject_id"] in (still.pk, held.pk)
    ]
    for name in ("visits", "clocks"):
        assert [r for r in after[name] if r["journey"] in own] == [
            r for r in before[name] if r["journey"] in own
        ]
    told_alike()


@pytest.mark.rule("VR-2", "PD-4")
def test_it_is_given_a_process_again_by_the_rules_at_the_beginning(where: Company) -> None:
    deal = where.deal(at=where.at, stage="solution_design")
    left(where)
    gone = where.journey(deal)
    with pytest.raises(Stale):
        crm.give_process(deal.pk, version=deal.version + 1, **where.how())
    with pytest.raises(NotFound):
        crm.give_process(deal.pk, version=deal.version, **where.how(where.qi))
    with pytest.raises(NotPermitted):
        crm.give_process(deal.pk, version=deal.version, **where.how(where.shen))
    with pytest.raises(Invalid):
        crm.give_process(deal.pk, process_key="nothing", version=deal.version, **where.how())
    given = crm.give_process(deal.pk, version=deal.version, **where.how())
    assert (given.process_key, given.process_version.number) == (PROCESS, 2)
    assert (given.state, given.stage.key) == ("open", "customer_contact")
    assert Opportunity.objects.get(pk=deal.pk).journey_id == given.pk != gone.pk
    gone.refresh_from_db()
    assert (gone.state, gone.superseded_at is not None) == ("left", True)
    with pytest.raises(Invalid, match="has left its process"):
        crm.give_process(deal.pk, version=deal.version + 1, **where.how())
    where.fulfil(deal)
    where.move(deal, to="needs_analysis")
    told_alike()


@pytest.mark.rule("VR-2")
def test_a_reason_is_asked_for_and_no_mapping(where: Company) -> None:
    where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now, rename=("needs_analysis", "discovery"), axis="discovery")
    plan = migrating.plan_migration(PROCESS, at=now, **HOW)
    for reason in ("", "  ", None):
        with pytest.raises(Invalid) as refused:
            migrating.edit_plan(
                plan.pk, version=plan.version, at=now, groups=[{"choice": "leave", "reason": reason}], **HOW
            )
        assert refused.value.details["errors"][0]["field"] == "groups.0.reason"
    plan.refresh_from_db()
    assert plan.groups == []
    plan = migrating.edit_plan(plan.pk, version=plan.version, at=now, groups=LEAVE, **HOW)
    assert carried_out(migrating.check(plan.pk, by=None, at=now), now).state == "done"
    assert Journey.objects.get().state == "left"


@pytest.mark.rule("VR-9")
def test_broken_off_half_way_it_goes_on_where_it_stopped(
    where: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    plan = planned(now, groups=LEAVE)
    migrating.confirm(plan.pk, version=plan.version, at=now, **HOW)
    monkeypatch.setattr(carrying_over, "AT_MOST", 2)
    whole, seen = carrying_over.leaving.leave, []

    def breaks(migration: Migration, rows: Any, **how: Any) -> None:
        whole(migration, rows, **how)
        seen.append(len(rows))
        if len(seen) == 2:
            raise RuntimeError("the worker is gone")

    monkeypatch.setattr(carrying_over.leaving, "leave", breaks)
    with pytest.raises(RuntimeError):
        carrying_over.execute(plan.pk, clock=lambda: now)
    assert (
        Journey.objects.filter(state="left").count() == 2 == Event.objects.filter(type="process_left").count()
    )
    carrying_over.execute(plan.pk, clock=lambda: now)
    assert (
        Journey.objects.filter(state="left").count() == 5 == Event.objects.filter(type="process_left").count()
    )
    plan.refresh_from_db()
    assert (plan.state, plan.rows_done) == ("done", 5)
    told_alike()


@pytest.mark.rule("VR-2", "AP-1")
def test_the_page_of_a_record_that_left_asks_for_no_approval(where: Company, client: Client) -> None:
    approving(where)
    deal = where.deal(at=where.at, stage="quote_negotiation", discount=8, margin=25, payment_days=30)
    client.force_login(where.zhou)
    page = f"/opportunities/{deal.pk}/"
    assert "An approval is needed" in client.get(page).content.decode()
    following = next_document(number=3)
    following["approvals"] = with_approvals()["approvals"]
    process.publish(following, at=timezone.now(), **HOW)
    now = timezone.now()
    carried_out(planned(now, groups=LEAVE), now)
    assert where.journey(deal).state == "left"
    assert "An approval is needed" not in client.get(page).content.decode()


@pytest.mark.rule("VR-2")
def test_the_pages_choose_it_say_it_and_give_a_process_again(where: Company, client: Client) -> None:
    deal = where.deal(at=where.at)
    now = timezone.now()
    publish_next(where, at=now)
    migrating.plan_migration(PROCESS, at=now, **HOW)
    client.force_login(where.tang)
    page = f"/processes/{PROCESS}/migrate/"
    plan = Migration.objects.get()
    sent = {"do": "try", "version": plan.version, "grace_days": "10", "group_stage": "", "group_min": "",
            "group_max": "", "group_owner": "", "group_choice": "leave", "group_reason": ""}  # fmt: skip
    answer = client.post(page, sent)
    assert (answer.status_code, "Say why" in answer.content.decode()) == (422, True)
    assert client.post(page, sent | {"group_reason": "no sale at all"}).status_code == 302
    shown = client.get(page).content.decode()
    assert "<b>1</b> leave the process" in shown and "leaves the process: no sale at all" in shown
    plan.refresh_from_db()
    carried_out(plan, now)
    client.force_login(where.zhou)
    shown = client.get(f"/opportunities/{deal.pk}/").content.decode()
    assert "took it out of its process" in shown and "“no sale at all”" in shown
    here = f"/opportunities/{deal.pk}/process/"
    shown = client.get(here).content.decode()
    assert "By the rules it takes" in shown and "no sale at all" in shown
    assert client.post(here, {"version": deal.version + 3, "process": PROCESS}).status_code == 409
    assert client.post(here, {"version": deal.version, "process": "x"}).status_code == 422
    assert client.post(here, {"version": deal.version, "process": PROCESS}).status_code == 302
    assert where.journey(deal).state == "open"
    assert "is on a process" in client.get(here).content.decode()
