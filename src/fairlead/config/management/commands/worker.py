import logging
import os
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections
from django.utils import timezone

from fairlead.common import memory, schedule
from fairlead.config import jobs
from fairlead.exchange.demo.progress import being_built

logger = logging.getLogger(__name__)

#: How often the schedule is looked at; what is due may be up to this late.
LOOK_SECONDS = 15.0


class Command(BaseCommand):
    help = "Run the jobs: imports, the demo, what the schedule says. Ends with the running job on SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--while-input-open", action="store_true", help="end when standard input closes (used by serve)"
        )
        parser.add_argument("--batch", action="store_true", help="run what waits, then end")
        parser.add_argument("--interval", type=float, default=0.5, help="seconds between looks at the queue")

    def handle(self, *args: Any, **options: Any) -> None:
        memory.settle()
        if options["while_input_open"]:
            threading.Thread(target=_end_with_input, name="end-with-input", daemon=True).start()
        if not options["batch"]:
            threading.Thread(target=_keep_schedule, name="schedule", daemon=True).start()
        if taken := jobs.take_up_again():
            logger.warning("worker.jobs_taken_up_again", extra={"jobs": taken})
        call_command(
            "db_worker",
            worker_id=jobs.worker_name(),
            queue_name="*",
            interval=options["interval"],
            batch=options["batch"],
            reload=False,
            startup_delay=False,
            verbosity=0,
        )


def _end_with_input() -> None:
    # The descriptor itself: a thread inside the buffered reader would hold its lock when the interpreter ends.
    while os.read(0, 4096):
        pass
    os._exit(0)  # a job that was running is found unfinished and resumes with the next worker


def _keep_schedule() -> None:
    pause = threading.Event()
    while not pause.wait(LOOK_SECONDS):
        close_old_connections()
        look_at_schedule()


def look_at_schedule() -> None:
    """Run what is due. While the demo is being built nothing is: its simulated people live in another time."""
    if being_built() is not None:
        return
    for task in schedule.due(timezone.now()):
        try:
            task.run(timezone.now())
        except Exception:  # one broken task must not stop the others
            logger.exception("schedule.task_failed", extra={"task": task.name})
