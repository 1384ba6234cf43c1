"""People, teams with dates, roles, keys, working calendars, and the organisation itself.

Rows change only through `services`, which check the right and write the journal in the same transaction.
"""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fairlead.common.questions import Question
from fairlead.organisation.enums import (
    DayKind,
    DaySource,
    KeyScope,
    Language,
    ProcessTemplate,
    Role,
    Scope,
    TeamKind,
    Theme,
)
from fairlead.organisation.querysets import (
    ApiKeyQuerySet,
    LeaveQuerySet,
    OrganisationQuerySet,
    TeamMembershipQuerySet,
    TeamPlacementQuerySet,
    TeamQuerySet,
    UserManager,
)
from fairlead.organisation.rights import NOWHERE, Grant, Reach, key_allows, reach_of


class Team(models.Model):
    """A node of the organisation's tree as it stands today; `TeamPlacement` remembers how it stood."""

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=8, choices=TeamKind, default=TeamKind.TEAM)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=255, blank=True, db_index=True)  # "000001/000004/": sorts as a tree
    branch_ids = models.JSONField(default=list)  # itself and every team below; written with the tree
    is_active = models.BooleanField(default=True)
    # Of its people and the teams below it, unless theirs says otherwise; none: that of the team above.
    calendar = models.ForeignKey(
        "WorkingCalendar", models.PROTECT, null=True, blank=True, related_name="teams"
    )
    is_sample = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["path", "pk"]
        constraints = [
            models.CheckConstraint(
                name="team_not_its_own_parent", condition=Q(parent=None) | ~Q(parent=F("id"))
            ),
            models.CheckConstraint(name="team_name_given", condition=~Q(name="")),
            models.CheckConstraint(name="team_kind_known", condition=Q(kind__in=TeamKind.values)),
            models.UniqueConstraint("parent", Lower("name"), name="team_name_once_per_parent"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        """0 for a root."""
        return max(self.path.count("/") - 1, 0)


class User(AbstractBaseUser):
    """A person who may sign in. No Django groups or permissions: rights come from `RoleAssignment` alone.

    `team` is the team of today, a copy of the open `TeamMembership`.
    """

    username = models.CharField(_("User name"), max_length=150, unique=True)  # stored folded to lower case
    name = models.CharField(pgettext_lazy("of a person", "Name"), max_length=100)
    name_key = models.CharField(max_length=400, db_index=True, editable=False)
    email = models.EmailField(pgettext_lazy("of a person", "Email"), blank=True)
    language = models.CharField(_("Language"), max_length=8, choices=Language, default=Language.ZH_HANS)
    theme = models.CharField(_("Theme"), max_length=5, choices=Theme, default=Theme.AUTO)
    time_zone = models.CharField(_("Time zone"), max_length=64, default="Asia/Shanghai")
    is_active = models.BooleanField(default=True)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="members")
    # None: that of the nearest team that has one, or the company's.
    calendar = models.ForeignKey(
        "WorkingCalendar", models.PROTECT, null=True, blank=True, related_name="people"
    )
    must_change_password = models.BooleanField(default=False)
    second_step_due = models.BooleanField(default=False)  # a role asks for a second step, and there is none
    is_sample = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    # Set by the API when a key, not a session, speaks for the person; narrows every right.
    api_key: "ApiKey | None" = None

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_once_whatever_case"),
            models.CheckConstraint(name="user_username_given", condition=~Q(username="")),
            models.CheckConstraint(name="user_name_given", condition=~Q(name="")),
            models.CheckConstraint(name="user_language_known", condition=Q(language__in=Language.values)),
            models.CheckConstraint(name="user_theme_known", condition=Q(theme__in=Theme.values)),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def grants(self) -> tuple[Grant, ...]:
        """The roles held, asked once per instance; `forget_rights` asks anew."""
        cached = self.__dict__.get("_grants")
        if cached is None:
            rows: Iterable[RoleAssignment] = ()
            if self.is_active:
                prefetched = "role_assignments" in self.__dict__.get("_prefetched_objects_cache", {})
                rows = self.role_assignments.all() if prefetched else _roles(self.pk)
            cached = self.__dict__["_grants"] = tuple(row.grant(self.team) for row in rows)
        return cached

    def forget_rights(self) -> None:
        for name in ("_grants", "_reaches"):
            self.__dict__.pop(name, None)

    def reach(self, right: str) -> Reach:
        """Whose rows `right` reaches: nowhere for the inactive, or when the key in use lacks it."""
        if self.api_key is not None and not key_allows(self.api_key.scopes, right):
            return NOWHERE
        return self._own_reach(right)

    def _own_reach(self, right: str) -> Reach:
        reaches: dict[str, Reach] = self.__dict__.setdefault("_reaches", {})
        if right not in reaches:
            reaches[right] = reach_of(right, self.grants())
        return reaches[right]

    def holds(self, right: str) -> bool:
        """Whether the person has the right at all, with whatever key they came."""
        return bool(self._own_reach(right))

    def may(self, right: str) -> bool:
        return bool(self.reach(right))

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants())

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        self.forget_rights()
        super().refresh_from_db(*args, **kwargs)


