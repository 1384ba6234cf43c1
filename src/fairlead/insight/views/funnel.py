"""The funnel page, the rows behind its numbers, and its figures as CSV. NumPy is loaded when one is first asked for."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.pages import page

from ..questions import BadQuestion, Question


def _asked(request: HttpRequest) -> Any:
    from ..funnel.asked import ask
    from ..funnel.usual import with_usual_days

    user: Any = request.user
    return with_usual_days(ask(user, Question.read(request.GET), now=timezone.now()))


@access("funnel.view")
@require_safe
def funnel(request: HttpRequest) -> HttpResponse:
    from ..funnel.page import context

    return page(request, "insight/funnel.html", context(_asked(request)), block="content")


@access("funnel.view")
@require_safe
def funnel_rows(request: HttpRequest) -> HttpResponse:
    """The deals behind one number: as many as the number says, each one visible to the reader."""
    from ..funnel import words
    from ..funnel.rows import PER_PAGE, find, listed

    asked = _asked(request)
    cell = request.GET.get("cell", "")
    found = find(asked, cell)
    pages = Paginator(range(len(found)), PER_PAGE).get_page(_page_number(request))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "nav_at": "funnel",
        "asked": asked,
        "title": found.title,
        "count": len(found),
        "pages": pages,
        "rows": listed(asked, found, pages.number),
        "end": words.end,
        "back": asked.page_url(),
        "base_url": f"?{query.urlencode()}&page=",
        "too_many_words": None,
    }
    return page(request, "insight/funnel_rows.html", context, block="content")


@access("funnel.view")
@require_safe
def funnel_csv(request: HttpRequest) -> HttpResponse:
    """Every table of the page, with the question above them."""
    from ..funnel.page import context, table_csv

    asked = _asked(request)
    shown = context(asked)
    head = [
        [_("Process"), shown["process_name"]],
        [_("As of"), shown["as_of_day"].isoformat()],
        [shown["title"], shown["explanation"]],
        *([name, value] for name, value, _url in shown["chips"]),
        *([_("The series breaks"), day.isoformat(), said] for day, said in shown["breaks"]),
    ]
    tables = [shown["table"], shown["stay_table"], shown["ends_table"], shown["win_table"]]
    if shown["curve"]["enough"]:
        tables.append(shown["curve"]["table"])
    response = HttpResponse(table_csv(tables, head), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="funnel-{asked.process.key}.csv"'
    return response


def _page_number(request: HttpRequest) -> int:
    value = request.GET.get("page") or "1"
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise BadQuestion("page", _("A number is expected."))
    return int(value)
