"""The measured databases: filled once and kept under `var/bench`, copied for each run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kit.postgresql import _free_port, _run, _unprivileged, programs

from . import processes

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "fairlead"
HOME = Path(os.environ.get("FAIRLEAD_BENCH_HOME") or ROOT / "var" / "bench")
FILE = "fairlead.sqlite3"
#: A cluster as an operator runs it: every commit is on the disk before it is answered.
CAREFUL = (
    "shared_buffers=512MB",
    "effective_cache_size=2GB",
    "random_page_cost=1.1",
    "max_connections=100",
    "max_wal_size=4GB",
    "work_mem=16MB",
)
CARELESS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


class NotHere(Exception):
    """This machine lacks what an engine needs."""


@dataclass(frozen=True)
class Database:
    """Where a run works: its data directory, and for PostgreSQL the URL and the process of the server."""

    engine: str
    data: Path
    url: str = ""
    server: int = 0

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("FAIRLEAD_") and k != "DATABASE_URL"}
        return clean | {
            "DJANGO_SETTINGS_MODULE": "fairlead.config.settings",
            "FAIRLEAD_DATA": str(self.data),
            "FAIRLEAD_DATABASE_URL": self.url,
            "FAIRLEAD_LOG_LEVEL": "WARNING",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        }

    def cpu_seconds(self) -> float:
        """Processor time of the database's server so far; SQLite has none, it works in the web processes."""
        return processes.cpu_of_family(self.server) if self.server else 0.0

    def python(self, *arguments: str) -> str:
        """Run Python on this database; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments], env=self.environment, cwd=ROOT, text=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout[-500:]}{done.stderr[-2000:]}")
        return done.stdout


def stamp_of(scale: float) -> str:
    """One hash over what a filled database depends on."""
    total = hashlib.sha256(f"{scale}".encode())
    made_by = [
        ROOT / "bench" / name
        for name in ("data.py", "people.py", "rows.py", "tables.py", "winding.py", "words.py")
    ]
    for file in [
        *made_by,
        *sorted(SOURCE.glob("*/migrations/*.py")),
        *sorted(SOURCE.glob("process/content/*.yaml")),
    ]:
        total.update(file.name.encode() + b"\0" + file.read_bytes())
    return total.hexdigest()[:20]


def home(scale: float) -> Path:
    return HOME / f"scale-{scale:g}"


@contextmanager
def sqlite(scale: float, *, say: Any = print) -> Iterator[Database]:
    kept = home(scale) / "sqlite"
    if _stamp(kept) != stamp_of(scale):
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        say(f"Filling SQLite at scale {scale:g}")
        Database("sqlite", kept).python("-m", "bench.data", "--scale", str(scale))
        # The write-ahead log is empty once the last connection is closed; a copy needs the file alone.
        (kept / "stamp").write_text(stamp_of(scale), encoding="utf-8")
    with _work() as data:
        shutil.copyfile(kept / FILE, data / FILE)
        found = Database("sqlite", data)
        _static(found)
        yield found


@contextmanager
def postgresql(scale: float, *, say: Any = print) -> Iterator[Database]:
    """A database made from a template in a cluster of our own. Raises NotHere where there is none."""
    if programs() is None:
        raise NotHere("initdb and pg_ctl are not found")
    kept = home(scale) / "postgresql"
    if _stamp(kept) != stamp_of(scale):
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        say(f"Filling PostgreSQL at scale {scale:g}")
        _make_cluster(kept)
        with _cluster(kept, CARELESS) as url, _work() as data:
            _sql(url, "CREATE DATABASE full_scale")
            Database("postgresql", data, url.replace("/postgres?", "/full_scale?")).python(
                "-m", "bench.data", "--scale", str(scale)
            )
            _sql(url.replace("/postgres?", "/full_scale?"), "VACUUM ANALYZE")
        (kept / "stamp").write_text(stamp_of(scale), encoding="utf-8")
    with _cluster(kept, CAREFUL) as url, _work() as data:
        _sql(url, "DROP DATABASE IF EXISTS run")
        _sql(url, "CREATE DATABASE run TEMPLATE full_scale STRATEGY file_copy")
        _sql(url, "CHECKPOINT")
        server = int((kept / "data" / "postmaster.pid").read_text().split()[0])
        found = Database("postgresql", data, url.replace("/postgres?", "/run?"), server)
        _static(found)
        yield found


@contextmanager
def empty(engine: str) -> Iterator[Database]:
    """A database with its tables and nothing in them, for this run alone. Raises NotHere where there is none."""
    with _work() as data:
        if engine == "sqlite":
            found = Database(engine, data)
            found.python("-m", "fairlead", "migrate")
            yield found
            return
        if programs() is None:
            raise NotHere("initdb and pg_ctl are not found")
        kept = data / "cluster"
        kept.mkdir()
        data.chmod(0o755)  # the cluster's own user looks in
        _make_cluster(kept)
        with _cluster(kept, CAREFUL) as url:
            found = Database(engine, data, url)
            found.python("-m", "fairlead", "migrate")
            yield found


ENGINES = {"sqlite": sqlite, "postgresql": postgresql}


def _stamp(kept: Path) -> str:
    try:
        return (kept / "stamp").read_text(encoding="utf-8")
    except OSError:
        return ""


@contextmanager
def _work() -> Iterator[Path]:
    """A directory for one run, on the same disk as the kept databases."""
    HOME.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="run-", dir=HOME))
    try:
        yield data
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _static(database: Database) -> None:
    database.python("-m", "fairlead", "collectstatic", "--no-input", "-v0")


def _make_cluster(kept: Path) -> None:
    found, person = programs(), _unprivileged()
    assert found is not None
    if person:
        os.chown(kept, person["user"], person["group"])
    _run(
        [
            found[0],
            "-D",
            str(kept / "data"),
            "-U",
            "fairlead",
            "-E",
            "UTF8",
            "--locale=C",
            "-A",
            "trust",
            "-N",
        ],
        person,
    )


@contextmanager
def _cluster(kept: Path, settings: tuple[str, ...]) -> Iterator[str]:
    found, person = programs(), _unprivileged()
    assert found is not None
    socket_directory = Path(tempfile.mkdtemp(prefix="fairlead-bench-"))
    try:
        if person:
            os.chown(socket_directory, person["user"], person["group"])
        port = _free_port()
        options = " ".join(f"-c {setting}" for setting in settings)
        where = f"-h '' -k {socket_directory}"
        _run(
            [
                found[1],
                "-D",
                str(kept / "data"),
                "-l",
                str(socket_directory / "log"),
                "-w",
                "-t",
                "120",
                "-o",
                f"{where} -p {port} {options}",
                "start",
            ],
            person,
        )
        try:
            yield f"postgresql://fairlead@/postgres?host={socket_directory}&port={port}"
        finally:
            _run([found[1], "-D", str(kept / "data"), "-m", "fast", "-w", "-t", "120", "stop"], person)
    finally:
        shutil.rmtree(socket_directory, ignore_errors=True)


def _sql(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def facts(database: Database) -> dict[str, Any]:
    """What the measuring side must know of the filled database: ids of deals by what they are good for."""
    return json.loads(database.python("-m", "bench.facts"))


def wait_for(port: int, process: subprocess.Popen[Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("the server did not listen")
