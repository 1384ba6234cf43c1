import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.utils import timezone
from tests.api.operations import FILE, LINES, SESSION_ONLY, Line, Place, furnish, operations
from tests.factories.crm import Company, company

from fairlead.exchange import services as imports
from fairlead.journal.enums import Channel
from fairlead.organisation import services

ROOT = "/api/v1"


@dataclass
class Door:
    """The API as one person, through a key or a session."""

    client: Client
    headers: dict[str, str]

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()} | self.headers
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, ROOT + path, data, content_type="application/json", headers=named)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(ROOT + path, query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, version: int | None = None) -> Any:
        return self("PATCH", path, body, **({} if version is None else {"If_Match": f'"{version}"'}))


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.fixture
def key_of() -> Callable[..., Door]:
    """`key_of(user, "read", "write")`: the API through a new key of that person."""

    def make(user: Any, *scopes: str, days: int = 30) -> Door:
        at = timezone.now()
        _key, text = services.create_api_key(
            user, name="ERP", scopes=scopes or ("read", "write", "decide", "import", "manage"),
            expires_at=at + timedelta(days=days), by=user, at=at, channel=Channel.UI,
        )  # fmt: skip
        return Door(Client(), {"Authorization": f"Bearer {text}"})

    return make


@pytest.fixture
def session_of() -> Callable[..., Door]:
    """The API as somebody who has signed in on the pages; the test client carries no CSRF token and needs none."""

    def make(user: Any) -> Door:
        client = Client()
        client.force_login(user)
        return Door(client, {})

    return make


@pytest.fixture
def nobody() -> Door:
    return Door(Client(), {})


@pytest.fixture
def place(where: Company) -> Place:
    return furnish(where)


@pytest.fixture
def call(place: Place, key_of: Callable[..., Door], session_of: Callable[..., Door]) -> Callable[..., Any]:
    """`call("opportunities_get")`: as its line in `operations` says, with whatever is given changed."""
    doors: dict[Any, Door] = {}
    for name in LINES:
        _door(doors, name, place.where.people[LINES[name].by], key_of, session_of)

    def make(
        name: str, *, door: Door | None = None, pk: int | None = None, body: Any = None, version: str = ""
    ) -> Any:
        line, (method, path, details) = LINES[name], operations()[name]
        person = place.where.people[line.by]
        door = door or _door(doors, name, person, key_of, session_of)
        target = pk or _target(place, line, person)
        for slot, value in {"pk": str(target), **line.path}.items():
            path = path.replace("{" + slot + "}", value)
        headers = {}
        if any(p["name"] == "If-Match" for p in details["parameters"]):
            headers["If-Match"] = f'"{version or place.versions.get(line.of, 1)}"'
        given = body if body is not None else line.body(place) if line.body else None
        if line.form:
            parts = {k: SimpleUploadedFile(*v) if isinstance(v, tuple) else v for k, v in given.items()}
            return door.client.post(ROOT + path, parts, headers=door.headers | headers)
        if line.query:
            return door.get(path, **line.query(place))
        return door(method, path, given, **headers)

    return make


def _door(doors: dict[Any, Door], name: str, person: Any, key_of: Any, session_of: Any) -> Door:
    how = session_of if name in SESSION_ONLY else key_of
    if (how, person.pk) not in doors:
        doors[how, person.pk] = how(person)
        doors[how, person.pk].get("/me")  # the first use of a key is noted
    return doors[how, person.pk]


def _target(place: Place, line: Line, person: Any) -> int:
    if line.of == "key" and "key" not in place.ids:
        at = timezone.now()
        place.ids["key"] = services.create_api_key(
            person, name="old", scopes=["read"], expires_at=at + timedelta(days=1), by=person, at=at, channel=Channel.UI
        )[0].pk  # fmt: skip
    if line.of == "import" and "import" not in place.ids:
        place.ids["import"] = imports.stage_file(
            [FILE[1]], file_name=FILE[0], kind="account", by=person, at=timezone.now(), channel=Channel.UI).pk  # fmt: skip
    return place.ids.get(line.of, 0)
