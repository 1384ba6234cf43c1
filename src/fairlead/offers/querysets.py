"""Words for asking about contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from fairlead.crm.models import Opportunity

if TYPE_CHECKING:
    from .models import Contract  # noqa: F401


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: Any, right: str = "contract.view") -> Self:
        """A contract is seen by its owner and by whoever reaches its opportunity with `right`."""
        reach = user.reach(right)
        if reach.all:
            return self
        if not reach:
            return self.none()
        deals = Opportunity.objects.visible_to(user, right).values("pk")
        condition = Q(opportunity__in=deals)
        if reach.own:
            condition |= Q(owner=user)
        return self.filter(condition)
