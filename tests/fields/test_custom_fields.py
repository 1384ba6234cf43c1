"""Custom fields that cannot be are refused before anything is written, by field and with the mend."""

from copy import deepcopy

import pytest
from django.db.models import Count
from django.utils.translation import override
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import catalogue
from fairlead.fields.models import CustomField
from fairlead.fields.services import add_field
from fairlead.process import services as process
from fairlead.process.models import Evaluation
from fairlead.process.refusals import GateRefused
from fairlead.work.models import Activity, File


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.mark.rule("T05")
@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"type": "record"}, "type", "Take a person, a team or a choice"),
        ({"type": "spell"}, "type", "no such type"),
        ({"type": "choice"}, "options", "at least one option"),
        ({"key": "name"}, "key", "already has this key"),
        ({"key": "9lives"}, "key", "begin with a letter"),
        ({"label": {}}, "label", "Name the field"),
        ({"subject_type": "spaceship"}, "subject_type", "no such kind"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name(where: Company, wrong: dict, field: str, words: str):
    before = CustomField.objects.count()
    given = {"subject_type": "account", "key": "extra", "type": "text", "label": {"en": "Extra"}} | wrong
    with override("en"), pytest.raises(Invalid) as caught:
        add_field(**given, **where.how(where.admin))
    errors = {e["field"]: e["message"] for e in caught.value.details["errors"]}
    assert words in errors[field]
    assert CustomField.objects.count() == before


@pytest.mark.rule("GT-1", "FLD-2")
def test_a_field_added_by_hand_is_read_by_a_gate_at_once(where: Company):
    add_field(
        subject_type="opportunity", key="line_stopped_on", type="date", label={"en": "Line stopped on"},
        **where.how(where.admin),
    )  # fmt: skip
    document = deepcopy(where.version.document)
    document["version"] += 1
    stage = next(s for s in document["stages"] if s["key"] == "customer_contact")
    stage["exit"].append(
        {
            "key": "stop_known", "name": {"zh": "停机日已知", "en": "Day of the stop known"}, "type": "field",
            "level": "block", "role": "AR", "field": "line_stopped_on", "op": "present",
        }
    )  # fmt: skip
    process.publish(document, **where.how(where.tang))
    deal = where.fulfil(where.deal())
    with pytest.raises(GateRefused) as caught:
        where.move(deal, to="needs_analysis")
    assert [g.key for g in caught.value.verdict.gaps] == ["stop_known"]
    where.edit(deal, line_stopped_on="2026-02-03")
    where.move(deal, to="needs_analysis")
    assert where.journey(deal).stage.key == "needs_analysis"


@pytest.mark.rule("EV-1", "GT-4")
def test_every_attempt_keeps_all_fields_and_the_counts_of_evidence(where: Company):
    """So that a criterion invented later can be tried on it."""
    deal = where.fulfil(where.deal(), but=("bant",))
    with pytest.raises(GateRefused):
        where.move(deal, to="needs_analysis")
    kept = Evaluation.objects.get(journey_id=deal.journey_id, allowed=False)
    known = {spec.key for spec in catalogue("opportunity")}
    assert set(kept.facts["fields"]) | set(kept.facts["unknown"]) >= known
    activities = Activity.objects.filter(subject_type="opportunity", subject_id=deal.pk, state="done")
    assert kept.facts["activities"] == dict(
        activities.values_list("kind").annotate(n=Count("pk")).order_by("kind")
    )
    files = File.objects.filter(subject_type="opportunity", subject_id=deal.pk, withdrawn_at=None)
    assert sum(kept.facts["documents"].values()) == files.count()
    assert sum(kept.facts["relations"].values()) == deal.contact_roles.count()
    assert {r["key"] for r in kept.results} >= {"contact_two_way", "problem_stated", "bant"}