class FirstSteps(models.Model):
    """Which first steps a person has passed over, and since when the list is closed. What is done is never kept:
    it is read from what there is."""

    user = models.OneToOneField(User, models.CASCADE, related_name="first_steps")
    passed = models.JSONField(default=list, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.user_id)


class SecondStep(models.Model):
    """The second step of a sign-in: a secret shared with one device. It counts from `confirmed_at` on.

    The secret must be readable to be compared, so it lies here alone and no other query brings it along.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="second_step")
    secret = models.CharField(max_length=64)  # base32
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=0)  # of the last code taken: that one and all before are spent

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A code for the day on which the device is lost. Only its SHA-256 is kept: of 80 random bits no more is needed."""

    second_step = models.ForeignKey(SecondStep, models.CASCADE, related_name="codes")
    hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["second_step", "hash"], name="recoverycode_once")]

    def __str__(self) -> str:
        return f"{self.second_step_id} {'used' if self.used_at else 'open'}"


class TeamPlacement(models.Model):
    """Where a team stood in the tree, from `from_date` until before `to_date`."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="placements")
    parent = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    objects = TeamPlacementQuerySet.as_manager()

    class Meta:
        ordering = ["team", "from_date", "pk"]
        constraints = [
            models.CheckConstraint(
                name="placement_ends_after_start", condition=Q(to_date=None) | Q(to_date__gt=F("from_date"))
            ),
            models.CheckConstraint(
                name="placement_not_under_itself", condition=Q(parent=None) | ~Q(parent=F("team"))
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(to_date=None), name="placement_one_open_per_team"
            ),
            models.UniqueConstraint(fields=["team", "from_date"], name="placement_one_start_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.team_id}→{self.parent_id} {self.from_date}"


class TeamMembership(models.Model):
    """Who belonged to which team, from `from_date` until before `to_date`."""

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    objects = TeamMembershipQuerySet.as_manager()

    class Meta:
        ordering = ["user", "from_date", "pk"]
        constraints = [
            models.CheckConstraint(
                name="membership_ends_after_start", condition=Q(to_date=None) | Q(to_date__gt=F("from_date"))
            ),
            models.UniqueConstraint(
                fields=["user"], condition=Q(to_date=None), name="membership_one_open_per_user"
            ),
            models.UniqueConstraint(fields=["user", "from_date"], name="membership_one_start_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}@{self.team_id} {self.from_date}"


class RoleAssignment(models.Model):
    """A role of a person. `team` is where it stands (none: the person's own team of today).

    `scope` can only narrow what the matrix of `rights` gives the role; empty leaves it as it is.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="role_assignments")
    role = models.CharField(max_length=16, choices=Role)
    scope = models.CharField(max_length=8, choices=Scope, blank=True)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["user", "role", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "team"], name="role_once_per_user_and_team"),
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(team=None), name="role_once_without_team"
            ),
            models.CheckConstraint(name="role_known", condition=Q(role__in=Role.values)),
            models.CheckConstraint(name="role_scope_known", condition=Q(scope__in=["", *Scope.values])),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    def grant(self, team_of_today: Team | None) -> Grant:
        team = self.team or team_of_today
        return Grant(
            role=Role(self.role),
            team_id=team.pk if team else None,
            branch_ids=frozenset(team.branch_ids) if team else frozenset(),
            limit=Scope(self.scope) if self.scope else Scope.ALL,
        )


