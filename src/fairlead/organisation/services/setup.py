"""The first run, and what holds for the whole organisation."""

import re
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from fairlead.common.refusals import Invalid, Refusal, Stale
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel
from fairlead.organisation import registry
from fairlead.organisation.enums import Language, ProcessTemplate, Role, TeamKind
from fairlead.organisation.models import Organisation, RoleAssignment, Team, User, WorkingCalendar
from fairlead.organisation.services._base import changed_fields, journal, require
from fairlead.organisation.services.people import clean_time_zone, create_user
from fairlead.organisation.services.second_steps import demand_second_steps
from fairlead.organisation.services.teams import create_team

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_FIELDS: Final = frozenset(
    {
        "name",
        "currency",
        "time_zone",
        "language",
        "template",
        "default_processes",
        "soft_mode",
        "publish_needs_second",
        "second_step_roles",
    }
)
OFFICE_HOURS: Final = {str(day): [["09:00", "12:00"], ["13:30", "18:00"]] for day in range(1, 6)}


class AlreadySetUp(Refusal):
    """There are people here: the first run is over for good."""

    code = "already-set-up"
    status = 409


def is_set_up() -> bool:
    """Whether there is an administrator; from then on the first run is closed. People whom an import brought
    before that cannot sign in."""
    return bool(RoleAssignment.objects.filter(role=Role.ADMIN).exists())


@transaction.atomic
def set_up(
    *, username: str, name: str, password: str, organisation_name: str, language: str, time_zone: str,
    currency: str, template: str, at: datetime,
) -> User:  # fmt: skip
    """The first run: organisation, root team, working calendar and the first administrator, once.

    The organisation's row is the lock: of two browsers that press at once one gets AlreadySetUp.
    The rooms above then add their part (`registry.SET_UP_STEPS`), all in this transaction.
    """
    Organisation.objects.get_or_create(pk=1)
    row = Organisation.objects.select_for_update().get(pk=1)
    if is_set_up():
        raise AlreadySetUp(_("The administrator exists already. Sign in."))
    values = {
        "name": organisation_name, "language": language, "time_zone": time_zone, "currency": currency,
        "template": template,
    }  # fmt: skip
    for field, value in _clean(values).items():
        setattr(row, field, value)
    row.version += 1
    row.save()
    channel = Channel.SYSTEM
    with override(row.language):
        calendar_name, team_name = _("Office hours"), row.name or _("Head office")
    if not WorkingCalendar.objects.filter(is_default=True).exists():
        WorkingCalendar.objects.create(
            name=calendar_name, time_zone=row.time_zone, weekly=OFFICE_HOURS, is_default=True
        )
    # An import before the first run has made the root already.
    root = Team.objects.filter(parent=None).order_by("pk").first() or create_team(
        name=team_name, kind=TeamKind.BRANCH, by=None, at=at, channel=channel
    )
    admin = create_user(
        username=username, name=name, password=password, team=root, by=None, at=at, channel=channel,
        roles=(Role.ADMIN, Role.PROCESS_OWNER),
    )  # fmt: skip
    journal(row, "organisation_set_up", by=admin, at=at, channel=Channel.UI, data={"template": row.template})
    for step in registry.SET_UP_STEPS:
        step(row, admin, at)
    return admin


@transaction.atomic
def change_organisation(
    *, by: User | None, at: datetime, channel: str, version: int | None = None, **changes: Any
) -> Organisation:
    """Change settings of everybody. Needs `settings.manage`."""
    require(by, "settings.manage", channel)
    if unknown := changes.keys() - _FIELDS:
        raise TypeError(f"not changed here: {sorted(unknown)}")
    Organisation.objects.get_or_create(pk=1)
    row = Organisation.objects.select_for_update().get(pk=1)
    if version is not None and row.version != version:
        raise Stale
    before, after = changed_fields(row, _clean(changes))
    if after:
        for field, value in after.items():
            setattr(row, field, value)
        row.version += 1
        row.save()
        if "second_step_roles" in after:
            demand_second_steps(row.second_step_roles)
        data = {"fields": sorted(after)}
        kind = "organisation_changed"
        journal(row, kind, by=by, at=at, channel=channel, data=data, before=before, after=after)
    return row


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(values)
    if "name" in cleaned:
        cleaned["name"] = clean_text(cleaned["name"], limit=100, field="organisation_name")
    if "currency" in cleaned:
        cleaned["currency"] = str(cleaned["currency"]).strip().upper()
        if not _CURRENCY.fullmatch(cleaned["currency"]):
            raise Invalid.field("currency", _("A currency has three letters, such as CNY."))
    if "time_zone" in cleaned:
        cleaned["time_zone"] = clean_time_zone(cleaned["time_zone"])
    for field, choices in (("language", Language.values), ("template", ProcessTemplate.values)):
        if field in cleaned and cleaned[field] not in choices:
            raise Invalid.field(field, _("Choose one of the list."))
    if "second_step_roles" in cleaned:
        roles = set(cleaned["second_step_roles"])
        if not roles <= set(Role.values):
            raise Invalid.field("second_step_roles", _("Choose from the list."))
        cleaned["second_step_roles"] = [role for role in Role.values if role in roles]
    for switch in ("soft_mode", "publish_needs_second"):
        if switch in cleaned:
            cleaned[switch] = bool(cleaned[switch])
    if "default_processes" in cleaned:
        cleaned["default_processes"] = {
            str(subject): str(key) for subject, key in dict(cleaned["default_processes"]).items()
        }
    return cleaned
