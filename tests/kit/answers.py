"""Answers under way: a test that empties its tables waits for those that a closed browser left behind."""

from __future__ import annotations

import threading
from typing import Any

from django.core.signals import request_finished, request_started

LONGEST = 60.0

_under_way = 0
_changed = threading.Condition()


def _started(**_kwargs: Any) -> None:
    global _under_way
    with _changed:
        _under_way += 1


def _finished(**_kwargs: Any) -> None:
    global _under_way
    with _changed:
        _under_way = max(0, _under_way - 1)
        _changed.notify_all()


def count() -> None:
    """Count requests from here on. Connected late: Django's own receivers have given back the connection first."""
    request_started.connect(_started, dispatch_uid="tests.kit.answers.started")
    request_finished.connect(_finished, dispatch_uid="tests.kit.answers.finished")


def forget() -> None:
    """A request of the test client that a test left open is no answer under way."""
    global _under_way
    with _changed:
        _under_way = 0


def wait_for_all() -> bool:
    """Whether every request got its whole answer within the time."""
    with _changed:
        return _changed.wait_for(lambda: _under_way == 0, timeout=LONGEST)
