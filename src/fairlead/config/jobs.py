"""Jobs that outlive their worker: a killed run goes on with the next worker of the same machine."""

import os
import secrets
import socket

from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

#: A job that killed its worker this often is not begun again.
MOST_TRIES = 3


def worker_name() -> str:
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(3)}"


def take_up_again() -> int:
    """Put jobs back into the queue whose worker, on this machine, is gone; how many.

    A job must therefore bear a second run: it looks at what its first run has done.
    """
    taken = 0
    for result in DBTaskResult.objects.running():
        if not result.worker_ids or len(result.worker_ids) >= MOST_TRIES or is_alive(result.worker_ids[-1]):
            continue
        taken += DBTaskResult.objects.filter(
            pk=result.pk, status=TaskResultStatus.RUNNING, started_at=result.started_at
        ).update(status=TaskResultStatus.READY)
    return taken


def is_alive(worker: str) -> bool:
    """Whether a worker may still run; one of another machine, or of Windows, is taken to."""
    host, _colon, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname()[:32] or not pid.isdecimal() or os.name == "nt":
        return True
    if int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
