"""`fairlead process validate FILE …` and `fairlead process publish FILE …`.

Exit codes: 0 all good, 1 a document has problems, 2 a file cannot be read or the call is wrong.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fairlead.common.refusals import Refusal
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User
from fairlead.process.enums import Mode
from fairlead.process.files import MAX_BYTES, UnreadableFile, read_yaml
from fairlead.process.refusals import CannotPublish
from fairlead.process.services import publish, validate


class Command(BaseCommand):
    help = "Check process documents (YAML), or publish them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["validate", "publish"])
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--mode", choices=Mode.values, help="soft: gates flag; enforced: gates block")
        parser.add_argument(
            "--by", metavar="USERNAME", help="who publishes; without it the installation itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = _person(options["by"])
        documents = [(name, _document(name)) for name in options["files"]]
        failed = False
        for name, document in documents:
            try:
                self._one(name, document, options["action"], options["mode"], by)
            except CannotPublish as refusal:
                failed = True
                for problem in refusal.details["problems"]:
                    self.stderr.write(f"{name}: {problem['path'] or '(document)'}: {problem['message']}")
            except Refusal as refusal:
                failed = True
                self.stderr.write(f"{name}: {refusal}")
        if failed:
            sys.exit(1)

    def _one(self, name: str, document: Any, action: str, mode: str | None, by: User | None) -> None:
        definition, warnings = validate(document)
        for warning in warnings:
            self.stdout.write(f"{name}: {warning.path}: {warning.message}")
        if action == "publish":
            version = publish(document, by=by, at=timezone.now(), channel=Channel.SYSTEM, mode=mode)
            self.stdout.write(f"{name}: {version} is published, {version.process.mode}.")
        else:
            stages, criteria = len(definition.stages), sum(1 for _ in definition.criteria())
            self.stdout.write(
                f"{name}: {definition.key} v{definition.version}: {stages} stages, {criteria} criteria."
            )


def _document(name: str) -> Any:
    try:
        with Path(name).open("rb") as file:
            return read_yaml(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}", returncode=2) from None
    except UnreadableFile as error:
        raise CommandError(f"{name}: {error}", returncode=2) from None


def _person(username: str | None) -> User | None:
    if username is None:
        return None
    found = User.objects.active().filter(username=username.casefold()).first()
    if found is None:
        raise CommandError(f"There is nobody with the user name “{username}”.", returncode=2)
    return found
