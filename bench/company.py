"""How long `fairlead demo` takes from its start to its end, and what it needs: at its usual size, and with 100,000 deals."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any, Final

from .databases import ROOT, Database, empty
from .measures import Figure

NAMES: Final = ("demo", "demo large")
UNTIL: Final = "2026-06-30"
#: Scale, and seconds that it may take: 6,000 and 100,000 opportunities.
SIZES: Final = {"demo": (1.0, 30.0), "demo large": (100 / 6, 600.0)}
QUICK: Final = 0.01


def measure(engine: str, wanted: set[str], *, quick: bool, say: Any = print) -> list[Figure]:
    found = []
    for name, (scale, limit) in SIZES.items():
        if name in wanted:
            say(f"{engine}: {name}")
            with empty(engine) as database:
                found.append(_built(name, database, QUICK if quick else scale, limit))
    return found


def _built(name: str, database: Database, scale: float, limit: float) -> Figure:
    """By the clock, the start of Python included; with the processor time and the peak memory of the process."""
    figure = Figure("company", name, database.engine, unit="s", limit=limit)
    before, begun = os.getloadavg()[0], time.monotonic()
    command = [sys.executable, "-m", "fairlead", "demo", "--until", UNTIL, "--scale", str(scale)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=database.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        figure.note = f"ended with {process.returncode}"
        return figure
    figure.value = round(time.monotonic() - begun, 1)
    figure.more = {
        "cpu": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
        "scale": round(scale, 3),
        "load": [round(before, 1), round(os.getloadavg()[0], 1)],
    }
    figure.note = f"peak {figure.more['peak_mb']} MB, load {before:.1f} to {os.getloadavg()[0]:.1f}"
    return figure
