"""A draft clicked through: the engine judges a deal that is nothing but a sandbox, and nothing else is written."""

from __future__ import annotations

from collections import Counter

import pytest
from django.apps import apps
from tests.factories.crm import PROCESS, Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.process import services
from fairlead.process.engine import decide, forward_move
from fairlead.process.models import Journey, Sandbox
from fairlead.process.refusals import SandboxRefused
from fairlead.process.selectors.gathering import situations
from fairlead.process.services import sandboxing
from fairlead.process.services.shipping import shipped

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PD-3")]
PAGE = f"/processes/{PROCESS}/draft/sandbox/"


@pytest.fixture
def where() -> Company:
    made = company(language="en")
    services.begin_draft(PROCESS, **made.how(made.people["tang"]))
    return made


def begin(where, **more):
    return sandboxing.begin_sandbox(PROCESS, by=where.people["tang"], at=where.at, **more)


def act(where, do, **given):
    return sandboxing.play(PROCESS, do, given, version=None, by=where.people["tang"], at=where.at)


def rows_of_everything() -> Counter[str]:
    return Counter({m._meta.label: m.objects.count() for m in apps.get_models() if m is not Sandbox})


def settle(where):
    """Suppose whatever the plain way ahead still asks for."""
    found, _verdict = act(where, "wait", days=1)
    for _round in range(3):
        for result in found.verdict.gaps:
            found, _verdict = act(where, "suppose", item=result.key)
        if not found.verdict.gaps:
            return found
    raise AssertionError([(r.key, r.state, r.why) for r in found.verdict.gaps])


def test_a_draft_is_clicked_through_to_the_end_and_nothing_but_its_row_is_written(where):
    before = rows_of_everything()
    begin(where)
    seen = []
    for _stage in range(12):
        found = settle(where)
        seen.append(found.facts.journey.stage_key)
        wish = found.verdict.wish
        found, verdict = act(where, "move", kind=str(wish.kind), to=wish.to)
        assert verdict.allowed, verdict.objections
        if found.facts.journey.state == "won":
            break

    assert found.facts.journey.state == "won"
    assert seen == [s["key"] for s in services.drafting.read_draft(PROCESS).document["stages"]]
    assert Sandbox.objects.count() == 1
    assert rows_of_everything() == before


def test_every_kind_of_item_of_every_shipped_process_can_be_supposed(where):
    words = {"zh": "副本", "en": "Copy"}
    for key in ("ltc_opportunity", "plain_opportunity"):
        services.begin_process(shipped(key), key=f"copy_{key}", name=words, **where.how(where.people["tang"]))
        name = f"copy_{key}"
        tang = where.people["tang"]
        sandboxing.begin_sandbox(name, by=tang, at=where.at)
        row = sandboxing.sandbox_of(name, by=tang)
        draft = services.drafting.read_draft(name)
        found = sandboxing.scene(row, draft, by=tang, now=where.at)
        for _stage, _side, criterion in found.definition.criteria():
            if "min_days" in criterion.params:
                continue
            given = {"item": criterion.key}
            found, _verdict = sandboxing.play(name, "suppose", given, version=None, by=tang, at=where.at)
        assert found.definition.stages


def test_a_gate_that_is_not_met_stops_the_sandbox_and_says_what_is_missing(where):
    begin(where)
    services.edit_draft(
        PROCESS, "process_set", {"set": {"mode": "enforced"}}, version=None, **where.how(where.people["tang"])
    )
    found, verdict = act(where, "move", kind="advance")
    assert not verdict.allowed and verdict.gaps
    assert found.row.state["log"] == [] and found.row.version == 1


def test_it_says_what_the_engine_says_of_the_real_record_it_is_a_copy_of(where):
    deal = where.deal("园区网", owner=where.zhou, stage="needs_analysis")
    real = situations([Journey.objects.select_related("stage").get(pk=deal.journey_id)], at=where.at)[
        deal.journey_id
    ]
    admin = where.admin
    sandboxing.begin_sandbox(PROCESS, by=admin, at=where.at, source=deal.journey_id)
    row = sandboxing.sandbox_of(PROCESS, by=admin)
    found = sandboxing.scene(row, services.drafting.read_draft(PROCESS), by=admin, now=where.at)

    truth = decide(real.definition, real.facts, forward_move(real.definition, real.facts))
    told = {r.key: r.state for r in found.verdict.results if "elapsed" not in r.type}
    assert told == {r.key: r.state for r in truth.results if "elapsed" not in r.type}
    assert found.facts.journey.stage_key == "needs_analysis"


