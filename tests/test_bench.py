"""The harness of the measurements runs; nothing is timed here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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

    done = subprocess.run(
        [*command, "--only", "board", "--only", "move", "--only", "demo"],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["about"]["sqlite"]["rows"]["opportunities"] == 200
    built, *pages = report["figures"]
    assert (built["name"], built["unit"], built["more"]["scale"]) == ("demo", "s", 0.01)
    assert built["value"] > 0 and built["more"]["cpu"] > 0 and built["more"]["peak_mb"] > 50
    assert {(f["name"], f["who"]): f.get("note", "") for f in pages} == {
        (name, who): "" for name in ("board", "move") for who in ("seller", "manager")
    }
    assert all(f["value"] > 0 and f["ratio"] > 0 for f in pages)
