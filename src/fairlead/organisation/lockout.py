"""Checking a name and a password, with the lock-out after too many wrong ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils.translation import ngettext

from fairlead.organisation.models import User
from fairlead.organisation.names import fold_username

_NAME_LENGTH: Final = 150


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a try: the person, or how many are left, or for how many minutes there are none."""

    user: User | None = None
    tries_left: int = 0
    locked_minutes: int = 0


def try_password(request: HttpRequest, *, username: str, password: str, at: datetime) -> Attempt:
    """Check one try and count it. Known, unknown and closed names get the same answer in the same time."""
    name = "".join(ch for ch in fold_username(username) if ch.isprintable())[:_NAME_LENGTH]
    found: Any = authenticate(request, username=name, password=password)
    if isinstance(found, User):
        return Attempt(user=found)
    if getattr(request, "axes_locked_out", False):
        return Attempt(locked_minutes=_minutes_locked(name, at))
    failures = getattr(request, "axes_failures_since_start", 0)
    return Attempt(tries_left=max(settings.AXES_FAILURE_LIMIT - failures, 1))


def try_code(request: HttpRequest, user: User, check: Callable[[], bool], *, at: datetime) -> Attempt:
    """One try at the second step, or at a change of it; wrong ones count with those of the password."""
    credentials = {"username": user.username}
    if not AxesProxyHandler.is_allowed(request, credentials):
        return Attempt(locked_minutes=_minutes_locked(user.username, at))
    if check():
        return Attempt(user=user)
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    if getattr(request, "axes_locked_out", False):
        return Attempt(locked_minutes=_minutes_locked(user.username, at))
    failures = getattr(request, "axes_failures_since_start", 0)
    return Attempt(tries_left=max(settings.AXES_FAILURE_LIMIT - failures, 1))


def locked_words(attempt: Attempt) -> str:
    return ngettext(
        "Too many tries. This name is locked for %(n)s more minute.",
        "Too many tries. This name is locked for %(n)s more minutes.",
        attempt.locked_minutes,
    ) % {"n": attempt.locked_minutes}


def _minutes_locked(name: str, at: datetime) -> int:
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    last = AccessAttempt.objects.filter(username=name).order_by("-attempt_time").first()
    left = last.attempt_time + cool_off - at if last is not None else cool_off
    return max(ceil(min(left, cool_off) / timedelta(minutes=1)), 1)
