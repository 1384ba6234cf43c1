"""Which process a new record takes: ordered rules, first match wins, else the default (PD-4)."""

import copy

import pytest
from tests.factories.crm import PROCESS, Company, company

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.crm import services as crm
from fairlead.journal.models import Event
from fairlead.process import services
from fairlead.process.models import AssignmentRule, Journey
from fairlead.process.services.assigning import better_fit, set_rules
from fairlead.process.services.shipping import shipped

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PD-4")]
TENDER = {"field": "is_tender", "op": "eq", "value": True}
LARGE = {"field": "amount", "op": "gte", "value": 1000000}


@pytest.fixture
def where() -> Company:
    made = company(language="en")
    for key in ("plain_opportunity", "ltc_opportunity"):
        document = copy.deepcopy(shipped(key))
        services.publish(document, **made.how(made.admin))
    crm_default = {"opportunity": PROCESS}
    type(made.admin)._meta.apps.get_model("organisation", "Organisation").objects.update(
        default_processes=crm_default
    )
    rules = [
        {"condition": TENDER, "process": "ltc_opportunity"},
        {"condition": LARGE, "process": "plain_opportunity"},
    ]
    set_rules("opportunity", rules, **made.how(made.people["tang"]))
    return made


def taken(where, **values):
    given = {
        "name": "园区网",
        "account": where.account("恒岳").pk,
        "expected_close_date": "2099-01-01",
    } | values
    deal = crm.create("opportunity", given, **where.how())
    return deal, Journey.objects.get(pk=deal.journey_id).process_key


def test_the_first_rule_that_holds_decides_and_what_no_rule_takes_goes_the_default_way(where):
    assert taken(where, is_tender=True, amount=5000000)[1] == "ltc_opportunity"
    assert taken(where, amount=5000000)[1] == "plain_opportunity"
    assert taken(where, amount=10)[1] == PROCESS
    assert taken(where)[1] == PROCESS


def test_a_field_that_changes_later_switches_nothing_and_names_the_better_fit(where):
    deal, key = taken(where, amount=10)
    where.edit(deal, is_tender=True)

    assert Journey.objects.get(pk=deal.journey_id).process_key == key == PROCESS
    published = [PROCESS, "plain_opportunity", "ltc_opportunity"]
    values = {"is_tender": True, "amount": 10}
    assert better_fit("opportunity", key, values, at=where.at, published=published) == "ltc_opportunity"
    assert better_fit("opportunity", "ltc_opportunity", values, at=where.at, published=published) == ""


def test_rules_are_checked_journaled_and_set_by_publishers_alone(client, where):
    with pytest.raises(NotPermitted):
        set_rules("opportunity", [], **where.how())
    with pytest.raises(Invalid) as refused:
        set_rules(
            "opportunity",
            [{"condition": {"field": "nothing", "op": "present"}, "process": "nowhere"}],
            **where.how(where.people["tang"]),
        )
    assert [e["field"] for e in refused.value.details["errors"]] == [
        "rules.0.condition.field",
        "rules.0.process",
    ]
    assert AssignmentRule.objects.count() == 2
    client.force_login(where.people["tang"])
    answer = client.put(
        "/api/v1/assignment/opportunity", {"rules": [{"condition": LARGE, "process": PROCESS}]},
        content_type="application/json",
    )  # fmt: skip
    assert answer.json()["rules"] == [{"condition": LARGE, "process": PROCESS}]
    assert Event.objects.filter(type="assignment_set").count() == 2
