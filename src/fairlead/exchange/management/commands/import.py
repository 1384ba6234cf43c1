# ruff: noqa: N999 - the command is called so
from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common import memory
from fairlead.common.refusals import Refusal
from fairlead.exchange.models import ImportRun
from fairlead.exchange.services import directories, salesforce
from fairlead.organisation.models import User


class Command(BaseCommand):
    help = "Bring in a directory of files: one with an import.yaml, or an export of another CRM. Or undo an import."
    # They look at every page and the whole API, which this has no use for: loading those takes a second.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", type=Path, help="directory with the files")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="the day that counts as today (YYYY-MM-DD)"
        )
        parser.add_argument("--process", default="", help="key of the process that opportunities set out on")
        parser.add_argument(
            "--by", default="", metavar="USERNAME", help="in whose name; default: the installation itself"
        )
        parser.add_argument(
            "--yes", action="store_true", help="bring in good rows although others have errors"
        )
        parser.add_argument(
            "--undo", type=int, metavar="RUN", help="undo this import, and what came in with it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        memory.settle()
        at = timezone.now()
        by = self._person(options["by"])
        try:
            if options["undo"] is not None:
                self._undo(options["undo"], by, at)
            elif options["path"] is not None:
                self._import(options["path"], by, at, options)
            else:
                raise CommandError(_("Name a directory, or --undo with the number of an import."))
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _person(self, username: str) -> User | None:
        if not username:
            return None
        found = User.objects.filter(username=username.casefold(), is_active=True).first()
        if found is None:
            raise CommandError(_("There is no person with the user name %(name)s.") % {"name": username})
        return found

    def _import(self, path: Path, by: User | None, at: Any, options: dict[str, Any]) -> None:
        if not path.is_dir():
            raise CommandError(_("%(path)s is not a directory.") % {"path": path})
        if (path / directories.MANIFEST).is_file():
            bundle = directories.read_manifest(path)
        else:
            bundle = salesforce.recognise(path, process_key=options["process"])
        runs = directories.bring_in(
            bundle,
            by=by,
            at=at,
            as_of=options["as_of"],
            say=self._say,
            process_key=options["process"],
            skip_errors=options["yes"],
        )
        for run in runs:
            self._report(run)
        for column in bundle.left_out:
            self._say(_("Left out: %(column)s") % {"column": column})
        self._say(_("Undo all of it: fairlead import --undo %(number)s") % {"number": runs[0].pk})
        if not User.objects.filter(role_assignments__role="ADMIN", is_active=True).exists():
            self._say(_("Nobody can sign in yet: open the first page to make the administrator."))

    def _undo(self, number: int, by: User | None, at: Any) -> None:
        for run in directories.take_back(number, by=by, at=at):
            self._say(
                _("%(file)s: %(undone)s undone, %(kept)s kept")
                % {
                    "file": run.file_name,
                    "undone": run.counts.get("undone", 0),
                    "kept": run.counts.get("kept", 0),
                }
            )
            for row in run.rows.filter(state="kept").order_by("number")[:20]:
                self._say(_("  row %(row)s is kept") % {"row": row.number})

    def _report(self, run: ImportRun) -> None:
        seconds = (
            (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
        )
        done = run.counts.get("done", {})
        self._say(
            _(
                "%(number)s  %(file)s: %(new)s created, %(updated)s updated, %(moved)s moved, "
                "%(refused)s refused (%(seconds).1f s)"
            )
            % {
                "number": run.pk,
                "file": run.file_name,
                "new": done.get("created", 0),
                "updated": done.get("updated", 0),
                "moved": done.get("moved", 0),
                "refused": done.get("refused", 0),
                "seconds": seconds,
            }
        )
        for group in run.findings.get("problems", []):
            self._say(f"    {group['count']:>6}  {directories.in_words(group)}")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
