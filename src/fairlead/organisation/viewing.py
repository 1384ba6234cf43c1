"""A session that looks as another person: kept in the session, checked at every request, only for reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fairlead.common.refusals import NotPermitted
from fairlead.journal.enums import Channel
from fairlead.organisation import registry, services
from fairlead.organisation.models import User

KEY: Final = "viewing-as"
END: Final = "organisation:end_view_as"
#: What may be sent while looking: the end of it, and signing out.
ACTS: Final = frozenset({END, "organisation:sign_out"})
#: How somebody signs in is nobody else's, whoever looks.
registry.PRIVATE_PAGES.update(
    {"organisation:profile", "organisation:change_password", "organisation:second_step"}
)
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class OnlyLooking(NotPermitted):
    code = "only-looking"
    default_message = _("You look as another person: nothing can be changed. End it first.")


@dataclass(frozen=True, slots=True)
class Viewing:
    """`by` looks as `person` until `until`."""

    by: User
    person: User
    until: datetime


def begin(request: HttpRequest, person: User) -> None:
    by: Any = request.user
    until = services.begin_view_as(person, by=by, at=timezone.now(), channel=Channel.UI)
    request.session[KEY] = {"person": person.pk, "until": until.isoformat()}


def end(request: HttpRequest, viewing: Viewing, why: str) -> None:
    """Put the person of the session back and note the end."""
    request.session.pop(KEY, None)
    request.user = viewing.by
    services.end_view_as(viewing.person, by=viewing.by, at=timezone.now(), channel=Channel.UI, why=why)


def viewing_of(request: HttpRequest) -> Viewing | None:
    """Who looks as whom in this session. What has run out, or is not allowed any more, ends here."""
    kept = request.session.get(KEY)
    by: Any = request.user
    if not kept or not by.is_authenticated:
        return None
    person = User.objects.select_related("team").filter(pk=kept["person"]).first()
    if person is None:  # nobody is removed; a restored database may lack them
        request.session.pop(KEY, None)
        return None
    viewing = Viewing(by, person, datetime.fromisoformat(kept["until"]))
    if timezone.now() >= viewing.until:
        end(request, viewing, "time")
        return None
    if not by.may(services.VIEW_AS) or services.hindrance(person, by):
        end(request, viewing, "not-allowed")
        return None
    return viewing
