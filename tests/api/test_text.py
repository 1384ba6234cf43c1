"""Whatever stands in a text: a message or a stored value, never a 5xx."""

import json

import pytest
from tests.api.conftest import taken_back
from tests.api.operations import LINES, bodies

LONG = "长" * 350_000
HOSTILE = {
    "NUL": "a\\u0000b", "half a character": "a\\ud800b", "right to left": "a\\u202eb", "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "beyond the plane": "𠮷野家 𪚥", "nothing wide": "\\u200b\\ufeff", "a megabyte": LONG, "markup": "<script>alert(1)</script>",
    "quotes": "'; DROP TABLE crm_account; --", "template": "{{7*7}}${7*7}", "full width": "＝１＋１",
}  # fmt: skip


def with_text(body: object, text: str) -> object:
    if isinstance(body, dict):
        return {key: with_text(value, text) for key, value in body.items()}
    if isinstance(body, list):
        return [with_text(value, text) for value in body]
    return text if isinstance(body, str) else body


@pytest.mark.rule("T22")
def test_no_text_breaks_an_operation(call, place, key_of, caplog):
    call("imports_get")
    broken = []
    for name in bodies():
        caplog.clear()  # each record of a refusal holds its request, and that a megabyte
        line = LINES[name]
        given = line.body(place) if line.body else {}
        for what, text in HOSTILE.items():
            for part in [key for key, value in given.items() if isinstance(value, str | dict | list)]:
                raw = json.dumps({**given, part: with_text(given[part], "@@")}, ensure_ascii=False)
                if text is LONG:  # once: a process has hundreds of texts
                    raw = raw.replace("@@", text, 1)
                raw = raw.replace("@@", "x" if text is LONG else text)
                with taken_back():
                    answer = call(name, body=raw.encode())
                if answer.status_code >= 500 or b"Traceback" in answer.content:
                    broken.append(f"{name} {part} {what}: {answer.status_code}")
    assert broken == []


NO_DOCUMENTS = [
        b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b'{"name": "a", "name": "b"}', b'{"name": NaN}',
        b'{"amount": 1e999, "name": "a"}', b"[" * 100_000, b'{"a":' * 100_000, b'{"name": "\\ud800"}', b'{"na\\u0000me": 1}',
        b'{"name": "a", "amount": ' + b"9" * 5000 + b"}", "{\"name\": \"a\"}".encode("utf-16"),
]  # fmt: skip


@pytest.mark.rule("T22")
def test_what_is_no_document_is_refused_as_such(where, key_of):
    door = key_of(where.zhou)
    for raw in NO_DOCUMENTS:
        answer = door("POST", "/opportunities", raw)
        assert (answer.status_code, json.loads(answer.content)["code"]) == (400, "bad-input"), raw[:40]


NO_VALUES = [
        ({"amount": -1}, "amount"), ({"amount": "1e20"}, "amount"), ({"amount": True}, "amount"),
        ({"discount": "99999"}, "discount"), ({"margin": "100.01"}, "margin"), ({"account": 10**30}, "account"),
        ({"account": 0}, "account"), ({"expected_close_date": "0001-01-01"}, "expected_close_date"),
        ({"expected_close_date": "9999-12-31"}, "expected_close_date"), ({"expected_close_date": 1}, "expected_close_date"),
        ({"name": ""}, "name"), ({"name": None}, "name"), ({"currency": "XXX"}, "currency"), ({"is_tender": "yes"}, "is_tender"),
        ({"fields": {"customer_problem": [1]}}, "customer_problem"), ({"fields": {"credit_days": 10**30}}, "credit_days"),
        ({"fields": {"next_meeting_on": "31.12."}}, "next_meeting_on"),
]  # fmt: skip


@pytest.mark.rule("T22")
def test_a_value_that_no_column_holds_is_named(where, key_of):
    deal, door = where.deal(), key_of(where.zhou)
    for body, field in NO_VALUES:
        answer = door.patch(f"/opportunities/{deal.pk}", body, 1)
        assert answer.status_code in {400, 422}, (body, answer.content)
        assert any(error["field"].startswith(field) for error in answer.json()["errors"]), (
            body,
            answer.content,
        )
    deal.refresh_from_db()
    assert deal.version == 1


def test_credit_codes_name_one_company_and_none_stands_above_itself(where, key_of):
    first, second = where.account(), where.account()
    door = key_of(where.zhou)
    assert door.patch(f"/accounts/{first.pk}", {"uscc": "91310000MA1FL0XX0X"}, 1).status_code == 200
    for body in ({"uscc": "91310000MA1FL0XX0X"}, {"parent": second.pk}):
        answer = door.patch(f"/accounts/{second.pk}", body, 1)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(body)))
    twice = door.post("/accounts", {"name": "启晨", "uscc": "91310000MA1FL0XX0X"})
    assert twice.status_code == 422


@pytest.mark.rule("T11")
def test_a_file_is_stored_inert(where, key_of, settings):
    from django.core.files.uploadedfile import SimpleUploadedFile

    deal, door = where.deal(), key_of(where.zhou)
    body = b"<script>alert(1)</script>"
    made = door.client.post(
        "/api/v1/files",
        {"subject_type": "opportunity", "subject_id": deal.pk, "kind": "minutes",
         "content": SimpleUploadedFile("../../evil.html", body, content_type="text/html")},
        headers=door.headers,
    )  # fmt: skip
    assert made.status_code == 201, made.content
    assert made.json()["name"] == "evil.html"
    answer = door.client.get(f"/api/v1/files/{made.json()['id']}/content", headers=door.headers)
    assert b"".join(answer.streaming_content) == body
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
