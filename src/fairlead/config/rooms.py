"""The rooms from the ground up. A room imports only rooms that stand before it in this list."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent

ROOMS = (
    "common", "journal", "organisation", "fields", "work", "process", "crm", "offers", "analytics", "insight",
    "exchange", "web", "config",
)  # fmt: skip

#: Rooms with models, pages or commands. `analytics` is plain Python; `config` stands above all apps.
APPS = tuple(room for room in ROOMS if room != "analytics")


def module_of(room: str, name: str) -> str | None:
    """The dotted name of a module inside a room, or None where the room has no such module."""
    dotted = f"fairlead.{room}.{name}"
    return dotted if find_spec(dotted) else None
