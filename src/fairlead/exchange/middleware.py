"""Nothing is changed in a demo company while it is being built (`demo.progress` says why)."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fairlead.common.errors import answer
from fairlead.common.refusals import Refusal

from .demo.progress import being_built

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: What concerns the person alone goes on.
OWN: Final = frozenset(
    {
        f"organisation:{name}"
        for name in (
            "sign_in", "sign_out", "second_step", "language", "theme", "change_password", "view_as", "end_view_as",
        )
    }
)  # fmt: skip
RETRY_SECONDS: Final = "20"


class DemoBeingBuilt(Refusal):
    code = "demo-being-built"
    status = 503
    default_message = gettext_lazy(
        "The demo company is still being built. Look around; changes can be made in a minute."
    )


class ExchangeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if request.method in SAFE or name in OWN or (done := being_built()) is None:
            return None
        said = _(
            "The demo company is still being built: %(done)s %%. Look around; changes can be made when it is complete."
        )
        response = answer(request, DemoBeingBuilt(said % {"done": done}, details={"done": done}))
        response.headers["Retry-After"] = RETRY_SECONDS
        return response
