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
from fairlead.process.enums import MigrationRowState, MigrationState
from fairlead.process.models import Journey, Migration, Visit
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
