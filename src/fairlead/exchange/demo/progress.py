"""How far the demo has come: in `demo-progress.json` of the data directory, in the terminal and on every page.

While it is built the simulated people hold in mind what they did: what anybody else changes meanwhile, a person at a
page or the schedule of the worker, would contradict them. Both wait until it is complete.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.conf import settings

STAGES: Final = {"founding": 1, "accounts": 6, "days": 88, "gates": 5}  # shares of the whole, in per cent
WORDS: Final = {
    "founding": "people, teams, processes",
    "accounts": "accounts",
    "days": "two years of work",
    "gates": "gates and next steps",
}
EVERY_SECONDS: Final = 0.5
#: Without news for so long nobody builds any more: it was killed, and the next start begins it again.
SILENT_SECONDS: Final = 180.0
COMPLETE: Final = "complete"


class Progress:
    """Writes the file at most twice a second, and a line for each tenth."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.path, self.say = path, say
        self._written, self._said = 0.0, -1

    def report(self, stage: str, done: int, total: int) -> None:
        before = sum(
            share for name, share in STAGES.items() if list(STAGES).index(name) < list(STAGES).index(stage)
        )
        part = before + STAGES[stage] * (done / total if total else 1)
        now = time.monotonic()
        if now - self._written >= EVERY_SECONDS or part >= 100:
            self._written = now
            self.write(int(part), 100, stage)
        tenth = int(part // 10)
        if tenth > self._said:
            self._said = tenth
            self.say(f"demo company  {int(part):3d} %  {WORDS[stage]}")

    def write(self, done: int, total: int, stage: str) -> None:
        fresh = self.path.with_suffix(".json.new")
        fresh.write_text(json.dumps({"done": done, "total": total, "stage": stage}), encoding="utf-8")
        os.replace(fresh, self.path)

    def complete(self) -> None:
        self.write(100, 100, COMPLETE)


def file_of_demo() -> Path:
    return Path(settings.DATA_DIR) / "demo-progress.json"


def stage_of(path: Path) -> str:
    """The stage that the file tells; empty where there is none."""
    return str(_read(path).get("stage", ""))


def being_built(path: Path | None = None) -> int | None:
    """How much of the demo stands, in per cent, while it is being built; None where none is."""
    path = path or file_of_demo()
    try:
        silent = time.time() - path.stat().st_mtime
    except OSError:
        return None
    if silent > SILENT_SECONDS:
        return None
    found = _read(path)
    return None if not found or found.get("stage") == COMPLETE else int(str(found.get("done", 0)))


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
