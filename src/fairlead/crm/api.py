"""Segments, accounts, contacts and opportunities: list, get, create, edit, reassign; and what only a deal has.

No `from __future__ import annotations` here: the operations of the four kinds are made by one function, whose
types are looked up when it runs.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import (
    MOST,
    Cut,
    IfMatch,
    PathId,
    cut,
    etag,
    listed,
    require_storable,
    sort_named,
    version_in,
)
from fairlead.common.text import matches
from fairlead.fields.catalogue import catalogue
from fairlead.fields.lists import filtered, readable, sorts_of
from fairlead.fields.schemas import record_out, values_in
from fairlead.journal.enums import Channel
from fairlead.process.answers import journey_out
from fairlead.process.schemas import JourneyOut, StartIn
from fairlead.work.forms import the_colleague

from . import schemas as shapes
from . import services
from .api_amnesty import router as amnesty
from .api_deals import router as deals
from .api_strength import router as strength
from .api_views import router as views
from .models import Account, Contact, Opportunity, Segment
from .selectors.strengths import account_levels, contact_levels
from .services.values import value_of

router = Router(tags=["crm"])
router.add_router("", deals)
router.add_router("", strength)
router.add_router("", views)
router.add_router("", amnesty)

Limit = Annotated[int, Query(ge=1, le=MOST)]
KeyFilter = Annotated[str, Query(pattern=r"^[a-z0-9_]{0,60}$")]
Tree = Annotated[
    str, Query(description='A condition over the fields: {"field": "amount", "op": "gte", "value": 500000}')
]
Search = Annotated[str, Query(max_length=100, description="Part of the name, its pinyin or its initials")]
Order = Annotated[str, Query(max_length=60, description="The name of an indexed order; with - descending")]


def how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


Level = Annotated[
    Literal["", "strong", "fair", "weak", "none"],
    Query(
        description="Only these, by how well the asker knows them; a page may then hold fewer than `limit`"
    ),
]
LEVELS_OF = {"account": account_levels, "contact": contact_levels}


@dataclass(frozen=True)
class Door:
    """One kind of record: its model, its words in addresses, and the shapes of what goes in and out."""

    kind: str
    plural: str
    model: Any
    body: Any
    change: Any
    answer: Any
    order: str = "name"
    related: tuple[str, ...] = ()

    def rows(self, user: Any) -> Any:
        return self.model.objects.visible_to(user).select_related(*self.related)

    def find(self, user: Any, pk: int) -> Any:
        row = self.rows(user).filter(pk=pk).first()
        if row is None:
            raise NotFound
        return row

    def out(self, row: Any, user: Any) -> dict[str, Any]:
        found = record_out(row, catalogue(self.kind), user, value_of)
        if self.kind == "contact":
            found["left_at"] = row.left_at
        if self.kind == "opportunity":
            found |= {
                "journey": journey_out(row.journey) if row.journey is not None else None,
                "commercial_locked": row.commercial_locked, "predecessor": row.predecessor_id,
                "merged_into": row.merged_into_id,
            }  # fmt: skip
        return found

    def page(
        self,
        request: HttpRequest,
        tree: str,
        q: str,
        sort: str,
        cursor: str,
        limit: int,
        *,
        strength: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        fields = readable(self.kind, request.user)
        rows = filtered(self.rows(request.user), tree, fields, at=timezone.now())
        rows = rows.filter(**{name: value for name, value in more.items() if value})
        if key := matches(q):
            rows = rows.filter(search_key__contains=key)
        names = sorts_of(
            fields, id="pk", **({"created_at": "created_at"} if self.kind == "opportunity" else {})
        )
        found, following = cut(rows, sort_named(sort, names), cursor, limit)
        items = [self.out(row, request.user) for row in found]
        if strength:
            levels = LEVELS_OF[self.kind]([row.pk for row in found], request.user, timezone.now())
            items = [item | {"strength": strength} for item in items if levels[item["id"]] == strength]
        return listed(items, following)


DOORS = (
    Door("segment", "segments", Segment, shapes.SegmentIn, shapes.SegmentChange, shapes.SegmentOut),
    Door("account", "accounts", Account, shapes.AccountIn, shapes.AccountChange, shapes.AccountOut),
    Door("contact", "contacts", Contact, shapes.ContactIn, shapes.ContactChange, shapes.ContactOut),
    Door(
        "opportunity", "opportunities", Opportunity, shapes.OpportunityIn, shapes.OpportunityChange,
        shapes.OpportunityOut, order="-created_at", related=("journey__stage", "account"),
    ),
)  # fmt: skip
OPPORTUNITY = DOORS[3]


def _list(door: Door) -> None:
    if door.kind == "opportunity":

        @router.get(
            "/opportunities",
            response=Cut[shapes.OpportunityOut],
            operation_id="opportunities_list",
            exclude_unset=True,
        )
        @access("opportunity.view", api=True)
        def opportunities(
            request: HttpRequest, filter: Tree = "", q: Search = "", sort: Order = "-created_at", process: KeyFilter = "",
            stage: KeyFilter = "", state: KeyFilter = "", cursor: str = "", limit: Limit = 50,
        ) -> dict[str, Any]:  # fmt: skip
            """Opportunities that one sees, by a condition over their fields, and by where their journey stands."""
            return door.page(
                request, filter, q, sort, cursor, limit, journey__process_key=process, journey__stage__axis_key=stage,
                journey__state=state,
            )  # fmt: skip

        return

    listing: Any = Cut[door.answer]  # type: ignore[name-defined]
    if door.kind in LEVELS_OF:

        @router.get(
            f"/{door.plural}", response=listing, operation_id=f"{door.plural}_list", exclude_unset=True
        )
        @access(f"{door.kind}.view", api=True)
        def known(
            request: HttpRequest, filter: Tree = "", q: Search = "", sort: Order = door.order, strength: Level = "",
            cursor: str = "", limit: Limit = 50,
        ) -> dict[str, Any]:  # fmt: skip
            """The records that one sees, by a condition over their fields, and by how well one knows them."""
            return door.page(request, filter, q, sort, cursor, limit, strength=strength)

        return

    @router.get(f"/{door.plural}", response=listing, operation_id=f"{door.plural}_list", exclude_unset=True)
    @access(f"{door.kind}.view", api=True)
    def records(
        request: HttpRequest, filter: Tree = "", q: Search = "", sort: Order = door.order, cursor: str = "",
        limit: Limit = 50,
    ) -> dict[str, Any]:  # fmt: skip
        """The records that one sees, by a condition over their fields."""
        return door.page(request, filter, q, sort, cursor, limit)


def _open(door: Door) -> None:
    """The operations that every kind of record has. Saving partial data is always allowed, whatever the gates ask."""
    body, change, answer, one = door.body, door.change, door.answer, f"/{door.plural}/{{id:pk}}"
    rights = services.KINDS[door.kind]

    _list(door)

    @router.get(one, response=answer, operation_id=f"{door.plural}_get", exclude_unset=True)
    @access(f"{door.kind}.view", api=True)
    def get(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
        """Fields that one may not read are absent."""
        row = door.find(request.user, pk)
        etag(response, row.version)
        return door.out(row, request.user)

    @router.post(
        f"/{door.plural}", response={201: answer}, operation_id=f"{door.plural}_create", exclude_unset=True
    )
    @access(rights.create_right, api=True)
    def create(request: HttpRequest, response: HttpResponse, payload: body) -> Status[dict[str, Any]]:  # type: ignore[valid-type]
        """The record belongs to whoever creates it; an opportunity sets out on its process at once."""
        values = values_in(payload, catalogue(door.kind))
        row = services.create(door.kind, values, process_key=values.pop("process", ""), **how(request))
        etag(response, row.version)
        return Status(
            201, door.out(door.model.objects.select_related(*door.related).get(pk=row.pk), request.user)
        )

    @router.patch(one, response=answer, operation_id=f"{door.plural}_edit", exclude_unset=True)
    @access(rights.edit_right, api=True)
    def edit(
        request: HttpRequest,
        response: HttpResponse,
        pk: PathId,
        payload: change,  # type: ignore[valid-type]
        if_match: IfMatch = None,
    ) -> dict[str, Any]:
        """Change the fields that are given. 412 names both sides of each field that somebody else changed."""
        version = version_in(if_match)
        services.edit(
            door.kind, pk, values_in(payload, catalogue(door.kind)), version=version, **how(request)
        )
        row = door.find(request.user, pk)
        etag(response, row.version)
        return door.out(row, request.user)

    @router.post(
        f"{one}/reassign", response=answer, operation_id=f"{door.plural}_reassign", exclude_unset=True
    )
    @access(rights.reassign_right, api=True)
    def reassign(
        request: HttpRequest,
        response: HttpResponse,
        pk: PathId,
        payload: shapes.ReassignIn,
        if_match: IfMatch = None,
    ) -> dict[str, Any]:
        """Give it to another owner, and with it to that person's team; its stage is unaffected."""
        version = version_in(if_match)
        door.find(request.user, pk)
        require_storable(payload.reason)
        services.reassign(
            door.kind, pk, owner=the_colleague(payload.owner, "owner"), reason=payload.reason, version=version,
            **how(request),
        )  # fmt: skip
        row = door.model.objects.select_related(*door.related).get(pk=pk)
        etag(response, row.version)
        return door.out(row, request.user)


