"""An empty database gets all its tables at once, and they are those that every step one after the other gives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from tests.kit.tables import shape

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def empty_database(data: Path) -> Iterator[dict[str, str]]:
    """What names an empty database of the engine under test to a process of its own."""
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_") and k != "DJANGO_SETTINGS_MODULE"
    }
    clean |= {
        "FAIRLEAD_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "fairlead.config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
    }
    if connection.vendor == "sqlite":
        yield clean
        return
    server, name = os.environ["FAIRLEAD_DATABASE_URL"], f"steps_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as cluster:
        cluster.execute(f'CREATE DATABASE "{name}"')
        try:
            yield clean | {"FAIRLEAD_DATABASE_URL": re.sub(r"/postgres(?=\?|$)", f"/{name}", server)}
        finally:
            cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def said(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.rule("START-1")
def test_all_at_once_gives_the_tables_that_the_steps_give(db: None, tmp_path: Path) -> None:
    with empty_database(tmp_path) as environment:
        said(environment, "fairlead", "migrate", "--step-by-step", "-v0")
        stepwise = json.loads(said(environment, "tests.kit.tables"))
        assert "No migrations to apply" in said(environment, "fairlead", "migrate")
    at_once = json.loads(json.dumps(shape(connection)))
    assert len(stepwise["steps"]) > 80
    # Nobody is in a group here: rights come from roles. Of this table Django's own steps and model differ on PostgreSQL.
    kept = {key for key in {*stepwise, *at_once} if not key.startswith("auth_group_permissions")}
    wrong = [key for key in kept if stepwise.get(key) != at_once.get(key)]
    assert {key: (stepwise.get(key), at_once.get(key)) for key in wrong} == {}
