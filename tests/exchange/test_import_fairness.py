"""People go first: the queue before SQLite's one writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest
from django.db import connection, transaction

from fairlead.exchange import fairness
from fairlead.organisation.models import Organisation

pytestmark = [
    pytest.mark.one_engine("sqlite", "PostgreSQL has many writers"),
    pytest.mark.skipif(fairness.fcntl is None, reason="no such locks on this system"),
]


def test_long_work_sees_who_stands_in_the_queue() -> None:
    standing, may_go = threading.Event(), threading.Event()

    def stand() -> None:
        with fairness._queue():
            standing.set()
            may_go.wait(120)

    person = threading.Thread(target=stand)
    assert not fairness.someone_waits()
    person.start()
    assert standing.wait(120)
    assert fairness.someone_waits()
    pace = fairness.Pace()
    assert pace._let_people_pass() is False  # it waited long enough and stands in the queue itself
    assert (pace.is_busy, pace.rows) == (True, fairness.FEW_ROWS)
    may_go.set()
    person.join(120)
    assert not fairness.someone_waits()
    assert pace._let_people_pass() is True


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", [transaction.atomic, nullcontext], ids=["transaction", "one statement"])
def test_a_person_who_writes_while_long_work_does_goes_next(
    monkeypatch: pytest.MonkeyPatch, within: Callable[[], AbstractContextManager[None]]
) -> None:
    """The person's transaction waits for one of the many short ones, never for all of them.

    How soon the person's thread gets to run is the machine's affair; from the moment that they stand in the
    queue it is ours. Two turns may pass then: the one that runs, and one that had looked just before.
    """
    Organisation.objects.create(pk=1)
    pace, order, started = fairness.Pace(), [], threading.Event()
    queue = fairness._queue

    @contextmanager
    def noted() -> Iterator[None]:
        order.append("stands")
        with queue():
            yield

    def person() -> None:
        connection.ensure_connection()
        started.wait(240)
        monkeypatch.setattr(fairness, "_queue", noted)
        with within():
            Organisation.objects.filter(pk=1).update(name="人")
            order.append("person")
        connection.close()

    thread = threading.Thread(target=person)
    thread.start()
    until = time.monotonic() + 240
    while "person" not in order and time.monotonic() < until:
        with pace.turn(), transaction.atomic():
            Organisation.objects.filter(pk=1).update(name=f"长 {len(order)}")
            order.append("work")
            time.sleep(0.02)  # the work of a real turn, so that a turn is longer than a thread's slice
            if len(order) == 5:
                started.set()
        pace.wrote(1)
    thread.join(240)
    assert order.count("person") == 1
    assert order[order.index("stands") : order.index("person")].count("work") <= 2, order


def test_turns_grow_while_nobody_works_and_shrink_for_people() -> None:
    pace = fairness.Pace()
    pace.took = 0.04
    pace.wrote(80)
    assert pace.most == 240
    pace.took = 0.8
    for _ in range(20):
        pace.wrote(80)
    assert fairness.FEW_ROWS <= pace.most < 40


def test_short_turns_grow_shorter_where_even_they_take_long() -> None:
    pace = fairness.Pace()
    pace.last_seen = time.monotonic()
    most = pace.most
    assert pace.rows == fairness.FEW_ROWS
    pace.took = 0.09
    for _ in range(5):
        pace.wrote(pace.rows)
    assert (pace.rows, pace.is_busy) == (fairness.FEWEST_ROWS, True)
    pace.took = 0.005
    for _ in range(5):
        pace.wrote(pace.rows)
    assert pace.rows == fairness.FEW_ROWS
    assert pace.most <= most


@pytest.mark.django_db(transaction=True)
def test_a_turn_does_not_wait_for_the_disk_and_leaves_the_connection_as_it_was() -> None:
    def told() -> tuple[int, int]:
        with connection.cursor() as cursor:
            return tuple(  # type: ignore[return-value]
                cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("synchronous", "wal_autocheckpoint")
            )

    Organisation.objects.create(pk=1)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    full, normal = 2, 1
    pace = fairness.Pace()
    with pace.turn():
        assert told() == (normal, 0)
        with transaction.atomic():
            Organisation.objects.filter(pk=1).update(name="长")
    assert told() == (full, 1000)
    with pytest.raises(ValueError, match="cut"), pace.turn():
        raise ValueError("cut")
    assert told() == (full, 1000)
    with fairness.Pace(keeps_commits=True).turn():
        assert told() == (full, 1000)


@pytest.mark.django_db(transaction=True)
def test_long_work_that_waited_long_enough_stands_in_the_queue_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And writes when its turn comes: nobody waits for somebody who waits for them."""
    Organisation.objects.create(pk=1)
    standing, asked, order = threading.Event(), threading.Event(), []
    look = fairness.someone_waits

    def looks() -> bool:
        asked.set()
        return look()

    def person() -> None:
        with fairness._queue():
            standing.set()
            asked.wait(120)
            order.append("person")

    monkeypatch.setattr(fairness, "someone_waits", looks)
    monkeypatch.setattr(fairness, "LONGEST_WAIT", -1.0)
    thread = threading.Thread(target=person)
    thread.start()
    assert standing.wait(120)
    with fairness.Pace().turn(), transaction.atomic():
        Organisation.objects.filter(pk=1).update(name="长")
        order.append("work")
    thread.join(120)
    assert order == ["person", "work"]
    assert not look()
