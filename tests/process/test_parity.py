"""One verdict, whoever asks: page, API, bulk, import, a scheduled job and the replay of the same instant.

Sixty imported deals in every stage and state, in the middle of their evidence, meet every kind of wish.
Each door is opened in a savepoint that is rolled back, so that all of them find the same deals (GT-2, AC-2).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from tests.exchange.importing import checked, columns, ran, staged
from tests.factories.crm import STAGES, Company, company
from tests.kit.isolation import undone

from fairlead.crm.models import Opportunity
from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import KeyScope
from fairlead.process.engine import decide
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation, Journey
from fairlead.process.recording import objections_as_json, results_as_json
from fairlead.process.selectors.gathering import situations
from fairlead.process.services.moves import MoveWish, move_many
from fairlead.process.verdicts import Verdict, Wish

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("parity")]  # one scene for both
COLUMNS = columns(
    number="external_id",
    name="name",
    account="account",
    owner="owner",
    stage="stage",
    state="state",
    reason="lost_reason",
)
HEAD = "number,name,account,owner,stage,state,reason\n"
WORDS = {
    "stage": {key: f"stage:{key}" for key in STAGES},
    "state": {s: s for s in ("won", "lost", "on_hold")},
}
MOVER = "chen"
NOT_PERMITTED = {"refused": "not-permitted"}
SKIPS = {"customer_contact": "solution_design", "needs_analysis": "quote_negotiation"}

Answer = dict[str, Any]


def neighbour(stage: str, by: int) -> str:
    at = STAGES.index(stage) + by
    return STAGES[at] if 0 <= at < len(STAGES) else stage


#: What is wished of a deal in this stage; a file can say those whose name stands in BY_FILE.
WISHES: dict[str, Callable[[str], Wish]] = {
    "advance": lambda stage: Wish(kind=Kind.ADVANCE, to=neighbour(stage, 1)),
    "skip": lambda stage: Wish(
        kind=Kind.SKIP, to=SKIPS.get(stage, "signing"), reason="direct_tender", comment="客户直接发标"
    ),
    "regress": lambda stage: Wish(kind=Kind.REGRESS, to=neighbour(stage, -1)),
    "regress-far": lambda stage: Wish(kind=Kind.REGRESS, to=STAGES[0], reason="need_changed", comment="重来"),
    "lost-without-reason": lambda stage: Wish(kind=Kind.CLOSE_LOST),
    "lost": lambda stage: Wish(kind=Kind.CLOSE_LOST, reason="price"),
    "lost-to-whom": lambda stage: Wish(
        kind=Kind.CLOSE_LOST, reason="price", comment="低两成", form={"competitor": "甲公司"}
    ),
    "hold-without-day": lambda stage: Wish(kind=Kind.HOLD),
    "hold": lambda stage: Wish(kind=Kind.HOLD, reason="project_paused", form={"resume_date": "2099-01-04"}),
    "won": lambda stage: Wish(kind=Kind.CLOSE_WON),
    "reopen": lambda stage: Wish(kind=Kind.REOPEN, to=stage),
}
BY_FILE: dict[str, Callable[[str], str]] = {
    "advance": lambda stage: f"{neighbour(stage, 1)},,",
    "regress": lambda stage: f"{neighbour(stage, -1)},,",
    "lost-without-reason": lambda stage: f"{stage},lost,",
    "lost": lambda stage: f"{stage},lost,price",
    "hold-without-day": lambda stage: f"{stage},on_hold,",
    "won": lambda stage: f"{stage},won,",
    "reopen": lambda stage: f"{stage},,",
}


@dataclass
class Field:
    """The deals, what is expected of each pair, and the instant at which everybody asks."""

    where: Company
    deals: list[Opportunity]
    stages: list[str]
    at: datetime
    headers: dict[str, str]
    client: Client = field(default_factory=Client)

    def journeys(self) -> list[Journey]:
        rows = Journey.objects.select_related("stage", "process_version").in_bulk(
            [d.journey_id for d in self.deals]
        )
        return [rows[d.journey_id] for d in self.deals]

    def wishes(self, name: str) -> list[Wish]:
        return [WISHES[name](stage) for stage in self.stages]

    def verdicts(self, name: str, *, as_of: datetime | None = None) -> list[Verdict]:
        found = situations(self.journeys(), at=self.at, as_of=as_of)
        return [
            decide(found[d.journey_id].definition, found[d.journey_id].facts, wish)
            for d, wish in zip(self.deals, self.wishes(name), strict=True)
        ]


def said(verdict: Verdict) -> Answer:
    return plain({
        "kind": verdict.wish.kind, "to": verdict.target,
        "allowed": verdict.allowed, "gaps": len(verdict.gaps),
        "results": results_as_json(verdict.results), "objections": objections_as_json(verdict.objections),
    })  # fmt: skip


def stored(evaluation: Evaluation) -> Answer:
    return plain({
        "kind": evaluation.kind, "to": evaluation.to_stage,
        "allowed": evaluation.allowed, "gaps": evaluation.gaps,
        "results": evaluation.results, "objections": evaluation.objections,
    })  # fmt: skip


def plain(answer: Answer) -> Answer:
    loaded: Answer = json.loads(json.dumps(answer, default=str))
    return loaded


def lines_of(where: Company) -> tuple[str, list[str]]:
    """Ten open deals in each stage, and ten that are won, lost or on hold."""
    lines, stages = [], []
    for number in range(60):
        stage = STAGES[number % 5]
        state = "" if number < 50 else ("won", "lost", "on_hold")[number % 3]
        reason = "price" if state == "lost" else ""
        lines.append(f"N{number},商机 {number},客户 {number % 6},周敏,{stage},{state},{reason}")
        stages.append(stage)
    for number in range(6):
        where.account(f"客户 {number}")
    return HEAD + "\n".join(lines) + "\n", stages


@pytest.fixture(scope="module")
def scene(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Field]:
    """Built once; from then on the clock stands still."""
    hosts = [*settings.ALLOWED_HOSTS, "testserver"]
    with (
        django_db_blocker.unblock(), override_settings(ALLOWED_HOSTS=hosts), transaction.atomic(),
        pytest.MonkeyPatch.context() as patch,
    ):  # fmt: skip
        made = furnish()
        patch.setattr(timezone, "now", lambda: made.at)
        yield made
        transaction.set_rollback(True)


def furnish() -> Field:
    where = company()
    text, stages = lines_of(where)
    run = ran(
        checked(staged(text, by=where.admin), by=where.admin, mapping=COLUMNS, maps=WORDS), by=where.admin
    )
    assert run.counts["done"]["created"] == 60, run.findings
    deals = list(Opportunity.objects.select_related("owner", "account", "journey__stage").order_by("pk"))
    for number, deal in enumerate(deals[:50]):
        gates = {0: None, 1: (), 2: ("bant", "ati", "fr_deliverability", "payment_milestones")}[
            number // 5 % 3
        ]
        if gates is not None:
            where.fulfil(deal, but=gates)
        elif number % 2:
            where.next_step(deal)
    mover = where.people[MOVER]
    _row, key = organisation.create_api_key(
        mover, name="parity", scopes=list(KeyScope.values), expires_at=timezone.now() + timedelta(days=2),
        by=mover, at=timezone.now(), channel=Channel.UI,
    )  # fmt: skip
    made = Field(where, deals, stages, timezone.now(), {"authorization": f"Bearer {key}"})
    made.client.force_login(mover, backend="fairlead.organisation.backends.PasswordBackend")
    return made


def latest(journey_id: int, before: int) -> Answer:
    """The one attempt that a door left, or that it left none."""
    rows = Evaluation.objects.filter(journey_id=journey_id, pk__gt=before)
    return stored(rows.get()) if rows else NOT_PERMITTED


def newest() -> int:
    return Evaluation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


# --- the doors ---


def by_page(scene: Field, deal: Opportunity, wish: Wish) -> Answer:
    before = newest()
    with undone():
        answer = scene.client.post(
            reverse("crm:move", args=[deal.pk]),
            {
                "kind": wish.kind,
                "to": wish.to,
                "reason": wish.reason,
                "comment": wish.comment,
                "asked": "1",
                **wish.form,
            },
        )
        assert answer.status_code in {302, 403, 422}, (deal, wish, answer.status_code)
        found = latest(deal.journey_id, before)
    assert found == NOT_PERMITTED or found["allowed"] == (answer.status_code == 302), (
        wish,
        answer.status_code,
    )
    return found


def by_api(scene: Field, deal: Opportunity, wish: Wish) -> Answer:
    before = newest()
    body = {
        "kind": wish.kind,
        "to": wish.to,
        "reason": wish.reason,
        "comment": wish.comment,
        "form": dict(wish.form),
    }
    with undone():
        answer = Client().post(
            f"/api/v1/opportunities/{deal.pk}/move",
            json.dumps(body),
            "application/json",
            headers=scene.headers,
        )
        assert answer.status_code in {200, 403, 422}, (deal, wish, answer.status_code, answer.content)
        found = latest(deal.journey_id, before)
    assert found == NOT_PERMITTED or found["allowed"] == (answer.status_code == 200), (wish, answer.content)
    return found


def in_bulk(scene: Field, name: str, *, by: Any, channel: Channel) -> list[tuple[Answer, Answer]]:
    """What the engine said of each, and what was stored of it."""
    wanted = [
        MoveWish(journey_id=d.journey_id, wish=w)
        for d, w in zip(scene.deals, scene.wishes(name), strict=True)
    ]
    with undone():
        outcomes = move_many(wanted, by=by, at=scene.at, channel=channel)
        rows = Evaluation.objects.in_bulk([o.evaluation_id for o in outcomes if o.evaluation_id])
        found = [
            (said(o.verdict), stored(rows[o.evaluation_id]) if o.evaluation_id else NOT_PERMITTED)
            for o in outcomes
        ]
    return found


def by_file(scene: Field, name: str) -> Iterator[tuple[int, Answer]]:
    """The rows of a file whose stage or state differs, as moves: number of the deal and what was stored."""
    mover = scene.where.people[MOVER]
    lines = [
        f"N{n},{d.name},{d.account.name},周敏,{BY_FILE[name](stage)}"
        for n, (d, stage) in enumerate(zip(scene.deals, scene.stages, strict=True))
    ]
    before = newest()
    with undone():
        run = checked(staged(HEAD + "\n".join(lines) + "\n", by=mover), by=mover, mapping=COLUMNS, maps=WORDS)
        assert run.counts["error"] == 0, run.findings
        if run.rows.waiting().count():
            run = ran(run, by=mover)
        for row in run.rows.filter(action="move").order_by("number"):
            number = row.number - 2
            asked, meant = row.values["wish"], WISHES[name](scene.stages[number])
            if (asked["kind"], asked["to"], asked["reason"]) == (meant.kind, meant.to, meant.reason):
                yield number, latest(scene.deals[number].journey_id, before)


# --- the proof ---


@pytest.mark.rule("GT-2", "AC-2", "MV-10")
def test_every_door_gives_the_same_verdict(scene: Field, request: pytest.FixtureRequest) -> None:
    """Page and API, one request each, meet every fifth pair, and with --nightly all of them."""
    every = 1 if request.config.getoption("--nightly") else 5
    mover = scene.where.people[MOVER]
    asked = 0
    for place, name in enumerate(WISHES):
        expected = [said(verdict) for verdict in scene.verdicts(name)]
        bulk = in_bulk(scene, name, by=mover, channel=Channel.UI)
        job = in_bulk(scene, name, by=None, channel=Channel.AUTOMATION)
        assert [verdict for verdict, _row in bulk] == expected, name
        assert [verdict for verdict, _row in job] == expected, name
        assert all(row in (verdict, NOT_PERMITTED) for verdict, row in (*bulk, *job)), name
        rows = [row for _verdict, row in bulk]
        for number in range(place % every, len(scene.deals), every):
            deal, wish = scene.deals[number], WISHES[name](scene.stages[number])
            assert by_page(scene, deal, wish) == rows[number], (name, number)
            assert by_api(scene, deal, wish) == rows[number], (name, number)
            asked += 1
        if name in BY_FILE:
            found = dict(by_file(scene, name))
            assert found == {number: rows[number] for number in found}, name
            assert len(found) >= 4, (name, len(found))
        assert [said(verdict) for verdict in scene.verdicts(name, as_of=scene.at)] == expected, name
    assert asked >= len(WISHES) * len(scene.deals) // every


@pytest.mark.rule("GT-2", "AC-2")
def test_the_replay_of_an_instant_stays_what_it_was(scene: Field) -> None:
    """Whatever is changed, logged and moved a day later."""
    expected = {name: [said(verdict) for verdict in scene.verdicts(name)] for name in WISHES}
    verdicts = {json.dumps(one["results"]) for answers in expected.values() for one in answers}
    assert len(verdicts) > 20  # the deals do differ
    with undone():
        a_day_later(scene)
        for name in WISHES:
            assert [said(verdict) for verdict in scene.verdicts(name, as_of=scene.at)] == expected[name], name


def a_day_later(scene: Field) -> None:
    later = scene.at + timedelta(days=1)
    for number, deal in enumerate(scene.deals[:50]):
        deal.refresh_from_db()
        scene.where.edit(deal, at=later, customer_problem="后来才说的", amount=1000 + number)
        if number % 2:
            scene.where.fulfil(deal, at=later)
    moves = [
        MoveWish(journey_id=d.journey_id, wish=w)
        for d, w in zip(scene.deals, scene.wishes("advance"), strict=True)
    ]
    outcomes = move_many(moves, by=scene.where.people[MOVER], at=later, channel=Channel.UI)
    assert sum(outcome.allowed for outcome in outcomes) >= 10
