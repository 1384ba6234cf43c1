"""Who comes in: nobody, keys with their scopes and ends, sessions with their token."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from tests.api.conftest import taken_back
from tests.api.operations import LINES, SESSION_ONLY, operations
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.common.access import PUBLIC, SIGNED_IN, routes
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.enums import KeyScope
from fairlead.organisation.models import ApiKey
from fairlead.organisation.rights import KEY_RIGHTS
from fairlead.process.services.shipping import shipped


def problem(answer) -> dict:
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = json.loads(answer.content)
    assert found["status"] == answer.status_code
    return found


@pytest.mark.rule("T06")
def test_every_operation_has_a_line():
    assert set(operations()) == set(LINES)


@pytest.mark.rule("T01", "T05")
def test_every_operation_does_what_its_line_says(call):
    call("imports_get")
    wrong = []
    for name, line in LINES.items():
        with taken_back():
            answer = call(name)
            if answer.status_code != line.status:
                wrong.append(f"{name}: {answer.status_code} {answer.content[:300]!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.rule("T01", "T02")
def test_nobody_gets_a_problem_document_and_changes_nothing(call, place, nobody):
    call("keys_revoke")
    call("imports_get")
    before = db_fingerprint()
    for name in LINES:
        answer = call(name, door=nobody)
        assert answer.status_code == 401, name
        assert problem(answer)["code"] == "not-signed-in"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("T12")
def test_a_key_that_only_reads_cannot_write(call, place, key_of):
    call("imports_get")
    doors = {name: key_of(place.where.people[name], "read") for name in {line.by for line in LINES.values()}}
    for door in doors.values():
        door.get("/me")
    before = db_fingerprint()
    for name, line in LINES.items():
        if name in SESSION_ONLY:
            continue
        answer = call(name, door=doors[line.by])
        reads = operations()[name][0] == "GET" and not name.startswith(("imports", "sample_data"))
        assert answer.status_code == (line.status if reads else 403), name
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("T12")
def test_a_key_that_only_writes_reads_nothing(call, place, key_of):
    doors = {name: key_of(place.where.people[name], "write") for name in {line.by for line in LINES.values()}}
    for name, (method, _path, _details) in operations().items():
        if method == "GET" and name not in {"me", "journeys_list"} | SESSION_ONLY:
            assert call(name, door=doors[LINES[name].by]).status_code in {403, 404}, name
    assert call("journeys_list", door=doors["zhou"]).json()["items"] == []


#: Whose records a key that only decides, imports or manages does not change.
OF_RECORDS = (
    "opportunities", "accounts", "contacts", "segments", "contracts", "milestones", "journeys", "contact_roles",
    "activities", "tasks", "comments", "files", "plan",
)  # fmt: skip


#: Keys that read and keys that write have tests of their own above.
OTHER_SCOPES = sorted({*KeyScope.values} - {KeyScope.READ.value, KeyScope.WRITE.value})


@pytest.mark.rule("T01", "T02", "T12")
@pytest.mark.one_engine("sqlite", "what a scope opens is decided before a database is asked")
@pytest.mark.parametrize("scope", OTHER_SCOPES)
def test_a_key_of_one_scope_opens_the_doors_of_that_scope_alone(call, place, key_of, scope):
    """What needs a right that is not of its scope is refused at the door, and leaves everything as it was."""
    call("imports_get")
    doors = {by: key_of(place.where.people[by], scope) for by in {line.by for line in LINES.values()}}
    needs = {
        (as_path(route.pattern), method): route.access.needs
        for route in routes() if route.access is not None and route.access.api
        for method in route.methods
    }  # fmt: skip
    for door in doors.values():
        door.get("/me")
    before = db_fingerprint()
    wrong, opened = [], set()
    for name, (method, path, _details) in operations().items():
        if name in SESSION_ONLY:
            continue
        right = needs[path, method]
        with taken_back():
            status = call(name, door=doors[LINES[name].by]).status_code
        if right not in (SIGNED_IN, PUBLIC) and right not in KEY_RIGHTS[scope] and status != 403:
            wrong.append((name, right, status))
        if status < 300 and method != "GET":
            opened.add(name)
    assert wrong == []
    after = db_fingerprint()
    if scope == KeyScope.IMPORT:  # a file that came in lies beside the database, whose rows were taken back
        after["files"] = before["files"]
    assert changed(before, after) == {}
    assert opened and not [name for name in opened if name.startswith(OF_RECORDS)]


def as_path(pattern: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", "/" + pattern.removeprefix("api/v1/"))


@pytest.mark.rule("T12")
def test_an_ended_key_and_one_of_somebody_who_left_are_as_good_as_none(where, key_of):
    door = key_of(where.zhou, "read")
    key = ApiKey.objects.get()
    assert door.get("/me").json()["key_scopes"] == ["read"]
    ApiKey.objects.filter(pk=key.pk).update(
        created_at=timezone.now() - timedelta(days=9), expires_at=timezone.now()
    )
    assert door.get("/me").status_code == 401
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(days=9))
    assert door.get("/me").status_code == 200
    services.revoke_api_key(key, by=where.zhou, at=timezone.now(), channel=Channel.UI)
    assert door.get("/me").status_code == 401

    other = key_of(where.lin, "read")
    services.deactivate(where.lin, by=where.admin, at=timezone.now(), channel=Channel.UI)
    assert other.get("/me").status_code == 401
    assert problem(other.get("/me"))["code"] == "not-signed-in"


@pytest.mark.rule("T12")
def test_keys_are_made_and_seen_in_a_session_only(where, key_of, session_of):
    door = key_of(where.admin)
    assert [door.get("/keys").status_code, door.post("/keys", {}).status_code] == [403, 403]

    session = session_of(where.zhou)
    wish = {
        "name": "ERP",
        "scopes": ["read"],
        "expires_at": (timezone.now() + timedelta(days=30)).isoformat(),
    }
    made = session.post("/keys", wish)
    assert made.status_code == 201
    text = made.json()["key"]
    assert (
        Client().get("/api/v1/me", headers={"Authorization": f"Bearer {text}"}).json()["username"] == "zhou"
    )
    listed = session.get("/keys").content.decode()
    assert text not in listed
    assert text.split("_")[1] in listed


@pytest.mark.rule("T12")
def test_a_session_writes_with_its_token_only(where, settings):
    client = Client(enforce_csrf_checks=True)
    client.force_login(where.zhou)
    body = {"data": json.dumps({"name": "启晨"}), "content_type": "application/json"}
    refused = client.post("/api/v1/accounts", **body)
    assert (refused.status_code, problem(refused)["code"]) == (403, "csrf-failed")
    client.cookies[settings.CSRF_COOKIE_NAME] = token = "a" * 32
    assert client.post("/api/v1/accounts", **body, headers={"X-CSRFToken": "b" * 32}).status_code == 403
    assert client.post("/api/v1/accounts", **body, headers={"X-CSRFToken": token}).status_code == 201
    assert client.get("/api/v1/accounts").status_code == 200


def test_the_answer_speaks_the_language_of_the_keys_owner(where, key_of):
    where.zhou.language = "zh-hans"
    where.zhou.save(update_fields=["language"])
    deal = where.deal()
    answer = key_of(where.zhou).post(f"/opportunities/{deal.pk}/move", {})
    assert answer.headers["Content-Language"] == "zh-hans"
    first = problem(answer)["gaps"][0]
    assert first["name"] == shipped("key_account_opportunity")["stages"][0]["exit"][0]["name"]["zh"]


def test_what_comes_through_the_api_says_so_in_the_journal(where, key_of):
    key_of(where.zhou).post("/accounts", {"name": "启晨"})
    assert Event.objects.get(type="created").channel == Channel.API


# --- versions ---


@pytest.mark.rule("T13")
def test_a_change_names_the_version_that_it_changes(call, place):
    call("imports_get")
    for name, (_method, _path, details) in operations().items():
        if not any(p["name"] == "If-Match" for p in details["parameters"]):
            continue
        call(name, version="998")  # opens the door of its person
        before = db_fingerprint()
        stale = call(name, version="999")
        assert (stale.status_code, problem(stale)["code"]) == (412, "stale-version"), name
        assert changed(before, db_fingerprint()) == {}, name


def test_without_a_version_nothing_is_changed(where, key_of):
    deal, door = where.deal(), key_of(where.zhou)
    refused = door.patch(f"/opportunities/{deal.pk}", {"amount": 1})
    assert (refused.status_code, problem(refused)["code"]) == (428, "precondition-required")
    odd = door("PATCH", f"/opportunities/{deal.pk}", {"amount": 1}, If_Match="one")
    assert (odd.status_code, problem(odd)["code"]) == (400, "bad-input")
    read = door.get(f"/opportunities/{deal.pk}")
    assert read.headers["ETag"] == '"1"'
    changed = door("PATCH", f"/opportunities/{deal.pk}", {"amount": 1}, If_Match=read.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"], changed.json()["amount"]) == (200, '"2"', "1.00")


def test_a_late_change_is_shown_both_sides(where, key_of):
    deal, door = where.deal(amount=10), key_of(where.zhou)
    door.patch(f"/opportunities/{deal.pk}", {"amount": "20"}, 1)
    late = problem(door.patch(f"/opportunities/{deal.pk}", {"amount": "30"}, 1))
    assert late["conflicts"] == [{"field": "amount", "yours": "30.00", "theirs": "20.00"}]
    assert late["version"] == 2
