"""Shapes of people, teams and keys in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from fairlead.common.rest import Answer, Body, Instant
from fairlead.organisation.models import ApiKey, Team, User


class UserOut(Answer):
    id: int
    username: str
    name: str
    team: int | None
    calendar: int | None = Field(
        description="Their own working calendar; null: that of the team or the company"
    )
    is_active: bool


class ReachOut(Answer):
    """Whose rows a right reaches."""

    all: bool
    teams: list[int]
    own: bool


class MeOut(Answer):
    id: int
    username: str
    name: str
    email: str
    language: str
    time_zone: str
    team: int | None
    roles: list[str]
    rights: dict[str, ReachOut]
    key_scopes: list[str] | None = Field(description="The scopes of the key in use; null for a session")


class TeamOut(Answer):
    id: int
    name: str
    kind: str
    parent: int | None
    calendar: int | None = Field(description="The team's own working calendar; null: that of the team above")
    is_active: bool


class KeyIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    scopes: Annotated[
        list[Literal["read", "write", "decide", "import", "manage"]], Field(min_length=1, max_length=5)
    ]
    expires_at: Instant


class KeyOut(Answer):
    id: int
    name: str
    prefix: str
    owner: int
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    key: str = Field(description="The key itself: shown this once and kept nowhere")


def user_out(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": user.username,
        "name": user.name,
        "team": user.team_id,
        "calendar": user.calendar_id,
        "is_active": user.is_active,
    }


def team_out(team: Team) -> dict[str, Any]:
    return {
        "id": team.pk, "name": team.name, "kind": team.kind, "parent": team.parent_id,
        "calendar": team.calendar_id, "is_active": team.is_active,
    }  # fmt: skip


def key_out(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.pk, "name": key.name, "prefix": key.prefix, "owner": key.owner_id, "scopes": key.scopes,
        "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }  # fmt: skip
