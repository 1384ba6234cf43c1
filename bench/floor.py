"""The floor under a page: its own statements, executed by the database driver and nothing else.

Runs as a process of its own beside the measured server, on the same database, and obeys lines of JSON:
`{"do": "look", "user": …, "path": …}` finds out once which statements a page sends;
`{"do": "replay", "n": …}` executes them n times, every row fetched;
`{"do": "move", "user": …, "deal": …, "to": …}` does so for one move, with its writes and its commit.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET ")


class Floor:
    def __init__(self) -> None:
        from django.contrib.auth import SESSION_KEY  # noqa: F401  (the models are loaded here, not in a measurement)
        from django.db import connection
        from django.test import Client

        self.connection, self.client_class = connection, Client
        self.clients: dict[str, Any] = {}
        self.statements: list[tuple[str, Any, bool]] = []

    def client(self, username: str) -> Any:
        from fairlead.organisation.models import User

        if username not in self.clients:
            client = self.client_class(headers={"host": "127.0.0.1"})
            client.force_login(
                User.objects.get(username=username), "fairlead.organisation.backends.PasswordBackend"
            )
            self.clients[username] = client
        return self.clients[username]

    def look(
        self, user: str, path: str, twice: bool = True, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        client = self.client(user)
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if twice:  # what a process reads only once is no part of the page
            client.get(path, headers=sent)
        self.statements = []
        with self.connection.execute_wrapper(self._listen):
            status = client.get(path, headers=sent).status_code
        return {"status": status, "queries": len(self.statements)}

    def replay(self, n: int) -> list[float]:
        return [self._run(writes=False) for _ in range(n)]

    def move(self, user: str, deal: int, to: str) -> dict[str, Any]:
        """Move `deal` in a transaction that is taken back, then execute what it sent, and keep that."""
        from django.db import transaction

        client = self.client(user)
        self.statements = []
        with transaction.atomic():
            with self.connection.execute_wrapper(self._listen):
                answer = client.post(
                    f"/opportunities/{deal}/move/",
                    {"to": to},
                    headers={"hx-request": "true", "hx-current-url": "http://127.0.0.1/board/"},
                )
            transaction.set_rollback(True)
        return {
            "status": answer.status_code,
            "queries": len(self.statements),
            "seconds": self._run(writes=True),
        }

    def _listen(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(_CONTROL):
            self.statements.append((sql, list(params) if many else params, many))
        return execute(sql, params, many, context)

    def _run(self, *, writes: bool) -> float:
        connection = self.connection
        connection.ensure_connection()
        is_sqlite = connection.vendor == "sqlite"
        driver = connection.connection
        ready = [
            (self._native(sql, params, many) if is_sqlite else sql, params or (), many)
            for sql, params, many in self.statements
        ]
        begun = time.perf_counter()
        cursor = driver.cursor()
        if writes:
            cursor.execute("BEGIN IMMEDIATE" if is_sqlite else "BEGIN")
        for sql, params, many in ready:
            if many:
                cursor.executemany(sql, params)
                continue
            cursor.execute(sql, params)
            if cursor.description is not None:
                cursor.fetchall()
        if writes:
            cursor.execute("COMMIT")
        cursor.close()
        return time.perf_counter() - begun

    def _native(self, sql: str, params: Any, many: bool) -> str:
        """`%s` becomes `?`, as Django's own cursor does it."""
        from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX

        if not params:
            return sql
        return FORMAT_QMARK_REGEX.sub("?", sql).replace("%%", "%")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    floor = Floor()
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(floor, order.pop("do"))(**order)
        except Exception as error:  # the other side reports it and goes on without this floor
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
