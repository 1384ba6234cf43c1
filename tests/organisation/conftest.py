"""People and teams of a small company, made by the services themselves."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import Organisation, User

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # a Monday, noon in Shanghai
PASSWORD = "correct-horse-battery"


@pytest.fixture
def organisation(db: None) -> Organisation:
    return Organisation.objects.create(pk=1, name="海纳工业")


@pytest.fixture
def make_user(organisation: Organisation) -> Callable[..., User]:
    def make(username: str = "zhoumin", **values: Any) -> User:
        values = {"name": username.title(), "password": PASSWORD} | values
        user = services.create_user(username=username, by=None, at=NOON, channel=Channel.SYSTEM, **values)
        return User.objects.select_related("team").get(pk=user.pk)

    return make


@pytest.fixture
def make_team(organisation: Organisation) -> Callable[..., Any]:
    def make(name: str, parent: Any = None) -> Any:
        return services.create_team(name=name, parent=parent, by=None, at=NOON, channel=Channel.SYSTEM)

    return make


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("admin", name="何佳", roles=["ADMIN"])


@pytest.fixture
def how(admin: User) -> dict[str, Any]:
    """The three words that every service wants."""
    return {"by": admin, "at": NOON, "channel": Channel.UI}
