"""The committed document is the API's, and the guide's examples are in it."""

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from tests.api.operations import built as the_document

from fairlead.common.access import routes
from fairlead.common.rest import Answer, Body
from fairlead.config import document

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def built() -> dict:
    return the_document()


def operations(built: dict) -> dict[str, tuple[str, str, dict]]:
    return {
        details["operationId"]: (method.upper(), path, details)
        for path, methods in built["paths"].items()
        for method, details in methods.items()
    }


def test_the_committed_document_is_up_to_date():
    committed = (DOCS / "api" / "openapi.json").read_text(encoding="utf-8")
    assert committed == document.text(), "run: fairlead openapi --output docs/api/openapi.json"


def test_no_two_shapes_share_a_name(built):
    """The document knows shapes by their names alone: of two, one would stand for both."""

    def below(shape: type) -> list[type]:
        return [shape, *(found for child in shape.__subclasses__() for found in below(child))]

    names = Counter(
        shape.__name__ for root in (Body, Answer) for shape in below(root) if "[" not in shape.__name__
    )
    assert len(names) > 100
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.rule("T06")
def test_every_operation_is_a_declared_route_of_the_api(built):
    declared = {(r.pattern, m) for r in routes() if r.access is not None and r.access.api for m in r.methods}
    written = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern), method) for pattern, method in declared
    }  # fmt: skip
    assert {(path.lstrip("/"), method) for method, path, _d in operations(built).values()} == written


def test_refusals_are_declared_once_and_shared(built):
    for name, (_method, _path, details) in operations(built).items():
        refused = {code: answer for code, answer in details["responses"].items() if int(code) >= 400}
        assert {"400", "401", "403"} <= set(refused), name
        assert all(set(answer) == {"$ref"} for answer in refused.values()), name
    assert built["components"]["responses"]["NotSignedIn"]["content"].keys() == {"application/problem+json"}


def test_whatever_changes_a_versioned_record_asks_for_its_version(built):
    asking = {
        name for name, (_m, _p, details) in operations(built).items()
        if any(p["name"] == "If-Match" for p in details["parameters"])
    }  # fmt: skip
    assert asking == {
        "accounts_edit", "accounts_reassign", "activities_cancel", "activities_complete", "calendar_remove_day",
        "calendar_set_day", "calendar_set_week", "calendars_change", "calendars_remove", "calendars_remove_day",
        "calendars_set_day", "calendars_set_week", "comments_edit", "contacts_edit",
        "contacts_left", "contacts_reassign", "contracts_edit", "drafts_ask", "drafts_discard", "drafts_edit",
        "drafts_publish", "drafts_rebase", "drafts_replace", "fields_change", "hand_overs_answer",
        "hand_overs_withdraw", "journeys_category", "journeys_switch", "leave_change", "leave_remove",
        "migrations_do", "migrations_edit",
            "notification_settings_set",
        "opportunities_edit", "opportunities_give_process", "opportunities_reassign", "opportunities_team_set",
        "override_rules_set", "plan_change", "plan_remove",
        "playbooks_end", "role_questions_answer", "role_questions_withdraw",
        "rollout_change", "scorecards_assess", "sandbox_act", "segments_edit",
        "segments_reassign", "tasks_complete", "tasks_edit", "tasks_remove", "tasks_reopen", "vetoes_settle",
        "views_change", "views_delete",
    }  # fmt: skip


def test_every_body_is_closed(built):
    """A key that nobody declared is refused in every body."""
    for name, (_method, _path, details) in operations(built).items():
        for kind, content in details.get("requestBody", {}).get("content", {}).items():
            if kind == "application/json":
                schema = content["schema"]
                target = (
                    built["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
                    if "$ref" in schema
                    else schema
                )
                assert target.get("additionalProperties") is False, name


def commands(page: str) -> list[list[str]]:
    """The curl calls of a guide, as a shell would hand them over."""
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("curl")]


def sent(door, words: list[str]):
    """What curl would have sent."""
    method, url, headers, data, query, form = "", "", {}, None, [], {}
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, value = next(rest).split(": ", 1)
            headers[name] = value
        elif word == "-d":
            data = next(rest)
        elif word == "-F":
            name, value = next(rest).split("=", 1)
            form[name] = value
        elif word == "--data-urlencode":
            query.append(tuple(next(rest).split("=", 1)))
        elif word not in {"-s", "-G"}:
            url = word
    path = "/api/v1" + url.removeprefix("$FAIRLEAD")
    assert headers.pop("Authorization") == "Bearer $KEY"
    headers.pop("Content-Type", None)
    if form:
        return door.client.post(path, form, headers=door.headers | headers)
    if data is None:
        return door.client.get(path, dict(query) or None, headers=door.headers | headers)
    return door.client.generic(
        method or "POST", path, data.encode(), content_type="application/json", headers=door.headers | headers
    )


@pytest.mark.parametrize("page", ["api.md", "zh/api.md"])
def test_the_examples_of_the_guide_run(where, key_of, page):
    """Against deal 1 and account 1, as their text has them."""
    deal = where.deal()
    calls = commands(page)
    assert len(calls) >= 5
    door = key_of(where.zhou)
    for words in calls:
        words = [w.replace("opportunities/1", f"opportunities/{deal.pk}") for w in words]
        words = [w.replace('"subject_id": 1', f'"subject_id": {deal.pk}') for w in words]
        words = [f"subject_id={deal.pk}" if w == "subject_id=1" else w for w in words]
        words = [w.replace('"account": 1', f'"account": {deal.account_id}') for w in words]
        answer = sent(door, words)
        expected = {422} if words[2].endswith("/move") or words[1].endswith("/move") else {200, 201}
        assert answer.status_code in expected, (words, answer.content[:300])