for _door in DOORS:
    _open(_door)


@router.post(
    "/contacts/{id:pk}/left", response=shapes.ContactOut, operation_id="contacts_left", exclude_unset=True
)
@access("contact.edit", api=True)
def contact_left(
    request: HttpRequest, response: HttpResponse, pk: PathId, if_match: IfMatch = None
) -> dict[str, Any]:
    """The person has left the company: relations with them no longer count at gates."""
    row = services.mark_contact_left(pk, version=version_in(if_match), **how(request))
    etag(response, row.version)
    return DOORS[2].out(row, request.user)


@router.post("/accounts/{id:pk}/journeys", response={201: JourneyOut}, operation_id="accounts_start")
@access("account.edit", api=True)
def start_account(request: HttpRequest, pk: PathId, payload: StartIn) -> Status[dict[str, Any]]:
    """Set an account out on a process: development, or a care cycle."""
    return Status(201, _started("account", request, pk, payload))


@router.post("/segments/{id:pk}/journeys", response={201: JourneyOut}, operation_id="segments_start")
@access("segment.edit", api=True)
def start_segment(request: HttpRequest, pk: PathId, payload: StartIn) -> Status[dict[str, Any]]:
    """Set a market segment out on a process."""
    return Status(201, _started("segment", request, pk, payload))


def _started(kind: str, request: HttpRequest, pk: int, payload: StartIn) -> dict[str, Any]:
    row = services.start_process(kind, pk, process_key=payload.process, **how(request))
    return journey_out(row)


@router.post(
    "/opportunities/{id:pk}/successor", response={201: shapes.OpportunityOut}, operation_id="opportunities_successor",
    exclude_unset=True,
)  # fmt: skip
@access("opportunity.create", api=True)
def successor(request: HttpRequest, response: HttpResponse, pk: PathId) -> Status[dict[str, Any]]:
    """A new opportunity linked to one that ended too long ago to be reopened."""
    row = services.create_successor(pk, **how(request))
    etag(response, row.version)
    return Status(
        201,
        OPPORTUNITY.out(
            OPPORTUNITY.model.objects.select_related(*OPPORTUNITY.related).get(pk=row.pk), request.user
        ),
    )
