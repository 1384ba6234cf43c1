"""Nobody has to remember the lock: a door without a declaration keeps the product from starting."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path
from django.views import View
from ninja import NinjaAPI

from fairlead.common.access import access, check_access, routes

pytestmark = pytest.mark.rule("T06")

api = NinjaAPI(urls_namespace="test-default-deny", docs_url=None, openapi_url=None)


@api.get("/dressed")
@access("signed-in", api=True)
def dressed_operation(request: HttpRequest) -> dict[str, int]:
    return {}


@api.get("/naked")
def naked_operation(request: HttpRequest) -> dict[str, int]:
    return {}


class NakedClass(View):
    pass


def naked_piece(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("api/", api.urls),
    path("class", NakedClass.as_view()),
    path("deep/", include([path("piece", naked_piece)])),
]


def test_operations_classes_and_pieces_count_like_pages() -> None:
    with override_settings(ROOT_URLCONF=__name__):
        errors = run_checks(tags=["access"])
    assert {error.id for error in errors} == {"fairlead.access.E001"}
    assert sorted(str(error.msg).split()[2] for error in errors) == ["/api/naked", "/class", "/deep/piece"]


def declared() -> list[Any]:
    return [route.view for route in routes() if getattr(route.view, "access", None) is not None]


def test_each_declaration_of_the_product_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take one away, whichever: the check names its route."""
    views = {id(view): view for view in declared()}
    assert len(views) >= 100
    for view in views.values():
        with monkeypatch.context() as patch:
            patch.setattr(view, "access", None)
            assert check_access() != []
    assert check_access() == []
