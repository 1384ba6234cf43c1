"""How far the demo company is, on the strip that every page shows while it is being built."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.pages import page

from ..demo.progress import being_built


@access("signed-in")
@require_safe
def demo_progress(request: HttpRequest) -> HttpResponse:
    """The strip alone for a piece; it says so once when the company is complete."""
    return page(request, "exchange/demo.html", {"done": being_built()}, block="strip")
