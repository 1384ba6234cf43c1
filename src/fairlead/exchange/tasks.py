"""Jobs of imports: they run in the worker, so that closing the tab stops nothing."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django_tasks import task

from . import services
from .enums import RunState, SampleState
from .models import ImportRun, SampleData
from .services.sample_clearing import clear
from .services.sample_loading import load
from .services.working import clock

JOBS = {
    RunState.CHECKING: services.check,
    RunState.RUNNING: services.execute,
    RunState.UNDOING: services.undo,
}


@task(queue_name="imports")
def work_on(run_id: int) -> None:
    """Do what the state of the run asks for. Bears a second run, and a second worker."""
    run = ImportRun.objects.filter(pk=run_id).first()
    job = JOBS.get(RunState(run.state)) if run is not None else None
    if run is None or job is None:
        return
    try:
        job(run_id)
    except Exception:
        ImportRun.objects.filter(pk=run_id).update(
            state=RunState.FAILED,
            runner="",
            finished_at=clock(),
            failure=_("Something went wrong. What was written stays and can be undone; the log says more."),
        )
        raise


def enqueue(run: ImportRun) -> None:
    work_on.enqueue(run.pk)


@task(queue_name="imports")
def work_on_sample_data() -> None:
    """Load or clear the sample data, whichever they wait for. Bears a second run, and a second worker."""
    state = SampleData.objects.filter(pk=1).values_list("state", flat=True).first()
    job = {SampleState.LOADING: load, SampleState.CLEARING: clear}.get(SampleState(state or SampleState.NONE))
    if job is None:
        return
    try:
        job()
    except Exception:
        SampleData.objects.filter(pk=1, state=state).update(
            state=SampleState.STOPPED, runner="", ended_at=clock()
        )
        raise


def enqueue_sample_data() -> None:
    work_on_sample_data.enqueue()
