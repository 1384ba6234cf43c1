"""Every actor at every route with every method, each request taken back, and what it would have written."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import quote

from django.db import connection
from django.test import Client
from django.urls import reverse
from tests.access import objects
from tests.access.bodies import BODIES, Body
from tests.access.objects import FOREIGN, MINE, Objects
from tests.kit.fingerprint import Fingerprint, changed, db_fingerprint
from tests.kit.isolation import undone

from fairlead.common.access import routes

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
DENIED: Final = frozenset({401, 403, 404, 405})
WRITE: Final = re.compile(
    r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE
)
#: What a request may always write: sessions, and the count of failed sign-ins.
UNCOUNTED: Final = ("django_session", "axes_")
#: The note of a key's last use, at most every ten minutes.
KEY_USED: Final = 'UPDATE "organisation_apikey" SET "last_used_at"'
#: A gate that refuses remembers the attempt: one evaluation with its event, nothing else.
ATTEMPT: Final = frozenset({"process.Evaluation", "journal.Event", "journal.EventDetail"})
EVERY: Final = 97  # so many denied requests are between two that are looked at in full


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]
    path: str
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_denied(self) -> bool:
        return self.status in DENIED or self.is_to_sign_in

    @property
    def is_to_sign_in(self) -> bool:
        return self.status == 302 and self.headers.get("Location", "").startswith(
            reverse("organisation:sign_in")
        )


def patterns() -> list[str]:
    """Every address of the product, each once."""
    return sorted({route.pattern.lstrip() for route in routes()})


def places(pattern: str) -> tuple[str, ...]:
    return (MINE, FOREIGN) if objects.kind_of(pattern) else (MINE,)


class Walker:
    """`send` answers as a client would be answered, and leaves the company as it was."""

    def __init__(self, made: Objects, clients: dict[str, Client]) -> None:
        self.objects, self.clients = made, clients
        self.before: Fingerprint = db_fingerprint()
        self._seen = 0

    def send(self, actor: str, method: str, pattern: str, which: str, more: Body | None = None) -> Answer:
        """`changes` is filled for whatever must not change anything: the denied, the safe, the refused."""
        path = objects.address(pattern, self.objects, which)
        with undone(), _written() as tables:
            response = self._request(actor, method, pattern, which, path, more or {})
            answer = Answer(response.status_code, _content(response), dict(response.headers), path)
            still = answer.is_denied or method == "GET" or answer.status == 422
            if still and self._is_due():
                answer.changes = changed(self.before, db_fingerprint())
            elif still and tables:
                answer.changes = self._changes_in(tables)
        return answer

    def _is_due(self) -> bool:
        self._seen += 1
        return self._seen % EVERY == 0

    def _changes_in(self, tables: set[str]) -> dict[str, Any]:
        after = db_fingerprint(tables=tables)
        return changed({name: self.before[name] for name in after}, after)

    def _request(self, actor: str, method: str, pattern: str, which: str, path: str, more: Body) -> Any:
        """As sent by a browser, whose cookies stay as they were, or to the API with a version in If-Match."""
        client = self.clients[actor]
        kept = SimpleCookie(client.cookies.output(header="", sep=";"))
        body = {**self._body(pattern, method, which), **more}
        try:
            if path.startswith("/api/"):
                said = "" if method == "GET" else json.dumps(body)
                return client.generic(method, path, said, "application/json", headers={"If-Match": '"1"'})
            if method == "POST":
                return client.post(path, {name: value for name, value in body.items() if value is not None})
            return client.generic(method, path)
        finally:
            client.cookies = kept

    def _body(self, pattern: str, method: str, which: str) -> Body:
        make = BODIES.get((pattern, method))
        return make(self.objects, which) if make else {}


@contextmanager
def _written() -> Iterator[set[str]]:
    """The tables that the statements inside would change."""
    tables: set[str] = set()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = None if sql.startswith(KEY_USED) else WRITE.match(sql)
        if found and not found.group(1).startswith(UNCOUNTED):
            tables.add(found.group(1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield tables


def _content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def is_allowed_change(answer: Answer) -> bool:
    """Nothing changed, or the one attempt of a refused gate."""
    if not answer.changes:
        return True
    rows = {name: after[0] - before[0] for name, (before, after) in answer.changes.items() if name in ATTEMPT}
    others = answer.changes.keys() - rows.keys()
    return answer.status == 422 and not others and set(rows.values()) <= {0, 1}


REQUEST_ID: Final = "X-Request-ID"
_OWN_HEADERS: Final = frozenset({REQUEST_ID, "Set-Cookie", "Content-Length"})
_NOISE: Final = (
    (re.compile(rb'name="csrf-token" content="[^"]*"'), b""),
    (re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"'), b""),
    (
        re.compile(rb"\b[0-2]\d:[0-5]\d\b"),
        b"",
    ),  # the frame tells the minute, and two requests may fall into two
)


def plain(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs between any two: tokens, the number of the request, the address."""
    body = answer.body.replace(answer.headers.get(REQUEST_ID, "").encode() or b"\x00", b"")
    for pattern, rest in _NOISE:
        body = pattern.sub(rest, body)
    headers = {name: value for name, value in answer.headers.items() if name not in _OWN_HEADERS}
    for said in (answer.path, quote(answer.path, safe="")):
        body = body.replace(said.encode(), b"PATH")
        headers = {name: value.replace(said, "PATH") for name, value in headers.items()}
    return answer.status, headers, body
