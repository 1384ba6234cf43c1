"""What every answer of the product carries, whatever the route."""

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from fairlead.common.access import access
from fairlead.common.pages import toast, trigger
from fairlead.common.refusals import Invalid, NotPermitted, Stale


@access("public")
def refuse(request: HttpRequest) -> HttpResponse:
    raise Invalid.field("amount", "Too much.")


@access("public")
def lose_race(request: HttpRequest) -> HttpResponse:
    raise Stale(details={"changed": ["stage"]})


@access("public")
def forbid(request: HttpRequest) -> HttpResponse:
    raise NotPermitted


urlpatterns = [
    path("refuse", refuse), path("api/refuse", refuse), path("lose", lose_race), path("api/lose", lose_race),
    path("forbid", forbid),
]  # fmt: skip
here = override_settings(ROOT_URLCONF=__name__)


@pytest.mark.rule("T31")
def test_every_answer_has_the_strict_headers():
    answer = Client().get("/healthz")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.content == b"ok"
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]


@pytest.mark.django_db
def test_readyz_asks_the_database():
    assert Client().get("/readyz").content == b"ready"


@here
def test_the_api_answers_a_refusal_with_a_problem_document():
    answer: Any = Client().get("/api/refuse")
    document = json.loads(answer.content)
    assert answer.status_code == 422
    assert document.pop("request_id") == answer.headers["X-Request-ID"]
    assert document == {
        "type": "urn:fairlead:invalid", "title": "Too much.", "status": 422, "code": "invalid",
        "errors": [{"field": "amount", "message": "Too much."}],
    }  # fmt: skip


@here
def test_a_lost_race_is_409_on_a_page_and_412_in_the_api():
    assert Client().get("/api/lose").status_code == 412
    assert Client().get("/lose").status_code == 409


@here
@pytest.mark.parametrize(("language", "words"), [("en", "You do not have the right"), ("zh-CN", "权限")])
def test_a_page_answers_in_the_language_of_the_reader(language, words):
    answer = Client().get("/forbid", headers={"accept-language": language})
    assert answer.status_code == 403
    assert words in answer.content.decode()


@here
def test_htmx_gets_the_refusal_alone():
    answer = Client().get("/refuse", headers={"hx-request": "true", "accept-language": "en"})
    assert answer.status_code == 422
    assert "Too much." in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_toast_joins_the_other_announcements():
    answer = toast(trigger(HttpResponse(), "opportunityMoved"), "已推进", undo_url="/undo/1")
    assert json.loads(answer.headers["HX-Trigger"]) == {
        "opportunityMoved": None,
        "toast": {"text": "已推进", "kind": "info", "undo": "/undo/1"},
    }
