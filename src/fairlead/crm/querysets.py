"""Words for asking the CRM. Everything a person sees begins at `visible_to(user)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from .rules import is_write

if TYPE_CHECKING:
    from .models import Account, Contact, Opportunity, SavedView, Segment  # noqa: F401


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def visible_to(self, user: Any, right: str = "opportunity.view") -> Self:
        """Own ones (owner or deal team), those of one's teams, or all, as `right` reaches.

        One that was merged into another is reached by the rights to view alone (MV-8).
        """
        reach = user.reach(right)
        if not reach:
            return self.none()
        rows = self.filter(merged_into=None) if is_write(right) else self
        if reach.all:
            return rows
        condition = Q(pk__in=[])
        if reach.own:
            condition = Q(owner=user) | Q(sr=user) | Q(fr=user)
        if reach.team_ids:
            condition |= Q(team_id__in=reach.team_ids)
        return rows.filter(condition)

    def of_member(self, user: Any) -> Self:
        """Those that a person owns or whose deal team the person is on."""
        return self.filter(Q(owner=user) | Q(sr=user) | Q(fr=user))

    def for_lists(self) -> Self:
        return self.select_related("account", "owner", "journey__stage")


class OwnedQuerySet(models.QuerySet[Any]):
    """Records with an owner and a team."""

    right = ""

    def visible_to(self, user: Any, right: str = "") -> Self:
        reach = user.reach(right or self.right)
        if reach.all:
            return self
        if not reach:
            return self.none()
        condition = Q(pk__in=[])
        if reach.own:
            condition = Q(owner=user) | self.of_deals(user)
        if reach.team_ids:
            condition |= Q(team_id__in=reach.team_ids)
        return self.filter(condition)

    def of_deals(self, user: Any) -> Q:
        """Records that a person meets through the deals worked together."""
        return Q(pk__in=[])


class SegmentQuerySet(OwnedQuerySet):
    right = "segment.view"


class AccountQuerySet(OwnedQuerySet):
    right = "account.view"

    def of_deals(self, user: Any) -> Q:
        opportunities: Any = self.model._meta.get_field("opportunities").related_model
        deals = opportunities.objects.filter(Q(owner=user) | Q(sr=user) | Q(fr=user), account__isnull=False)
        return Q(pk__in=deals.values("account_id"))


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, user: Any, right: str = "contact.view") -> Self:
        """A contact is seen by whoever sees the account."""
        reach = user.reach(right)
        if reach.all:
            return self
        if not reach:
            return self.none()
        accounts: Any = self.model._meta.get_field("account").related_model
        return self.filter(account__in=accounts.objects.visible_to(user, right).values("pk"))


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: Any) -> Self:
        """One's own and the shared ones, of lists that one may open."""
        return self.filter(Q(owner=user) | Q(is_shared=True), deleted_at=None)
