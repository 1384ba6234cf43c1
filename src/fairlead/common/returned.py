"""A small form that was refused comes back where it stood: what was typed, and what is wrong with it.

    except Invalid as refusal:
        return _page(request, pk, returned=Returned.of("milestone", request.POST, refusal))

The template asks for each input, and puts the summary on top of the form:

    {{ error_list(returned.links("milestone", "ms-")) }}
    {{ plain_field("name", …, returned.value("milestone", "name"), error=returned.error("milestone", "name"), id="ms-name") }}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .refusals import Refusal


@dataclass(frozen=True, slots=True)
class Returned:
    """`form` tells the forms of one page apart; without one, nothing has been refused."""

    form: str = ""
    typed: Mapping[str, Any] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    @classmethod
    def of(cls, form: str, typed: Mapping[str, Any], refusal: Refusal) -> Returned:
        return cls(form, typed, errors_of(refusal), refusal.status)

    def is_of(self, form: str) -> bool:
        return self.form == form

    def value(self, form: str, name: str, otherwise: Any = "") -> Any:
        """What was typed there, or what the form begins with."""
        return self.typed.get(name, "") if self.form == form else otherwise

    def error(self, form: str, *names: str) -> str | None:
        """The first of the messages under these names: of the input, and of what its value is called further in."""
        if self.form != form:
            return None
        return next((self.errors[name] for name in names if self.errors.get(name)), None)

    def links(self, form: str, before: str = "f-", after: str = "") -> list[dict[str, str]]:
        """For the summary: each message, leading to its input where the form has one of that name."""
        if self.form != form:
            return []
        return [
            {"field": f"{before}{name}{after}" if name in self.typed else "", "message": message}
            for name, message in self.errors.items()
        ]


def errors_of(refusal: Refusal) -> dict[str, str]:
    """The messages by field; what belongs to none stands under the empty name."""
    found: dict[str, str] = {}
    for error in refusal.details.get("errors", []):
        name = str(error.get("field", ""))
        found[name] = f"{found[name]} {error['message']}" if name in found else str(error["message"])
    return found or {"": str(refusal.message)}


NOTHING: Final = Returned()
