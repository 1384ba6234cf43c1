"""What is kept in memory is what the database holds: after moves, reopenings, changed owners and deleted rows."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import transaction
from tests.insight.conftest import PROCESS, person

from fairlead.crm.services import NewRecord, create_many
from fairlead.insight import history
from fairlead.insight.history import load
from fairlead.journal.enums import Channel
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation
from fairlead.process.enums import Kind
from fairlead.process.models import Journey, Visit
from fairlead.process.services import MoveWish, NewJourney, Step, move_many, publish
from fairlead.process.verdicts import Wish

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def seller():
    Organisation.objects.create(pk=1, name="海纳工业", time_zone="Asia/Shanghai")
    publish(PROCESS, by=None, at=NOON, channel=Channel.SYSTEM)
    return person("zhoumin", roles=("ADMIN",))


def deals(seller, count, at=NOON):
    wanted = [
        NewRecord(values={"name": f"商机 {n}", "amount": Decimal("1000.50")}, owner=seller)
        for n in range(count)
    ]
    return create_many("opportunity", wanted, by=seller, at=at, channel=Channel.UI)


def columns(loaded):
    """Every array of a history, by name."""
    found = {
        "subject": loaded.subject,
        "reason": np.array([loaded.reasons[r] if r >= 0 else "" for r in loaded.reason]),
    }
    for table in (loaded.history.visits, loaded.history.journeys):
        for field in fields(table):
            found[f"{type(table).__name__}.{field.name}"] = np.array(getattr(table, field.name))
    return found


def same(one, other):
    a, b = columns(one), columns(other)
    return (
        all(np.array_equal(a[name], b[name], equal_nan=a[name].dtype.kind in "fM") for name in a)
        and a.keys() == b.keys()
    )


def moved(seller, journeys, at, kind, **more):
    wishes = [MoveWish(journey_id=j.pk, wish=Wish(kind=kind, **more), version=j.version) for j in journeys]
    outcomes = move_many(wishes, by=seller, at=at, channel=Channel.UI)
    assert [(o.allowed, o.refusal, o.verdict.objections) for o in outcomes] == [(True, None, ())] * len(
        wishes
    )


def test_instants_keep_their_microseconds(seller):
    deals(seller, 1)

    loaded = load("example")

    assert loaded.history.visits.entered[0] == np.datetime64("2026-03-02T04:00:00.123456", "us")
    assert np.isnat(loaded.history.visits.left[0])
    assert loaded.history.journeys.amount[0] == 1000.5


def test_nothing_is_read_again_while_nothing_changed(seller, django_assert_num_queries):
    deals(seller, 3)
    first = load("example")

    assert load("example") is first


def test_a_change_is_seen_at_once_and_only_its_journeys_are_read(seller, monkeypatch):
    deals(seller, 5)
    before = load("example")
    read = []
    original = history.read_columns
    monkeypatch.setattr(
        history, "read_columns", lambda key, axis, ids: read.append(ids) or original(key, axis, ids)
    )

    create_many(
        "opportunity",
        [NewRecord(values={"name": "later"}, owner=seller)],
        by=seller,
        at=NOON,
        channel=Channel.UI,
    )
    after = load("example")

    newest = Journey.objects.order_by("-pk").first()
    assert read == [[newest.pk]]
    assert len(after.history.journeys) == len(before.history.journeys) + 1


@pytest.mark.parametrize("at_once", [20_000, 7])
def test_what_a_sweep_says_of_very_many_reads_no_journey_again(seller, monkeypatch, at_once):
    """In the morning a sweep may tell of thousands of clocks; the funnel is not read anew for it."""
    rows = deals(seller, 12)
    monkeypatch.setattr(history, "RELOAD_ABOVE", 3)
    monkeypatch.setattr(history, "MOST_EVENTS", at_once)
    before, read = load("example"), []
    original = history.read_columns
    monkeypatch.setattr(
        history, "read_columns", lambda key, axis, ids: read.append(ids) or original(key, axis, ids)
    )
    told = [
        NewEvent(
            type=kind, actor_id=None, channel=Channel.SYSTEM, effective_at=NOON, subject_type="opportunity",
            subject_id=row.pk, journey_id=row.journey_id,
        )
        for row in rows
        for kind in history.SAYS_NOTHING
    ]  # fmt: skip
    with transaction.atomic():
        record(told)
    swept = load("example")
    deals(seller, 2, at=NOON + timedelta(days=1))
    after = load("example")

    assert swept.history is before.history
    assert [len(ids) for ids in read] == [2]
    history.forget()
    assert same(load("example"), after)


def test_topped_up_equals_loaded_anew(seller):
    rows = deals(seller, 8)
    load("example")
    for step in range(1, 4):
        deals(seller, 2, at=NOON + timedelta(days=step))
        history_rows = [
            NewRecord(
                values={"name": f"old {step}"}, owner=seller,
                journey=NewJourney(
                    subject_type="opportunity", subject_id=0, process_key="example",
                    steps=(Step("prospecting", NOON - timedelta(days=40)), Step("engaging", NOON - timedelta(days=20))),
                    outcome="lost", closed_at=NOON - timedelta(days=step), reason="price", fidelity="full",
                ),
            )
        ]  # fmt: skip
        create_many("opportunity", history_rows, by=None, at=NOON, channel=Channel.IMPORT)
        journeys = list(
            Journey.objects.filter(pk__in=[row.journey_id for row in rows[2 * step : 2 * step + 2]])
        )
        moved(
            seller,
            journeys,
            NOON + timedelta(days=10 + step),
            Kind.ADVANCE if step == 1 else Kind.HOLD,
            **(
                {"to": "engaging"}
                if step == 1
                else {"reason": "waiting", "form": {"resume_date": "2026-09-01"}}
            ),
        )
        kept = load("example")
        history.forget()
        assert same(kept, load("example")), step
    assert len(rows) == 8


def test_rows_that_an_undo_took_away_are_gone(seller):
    rows = deals(seller, 4)
    load("example")
    gone = rows[1].journey_id
    with transaction.atomic():
        type(rows[1]).objects.filter(pk=rows[1].pk).update(journey=None)
        Visit.objects.filter(journey=gone).delete()
        Journey.objects.filter(pk=gone).delete()
        record(
            [
                NewEvent(
                    type="import_undone",
                    subject_type="opportunity",
                    subject_id=rows[1].pk,
                    journey_id=gone,
                    actor_id=None,
                    effective_at=NOON,
                    channel=Channel.IMPORT,
                )
            ]
        )

    journeys = load("example").history.journeys

    assert gone not in journeys.journey
    assert len(journeys) == 3


def test_an_undated_first_step_leaves_the_beginning_open_or_takes_the_first_dated_one(seller):
    steps = [
        (Step("prospecting", NOON, known=False),),
        (Step("prospecting", NOON, known=False), Step("engaging", NOON - timedelta(days=9))),
    ]
    create_many("opportunity", [
        NewRecord(values={"name": f"d{n}"}, owner=seller, journey=NewJourney(
            subject_type="opportunity", subject_id=0, process_key="example", steps=s, fidelity="stage_dates_only"))
        for n, s in enumerate(steps)
    ], by=None, at=NOON, channel=Channel.IMPORT)  # fmt: skip

    opened = load("example").history.journeys.opened

    assert np.isnat(opened[0])
    assert opened[1] == np.datetime64("2026-02-21T04:00:00.123456", "us")


def test_an_empty_process_has_an_empty_history(seller):
    loaded = load("example")

    assert len(loaded.history.visits) == len(loaded.history.journeys) == 0
    assert loaded.axis_keys == ("prospecting", "engaging")


def test_a_stage_that_a_later_version_renamed_keeps_its_place(seller):
    deals(seller, 2)
    second = {**PROCESS, "version": 2, "stages": [
        PROCESS["stages"][0],
        {"key": "qualifying", "name": {"zh": "资格", "en": "Qualifying"}},
        {**PROCESS["stages"][1], "key": "talking", "axis": "engaging", "name": {"zh": "谈", "en": "Talking"}},
    ]}  # fmt: skip
    publish(second, by=None, at=NOON, channel=Channel.SYSTEM)
    deals(seller, 1)

    loaded = load("example")

    assert loaded.axis_keys == ("prospecting", "qualifying", "engaging")
    assert [s.name["en"] for s in loaded.stages] == ["Prospecting", "Qualifying", "Talking"]
    assert len(loaded.history.visits) == 3


def test_a_reopened_deal_is_a_second_case(seller):
    create_many("opportunity", [NewRecord(values={"name": "back"}, owner=seller, journey=NewJourney(
        subject_type="opportunity", subject_id=0, process_key="example", steps=(Step("engaging", NOON),),
        outcome="lost", closed_at=NOON + timedelta(days=3), reason="price", fidelity="full",
    ))], by=None, at=NOON, channel=Channel.IMPORT)  # fmt: skip
    load("example")
    journey = Journey.objects.get()
    moved(seller, [journey], NOON + timedelta(days=5), Kind.REOPEN, to="engaging", reason="returned")

    journeys = load("example").history.journeys

    assert journeys.episode.tolist() == [1, 2]
    assert journeys.outcome.tolist() == [2, 0]
    assert journeys.closed[0] == np.datetime64("2026-03-05T04:00:00.123456", "us")
    assert np.isnat(journeys.closed[1])


def test_events_of_another_process_leave_the_figures_as_they_are(seller):
    deals(seller, 2)
    kept = load("example")
    other_process = {**PROCESS, "process": "other_process"}
    publish(other_process, by=None, at=NOON, channel=Channel.SYSTEM)
    wanted = [NewRecord(values={"name": "elsewhere"}, owner=seller)]
    create_many("opportunity", wanted, by=seller, at=NOON, channel=Channel.UI, process_key="other_process")

    assert load("example") is kept
    assert len(load("other_process").history.journeys) == 1
