"""Words for asking about people and teams."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.base_user import BaseUserManager
from django.db import models
from django.db.models import Q

from fairlead.common.questions import Question

if TYPE_CHECKING:
    from fairlead.organisation.models import (  # noqa: F401
        ApiKey,
        Leave,
        Organisation,
        Team,
        TeamMembership,
        TeamPlacement,
        User,
    )


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> "UserQuerySet":
        return self.filter(is_active=True)

    def in_teams(self, team_ids: frozenset[int]) -> "UserQuerySet":
        return self.filter(team_id__in=team_ids)

    def visible_to(self, user: Any) -> "UserQuerySet":
        """Colleagues are no secret: whoever may sign in may know who works here."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self

    def manageable_by(self, user: Any) -> "UserQuerySet":
        """The people whose roles, team and sign-in `user` may change."""
        if not (user.is_authenticated and user.may("users.manage")):
            return self.none()
        return self

    def with_roles(self) -> "UserQuerySet":
        """With what their rights are made of: two queries, however many people."""
        assignments: Any = apps.get_model("organisation", "RoleAssignment")
        roles = models.Prefetch("role_assignments", assignments._default_manager.select_related("team"))
        return self.select_related("team").prefetch_related(roles)

    def by_name(self) -> "UserQuerySet":
        """In the order of a Chinese telephone list: by the sound of the surname, then of the given name."""
        return self.order_by("name_key", "name", "pk")


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Users are made by `services.create_user`; this only answers what Django's sign-in asks."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=(username or "").casefold())


class TeamQuerySet(models.QuerySet["Team"]):
    def active(self) -> "TeamQuerySet":
        return self.filter(is_active=True)

    def visible_to(self, user: Any) -> "TeamQuerySet":
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self

    def as_tree(self) -> "TeamQuerySet":
        """Every team after its parent."""
        return self.order_by("path", "pk")


class TeamMembershipQuerySet(models.QuerySet["TeamMembership"]):
    def on(self, day: date) -> "TeamMembershipQuerySet":
        return self.filter(Q(to_date=None) | Q(to_date__gt=day), from_date__lte=day)


class TeamPlacementQuerySet(models.QuerySet["TeamPlacement"]):
    def on(self, day: date) -> "TeamPlacementQuerySet":
        return self.filter(Q(to_date=None) | Q(to_date__gt=day), from_date__lte=day)


class LeaveQuerySet(models.QuerySet["Leave"]):
    def visible_to(self, user: Any) -> "LeaveQuerySet":
        """One's own, that of one's team, and that of people whose leave one keeps."""
        if not user.is_active:
            return self.none()
        mine = models.Q(user=user)
        if user.team_id is not None:
            mine |= models.Q(user__team=user.team_id)
        return self.filter(mine | kept_by(user, "user__"))

    def kept_by(self, user: Any) -> "LeaveQuerySet":
        """One's own, and that of people whose leave one keeps."""
        return self.filter(models.Q(user=user) | kept_by(user, "user__"))

    def not_over(self, day: date) -> "LeaveQuerySet":
        return self.filter(last_day__gte=day)


def kept_by(user: Any, path: str = "") -> models.Q:
    """People whose leave this one enters: whose deals they may hand over, or everybody for who manages people."""
    if user.may("users.manage"):
        return models.Q(**{f"{path}pk__gt": 0})
    reach = user.reach("opportunity.reassign")
    if reach.all:
        return models.Q(**{f"{path}pk__gt": 0})
    return models.Q(**{f"{path}team_id__in": reach.team_ids})


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, *, at: datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at=None, expires_at__gt=at, owner__is_active=True)

    def visible_to(self, user: Any) -> "ApiKeyQuerySet":
        """A key is seen and revoked by its owner, and by whoever manages people."""
        if not user.is_authenticated:
            return self.none()
        if user.may("users.manage"):
            return self
        return self.filter(owner=user)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def current(self) -> "Organisation":
        """The one row; before the first run its defaults, not stored."""
        return _the_one.first() or self.model(pk=1)


_the_one: Question["Organisation"] = Question(
    lambda: apps.get_model("organisation", "Organisation").objects.filter(pk=1)
)
