"""People: made, changed, moved to a team, given a password, let go."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotPermitted, Refusal
from fairlead.common.text import clean_text
from fairlead.organisation.enums import Language, Role, Theme
from fairlead.organisation.models import Organisation, RoleAssignment, Team, TeamMembership, User
from fairlead.organisation.names import fold_username, name_key
from fairlead.organisation.services._base import business_day, changed_fields, journal, locked, require
from fairlead.organisation.services.calendars import touch_people

_USERNAME: Final = re.compile(r"[\w.@+-]{1,150}")
PASSWORD_LIMIT: Final = 1024
PREFERENCES: Final = frozenset({"language", "theme", "time_zone"})
ADMIN_FIELDS: Final = frozenset({"name", "email", "language", "time_zone"})


class LastAdministrator(Refusal):
    """Without an administrator nobody could ever appoint one again."""

    code = "last-administrator"


def create_user(
    *,
    username: str,
    name: str,
    by: User | None,
    at: datetime,
    channel: str,
    email: str = "",
    password: str | None = None,
    encoded_password: str | None = None,
    language: str | None = None,
    time_zone: str | None = None,
    team: Team | None = None,
    roles: Iterable[Role] = (),
    from_date: date | None = None,
    must_change_password: bool = False,
    is_sample: bool = False,
) -> User:
    """Make a person, with team and roles. Needs `users.manage`; `by=None` only for the installation itself.

    Without `password` (or `encoded_password`, which saves hashing the same one for each of many) nobody can
    sign in as that person. `from_date`: since when they belong to `team`; by default the day of `at`.
    """
    require(by, "users.manage", channel)
    organisation = Organisation.objects.current()
    roles = list(roles)
    user = User(
        username=_clean_username(username), is_sample=is_sample, created_at=at,
        must_change_password=must_change_password,
    )  # fmt: skip
    values = {
        "name": name, "email": email,
        "language": language or organisation.language, "time_zone": time_zone or organisation.time_zone,
    }  # fmt: skip
    for field, value in _clean(values).items():
        setattr(user, field, value)
    user.name_key = name_key(user.name)
    if encoded_password is not None:
        user.password = encoded_password
    else:
        if password is not None:
            _check_password(password, user)
        user.set_password(password)
    with transaction.atomic():
        if User.objects.filter(username=user.username).exists():
            raise Invalid.field("username", _("The user name %(name)s is taken.") % {"name": user.username})
        user.save(force_insert=True)
        journal(
            user, "user_created", by=by, at=at, channel=channel, after={"username": user.username, **values}
        )
        if team is not None:
            _enter_team(user, team, from_date or business_day(at))
            user.save(update_fields=["team"])
            journal(user, "team_joined", by=by, at=at, channel=channel, data={"team_id": team.pk})
        for role in dict.fromkeys(roles):
            RoleAssignment.objects.create(user=user, role=Role(role))
            journal(user, "role_assigned", by=by, at=at, channel=channel, data={"role": Role(role).value})
        if set(organisation.second_step_roles) & {Role(role).value for role in roles}:
            user.second_step_due = True
            user.save(update_fields=["second_step_due"])
    return user


@transaction.atomic
def change_user(
    user: User, *, by: User | None, at: datetime, channel: str, version: int | None = None, **changes: Any
) -> User:
    """Change `name`, `email`, `language` or `time_zone` of anybody. Needs `users.manage`."""
    require(by, "users.manage", channel)
    return _change(
        user, ADMIN_FIELDS, "user_changed", changes, by=by, at=at, channel=channel, version=version
    )


@transaction.atomic
def change_preferences(
    user: User, *, by: User, at: datetime, channel: str, version: int | None = None, **changes: Any
) -> User:
    """Change one's own `language`, `theme` or `time_zone`."""
    if by.pk != user.pk:
        raise NotPermitted
    kind = "preferences_changed"
    return _change(user, PREFERENCES, kind, changes, by=by, at=at, channel=channel, version=version)


def _change(
    user: User, allowed: frozenset[str], kind: str, changes: dict[str, Any],
    *, by: User | None, at: datetime, channel: str, version: int | None,
) -> User:  # fmt: skip
    if unknown := changes.keys() - allowed:
        raise TypeError(f"not changed here: {sorted(unknown)}")
    row = locked(user, version)
    before, after = changed_fields(row, _clean(changes))
    if not after:
        return row
    for field, value in after.items():
        setattr(row, field, value)
    row.name_key = name_key(row.name)
    row.version += 1
    row.save(update_fields=[*after, "name_key", "version"])
    journal(
        row, kind, by=by, at=at, channel=channel, data={"fields": sorted(after)}, before=before, after=after
    )
    return row


@transaction.atomic
def set_password(
    user: User, *, password: str, by: User | None, at: datetime, channel: str, current: str | None = None
) -> User:
    """Give `user` a new password. One's own needs the `current` one, anybody else's `users.manage`.

    All sessions of the person end with it, for a session carries a mark of the password; a page keeps its own
    alive with `update_session_auth_hash`. A password from somebody else must be changed at the next sign-in.
    """
    row = locked(user)
    own = by is not None and by.pk == row.pk
    if own:
        if by is not None and by.api_key is not None:
            raise NotPermitted
        if not row.check_password(current or ""):
            raise Invalid.field("current", _("The current password is wrong."))
    else:
        require(by, "users.manage", channel)
    _check_password(password, row)
    row.set_password(password)
    row.must_change_password = not own
    row.version += 1
    row.save(update_fields=["password", "must_change_password", "version"])
    journal(row, "password_set", by=by, at=at, channel=channel, data={"own": own})
    return row


