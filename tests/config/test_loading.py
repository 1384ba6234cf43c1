"""What a cold start loads: pages come without the API, the API is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.urls import reverse

from fairlead.common.access import Deferred, check_access, routes

ASKED = """
import sys, django
django.setup()
from django.urls import Resolver404, resolve, reverse
from fairlead.common.access import routes
assert resolve("/sign-in").view_name == "organisation:sign_in"
assert reverse("crm:board") == "/board/"
assert any(route.name == "crm:board" for route in routes(deferred=False))
try:
    resolve("/no-such-page/")
except Resolver404:
    pass
print(sorted({"ninja", "numpy", "duckdb", "fairlead.config.api"} & set(sys.modules)))
print(resolve("/api/v1/opportunities").namespace, "ninja" in sys.modules)
print(reverse("api:api-root"))
"""


def test_a_page_needs_nothing_of_the_api() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded, asked, root = done.stdout.splitlines()
    assert loaded == "[]"
    assert asked == "api True"
    assert root == "/api/v1/"


@pytest.mark.rule("T05")
def test_every_deferred_address_is_checked_for_its_right_all_the_same() -> None:
    everything, pages = list(routes()), list(routes(deferred=False))
    api = [route for route in everything if route.pattern.startswith("api/v1/")]
    assert len(api) > 50
    assert len(everything) == len(pages) + len(api)
    assert all(route.access is not None for route in everything)
    assert check_access() == []


def test_names_behind_the_namespace_are_found() -> None:
    assert reverse("api:api-root") == "/api/v1/"
    assert Deferred("somewhere/", "fairlead.no_such_module", namespace="x").is_loaded is False
