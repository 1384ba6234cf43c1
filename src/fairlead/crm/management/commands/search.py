"""`fairlead search check` and `fairlead search rebuild`.

The index of the search is kept with every change. This is for whoever has changed names, owners or teams past the
program. Exit codes: 0 all is well, 1 entries differ from their records.
"""

import sys
from argparse import ArgumentParser
from itertools import islice
from typing import Any, Final

from django.core.management.base import BaseCommand

from fairlead.crm.search_index import has_index
from fairlead.crm.services.indexing import differences, rebuild

SHOWN: Final = 20


class Command(BaseCommand):
    help = "Compare the index of the search with the records, or make it anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["check", "rebuild"])

    def handle(self, *args: Any, **options: Any) -> None:
        if not has_index():
            self.stdout.write("This SQLite was built without FTS5: the search reads all names.")
        elif options["action"] == "rebuild":
            self.stdout.write(f"{rebuild()} records can be found.")
        elif found := list(islice(differences(), SHOWN + 1)):
            for kind, pk in found[:SHOWN]:
                self.stderr.write(f"{kind} {pk}")
            more = " and more" if len(found) > SHOWN else ""
            self.stderr.write(f"These{more} differ from the index. Run: fairlead search rebuild")
            sys.exit(1)
        else:
            self.stdout.write("The index holds what the records say.")
