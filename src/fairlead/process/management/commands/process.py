"""`fairlead process validate|publish|diff|replay FILE …` and `fairlead process export KEY …`.

`assignment show [KIND]` prints the rules by which new records take their process; `assignment set FILE` replaces them.

`migrate KEY` tries a plan for running records on earlier versions, and with --confirm carries it out.
`diff` says in words what a file changes against the published version; `export` prints a stored document; rooms
above bring further actions on files (see `tools`).

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
from fairlead.process import tools
from fairlead.process.definition import Definition
from fairlead.process.definitions import definition_of
from fairlead.process.differences import differences, is_same
from fairlead.process.enums import Mode
from fairlead.process.files import MAX_BYTES, UnreadableFile, read_yaml, write_yaml
from fairlead.process.migrating_command import run_migration
from fairlead.process.models import ProcessVersion
from fairlead.process.refusals import CannotPublish
from fairlead.process.services import publish, validate
from fairlead.process.services.assigning import rules_as_document, rules_in_document, set_rules


class Command(BaseCommand):
    as_json = False
    help = "Check, compare, try on history or publish process documents (YAML), or print a stored one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "action",
            choices=["validate", "publish", "diff", "export", "migrate", "assignment", *tools.actions()],
        )
        parser.add_argument(
            "files",
            nargs="+",
            metavar="FILE",
            help="for export: keys of processes; for assignment: show [KIND], or set FILE",
        )
        parser.add_argument(
            "--plan", metavar="FILE", help="migrate: mapping, groups, keep_after, grace_days (YAML)"
        )
        parser.add_argument(
            "--confirm", action="store_true", help="migrate: carry out the plan that was tried"
        )
        parser.add_argument("--undo", action="store_true", help="migrate: put back who has not moved since")
        parser.add_argument("--json", action="store_true", help="replay: the figures as JSON")
        parser.add_argument("--number", type=int, help="export: this version; without it the published one")
        parser.add_argument("--mode", choices=Mode.values, help="soft: gates flag; enforced: gates block")
        parser.add_argument(
            "--by", metavar="USERNAME", help="who publishes; without it the installation itself"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by = _person(options["by"])
        if options["action"] == "export":
            for key in options["files"]:
                self.stdout.write(write_yaml(_stored(key, options["number"]).document), ending="")
            return
        if options["action"] == "migrate":
            self._migrate(options, by)
            return
        if options["action"] == "assignment":
            self._assignment(options["files"], by)
            return
        self.as_json = options["json"]
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
        if action in tools.actions():
            self.stdout.write(tools.actions()[action](name, definition, self.as_json, self.stderr.write))
            return
        for warning in warnings:
            self.stdout.write(f"{name}: {warning.path}: {warning.message}")
        if action == "diff":
            self._diff(name, definition)
        elif action == "publish":
            version = publish(document, by=by, at=timezone.now(), channel=Channel.SYSTEM, mode=mode)
            self.stdout.write(f"{name}: {version} is published, {version.process.mode}.")
        else:
            stages, criteria = len(definition.stages), sum(1 for _ in definition.criteria())
            self.stdout.write(
                f"{name}: {definition.key} v{definition.version}: {stages} stages, {criteria} criteria."
            )

    def _migrate(self, options: dict[str, Any], by: User | None) -> None:
        """For each process: try the plan, and with --confirm carry it out, or with --undo take it back."""
        plan = _document(options["plan"]) if options["plan"] else {}
        for key in options["files"]:
            try:
                for line in run_migration(
                    key, plan, by=by, confirm=options["confirm"], undo=options["undo"], say=self.stderr.write
                ):
                    self.stdout.write(line)
            except Refusal as refusal:
                for problem in refusal.details.get("problems", ()):
                    self.stderr.write(f"{key}: {problem['path']}: {problem['message']}")
                self.stderr.write(f"{key}: {refusal}")
                sys.exit(1)

    def _assignment(self, given: list[str], by: User | None) -> None:
        """`show [KIND]` prints what `set FILE` reads: `kind`, and `rules` of `condition` and `process`."""
        match given:
            case ["show", *kinds] if len(kinds) <= 1:
                self.stdout.write(write_yaml(rules_as_document(*kinds or ["opportunity"])), ending="")
            case ["set", name]:
                try:
                    kind, rules = rules_in_document(_document(name))
                    set_rules(kind, rules, by=by, at=timezone.now(), channel=Channel.SYSTEM)
                except Refusal as refusal:
                    for error in refusal.details.get("errors", ()):
                        self.stderr.write(f"{name}: {error['field']}: {error['message']}")
                    self.stderr.write(f"{name}: {refusal}")
                    sys.exit(1)
                self.stdout.write(f"{name}: {len(rules)} rules for {kind}.")
            case _:
                raise CommandError("assignment show [KIND], or assignment set FILE", returncode=2)

    def _diff(self, name: str, definition: Definition) -> None:
        before = _stored(definition.key, None)
        changes = differences(definition_of(before), definition)
        self.stdout.write(f"{name}: {before} → v{definition.version}")
        signs = {"added": "+", "removed": "-", "changed": "~"}
        for change in changes:
            self.stdout.write(f"  {signs[change.sign]} {change.text}")
        if not changes:
            same = is_same(definition_of(before), definition)
            self.stdout.write("  Nothing differs." if same else "  Only guidance and words differ.")


def _stored(key: str, number: int | None) -> ProcessVersion:
    rows = ProcessVersion.objects.filter(process__key=key).select_related("process")
    found = (rows.filter(number=number) if number is not None else rows.published()).first()
    if found is None:
        which = "published version" if number is None else f"version {number}"
        raise CommandError(f"There is no {which} of a process “{key}”.", returncode=2)
    return found


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
