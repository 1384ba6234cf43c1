"""A better-fitting process: said with its reason, tried on the one record, carried over when somebody wishes it (PD-4)."""

from __future__ import annotations

import copy

import pytest
from django.urls import reverse
from tests.factories.crm import PROCESS, Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.organisation.models import Organisation
from fairlead.process import services
from fairlead.process.models import FitDismissal, Journey, Visit
from fairlead.process.refusals import GateRefused, SwitchRefused
from fairlead.process.services import rebuilding
from fairlead.process.services.assigning import set_rules
from fairlead.process.services.shipping import shipped
from fairlead.process.services.switching import leave_where_it_is, switch_process, try_switch
from fairlead.process.verdicts import Wish

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PD-4")]
OTHER = "ltc_opportunity"
TENDER = {"field": "is_tender", "op": "eq", "value": True}


@pytest.fixture
def where() -> Company:
    made = company(language="en")
    services.publish(copy.deepcopy(shipped(OTHER)), **made.how(made.admin))
    Organisation.objects.update(default_processes={"opportunity": PROCESS})
    set_rules("opportunity", [{"condition": TENDER, "process": OTHER}], **made.how(made.people["tang"]))
    return made


def journey_of(deal) -> Journey:
    return Journey.objects.select_related("stage", "process_version__process").get(pk=deal.journey_id)


def tendered(where, **values):
    deal = where.deal("园区网", **values)
    where.edit(deal, is_tender=True)
    return deal


def switched(where, deal, **more):
    return switch_process(
        deal.journey_id, process_key=OTHER, version=journey_of(deal).version, **more, **where.how()
    )


def test_the_page_says_which_rule_and_which_value_and_switches_nothing(client, where):
    deal = tendered(where)
    client.force_login(where.zhou)

    text = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()

    assert "A better-fitting process exists" in text
    assert "by rule 1: Tender: yes" in text.replace("  ", " ") or "by rule 1" in text
    assert reverse("process:switch", args=[deal.journey_id]) in text
    assert journey_of(deal).process_key == PROCESS


def test_the_dry_run_names_what_changes_and_writes_nothing(client, where):
    deal = tendered(where)
    before = Event.objects.count()
    client.force_login(where.zhou)

    page = client.get(reverse("process:switch", args=[deal.journey_id]))
    answer = client.get(f"/api/v1/journeys/{deal.journey_id}/better-process").json()

    assert page.status_code == 200
    assert "What it would change" in page.content.decode()
    assert answer["process"] == OTHER and answer["rule"] == 1
    assert answer["values"][0]["value"] == "yes"
    assert Event.objects.count() == before


def test_it_goes_on_in_the_other_process_with_its_history_and_the_journal_says_the_same(where):
    deal = tendered(where)
    entered = journey_of(deal).entered_at
    trial = try_switch(journey_of(deal), OTHER, at=where.at)
    stage = "" if trial.outlook.to_stage else trial.definition.stages[0].key

    switched(where, deal, stage=stage)

    row = journey_of(deal)
    assert (row.process_key, row.process_version.process.key) == (OTHER, OTHER)
    assert row.stage.key == (trial.outlook.to_stage or stage)
    assert row.entered_at == entered  # the stay goes on (VR-6)
    visits = list(Visit.objects.filter(journey=row).in_order())
    assert [v.exit_type for v in visits][-2:] == ["migrated", ""]
    event = Event.objects.get(type="migrated")
    assert event.process_key == OTHER and event.data["from_process"] == PROCESS
    assert event.data["rule"] == {"number": 1, "values": {"is_tender": True}}
    assert list(rebuilding.differences()) == []


def test_a_rebuild_and_moves_after_it_keep_the_stages_of_both_processes_apart(where):
    """Both are in version 1: a stage left in the first one is not one of the second one of the same number."""
    deal = tendered(where)
    where.fulfil(deal)
    services.move(deal.journey_id, Wish(kind="advance"), **where.how())
    trial = try_switch(journey_of(deal), OTHER, at=where.at)
    stage = "" if trial.outlook.to_stage else trial.definition.stages[1].key
    switched(where, deal, stage=stage)
    here = journey_of(deal).stage.key

    assert list(rebuilding.differences()) == []
    rebuilding.rebuild()
    assert (journey_of(deal).process_key, journey_of(deal).stage.key) == (OTHER, here)
    assert [last for last, _map in journey_of(deal).carried["former"]] == [2]


