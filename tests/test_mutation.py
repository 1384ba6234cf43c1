"""The measure of the tests' strength works: faults are drawn, put in, found or not, and counted."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools.mutation.__main__ import SOURCE, mutants_of, sample, wilson
from tools.mutation.edits import edited, edits_of
from tools.mutation.targets import MODULES, TESTS

ROOT = Path(__file__).parent.parent
SMALL = '''
"""Words."""
LIMIT = 3


class Rule:
    name: str = "x"

    @property
    def holds(self, least: int = 1, *, strict: bool = False) -> bool | None:
        """More words."""
        for one in self.parts:
            if not one or one.size < LIMIT:
                continue
            raise BadValue(_("Too many"))
        return min(self.sizes) + 1
'''


def test_each_kind_of_fault_is_offered_once_and_words_are_left_alone() -> None:
    found = [(e.place.function, e.kind, e.said) for e in edits_of(ast.parse(SMALL))]
    assert found == [
        ("", "constant", "3 → 4"),
        ("", "constant", "'x' → 'xXX'"),
        ("Rule.holds", "default", "least: int=1 → 2"),
        ("Rule.holds", "default", "strict: bool=False → True"),
        (
            "Rule.holds",
            "condition turned round",
            "not one or one.size < LIMIT → not (not one or one.size < LIMIT)",
        ),
        ("Rule.holds", "and, or", "not one or one.size < LIMIT → not one and one.size < LIMIT"),
        ("Rule.holds", "part left out", "not one or one.size < LIMIT → one.size < LIMIT"),
        ("Rule.holds", "part left out", "not one or one.size < LIMIT → not one"),
        ("Rule.holds", "not", "not one → one"),
        ("Rule.holds", "comparison", "one.size < LIMIT → one.size <= LIMIT"),
        ("Rule.holds", "break, continue", "continue → break"),
        ("Rule.holds", "statement left out", "raise BadValue(_('Too many')) → pass"),
        ("Rule.holds", "returned value", "return min(self.sizes) + 1 → return None"),
        ("Rule.holds", "arithmetic", "min(self.sizes) + 1 → min(self.sizes) - 1"),
        ("Rule.holds", "call", "min(self.sizes) → max(self.sizes)"),
        ("Rule.holds", "constant", "1 → 2"),
    ]
    texts = [ast.unparse(edited(SMALL, number)) for number in range(len(found))]
    assert len({*texts, ast.unparse(ast.parse(SMALL))}) == len(found) + 1


def test_every_module_of_the_rules_is_there_and_a_sample_is_its_share() -> None:
    assert all((SOURCE / module).is_file() for module in MODULES)
    assert all((ROOT / tests).exists() for tests in TESTS)
    every = {module: mutants_of(module) for module in MODULES[:6]}
    import random

    drawn = sample(every, 100, random.Random(3))
    assert drawn == sample(every, 100, random.Random(3)) != sample(every, 100, random.Random(4))
    total = sum(map(len, every.values()))
    for module, mutants in every.items():
        of_it = [m for m in drawn if m.file == str(SOURCE / module)]
        assert abs(len(of_it) - max(1, 100 * len(mutants) / total)) < 1
        assert len({m.number for m in of_it}) == len(of_it)
    assert [round(end, 3) for end in wilson(90, 100)] == [0.826, 0.945]


@pytest.mark.one_engine("sqlite", "rules without a database")
def test_faults_are_put_in_and_found(tmp_path: Path) -> None:
    """Two of a table that is made while the module is imported, and the rest in functions that are there already."""
    out = tmp_path / "found.json"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    options = ["--module", "process/wishes.py", "--tests", "tests/process/test_decide.py", "--sample", "12"]
    done = subprocess.run(
        [sys.executable, "-m", "tools.mutation", *options, "--seed", "2", "--jobs", "1", "--json", str(out)],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    judged = json.loads(out.read_text(encoding="utf-8"))
    assert len(judged) == 12 and {one["outcome"] for one in judged} <= {"killed", "endless", "survived"}
    found = sum(one["outcome"] != "survived" for one in judged)
    assert found >= 6 and f"| all | {len(mutants_of('process/wishes.py'))} | 12 | {found} |" in done.stdout
