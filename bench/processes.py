"""Processor time of processes that are not ours to ask. Busy neighbours hardly change it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def children(parent: int) -> dict[int, bytes]:
    """The command of each process that `parent` started."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if int(_fields(int(entry.name))[1]) == parent:
                found[int(entry.name)] = (entry / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """Of these processes so far."""
    return sum(sum(map(int, _fields(pid)[11:13])) for pid in pids) / _TICKS


def cpu_of_family(parent: int) -> float:
    """Of a process, of those that it started and of those of them that have ended."""
    ended = sum(map(int, _fields(parent)[13:15])) / _TICKS
    return ended + cpu_seconds([parent, *children(parent)])


def _fields(pid: int) -> list[str]:
    """What stands behind the name in `/proc/PID/stat`, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