@transaction.atomic
def deactivate(
    user: User, *, by: User | None, at: datetime, channel: str, version: int | None = None
) -> User:
    """Nobody signs in as `user` any more, sessions and keys stop at once. What they did stays theirs."""
    require(by, "users.manage", channel)
    row = locked(user, version)
    if not row.is_active:
        return row
    keep_an_administrator(leaving=row)
    row.is_active = False
    row.version += 1
    row.save(update_fields=["is_active", "version"])
    row.forget_rights()
    journal(row, "user_deactivated", by=by, at=at, channel=channel)
    return row


@transaction.atomic
def reactivate(
    user: User, *, by: User | None, at: datetime, channel: str, version: int | None = None
) -> User:
    require(by, "users.manage", channel)
    row = locked(user, version)
    if row.is_active:
        return row
    row.is_active = True
    row.version += 1
    row.save(update_fields=["is_active", "version"])
    row.forget_rights()
    journal(row, "user_reactivated", by=by, at=at, channel=channel)
    return row


@transaction.atomic
def move_to_team(
    user: User,
    *,
    team: Team | None,
    by: User | None,
    at: datetime,
    channel: str,
    from_date: date | None = None,
) -> User:
    """From `from_date` (by default the day of `at`, never later) `user` belongs to `team`, or to none."""
    require(by, "users.manage", channel)
    row = locked(user)
    today = business_day(at)
    day = from_date or today
    if day > today:
        raise Invalid.field("from_date", _("The move lies in the future. Fill in today or an earlier day."))
    old_id, new_id = row.team_id, team.pk if team else None
    if old_id == new_id:
        return row
    _enter_team(row, team, day)
    row.version += 1
    row.save(update_fields=["team", "version"])
    row.forget_rights()
    data = {"from_team_id": old_id, "to_team_id": new_id, "from_date": day.isoformat()}
    journal(row, "team_changed", by=by, at=at, channel=channel, data=data)
    return row


def _enter_team(user: User, team: Team | None, day: date) -> None:
    """End the open membership on `day` and begin the next; `user.team` follows, unsaved."""
    if team is not None and not team.is_active:
        raise Invalid.field("team", _("The team %(team)s is closed.") % {"team": team.name})
    current = TeamMembership.objects.select_for_update().filter(user=user, to_date=None).first()
    if current is not None and day < current.from_date:
        raise Invalid.field(
            "from_date",
            _("%(name)s has been in this team since %(day)s. Fill in that day or a later one.")
            % {"name": user.name, "day": current.from_date.isoformat()},
        )
    last = TeamMembership.objects.filter(user=user).exclude(to_date=None).order_by("-to_date").first()
    if current is None and last is not None and last.to_date is not None and day < last.to_date:
        raise Invalid.field(
            "from_date",
            _("%(name)s left the last team on %(day)s. Fill in that day or a later one.")
            % {"name": user.name, "day": last.to_date.isoformat()},
        )
    if current is not None and current.from_date == day:
        current.delete()  # it lasted no day, so nobody ever belonged there
    elif current is not None:
        current.to_date = day
        current.save(update_fields=["to_date"])
    if team is not None:
        TeamMembership.objects.create(user=user, team=team, from_date=day)
    user.team = team
    touch_people()


def keep_an_administrator(*, leaving: User) -> None:
    """Raise LastAdministrator when nobody else could appoint one."""
    holders = RoleAssignment.objects.select_for_update().filter(
        role=Role.ADMIN, user__is_active=True, scope=""
    )
    ids = {assignment.user_id for assignment in holders}
    if ids == {leaving.pk}:
        raise LastAdministrator(
            _("%(name)s is the last administrator. Appoint another one first.") % {"name": leaving.name}
        )


def _clean_username(username: str) -> str:
    folded = fold_username(clean_text(username, limit=150, field="username"))
    if not _USERNAME.fullmatch(folded):
        raise Invalid.field("username", _("A user name has letters, digits and . @ + - _, without spaces."))
    return folded


def _check_password(password: str, user: User) -> None:
    if len(password) > PASSWORD_LIMIT:
        raise Invalid.field(
            "password", _("A password has at most %(limit)s characters.") % {"limit": PASSWORD_LIMIT}
        )
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(
            " ".join(error.messages),
            errors=[{"field": "password", "message": message} for message in error.messages],
        ) from error


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    """The values as they are stored; Invalid names every field that cannot be."""
    cleaned: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for field, value in values.items():
        try:
            cleaned[field] = _CLEANERS[field](value)
        except Invalid as refusal:
            errors.extend(refusal.details["errors"])
    if errors:
        raise Invalid(errors=errors)
    return cleaned


def _clean_name(value: Any) -> str:
    if not (name := clean_text(str(value), limit=100, field="name")):
        raise Invalid.field("name", _("Fill in the name."))
    return name


def _clean_email(value: Any) -> str:
    email = clean_text(str(value or ""), limit=254, field="email")
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Invalid.field(
                "email", _("This is no email address. It looks like name@example.com.")
            ) from None
    return email


def _one_of(field: str, choices: Iterable[str], value: Any) -> str:
    if value not in choices:
        raise Invalid.field(field, _("Choose one of the list."))
    return str(value)


@cache
def _time_zones() -> frozenset[str]:
    """The names that this machine knows; asking the system opens a file for each of them."""
    return frozenset(available_timezones())


def clean_time_zone(value: Any) -> str:
    return _one_of("time_zone", _time_zones(), value)


_CLEANERS: Final = {
    "name": _clean_name,
    "email": _clean_email,
    "language": lambda value: _one_of("language", Language.values, value),
    "theme": lambda value: _one_of("theme", Theme.values, value),
    "time_zone": clean_time_zone,
}
