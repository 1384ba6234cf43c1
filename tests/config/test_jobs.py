import os
import socket
import subprocess
import sys

import pytest
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult, get_date_max

from fairlead.config import jobs


def running(*workers: str) -> DBTaskResult:
    return DBTaskResult.objects.create(
        status=TaskResultStatus.RUNNING, started_at=timezone.now(), args_kwargs={"args": [], "kwargs": {}},
        task_path="tests.nothing", worker_ids=list(workers), backend_name="default", run_after=get_date_max(),
        exception_class_path="", traceback="",
    )  # fmt: skip


def gone() -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True
    )
    return f"{socket.gethostname()[:32]}:{done.stdout.strip()}:abcdef"


@pytest.mark.django_db
def test_a_job_goes_on_when_its_worker_is_gone():
    lost = running(gone())
    assert jobs.take_up_again() == 1
    lost.refresh_from_db()
    assert lost.status == TaskResultStatus.READY


@pytest.mark.django_db
def test_a_job_of_a_living_worker_or_of_another_machine_stays():
    parent = f"{socket.gethostname()[:32]}:{os.getppid()}:abcdef"
    rows = [running(parent), running("elsewhere:1:abcdef"), running(gone(), gone(), gone())]
    assert jobs.take_up_again() == 0
    assert {row.pk for row in DBTaskResult.objects.running()} == {row.pk for row in rows}
