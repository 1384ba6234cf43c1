"""What one request wrote into the journal, for the undo that its answer offers."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from .services import listening


class JournalMiddleware:
    """`request.acts`: the events of this request so far, in their order. Reading ones have none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return self.get_response(request)
        with listening() as heard:
            request.acts = heard  # type: ignore[attr-defined]
            return self.get_response(request)