_roles = Question(lambda user: RoleAssignment.objects.filter(user_id=user).select_related("team"))


class ApiKey(models.Model):
    """A key of the API. Only its SHA-256 is kept: of 256 random bits a slow hash would guard nothing more."""

    owner = models.ForeignKey(User, models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="apikey_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(name="apikey_name_given", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def scope_labels(self) -> list[str]:
        return [str(KeyScope(scope).label) for scope in self.scopes]


def new_stamp() -> str:
    return uuid4().hex


class WorkingCalendar(models.Model):
    """When people here work: a weekly pattern, the notices of `country`, and `days` of its own on top.

    `weekly` maps ISO weekdays to hours: {"1": [["09:00", "12:00"], ["13:30", "18:00"]], …}.
    """

    name = models.CharField(max_length=100, unique=True)
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    weekly = models.JSONField(default=dict)
    country = models.CharField(max_length=2, blank=True, default="CN")  # "" takes no official notices
    is_default = models.BooleanField(default=False)
    stamp = models.CharField(max_length=32, default=new_stamp)  # another one for each state of row and days
    # On the company's own: another one for each state of who works by which calendar and who is on leave; empty
    # while nobody has one of their own.
    people_stamp = models.CharField(max_length=32, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="calendar_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A dated exception of one calendar; it wins over the official notice and the weekly pattern."""

    calendar = models.ForeignKey(WorkingCalendar, models.CASCADE, related_name="days")
    date = models.DateField()
    kind = models.CharField(max_length=8, choices=DayKind)
    name = models.JSONField(default=dict)  # {"zh": …, "en": …}
    intervals = models.JSONField(null=True, blank=True)  # its own hours; none: those of the kind
    source = models.CharField(max_length=8, choices=DaySource, default=DaySource.COMPANY)

    class Meta:
        ordering = ["calendar", "date", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["calendar", "date"], name="calendarday_once_per_date"),
            models.CheckConstraint(name="calendarday_kind_known", condition=Q(kind__in=DayKind.values)),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.kind}"


class Leave(models.Model):
    """Days on which a person does not work, both ends included. Their calendar is without them."""

    user = models.ForeignKey(User, models.CASCADE, related_name="leaves")
    first_day = models.DateField()
    last_day = models.DateField()
    reason = models.CharField(
        max_length=200, blank=True, default=""
    )  # for the person and those who keep their leave
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    entered_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    objects = LeaveQuerySet.as_manager()

    class Meta:
        ordering = ["first_day", "pk"]
        constraints = [
            models.CheckConstraint(
                name="leave_ends_not_before_it_begins", condition=Q(last_day__gte=F("first_day"))
            ),
            models.UniqueConstraint(fields=["user", "first_day"], name="leave_one_start_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.first_day}–{self.last_day}"


class Organisation(models.Model):
    """The one row of what holds for everybody here."""

    name = models.CharField(max_length=100, blank=True)
    currency = models.CharField(max_length=3, default="CNY")  # ISO 4217
    time_zone = models.CharField(max_length=64, default="Asia/Shanghai")
    language = models.CharField(max_length=8, choices=Language, default=Language.ZH_HANS)
    template = models.CharField(max_length=16, choices=ProcessTemplate, default=ProcessTemplate.PLAIN)
    default_processes = models.JSONField(default=dict)  # {subject type: process key}
    soft_mode = models.BooleanField(default=True)  # gates flag, they do not block
    publish_needs_second = models.BooleanField(default=False)  # who wrote a process does not publish it alone
    second_step_roles = models.JSONField(
        default=list, blank=True
    )  # roles that may not do without a second step
    version = models.PositiveIntegerField(default=1)
    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="organisation_only_one", condition=Q(pk=1)),
            models.CheckConstraint(
                name="organisation_language_known", condition=Q(language__in=Language.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
