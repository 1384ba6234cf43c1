"""Answering with a page, or with the one piece of it that HTMX asked for."""

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.utils.encoding import iri_to_uri
from django.utils.functional import SimpleLazyObject
from markupsafe import Markup

_INPUT = Markup('<input type="hidden" name="csrfmiddlewaretoken" value="{}">')


def page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    block: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the whole page or, for HTMX with `block`, that Jinja block alone.

    A boosted or restored navigation gets the whole page: there is nothing around the block yet.
    """
    htmx: Any = getattr(request, "htmx", None)
    alone = bool(block and htmx and not htmx.boosted and not htmx.history_restore_request)
    text = render(request, template, context, block=block if alone else None)
    response = HttpResponse(text, status=status)
    response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary", ""), "HX-Request"]))
    return response


def render(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, *, block: str | None = None
) -> str:
    """The text of a template, or of one of its blocks."""
    compiled = engines["jinja2"].get_template(template).template  # type: ignore[attr-defined]
    # Made where a page has a form, and once for all forms of the page: each making draws 32 random letters.
    token = SimpleLazyObject(lambda: get_token(request))
    values: dict[str, Any] = {
        "request": request,
        "user": getattr(request, "user", None),
        "csrf_input": SimpleLazyObject(lambda: _INPUT.format(token)),
        "csrf_token": token,
        **(context or {}),
    }
    if block is None:
        return str(compiled.render(values))
    inner = compiled.new_context(values)
    # Imports and assignments at the top of the page belong to its blocks too. They run before the first piece
    # of output, and so does the joining of the parents' blocks; the rest of the page is never rendered.
    next(iter(compiled.root_render_func(inner)), None)
    return "".join(inner.blocks[block][0](inner))


def toast(response: HttpResponse, text: Any, undo_url: str | None = None, kind: str = "info") -> HttpResponse:
    """Have the page show a short note after this answer; taking it back posts to `undo_url`."""
    note = {"text": str(text), "kind": kind, **({"undo": iri_to_uri(undo_url)} if undo_url else {})}
    return trigger(response, "toast", note)


def trigger(response: HttpResponse, event: str, value: Any = None) -> HttpResponse:
    """Announce a change to the other pieces of the page (`HX-Trigger`)."""
    events: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    events[event] = value
    response.headers["HX-Trigger"] = json.dumps(events, ensure_ascii=True)
    return response


def ensure_csrf(request: HttpRequest) -> None:
    """Set the CSRF cookie even where the page has no form of its own."""
    get_token(request)
