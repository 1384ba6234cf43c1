"""Reading a document piece by piece: each piece is checked, and what is wrong with it is noted with its path.

Whatever JSON stands there, a piece is answered with something harmless of the right type; the note is enough to
refuse the whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue
from fairlead.fields.conditions import Compiled, ConditionError, compile_tree

from .definition import Name, Trouble

KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
MAX_TEXT = 2000


class Reader:
    """The problems found so far, and the small parts that every document is made of."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.problems: list[Trouble] = []

    def bad(self, path: str, message: str, *, whole: bool = False) -> None:
        self.problems.append(Trouble(path, message, whole))

    def unknown(self, mapping: Mapping[Any, Any], known: set[str] | frozenset[str], path: str) -> None:
        for key in mapping:
            if key not in known:
                self.bad(f"{path}.{str(key)[:60]}".lstrip("."), _("Unknown key."))

    def is_mapping(self, item: Any, path: str) -> bool:
        if not isinstance(item, Mapping):
            self.bad(path, _("A mapping is expected."))
            return False
        return True

    def mapping(
        self, value: Any, path: str, known: set[str] | frozenset[str] | None = None
    ) -> Mapping[str, Any]:
        """A mapping, empty where nothing stands; with `known`, of these keys alone."""
        if value is None or not self.is_mapping(value, path):
            return {}
        if known is not None:
            self.unknown(value, known, path)
        found: Mapping[str, Any] = value
        return found

    def items(self, value: Any, path: str) -> Sequence[Any]:
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            self.bad(path, _("A list is expected."))
            return ()
        return value

    def key(self, value: Any, path: str) -> str:
        if not isinstance(value, str) or not KEY.fullmatch(value):
            self.bad(path, _("A key of small letters, digits and _ is expected."))
            return ""
        return value

    def keys(self, value: Any, path: str, known: Sequence[str], message: str) -> tuple[str, ...]:
        """One key or a list of them, all out of `known`; `message` tells of a stranger as %(key)s."""
        found = value if isinstance(value, (list, tuple)) else [value]
        for item in found:
            if item not in known:
                self.bad(path, message % {"key": str(item)[:40]})
        return tuple(item for item in found if isinstance(item, str))

    def text(self, value: Any, path: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            self.bad(path, _("A text is expected."))
            return ""
        return value

    def flag(self, value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            self.bad(path, _("true or false is expected."))
            return False
        return value

    def name(self, value: Any, path: str, *, needed: bool = True) -> Name:
        if value is None and not needed:
            return {}
        if (
            not isinstance(value, Mapping)
            or not value
            or set(value) - {"zh", "en"}
            or not all(isinstance(v, str) and v.strip() for v in value.values())
        ):
            self.bad(path, _("Words in zh and en are expected."))
            return {}
        if needed and set(value) != {"zh", "en"}:
            self.bad(path, _("The words are missing in one language."))
        return dict(value)

    def names(self, value: Any, path: str) -> tuple[Name, ...]:
        return tuple(self.name(v, f"{path}.{i}") for i, v in enumerate(self.items(value, path)))

    def number(self, value: Any, path: str, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.bad(
                path, _("A whole number from %(low)s to %(high)s is expected.") % {"low": low, "high": high}
            )
            return low
        return value

    def optional_number(self, value: Any, path: str, low: int, high: int) -> int | None:
        return None if value is None else self.number(value, path, low, high)

    def condition(self, tree: Any, path: str) -> Compiled | None:
        if tree is None:
            return None
        try:
            return compile_tree(tree, self.catalogue)
        except ConditionError as error:
            for problem in error.problems:
                self.bad(".".join(p for p in (path, problem.path) if p), problem.message)
            return None
