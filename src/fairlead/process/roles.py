"""Names of the roles in a deal and of the customer's buying roles."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

DEAL_ROLES: Mapping[str, str | Promise] = {
    "AR": pgettext_lazy("role", "Account manager (AR)"),
    "SR": pgettext_lazy("role", "Solution manager (SR)"),
    "FR": pgettext_lazy("role", "Delivery manager (FR)"),
    "MGR": pgettext_lazy("role", "Sales manager"),
    "MKT": pgettext_lazy("role", "Marketing"),
    "BIZ": pgettext_lazy("role", "Commercial"),
    "LEG": pgettext_lazy("role", "Legal"),
    "FIN": pgettext_lazy("role", "Finance"),
    "SDT": pgettext_lazy("role", "Sales decision team"),
}

BUYING_ROLES: Mapping[str, str | Promise] = {
    "EB": pgettext_lazy("buying role", "Decision maker (EB)"),
    "UB": pgettext_lazy("buying role", "User (UB)"),
    "TB": pgettext_lazy("buying role", "Technical gatekeeper (TB)"),
    "PUR": pgettext_lazy("buying role", "Purchasing or finance"),
    "COACH": pgettext_lazy("buying role", "Coach"),
    "INFLUENCER": pgettext_lazy("buying role", "Influencer"),
    "OPPONENT": pgettext_lazy("buying role", "Opponent"),
}


def role_name(key: str) -> str:
    return str(DEAL_ROLES.get(key, key))


def buying_role_name(key: str) -> str:
    return str(BUYING_ROLES.get(key, key))
