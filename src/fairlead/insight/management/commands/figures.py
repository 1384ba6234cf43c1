"""`fairlead figures`: the figures of a pipeline on one line."""

import json
from argparse import ArgumentParser
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fairlead.organisation.models import Organisation
from fairlead.process.models import Process

from ...figures import figures


class Command(BaseCommand):
    help = "Print opportunities, accounts, people, won, lost, open, win rate, value won and days to close."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--process", default="", metavar="KEY", help="one process alone")
        parser.add_argument(
            "--as-of", default="", metavar="DATE", help="at the end of that day, such as 2017-12-31"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = figures(as_of=_instant(options["as_of"]), process_key=options["process"])
        except Process.DoesNotExist:
            raise CommandError(f"There is no process “{options['process']}”.") from None
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        width = max(map(len, found))
        for name, value in found.items():
            self.stdout.write(f"{name:<{width}}  {'—' if value is None else value}")


def _instant(text: str) -> datetime:
    if not text:
        return timezone.now()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"“{text}” is not a day. Write it as 2017-12-31.") from None
    return datetime.combine(day, time.max, ZoneInfo(Organisation.objects.current().time_zone))
