"""A throw-away PostgreSQL for one run of the tests. Standard library only."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ON_WINDOWS = os.name == "nt"
#: Speed over safety: this cluster has nothing to lose.
CARELESS = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0",
    "max_wal_size=512MB", "checkpoint_timeout=30min", "jit=off", "max_connections=200",
)  # fmt: skip
MEMORY = Path("/dev/shm")
#: So much a cluster may come to need; a container's memory disk is often far smaller.
ROOM = 3 * 2**30
#: Whoever waits for ever fails with a message instead.
PATIENCE = ("lock_timeout=240s", "statement_timeout=300s", "idle_in_transaction_session_timeout=600s")


def programs() -> tuple[str, str] | None:
    """`initdb` and `pg_ctl`, from the path or from where Debian and Homebrew put them; the newest first."""
    places = sorted(
        [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt/homebrew/opt").glob("postgresql@*/bin")],
        key=lambda place: [
            int(part) for part in "".join(c if c.isdigit() else " " for c in str(place)).split()
        ],
        reverse=True,
    )
    for place in [None, *map(str, places)]:
        found = shutil.which("initdb", path=place), shutil.which("pg_ctl", path=place)
        if found[0] and found[1]:
            return found[0], found[1]
    return None


@contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster, give its URL, stop it and remove it whatever happened in between."""
    found = programs()
    if found is None:
        raise FileNotFoundError("initdb and pg_ctl")
    initdb, pg_ctl = found
    person = _unprivileged()
    home = Path(tempfile.mkdtemp(prefix="fairlead-pg-", dir=_memory()))
    data = home / "data"
    try:
        if person:
            os.chown(home, person["user"], person["group"])
        _run(
            [initdb, "-D", str(data), "-U", "fairlead", "-E", "UTF8", "--locale=C", "-A", "trust", "-N"],
            person,
        )
        port = _free_port()
        # A socket in a directory of its own: nobody else can reach it. Windows has only ports.
        where = "-h 127.0.0.1" if ON_WINDOWS else f"-h '' -k {home}"
        careless = " ".join(f"-c {setting}" for setting in (*CARELESS, *PATIENCE))
        log = str(home / "log")
        _run(
            [pg_ctl, "-D", str(data), "-l", log, "-w", "-o", f"{where} -p {port} {careless}", "start"], person
        )
        try:
            host = "127.0.0.1" if ON_WINDOWS else str(home)
            yield f"postgresql://fairlead@/postgres?host={host}&port={port}"
        finally:
            _run([pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop"], person)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _memory() -> Path | None:
    """The disk in memory, where there is one with enough room."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM
    return MEMORY if has_room else None


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then as `postgres` where that is, else as `nobody`."""
    if ON_WINDOWS or os.geteuid() != 0:
        return {}
    import pwd

    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PermissionError("Running as root, and there is no unprivileged user for PostgreSQL.")


def _run(command: list[str], person: dict[str, Any]) -> None:
    # pg_ctl's server keeps the descriptors it gets: a pipe would never end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said, **person)
        if done.returncode:
            said.seek(0)
            raise RuntimeError(f"{command[0]} failed: {said.read().decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
