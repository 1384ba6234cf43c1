"""`fairlead demo`: build the demo company, say who can sign in, or clear it away."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from fairlead.common import memory
from fairlead.exchange.demo import clearing
from fairlead.exchange.demo.company import Company, relax_durability
from fairlead.exchange.demo.people import PASSWORD, SIGN_INS
from fairlead.exchange.demo.progress import COMPLETE, Progress, file_of_demo, stage_of


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError("A date looks like 2026-01-31.") from error


def _scale(text: str) -> float:
    value = float(text)
    if not 0 < value <= 50:
        raise ArgumentTypeError("The scale is above 0 and at most 50.")
    return value


class Command(BaseCommand):
    help = "Build the demo company: two years of an invented industrial supplier, through all gates."
    # They look at every page and the whole API, which this has no use for: loading those takes a second.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--until", type=_date, metavar="DATE", help="the morning on which it ends (default: today)"
        )
        parser.add_argument("--scale", type=_scale, default=1.0, metavar="N", help="1 is 6,000 opportunities")
        parser.add_argument(
            "--seed", type=int, default=42, metavar="N", help="another seed, another company (42)"
        )
        parser.add_argument("--sign-ins", action="store_true", help="say who can sign in, and build nothing")
        parser.add_argument("--clear", action="store_true", help="empty a demo, and build nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["sign_ins"]:
            self._say_sign_ins()
            return
        memory.settle()
        progress_file = file_of_demo()
        if clearing.is_here():
            if not options["clear"] and stage_of(progress_file) == COMPLETE:
                self.stdout.write("The demo company is here. `fairlead demo --clear` empties it.")
                return
            try:
                clearing.clear()
            except clearing.NotADemo:
                raise CommandError(
                    "There are people or records here that are no samples: nothing was changed."
                ) from None
        if options["clear"]:
            progress_file.unlink(missing_ok=True)
            self.stdout.write("The demo company is gone.")
            return
        progress = Progress(progress_file, lambda line: self.stdout.write(line))
        until = options["until"] or timezone.localdate()
        began = time.monotonic()
        relax_durability()
        Company(seed=options["seed"], until=until, scale=options["scale"], report=progress.report).build()
        progress.complete()
        self.stdout.write(f"demo company  built in {time.monotonic() - began:.0f} s")

    def _say_sign_ins(self) -> None:
        self.stdout.write(f"  Sign in with the password {PASSWORD} as\n")
        for username, name, role in SIGN_INS:
            self.stdout.write(f"    {username:<10} {name}  {role.label}")
