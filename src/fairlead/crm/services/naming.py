"""What follows from the name of a record: by what it is found, and where it stands in lists."""

from __future__ import annotations

from typing import Any, Final

from fairlead.common.text import search_key
from fairlead.organisation.names import name_key, sound_key

from ..models import Account, Contact

#: Fields that hold a name.
NAMES: Final = frozenset({"name", "short_name"})


def make_findable(row: Any) -> set[str]:
    """A person's surname has a sound of its own; a company is read as words. The columns that it sets."""
    found_by = (row.name, getattr(row, "short_name", ""))
    row.search_key = search_key(" ".join(str(part) for part in found_by if part))[:900]
    if isinstance(row, Contact):
        row.name_key = name_key(row.name)
    elif isinstance(row, Account):
        row.name_key = sound_key(row.name)
    else:
        return {"search_key"}
    return {"search_key", "name_key"}
