"""The sealed journal: whatever is done to it past the program is found and named (OV-3)."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from fairlead.journal import guards
from fairlead.journal.models import Event, EventDetail, Seal, SealCheck
from fairlead.journal.sealing import check, seal, seal_all, state, verify
from fairlead.journal.services import NewEvent, purge_detail, record
from fairlead.journal.tasks import seal_settled, verify_daily

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
pytestmark = [pytest.mark.rule("OV-3", "T28")]


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Other tests share the PostgreSQL server; their open transactions would hold back what is settled."""
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)


def write(*numbers: int, **more) -> list[Event]:
    with transaction.atomic():
        return record(
            [
                NewEvent(
                    **{
                        "type": "noted",
                        "subject_type": "opportunity",
                        "subject_id": n,
                        "actor_id": None,
                        "effective_at": AT,
                        "channel": "system",
                        "data": {"n": n, "share": 0.1, "words": "客户"},
                        "payload": {"before": {"amount": "1.00"}, "n": n},
                        **more,
                    }
                )
                for n in numbers
            ]
        )


@contextmanager
def past_the_guards() -> Iterator[None]:
    guards.remove(connection)
    try:
        yield
    finally:
        guards.install(connection)


def sealed() -> list[Event]:
    """Seven events under three seals, and two that are not sealed yet."""
    found = write(1, 2, 3, 4, 5, 6, 7)
    assert seal_all(at=AT, most=0) == 0
    while seal(at=AT, limit=3) is not None:
        pass
    return found + write(8, 9)


def _delete(event: Event) -> None:
    EventDetail.objects.filter(pk=event.pk).delete()
    Event.objects.filter(pk=event.pk).delete()


def _slip_in(event: Event) -> None:
    """A row between two of the second seal, as an id that was burnt by a rolled back writer leaves room for."""
    _delete(event)
    values = {f.attname: getattr(event, f.attname) for f in Event._meta.concrete_fields}
    Event(**values | {"subject_id": 77}).save(force_insert=True)


