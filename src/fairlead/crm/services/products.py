"""Products: made in bulk, and taken away again while nobody sells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import bulk
from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.common.text import clean_text
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.models import Organisation, User

from ..models import Product


@transaction.atomic
def create_products(
    wanted: Sequence[Mapping[str, Any]],
    *,
    by: User | None,
    at: datetime,
    channel: str,
    batch_id: int | None = None,
) -> list[Product]:
    """Needs `settings.manage`; `by` None is the installation. Raises Invalid for a name that is taken."""
    if by is not None and not by.may("settings.manage"):
        raise NotPermitted
    currency = Organisation.objects.current().currency
    rows = []
    for values in wanted:
        name = clean_text(str(values.get("name") or ""), field="name")
        if not name:
            raise Invalid.field("name", _("Fill this in."))
        rows.append(
            Product(
                name=name,
                code=clean_text(str(values.get("code") or ""), limit=60, field="code"),
                series=clean_text(str(values.get("series") or ""), limit=100, field="series"),
                list_price=_price(values.get("list_price")),
                currency=str(values.get("currency") or currency)[:3].upper(),
            )
        )
    if (
        taken := Product.objects.filter(name__in=[r.name for r in rows])
        .values_list("name", flat=True)
        .first()
    ):
        raise Invalid.field("name", _("There is a product “%(name)s” already.") % {"name": taken})
    bulk.insert(rows)
    record(
        [
            NewEvent(
                type="created",
                subject_type="product",
                subject_id=row.pk,
                actor_id=by.pk if by is not None else None,
                effective_at=at,
                channel=channel,
                batch_id=batch_id,
                data={"code": row.code[:60]},
            )
            for row in rows
        ]
    )
    return rows


def _price(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        raise Invalid.field("list_price", _("A number is expected.")) from None
    if not price.is_finite() or not 0 <= price < Decimal("1e16"):
        raise Invalid.field("list_price", _("The number is too large."))
    return price.quantize(Decimal("0.01"))