def test_what_is_typed_counts_as_typed_and_nonsense_is_refused_by_its_field(where):
    begin(where)
    found, _verdict = act(where, "fields", values={"amount": "1,200,000", "is_tender": "true"})
    assert found.facts.fields["amount"] == 1_200_000 and found.facts.fields["is_tender"] is True
    with pytest.raises(Invalid) as refused:
        act(where, "fields", values={"amount": "viel", "nothing": "1"})
    assert [e["field"] for e in refused.value.details["errors"]] == ["amount", "nothing"]


def test_the_clock_runs_ahead_and_evidence_grows_old(where):
    begin(where)
    found, _verdict = act(where, "wait", days=5)
    assert found.facts.working_days_in_stage == 5
    with pytest.raises(Invalid):
        act(where, "until", at=where.at)
    with pytest.raises(Invalid):
        act(where, "wait", days=0)


def test_back_lost_and_reopened(where):
    begin(where)
    settle(where)
    act(where, "move", kind="advance")
    found, verdict = act(
        where, "move", kind="regress", to=services.drafting.read_draft(PROCESS).document["stages"][0]["key"]
    )
    assert verdict.allowed and found.facts.journey.stage_key == found.definition.stages[0].key
    found, verdict = act(where, "move", kind="close_lost")
    assert verdict.allowed and found.facts.journey.state in ("lost", "cancelled")
    found, verdict = act(where, "move", kind="reopen")
    assert verdict.allowed and (found.facts.journey.state, found.facts.journey.episode_no) == ("open", 2)


def test_it_goes_with_its_draft_and_belongs_to_one_person(where):
    begin(where)
    assert sandboxing.sandbox_of(PROCESS, by=where.admin) is None
    with pytest.raises(NotPermitted):
        sandboxing.begin_sandbox(PROCESS, by=where.zhou, at=where.at)
    with pytest.raises(NotFound):
        sandboxing.play(PROCESS, "wait", {"days": 1}, version=None, by=where.admin, at=where.at)
    with pytest.raises(Stale):
        sandboxing.play(PROCESS, "wait", {"days": 1}, version=9, by=where.people["tang"], at=where.at)
    services.discard_draft(PROCESS, version=1, **where.how(where.people["tang"]))
    assert not Sandbox.objects.exists()


def test_a_draft_with_errors_or_without_the_stage_says_so(client, where):
    tang = where.people["tang"]
    begin(where)
    first = services.drafting.read_draft(PROCESS).document["stages"][0]["key"]
    services.edit_draft(PROCESS, "stage_remove", {"stage": first}, version=None, **where.how(tang))
    row = sandboxing.sandbox_of(PROCESS, by=tang)
    with pytest.raises(SandboxRefused):
        sandboxing.scene(row, services.drafting.read_draft(PROCESS), by=tang, now=where.at)
    client.force_login(tang)
    assert "It cannot be clicked through yet" in client.get(PAGE).content.decode()


def test_the_page_and_the_api_play_the_same_sandbox(client, where):
    client.force_login(where.people["tang"])
    assert "Click a record through this draft" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"do": "begin"}).status_code == 302
    text = client.get(PAGE).content.decode()
    assert "Suppose it is settled" in text and "What its fields say" in text
    url = f"/api/v1/processes/{PROCESS}/draft/sandbox"
    got = client.get(url)
    item = next(i["key"] for i in got.json()["items"] if i["state"] == "unmet")
    tag = {"If-Match": got.headers["ETag"]}
    body = {"do": "suppose", "item": item}
    answer = client.post(url, body, content_type="application/json", headers=tag)
    assert answer.status_code == 200, answer.content
    assert next(i for i in answer.json()["items"] if i["key"] == item)["state"] == "met"
    late = client.post(PAGE, {"do": "wait", "days": "1", "version": "1"})
    assert late.status_code == 409
    assert (
        client.post(PAGE, {"do": "wait", "days": "1", "version": answer.json()["version"]}).status_code == 302
    )
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
