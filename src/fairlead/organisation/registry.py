"""What rooms above add to the room `organisation`, which knows none of them."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fairlead.organisation.models import Organisation, User

CalendarHook = Callable[[], object]
SetUpStep = Callable[["Organisation", "User", datetime], None]

#: Called in the transaction of the first run with the organisation, its first administrator and the instant:
#: the room of processes publishes the chosen template here.
SET_UP_STEPS: Final[list[SetUpStep]] = []

#: What a new installation may begin with, beside nothing: its key → words, and the name of the route that follows.
FIRST_DATA: Final[dict[str, tuple[object, str]]] = {}

#: Whether people are about to come by themselves, as those of a demo company do: then nobody is asked to set it up.
PEOPLE_ARE_COMING: Final[list[Callable[[], bool]]] = []

#: The stages of a template of processes, in words: for the choice between them.
STAGES_OF_TEMPLATE: Final[list[Callable[[str], list[str]]]] = []

#: Pages that are their owner's alone, by the names of their routes: not shown to whoever looks as another person.
PRIVATE_PAGES: Final[set[str]] = set()

#: Called after the commit of a change to a working calendar: what counts time by it computes anew.
CALENDAR_CHANGED: Final[list[CalendarHook]] = []
