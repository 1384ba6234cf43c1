"""Saved views of lists: which there are, what each says to the reader, and changing them."""

import json
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Status
from pydantic import Field

from fairlead.common.access import access
from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.common.rest import (
    Answer,
    BadInput,
    Body,
    Flag,
    Id,
    IfMatch,
    Instant,
    PathId,
    etag,
    require_storable,
    version_in,
)
from fairlead.journal.enums import Channel
from fairlead.organisation.enums import Role

from . import services
from .lists import ListPage, has_kind, kind_of, list_fields, read_list
from .models import SavedView
from .selectors.views import STATE, first_of, meaning_of, views_of

router = Router(tags=["crm"])

Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,30}$", description="`opportunity`, `account`, `contact` …")]
KindQuery = Annotated[str, Query(pattern=r"^[a-z_]{1,30}$")]
Name = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=100)]
Keys = Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=20)]
Roles = Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=len(Role.values))]


class ViewIn(Body):
    kind: Kind
    name: Name
    q: Text = ""
    filter: dict[str, Any] | None = None
    sort: Text = ""
    columns: Keys = []
    shared: Flag = False
    roles: Roles = []


class ViewChange(Body):
    name: Name | None = None
    q: Text | None = None
    filter: dict[str, Any] | None = None
    sort: Text | None = None
    columns: Keys | None = None
    shared: Flag | None = None
    roles: Roles | None = None


class FirstIn(Body):
    kind: Kind
    view: Id | None = None


class ViewOut(Answer):
    """`filter`, `sort` and `columns` as they are for this reader; `left_out` counts what is not here for them."""

    id: int
    kind: str
    name: str
    q: str
    filter: dict[str, Any] | None
    sort: str
    columns: list[str]
    left_out: int
    owner: int
    shared: bool
    roles: list[str]
    first: bool
    may_change: bool
    updated_at: Instant
    version: int


class ViewsOut(Answer):
    items: list[ViewOut]


@router.get("/views", response=ViewsOut, operation_id="views_list")
@access("signed-in", api=True)
def listed_views(request: HttpRequest, kind: KindQuery = "opportunity") -> dict[str, Any]:
    """One's own and the shared views of one list, by name. `first`: with this one the list opens."""
    user: Any = request.user
    _require(kind, user)
    views = views_of(kind, user)
    first = first_of(views, user)
    return {"items": [_out(view, user, is_first=view is first) for view in views]}


@router.post("/views", response={201: ViewOut}, operation_id="views_create")
@access("signed-in", api=True)
def create(request: HttpRequest, response: HttpResponse, payload: ViewIn) -> Status[dict[str, Any]]:
    """Keep a view. Sharing it, and having it open first for roles, asks for the right `views.share`."""
    user: Any = request.user
    _require(payload.kind, user)
    require_storable(payload.name)
    wanted = {
        "q": payload.q, "filter": _text(payload.filter), "sort": payload.sort, "cols": ",".join(payload.columns),
    }  # fmt: skip
    row = services.save_view(
        payload.kind,
        name=payload.name,
        state=_state(_read(payload.kind, wanted, user)),
        is_shared=payload.shared,
        roles=payload.roles,
        **_how(request),
    )
    etag(response, row.version)
    return Status(201, _out(row, user))


@router.get("/views/{id:pk}", response=ViewOut, operation_id="views_get")
@access("signed-in", api=True)
def get(request: HttpRequest, response: HttpResponse, pk: PathId) -> dict[str, Any]:
    row = _find(pk, request.user)
    etag(response, row.version)
    return _out(row, request.user)


@router.patch("/views/{id:pk}", response=ViewOut, operation_id="views_change")
@access("signed-in", api=True)
def change(
    request: HttpRequest, response: HttpResponse, pk: PathId, payload: ViewChange, if_match: IfMatch = None
) -> dict[str, Any]:
    """Change what is given. One's own view, or a shared one with the right `views.share`."""
    version, user = version_in(if_match), request.user
    row = _find(pk, user)
    given = payload.model_fields_set
    state = None
    if given & {"q", "filter", "sort", "columns"}:
        standing = meaning_of(row, kind_of(row.kind), list_fields(kind_of(row.kind), user)).params()
        wanted = standing | {
            name: value
            for name, value in (
                ("q", payload.q or ""),
                ("filter", _text(payload.filter)),
                ("sort", payload.sort or ""),
                ("cols", ",".join(payload.columns or [])),
            )
            if ("columns" if name == "cols" else name) in given
        }
        state = _state(_read(row.kind, wanted, user))
    require_storable(payload.name or "")
    row = services.change_view(
        pk,
        version=version,
        name=payload.name,
        state=state,
        is_shared=payload.shared,
        roles=payload.roles,
        **_how(request),
    )
    etag(response, row.version)
    return _out(row, user)


@router.delete("/views/{id:pk}", response={204: None}, operation_id="views_delete")
@access("signed-in", api=True)
def delete(request: HttpRequest, pk: PathId, if_match: IfMatch = None) -> Status[None]:
    """Nobody meets it any more."""
    version = version_in(if_match)
    services.delete_view(pk, version=version, **_how(request))
    return Status(204, None)


@router.put("/views/first", response={204: None}, operation_id="views_first")
@access("signed-in", api=True)
def first(request: HttpRequest, payload: FirstIn) -> Status[None]:
    """The view with which a list opens for oneself; null: the one of one's role, or the plain list."""
    _require(payload.kind, request.user)
    services.choose_first(payload.kind, payload.view, **_how(request))
    return Status(204, None)


# --- parts ---


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.API}


def _require(kind: str, user: Any) -> None:
    if not has_kind(kind):
        raise BadInput.field("kind", _("There is no such list."))
    if not user.may(f"{kind}.view"):
        raise NotPermitted(details={"right": f"{kind}.view"})


def _find(pk: int, user: Any) -> SavedView:
    row = SavedView.objects.visible_to(user).filter(pk=pk).first()
    if row is None or not has_kind(row.kind) or not user.may(f"{row.kind}.view"):
        raise NotFound
    return row


def _read(kind: str, wanted: dict[str, str], user: Any) -> ListPage:
    return read_list(kind, {name: wanted[name] for name in STATE}, user=user, at=timezone.now(), url="")


def _state(found: ListPage) -> services.ViewState:
    state = found.state()
    return services.ViewState(q=state["q"], tree=found.tree, sort=state["sort"], cols=state["cols"])


def _text(tree: dict[str, Any] | None) -> str:
    return json.dumps(tree, ensure_ascii=False) if tree else ""


def _out(row: SavedView, user: Any, *, is_first: bool = False) -> dict[str, Any]:
    kind = kind_of(row.kind)
    fields = list_fields(kind, user)
    meaning = meaning_of(row, kind, fields)
    columns = [key for key in meaning.cols.split(",") if key] or [
        key for key in kind.columns if key in fields
    ]
    return {
        "id": row.pk, "kind": row.kind, "name": row.name, "q": meaning.q,
        "filter": json.loads(meaning.filter) if meaning.filter else None, "sort": meaning.sort, "columns": columns,
        "left_out": meaning.left_out, "owner": row.owner_id, "shared": row.is_shared, "roles": row.roles,
        "first": is_first, "may_change": services.may_change(row, user), "updated_at": row.updated_at,
        "version": row.version,
    }  # fmt: skip
