"""Who gets which answer at which door: every route, method and actor, an own and a foreign object.

`permissions.csv` has one line for each route and method: what each actor is answered, `own/foreign` where the
address names an object. To write it anew after a change of routes or rights, and then to read the difference:

    FAIRLEAD_TEST_WRITE_PERMISSIONS=1 python -m pytest tests/access/test_permissions.py
"""

import csv
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.conf import settings
from tests.access.objects import FOREIGN, UNUSED, kind_of, sees
from tests.access.walk import METHODS, is_allowed_change, patterns, places, plain
from tests.factories.crm import PEOPLE as STAFF
from tests.kit.actors import ACTORS, PEOPLE

from fairlead.common.access import PUBLIC, SIGNED_IN, routes
from fairlead.organisation.enums import Role

FILE = Path(__file__).parent / "permissions.csv"
pytestmark = pytest.mark.django_db
IS_WRITING = bool(os.environ.get("FAIRLEAD_TEST_WRITE_PERMISSIONS"))
TO_SIGN_IN = "sign-in"
SHUT = {"401", "405", TO_SIGN_IN}

Line = dict[str, str]


@cache
def stored() -> dict[tuple[str, str], Line]:
    if not FILE.exists():
        return {}
    with FILE.open(encoding="utf-8", newline="") as file:
        return {(line["route"], line["method"]): line for line in csv.DictReader(file)}


def write(lines: list[Line]) -> None:
    kept = dict(stored())
    kept.update({(line["route"], line["method"]): line for line in lines})
    here = set(patterns())
    with FILE.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, ["route", "method", *ACTORS], lineterminator="\n")
        out.writeheader()
        out.writerows(line for key, line in sorted(kept.items()) if key[0] in here)
    stored.cache_clear()


def shown(route: str) -> str:
    return "/" + route


@pytest.mark.rule("T01", "T02", "T03")
@pytest.mark.parametrize("route", patterns(), ids=shown)
def test_each_actor_is_answered_as_the_table_says(
    world: Any, route: str, pytestconfig: pytest.Config
) -> None:
    lines, wrong = walked(world, route, whole=pytestconfig.getoption("--nightly"))
    assert wrong == []
    if IS_WRITING:
        write(lines)
        return
    expected = stored()
    differing = []
    for line in lines:
        told = expected.get(shown_key := (line["route"], line["method"]))
        if told is None:
            differing.append(f"{shown_key} has no line in permissions.csv")
            continue
        differing += [
            f"{line['method']} {actor}: {line[actor]}, not {told[actor]}"
            for actor in ACTORS
            if line[actor] != told[actor]
        ]
    assert differing == []


def walked(world: Any, route: str, *, whole: bool) -> tuple[list[Line], list[str]]:
    """The lines of one route, and what no table could make right."""
    kind, wrong, lines = kind_of(route), [], []
    for method in METHODS:
        told = stored().get((route, method), {})
        line = {"route": route, "method": method}
        asked = ACTORS if IS_WRITING or whole or not told else asking(told)
        line |= {actor: told[actor] for actor in ACTORS if actor not in asked}
        for actor in asked:
            cells: list[str] = []
            for which in places(route):
                if cells and cells[0] in ("405", TO_SIGN_IN):
                    break  # decided before anybody looked for an object
                answer = world.walker.send(actor, method, route, which)
                cells.append(TO_SIGN_IN if answer.is_to_sign_in else str(answer.status))
                what = f"{method} /{route} {which} by {actor} ({answer.status})"
                if answer.status >= 500:
                    wrong.append(f"{what} broke")
                if not is_allowed_change(answer):
                    wrong.append(f"{what} changed {sorted(answer.changes)}")
                if which == FOREIGN and must_look_unused(world, actor, kind, answer.status):
                    unused = world.walker.send(actor, method, route, UNUSED)
                    if plain(answer) != plain(unused):
                        wrong.append(f"{what} differs from an id that was never used ({unused.status})")
            line[actor] = "/".join(cells)
        lines.append(line)
    return lines, wrong


def asking(told: Line) -> Sequence[str]:
    """Who walks through a door: everybody, and with --nightly on both engines.

    A door that opens for nobody, as with a method that it does not know, is tried by one of those who are answered
    alike, by the administrator, and by somebody whose turn it is. On the second engine nobody tries that, and any
    other door one of those who are answered alike: the rest is decided by the same code, whatever the database says.
    """
    is_shut = {told[actor] for actor in ACTORS} <= SHUT
    is_second = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
    if not is_shut and not is_second:
        return tuple(ACTORS)
    if is_shut and is_second:
        return ()
    alike = {told[actor]: actor for actor in reversed(tuple(ACTORS))}
    chosen = set(alike.values())
    if is_shut:
        turn = crc32(f"{told['method']} {told['route']}".encode()) % len(ACTORS)
        chosen |= {"administrator", ACTORS[turn]}
    return tuple(actor for actor in ACTORS if actor in chosen)


