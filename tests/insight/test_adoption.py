"""The page of adoption: counted from what people did, seen by whom it concerns, every number with its rows."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.factories.crm import company

from fairlead.analytics.adoption import ACTIVE, PLANNED, TIMELY
from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.insight.adoption.behaviour import ask
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.process.enums import Kind
from fairlead.process.models import Rollout
from fairlead.process.services import move, rollout
from fairlead.process.verdicts import Wish
from fairlead.work import services as work

pytestmark = [pytest.mark.django_db, pytest.mark.rule("3.22")]


@pytest.fixture
def where():
    return company(mode="soft", language="en")


def enter(where, name):
    client = Client()
    client.force_login(where.people[name])
    return client


def talk(where, deal, days_ago, outcome="talked"):
    now = timezone.now()
    done = now - timedelta(days=days_ago)
    how = {"by": deal.owner, "at": now, "channel": Channel.UI}
    work.log_activity(
        "opportunity", deal.pk, kind="call", summary="call", outcome=outcome, done_at=done, **how
    )


def test_a_talk_counts_an_attempt_does_not_and_an_old_talk_does_not(where):
    fresh, tried, old = (where.deal(name, days_ago=40) for name in ("fresh", "tried", "old"))
    talk(where, fresh, 2)
    talk(where, tried, 2, outcome="no_answer")
    talk(where, old, 8)
    share = ask(where.zhou, now=timezone.now()).whole().shares[ACTIVE]
    assert (share.hits, share.all) == ({fresh.pk}, {fresh.pk, tried.pk, old.pk})


def test_only_a_next_step_that_lies_ahead_counts(where):
    planned, late, _none = (where.deal(name) for name in ("planned", "late", "none"))
    where.next_step(planned, days=3)
    where.next_step(late, days=-1)
    assert ask(where.zhou, now=timezone.now()).whole().shares[PLANNED].hits == {planned.pk}


def test_a_move_written_down_days_later_is_late_and_an_import_is_nobodys(where):
    deals = [where.deal(f"deal {n}", days_ago=20) for n in range(3)]
    now = timezone.now()
    for deal, days, channel in (
        (deals[0], 1, Channel.UI),
        (deals[1], 4, Channel.UI),
        (deals[2], 9, Channel.IMPORT),
    ):
        move(
            deal.journey_id, Wish(kind=Kind.ADVANCE), by=where.zhou, at=now, channel=channel,
            effective_at=now - timedelta(days=days),
        )  # fmt: skip
    share = ask(where.zhou, now=timezone.now()).whole().shares[TIMELY]
    events = {e.subject_id: e.pk for e in Event.objects.filter(type="stage_moved")}
    assert share.all == {events[deals[0].pk], events[deals[1].pk]}
    assert share.hits == {events[deals[0].pk]}


def test_a_move_touches_its_deal_whoever_made_it_but_an_import_touches_nothing(where):
    by_hand, by_rule, imported = (
        where.deal(name, days_ago=40) for name in ("by hand", "by rule", "imported")
    )
    now = timezone.now()
    for deal, channel in (
        (by_hand, Channel.UI), (by_rule, Channel.SYSTEM), (imported, Channel.IMPORT)
    ):  # fmt: skip
        move(
            deal.journey_id, Wish(kind=Kind.ADVANCE), by=where.zhou, at=now, channel=channel,
            effective_at=now - timedelta(days=3),
        )  # fmt: skip
    shares = ask(where.zhou, now=now).whole().shares
    events = {e.subject_id: e.pk for e in Event.objects.filter(type="stage_moved")}
    assert shares[ACTIVE].hits == {by_hand.pk, by_rule.pk}
    assert shares[TIMELY].all == {events[by_hand.pk]}


def test_each_person_has_the_own_part_and_a_stranger_an_empty_one(where):
    deals = {
        name: where.deal(f"of {name}", owner=where.people[name], days_ago=20) for name in ("zhou", "lin")
    }
    where.move(deals["lin"])
    asked = ask(where.people["admin"], now=timezone.now())
    for name, deal in deals.items():
        assert asked.of(where.people[name].pk).shares[ACTIVE].all == {deal.pk}
    assert not asked.of(where.zhou.pk).shares[TIMELY].all
    assert len(asked.of(where.lin.pk).shares[TIMELY].all) == 1
    assert asked.of(-1).index is None and not asked.of(-1).shares[ACTIVE].all


def test_a_deal_on_hold_asks_for_nothing(where):
    where.deal("open")
    held = where.deal("held")
    where.move(
        held,
        "hold",
        reason=where.version.document["lists"]["hold"][0]["key"],
        form={"resume_date": "2099-01-01"},
    )
    assert held.pk not in ask(where.zhou, now=timezone.now()).whole().shares[ACTIVE].all


def people_named(text):
    return re.findall(r'<tr><th scope="row">([^<]+)</th>', text)


def test_a_manager_sees_the_own_tree_a_seller_oneself_and_an_auditor_nobody(where):
    for owner in ("zhou", "lin", "wu", "qi"):
        where.deal(f"of {owner}", owner=where.people[owner])
    of_chen = people_named(enter(where, "chen").get("/adoption/").content.decode())
    assert sorted(of_chen) == sorted(["周敏", "林芷若", "吴婧怡"])
    assert people_named(enter(where, "zhou").get("/adoption/").content.decode()) == ["周敏"]
    auditor = enter(where, "shen").get("/adoption/").content.decode()
    assert people_named(auditor) == []
    assert "With fewer than 5 people" in auditor


def test_from_five_people_on_the_spread_is_shown_without_names(where):
    for owner in ("zhou", "lin", "wu", "qi", "chen"):
        where.deal(f"of {owner}", owner=where.people[owner])
    text = enter(where, "shen").get("/adoption/").content.decode()
    assert "Spread over people" in text
    assert "With fewer than" not in text
    assert "One by one" not in text


def test_rows_of_a_person_whom_one_does_not_lead_are_refused(where):
    where.deal("of zhou")
    where.deal("of lin", owner=where.lin)
    rows = "/adoption/rows/?what=active&owner="
    assert enter(where, "chen").get(f"{rows}{where.lin.pk}").status_code == 200
    assert enter(where, "zhou").get(f"{rows}{where.lin.pk}").status_code == 400
    assert enter(where, "shen").get(f"{rows}{where.lin.pk}").status_code == 400
    assert enter(where, "newcomer").get("/adoption/").status_code == 403


def test_every_number_opens_as_many_rows(where):
    for n in range(3):
        deal = where.deal(f"deal {n}", days_ago=30)
        if n:
            talk(where, deal, 1)
            where.next_step(deal, days=n)
        where.move(deal)
    client = enter(where, "zhou")
    asked = ask(where.zhou, now=timezone.now()).whole()
    text = client.get("/adoption/").content.decode()
    for key, share in asked.shares.items():
        for hit, ids in (("1", share.hits), ("0", share.missed), ("", share.all)):
            rows = client.get(f"/adoption/rows/?what={key}&hit={hit}").content.decode()
            assert f'data-count="{len(ids)}"' in rows, (key, hit)
        assert f"{len(share.hits)} / {len(share.all)}" in text


@pytest.mark.parametrize("query", ["what=nothing", "what=active&owner=x", "what=active&day=tomorrow"])
def test_an_address_that_says_nothing_is_refused(where, query):
    where.deal("deal")
    assert enter(where, "zhou").get(f"/adoption/rows/?{query}").status_code == 400


def test_the_weights_are_settings_shown_in_the_formula_and_written_down(where):
    where.deal("deal")
    client = enter(where, "admin")
    form = {
        "version": "1", "weight_active": "3", "weight_timely": "0", "weight_planned": "1",
        "amnesty_day": "20", "amnesty_length": "2", "amnesty_idle_days": "45", "measures_forms": "1",
    }  # fmt: skip
    assert client.post("/settings/soft-landing/", form).status_code == 302
    row = Rollout.objects.get()
    assert row.weights == {"active": 3, "timely": 0, "planned": 1}
    assert (row.amnesty_day, row.amnesty_length, row.amnesty_idle_days) == (20, 2, 45)
    assert (row.measures_forms, row.asks_pulse, row.version) == (True, False, 2)
    event = Event.objects.get(type="rollout_changed")
    assert (event.actor_id, event.data["after"]["amnesty_day"]) == (where.admin.pk, 20)
    text = client.get("/adoption/").content.decode()
    assert "Something happened within 7 days^0.75 × Next step ahead^0.25" in text
    assert client.post("/settings/soft-landing/", form).status_code == 409  # the version is older now


@pytest.mark.parametrize(
    "wrong",
    [{"amnesty_day": "29"}, {"amnesty_length": "0"}, {"weight_active": "-1"}, {"weight_active": "nan"}],
)
def test_settings_out_of_range_are_refused_at_their_field(where, wrong):
    form = {
        "version": "1", "weight_active": "1", "weight_timely": "1", "weight_planned": "1",
        "amnesty_day": "20", "amnesty_length": "2", "amnesty_idle_days": "45",
    }  # fmt: skip
    answer = enter(where, "admin").post("/settings/soft-landing/", {**form, **wrong})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not Rollout.objects.filter(version__gt=1).exists()


@pytest.mark.rule("T02")
def test_only_whoever_manages_settings_changes_them(where):
    with pytest.raises(NotPermitted):
        rollout.change_rollout(by=where.chen, at=timezone.now(), channel=Channel.UI, amnesty_day=1)
    with pytest.raises(Stale):
        rollout.change_rollout(
            by=where.admin, at=timezone.now(), channel=Channel.UI, version=7, amnesty_day=1
        )
    with pytest.raises(Invalid):
        rollout.change_rollout(
            by=where.admin, at=timezone.now(), channel=Channel.UI, weights={"active": 0, "planned": 0}
        )


def test_the_api_says_the_same(where):
    deal = where.deal("deal")
    talk(where, deal, 1)
    client = enter(where, "zhou")
    said = client.get("/api/v1/adoption").json()
    assert said["shares"]["active"] == {"hits": 1, "cases": 1, "value": 1.0, "weight": 1.0}
    assert [p["person"] for p in said["people"]] == [where.zhou.pk]
    assert said["index"] == 0.0  # no next step: one zero is visible


@pytest.mark.parametrize("deals", [1, 30])
def test_the_questions_do_not_grow(where, deals):
    account = where.account()
    for n in range(deals):
        where.next_step(where.deal(f"deal {n}", account=account), days=n + 1)
    client = enter(where, "chen")
    client.get("/adoption/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/adoption/")
    assert len(asked) == 13
