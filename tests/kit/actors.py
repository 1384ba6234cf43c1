"""The people who try every door, all of one small company, and what they bring along."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.test import Client
from django.utils import timezone
from tests.factories.crm import PASSWORD, Company

from fairlead.journal.enums import Channel
from fairlead.organisation import services as organisation
from fairlead.organisation.enums import KeyScope, Role
from fairlead.organisation.models import ApiKey, User

#: Seen from the deal of 周敏: actor → user name. 周敏 sells in the first team of the eastern branch.
PEOPLE: Final[Mapping[str, str]] = {
    "seller": "zhou",
    "same-team": "lin",
    "other-team": "wu",
    "other-branch": "qi",
    "no-team": "stray",
    "no-role": "newcomer",
    "sr-on-deal": "sun",
    "fr-elsewhere": "he",
    "manager": "chen",
    "other-manager": "luo",
    "process-owner": "tang",
    "administrator": "admin",
    "marketing": "mo",
    "finance": "fang",
    "legal": "lu",
    "auditor": "shen",
}
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "key-read": (KeyScope.READ,),
    "key-write": (KeyScope.READ, KeyScope.WRITE),
}
ACTORS: Final = ("anonymous", "disabled", *PEOPLE, *KEYS)


@dataclass(frozen=True)
class Actor:
    """`user` is nobody for a guest and for the disabled; a key speaks for the seller."""

    name: str
    user: User | None
    headers: Mapping[str, str]
    signed_in: User | None

    def client(self) -> Client:
        client = Client(headers=self.headers, raise_request_exception=False)
        if self.signed_in is not None:
            client.force_login(self.signed_in)
        return client


def add_people(where: Company) -> None:
    """Those whom the company of the factory does not have."""
    how: dict[str, Any] = {"by": None, "at": where.at, "channel": Channel.SYSTEM}
    for username, name, team, roles in (
        ("stray", "游离", None, (Role.AR,)),
        ("gone", "离职", where.teams["east_one"], (Role.AR,)),
    ):
        organisation.create_user(
            username=username, name=name, password=PASSWORD, team=team, roles=roles, language="en", **how
        )
        where.people[username] = User.objects.select_related("team").get(username=username)


def actors(where: Company) -> dict[str, Actor]:
    """All of them; the disabled one is signed in first and disabled afterwards, as it happens in life."""
    now = timezone.now()
    made = {"anonymous": Actor("anonymous", None, {}, None)}
    made["disabled"] = Actor("disabled", None, {}, where.people["gone"])
    for name, username in PEOPLE.items():
        user = where.people[username]
        made[name] = Actor(name, user, {}, user)
    seller = where.people["zhou"]
    for name, scopes in KEYS.items():
        _row, text = organisation.create_api_key(
            seller, name=name, scopes=scopes, expires_at=now + timedelta(days=1), by=seller, at=now,
            channel=Channel.UI,
        )  # fmt: skip
        made[name] = Actor(name, seller, {"authorization": f"Bearer {text}"}, None)
    ApiKey.objects.update(last_used_at=now)  # a use is noted every ten minutes only: none during a test
    return made


def clients(made: Mapping[str, Actor], where: Company) -> dict[str, Client]:
    """Signed in; from here on the disabled one is disabled."""
    signed = {name: actor.client() for name, actor in made.items()}
    User.objects.filter(pk=where.people["gone"].pk).update(is_active=False)
    return signed