def must_look_unused(world: Any, actor: str, kind: str, status: int) -> bool:
    """A foreign object that the actor does not see, or was told that it is not there."""
    if status == 405 or not kind:
        return False
    seen = sees(world.actors[actor].user, kind, world.objects.of(kind, FOREIGN))
    return status == 404 or seen is False


@pytest.mark.rule("T01")
@pytest.mark.skipif(IS_WRITING, reason="the table is being written")
def test_the_table_has_a_line_for_each_route_and_no_other() -> None:
    wanted = {(route, method) for route in patterns() for method in METHODS}
    assert stored().keys() == wanted
    assert len(wanted) * len(ACTORS) >= 3000


@pytest.mark.rule("T01")
def test_every_role_stands_before_the_doors() -> None:
    """A role that is added has an actor here, or nobody would see what it opens."""
    standing = {role for username in PEOPLE.values() if username in STAFF for role in STAFF[username][2]}
    assert standing == set(Role)


# What the table must say, whoever wrote it: read by a person once, checked by these rules for good.

NOBODY = ("anonymous", "disabled")
SEES_FOREIGN = frozenset({
    "other-branch", "other-manager", "process-owner", "administrator", "marketing", "finance", "legal",
    "auditor",
})  # fmt: skip
RECORDS = frozenset(
    {
        "opportunity",
        "account",
        "contact",
        "contract",
        "journey",
        "activity",
        "comment",
        "file",
        "import",
        "view",
        "many_change",
    }
)


def cells() -> Any:
    for (route, method), line in stored().items():
        for actor in ACTORS:
            yield route, method, actor, line[actor].split("/")


@pytest.mark.rule("T01")
def test_nobody_passes_a_door_that_is_not_public() -> None:
    public = {route.pattern for route in routes() if route.access and route.access.needs == PUBLIC}
    passed = [
        (route, method, actor, statuses)
        for route, method, actor, statuses in cells()
        if actor in NOBODY and route not in public and not set(statuses) <= {TO_SIGN_IN, "401", "405"}
    ]
    assert passed == []


@pytest.mark.rule("T01")
def test_no_foreign_record_is_found_by_who_does_not_reach_it() -> None:
    found = [
        (route, method, actor, statuses)
        for route, method, actor, statuses in cells()
        if actor not in SEES_FOREIGN | set(NOBODY) and kind_of(route) in RECORDS
        and not set(statuses[1:]) <= {"403", "404", "405", TO_SIGN_IN, "401", "428"}
    ]  # fmt: skip
    assert found == []


@pytest.mark.rule("T01")
def test_without_the_right_of_the_route_nothing_is_answered_but_no(world: Any) -> None:
    needs = {}
    for route in routes():
        if route.access and not route.methods:
            needs[route.pattern] = route.access.needs
    wrong = [
        (route, method, actor, statuses)
        for route, method, actor, statuses in cells()
        if (right := needs.get(route)) not in (None, PUBLIC, SIGNED_IN)
        and (user := world.actors[actor].user) is not None and not actor.startswith("key-")
        and not user.may(right) and set(statuses) != {"403"}
    ]  # fmt: skip
    assert wrong == []


#: Doors of one's own account, open to everybody, and what an auditor may do beside reading.
OWN = ("profile", "language", "theme", "sign-", "first-run", "view-as/")
OF_AUDITORS = frozenset({
    # what one hears of, oneself
    "about/<slug:kind>/<int:pk>/attention/", "api/v1/attention", "api/v1/notifications/read", "inbox/read/",
    "inbox/settings/", "api/v1/notifications/settings",
    "approvals/<int:pk>/seen",  # that one has looked, as with any record
    "line/preview/",  # shows what a line would mean, writes nothing
    "session",
    "about/<slug:kind>/<int:pk>/star/", "about/<slug:kind>/<int:pk>/seen/", "recent/forget/", "api/v1/favourites",
    "first-steps/", "api/v1/first-steps",  # one's own list
    "leave", "api/v1/leave",  # one's own days off
    "api/v1/keys", "audit/verify", "api/v1/journal/verify",
    "views/save/", "api/v1/views", "api/v1/views/first",  # how one looks at a list oneself
})  # fmt: skip
REFUSED = frozenset({"400", "401", "403", "404", "405", "422", TO_SIGN_IN})


@pytest.mark.rule("T01")
def test_who_only_reads_writes_nothing() -> None:
    through = [
        (route, method, actor, statuses)
        for route, method, actor, statuses in cells()
        if actor in ("auditor", "key-read") and method != "GET" and not route.startswith(OWN)
        and not (actor == "auditor" and route in OF_AUDITORS) and not set(statuses) <= REFUSED
    ]  # fmt: skip
    assert through == []
