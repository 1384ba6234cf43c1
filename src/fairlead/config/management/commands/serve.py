from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fairlead.config import environment, serve


class Command(BaseCommand):
    help = "Serve Fairlead over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        serve.arguments(parser, environment.read())

    def handle(self, *args: Any, **options: Any) -> None:
        serve.run(Namespace(**options), environment.read())
