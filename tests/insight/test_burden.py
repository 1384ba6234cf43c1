"""The burden meter: measured from saved forms without a person, waiting read from the journal."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from tests.factories.crm import PROCESS, company

from fairlead.insight.adoption.burden import read_burden
from fairlead.journal.enums import Channel
from fairlead.process.enums import Kind
from fairlead.process.models import FormTime, Process, Rollout
from fairlead.process.refusals import GateRefused
from fairlead.process.services import attest, move
from fairlead.process.verdicts import Wish

pytestmark = [pytest.mark.django_db, pytest.mark.rule("3.22")]


@pytest.fixture
def where():
    return company(language="en")


def enter(where, name="zhou"):
    client = Client()
    client.force_login(where.people[name])
    return client


def counted():
    return {(row.field_key, row.bucket): row.count for row in FormTime.objects.all()}


def save_field(client, deal, spent, value="a problem in their words"):
    deal.refresh_from_db()
    form = {"customer_problem": value, "version": deal.version, "_spent": spent}
    return client.post(f"/opportunities/{deal.pk}/fields/customer_problem/", form)


def test_a_saved_field_is_counted_by_class_and_nothing_else_is_kept(where):
    deal = where.deal()
    client = enter(where)
    assert save_field(client, deal, "customer_problem:15").status_code == 302
    assert save_field(client, deal, "customer_problem:18", "another").status_code == 302
    assert counted() == {("customer_problem", 5): 2}
    kept = {field.name for field in FormTime._meta.get_fields()}
    assert kept == {"id", "subject_type", "field_key", "bucket", "count"}


def test_a_refused_form_counts_nothing(where):
    deal = where.deal()
    form = {"amount": "much", "version": deal.version, "_spent": "amount:9"}
    assert enter(where).post(f"/opportunities/{deal.pk}/fields/amount/", form).status_code == 422
    assert counted() == {}


def test_without_a_script_nothing_is_sent_and_nothing_breaks(where):
    deal = where.deal()
    form = {"customer_problem": "x", "version": deal.version}
    answer = enter(where).post(f"/opportunities/{deal.pk}/fields/customer_problem/", form)
    assert answer.status_code == 302
    assert counted() == {}


def test_switched_off_what_is_sent_is_dropped(where):
    Rollout.objects.create(pk=1, measures_forms=False)
    save_field(enter(where), where.deal(), "customer_problem:15")
    assert counted() == {}


def test_a_new_record_is_measured_too(where):
    client = enter(where)
    assert 'data-measured="account"' in client.get("/accounts/new/").content.decode()
    form = {"name": "Acme", "_spent": "name:4,tier:2"}
    assert client.post("/accounts/new/", form).status_code == 302
    assert counted() == {("name", 2): 1, ("tier", 1): 1}


def shanghai(day, hour):
    return datetime(2026, 3, day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))


def test_waiting_is_working_time_from_the_first_stop_to_the_word():
    where = company(at=shanghai(2, 8), language="en")
    deal = where.deal(stage="needs_analysis")
    for hour in (10, 11):  # stopped twice; the first time counts
        with pytest.raises(GateRefused):
            how = {"by": where.zhou, "at": shanghai(2, hour), "channel": Channel.UI}
            move(deal.journey_id, Wish(kind=Kind.ADVANCE), **how)
    how = {"by": where.chen, "at": shanghai(3, 11), "channel": Channel.UI}
    attest(deal.journey_id, criterion_key="ati", statement="ok", **how)
    where.deal("never tried", stage="needs_analysis")
    process = Process.objects.get(key=PROCESS)

    found = read_burden(where.zhou, process, at=shanghai(4, 9))

    ati = next(item for item in found.items if item.key == "ati")
    assert ati.cost.wait == 8.5  # a day of 7.5 hours, and the hour from ten to eleven
    assert (ati.cost.waited, ati.cost.deals, len(ati.stops)) == (1, 1, 1)
    others = read_burden(where.qi, process, at=shanghai(4, 9))
    assert {item.cost.deals for item in others.items} == {0}


def test_the_page_says_medians_from_five_on_and_opens_who_was_stopped(where):
    deal = where.deal("Stopped deal")
    with pytest.raises(GateRefused):
        where.move(deal)
    about = {"subject_type": "opportunity", "field_key": "customer_problem", "bucket": 6}
    FormTime.objects.create(**about, count=4)
    client = enter(where)
    assert "28 s" not in client.get("/adoption/burden/").content.decode()
    FormTime.objects.update(count=5)
    assert "28 s" in client.get("/adoption/burden/").content.decode()  # the middle of 20 to 35
    rows = client.get(f"/adoption/burden/rows/?process={PROCESS}&item=problem_stated").content.decode()
    assert 'data-count="1"' in rows
    assert "Stopped deal" in rows
    assert client.get(f"/adoption/burden/rows/?process={PROCESS}&item=no").status_code == 400
    assert enter(where, "newcomer").get("/adoption/burden/").status_code == 403
    said = client.get(f"/api/v1/adoption/burden?process={PROCESS}").json()
    assert next(i for i in said["items"] if i["item"] == "problem_stated")["stopped"] == 1


@pytest.mark.parametrize("deals", [1, 15])
def test_the_questions_do_not_grow(where, django_assert_num_queries, deals):
    account = where.account()
    for n in range(deals):
        with pytest.raises(GateRefused):
            where.move(where.deal(f"deal {n}", account=account))
    client = enter(where)
    client.get("/adoption/burden/")
    with django_assert_num_queries(11):
        client.get("/adoption/burden/")


def test_the_script_is_small():
    assert Path(str(finders.find("meter.js"))).stat().st_size <= 1536
