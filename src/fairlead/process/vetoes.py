"""In what each role may say no: SR in technology, FR in delivery, AR about the customer, finance and legal in theirs
(IT-3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .enums import VetoDomain

ROLE_OF: Final[Mapping[str, str]] = {
    VetoDomain.TECHNICAL: "SR",
    VetoDomain.DELIVERY_DATE: "FR",
    VetoDomain.DELIVERY_SCOPE: "FR",
    VetoDomain.DELIVERY_COST: "FR",
    VetoDomain.CUSTOMER: "AR",
    VetoDomain.FINANCE: "FIN",
    VetoDomain.LEGAL: "LEG",
}


def role_of(domain: str) -> str:
    return ROLE_OF.get(domain, "")


def domains_of(roles: frozenset[str] | set[str]) -> tuple[VetoDomain, ...]:
    """The fields in which somebody who holds these roles on a record may say no."""
    return tuple(domain for domain in VetoDomain if ROLE_OF[domain] in roles)
