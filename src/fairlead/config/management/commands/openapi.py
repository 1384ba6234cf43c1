"""`fairlead openapi`: the document of the API, as it is committed in docs/api/openapi.json."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fairlead.config import document


class Command(BaseCommand):
    help = "Write the OpenAPI document of the API, or check that a file holds it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", metavar="FILE", help="write to a file instead of the screen")
        parser.add_argument("--check", metavar="FILE", help="end with 1 when the file holds another document")

    def handle(self, *args: Any, **options: Any) -> None:
        text = document.text()
        if options["check"]:
            sys.exit(0 if Path(options["check"]).read_text(encoding="utf-8") == text else 1)
        if options["output"]:
            Path(options["output"]).write_text(text, encoding="utf-8", newline="\n")
        else:
            self.stdout.write(text, ending="")
