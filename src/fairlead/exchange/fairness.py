"""A fair queue before SQLite's one writer: people first, long work in the gaps.

SQLite's own busy wait is a lottery: whoever looks at the right moment wins, and short transactions back to
back win against a person every time. So everybody stands in a queue, a lock on a small file that the system
hands on at once, and only the first in the queue waits at SQLite. Long work looks before each of its short
transactions whether anybody stands there, and lets them pass; after a while it stands in the queue itself.
While it writes it holds a second such lock, so that the first in the queue is woken in the moment it ends:
SQLite itself would look again only after ever longer pauses.

Long work can be taken up where it stopped, so its transactions need not be on the disk one by one: the last one,
outside of its turns, takes all before it there.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created

try:
    import fcntl
except ImportError:  # Windows has no such lock: there long work pauses as long as it wrote
    fcntl = None  # type: ignore[assignment]

#: Long work never waits longer than this before a transaction of its own, or it would starve in its turn.
LONGEST_WAIT: Final = 0.25
#: People were here within this many seconds: small transactions.
BUSY_FOR: Final = 2.0
FEW_ROWS, FEWEST_ROWS = 20, 12
#: What a turn may take while people write too.
SHORT_TURN: Final = 0.03
#: Rows of a transaction at most: where nobody has to wait for it, and where it is known how long one takes.
MOST_ROWS: Final = 300
_LOOK: Final = 0.002
QUEUE: Final = "write.gate"
_WORK: Final = "work.gate"
#: Seconds of writing before SQLite's log is copied into its file: while people write too, and alone.
_COPY_AFTER, _COPY_AFTER_ALONE = 0.03, 0.1

_local = threading.local()


def _file(name: str) -> int:
    """This thread's own descriptor: locks belong to descriptors, not to processes."""
    files: dict[str, int] | None = getattr(_local, "files", None)
    if files is None or _local.pid != os.getpid():
        files = _local.files = {}
        _local.pid = os.getpid()
    if name not in files:
        files[name] = os.open(Path(settings.MEDIA_ROOT).parent / name, os.O_RDWR | os.O_CREAT, 0o600)
    return files[name]


@contextmanager
def _held(name: str) -> Iterator[None]:
    file = _file(name)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _needs_the_writer(sql: str, connection: Any) -> bool:
    """The start of a transaction, or one statement that writes without any: a sign-in notes when it was, say."""
    if sql.startswith("BEGIN"):
        return True
    return not connection.in_atomic_block and sql.startswith(("INSERT", "UPDATE", "DELETE", "REPLACE"))


def _wrapper(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    if fcntl is None or getattr(_local, "works", False) or not _needs_the_writer(sql, context["connection"]):
        return execute(sql, params, many, context)
    with _queue():
        with _held(_WORK):  # free as soon as long work has ended its turn
            pass
        return execute(sql, params, many, context)


def _on_connection(sender: Any, connection: Any, **_kwargs: Any) -> None:
    if connection.vendor == "sqlite" and _wrapper not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _wrapper)


def install() -> None:
    connection_created.connect(_on_connection, dispatch_uid="exchange.fairness")


def someone_waits() -> bool:
    if fcntl is None:
        return False
    file = _file(QUEUE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _queue() -> AbstractContextManager[None]:
    return _held(QUEUE)


@contextmanager
def _working(queue_is_empty: bool) -> Iterator[None]:
    """Inside, whoever is first in the queue waits for us at a lock that is handed on at once."""
    if fcntl is None:
        yield
        return
    # Where nobody stands in the queue we go past it, and are not taken for one who stands there.
    with nullcontext() if queue_is_empty else _queue():
        fcntl.flock(_file(_WORK), fcntl.LOCK_EX)
    _local.works = True
    try:
        yield
    finally:
        _local.works = False
        fcntl.flock(_file(_WORK), fcntl.LOCK_UN)


@contextmanager
def _relaxed() -> Iterator[None]:
    """Inside, a commit does not wait for the disk; what is written stays whole and in its order all the same.
    SQLite's log is not copied into the file while others wait for the writer: that is `_copy_log`'s."""
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "sqlite":
        before, after = (
            ("PRAGMA synchronous=NORMAL", "PRAGMA wal_autocheckpoint=0"),
            ("PRAGMA synchronous=FULL", "PRAGMA wal_autocheckpoint=1000"),
        )
    else:
        before, after = ("SET synchronous_commit TO off",), ("RESET synchronous_commit",)  # type: ignore[assignment]
    _say(before)
    try:
        yield
    finally:
        with suppress(DatabaseError):  # of a connection that is lost: the error on its way out says more
            _say(after)


def _copy_log() -> None:
    """What SQLite does at a commit once its log is long, here between two turns, when nobody waits for us."""
    if not connection.in_atomic_block:
        _say(["PRAGMA wal_checkpoint(PASSIVE)"])


def _say(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Pace:
    """How long work takes turns with people. `turn()` around each transaction; `rows` says how many it may write.

    `keeps_commits`: they are as durable as the connection has them.
    """

    def __init__(self, *, most: int = 80, target_seconds: float = 0.12, keeps_commits: bool = False) -> None:
        self.most, self.target, self.keeps_commits = most, target_seconds, keeps_commits
        self.last_seen = 0.0
        self.per_row = 0.0
        self.took = 0.0
        self.few = float(FEW_ROWS)
        self.uncopied = 0.0  # seconds of writing that stand in the log alone
        self.shared = connection.vendor == "sqlite"
        if not self.shared:  # people wait for the rows that they share with it, not for the writer
            self.most = max(most, MOST_ROWS)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Lets people pass first; inside, this thread does not stand in their queue."""
        passes = self._let_people_pass() if self.shared else True
        with (
            nullcontext() if self.keeps_commits else _relaxed(),
            _working(passes) if self.shared else nullcontext(),
        ):
            begun = time.monotonic()
            try:
                yield
            finally:
                self.took = time.monotonic() - begun
        self.uncopied += self.took
        longest = _COPY_AFTER if self.is_busy else _COPY_AFTER_ALONE
        if self.shared and not self.keeps_commits and self.uncopied > longest:
            _copy_log()
            self.uncopied = 0.0

    def _let_people_pass(self) -> bool:
        """Whether the queue is empty now; False after a wait that was long enough."""
        begun = time.monotonic()
        while someone_waits():
            self.last_seen = time.monotonic()
            if self.last_seen - begun > LONGEST_WAIT:
                return False
            time.sleep(_LOOK)
        if fcntl is None:
            time.sleep(min(self.took, LONGEST_WAIT))
        elif self.is_busy:
            time.sleep(min(self.took / 4, 0.01))  # a chance for writes that need no transaction of their own
        return True

    @property
    def is_busy(self) -> bool:
        return time.monotonic() - self.last_seen < BUSY_FOR

    @property
    def rows(self) -> int:
        """Few while people work; else as many as fit in the time that a person who comes now may lose."""
        if self.shared and self.is_busy:
            return int(self.few)
        return self.most

    def wrote(self, rows: int) -> None:
        if not rows or not self.shared:
            return
        if rows <= FEW_ROWS:
            self.few = max(FEWEST_ROWS, min(FEW_ROWS, self.few * min(SHORT_TURN / max(self.took, 1e-6), 1.2)))
            if self.per_row:  # what a short turn takes for each row says nothing about a long one
                return
        self.per_row = self.took / rows if not self.per_row else 0.7 * self.per_row + 0.3 * self.took / rows
        self.most = max(FEW_ROWS, min(MOST_ROWS, int(self.target / max(self.per_row, 1e-6))))