TAMPERED: dict[str, tuple[Callable[[Event], object], str]] = {
    "reason": (lambda e: Event.objects.filter(pk=e.pk).update(reason_code="other"), "altered"),
    "actor": (lambda e: Event.objects.filter(pk=e.pk).update(actor_id=4), "altered"),
    "instant": (
        lambda e: Event.objects.filter(pk=e.pk).update(recorded_at=AT + timedelta(microseconds=1)),
        "altered",
    ),
    "data": (lambda e: Event.objects.filter(pk=e.pk).update(data={"n": 99}), "altered"),
    "hash": (lambda e: Event.objects.filter(pk=e.pk).update(detail_hash="0" * 64), "altered"),
    "another in its place": (_slip_in, "altered"),
    "deleted": (_delete, "missing"),
    "detail": (lambda e: EventDetail.objects.filter(pk=e.pk).update(comment="x"), "detail_altered"),
    "payload": (lambda e: EventDetail.objects.filter(pk=e.pk).update(payload={}), "detail_altered"),
    "detail deleted": (lambda e: EventDetail.objects.filter(pk=e.pk).delete(), "detail_missing"),
    "erased by hand": (
        lambda e: EventDetail.objects.filter(pk=e.pk).update(payload={}, comment="", salt="", purged_at=AT),
        "erased_untold",
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", [0, 4, 6])
@pytest.mark.parametrize("how", TAMPERED)
def test_the_row_that_was_tampered_with_is_named(how, place):
    events = sealed()
    assert (verify().sound, verify().events, verify().seals, verify().unsealed) == (True, 7, 3, 2)
    tamper, fault = TAMPERED[how]
    with past_the_guards():
        tamper(events[place])
    found = verify()
    assert (found.fault, found.event_id) == (fault, events[place].pk)
    assert found.seal_id == Seal.objects.order_by("id")[place // 3].pk


@pytest.mark.django_db(transaction=True)
def test_of_two_altered_rows_the_first_is_named():
    events = sealed()
    with past_the_guards():
        Event.objects.filter(pk__in=[events[2].pk, events[5].pk]).update(subject_id=70)
    assert verify().event_id == events[2].pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("beyond", [False, True], ids=["inside a seal", "between two seals"])
def test_a_row_that_was_slipped_in_is_named(beyond):
    write(1, 2)
    if beyond:
        assert seal(at=AT) is not None
    gap = write(3)[0]
    with past_the_guards():
        _delete(gap)
    write(4, 5)
    assert seal(at=AT) is not None
    assert verify().sound
    with past_the_guards():
        values = {f.attname: getattr(gap, f.attname) for f in Event._meta.concrete_fields}
        Event(**values).save(force_insert=True)
    assert (verify().fault, verify().event_id) == ("added", gap.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("field", ["digest", "previous_digest", "count", "leaves", "deleted"])
def test_a_seal_that_was_altered_is_named(field):
    sealed()
    first, second, third = Seal.objects.order_by("id")
    with past_the_guards():
        if field == "deleted":
            second.delete()
        else:
            value = {"count": 2, "leaves": b"\0" * len(second.leaves)}.get(field, "f" * 64)
            Seal.objects.filter(pk=second.pk).update(**{field: value})
    found = verify()
    assert (found.fault, found.seal_id) == ("seal_altered", third.pk if field == "deleted" else second.pk)
    assert (found.seals, found.head) == (1, first.digest)


@pytest.mark.django_db(transaction=True)
def test_a_history_that_was_cut_short_and_sealed_anew_misses_the_head_that_was_noted():
    events = sealed()
    noted = verify().head
    with past_the_guards():
        Seal.objects.order_by("id").last().delete()
        for event in events[6:]:
            _delete(event)
    write(20)
    assert seal(at=AT) is not None
    assert verify().sound
    assert verify(expected=noted).fault == "other_head"
    older = Seal.objects.order_by("id").first().digest
    assert verify(expected=older).sound


@pytest.mark.django_db(transaction=True)
def test_a_purge_leaves_a_tombstone_and_everything_holds():
    events = sealed()
    with transaction.atomic():
        purge_detail(event_id=events[1].pk, by_id=None, at=AT, channel="system", reason_code="erasure")
    assert EventDetail.objects.get(pk=events[1].pk).purged_at == AT
    assert verify().sound
    assert seal_all(at=AT) == 3
    assert (verify().sound, verify().unsealed) == (True, 0)


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_to_change_a_seal():
    sealed()
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Seal.objects.update(count=9)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        Seal.objects.all().delete()


@pytest.mark.django_db
def test_two_sealers_make_one_chain(monkeypatch):
    """The second one has read the same last seal; its place is taken."""
    write(1, 2)
    from fairlead.journal import sealing

    first, chain = seal(at=AT, limit=1), sealing._chain
    assert first is not None

    def meanwhile(previous: str, leaves: bytes) -> str:
        monkeypatch.setattr(sealing, "_chain", chain)
        assert seal(at=AT) is not None
        return chain(previous, leaves)

    monkeypatch.setattr(sealing, "_chain", meanwhile)
    assert seal(at=AT) is None
    assert (verify().sound, verify().seals, verify().events) == (True, 2, 2)


@pytest.mark.django_db
def test_the_schedule_seals_and_reads_again():
    write(1, 2)
    seal_settled(AT)
    verify_daily(AT)
    found = SealCheck.objects.get()
    assert (found.sound, found.events, found.seals, found.channel) == (True, 2, 1, "system")
    assert state().check == found
    assert (state().events, state().seals, state().unsealed, state().head) == (2, 1, 0, found.head)


def run(*arguments: str) -> tuple[int, str]:
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("audit", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue() + err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_seals_verifies_and_names_the_row():
    events = write(1, 2, 3)
    assert run("seal") == (0, "3 events sealed.\n")
    code, text = run("verify", "--json")
    told = json.loads(text)
    assert (code, told["sound"], told["events"], told["head"]) == (0, True, 3, Seal.objects.get().digest)
    assert told["head"] in run("verify")[1]
    assert run("verify", "--expect", "0" * 64)[0] == 1
    with past_the_guards():
        Event.objects.filter(pk=events[1].pk).update(type="edited")
    code, text = run("verify")
    assert code == 1
    assert f"event {events[1].pk}: altered" in text
    assert json.loads(run("verify", "--json")[1])["event_id"] == events[1].pk


@pytest.mark.django_db
def test_an_empty_journal_holds():
    assert (verify().sound, verify().seals, seal(at=AT)) == (True, 0, None)
    assert check(by=None, at=AT, channel="system").sound
