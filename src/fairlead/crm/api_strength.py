"""How well we know an account or a contact: the number, what it is made of, and the activities that count."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import Answer, PathId

from .models import Account, Contact
from .selectors.strength import relationship

router = Router(tags=["crm"])


class StrengthOut(Answer):
    score: int
    level: Literal["strong", "fair", "weak", "none"]
    parts: dict[str, int]
    first_at: datetime | None
    last_at: datetime | None
    last_two_way_at: datetime | None
    next_at: datetime | None
    in_90_days: int
    in_365_days: int
    two_way: int
    colleagues: int
    activities: list[int]


@router.get("/accounts/{id:pk}/strength", response=StrengthOut, operation_id="accounts_strength")
@access("account.view", api=True)
def account_strength(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The relationship with an account, from the activities of records that the reader sees."""
    return _out(request, "account", Account, pk)


@router.get("/contacts/{id:pk}/strength", response=StrengthOut, operation_id="contacts_strength")
@access("contact.view", api=True)
def contact_strength(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """The relationship with a contact, from the activities in which the person took part."""
    return _out(request, "contact", Contact, pk)


def _out(request: HttpRequest, kind: str, model: Any, pk: int) -> dict[str, Any]:
    row = model.objects.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise NotFound
    found = relationship(kind, row, reader=request.user, at=timezone.now())
    values = {name: getattr(found.strength, name) for name in type(found.strength).__slots__}
    return values | {"activities": list(found.counted)}
