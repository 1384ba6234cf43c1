import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path
from ninja import NinjaAPI, Schema

from fairlead.common.access import access, routes
from fairlead.common.errors import problem
from fairlead.common.refusals import NotSignedIn, Refusal

api = NinjaAPI(urls_namespace="test-access", docs_url=None, openapi_url=None)


@api.exception_handler(Refusal)
def refuse(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return problem(refusal)


class Body(Schema):
    number: int


@api.post("/guarded")
@access("signed-in", api=True)
def guarded(request: HttpRequest, body: Body) -> dict[str, int]:
    return {"number": body.number}


@api.post("/naked")
def naked(request: HttpRequest, body: Body) -> dict[str, int]:
    return {"number": body.number}


@access("signed-in")
def inner(request: HttpRequest) -> HttpResponse:
    return HttpResponse("inside")


urlpatterns = [path("inner", inner), path("api/test/", api.urls)]
here = override_settings(ROOT_URLCONF=__name__)


@pytest.mark.rule("T06")
def test_operations_of_the_api_are_routes_like_all_others():
    declared = {route.view.__name__: route.access for route in routes(urlpatterns)}
    assert declared["guarded"] is not None
    assert declared["guarded"].needs == "signed-in"
    assert declared["naked"] is None


@pytest.mark.rule("T06")
@here
def test_a_stranger_is_refused_before_the_input_is_read():
    answer: Any = Client().post("/api/test/guarded", data="{}", content_type="application/json")
    assert answer.status_code == 401
    assert json.loads(answer.content)["code"] == NotSignedIn.code
    assert answer.headers["Content-Type"] == "application/problem+json"


@here
def test_an_open_operation_reads_its_input():
    answer: Any = Client().post("/api/test/naked", data='{"number": 3}', content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"number": 3})


class Nobody:
    is_authenticated = False


def test_a_page_asks_a_guest_to_sign_in():
    request = HttpRequest()
    request.user = Nobody()  # type: ignore[assignment]
    with pytest.raises(NotSignedIn):
        inner(request)
