"""Two addresses for whoever watches the house from outside."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from fairlead.common.access import access


@access("public")
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing else, so that a slow database does not get the process killed."""
    return HttpResponse("ok", content_type="text/plain")


@access("public")
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process may get visitors: its database answers. Says nothing about what is wrong."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("not ready", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")
