"""The web server: granian in front of Django, with few threads, a short queue and a worker beside it.

Does not load Django in this process: the server's own processes do, and a start costs that only once.
"""

import argparse
import ipaddress
import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from fairlead.config import environment

#: SQLite has one writer; more threads would only wait for it.
SQLITE_THREADS = 4
POSTGRESQL_THREADS = 8
#: Requests that may wait for each thread before new ones stay in the socket's queue.
WAITING_PER_THREAD = 16


def arguments(parser: argparse.ArgumentParser, settings: environment.FairleadSettings) -> None:
    parser.add_argument("--host", default=settings.host, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=settings.port, help="port (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=settings.workers, help="web processes")
    parser.add_argument("--threads", type=int, default=settings.threads, help="threads of each web process")
    parser.add_argument("--no-worker", action="store_true", help="run no jobs here; `fairlead worker` does")
    parser.add_argument("--expose-demo", action="store_true", help="serve a demo beyond this machine")


def main(argv: Sequence[str] | None = None) -> None:
    settings = environment.read()
    parser = argparse.ArgumentParser(prog="fairlead serve", description=(__doc__ or "").splitlines()[0])
    arguments(parser, settings)
    run(parser.parse_args(argv), settings)


def run(options: argparse.Namespace, settings: environment.FairleadSettings) -> None:
    if settings.demo and not options.expose_demo and not is_loopback(options.host):
        sys.exit(
            f"This is the demo: its passwords are known, so it is not served on {options.host}. "
            "Add --expose-demo if you mean it."
        )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    os.environ["FAIRLEAD_HOST"] = options.host  # the allowed hosts follow it
    threads = options.threads or (SQLITE_THREADS if settings.uses_sqlite else POSTGRESQL_THREADS)
    if not options.no_worker:
        threading.Thread(target=_keep_worker, name="keep-worker", daemon=True).start()

    from granian import Granian  # only a server needs it
    from granian.constants import Interfaces

    Granian(
        "fairlead.config.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=threads,
        blocking_threads_idle_timeout=600,
        backpressure=threads * WAITING_PER_THREAD,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        log_level="warning",  # type: ignore[arg-type]
    ).serve()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _keep_worker() -> None:
    """Run a worker as long as this process lives: it ends when the pipe to its input closes."""
    pause = threading.Event()
    while True:
        worker = subprocess.Popen(
            [sys.executable, "-m", "fairlead", "worker", "--while-input-open"], stdin=subprocess.PIPE
        )
        if worker.wait() == 0:
            return
        pause.wait(5)
