"""Where in the designer one is, and the forms that stand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .designer_inputs import Inputs


@dataclass(frozen=True, slots=True)
class At:
    """Where in the designer one is: a part of the whole process or of a stage, and what is open there."""

    part: str
    stage: str = ""
    item: str = ""  # the key or number of what is being changed
    adding: str = ""  # the type of criterion, or "1"
    inner: str = ""  # what inside the item: the group that is added to

    @property
    def query(self) -> str:
        found = f"stage={self.stage}&part={self.part}" if self.stage else f"part={self.part}"
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of the page: which edit it sends, with what said already."""

    op: str
    inputs: Inputs
    said: Mapping[str, str] = field(default_factory=dict)
    submit: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    icon: str = "check"
    when: str = ""  # the heading of the condition `when`, which then stands open

    @property
    def plain(self) -> Inputs:
        return tuple(i for i in self.inputs if not i.name.startswith(_SENTENCES))

    @property
    def sentences(self) -> list[dict[str, Any]]:
        """The conditions of the form: heading, the first line, further lines, and whether anything stands in them."""
        headings = (
            _("What has to hold"),
            self.when or _("When this way is taken"),
            _("Only for some records"),
        )
        found = []
        for heading, start in zip(headings, _SENTENCES, strict=True):
            own = tuple(i for i in self.inputs if i.name.startswith(start))
            if own:
                said = [bool(i.value) for i in own if i.name.endswith(("-field", "-keep"))]
                wrong = [i.name in self.errors for i in own]
                found.append(
                    {
                        "heading": heading,
                        "first": own[:3],
                        "more": own[3:],
                        "is_open": any(said) or any(wrong[:3]) or start == "condition-" or bool(self.when),
                        "is_long": any(said[1:]) or any(wrong[3:]),
                    }
                )
        return found

    @property
    def summary(self) -> dict[str, str]:
        """Errors by the input that the summary leads to; of several boxes the first."""
        boxes = {i.name for i in self.inputs if i.kind == "checks"}
        return {f"{name}-1" if name in boxes else name: said for name, said in self.errors.items()}


_SENTENCES: Final = ("condition-", "when-", "applies_if-")


def name_words(piece: Mapping[str, Any], name: str = "name") -> str:
    words = piece.get(name)
    return pick(words) if isinstance(words, Mapping) and words else str(piece.get("key", "—"))


def other_language(name: Any) -> str:
    if not isinstance(name, Mapping):
        return ""
    return str(name.get("en" if (get_language() or "zh").startswith("zh") else "zh", ""))
