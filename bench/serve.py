"""Fairlead as shipped, on a free port: `fairlead serve` in its own process group."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.postgresql import _free_port

from . import processes
from .client import Client
from .databases import ROOT, Database, wait_for


@dataclass
class Site:
    address: str
    process: subprocess.Popen[bytes]
    ready_seconds: float

    def web_processes(self) -> list[int]:
        """The processes that answer requests: children of the server, its worker for jobs left out."""
        return [
            pid
            for pid, command in processes.children(self.process.pid).items()
            if b"worker" not in command.split(b"\0") and b"resource_tracker" not in command
        ]

    def cpu_seconds(self) -> float:
        """Processor time of the web processes so far."""
        return processes.cpu_seconds(self.web_processes())


@contextmanager
def served(database: Database, *, workers: int = 1) -> Iterator[Site]:
    """`ready_seconds`: from the start of the command to the first whole answer of the sign-in page."""
    port = _free_port()
    command = [sys.executable, "-m", "fairlead", "serve", "--port", str(port), "--workers", str(workers)]
    with tempfile.TemporaryFile() as said:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=ROOT, env=database.environment, stdout=said, stderr=said, start_new_session=True
        )
        try:
            wait_for(port, process, 60)
            client = Client(f"http://127.0.0.1:{port}")
            answer = client.get("/sign-in")
            took = time.monotonic() - begun
            client.close()
            if answer.status != 200:
                raise RuntimeError(f"the sign-in page answers {answer.status}")
            yield Site(f"http://127.0.0.1:{port}", process, took)
        except (OSError, RuntimeError, TimeoutError):
            said.seek(0)
            sys.stderr.write(said.read()[-3000:].decode(errors="replace"))
            raise
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def memory_mb(pid: int) -> float:
    """Resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(pid)
