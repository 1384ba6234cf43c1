"""The harness of the measurements runs; nothing is timed here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.long
@pytest.mark.one_engine("sqlite", "the harness makes its own databases")
def test_bench_measures_a_tiny_company(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_")}
    environment |= {
        "FAIRLEAD_BENCH_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
    }
    command = [
        sys.executable,
        "-m",
        "bench",
        "--json",
        "--quick",
        "--engine",
        "sqlite",
        "--scale",
        "0.002",
        "-n",
        "2",
    ]

    wanted = ("board", "move", "demo", "engine", "migration beside")

    done = subprocess.run(
        [*command, *(part for name in wanted for part in ("--only", name))],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["about"]["sqlite"]["rows"]["opportunities"] == 200
    built, *others = report["figures"]
    pages = [f for f in others if f["group"] == "pages"]
    assert (built["name"], built["unit"], built["more"]["scale"]) == ("demo", "s", 0.01)
    assert built["value"] > 0 and built["more"]["cpu"] > 0 and built["more"]["peak_mb"] > 50
    assert {(f["name"], f["who"]): f.get("note", "") for f in pages} == {
        (name, who): "" for name in ("board", "move") for who in ("seller", "manager")
    }
    assert all(f["value"] > 0 and f["ratio"] > 0 for f in pages)
    engine = {f["name"]: f for f in others if f["group"] == "engine"}
    assert set(engine) == {"decide", "facts", "inbox", "move", "dry run", "dry run memory"}
    assert all(f["value"] > 0 for f in engine.values()) and engine["dry run"]["more"]["journeys"] > 0
    carried, *waits = (f for f in others if f["group"] == "migration")
    assert (carried["name"], carried.get("note", "")) == ("migration beside", ""), carried
    assert carried["value"] > 0 and carried["more"]["moved"] > 0 and carried["more"]["state"] == "done"
    assert {f["name"] for f in waits} <= {"wait p95", "wait max"}  # in so short a time perhaps nobody wrote
