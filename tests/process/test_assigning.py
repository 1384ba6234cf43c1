"""Which process a new record takes: ordered rules, first match wins, else the default (PD-4)."""

import copy
import re

import pytest
from django.core.management import call_command
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


# --- the page ---

PAGE = "/processes/assignment/"


def stamp_in(client):
    return re.search(r'name="stamp" value="(\w+)"', client.get(PAGE).content.decode())[1]


def test_the_page_shows_sentences_what_each_takes_and_who_set_them(client, where):
    taken(where, is_tender=True, amount=5000000)
    taken(where, amount=5000000)
    taken(where, amount=10)
    client.force_login(where.people["tang"])

    text = client.get(PAGE).content.decode()

    assert (
        text.index("If Tender") < text.index("If Expected") if "If Expected" in text else "If Tender" in text
    )
    assert text.count("would take 1 open record, 1 on it already") == 3
    assert "Everything else" in text and where.people["tang"].name in text


def test_rules_are_added_moved_changed_and_taken_out_on_the_page(client, where):
    client.force_login(where.people["tang"])

    def post(**data):
        return client.post(PAGE, {"kind": "opportunity", "stamp": stamp_in(client)} | data)

    condition = {
        "condition-1-field": "amount", "condition-1-op": "lt", "condition-1-value": "1000", "condition-mode": "all",
        **{f"condition-{i}-{part}": {"op": "present"}.get(part, "") for i in (2, 3) for part in ("field", "op", "value")},
    }  # fmt: skip
    assert post(do="add", process=PROCESS, **condition).status_code == 302
    assert rules_now()[-1] == ({"field": "amount", "op": "lt", "value": 1000}, PROCESS)
    assert post(do="up", number="3").status_code == 302
    assert rules_now()[1][0]["op"] == "lt"
    assert post(do="set", number="2", process="ltc_opportunity", **condition).status_code == 302
    assert rules_now()[1][1] == "ltc_opportunity"
    assert post(do="remove", number="2").status_code == 302
    assert [tree for tree, _key in rules_now()] == [TENDER, LARGE]
    refused = post(do="add", process=PROCESS, **(condition | {"condition-1-value": "viel"}))
    assert refused.status_code == 422 and "viel" in refused.content.decode()
    assert post(do="remove", number="9").status_code == 422
    assert len(rules_now()) == 2


def rules_now():
    return list(AssignmentRule.objects.order_by("position").values_list("condition", "process_key"))


def test_two_who_change_the_rules_at_once_overwrite_nothing(client, where):
    client.force_login(where.people["tang"])
    old = stamp_in(client)
    set_rules("opportunity", [{"condition": TENDER, "process": PROCESS}], **where.how(where.people["tang"]))

    late = client.post(PAGE, {"kind": "opportunity", "stamp": old, "do": "remove", "number": "1"})

    assert late.status_code == 409 and len(rules_now()) == 1


def test_a_seller_reads_the_rules_and_changes_none(client, where):
    client.force_login(where.zhou)
    page = client.get(PAGE)
    assert page.status_code == 200 and "Add the rule" not in page.content.decode()
    assert client.post(PAGE, {"kind": "opportunity", "do": "remove", "number": "1"}).status_code == 403
    assert len(rules_now()) == 2


def test_the_command_prints_what_it_reads(where, tmp_path, capsys):
    call_command("process", "assignment", "show")
    told = capsys.readouterr().out
    file = tmp_path / "rules.yaml"
    file.write_text(told, encoding="utf-8")
    set_rules("opportunity", [], **where.how(where.people["tang"]))

    call_command("process", "assignment", "set", str(file))

    assert [key for _tree, key in rules_now()] == ["ltc_opportunity", "plain_opportunity"]
    file.write_text(
        "kind: opportunity\nrules:\n- condition: {field: nothing, op: present}\n  process: nowhere\n"
    )
    with pytest.raises(SystemExit):
        call_command("process", "assignment", "set", str(file))
    assert "rules.0.process" in capsys.readouterr().err and len(rules_now()) == 2
