"""Between password and code: who waits at the second step, kept in a session that opens nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from fairlead.organisation.models import User

WAIT: Final = timedelta(minutes=5)
_KEY: Final = "second_step"


def safe_next(request: HttpRequest, text: str | None) -> str:
    """`text` when it is a path of this very site, otherwise the home page."""
    if not text or not text.startswith("/") or not text.isprintable() or "\\" in text:
        return "/"
    if not url_has_allowed_host_and_scheme(text, allowed_hosts={request.get_host()}):
        return "/"
    return text


def bare_context(request: HttpRequest, **more: Any) -> dict[str, Any]:
    return {"language_url": reverse("organisation:language"), **more}


def wait(request: HttpRequest, user: User, target: str, at: datetime) -> None:
    """The password was right. The mark of the password goes along: a new one ends the waiting."""
    request.session.flush()
    request.session[_KEY] = {
        "user": user.pk,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        "until": (at + WAIT).isoformat(),
        "next": target,
    }


def pending(request: HttpRequest, at: datetime) -> tuple[User, str] | None:
    """Who waits, and where they want to go."""
    kept = request.session.get(_KEY)
    if not kept or datetime.fromisoformat(kept["until"]) < at:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or not constant_time_compare(kept[HASH_SESSION_KEY], user.get_session_auth_hash()):
        return None
    return user, safe_next(request, kept["next"])


def forget_pending(request: HttpRequest) -> None:
    request.session.pop(_KEY, None)
