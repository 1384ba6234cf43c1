"""A refusal is an anticipated no: it has a stable code and a message that a person can act on.

Anything else that is raised is a bug and reaches the error page and the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """Base of everything that Fairlead says no to.

    `message` names the row, the field and the mend, in the language of the reader (it may be lazy).
    `details` is for machines: plain JSON values without personal data of others.
    """

    code: str = "refused"
    status: int = 422
    #: The status for the API where it differs from the one of a page.
    api_status: int | None = None
    default_message: Any = _("This is not possible now.")

    def __init__(
        self, message: Any = None, *, details: Mapping[str, Any] | None = None, code: str = ""
    ) -> None:
        self.message = self.default_message if message is None else message
        self.details: dict[str, Any] = dict(details or {})
        if code:
            self.code = code
        super().__init__(self.message)

    def __str__(self) -> str:
        return str(self.message)

    def problem(self, request_id: str = "") -> dict[str, Any]:
        """The problem document of RFC 9457."""
        return {
            "type": f"urn:fairlead:{self.code}",
            "title": str(self.message),
            "status": self.api_status or self.status,
            "code": self.code,
            **self.details,
            **({"request_id": request_id} if request_id else {}),
        }


class NotPermitted(Refusal):
    """The actor may know that the thing is here, but has not the right to do this to it."""

    code = "not-permitted"
    status = 403
    default_message = _("You do not have the right to do this.")


class NotSignedIn(Refusal):
    code = "not-signed-in"
    status = 401
    default_message = _("Sign in first.")


class NotFound(Refusal):
    """The thing is not here, or not for this reader: both look the same."""

    code = "not-found"
    status = 404
    default_message = _("There is nothing at this address.")


class Stale(Refusal):
    """Somebody else was quicker. `details` says what changed."""

    code = "stale-version"
    status = 409
    api_status = 412
    default_message = _("Somebody else changed this meanwhile. Compare and save again.")


class PreconditionRequired(Refusal):
    code = "precondition-required"
    status = 428
    default_message = _("Say which version you change: send it in If-Match.")


class Invalid(Refusal):
    """Input that cannot be stored. `details["errors"]` is a list of {"field", "message"}."""

    code = "invalid"
    default_message = _("Some values cannot be accepted.")

    def __init__(
        self,
        message: Any = None,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        details: Mapping[str, Any] | None = None,
        code: str = "",
    ) -> None:
        listed = [{"field": str(e.get("field", "")), "message": str(e.get("message", ""))} for e in errors]
        if message is None and len(listed) == 1:
            message = listed[0]["message"]
        super().__init__(message, details={"errors": listed, **(details or {})}, code=code)

    @classmethod
    def field(cls, field: str, message: Any) -> "Invalid":
        return cls(message, errors=[{"field": field, "message": message}])
