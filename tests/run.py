"""Run the tests on every database engine that is here: `python3 start.py test`. Standard library only.

    --ids            print each rule id with the number of its tests, run nothing
    --id T05         only the tests of that rule (several: again, or with commas)
    --engine NAME    sqlite or postgresql (default: both, PostgreSQL where initdb and pg_ctl are found)

Everything else goes to pytest. A few tests that fail are run again, alone in one process: a machine that is short of
breath must not decide what is true of the code. One that passes then is named as unsteady; one that fails again fails
the run.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.kit import postgresql
from tests.kit.browser import chromium_path

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 2
SOME_FAILED = 1
NOTHING_COLLECTED = 5
#: More failures than this are no accident.
MOST_RUN_AGAIN = 8


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="start.py test", description=__doc__, allow_abbrev=False)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--id", action="append", default=[])
    parser.add_argument("--engine", choices=["sqlite", "postgresql"])
    options, rest = parser.parse_known_args(argv)
    if options.ids:
        return list_ids(rest)
    ensure_browser()
    rest += [part for rule in options.id for part in ("--rule", rule)]
    results: dict[str, int] = {}
    if options.engine != "postgresql":
        results["SQLite"] = run_pytest("SQLite", "", rest)
    if options.engine != "sqlite":
        if postgresql.programs():
            with ExitStack() as stack:
                # One for each process: an open transaction holds back what every database of a cluster takes for settled.
                urls = [stack.enter_context(postgresql.cluster()) for _process in range(PROCESSES)]
                results["PostgreSQL"] = run_pytest("PostgreSQL", " ".join(urls), rest)
        elif os.environ.get("CI") or options.engine:
            print("PostgreSQL: initdb and pg_ctl are not here, and this run must have them.")
            results["PostgreSQL"] = 1
        else:
            print("PostgreSQL: not run, initdb and pg_ctl are not here.")
    print()
    for engine, code in results.items():
        print(f"{engine}: {'passed' if code == 0 else f'failed ({code})'}")
    return max(results.values())


def pytest_command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def run_pytest(engine: str, url: str, arguments: list[str]) -> int:
    print(f"\n── {engine} ".ljust(100, "─"), flush=True)
    began = time.monotonic()
    environment = os.environ | {"FAIRLEAD_TEST_DATABASE_URL": url}
    spread = [] if any(given.startswith(("-n", "--pdb")) for given in arguments) else ["-n", str(PROCESSES)]
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch) / "failures.json"
        noting = ["-p", "tests.kit.groups", "-p", "tests.kit.failures", "--failures", str(kept)]
        noting += ["--durations=40", "--durations-min=4"]  # where the minutes of a whole run go
        command = pytest_command([*spread, "--dist", "loadgroup", *noting, *arguments])
        code = subprocess.run(command, cwd=ROOT, env=environment).returncode
        if code == SOME_FAILED and kept.exists():
            code = run_again(engine, json.loads(kept.read_text(encoding="utf-8")), environment)
    if code == NOTHING_COLLECTED:
        print("No test matched.")
    print(f"{engine}: {time.monotonic() - began:.0f} s", flush=True)
    return code


def run_again(engine: str, failed: list[str], environment: dict[str, str]) -> int:
    """Run a few failed tests by themselves; what they say then counts."""
    if not 0 < len(failed) <= MOST_RUN_AGAIN:
        return SOME_FAILED
    print(f"\n── {engine}: {len(failed)} failed; again, alone ".ljust(100, "─"), flush=True)
    code = subprocess.run(pytest_command(["-p", "no:xdist", *failed]), cwd=ROOT, env=environment).returncode
    if code == 0:
        print(f"{engine}: unsteady, they failed among the others and passed alone:")
        print("\n".join(f"    {test}" for test in failed))
    return code


def list_ids(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "counts.json"
        command = pytest_command(
            ["--collect-only", "-qq", "-p", "no:xdist", "--rule-counts", str(file), *arguments]
        )
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not file.exists() or done.returncode not in {0, NOTHING_COLLECTED}:
            print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
            return done.returncode or 1
        counts: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    for rule in sorted(counts, key=in_reading_order):
        print(f"{rule} {counts[rule]}")
    return 0


def in_reading_order(rule: str) -> list[tuple[int, str]]:
    """T5 before T14."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", rule) if part]


def ensure_browser() -> None:
    """Debian's Chromium where this may install it; otherwise a line that says how."""
    if chromium_path():
        return
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("Installing Chromium for the browser tests", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for command in (["update", "-q"], ["install", "-qy", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", *command], **quiet, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            )
        chromium_path.cache_clear()
    if not chromium_path():
        print("No browser here: the browser tests are skipped. Get one with `apt install chromium`.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
