"""T03: a foreign id and one that never was get the same answer, whatever is asked, and nothing changes."""

import json
import re

import pytest
from tests.api.operations import LINES, operations
from tests.kit.fingerprint import changed, db_fingerprint

NEVER = 999_999_999
#: Everybody may read these, or they have no foreign rows; market segments are seen by everybody too.
EVERYBODYS = {"users_get", "calendars_get", "fields_change", "keys_revoke"}


def plain(answer) -> tuple:
    """The answer without its request id and its own address."""
    body = re.sub(rb'"request_id": "\w+"', b"", answer.content)
    headers = {k: v for k, v in answer.headers.items() if k not in {"X-Request-ID", "Content-Length"}}
    return answer.status_code, headers, body


@pytest.mark.rule("T03", "T01", "T02")
def test_a_strangers_record_and_one_that_never_was_look_the_same(call, place, key_of):
    """To somebody who holds the right over other rows: qi sells in the other branch, luo leads it."""
    where = place.where
    call("imports_get")
    doors = {
        "zhou": key_of(where.qi),
        "he": key_of(where.qi),
        "chen": key_of(where.luo),
        "admin": key_of(where.luo),
        "tang": key_of(where.luo),
    }
    for door in doors.values():
        door.get("/me")
    before = db_fingerprint()
    tried = 0
    for name, (_method, path, _details) in operations().items():
        line = LINES[name]
        if "{pk}" not in path or name in EVERYBODYS or line.of == "segment":
            continue
        foreign, never = call(name, door=doors[line.by]), call(name, door=doors[line.by], pk=NEVER)
        assert foreign.status_code in {403, 404}, (name, foreign.content)
        assert plain(foreign) == plain(never), name
        tried += 1
    assert tried > 45
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("T03")
def test_what_is_no_id_is_as_unknown(where, key_of):
    door = key_of(where.zhou, "read")
    for odd in ("0", "-1", "1.0", "abc", "01", "1" * 40, "%00", "1;", "１"):
        answer = door.get(f"/opportunities/{odd}")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "not-found"), odd


@pytest.mark.rule("T01")
def test_lists_hold_what_one_sees(where, key_of, session_of):
    mine, theirs, south = where.deal(), where.deal(owner=where.lin), where.deal(owner=where.qi)
    seen = {}
    for name in ("zhou", "lin", "wu", "chen", "luo", "qi", "admin", "newcomer"):
        answer = session_of(where.people[name]).get("/opportunities")
        seen[name] = (
            {row["id"] for row in answer.json()["items"]} if answer.status_code == 200 else answer.status_code
        )
    assert seen == {
        "zhou": {mine.pk}, "lin": {theirs.pk}, "wu": set(), "chen": {mine.pk, theirs.pk}, "luo": {south.pk},
        "qi": {south.pk}, "admin": {mine.pk, theirs.pk, south.pk}, "newcomer": 403,
    }  # fmt: skip
    for name in ("zhou", "chen", "luo"):
        rows = key_of(where.people[name]).get("/journeys").json()["items"]
        assert {row["subject_id"] for row in rows} == seen[name]


@pytest.mark.rule("T01")
def test_the_journal_is_read_as_far_as_the_right_to_audit_reaches(where, key_of):
    mine, south = where.deal(), where.deal(owner=where.qi)
    assert key_of(where.zhou).get("/events").status_code == 403
    whole = key_of(where.shen).get("/events", subject_type="opportunity", limit=200).json()["items"]
    branch = key_of(where.luo).get("/events", limit=200).json()["items"]
    assert {row["subject_id"] for row in whole} == {mine.pk, south.pk}
    assert {(r["subject_type"], r["subject_id"]) for r in branch} == {
        ("opportunity", south.pk),
        ("account", south.account_id),
    }
