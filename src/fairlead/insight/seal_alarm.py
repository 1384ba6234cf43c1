"""Whoever audits the whole house is told when the daily reading of the sealed journal finds a fault (OV-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as gettext_now
from django.utils.translation import gettext_lazy as _

from fairlead.common import records
from fairlead.journal.models import SealCheck
from fairlead.organisation.models import RoleAssignment
from fairlead.organisation.rights import RIGHTS
from fairlead.work.enums import Reason
from fairlead.work.registry import notification_words
from fairlead.work.services.notifications import notify, with_rights

KIND: Final = "journal"
THE_ONE: Final = 1
AUDIT: Final = "audit.view"
WORDS: Final[Mapping[str, Any]] = {
    "seal_broken": _("The sealed journal does not hold: something was altered, taken out or slipped in"),
}


def tell_auditors(found: SealCheck) -> None:
    """By right, not by role: auditors, process owners and administrators reach the whole journal."""
    roles = [role for role, rights in RIGHTS.items() if AUDIT in rights]
    ids = RoleAssignment.objects.filter(role__in=roles, user__is_active=True).values_list("user", flat=True)
    notify(
        recipients=[user.pk for user in with_rights(ids) if user.reach(AUDIT).all],
        reason=Reason.ESCALATED,
        subject_type=KIND,
        subject_id=THE_ONE,
        text=("seal_broken", {"check": found.pk}),
        by=None,
        at=found.at,
    )


def register_alarm() -> None:
    from fairlead.journal.sealing import when_broken

    notification_words.update(WORDS)
    if tell_auditors not in when_broken:
        when_broken.append(tell_auditors)
    records.register(
        records.RecordType(
            subject_type=KIND,
            label={"zh": "审计日志", "en": "Audit log"},
            plural={"zh": "审计日志", "en": "Audit log"},
            view_right=AUDIT,
            edit_right=AUDIT,
            visible_ids=_visible,
            title=_titles,
            url=_url,
            changing=_changing,
        ),
        listed=False,
    )


def _visible(user: Any, ids: Sequence[int], right: str) -> set[int]:
    return {pk for pk in ids if pk == THE_ONE} if user.reach(AUDIT).all else set()


def _titles(ids: Sequence[int]) -> Mapping[int, str]:
    return {pk: gettext_now("Audit log") for pk in ids}


def _url(_pk: int) -> str:
    return reverse("insight:audit")


def _changing(ids: Sequence[int], at: datetime) -> AbstractContextManager[Any]:
    return nullcontext()
