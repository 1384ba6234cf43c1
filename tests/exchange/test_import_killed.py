"""A worker that is killed in the middle of an import, for real: the next one goes on, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from tests.exchange.importing import checked, columns, ran, staged
from tests.factories.crm import Company, company

from fairlead.crm.models import DealTeamMember, Opportunity
from fairlead.exchange.enums import RunState
from fairlead.exchange.models import ImportRun
from fairlead.journal.models import Event
from fairlead.process.models import Journey, Visit
from fairlead.process.services.rebuilding import differences

ROWS = 1_500
MAP = columns(
    number="external_id",
    name="name",
    account="account",
    owner="owner",
    stage="stage",
    amount="amount",
    closes="expected_close_date",
)
#: `fairlead worker --batch` on the database of the tests.
WORKER = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from django.core.management import call_command
call_command("worker", batch=True, interval=0.05)
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows knows no kill -9")


def worker() -> subprocess.Popen[bytes]:
    source = Path(__file__).parents[2] / "src"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fairlead.config.settings",
        "FAIRLEAD_DATA": str(settings.DATA_DIR),
        "PYTHONPATH": os.pathsep.join([str(source), *sys.path]),
    }
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(connection.settings_dict["NAME"])], env=environment
    )


def in_file(where: Company, letter: str) -> str:
    lines = ["number,name,account,owner,stage,amount,closes"]
    for i in range(ROWS):
        day = date(2030, 1, 1) + timedelta(days=i % 300)
        stage, owner = ("方案", "")[i % 2], ("周敏", "林芷若", "吴婧怡")[i % 3]
        lines.append(f"{letter}{i},{letter} 冷却系统 {i},海星药业,{owner},{stage},{i * 100},{day}")
    return "\n".join(lines) + "\n"


def run_of(where: Company, letter: str) -> ImportRun:
    return checked(
        staged(in_file(where, letter), by=where.admin),
        by=where.admin,
        mapping=MAP,
        maps={"stage": {"方案": "stage:solution_design"}},
    )


def told(run: ImportRun, letter: str) -> dict[str, Any]:
    """Everything that a run brought in, by the number of its row, without ids and instants."""
    deals = Opportunity.objects.filter(external_id__startswith=letter)
    number = {pk: int(n[1:]) for pk, n in deals.values_list("pk", "external_id")}
    journey = dict(Journey.objects.filter(subject_id__in=number).values_list("pk", "subject_id"))
    shown = ("name", "owner_id", "team_id", "account_id", "amount", "currency", "expected_close_date")
    events = Counter(
        (number[pk], kind, actor, to)
        for pk, kind, actor, to in Event.objects.filter(
            batch_id=run.pk, subject_type="opportunity"
        ).values_list("subject_id", "type", "actor_id", "to_stage")
    )
    return {
        "deals": sorted((number[pk], name[1:], *rest) for pk, name, *rest in deals.values_list("pk", *shown)),
        "journeys": sorted(
            (number[pk], *rest)
            for pk, *rest in Journey.objects.filter(pk__in=journey).values_list(
                "subject_id", "stage__key", "state", "owner_id", "base_amount", "version", "gate_state"
            )
        ),
        "visits": sorted(
            (number[journey[pk]], *rest)
            for pk, *rest in Visit.objects.filter(journey__in=journey).values_list(
                "journey_id", "ordinal", "stage_key", "exit_type", "imported"
            )
        ),
        "people": sorted(
            (number[pk], *rest)
            for pk, *rest in DealTeamMember.objects.filter(opportunity__in=number).values_list(
                "opportunity_id", "role", "person_id"
            )
        ),
        "events": events,
        "counts": run.counts,
    }


@pytest.mark.long
@pytest.mark.rule("T23")
@pytest.mark.django_db(transaction=True)
def test_kill_9_loses_and_doubles_nothing_and_no_tab_has_to_stay_open(client: Client) -> None:
    where = company()
    where.account("海星药业", owner=where.zhou)
    run = run_of(where, "甲")
    client.force_login(where.admin)
    # The one request of the browser, whose tab is closed then: nothing below asks a page for anything.
    assert client.post(reverse("exchange:run", args=[run.pk])).status_code == 302

    first = worker()
    try:
        until = time.monotonic() + 300
        while ImportRun.objects.values_list("rows_done", flat=True).get(pk=run.pk) == 0:
            assert first.poll() is None and time.monotonic() < until, "the worker did not begin"
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
    finally:
        first.kill()
        assert first.wait(120) == -signal.SIGKILL
    run.refresh_from_db()
    assert run.state == RunState.RUNNING and 0 < run.rows_done < ROWS
    assert Opportunity.objects.filter(external_id__startswith="甲").count() == run.rows_done

    assert worker().wait(600) == 0
    run.refresh_from_db()
    assert (run.state, run.rows_done) == (RunState.DONE, ROWS)

    undisturbed = ran(run_of(where, "乙"), by=where.admin)
    assert told(run, "甲") == told(undisturbed, "乙")
    assert list(differences()) == []