def test_going_on_asks_at_once_what_its_stage_asks_there(where):
    deal = tendered(where)
    trial = try_switch(journey_of(deal), OTHER, at=where.at)
    stage = trial.outlook.to_stage or trial.definition.stages[0].key
    switched(where, deal, stage="" if trial.outlook.to_stage else stage)

    row = journey_of(deal)
    assert "grace" not in row.carried
    assert row.gate_missing > 0
    with pytest.raises(GateRefused):
        services.move(deal.journey_id, Wish(kind="advance"), **where.how())


def test_left_where_it_is_until_what_decides_it_changes_again(client, where):
    deal = tendered(where)
    url = reverse("process:switch", args=[deal.journey_id])
    page = reverse("crm:opportunity", args=[deal.pk])
    client.force_login(where.zhou)

    assert client.post(url, {"do": "leave"}).status_code == 302
    assert "A better-fitting process exists" not in client.get(page).content.decode()
    assert Event.objects.filter(type="fit_dismissed").count() == 1
    where.edit(deal, name="园区网二期")
    assert "A better-fitting process exists" not in client.get(page).content.decode()
    where.edit(deal, is_tender=False)
    assert "A better-fitting process exists" not in client.get(page).content.decode()
    where.edit(deal, is_tender=True)
    assert "A better-fitting process exists" in client.get(page).content.decode()
    client.post(url, {"do": "leave"})
    set_rules(
        "opportunity",
        [{"condition": {"all": [TENDER, {"field": "amount", "op": "gte", "value": 1}]}, "process": OTHER}],
        **where.how(where.people["tang"]),
    )
    assert "A better-fitting process exists" in client.get(page).content.decode()


def test_nobody_sends_a_record_elsewhere_than_the_rules_do_but_a_publisher(where):
    deal = where.deal("园区网")
    with pytest.raises(SwitchRefused):
        switched(where, deal)
    with pytest.raises(SwitchRefused):
        leave_where_it_is(deal.journey_id, **where.how())
    assert Event.objects.filter(type="migrated").count() == 0
    assert not FitDismissal.objects.exists()


def test_strangers_late_forms_and_unknown_stages_change_nothing(where):
    deal = tendered(where)
    how = {"process_key": OTHER, "version": journey_of(deal).version}
    with pytest.raises(NotFound):
        switch_process(deal.journey_id, **how, **where.how(where.qi))
    with pytest.raises((NotPermitted, NotFound)):
        switch_process(deal.journey_id, **how, **where.how(where.shen))
    with pytest.raises(Stale):
        switch_process(deal.journey_id, **(how | {"version": 99}), **where.how())
    with pytest.raises(Invalid):
        switch_process(deal.journey_id, **how, stage="nowhere", **where.how())
    assert journey_of(deal).process_key == PROCESS


def test_a_record_that_is_over_or_being_decided_stays(where):
    deal = tendered(where)
    Journey.objects.filter(pk=deal.journey_id).update(approvals=1)
    with pytest.raises(SwitchRefused):
        switched(where, deal)
    assert journey_of(deal).process_key == PROCESS


def test_through_the_api_with_a_version_and_what_it_says_afterwards(client, where):
    deal = tendered(where)
    trial = try_switch(journey_of(deal), OTHER, at=where.at)
    body = {"process": OTHER}
    if trial.outlook.to_stage is None:
        body["stage"] = trial.definition.stages[0].key
    client.force_login(where.zhou)
    url = f"/api/v1/journeys/{deal.journey_id}/process"
    version = journey_of(deal).version

    assert client.post(url, body, content_type="application/json").status_code == 428
    answer = client.post(url, body, content_type="application/json", headers={"If-Match": f'"{version}"'})

    assert answer.status_code == 200, answer.content
    assert answer.json()["process"] == OTHER
    assert client.get(f"/api/v1/journeys/{deal.journey_id}/better-process").json()["process"] == ""
    page = client.get(reverse("crm:opportunity", args=[deal.pk]))
    assert page.status_code == 200 and "Another process, at" in page.content.decode()
