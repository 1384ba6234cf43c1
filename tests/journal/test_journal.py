"""The journal: append-only, erasable details, seals, cursors that lose nothing (idea 6 of the design)."""

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from fairlead.journal import services
from fairlead.journal.models import Event, EventDetail, ReaderCursor
from fairlead.journal.sealing import seal, verify
from fairlead.journal.services import NewEvent, advance, purge_detail, read_new, record

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
DOOMED = 50_000_000
PROCESS = """
import json, sys
import django
from django.conf import settings
settings.DATABASES["default"].update(json.loads(sys.argv[1]))
django.setup()
from datetime import UTC, datetime
from django.db import transaction
from fairlead.journal.services import NewEvent, record
at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 1_000_000):
    with transaction.atomic():
        record([NewEvent(type="noted", subject_type="opportunity", subject_id=n, actor_id=None, effective_at=at,
                         channel="system", data={"n": n})])
    print(n, flush=True)
"""


@pytest.fixture
def alone(monkeypatch):
    """Other tests share the PostgreSQL server; their open transactions would hold back what is settled."""
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)


def event(n: int = 1, **more) -> NewEvent:
    return NewEvent(
        **{
            "type": "noted",
            "subject_type": "opportunity",
            "subject_id": n,
            "actor_id": None,
            "effective_at": AT,
            "channel": "system",
            "data": {"n": n},
            **more,
        }
    )


def write(*events: NewEvent) -> list[Event]:
    with transaction.atomic():
        return record(events)


