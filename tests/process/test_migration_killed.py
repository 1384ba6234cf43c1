"""A worker that is killed while it moves records over, for real: the next one goes on, and the end is as it was tried."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from tests.factories.crm import company
from tests.process.versions import HOW, planned, publish_next

from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import MigrationRowState, MigrationState
from fairlead.process.models import Journey, Migration, Veto, Visit
from fairlead.process.services import carrying_over, migrating
from fairlead.process.services.rebuilding import differences

DEALS = 160
STAGES = ("customer_contact", "needs_analysis", "solution_design")
#: The job of the worker on the database of the tests.
WORKER = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.utils import timezone
from fairlead.process.services.carrying_over import execute
execute(int(sys.argv[2]), clock=timezone.now)
"""

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows knows no kill -9"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.rule("VR-9", "T23"),
]


def worker(migration: Migration) -> subprocess.Popen[bytes]:
    source = Path(__file__).parents[2] / "src"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fairlead.config.settings",
        "FAIRLEAD_DATA": str(settings.DATA_DIR),
        "PYTHONPATH": os.pathsep.join([str(source), *sys.path]),
    }
    name = str(connection.settings_dict["NAME"])
    return subprocess.Popen([sys.executable, "-c", WORKER, name, str(migration.pk)], env=environment)


def killed_half_way(migration: Migration) -> None:
    """Begin it in a worker of its own, and kill that without a warning once something is done."""
    first = worker(migration)
    try:
        until = time.monotonic() + 300
        while Migration.objects.values_list("rows_done", flat=True).get(pk=migration.pk) == 0:
            assert first.poll() is None and time.monotonic() < until, "the worker did not begin"
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
    finally:
        first.kill()
        assert first.wait(120) == -signal.SIGKILL
    migration.refresh_from_db()
    assert migration.state == MigrationState.RUNNING and 0 < migration.rows_done < DEALS


@pytest.mark.long
def test_kill_9_half_way_leaves_a_plan_that_goes_on_to_the_same_end() -> None:
    where = company()
    for number in range(DEALS):
        where.deal(stage=STAGES[number % len(STAGES)])
    publish_next(where, added={"needs_analysis": "extra"})
    migration = planned(timezone.now(), groups=[{"choice": "now"}])
    tried = dict(migration.rows.values_list("journey_id", "to_stage"))
    at = timezone.now()
    migrating.confirm(migration.pk, version=migration.version, at=at, **HOW)

    killed_half_way(migration)
    # Each journey is on one side or on the other, as its row says.
    moved = set(Event.objects.filter(type="migrated").values_list("journey_id", flat=True))
    done = migration.rows.filter(state=MigrationRowState.DONE)
    assert moved == set(done.values_list("journey_id", flat=True)) and len(moved) == migration.rows_done
    on_target = Journey.objects.filter(process_version=migration.target)
    assert set(on_target.values_list("pk", flat=True)) == moved
    assert list(differences()) == []

    later = timezone.now() + carrying_over.SILENCE + timedelta(seconds=1)
    assert carrying_over.abandoned(at=later) == [migration.pk]
    assert worker(migration).wait(600) == 0
    migration.refresh_from_db()
    assert (migration.state, migration.rows_done) == (MigrationState.DONE, DEALS)
    assert Event.objects.filter(type="migrated").count() == DEALS == on_target.count()
    for row in migration.rows.select_related("journey__stage"):
        assert row.state == MigrationRowState.DONE
        assert row.journey.stage.key == row.to_stage == tried[row.journey_id]
    open_visits = Visit.objects.filter(left_at=None)
    assert set(open_visits.values_list("process_version", flat=True)) == {migration.target.number}
    assert list(differences()) == []


@pytest.mark.rule("VR-2")
@pytest.mark.long
def test_kill_9_while_records_leave_their_process_leaves_each_on_one_side() -> None:
    where = company()
    for number in range(DEALS):
        deal = where.deal(stage=STAGES[number % len(STAGES)], fr=where.he.pk)
        if number % 8 == 0:
            process.raise_veto(
                deal.journey_id, domain="delivery_date", clause="6 周", alternative="9 周，或分两批交货。",
                **where.how(where.he),
            )  # fmt: skip
    publish_next(where)
    migration = planned(timezone.now(), groups=[{"choice": "leave", "reason": "不再经营这类客户"}])
    migrating.confirm(migration.pk, version=migration.version, at=timezone.now(), **HOW)

    killed_half_way(migration)

    # Whoever has left has ended with all that waited on it; everybody else stands as before.
    gone = set(Journey.objects.filter(state="left").values_list("pk", flat=True))
    told = Event.objects.filter(type="process_left")
    assert gone == set(told.values_list("journey_id", flat=True)) and len(gone) == migration.rows_done
    assert gone == set(
        migration.rows.filter(state=MigrationRowState.LEFT).values_list("journey_id", flat=True)
    )
    assert set(Veto.objects.filter(state="ended").values_list("journey", flat=True)) == gone & set(
        Veto.objects.values_list("journey", flat=True)
    )
    assert set(Visit.objects.filter(left_at=None).values_list("journey", flat=True)).isdisjoint(gone)
    assert Visit.objects.filter(left_at=None).count() == DEALS - len(gone)
    assert list(differences()) == []

    later = timezone.now() + carrying_over.SILENCE + timedelta(seconds=1)
    assert carrying_over.abandoned(at=later) == [migration.pk]
    assert worker(migration).wait(600) == 0
    migration.refresh_from_db()
    assert (migration.state, migration.rows_done) == (MigrationState.DONE, DEALS)
    assert Journey.objects.filter(state="left").count() == DEALS == told.all().count()
    assert not Veto.objects.filter(state="open").exists()
    assert list(differences()) == []
