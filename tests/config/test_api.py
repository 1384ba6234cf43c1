import json
from typing import Any

import pytest
from django.test import Client

from fairlead.config.api import BadInput, _place


def test_an_unknown_address_of_the_api_is_a_problem_document():
    answer: Any = Client().get("/api/v1/nothing-here")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"] == "not-found"


@pytest.mark.parametrize(
    ("location", "field"),
    [(("body", "payload", "amount"), "amount"), (("query", "page"), "page"), (("body",), "body")],
)
def test_a_problem_names_the_field_as_the_document_does(location, field):
    assert _place(location) == field


def test_a_wrong_shape_is_not_a_wrong_value():
    assert (BadInput.status, BadInput.code) == (400, "bad-input")
