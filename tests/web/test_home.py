"""My day."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from fairlead.process.services.sweeping import sweep
from fairlead.work import services as work
from fairlead.work.models import Activity


def sections(text):
    """Names of the deals under each heading."""
    found = {}
    for part in re.findall(
        r'<section class="fl-sheet" aria-labelledby="b-(\w+)">(.*?)</section>', text, re.DOTALL
    ):
        found[part[0]] = re.findall(r'class="t"[^>]*>([^<]+)<', part[1])
    return {key: names for key, names in found.items() if key not in ("now", "own", "waiting", "month")}


def test_each_deal_stands_once_under_its_first_reason(where, client_of):
    late, ready, _none, fine = (where.deal(name) for name in ("late", "ready", "none", "fine"))
    where.next_step(late, days=-2)
    where.fulfil(ready)
    where.next_step(fine, days=5)
    where.deal("of somebody else", owner=where.qi)

    found = sections(client_of("zhou").get("/").content.decode())

    assert found == {"due": ["late"], "ready": ["ready"], "none": ["none"]}


def test_who_has_no_deals_sees_those_of_the_team(where, client_of):
    where.deal("of zhou")
    where.deal("of qi", owner=where.qi)
    client = client_of("chen")
    assert sections(client.get("/").content.decode()) == {"none": ["of zhou"]}
    assert sections(client.get("/?scope=mine").content.decode()) == {}


def test_at_most_twenty_rows_and_the_rest_is_counted(where, client_of):
    for number in range(23):
        where.deal(f"deal {number}")
    text = client_of("zhou").get("/").content.decode()
    assert len(sections(text)["none"]) == 20
    assert "3 more" in text


def test_the_first_visit_shows_the_first_steps(client_of):
    text = client_of("admin").get("/").content.decode()
    assert "No open opportunity" in text
    assert "/people" in text


def test_without_a_role_the_page_says_whom_to_ask(client_of):
    text = client_of("newcomer").get("/").content.decode()
    assert "An administrator gives you a role" in text


@pytest.mark.parametrize("deals", [1, 50])
def test_the_queries_do_not_grow(where, client_of, django_assert_num_queries, deals):
    for number in range(deals):
        where.next_step(where.deal(f"deal {number}"), days=0)
    client = client_of("zhou")
    client.get("/")
    # session, person, roles; what is planned, the tasks; deals of others, counts, which rows, the rows, their steps;
    # the month; who waits for whom; the frame's one, with the approvals; the calendar of the line
    with django_assert_num_queries(15):
        client.get("/")


@pytest.mark.rule("SL-2")
def test_a_deal_whose_clock_is_red_says_which_and_for_how_long(where, client_of):
    old = where.deal("old", days_ago=120)
    where.next_step(old, days=9)
    sweep(at=timezone.now())
    text = client_of("zhou").get("/").content.decode()
    assert sections(text) == {"over": ["old"]}
    assert re.search(r"over for \d+ days", text) and 'aria-label="Plan: old"' in text


def test_an_appointment_within_the_hour_stands_first_with_what_one_wants_to_know(where, client_of):
    deal = where.deal("Depot")
    at = timezone.now()
    work.log_activity("opportunity", deal.pk, kind="call", summary="Asked", outcome="talked",
                      done_at=at - timedelta(days=3), **where.how(where.zhou, at))  # fmt: skip
    work.plan_activity("opportunity", deal.pk, kind="visit", summary="See the line", due_at=at + timedelta(minutes=40),
                       **where.how(where.zhou, at))  # fmt: skip
    text = client_of("zhou").get("/").content.decode()
    now = text[text.index('id="b-now"') :].split("</section>")[0]
    assert "See the line" in now and "Depot" in now and "last contact" in now and "4 items missing" in now
    assert 'id="b-now"' not in client_of("qi").get("/").content.decode()


def test_the_month_adds_up_what_was_won_and_what_is_expected(where, client_of):
    today = timezone.localdate()
    where.edit(where.deal("a", amount=1_000_000), expected_close_date=today)
    where.edit(where.deal("b", amount=500_000), expected_close_date=today + timedelta(days=70))
    text = client_of("zhou").get("/").content.decode()
    month = text[text.index('id="b-month"') :].split("</section>")[0]
    assert re.findall(r"<b[^>]*>([^<]*)</b>", month) == ["0", "¥0", "1", "¥100K"]


@pytest.mark.rule("U06")
def test_what_is_due_is_done_from_here(where, client_of):
    where.next_step(where.deal("late"), days=-2)
    step = Activity.objects.get(state="planned")
    client = client_of("zhou")
    assert f'hx-get="/activities/{step.pk}/done/"' in client.get("/").content.decode()
    answer = client.post(
        f"/activities/{step.pk}/done/",
        {
            "version": step.version,
            "outcome": "talked",
            "next_summary": "Send the plan",
            "next_due_at": "2030-01-07T09:00",
        },
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/?scope=mine"},
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/?scope=mine")
    assert sections(client.get("/").content.decode()) == {}


def test_deals_of_others_that_one_helps_with_are_ones_own_and_a_branch_is_counted_once(where, client_of):
    helped = where.deal("helped", owner=where.zhou)
    where.edit(helped, sr=where.sun.pk)
    own = where.deal("of the head of the branch", owner=where.chen)
    where.next_step(own, days=-1)
    where.deal("of qi", owner=where.qi)
    assert sections(client_of("sun").get("/").content.decode()) == {"none": ["helped"]}
    assert sections(client_of("chen").get("/").content.decode()) == {"due": ["of the head of the branch"]}
    seen = sections(client_of("chen").get("/?scope=all").content.decode())
    assert seen == {"due": ["of the head of the branch"], "none": ["helped"]}
    text = client_of("shen").get("/?scope=all").content.decode()
    assert sections(text)["none"] == ["helped", "of qi"]


def test_the_dearest_ready_deals_come_first_and_those_without_an_amount_last(where, client_of):
    for name, amount in (("small", 10_000), ("none", None), ("dear", 900_000)):
        deal = where.deal(name, amount=amount or 1)
        where.fulfil(deal)
        if amount is None:
            where.edit(deal, amount=None)
    assert sections(client_of("zhou").get("/").content.decode())["ready"] == ["dear", "small", "none"]
