"""What stands on a page that somebody may not open: the right, the roles that have it, whom to ask; no data."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override
from tests.access.objects import FOREIGN, MINE, UNUSED, address, kind_of

from fairlead.common.access import PUBLIC, SIGNED_IN, routes
from fairlead.organisation.right_names import right_name
from fairlead.organisation.rights import RIGHTS

pytestmark = pytest.mark.django_db


def guarded() -> list[tuple[str, str]]:
    """Pages with the right that they need."""
    return sorted(
        {
            (route.pattern, route.access.needs)
            for route in routes()
            if route.access and not route.methods and route.access.needs not in (PUBLIC, SIGNED_IN)
        }
    )


@pytest.mark.rule("U39")
@pytest.mark.one_engine("sqlite", "a door that is shut by its right is shut before the database is asked")
def test_every_denied_page_names_right_roles_and_whom_to_ask(world: Any) -> None:
    client = Client()
    client.force_login(world.actors["no-role"].user)
    admin = world.actors["administrator"].user
    wrong = []
    for pattern, right in guarded():
        answer = client.get(address(pattern, world.objects, MINE))
        text = unescape(answer.content.decode())
        with override(world.actors["no-role"].user.language):
            holders = [str(role.label) for role, given in RIGHTS.items() if right in given]
            said = all(word in text for word in (right_name(right), admin.name, *holders))
        if answer.status_code != 403 or not said:
            wrong.append((pattern, right, answer.status_code))
    assert wrong == []
    assert len(guarded()) > 60


@pytest.mark.rule("U39", "T05")
def test_a_denied_page_says_the_same_whatever_stands_there(world: Any) -> None:
    client = Client()
    client.force_login(world.actors["no-role"].user)
    for pattern, _right in guarded():
        if not kind_of(pattern):
            continue
        texts = set()
        for which in (MINE, FOREIGN, UNUSED):
            path = address(pattern, world.objects, which)
            main = client.get(path).content.decode().split('class="fl-sheet fl-stop"')[1].split("</dl>")[0]
            texts.add(main.replace(path, "PATH"))
        assert len(texts) == 1, pattern


@pytest.mark.rule("U39")
def test_an_administrator_is_not_sent_to_themselves(world: Any) -> None:
    from fairlead.organisation.asking import whom_to_ask

    asking = whom_to_ask(world.actors["administrator"].user, {"right": "deal.attest"})
    assert world.actors["administrator"].user.name not in asking.people
    assert asking.right == right_name("deal.attest")
    assert whom_to_ask(None) is None


@pytest.mark.rule("U39")
def test_a_form_that_is_too_old_is_not_a_lack_of_rights(world: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.actors["seller"].user)
    text = client.post("/theme", {"theme": "dark"}).content.decode()
    assert "too old" in text and "Roles that have it" not in text
