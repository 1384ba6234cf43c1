"""Two deals that are one (MV-8): what goes over, what stays, what stops it, the way back, races; page and API."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import PROCESS, Company, company

from fairlead.analytics.funnel import period_exit_yield, stock
from fairlead.analytics.outcomes import win_rate
from fairlead.analytics.tables import EVERYTHING
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.crm import services as crm
from fairlead.crm.models import ContactRole, Opportunity
from fairlead.crm.past import past_facts
from fairlead.crm.refusals import MergedAway, MergeRefused
from fairlead.insight.history import load
from fairlead.journal.models import Event
from fairlead.journal.undoing import CannotUndo, undo
from fairlead.offers import services as offers
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Journey, PlaybookRun, Visit
from fairlead.process.refusals import LostRace, MoveImpossible
from fairlead.process.services.rebuilding import differences, rebuild
from fairlead.process.subjects import Moment
from fairlead.process.verdicts import Wish
from fairlead.work import services as work
from fairlead.work.models import Activity, Comment, File, Follow, Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def where(db: Any) -> Company:
    return company()


@pytest.fixture
def pair(where: Company) -> tuple[Opportunity, Opportunity]:
    """Two deals of zhou at one account; the second one has a competitor and an SR, the first one has neither."""
    account = where.account()
    kept = where.deal("清洗机 20 台", account=account, stage="solution_design", amount=1_200_000)
    other = where.deal("清洗机二十台", account=account, amount=900_000, competitor="西门子", days_ago=9)
    where.edit(other, sr=where.sun.pk)
    other.refresh_from_db()
    return kept, other


def seen(deal: Opportunity) -> crm.Seen:
    row = Opportunity.objects.select_related("journey").get(pk=deal.pk)
    assert row.journey is not None
    return crm.Seen(row.version, row.journey.version)


def merge(where: Company, kept: Opportunity, other: Opportunity, **more: Any) -> Event:
    by = more.pop("by", None)
    at = more.pop("at", None)
    wanted = {"other_id": other.pk, "seen": seen(kept), "other_seen": seen(other)} | more
    told = crm.merge(kept.pk, **wanted, **where.how(by, at))
    kept.refresh_from_db()
    other.refresh_from_db()
    return told


def visits(deal: Opportunity) -> list[tuple[str, str]]:
    rows = Visit.objects.filter(journey=deal.journey_id).in_order()
    return [(v.stage_key, v.exit_type) for v in rows]


# --- what a merge does ---


@pytest.mark.rule("MV-8")
def test_the_survivor_keeps_its_visits_and_those_of_the_other_end_as_merged(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    before = visits(kept)
    merge(where, kept, other)
    assert visits(kept) == before
    assert visits(other)[-1][1] == "merged" and visits(other)[:-1] == []
    journey = where.journey(other)
    assert (journey.state, journey.outcome, journey.probability) == ("cancelled", "merged", 0)
    assert (journey.forecast_category, journey.gate_state) == ("omitted", "")
    assert (other.merged_into_id, kept.merged_into_id) == (kept.pk, None)
    assert kept.amount == Decimal(1_200_000), "amounts are not added"
    assert not list(differences()), "the fold comes to the same rows"


@pytest.mark.rule("MV-8", "EV-2")
def test_a_rebuild_from_the_journal_comes_to_the_same_rows_also_on_hold_and_after_the_way_back(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    hold = Wish(kind=Kind.HOLD, reason=_hold_reason(where), form={"resume_date": day})
    process.move(other.journey_id, hold, **where.how(where.chen))
    stood = _standing(other)
    told = merge(where, kept, other)
    assert not list(differences())
    undo([told.pk], **where.how())
    other.refresh_from_db()
    assert not list(differences())
    assert _standing(other) == stood, "it is on hold again, until the same day"
    counts = rebuild()
    assert counts[0] == Journey.objects.count() and not list(differences())


def _hold_reason(where: Company) -> str:
    return str(where.version.document["lists"]["hold"][0]["key"])


def _standing(deal: Opportunity) -> dict[str, Any]:
    journey = Journey.objects.get(pk=deal.journey_id)
    names = ("state", "outcome", "closed_at", "hold_since", "resume_date", "reason_code", "probability")
    held = list(Visit.objects.filter(journey=journey).values_list("held_seconds", "left_at", "exit_type"))
    return {name: getattr(journey, name) for name in names} | {"held": held}


@pytest.mark.rule("MV-8")
def test_what_is_done_and_filed_goes_over_and_history_stays(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    how = where.how()
    about: tuple[str, int] = ("opportunity", other.pk)
    contact = where.contact(other.account, "王工")
    call = work.log_activity(
        *about, kind="call", summary="谈方案", contact_ids=[contact.pk], outcome="talked",
        done_at=timezone.now() - timedelta(hours=2), **how,
    )  # fmt: skip
    where.next_step(other)
    work.add_task(*about, title="寄样机", **how)
    work.add_comment(*about, text="是同一个项目", **how)
    for deal in pair:
        work.add_file("opportunity", deal.pk, kind="proposal", name="方案.pdf", reference="档案柜", **how)
    crm.add_contact_role(other.pk, contact_id=contact.pk, role="EB", **how)
    Follow.objects.create(
        subject_type="opportunity",
        subject_id=other.pk,
        person=where.chen,
        attention="follow",
        at=timezone.now(),
    )
    told = merge(where, kept, other)
    for model in (Activity, Task, Comment):
        assert set(model.objects.values_list("subject_id", flat=True)) == {kept.pk}, model
    assert list(File.objects.order_by("number").values_list("subject_id", "number", "edition")) == [
        (kept.pk, 1, 1),
        (kept.pk, 2, 2),
    ]
    assert ContactRole.objects.filter(opportunity=kept, removed_at=None, role="EB").count() == 1
    assert Follow.objects.get(person=where.chen).subject_id == kept.pk
    assert told.data["moved"]["activity"][0] == call.pk
    assert where.journey(kept).next_step_at is not None and where.journey(other).next_step_at is None
    assert not Task.objects.filter(removed_at__isnull=False).exists(), "nothing comes off the lists"


@pytest.mark.rule("MV-8")
def test_fields_fill_what_the_survivor_lacks_and_are_chosen_one_by_one(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    merge(where, kept, other)
    assert (kept.competitor, kept.sr_id, kept.name) == ("西门子", where.sun.pk, "清洗机 20 台")
    third = where.deal("第三条", account=kept.account, amount=777)
    where.edit(third, currency="EUR")
    merge(where, kept, third, take={"amount"})
    assert (kept.amount, kept.currency, kept.competitor) == (Decimal(777), "EUR", "西门子")
    edited = Event.objects.about("opportunity", [kept.pk]).filter(type="edited").last()
    assert edited is not None and edited.data["fields"] == ["amount", "currency"]
    fourth = where.deal("第四条", account=kept.account)
    with pytest.raises(Invalid, match="不能"):
        merge(where, kept, fourth, take={"owner"})


@pytest.mark.rule("MV-8")
def test_the_journal_tells_both_halves_with_their_lineage(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    told = merge(where, kept, other)
    received = Event.objects.about("opportunity", [kept.pk]).get(type="merge_received")
    assert (told.type, told.data["into"], told.data["into_journey"]) == ("merged", kept.pk, kept.journey_id)
    assert received.data == {"from": other.pk, "from_journey": other.journey_id, "merge": told.pk}


@pytest.mark.rule("MV-8")
def test_playbooks_go_on_with_the_survivor_and_one_that_runs_in_both_runs_once(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair

    def run(deal: Opportunity, key: str, number: int = 1) -> PlaybookRun:
        return PlaybookRun.objects.create(
            journey=where.journey(deal), playbook_key=key, process_version=1, stage_key="x", number=number,
            launched_by=where.zhou, launched_at=timezone.now(),
        )  # fmt: skip

    run(kept, "both")
    twice, alone = run(other, "both"), run(other, "alone")
    told = merge(where, kept, other)
    twice.refresh_from_db()
    alone.refresh_from_db()
    assert (twice.journey_id, twice.state) == (other.journey_id, "ended")
    assert (alone.journey_id, alone.state, alone.number) == (kept.journey_id, "open", 1)
    undo([told.pk], **where.how())
    twice.refresh_from_db()
    alone.refresh_from_db()
    assert (twice.state, alone.journey_id) == ("open", other.journey_id)


@pytest.mark.rule("MV-8")
def test_figures_count_the_sale_once(where: Company, pair: tuple[Opportunity, Opportunity]) -> None:
    kept, other = pair
    for deal in pair:
        where.fulfil(deal)
        where.move(deal)
    now: dict[str, Any] = {"scope": EVERYTHING, "as_of": timezone.now() + timedelta(minutes=1)}
    before = load(PROCESS).history
    assert stock(before, **now).n == 2 and period_exit_yield(before, **now).n >= 2
    merge(where, kept, other)
    after = load(PROCESS).history
    table = period_exit_yield(after, **now)
    assert stock(after, **now).n == 1
    assert table.left_out["merged"] == Visit.objects.filter(journey=other.journey_id).count()
    assert table.n == Visit.objects.filter(journey=kept.journey_id, left_at__isnull=False).count()
    assert win_rate(after, basis="full", **now).outcomes["merged"] == 1
    board = Journey.objects.current().running().filter(subject_type="opportunity")
    assert [j.subject_id for j in board] == [kept.pk]


@pytest.mark.rule("MV-8", "EV-3")
def test_what_was_known_of_either_before_the_merge_stays_known(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    work.add_file("opportunity", other.pk, kind="proposal", name="方案", reference="柜", **where.how())
    work.add_task("opportunity", other.pk, title="寄样机", list_key="sample", **where.how())
    work.log_activity(
        "opportunity", other.pk, kind="call", summary="谈", outcome="talked",
        done_at=timezone.now() - timedelta(hours=1), **where.how(),
    )  # fmt: skip
    then = timezone.now()
    merge(where, kept, other)
    moments = [Moment(pk, at) for pk in (kept.pk, other.pk) for at in (then, timezone.now())]
    found = past_facts(Opportunity, "opportunity", moments)
    told = [
        (len(found[m].activities), len(found[m].documents), int("sample" in found[m].children))
        for m in moments
    ]
    assert told == [(0, 0, 0), (1, 1, 1), (1, 1, 1), (0, 0, 0)]


# --- what stops it ---


@pytest.mark.rule("MV-8")
def test_every_obstacle_is_named_at_once_and_nothing_is_changed(where: Company) -> None:
    kept, other = where.deal("甲"), where.deal("乙", stage="solution_design")
    where.edit(other, fr=where.he.pk)
    veto = {
        "domain": "delivery_date",
        "clause": "6 周",
        "alternative": "9 周交货，或先交一期、二期四周后到。",
    }
    process.raise_veto(other.journey_id, **veto, **where.how(where.he))
    events = Event.objects.count()
    with pytest.raises(MergeRefused) as caught:
        merge(where, kept, other)
    assert {o["code"] for o in caught.value.details["obstacles"]} == {"account", "veto"}
    assert Event.objects.count() == events and where.journey(other).state == "open"


@pytest.mark.rule("MV-8")
def test_another_account_is_merged_only_when_somebody_says_so(where: Company) -> None:
    kept, other = where.deal("甲"), where.deal("甲")
    with pytest.raises(MergeRefused):
        merge(where, kept, other)
    merge(where, kept, other, other_account=True)
    assert other.merged_into_id == kept.pk


@pytest.mark.rule("MV-8")
def test_a_deal_with_a_contract_or_an_end_and_a_deal_itself_are_refused(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, _other = pair
    with pytest.raises(Invalid):
        merge(where, kept, kept)
    fourth = where.deal("丁", account=kept.account)
    offers.create_contract(fourth.pk, number="HT-1", amount=Decimal(1), currency="CNY", **where.how())
    with pytest.raises(MergeRefused, match="合同"):
        merge(where, kept, fourth)
    lost = where.version.document["lists"]["lost"][0]["key"]
    ended = where.deal("丙", account=kept.account)
    process.move(
        ended.journey_id, Wish(kind=Kind.CLOSE_LOST, reason=lost, form={"competitor": "X"}), **where.how()
    )
    for one, two in ((kept, ended), (ended, kept)):
        with pytest.raises(MergeRefused) as caught:
            merge(where, one, two)
        assert caught.value.details["obstacles"][0]["code"] in ("kept_closed", "other_closed")


@pytest.mark.rule("MV-8", "T05")
def test_both_deals_ask_for_the_rights_and_a_stranger_hears_nothing(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, _other = pair
    foreign = where.deal("同名", owner=where.lin, account=kept.account)
    with pytest.raises((NotFound, NotPermitted)):
        merge(where, kept, foreign, by=where.zhou)
    with pytest.raises(NotFound):
        merge(where, kept, _other, by=where.wu)
    merge(where, kept, foreign, by=where.chen)
    assert foreign.merged_into_id == kept.pk


# --- afterwards ---


@pytest.mark.rule("MV-8")
def test_a_merged_deal_is_only_read_and_never_moves_again(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    merge(where, kept, other)
    with pytest.raises(MergedAway):
        where.edit(other, amount=5)
    with pytest.raises(NotPermitted):
        work.add_task("opportunity", other.pk, title="x", **where.how())
    with pytest.raises((MoveImpossible, NotPermitted)):
        reopen = Wish(kind=Kind.REOPEN, comment="又来了")
        process.move(other.journey_id, reopen, **where.how(where.admin))
    assert where.journey(other).state == "cancelled"
    assert Opportunity.objects.visible_to(where.zhou).filter(pk=other.pk).exists()
    assert not Opportunity.objects.visible_to(where.zhou, "opportunity.edit").filter(pk=other.pk).exists()


@pytest.mark.rule("MV-8")
def test_the_database_lets_no_deal_be_merged_into_itself(where: Company) -> None:
    deal = where.deal()
    with pytest.raises(IntegrityError), transaction.atomic():
        Opportunity.objects.filter(pk=deal.pk).update(merged_into=deal.pk)


@pytest.mark.rule("MV-8")
def test_a_merge_is_taken_back_whole_within_a_day_while_nothing_happened(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    how = where.how()
    contact = where.contact(other.account, "王工")
    crm.add_contact_role(other.pk, contact_id=contact.pk, role="EB", **how)
    work.add_file("opportunity", kept.pk, kind="proposal", name="方案", reference="柜", **how)
    work.add_file("opportunity", other.pk, kind="proposal", name="方案", reference="柜", **how)
    work.add_task("opportunity", other.pk, title="寄样机", **how)
    told = merge(where, kept, other)
    undo([told.pk], **where.how())
    kept.refresh_from_db()
    other.refresh_from_db()
    assert (other.merged_into_id, kept.competitor, kept.sr_id) == (None, "", None)
    assert where.journey(other).state == "open" and visits(other)[-1][1] == ""
    assert Task.objects.get(removed_at=None).subject_id == other.pk
    assert {(f.subject_id, f.number) for f in File.objects.all()} == {(kept.pk, 1), (other.pk, 1)}
    assert not ContactRole.objects.filter(opportunity=kept, removed_at=None).exists()
    assert not list(differences())
    with pytest.raises(CannotUndo):
        undo([told.pk], **where.how())


@pytest.mark.rule("MV-8")
def test_a_merge_stands_once_something_happened_or_a_day_has_passed(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    told = merge(where, kept, other)
    with pytest.raises(CannotUndo):
        undo([told.pk], **where.how(at=timezone.now() + timedelta(hours=25)))
    where.edit(kept, description="往下走")
    with pytest.raises(CannotUndo):
        undo([told.pk], **where.how())
    assert where.journey(other).outcome == "merged"


# --- two at once ---


@pytest.mark.rule("MV-8", "MV-11")
def test_who_saw_an_older_deal_or_an_older_stage_is_late(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    saw, other_saw = seen(kept), seen(other)
    where.edit(other, description="新")
    with pytest.raises(Stale):
        merge(where, kept, other, seen=saw, other_seen=other_saw)
    other_saw = seen(other)
    process.move(
        other.journey_id,
        Wish(
            kind=Kind.HOLD,
            reason=_hold_reason(where),
            form={"resume_date": (timezone.localdate() + timedelta(days=9)).isoformat()},
        ),
        **where.how(where.chen),
    )
    with pytest.raises(Stale):
        merge(where, kept, other, seen=saw, other_seen=other_saw)
    version = where.journey(other).version
    merge(where, kept, other)
    with pytest.raises(LostRace):
        process.move(other.journey_id, Wish(kind=Kind.RESUME), version=version, **where.how(where.chen))


@pytest.mark.rule("MV-8", "MV-11")
def test_a_second_merge_of_the_same_deal_has_no_effect(
    where: Company, pair: tuple[Opportunity, Opportunity]
) -> None:
    kept, other = pair
    third = where.deal("丙", account=kept.account)
    saw = seen(other)
    merge(where, kept, other)
    with pytest.raises((Stale, MergeRefused)):
        merge(where, third, other, other_seen=saw)
    with pytest.raises((Stale, MergeRefused)):
        merge(where, other, kept)
    assert other.merged_into_id == kept.pk
    assert Event.objects.filter(type="merged").count() == 1


# --- the page ---


def form(kept: Opportunity, other: Opportunity, **more: Any) -> dict[str, Any]:
    mine, theirs = seen(kept), seen(other)
    return {
        "other": other.pk, "version": mine.deal, "journey_version": mine.journey,
        "other_version": theirs.deal, "other_journey_version": theirs.journey, **more,
    }  # fmt: skip


@pytest.mark.rule("MV-8")
def test_the_page_finds_the_double_compares_and_merges(
    where: Company, pair: tuple[Opportunity, Opportunity], client: Client
) -> None:
    kept, other = pair
    client.force_login(where.zhou)
    url = reverse("crm:merge", args=[kept.pk])
    chosen = client.get(url).content.decode()
    assert f"{url}?other={other.pk}" in chosen
    assert "empty" in client.get(url, {"q": "没有这个"}).content.decode()
    compared = client.get(url, {"other": other.pk}).content.decode()
    assert "西门子" in compared and 'name="take-amount"' in compared and "1" in compared
    answer = client.post(url, form(kept, other, field=["amount"], **{"take-amount": "other"}))
    assert answer.status_code == 302
    kept.refresh_from_db()
    assert kept.amount == Decimal(900_000) and kept.competitor == "", "nothing that was not chosen"
    there = client.get(reverse("crm:opportunity", args=[other.pk])).content.decode()
    assert (
        reverse("crm:opportunity", args=[kept.pk]) in there
        and reverse("crm:unmerge", args=[other.pk]) in there
    )
    here = client.get(reverse("crm:opportunity", args=[kept.pk])).content.decode()
    assert reverse("crm:opportunity", args=[other.pk]) in here
    assert client.post(reverse("crm:unmerge", args=[other.pk])).status_code == 302
    other.refresh_from_db()
    assert other.merged_into_id is None


@pytest.mark.rule("MV-8")
def test_the_page_says_why_not_and_what_changed_meanwhile(where: Company, client: Client) -> None:
    kept, other = where.deal("甲"), where.deal("乙")
    client.force_login(where.zhou)
    url = reverse("crm:merge", args=[kept.pk])
    refused = client.post(url, form(kept, other))
    assert refused.status_code == 409 and "other_account" in refused.content.decode()
    stale = client.post(url, form(kept, other, version=99, other_account="1"))
    assert stale.status_code == 409
    for wrong in ("x", "999999", kept.pk):
        assert client.get(url, {"other": wrong}).status_code == 422
    client.force_login(where.wu)
    assert client.get(url).status_code == 404


@pytest.mark.rule("U18")
def test_a_deal_with_the_name_of_another_at_its_account_is_warned_of(where: Company, client: Client) -> None:
    first = where.deal("清洗机 20 台")
    second = where.deal("清洗机 20 台", account=first.account)
    client.force_login(where.zhou)
    page = client.get(reverse("crm:opportunity", args=[second.pk])).content.decode()
    assert f"{reverse('crm:merge', args=[second.pk])}?other={first.pk}" in page


# --- the API ---


@pytest.mark.rule("MV-8")
def test_the_api_merges_and_its_state_says_so(
    where: Company, pair: tuple[Opportunity, Opportunity], client: Client
) -> None:
    kept, other = pair
    client.force_login(where.zhou)
    found = client.get(f"/api/v1/opportunities/{kept.pk}/doubles").json()
    assert [item["id"] for item in found["items"]] == [other.pk]
    body = form(kept, other)
    answer = client.post(
        f"/api/v1/opportunities/{kept.pk}/merge", json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    said = client.get(f"/api/v1/opportunities/{other.pk}").json()
    assert said["merged_into"] == kept.pk
    assert (said["journey"]["state"], said["journey"]["outcome"]) == ("cancelled", "merged")
    again = client.post(
        f"/api/v1/opportunities/{kept.pk}/merge", json.dumps(body), content_type="application/json"
    )
    assert again.status_code in (409, 412)
    assert client.post(f"/api/v1/opportunities/{other.pk}/unmerge").status_code == 200
