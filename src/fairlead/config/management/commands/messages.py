import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fairlead.config import messages


class Command(BaseCommand):
    help = "Bring the catalogues up to the code (update), compile them, or check that no word is missing."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["update", "compile", "check"])
        parser.add_argument("rooms", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(messages.main([options["action"], *options["rooms"]]))
