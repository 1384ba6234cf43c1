"""A form takes what it declares and nothing else; a reference must be one that the sender can see."""

from typing import Any

import pytest
from django import forms
from django.utils import timezone
from tests.access import objects
from tests.access.bodies import BODIES
from tests.access.objects import FOREIGN, MINE
from tests.access.walk import patterns
from tests.kit.fingerprint import changed, db_fingerprint
from tests.kit.isolation import undone

from fairlead.common.access import routes
from fairlead.config.rooms import PACKAGE

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T05")]

#: Fields of models that no form of a person has under these names.
FORGED: dict[str, Any] = {
    "id": 1, "pk": 1, "owner_id": 1, "team_id": 1, "created_by": 1, "created_by_id": 1, "approved_by": 1,
    "created_at": "2001-01-01", "updated_at": "2001-01-01", "stage": 1, "stage_id": 1, "state": "won",
    "outcome": "won", "journey": 1, "journey_id": 1, "is_staff": True, "is_superuser": True,
    "is_sample": True, "is_active": False,
    "incomplete": True, "commercial_locked": True, "search_key": "forged",
    "name_key": "forged", "external_id": "forged", "declared_by": "forged", "retired_at": "2001-01-01",
    "position": 99, "facts_rev": 99, "probability": 99, "gate_state": "ready", "must_change_password": True,
    "last_login": "2001-01-01", "last_used_at": "2001-01-01", "hash": "forged", "read_right": "forged.view",
    "branch_ids": [1], "path": "000009/",
}  # fmt: skip
SHAPES: tuple[Any, ...] = (True, "true", 1, [1], {"id": 1}, None)
#: Doors with a body that no page of people has: nothing is posted there but what the address says.
WITHOUT_BODY = frozenset({"sign-in", "sign-out", "first-run"})
RANDOM = ("journal.Event", "journal.EventDetail", "organisation.ApiKey")  # salts and secrets differ each time


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No clock and no chance: two equal requests leave equal rows."""
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr("django.contrib.auth.hashers.BasePasswordHasher.salt", lambda self: "s" * 22)
    monkeypatch.setattr("fairlead.organisation.services.calendars.new_stamp", lambda: "s" * 32)
    monkeypatch.setattr("fairlead.organisation.codes.new_secret", lambda: "JBSWY3DP" * 4)


def page_routes() -> list[str]:
    return [route for route in patterns() if not route.startswith(objects.API)]


def left_by(
    world: Any, actor: str, method: str, route: str, more: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """The status, and the rows as the request leaves them."""
    walker = world.walker
    path = objects.address(route, world.objects, MINE)
    with undone():
        response = walker._request(actor, method, route, MINE, path, more)
        after = {name: value for name, value in db_fingerprint().items() if name not in RANDOM}
    return response.status_code, after


def sender(route: str) -> str:
    """Who may: the administrator everything but what is one's own."""
    return "seller" if route.startswith(("profile", "theme", "language")) else "administrator"


@pytest.mark.one_engine("sqlite", "the sequences of PostgreSQL do not go back, so equal rows get other ids")
@pytest.mark.parametrize("route", page_routes(), ids=lambda route: "/" + route)
def test_what_a_form_does_not_declare_is_not_stored(world: Any, still: None, route: str) -> None:
    actor = sender(route)
    plain = left_by(world, actor, "POST", route, {})
    if plain[0] == 405 or route in WITHOUT_BODY:
        assert plain[0] in (405, 302, 404, 422)
        return
    body = BODIES.get((route, "POST"))
    declared = set(body(world.objects, MINE)) if body else set()
    forged = {name: value for name, value in FORGED.items() if name not in declared}
    assert left_by(world, actor, "POST", route, forged) == plain


@pytest.mark.parametrize(("route", "method"), [key for key in BODIES if key[0].startswith(objects.API)])
def test_the_api_refuses_a_key_it_does_not_know(world: Any, route: str, method: str) -> None:
    # Who judges is in the trade, who says no has a field of the own, and who audits is nobody else.
    doors = {"attestations": "manager", "<id:pk>/vetoes": "seller", "journal/verify": "auditor"}
    actor = next((name for part, name in doors.items() if part in route), "administrator")
    for shape in SHAPES:
        answer = world.walker.send(actor, method, route, MINE, {"is_superuser": shape})
        assert (answer.status, b"bad-input" in answer.body) == (400, True)


def api_records() -> list[tuple[str, str, str]]:
    """Bodies that refer to another record: route, method, name of the reference."""
    api = objects.API
    return [
        (f"{api}opportunities", "POST", "account"), (f"{api}opportunities/<id:pk>", "PATCH", "account"),
        (f"{api}contacts", "POST", "account"), (f"{api}contacts/<id:pk>", "PATCH", "account"),
        (f"{api}opportunities/<id:pk>/contact-roles", "POST", "contact"),
        (f"{api}contracts", "POST", "opportunity"),
        ("opportunities/new/", "POST", "account"), ("contacts/new/", "POST", "account"),
    ]  # fmt: skip


@pytest.mark.rule("T03")
@pytest.mark.parametrize(("route", "method", "name"), api_records())
def test_a_record_that_the_sender_does_not_see_cannot_be_referred_to(
    world: Any, route: str, method: str, name: str
) -> None:
    before = world.walker.before
    foreign = {name: world.objects.of(name, FOREIGN)}
    unused = {name: objects.NEVER_USED}
    answers = []
    for more in (foreign, unused):
        path = objects.address(route, world.objects, MINE)
        with undone():
            response = world.walker._request("seller", method, route, MINE, path, more)
            assert response.status_code in (400, 404, 422)
            assert changed(before, db_fingerprint()) == {}
            answers.append(response.status_code)
    assert answers[0] == answers[1]


def test_every_door_for_a_form_has_a_body_here_or_takes_none() -> None:
    """Of the API every operation that takes a document; multipart uploads are proved in their own rooms."""
    uploads = {"files", "imports"}
    wanted = set()
    for route in routes():
        if not route.pattern.startswith(objects.API):
            continue
        for method in route.methods:
            view: Any = route.view
            takes = any(
                "Body" in str(kind) or str(kind).endswith("In") or "In'" in str(kind)
                for kind in view.__annotations__.values()
            )
            if method != "GET" and takes and route.pattern.removeprefix(objects.API) not in uploads:
                wanted.add((route.pattern, method))
    assert wanted - set(BODIES) == set()


def test_no_form_takes_its_fields_from_a_model() -> None:
    """A form of a model would take a new column the day it is added."""
    for file in PACKAGE.rglob("*.py"):
        assert "ModelForm" not in file.read_text(encoding="utf-8"), file
    assert not [
        form
        for form in _all_forms(forms.BaseForm)
        if issubclass(form, forms.BaseModelForm) and form.__module__.startswith("fairlead.")
    ]


def _all_forms(root: type) -> list[type]:
    found = []
    for form in root.__subclasses__():
        found += [form, *_all_forms(form)]
    return found
