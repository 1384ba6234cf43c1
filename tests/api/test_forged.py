"""T05: nothing that is not declared is taken, and no id of a record that the caller cannot see."""

import json

import pytest
from django.apps import apps
from tests.api.conftest import taken_back
from tests.api.operations import LINES, bodies, components, operations
from tests.kit.fingerprint import changed, db_fingerprint

ROOMS = {"organisation", "fields", "work", "process", "crm", "offers"}
VALUES = [True, "true", 1, [1], {"id": 1}, None]


def forged_names() -> set[str]:
    """Every column of every model, under its name and as it is stored."""
    names = {"is_staff", "is_superuser", "approved_by", "org", "created_by", "price_floor"}
    for model in apps.get_models():
        if model._meta.app_label in ROOMS:
            names |= {name for f in model._meta.concrete_fields for name in (f.name, f.attname)}
    return names


def declared(name: str) -> set[str]:
    schema = operations()[name][2]["requestBody"]["content"]["application/json"]["schema"]
    return set((components()[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema)["properties"])


@pytest.mark.rule("T05")
def test_a_field_that_is_not_declared_is_refused(call, place):
    """Every column of every model at every operation; the value turns through the kinds that were ever believed."""
    call("imports_get")
    names = forged_names()
    assert len(names) > 150
    before = db_fingerprint()
    for name in bodies():
        line = LINES[name]
        given = line.body(place) if line.body else {}
        forged = {key: VALUES[i % len(VALUES)] for i, key in enumerate(sorted(names - declared(name)))}
        answer = call(name, body={**given, **forged})
        assert answer.status_code == 400, name
        refused = {error["field"].rsplit(".", 1)[-1] for error in json.loads(answer.content)["errors"]}
        assert set(forged) <= refused, name
        for key in ("owner", "id", "version", "is_superuser", "stage"):
            if key not in declared(name):
                assert call(name, body={**given, key: 1}).status_code == 400, (name, key)
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("T05")
def test_a_part_that_is_not_declared_is_refused(call, place):
    for name in ("files_upload", "imports_upload"):
        line = LINES[name]
        assert line.body is not None
        for key in ("owner", "sha256", "added_by", "content2", "created_by"):
            assert call(name, body={**line.body(place), key: "1"}).status_code == 400


FOREIGN = [
        ("opportunities_create", lambda p, foreign: {"name": "x", "account": foreign["account"]}),
        ("opportunities_edit", lambda p, foreign: {"account": foreign["account"]}),
        ("contacts_create", lambda p, foreign: {"name": "x", "account": foreign["account"]}),
        ("contacts_edit", lambda p, foreign: {"account": foreign["account"]}),
        ("accounts_edit", lambda p, foreign: {"parent": foreign["account"]}),
        ("contact_roles_add", lambda p, foreign: {"contact": foreign["contact"], "role": "EB"}),
        ("contracts_create", lambda p, foreign: {
            "opportunity": foreign["opportunity"], "number": "N", "amount": "1", "currency": "CNY"}),
        ("activities_log", lambda p, foreign: {
            **LINES["activities_log"].body(p), "contacts": [foreign["contact"]]}),
        ("activities_plan", lambda p, foreign: {
            **LINES["activities_plan"].body(p), "subject_id": foreign["opportunity"]}),
        ("comments_create", lambda p, foreign: {
            "subject_type": "account", "subject_id": foreign["account"], "text": "x"}),
        ("tasks_create", lambda p, foreign: {
            "subject_type": "opportunity", "subject_id": foreign["opportunity"], "title": "x"}),
]  # fmt: skip


@pytest.mark.rule("T05")
def test_an_invisible_record_is_as_good_as_none(call, place):
    """The same answer for one of somebody else and for one that never was."""
    theirs = place.where.deal(owner=place.where.qi)
    contact = place.where.contact(theirs.account)
    foreign = {"opportunity": theirs.pk, "account": theirs.account_id, "contact": contact.pk}
    nowhere = dict.fromkeys(foreign, 999999)
    before = db_fingerprint()
    for name, body in FOREIGN:
        answers = [call(name, body=body(place, ids)) for ids in (foreign, nowhere)]
        assert {a.status_code for a in answers} <= {404, 422}, (name, answers[0].content)
        told = [json.loads(a.content) | {"request_id": ""} for a in answers]
        text = [json.dumps(t).replace(str(contact.pk), "N").replace("999999", "N") for t in told]
        assert text[0] == text[1], name
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("T05", "T04")
def test_a_field_beyond_ones_rights_can_neither_be_written_nor_reached_as_a_custom_one(call, place, key_of):
    deal = place.deal
    place.where.edit(deal, margin="31.5")
    fulfilment = key_of(place.where.mo)
    assert fulfilment.patch(f"/opportunities/{deal.pk}", {"amount": 1}, 3).status_code == 403
    owner = key_of(place.where.zhou)
    deal.refresh_from_db()
    for forged in ({"margin": "1"}, {"owner": place.where.lin.pk}, {"commercial_locked": False}, {"nope": 1}):
        with taken_back():
            answer = owner.patch(f"/opportunities/{deal.pk}", {"fields": forged}, deal.version)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.rule("T05")
def test_editing_a_contact_never_touches_a_sign_in(call, place):
    before = place.where.zhou.email
    answer = call("contacts_edit", body={"email": "zhou@example.com", "name": "周敏"})
    assert answer.status_code == 200
    place.where.zhou.refresh_from_db()
    assert place.where.zhou.email == before
