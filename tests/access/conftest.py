"""The company of the permission tests is built once for each module; what a request does is taken back."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction
from django.test import override_settings
from tests.access.objects import Objects, build
from tests.access.walk import Walker
from tests.factories.crm import company
from tests.kit.actors import Actor, actors, add_people, clients

from fairlead.process import files


class World:
    """`actors` by name, `objects` by kind, `walker` that sends."""

    def __init__(self) -> None:
        self.where = company(language="en")
        add_people(self.where)
        self.objects: Objects = build(self.where)
        self.actors: dict[str, Actor] = actors(self.where)
        self.walker = Walker(self.objects, clients(self.actors, self.where))


@pytest.fixture(scope="module")
def world(django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    hosts = [*settings.ALLOWED_HOSTS, "testserver"]
    # What the test before has mailed is still there: the box is emptied for a test, and this comes before it.
    getattr(mail, "outbox", []).clear()
    with (
        django_db_blocker.unblock(),
        override_settings(ALLOWED_HOSTS=hosts),
        transaction.atomic(),
        patch.object(files, "write_yaml", _written_once()),
    ):
        yield World()
        transaction.set_rollback(True)


def _written_once() -> Callable[[Any], str]:
    """A process is the same text for all twenty who ask for it, and takes most of a second to be written."""
    write, texts = files.write_yaml, dict[str, str]()

    def said(document: Any) -> str:
        key = json.dumps(document)
        if key not in texts:
            texts[key] = write(document)
        return texts[key]

    return said
