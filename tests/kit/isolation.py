"""Rows that one Hypothesis example makes are gone before the next."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


class _Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Everything inside happens in a savepoint that is rolled back at the end."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        return
