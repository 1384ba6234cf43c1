"""Overrides (§2.9): asked with a reason, decided by somebody above within a budget, ended by the clock; the glass."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from django_tasks_db.models import DBTaskResult
from tests.factories.crm import company, document

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.journal.models import Event, EventDetail
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import Role
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation, GateFlag, OverrideRequest, Waiver
from fairlead.process.refusals import (
    AlreadyDecided,
    BudgetSpent,
    GateRefused,
    LostRace,
    MoveImpossible,
    OverrideRefused,
)
from fairlead.process.selectors.overrides import to_decide
from fairlead.process.services import budget, lapsing, overrides
from fairlead.process.services.rebuilding import differences
from fairlead.process.tasks import settle_overrides
from fairlead.process.verdicts import Wish
from fairlead.work.models import NotificationEntry
from fairlead.work.services.notifications import deliver

pytestmark = pytest.mark.django_db
WHY = "客户下周才能见面，先推进"
REASON, BACK = document()["lists"]["waiver"][0]["key"], document()["lists"]["regress"][0]["key"]


@pytest.fixture
def where():
    return company()


def ask(where: Any, deal: Any, by: Any = None, at: Any = None, **values: Any) -> OverrideRequest:
    at = at or timezone.now()
    given = {
        "criterion_key": "bant",
        "reason_code": REASON,
        "text": WHY,
        "compensation": "周敏周五前补齐",
        "expires_at": at + timedelta(days=10),
    } | values
    return process.request_override(deal.journey_id, **given, **where.how(by, at))


def decide(
    where: Any, request: OverrideRequest, by: Any, granted: bool = True, **how: Any
) -> OverrideRequest:
    return process.decide_override(request.pk, granted=granted, **how, **where.how(by))


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def deal(where):
    return where.deal()


def told(person: Any) -> list[str]:
    rows = NotificationEntry.objects.filter(notification__recipient=person).order_by("pk")
    return list(rows.values_list("code", flat=True))


@pytest.mark.rule("OV-1")
def test_asked_and_granted_it_lets_the_item_pass_until_its_day(
    where, deal, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        request = ask(where, deal)
    assert (request.state, request.needs_right) == ("open", "waiver.grant")
    assert list(to_decide(where.chen)) == [request]
    assert list(to_decide(where.zhou)) == list(to_decide(where.luo)) == []
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    assert "bant" in [g.key for g in caught.value.verdict.gaps]
    granted = decide(where, request, where.chen, text="下周补")
    assert (granted.state, granted.decided_by, granted.decision) == ("granted", where.chen, "下周补")
    waiver = granted.waiver
    assert (waiver.granted_by, waiver.text, waiver.compensation) == (where.chen, WHY, "周敏周五前补齐")
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    assert "bant" not in [g.key for g in caught.value.verdict.gaps]
    events = Event.objects.of_journeys([deal.journey_id]).filter(type__startswith="override").order_by("pk")
    assert [(e.type, e.actor_id) for e in events] == [
        ("override_requested", where.zhou.pk),
        ("override_granted", where.chen.pk),
    ]
    detail = EventDetail.objects.get(event=events[0])
    assert (detail.comment, detail.payload["compensation"]) == (WHY, "周敏周五前补齐")
    later = waiver.expires_at + timedelta(seconds=1)
    settle_overrides(later)
    assert where.journey(deal).gate_waived == 0
    assert Event.objects.filter(type="waiver_ended", journey_id=deal.journey_id).count() == 1
    settle_overrides(later + timedelta(minutes=5))
    assert Event.objects.filter(type="waiver_ended").count() == 1


@pytest.mark.rule("OV-1")
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": "太短"}, "text"),
        ({"text": "         x        "}, "text"),
        ({"compensation": " "}, "compensation"),
        ({"reason_code": "made_up"}, "reason"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires"),
        ({"criterion_key": "none_such"}, "criterion"),
        ({"criterion_key": ""}, "criterion"),
        ({"move_kind": "regress"}, "criterion"),
    ],
)
def test_what_a_request_lacks_is_named_and_nothing_is_kept(where, deal, wrong, field):
    with pytest.raises(Invalid) as caught:
        ask(where, deal, **wrong)
    assert [e["field"] for e in caught.value.details["errors"]] == [field]
    assert not OverrideRequest.objects.exists()


@pytest.mark.rule("OV-1", "OV-5")
def test_who_may_decide_and_who_may_not(where, deal):
    request = ask(where, deal)
    with pytest.raises(NotFound):
        decide(where, request, where.qi)
    with pytest.raises(NotPermitted):
        decide(where, request, where.zhou)
    with pytest.raises(NotFound):
        decide(where, request, where.luo)
    with pytest.raises(NotPermitted):
        decide(where, request, where.shen)
    # A manager who asks for a deal of the branch does not decide it, nor somebody no higher.
    own = ask(where, deal, where.chen, criterion_key="problem_stated")
    with pytest.raises(OverrideRefused, match="own request"):
        decide(where, own, where.chen)
    assert decide(where, own, where.tang).decided_by == where.tang
    # Whoever is on the deal team gains by it.
    crm.set_team_member(
        deal.pk,
        role="SR",
        person=where.chen,
        version=type(deal).objects.get(pk=deal.pk).version,
        **where.how(),
    )
    with pytest.raises(OverrideRefused, match="deal team"):
        decide(where, request, where.chen)
    assert decide(where, request, where.tang).state == "granted"


@pytest.mark.rule("OV-1")
def test_asked_twice_it_waits_once_and_is_decided_once(where, deal):
    first, again = ask(where, deal), ask(where, deal)
    assert first == again
    with pytest.raises(Invalid):
        decide(where, first, where.chen, granted=False)
    refused = decide(where, first, where.chen, granted=False, text="先见客户")
    assert (refused.state, refused.waiver) == ("refused", None)
    for granted in (True, False):
        with pytest.raises(AlreadyDecided):
            decide(where, first, where.tang, granted=granted, text="再想想")
    with pytest.raises(AlreadyDecided):
        process.withdraw_override(first.pk, **where.how())
    assert not Waiver.objects.exists()
    second = ask(where, deal)
    assert second != first
    with pytest.raises(NotPermitted):
        process.withdraw_override(second.pk, **where.how(where.chen))
    assert process.withdraw_override(second.pk, **where.how()).state == "withdrawn"


@pytest.mark.rule("OV-1")
def test_one_person_has_so_many_waivers_running_and_a_revoked_one_frees_its_place(where, deal):
    rules = budget.rules()
    overrides.set_rules(budget=2, review_percent=30, version=rules.version, **where.how(where.tang))
    with pytest.raises(Stale):
        overrides.set_rules(budget=9, review_percent=30, version=rules.version, **where.how(where.tang))
    with pytest.raises(NotPermitted):
        overrides.set_rules(budget=9, review_percent=30, version=2, **where.how(where.chen))
    until = timezone.now() + timedelta(days=5)
    grant = {"reason_code": REASON, "text": WHY, "expires_at": until}
    first = process.grant_waiver(
        deal.journey_id, criterion_key="problem_stated", **grant, **where.how(where.chen)
    )
    decide(where, ask(where, deal), where.chen)
    request = ask(where, deal, criterion_key="contact_two_way")
    with pytest.raises(BudgetSpent) as caught:
        decide(where, request, where.chen)
    assert caught.value.details == {"budget": 2, "running": 2}
    with pytest.raises(BudgetSpent):
        process.grant_waiver(
            deal.journey_id, criterion_key="contact_two_way", **grant, **where.how(where.chen)
        )
    request.refresh_from_db()
    assert (request.state, Waiver.objects.count()) == ("open", 2)
    process.revoke_waiver(first.pk, **where.how(where.chen))
    assert decide(where, request, where.chen).state == "granted"


@pytest.mark.rule("OV-1", "MV-3", "AC-7")
def test_a_move_that_needs_leave_is_let_pass_once(where):
    deal = where.deal(stage="quote_negotiation")
    back = Wish(kind=Kind.REGRESS, to="customer_contact", reason=BACK, comment="客户换了人")
    with pytest.raises(NotPermitted):
        process.move(deal.journey_id, back, **where.how())
    with pytest.raises(OverrideRefused, match="nobody"):
        ask(where, deal, criterion_key="", move_kind="regress", to="solution_design", reason_code=BACK)
    with pytest.raises(OverrideRefused, match="no such move"):
        ask(where, deal, criterion_key="", move_kind="skip", to="customer_contact", reason_code=BACK)
    asked = ask(where, deal, criterion_key="", move_kind="regress", to="customer_contact", reason_code=BACK)
    assert (asked.needs_right, asked.to_stage) == ("regress.confirm", "customer_contact")
    decide(where, asked, where.chen)
    assert budget.budget_used(where.chen, timezone.now()) == 1  # as a waiver that runs
    crm.set_team_member(deal.pk, role="SR", person=where.sun, version=deal.version, **where.how())
    with pytest.raises(NotPermitted):  # another person, the same move
        process.move(deal.journey_id, back, **where.how(where.sun))
    moved = process.move(deal.journey_id, back, **where.how())
    assert moved.event.data["permit"] == asked.pk
    assert where.journey(deal).stage.key == "customer_contact"
    asked.refresh_from_db()
    assert asked.used_at is not None
    assert not OverrideRequest.objects.permits(timezone.now()).exists()
    assert budget.budget_used(where.chen, timezone.now()) == 0
    assert list(differences()) == []


@pytest.mark.rule("OV-1")
def test_nobody_decides_in_time_it_lapses(where, deal):
    at = timezone.now()
    request = ask(where, deal, at=at, expires_at=at + timedelta(hours=1))
    assert lapsing.lapse_due(at=at) == 0
    assert lapsing.lapse_due(at=at + timedelta(hours=2)) == 1
    request.refresh_from_db()
    assert (request.state, request.decided_by) == ("lapsed", None)
    assert lapsing.lapse_due(at=at + timedelta(hours=3)) == 0
    late = ask(where, deal, at=at, expires_at=at + timedelta(hours=1))
    with pytest.raises(OverrideRefused):
        process.decide_override(late.pk, granted=True, **where.how(where.chen, at + timedelta(hours=2)))


@pytest.mark.rule("AC-38", "OV-2")
def test_the_glass_is_broken_with_a_reason_marked_and_told(
    where, deal, django_capture_on_commit_callbacks, client
):
    ahead = Wish(kind=Kind.ADVANCE, to="needs_analysis")
    how = where.how(where.admin)
    with pytest.raises(GateRefused):  # an administrator meets the same gate as anybody
        process.move(deal.journey_id, ahead, **how)
    attempts = Evaluation.objects.count()
    with pytest.raises(Invalid):
        process.force_move(deal.journey_id, ahead, text="急", **how)
    for person in (where.chen, where.tang, where.zhou):
        with pytest.raises(NotPermitted):
            process.force_move(deal.journey_id, ahead, text=WHY, **where.how(person))
    assert (Evaluation.objects.count(), Event.objects.filter(type="glass_broken").count()) == (attempts, 0)
    with pytest.raises(LostRace):
        process.force_move(deal.journey_id, ahead, text=WHY, version=99, **how)

    with django_capture_on_commit_callbacks(execute=True):
        made = process.force_move(deal.journey_id, ahead, text=WHY, **how)
    for waiting in DBTaskResult.objects.filter(task_path__endswith=".deliver"):
        deliver.call(*waiting.args_kwargs["args"])
    gaps = [g.key for g in made.verdict.gaps]
    assert {"contact_two_way", "problem_stated", "bant"} <= set(gaps)
    assert list(made.verdict.soft_passed) == gaps
    assert where.journey(deal).stage.key == "needs_analysis"
    assert made.event.data["forced"] == gaps
    assert set(GateFlag.objects.filter(cleared_at=None).values_list("criterion_key", flat=True)) >= set(gaps)
    broken = Event.objects.get(type="glass_broken")
    assert (broken.actor_id, broken.data["past"]) == (where.admin.pk, gaps)
    assert EventDetail.objects.get(event=broken).comment == WHY
    assert "glass_broken" in told(where.tang) and "glass_broken" in told(where.zhou)
    assert list(differences()) == []

    client.force_login(where.shen)
    page = client.get("/audit/?type=glass_broken").content.decode()
    assert WHY in page
    page = client.get(f"/journeys/{deal.journey_id}/overrides/").content.decode()
    assert WHY in page


@pytest.mark.rule("OV-2", "OV-5")
def test_what_the_process_does_not_know_cannot_be_forced_and_nobody_forces_for_oneself(where, deal):
    how = where.how(where.admin)
    with pytest.raises(MoveImpossible):
        process.force_move(deal.journey_id, Wish(kind=Kind.ADVANCE, to="signing"), text=WHY, **how)
    assert Evaluation.objects.filter(allowed=False).count() == 1  # the attempt stays noted
    assert not Event.objects.filter(type="glass_broken").exists()
    own = where.deal(owner=where.admin)
    with pytest.raises(OverrideRefused):
        process.force_move(own.journey_id, Wish(kind=Kind.ADVANCE, to="needs_analysis"), text=WHY, **how)
    until = timezone.now() + timedelta(days=3)
    with pytest.raises(OverrideRefused):
        process.force_waiver(own.journey_id, criterion_key="bant", text=WHY, expires_at=until, **how)
    waiver = process.force_waiver(deal.journey_id, criterion_key="bant", text=WHY, expires_at=until, **how)
    assert (waiver.forced, waiver.reason_code) == (True, "break_glass")
    assert budget.budget_used(where.admin, timezone.now()) == 0
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    assert "bant" not in [g.key for g in caught.value.verdict.gaps]


@pytest.mark.rule("OV-2")
def test_a_key_breaks_no_glass_without_the_scope_to_decide(where):
    from fairlead.organisation.rights import key_allows

    assert key_allows(["decide"], "glass.break")
    assert not any(key_allows([scope], "glass.break") for scope in ("read", "write", "import", "manage"))


@pytest.mark.rule("OV-1")
def test_the_pages_ask_decide_and_refuse(where, deal, client):
    client.force_login(where.zhou)
    path = f"/journeys/{deal.journey_id}/overrides/"
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    typed = {"what": "item:bant", "reason": REASON, "text": "短", "compensation": "补齐", "expires": day}
    refused = client.post(path, typed)
    assert refused.status_code == 422
    assert 'value="item:bant" selected' in refused.content.decode()
    made = client.post(path, typed | {"text": WHY})
    request = OverrideRequest.objects.get()
    assert made.status_code == 302 and made["Location"] == f"/overrides/{request.pk}/"
    assert (
        timezone.localtime(request.expires_at)
        .isoformat()
        .startswith((timezone.localdate() + timedelta(days=10)).isoformat())
    )
    own = client.get(f"/overrides/{request.pk}/").content.decode()
    assert 'value="grant"' not in own and "withdraw" in own
    client.force_login(where.qi)
    assert client.get(f"/overrides/{request.pk}/").status_code == 404
    assert client.post(f"/overrides/{request.pk}/", {"decision": "grant"}).status_code == 404
    client.force_login(where.chen)
    assert f"/overrides/{request.pk}/" in client.get("/overrides/").content.decode()
    assert client.post(f"/overrides/{request.pk}/", {"decision": "refuse"}).status_code == 422
    assert client.post(f"/overrides/{request.pk}/", {"decision": "grant"}).status_code == 302
    request.refresh_from_db()
    assert request.state == "granted"
    assert client.post(f"/overrides/{request.pk}/", {"decision": "grant"}).status_code == 409
    assert client.post(f"/waivers/{request.waiver_id}/revoke").status_code == 302
    request.waiver.refresh_from_db()
    assert request.waiver.revoked_at is not None


@pytest.mark.rule("OV-1")
def test_two_managers_side_by_side_are_not_above_each_other(where):
    """A team leader's request goes up, not sideways."""
    at = timezone.now()
    second = organisation.create_user(
        username="hu", name="胡经理", password="correct-horse-battery", by=where.admin, at=at, channel="ui",
        team=where.teams["east"], roles=[Role.MGR],
    )  # fmt: skip
    deal = where.deal()
    request = ask(where, deal, where.chen)
    with pytest.raises(OverrideRefused, match="above"):
        decide(where, request, type(second).objects.get(pk=second.pk))
    assert decide(where, request, where.tang).state == "granted"
