"""Oneself, colleagues, teams, and the keys of the API."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Status

from fairlead.common.access import access
from fairlead.common.refusals import NotFound
from fairlead.common.rest import MOST, Cut, PathId, Sort, cut, listed
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.api_calendar import router as calendar
from fairlead.organisation.api_leave import router as leave
from fairlead.organisation.models import ApiKey, Team, User
from fairlead.organisation.rights import ALL_RIGHTS
from fairlead.organisation.schemas import (
    KeyIn,
    KeyOut,
    MeOut,
    NewKeyOut,
    TeamOut,
    UserOut,
    key_out,
    team_out,
    user_out,
)

router = Router(tags=["organisation"])
router.add_router("", calendar)
router.add_router("", leave)

# Colleagues are no secret; of a key this right, which everybody holds, asks the scope to read.
COLLEAGUES = "process.view"

Limit = Annotated[int, Query(ge=1, le=MOST)]


@router.get("/me", response=MeOut, operation_id="me")
@access("signed-in", api=True)
def me(request: HttpRequest) -> dict[str, Any]:
    """Who is asking, and whose rows each right reaches."""
    user: Any = request.user
    reaches = {right: user.reach(right) for right in ALL_RIGHTS}
    return {
        "id": user.pk, "username": user.username, "name": user.name, "email": user.email, "language": user.language,
        "time_zone": user.time_zone, "team": user.team_id, "roles": sorted(user.roles),
        "rights": {
            right: {"all": reach.all, "teams": sorted(reach.team_ids), "own": reach.own}
            for right, reach in reaches.items() if reach
        },
        "key_scopes": user.api_key.scopes if user.api_key is not None else None,
    }  # fmt: skip


@router.get("/users", response=Cut[UserOut], operation_id="users_list")
@access(COLLEAGUES, api=True)
def users(request: HttpRequest, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    """Everybody who works here, by name."""
    rows, following = cut(User.objects.visible_to(request.user), Sort("name", "name_key"), cursor, limit)
    return listed(map(user_out, rows), following)


@router.get("/users/{id:pk}", response=UserOut, operation_id="users_get")
@access(COLLEAGUES, api=True)
def user(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    row = User.objects.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return user_out(row)


@router.get("/teams", response=Cut[TeamOut], operation_id="teams_list")
@access(COLLEAGUES, api=True)
def teams(request: HttpRequest, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    """Every team after its parent."""
    rows, following = cut(Team.objects.visible_to(request.user), Sort("path", "path"), cursor, limit)
    return listed(map(team_out, rows), following)


@router.get("/keys", response=Cut[KeyOut], operation_id="keys_list")
@access("apikeys.own", api=True)
def keys(request: HttpRequest, cursor: str = "", limit: Limit = 50) -> dict[str, Any]:
    """One's own keys; for whoever manages people, all. Only in a session: a key never sees keys."""
    rows, following = cut(
        ApiKey.objects.visible_to(request.user), Sort("-created_at", "created_at", True), cursor, limit
    )
    return listed(map(key_out, rows), following)


@router.post("/keys", response={201: NewKeyOut}, operation_id="keys_create")
@access("apikeys.own", api=True)
def create_key(request: HttpRequest, payload: KeyIn) -> Status[dict[str, Any]]:
    """A key of one's own, for at most 366 days. Its text is in this answer and nowhere else."""
    user: Any = request.user
    key, text = services.create_api_key(
        user, name=payload.name, scopes=payload.scopes, expires_at=payload.expires_at, by=user, at=timezone.now(),
        channel=Channel.API,
    )  # fmt: skip
    return Status(201, key_out(key) | {"key": text})


@router.post("/keys/{id:pk}/revoke", response=KeyOut, operation_id="keys_revoke")
@access("apikeys.own", api=True)
def revoke_key(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """End a key at once. To end it again changes nothing."""
    user: Any = request.user
    key = ApiKey.objects.visible_to(user).filter(pk=pk).first()
    if key is None:
        raise NotFound
    return key_out(services.revoke_api_key(key, by=user, at=timezone.now(), channel=Channel.API))
