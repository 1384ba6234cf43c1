"""Schemathesis over every operation of the document, as three people: no 5xx, no answer that the document denies.

Each example runs inside a savepoint that is taken back, so that one example does not feed the next one.
"""

import json
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from tests.api.operations import LINES, built, operations

#: One process draws for all three.
pytestmark = pytest.mark.xdist_group("fuzz")
EXAMPLES = 6
NIGHTLY = 400
#: A seller, a manager, an administrator.
PEOPLE = (
    "zhou",
    pytest.param(
        "chen",
        marks=pytest.mark.one_engine("sqlite", "the other two reach all that a manager has the database do"),
    ),
    "admin",
)
TRACES = (b"Traceback", b"sqlite3", b"psycopg", b"django.", b"site-packages")


@pytest.fixture(scope="module")
def cases(request: pytest.FixtureRequest) -> dict[str, tuple[Any, list[Any]]]:
    """By operation: what the document says of it, and the cases; every person sends the same, so they are drawn once."""
    schema = schemathesis.openapi.from_dict(deepcopy(built()))
    return {name: drawn(schema, name, request.config.getoption("--nightly")) for name in sorted(operations())}


class Undo(Exception):
    pass


def drawn(schema: Any, operation_id: str, nightly: bool) -> tuple[Any, list[Any]]:
    operation = schema.find_operation_by_id(operation_id)
    good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    found: list[Any] = []

    @settings(
        max_examples=NIGHTLY if nightly else EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate),
    )  # fmt: skip
    @given(case=st.one_of(good, bad))
    def draw(case: Any) -> None:
        found.append(case)

    draw()
    return operation, found


@pytest.mark.rule("T22")
@pytest.mark.parametrize("person", PEOPLE)
def test_no_operation_breaks_or_answers_what_it_does_not_declare(place, key_of, cases, person):
    door = key_of(place.where.people[person])
    broken, reached = [], 0
    for operation_id, (operation, drawn_cases) in cases.items():
        assert drawn_cases, operation_id
        known = place.ids.get(LINES[operation_id].of)
        trouble, good = examine(operation, drawn_cases, door, known)
        broken += [f"{operation_id}: {line}" for line in trouble]
        reached += good > 0
    assert not broken, "\n".join(broken)
    assert reached > 20  # the cases get beyond the doors


def examine(operation: Any, cases: list[Any], door: Any, known: int | None) -> tuple[list[str], int]:
    """What was wrong, and how many cases were answered with what was asked for."""
    statuses: list[int] = []
    for turn, case in enumerate(cases):
        if turn % 3 and known is not None and "pk" in (case.path_parameters or {}):
            case.path_parameters["pk"] = known
        answer = send(case, door)
        if answer is None:
            continue
        statuses.append(answer.status_code)
        if trouble := wrong(operation, answer):
            return [f"{trouble} for {case.as_curl_command()[:600]}"], _good(statuses)
    return [], _good(statuses)


def _good(statuses: list[int]) -> int:
    return sum(200 <= status < 300 for status in statuses)


def send(case: Any, door: Any) -> Any:
    """The answer to a case, and nothing of what it did. None where the case cannot be sent at all."""
    kwargs = case.as_transport_kwargs(base_url="http://testserver")
    client = Client(raise_request_exception=False)
    answer = None
    try:
        with transaction.atomic():
            answer = ask(client, kwargs, door)
            raise Undo
    except Undo:
        pass
    return answer


def ask(client: Client, kwargs: dict[str, Any], door: Any) -> Any:
    import requests

    prepared = requests.Request(
        kwargs["method"], kwargs["url"], params=kwargs.get("params"), data=kwargs.get("data"), json=kwargs.get("json"),
        files=kwargs.get("files"),
    ).prepare()  # fmt: skip
    named = {**(kwargs.get("headers") or {}), **prepared.headers, **door.headers}
    headers = {
        name: value for name, value in named.items() if name.lower() not in {"cookie", "content-length"}
    }
    if any("\n" in str(v) or "\r" in str(v) for v in headers.values()):
        return None
    body = prepared.body or b""
    return client.generic(
        kwargs["method"], prepared.path_url, body.encode() if isinstance(body, str) else body,
        content_type=headers.pop("Content-Type", "application/json"), headers=headers,
    )  # fmt: skip


def wrong(operation: Any, answer: Any) -> str:
    """What the document does not allow, or blank."""
    status = answer.status_code
    content = b"" if answer.streaming else answer.content
    if status >= 500:
        return f"{status} {answer.exc_info[0].__name__ if getattr(answer, 'exc_info', None) else ''}"
    if any(trace in content for trace in TRACES):
        return "a trace of the inside"
    if status == 404 and not content.startswith(b"{"):
        return "404 that is no problem document"
    declared = operation.definition.raw["responses"]
    if str(status) not in {str(code) for code in declared}:
        return f"{status} is not declared: {content[:200]!r}"
    if status >= 400:
        problem = json.loads(content)
        fits = {"type", "title", "status", "code"} <= set(problem) and problem["status"] == status
        return "" if fits else f"{status} without a problem document"
    return ""
