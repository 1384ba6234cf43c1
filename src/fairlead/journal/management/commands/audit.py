"""`fairlead audit seal` and `fairlead audit verify [--expect HEAD] [--json]`.

The worker seals by itself; `seal` does so at once. `verify` reads the whole journal again and names the first row that
was altered, taken out or slipped in. Note the head that it prints somewhere else and give it to `--expect` later: then
a chain that was cut short and sealed anew is found too.

Exit codes: 0 all holds, 1 something does not.
"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from fairlead.journal.enums import Channel, Fault
from fairlead.journal.models import SealCheck
from fairlead.journal.sealing import check, seal_all


class Command(BaseCommand):
    help = "Seal the journal, or read it again and name the first row that does not fit its seal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["seal", "verify"])
        parser.add_argument("--expect", metavar="HEAD", default="", help="a head noted before")
        parser.add_argument("--json", action="store_true", help="what was found as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "seal":
            self.stdout.write(f"{seal_all(at=timezone.now())} events sealed.")
            return
        found = check(by=None, at=timezone.now(), channel=Channel.SYSTEM, expected=options["expect"])
        if options["json"]:
            names = ("events", "seals", "unsealed", "head", "fault", "seal_id", "event_id")
            self.stdout.write(json.dumps({"sound": found.sound} | {n: getattr(found, n) for n in names}))
        else:
            self._say(found)
        if not found.sound:
            sys.exit(1)

    def _say(self, found: SealCheck) -> None:
        self.stdout.write(
            f"Read: {found.seals} seals over {found.events} events, {found.unsealed} not sealed yet."
        )
        if found.sound:
            self.stdout.write(f"All of it holds. Head of the chain: {found.head or '(nothing sealed)'}")
            return
        where = f"event {found.event_id}" if found.event_id else f"seal {found.seal_id}"
        if found.fault == Fault.OTHER_HEAD:
            where = "the chain"
        self.stderr.write(f"First fault: {where}: {found.fault}")
