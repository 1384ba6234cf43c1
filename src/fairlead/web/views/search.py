"""One box over all records, and the same box as a palette that goes, finds and does."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.web.selectors.finding import LONGEST, Hits, find, pieces
from fairlead.web.selectors.palette import ICONS, TITLES, about, offered, record_url


@access("signed-in")
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Opportunities, accounts and contacts that the reader sees, with what matched marked."""
    user: Any = request.user
    text = request.GET.get("q", "")[:LONGEST].strip()
    found = find(user, text)
    context = {
        "q": text, "groups": [_group(hits, text) for hits in found if hits.rows], "asked": bool(found),
        "longest": LONGEST, "near": any(hits.near for hits in found),
    }  # fmt: skip
    return page(request, "web/search.html", context, block="results")


@access("signed-in")
@require_safe
@never_cache
def palette(request: HttpRequest) -> HttpResponse:
    """What the box at the top offers for `q`, typed on the page `at`: a piece of a page; alone, the search page."""
    user: Any = request.user
    text = request.GET.get("q", "")[:LONGEST]
    if not request.headers.get("HX-Request"):
        return redirect(reverse("web:search") + "?" + urlencode({"q": text}))
    sections = offered(user, text, path=request.GET.get("at", "")[:200])
    return render(request, "web/palette.html", {"sections": sections, "q": text.strip()})


def _group(hits: Hits, text: str) -> dict[str, Any]:
    return {
        "kind": hits.kind, "title": TITLES[hits.kind], "icon": ICONS[hits.kind], "more": hits.more,
        "rows": [
            {
                "pieces": pieces(row.name, text), "url": record_url(hits.kind, row),
                "about": " · ".join(filter(None, about(hits.kind, row))),
            }
            for row in hits.rows
        ],
    }  # fmt: skip
