"""The engine on a filled database: `python -m bench.deciding quick|full` prints one JSON object. Needs Django set up.

What it writes for that (requests, a version, deals of its own) is taken back again, but for the moves that are timed:
they are committed, since a move without its commit is not what anybody waits for.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CRITERIA, JOURNEYS, REQUESTS, DEALS, IN_FLIGHT = 15, 250, 500, 60, 10_000
Told = dict[str, Any]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    from fairlead.common import memory

    memory.settle()  # as a served process does: the collector leaves alone what was loaded at the start
    print(json.dumps(measured(quick=sys.argv[1:2] == ["quick"])), flush=True)


def measured(*, quick: bool) -> Told:
    runs = 3 if quick else 30
    return {
        "floor": floor(20 * runs),
        "decide": decision(20 * runs),
        "facts": facts_in_bulk(runs),
        "inbox": full_inbox(runs),
        "move": moves(6 if quick else DEALS),
        **dry_run(200 if quick else IN_FLIGHT),
    }


def timed(act: Callable[[], Any], runs: int) -> list[float]:
    """Milliseconds by the clock, the first time left out."""
    act()
    found = []
    for _run in range(runs):
        began = time.perf_counter()
        act()
        found.append((time.perf_counter() - began) * 1000)
    return found


def told(found: list[float], **more: Any) -> Told:
    spread = {"p50": statistics.median(found), "min": min(found), "max": max(found)}
    return {
        "value": spread["p50"],
        "more": {"page": {name: round(value, 3) for name, value in spread.items()}, "n": len(found), **more},
    }


@contextmanager
def taken_back() -> Iterator[None]:
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def floor(runs: int) -> float:
    """A row by its key: what any question costs here."""
    from fairlead.process.models import Journey

    pk = Journey.objects.order_by("pk").values_list("pk", flat=True)[0]
    return statistics.median(timed(lambda: list(Journey.objects.filter(pk=pk).values_list("pk")), runs))


def newest(n: int) -> list[Any]:
    from fairlead.process import stages
    from fairlead.process.models import Journey

    running = Journey.objects.current().open().filter(subject_type="opportunity").exclude(process_key=PROCESS)
    rows = list(running.order_by("-pk")[:n])
    stages.attach(rows)
    return rows


def decision(runs: int) -> Told:
    """One verdict over the facts of a deal, at a gate of fifteen items."""
    from django.utils import timezone

    from fairlead.process.engine import decide, forward_move
    from fairlead.process.selectors.gathering import situations
    from fairlead.process.services.publishing import validate

    row = newest(1)[0]
    situation = situations([row], at=timezone.now())[row.pk]
    document = copy.deepcopy(row.process_version.document)
    stage = next(s for s in document["stages"] if s["key"] == row.stage.key)
    items = stage.setdefault("exit", [])
    while len(items) < CRITERIA:
        item = {
            "key": f"more_{len(items)}",
            "name": {"zh": "多一项", "en": "One more"},
            "type": "field",
            "level": "block",
        }
        items.append(
            item | {"field": ("amount", "expected_close_date", "competitor")[len(items) % 3], "op": "present"}
        )
    del items[CRITERIA:]
    stage.pop("tracks", None)
    for one in document["stages"]:  # guidance may speak of an item that is gone
        one.pop("handbook", None)
    definition, _warnings = validate(document)
    facts = situation.facts
    wish = forward_move(definition, facts)
    assert wish is not None
    found = timed(lambda: decide(definition, facts, wish), runs)
    return told(found, criteria=len(decide(definition, facts, wish).results))


def facts_in_bulk(runs: int) -> Told:
    """All facts of the gates of 250 journeys."""
    from django.utils import timezone

    from fairlead.process.selectors.gathering import situations

    rows = newest(JOURNEYS)
    at = timezone.now()
    return told(timed(lambda: situations(rows, at=at), runs), journeys=len(rows))


def full_inbox(runs: int) -> Told:
    """The first page of an inbox in which five hundred requests wait, with the count of all."""
    from django.utils import timezone

    from fairlead.organisation.models import User
    from fairlead.process.models import ApprovalRequest, ApprovalSeat, ApprovalStep
    from fairlead.process.selectors.waiting import count_waiting, queue

    manager = User.objects.get(username="m0")
    at = timezone.now()
    with taken_back():
        rows = newest(REQUESTS)
        requests = ApprovalRequest.objects.bulk_create(
            [
                ApprovalRequest(
                    journey=row, kind="discount", process_version=row.process_version.number, stage_key=row.stage.key,
                    submitted_by_id=row.owner_id, submitted_at=at, asked=[{"lever": "price", "row": "one", "tier": 1}],
                )
                for row in rows
            ]
        )  # fmt: skip
        steps = ApprovalStep.objects.bulk_create(
            [
                ApprovalStep(
                    request=request, key="price.1", lane="price", lever="price", row_key="one", tier=1, order=0,
                    mode="all", state="active", started_at=at, decision_due_at=at,
                )
                for request in requests
            ]
        )  # fmt: skip
        ApprovalSeat.objects.bulk_create(
            [
                ApprovalSeat(
                    step=step, request=step.request, number=0, person=manager, state="asked", asked_at=at
                )
                for step in steps
            ]
        )
        found = timed(lambda: (queue(manager), count_waiting(manager)), runs)
        return told(found, waiting=count_waiting(manager))


PROCESS = "bench_envelope"


def _name(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def _document() -> dict[str, Any]:
    """Two stages, and between them a gate that wants the values of now inside an approved envelope."""
    kind = {
        "key": "terms", "name": _name("terms"), "binds": [
            {"lever": "price", "field": "discount", "direction": "at_most"},
            {"lever": "price", "field": "amount", "direction": "at_least"},
        ],
        "rows": [{"key": "one", "lever": "price", "tier": 1, "approvers": [{"line": 1}],
                  "when": {"field": "discount", "op": "gt", "value": 5}}],
    }  # fmt: skip
    gate = {
        "key": "terms_given",
        "name": _name("terms"),
        "type": "approval",
        "level": "block",
        "approval": "terms",
    }
    return {
        "process": PROCESS, "version": 1, "subject": "opportunity", "mode": "enforced", "name": _name("Envelope"),
        "lists": {
            "lost": [{"key": "price", "name": _name("Price"), "outcome": "lost"}],
            "regress": [{"key": "need", "name": _name("Need")}],
        },
        "approvals": {"kinds": [kind]},
        "stages": [{"key": "first", "name": _name("One"), "exit": [gate]}, {"key": "second", "name": _name("Two")}],
    }  # fmt: skip


def moves(deals: int) -> Told:
    """A move ahead whose values are checked against what was approved, with its commit."""
    from django.utils import timezone

    from fairlead.crm import services as crm
    from fairlead.crm.models import Account
    from fairlead.organisation.models import User
    from fairlead.process import services as process
    from fairlead.process.enums import Kind
    from fairlead.process.models import ApprovalRequest, ApprovalSeat, Process
    from fairlead.process.services import approving
    from fairlead.process.verdicts import Wish

    seller = User.objects.get(username="s000")
    how: dict[str, Any] = {"by": seller, "at": timezone.now(), "channel": "api"}
    if not Process.objects.filter(key=PROCESS).exists():
        process.publish(_document(), by=None, at=how["at"], channel="system", mode="enforced")
    account = Account.objects.filter(owner=seller).values_list("pk", flat=True)[0]
    found = []
    for number in range(deals + 1):
        values = {"name": f"Envelope {number}", "account": account, "amount": 100_000, "discount": 8}
        deal = crm.create("opportunity", values, process_key=PROCESS, **how)
        request = approving.submit(deal.journey_id, kind="terms", **how)
        for seat in ApprovalSeat.objects.filter(request=request, state="asked").select_related("person"):
            approving.decide(request.pk, approves=True, **(how | {"by": seat.person}))
        assert ApprovalRequest.objects.get(pk=request.pk).state == "approved"
        began = time.perf_counter()
        process.move(deal.journey_id, Wish(kind=Kind.ADVANCE, to="second"), **how)
        found.append((time.perf_counter() - began) * 1000)
    return told(found[1:])


def dry_run(journeys: int) -> Told:
    """A plan for running deals, tried on ten thousand of them: where each comes to and what it would newly miss."""
    from django.utils import timezone

    from fairlead.process import services as process
    from fairlead.process.models import Journey, ProcessVersion
    from fairlead.process.services import migrating

    how: dict[str, Any] = {"by": None, "at": timezone.now(), "channel": "system"}
    row = newest(1)[0]
    with taken_back():
        key = row.process_version.process.key
        latest = ProcessVersion.objects.filter(process__key=key).order_by("-number")[0]
        document = copy.deepcopy(latest.document)
        document["version"] = latest.number + 1
        item = {"key": "one_more", "name": _name("One more"), "type": "field", "level": "block"}
        document["stages"][1].setdefault("exit", []).append(item | {"field": "description", "op": "present"})
        process.publish(document, **how)
        running = Journey.objects.of_process(key).running().current().order_by("-pk")
        spare = list(running.values_list("pk", flat=True)[journeys:])
        # What is more than ten thousand is left out of the question by taking it for replaced.
        for first in range(0, len(spare), 900):
            Journey.objects.filter(pk__in=spare[first : first + 900]).update(superseded_at=how["at"])
        plan = migrating.plan_migration(key, **how)
        began, ticked = time.process_time(), time.perf_counter()
        tried = migrating.check(plan.pk, by=None, at=how["at"])
        cpu, clock = time.process_time() - began, time.perf_counter() - ticked
        count = tried.rows.count()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    more = {"journeys": count, "clock": round(clock, 2), "cpu": round(cpu, 2)}
    return {"dry run": {"value": cpu, "more": more}, "dry run memory": {"value": memory, "more": more}}


if __name__ == "__main__":
    main()
