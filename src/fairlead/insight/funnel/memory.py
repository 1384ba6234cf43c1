"""Answers worked out once are kept as long as the data stands and no moment of it lies between then and now."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from django.utils.translation import get_language

from fairlead.analytics.days import instant
from fairlead.analytics.tables import Scope

from ..history import Loaded
from .asked import Asked

KEPT = 40
_lock = threading.Lock()


def remembered(asked: Asked, build: Callable[[Asked], Any]) -> Any:
    """`build(asked)`, or what it gave for the same question, rows, language and day."""
    answers = asked.loaded.answers
    key = (
        asked.question,
        get_language(),
        digest(asked.scope),
        asked.currency,
        asked.is_individual,
        id(asked.calendar),
        asked.loaded.history.day(asked.as_of),
        _moments_before(asked),
    )
    with _lock:
        found = answers.get(key)
    if found is None:
        found = build(asked)
        with _lock:
            answers[key] = found
            while len(answers) > KEPT:
                answers.popitem(last=False)
    return found


def digest(scope: Scope) -> bytes:
    """Whose rows, as short as a key wants it."""
    return hashlib.blake2b(scope.tobytes(), digest_size=16).digest() if isinstance(scope, np.ndarray) else b""


def _moments_before(asked: Asked) -> int:
    """How many recorded moments lie before `as_of`: two instants with equally many give equal answers on one day."""
    return int(np.searchsorted(_moments(asked.loaded), instant(asked.as_of), side="right"))


def _moments(loaded: Loaded) -> Any:
    moments = loaded.answers.get("moments")
    if moments is None:
        visits, journeys = loaded.history.visits, loaded.history.journeys
        moments = np.concatenate([visits.entered, visits.left, journeys.closed])
        moments = np.sort(moments[~np.isnat(moments)])
        with _lock:
            loaded.answers["moments"] = moments
    return moments
