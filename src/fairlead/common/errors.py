"""Error pages, the same answer for a page, a piece of one and a call of the API."""

import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from fairlead.common.pages import page
from fairlead.common.refusals import NotFound, NotPermitted, NotSignedIn, Refusal

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"


class BadRequest(Refusal):
    code = "bad-request"
    status = 400


class Broken(Refusal):
    code = "server-error"
    status = 500


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith(API_PREFIX)


def answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Turn a refusal into a page, a fragment or a problem document."""
    request_id = getattr(request, "request_id", "")
    if is_api(request):
        return problem(refusal, request_id)
    if isinstance(refusal, NotSignedIn):
        return to_sign_in(request)
    context = {"refusal": refusal, "status": refusal.status, "request_id": request_id}
    try:
        return page(request, _template(request, refusal), context, block="refusal", status=refusal.status)
    except TemplateDoesNotExist:
        return bare(refusal)


def problem(refusal: Refusal, request_id: str = "") -> JsonResponse:
    document = refusal.problem(request_id)
    return JsonResponse(
        document, status=document["status"], content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )  # fmt: skip


def bare(refusal: Refusal) -> HttpResponse:
    """An answer that needs no template, no database and no person."""
    text = escape(str(refusal.message))
    return HttpResponse(
        '<!doctype html><meta charset="utf-8"><title>Fairlead</title>'
        f'<h1>{text}</h1><p><a href="/">Fairlead</a></p>',
        status=refusal.status,
    )


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send a guest to the sign-in page and back again; a card of a page must not swallow that page."""
    htmx: Any = getattr(request, "htmx", None)
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    if htmx:
        here = htmx.current_url_abs_path or "/"
    address = resolve_url(settings.LOGIN_URL) + ("" if here == "/" else f"?{urlencode({'next': here})}")
    if htmx:
        response = HttpResponse(status=401)
        response.headers["HX-Redirect"] = address
        return response
    return HttpResponseRedirect(address)


def _template(request: HttpRequest, refusal: Refusal) -> str:
    if getattr(request, "htmx", None):
        return "common/refusal.html"
    return {403: "common/403.html", 404: "common/404.html", 500: "common/500.html"}.get(
        refusal.status, "common/refusal.html"
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, BadRequest(_("The request could not be read.")))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, exception if isinstance(exception, Refusal) else NotPermitted())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    refusal = Broken(_("Something broke on our side. Nothing was saved."))
    try:
        return answer(request, refusal)
    except Exception:  # the page itself may be what broke
        logger.exception("errors.page_failed")
        return bare(refusal)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request,
        NotPermitted(_("This form is too old. Reload the page and send it again."), code="csrf-failed"),
    )