@pytest.mark.rule("EV-1", "T28")
@pytest.mark.django_db
def test_the_database_refuses_to_change_or_delete_an_event():
    stored = write(event(payload={"before": 1}))[0]
    for act in (
        lambda: Event.objects.filter(pk=stored.pk).update(type="x"),
        lambda: Event.objects.filter(pk=stored.pk).delete(),
        lambda: EventDetail.objects.filter(pk=stored.pk).update(comment="x"),
        lambda: EventDetail.objects.filter(pk=stored.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    assert Event.objects.get(pk=stored.pk).type == "noted"


@pytest.mark.rule("EV-1")
@pytest.mark.django_db(transaction=True)
def test_an_event_is_written_in_the_transaction_of_what_it_tells():
    with pytest.raises(RuntimeError):
        record([event()])
    assert not Event.objects.exists()


@pytest.mark.rule("EV-4")
@pytest.mark.django_db
def test_as_known_on_a_day_leaves_out_what_was_written_later():
    write(event(1, recorded_at=AT), event(2, recorded_at=AT + timedelta(days=3)))
    assert [e.subject_id for e in Event.objects.known_on(AT + timedelta(days=1)).in_order()] == [1]


@pytest.mark.rule("EV-1")
@pytest.mark.django_db
def test_the_business_date_is_that_of_the_house():
    assert (
        write(event(effective_at=datetime(2026, 3, 2, 17, tzinfo=UTC)))[0].business_date.isoformat()
        == "2026-03-03"
    )


@pytest.mark.rule("T28", "OV-3")
@pytest.mark.django_db
def test_a_purge_leaves_a_tombstone_and_a_sound_chain(alone):
    stored = write(event(payload={"name": "张伟"}, comment="private"))[0]
    seal(at=AT)
    assert verify().sound
    with transaction.atomic():
        purge_detail(event_id=stored.pk, by_id=None, at=AT, channel="system", reason_code="erasure")
    detail = EventDetail.objects.get(pk=stored.pk)
    assert (detail.payload, detail.comment, detail.salt) == ({}, "", "")
    assert detail.purged_at == AT
    assert verify().sound
    assert Event.objects.filter(type="detail_purged").count() == 1


@pytest.mark.rule("T28", "OV-3")
@pytest.mark.django_db(transaction=True)
def test_an_altered_header_breaks_the_chain(alone):
    write(*[event(n) for n in range(5)])
    assert seal(at=AT) is not None
    write(event(9))
    assert seal(at=AT) is not None
    assert verify().events == 6
    from fairlead.journal import guards

    guards.remove(connection)
    Event.objects.filter(subject_id=3).update(reason_code="changed")
    guards.install(connection)
    found = verify()
    assert not found.sound
    assert (found.fault, found.event_id) == ("altered", Event.objects.get(subject_id=3).pk)


@pytest.mark.rule("T28")
@pytest.mark.django_db(transaction=True)
def test_a_detail_that_no_longer_fits_its_hash_is_named():
    stored = write(event(payload={"a": 1}))[0]
    from fairlead.journal import guards

    guards.remove(connection)
    EventDetail.objects.filter(pk=stored.pk).update(payload={"a": 2})
    guards.install(connection)
    assert (verify().fault, verify().event_id) == ("detail_altered", stored.pk)


@pytest.mark.rule("EV-1")
@pytest.mark.django_db
def test_salts_can_be_made_equal_for_a_simulation():
    with services.salts_from(7):
        first = write(event(comment="x"))[0].detail_hash
    with services.salts_from(7):
        second = write(event(comment="x"))[0].detail_hash
    assert first == second
    assert write(event(comment="x"))[0].detail_hash != first


def _writers(count: int, each: int, slow: threading.Event | None = None) -> list[threading.Thread]:
    def work(writer: int) -> None:
        try:
            for n in range(each):
                with transaction.atomic():
                    record([event(writer * 1_000_000 + n)])
        finally:
            connection.close()

    return [threading.Thread(target=work, args=(w,)) for w in range(count)]


def _writing_process() -> "subprocess.Popen[str]":
    """Another process that writes one event after another and tells each one that has been committed."""
    given = connection.settings_dict
    database = {key: given[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")}
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, json.dumps(database), str(DOOMED)], text=True, stdout=subprocess.PIPE
    )


@pytest.mark.rule("EV-1", "T13", "T16")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("each", [1250, pytest.param(12500, marks=pytest.mark.nightly)])
def test_a_reader_loses_and_doubles_nothing_under_writers_a_long_transaction_and_a_kill(each):
    """8 writers with 10,000 events, one that holds its transaction open, and a process that dies by kill -9."""
    if connection.vendor != "postgresql":
        pytest.skip("writers on SQLite come one after the other; the race is PostgreSQL's")
    seen: list[int] = []
    release, started = threading.Event(), threading.Event()

    def long_transaction() -> None:
        try:
            with transaction.atomic():
                record([event(99_000_000)])
                started.set()
                release.wait(120)
        finally:
            connection.close()

    def drain() -> int:
        page = read_new("test", limit=500)
        seen.extend(e.subject_id for e in page)
        if page:
            advance("test", page[-1])
        return len(page)

    slow = threading.Thread(target=long_transaction)
    slow.start()
    started.wait(120)
    doomed = _writing_process()
    writers = _writers(8, each)
    for thread in writers:
        thread.start()
    told: list[int] = []
    while any(t.is_alive() for t in writers) or len(told) < 200:
        drain()
        if doomed.poll() is None and len(told) < 200:
            told.append(int(doomed.stdout.readline()))
        elif doomed.poll() is None:
            doomed.kill()  # in the middle of whatever it writes
    doomed.kill()
    told += [int(line) for line in doomed.communicate()[0].split() if line.isdigit()]
    release.set()
    for thread in (*writers, slow):
        thread.join()
    deadline = (
        time.monotonic() + 300
    )  # another test's open transaction may hold the last page back for a while
    while len(seen) < Event.objects.count() and time.monotonic() < deadline:
        drain()
    assert len(set(seen)) == len(seen)
    assert set(seen) == set(Event.objects.values_list("subject_id", flat=True))
    of_threads = [n for n in seen if not DOOMED <= n < 99_000_000]
    assert len(of_threads) == 8 * each + 1
    assert len(told) >= 200 and set(told) <= set(seen)  # what it was told is stored, is stored


@pytest.mark.rule("EV-1")
@pytest.mark.django_db
def test_a_cursor_goes_on_where_it_stopped(alone):
    write(*[event(n) for n in range(5)])
    page = read_new("r", limit=3)
    advance("r", page[-1])
    assert [e.subject_id for e in read_new("r")] == [3, 4]
    assert ReaderCursor.objects.get(name="r").event_id == page[-1].pk


@pytest.mark.django_db
def test_gathered_events_are_those_that_one_by_one_would_be():
    def work() -> list[list[Event]]:
        return [
            record([event(1), event(2, payload={"before": 1}, comment="why")]),
            record([event(3, comment="alone")]),
            record([event(4)]),
        ]

    def stored(found: list[list[Event]]) -> list[tuple]:
        ids = [header.pk for headers in found for header in headers]
        names = [f.attname for f in Event._meta.concrete_fields if f.attname not in ("id", "txid")]
        rows = Event.objects.filter(pk__in=ids).order_by("pk")
        told = dict(EventDetail.objects.filter(event__in=ids).values_list("event_id", "comment"))
        assert [row.pk for row in rows] == ids == list(range(ids[0], ids[0] + 4))
        return [(*(getattr(row, name) for name in names), told.get(row.pk)) for row in rows]

    with transaction.atomic(), services.salts_from(7):
        plain = stored(work())
    with transaction.atomic(), services.salts_from(7):
        with services.listening() as heard, services.gathered():
            found = work()
            assert not Event.objects.filter(pk__in=[h.pk for hs in found for h in hs]).exists()
        assert [h.pk for h in heard] == [h.pk for hs in found for h in hs]
        assert stored(found) == plain
    assert len({row.txid for row in Event.objects.filter(pk__in=[h.pk for h in heard])}) == 1
    assert verify().sound


@pytest.mark.django_db
def test_events_gathered_for_work_that_failed_are_not_written():
    with pytest.raises(ZeroDivisionError), transaction.atomic(), services.gathered():
        record([event()])
        raise ZeroDivisionError
    assert not Event.objects.exists()
    with transaction.atomic():
        assert record([event()])[0].pk
    assert Event.objects.count() == 1
