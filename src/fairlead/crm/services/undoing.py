"""Records as they were before an import: kept beforehand, put back, or taken away again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from fairlead.common import rows
from fairlead.journal.services import NewEvent, record
from fairlead.process.models import Journey
from fairlead.process.services import facts_change
from fairlead.process.services.undoing import (
    hanging_on,
    keep_journeys,
    links_from,
    put_back_journeys,
    remove_journeys,
)

from ..models import Account, Contact, ContactRole, DealTeamMember, Opportunity, Product, Segment
from .indexing import index_again
from .records import READ_BY_GATES

MODELS: Mapping[str, Any] = {
    "segment": Segment,
    "account": Account,
    "contact": Contact,
    "opportunity": Opportunity,
    "product": Product,
}


def keep_records(kind: str, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Each record with its journeys and the slots of its deal team, every column, as JSON."""
    kept: dict[int, dict[str, Any]] = {
        row.pk: {"record": rows.as_json(row), "journeys": {}, "team": []}
        for row in MODELS[kind].objects.filter(pk__in=ids)
    }
    journeys = dict(Journey.objects.on(kind, ids).values_list("pk", "subject_id"))
    for pk, journey in keep_journeys(journeys).items():
        kept[journeys[pk]]["journeys"][str(pk)] = journey
    if kind == "opportunity":
        for member in DealTeamMember.objects.filter(opportunity__in=ids).order_by("pk"):
            kept[member.opportunity_id]["team"].append(rows.as_json(member))
    return kept


@transaction.atomic
def put_back_records(
    kind: str,
    kept: Mapping[int, Mapping[str, Any]],
    *,
    by_id: int | None,
    at: datetime,
    channel: str,
    batch_id: int,
) -> None:
    """Restore records that nobody has touched since (the caller knows), exactly; the journal tells it."""
    model, ids = MODELS[kind], list(kept)
    list(
        model.objects.select_for_update(of=("self",))
        .filter(pk__in=ids)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    put_back_journeys(
        {int(pk): journey for row in kept.values() for pk, journey in row["journeys"].items()},
        by_id=by_id,
        at=at,
        channel=channel,
        batch_id=batch_id,
    )
    judged = _judged_by(kind, kept)
    rows.put_back(model, [kept[pk]["record"] for pk in ids], model.objects.none())
    index_again(kind, ids)
    if kind == "opportunity":
        rows.put_back(
            DealTeamMember,
            [m for pk in ids for m in kept[pk]["team"]],
            DealTeamMember.objects.filter(opportunity__in=ids),
        )
    record(
        [
            NewEvent(
                type="import_undone",
                subject_type=kind,
                subject_id=pk,
                actor_id=by_id,
                effective_at=at,
                channel=channel,
                batch_id=batch_id,
                data={"restored": True},
            )
            for pk in ids
        ]
    )
    if judged:
        with facts_change("opportunity", judged, at=at):
            pass


def _judged_by(kind: str, kept: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """Deals whose gates read what is about to be put back: of accounts that change their tier or industry."""
    if kind != "account":
        return []
    now = Account.objects.filter(pk__in=list(kept)).values_list("pk", *READ_BY_GATES)
    changed = [pk for pk, *values in now if values != [kept[pk]["record"][name] for name in READ_BY_GATES]]
    return list(Opportunity.objects.filter(account__in=changed).values_list("pk", flat=True))


def in_use(kind: str, ids: Sequence[int], *, since: datetime) -> set[int]:
    """Records that something else needs by now: a contact of the account, a contract of the deal."""
    model = MODELS[kind]
    if kind != "opportunity":
        return rows.referred_to(model, ids)
    used = rows.referred_to(model, ids, but=(DealTeamMember, ContactRole)) | links_from(
        kind, ids, since=since
    )
    journeys = dict(Journey.objects.on(kind, ids).values_list("pk", "subject_id"))
    return used | {journeys[pk] for pk in hanging_on(journeys)}


@transaction.atomic
def remove_records(
    kind: str,
    ids: Sequence[int],
    *,
    by_id: int | None,
    at: datetime,
    channel: str,
    batch_id: int | None,
    type_: str = "import_undone",
) -> None:
    """Take away records that an import or one person made and that nothing needs (see `in_use`). Their events
    stay; `type_` is the one that tells of the removal."""
    if not ids:
        return
    journeys = dict(Journey.objects.on(kind, ids).values_list("subject_id", "pk"))
    if kind == "opportunity":
        for part in (ContactRole, DealTeamMember):
            rows.delete(part._base_manager.filter(opportunity__in=ids))
    rows.delete(MODELS[kind]._default_manager.filter(pk__in=ids))
    index_again(kind, ids)
    remove_journeys(journeys.values())
    record(
        [
            NewEvent(
                type=type_,
                subject_type=kind,
                subject_id=pk,
                journey_id=journeys.get(pk),
                actor_id=by_id,
                effective_at=at,
                channel=channel,
                batch_id=batch_id,
                data={"removed": True},
            )
            for pk in ids
        ]
    )


def no_customers(ids: Iterable[int]) -> None:
    """Accounts that had become customers by an import only: they are prospects again."""
    won = Journey.objects.filter(subject_type="opportunity", state="won")
    wins = Opportunity.objects.filter(account__in=list(ids), journey__in=won).values("account_id")
    Account.objects.filter(pk__in=list(ids)).exclude(pk__in=wins).update(is_customer=False)
