"""Put small faults into the rules and see which of them the tests find.

    python -m tools.mutation --seed 7 --sample 420

Of all faults that could be put in, a sample is drawn by the seed, from each module as many as its share. For each the
tests run that execute its statement, the quickest first, up to `--limit` seconds of them: a fault that only slower
tests would find counts as not found. The figures go to stdout, each fault that was not found to stderr or `--json`.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .edits import edits_of
from .targets import MODULES, TESTS
from .warm import Judged, Mutant, Warm

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "fairlead"
FOUND = ("killed", "endless")
COLD_SECONDS = 600
ALONE = ("-p", "no:cacheprovider", "-p", "no:xdist")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=420, help="how many faults, 0: all of them")
    parser.add_argument("--module", action="append", metavar="ROOM/FILE.py", help="only this one")
    parser.add_argument("--tests", action="append", metavar="PATH", help="instead of those of targets.py")
    parser.add_argument("--limit", type=float, default=8.0, help="seconds of tests for one fault")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--controls", type=int, default=4, help="forks without a fault, which must pass")
    parser.add_argument("--json", type=Path, help="write what was found of each fault")
    parser.add_argument("--list", action="store_true", help="say how many faults there could be, run nothing")
    options = parser.parse_args(argv)
    every = {module: mutants_of(module) for module in options.module or MODULES}
    if options.list:
        for module, mutants in every.items():
            print(f"{len(mutants):5} {module}")
        print(f"{sum(map(len, every.values())):5} in all")
        return 0
    chosen = sample(every, options.sample, random.Random(options.seed))
    began = time.monotonic()
    judged, red = judge(chosen, options)
    report(every, judged)
    if red:
        print(
            f"{len(red)} tests failed as things are and were left out:", *red, sep="\n    ", file=sys.stderr
        )
    print(f"\nSeed {options.seed}, {time.monotonic() - began:.0f} s.")
    if options.json:
        told = json.dumps([as_json(one) for one in judged], indent=1, ensure_ascii=False)
        options.json.write_text(told, encoding="utf-8")
    return 1 if any(one.outcome == "broken" for one in judged) else 0


def mutants_of(module: str) -> list[Mutant]:
    file = SOURCE / module
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [Mutant(str(file), number, edit) for number, edit in enumerate(edits_of(tree))]


def sample(every: Mapping[str, Sequence[Mutant]], wanted: int, chance: random.Random) -> list[Mutant]:
    """Of each module its share, rounded by the largest remainders, and at least one."""
    total = sum(map(len, every.values()))
    if not 0 < wanted < total:
        return [mutant for mutants in every.values() for mutant in mutants]
    shares = {module: wanted * len(mutants) / total for module, mutants in every.items()}
    counts = {module: math.floor(share) for module, share in shares.items()}
    by_remainder = sorted(shares, key=lambda module: counts[module] - shares[module])
    for module in by_remainder[: wanted - sum(counts.values())]:
        counts[module] += 1
    found = []
    for module, mutants in every.items():
        found.extend(chance.sample(mutants, min(len(mutants), max(1, counts[module]))))
    chance.shuffle(found)
    return found


def judge(chosen: Sequence[Mutant], options: argparse.Namespace) -> tuple[list[Judged], list[str]]:
    judged: list[Judged] = []
    told = os.fdopen(os.dup(2), "w", encoding="utf-8")  # past what pytest keeps of the output

    def note(one: Judged) -> None:
        judged.append(one)
        if one.outcome not in FOUND:
            print(f"{len(judged)} of {len(chosen)}: {say(one)}", file=told, flush=True)

    def in_forks(warm: Warm) -> None:
        controls: list[Judged] = []
        for _round in range(options.controls):
            warm.judge_all([Mutant("", 0, None)], controls.append)
        if any(one.outcome != "survived" for one in controls):
            raise pytest.UsageError(f"A fork without a fault failed: {controls}")
        at_import = [m for m in chosen if is_of_import(warm, m)]
        warm.judge_all((m for m in chosen if m not in at_import), note)
        with ThreadPoolExecutor(options.jobs) as pool:
            for one in pool.map(lambda m: judge_cold(warm, m), at_import):
                note(one)

    os.environ["CI"] = "1"  # drawn examples are the same in each run
    os.chdir(ROOT)
    warm = Warm({m.file for m in chosen}, in_forks, jobs=options.jobs, limit=options.limit)
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        quiet = ["-q", *ALONE, f"--basetemp={scratch}/tests"]
        chosen_tests = ["-m", "not browser and not nightly", *(options.tests or TESTS)]
        code = pytest.main([*quiet, *chosen_tests], plugins=[warm])
    if code not in (0, 1):
        raise SystemExit(f"pytest ended with {code}")
    return judged, warm.red


def is_of_import(warm: Warm, mutant: Mutant) -> bool:
    """A value of the module, or what only runs while it is imported, such as a decorator."""
    edit = mutant.edit
    assert edit is not None
    if not edit.place.function:
        return True
    return not edit.default_of and (not warm.tests_for(mutant) or not warm.fits(mutant))


def judge_cold(warm: Warm, mutant: Mutant) -> Judged:
    tests = [warm.items[number].nodeid for number in warm.tests_of_module(mutant.file)]
    with tempfile.TemporaryDirectory(prefix="mutation-") as scratch:
        listed = Path(scratch) / "tests"
        listed.write_text("\n".join(tests), encoding="utf-8")
        options = ["-x", "-q", *ALONE, "-p", "tools.mutation.cold", f"@{listed}"]
        command = [sys.executable, "-m", "pytest", *options]
        environment = os.environ | {"MUTANT": f"{mutant.file}:{mutant.number}"}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COLD_SECONDS
            )
        except subprocess.TimeoutExpired:
            return Judged(mutant, "endless", len(tests))
    last = done.stdout.strip().rpartition("\n")[2]
    return Judged(mutant, "killed" if done.returncode else "survived", len(tests), last)


# --- the report ---


def wilson(good: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share at 95 %."""
    if not total:
        return 0.0, 1.0
    share, square = good / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    return middle - half, middle + half


def report(every: Mapping[str, Sequence[Mutant]], judged: Iterable[Judged]) -> None:
    drawn: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for one in judged:
        drawn[one.mutant.file] += 1
        found[one.mutant.file] += one.outcome in FOUND
    print("\n| module | possible | drawn | found | share | 95 % |\n|---|---:|---:|---:|---:|---:|")
    for module, mutants in every.items():
        line(f"`{module}`", len(mutants), drawn[str(SOURCE / module)], found[str(SOURCE / module)])
    line("all", sum(map(len, every.values())), drawn.total(), found.total())


def line(name: str, possible: int, drawn: int, found: int) -> None:
    low, high = wilson(found, drawn)
    share = f"{found / drawn:.0%}" if drawn else ""
    print(f"| {name} | {possible} | {drawn} | {found} | {share} | {low:.0%} to {high:.0%} |")


def say(one: Judged) -> str:
    edit = one.mutant.edit
    assert edit is not None
    file = Path(one.mutant.file).relative_to(SOURCE)
    where = f"{file}:{edit.line} {edit.place.function}".strip()
    told = f"{one.outcome}, {one.tests} tests: {where}: {edit.kind}: {edit.said}"
    return f"{told}: {one.by}" if one.outcome == "broken" else told


def as_json(one: Judged) -> dict[str, Any]:
    edit = one.mutant.edit
    assert edit is not None
    return {
        "file": str(Path(one.mutant.file).relative_to(SOURCE)), "number": one.mutant.number, "line": edit.line,
        "in": edit.place.function, "kind": edit.kind, "edit": edit.said, "outcome": one.outcome,
        "tests": one.tests, "by": one.by,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
