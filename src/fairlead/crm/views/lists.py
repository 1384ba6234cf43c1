"""Lists of records: filtered by sentences, sorted by named columns, exported as they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound
from fairlead.common.text import matches
from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.enums import NUMERIC, REFERENCE, Operator, operators_for

from .. import services
from ..forms.records import MODELS, find_reference, make_inputs
from ..lists import BadList, ListPage, chips_of, read_list
from ..selectors.references import target_of
from . import columns, exports
from .editing import PLURALS
from .list_rows import drawn_rows
from .list_views import Views
from .list_words import looked_words, sentence_of, stage_options
from .shared import notes

# The order in which operators are offered.
_OPERATORS = (
    Operator.EQ,
    Operator.NE,
    Operator.CONTAINS,
    Operator.GTE,
    Operator.LTE,
    Operator.GT,
    Operator.LT,
    Operator.WITHIN,
    Operator.OLDER_THAN,
    Operator.PRESENT,
    Operator.ABSENT,
)


def list_view(kind: str) -> Callable[..., HttpResponse | StreamingHttpResponse]:
    @access(f"{kind}.view")
    @require_safe
    def listed(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        new_url = ""
        user: Any = request.user
        if user.may(services.KINDS[kind].create_right):
            new_url = reverse("crm:new_deal" if kind == "opportunity" else f"crm:{kind}_new")
        return list_page(
            request, kind, url=reverse(f"crm:{PLURALS[kind]}"), new_url=new_url, nav_at=PLURALS[kind]
        )

    return listed


def list_page(
    request: HttpRequest, kind: str, *, url: str, new_url: str, nav_at: str
) -> HttpResponse | StreamingHttpResponse:
    """The answer for one list; rooms above use it for theirs."""
    user: Any = request.user
    found = read_list(kind, request.GET, user=user, at=timezone.now(), url=url)
    if (wanted := request.GET.get("export", "")) in exports.FORMATS:
        return exports.export(request, found, wanted)
    views = Views.of(request, found)
    if leads_to := views.leads_to or columns.chosen(request, found):
        return HttpResponseRedirect(leads_to)
    adding = _adding(request, found)
    if isinstance(adding, HttpResponse):
        return adding
    record = records.record_type(kind)
    shown = found.page()
    many_url = _many_url(kind, user)
    context = {
        "nav_at": nav_at,
        "kind": kind,
        "title": localized(record.plural),
        "found": found,
        "page": shown,
        "rows": drawn_rows(
            found,
            list(shown),
            record,
            boxes="choose" if many_url else "",
            ticked=request.GET.get("tick") == "page",
        ),
        "many_url": many_url,
        "ticked": request.GET.get("tick") == "page",
        "tick_url": found.address(tick="page", page=shown.number if shown.number > 1 else ""),
        "untick_url": found.address(page=shown.number if shown.number > 1 else ""),
        "chips": chips_of(found, sentence_of(found)),
        "columns": [_column(found, c) for c in found.columns],
        "adding": adding,
        "new_url": new_url,
        "filterable": tuple(found.names.items()),
        "notes": notes(request),
        "clear_url": found.address(q="", filter=""),
        "exports": exports.choices(found),
        "page_url": _page_url(found),
        "sorts": _sorts(found),
        "looked": looked_words(limit) if (limit := found.looks_no_further) else "",
        "views": views,
        "choosing": columns.context(request, found),
    }
    return page(request, "crm/list.html", context, block=_piece(request))


def _many_url(kind: str, user: Any) -> str:
    """Where many are changed, for whoever may change some."""
    spec = services.KINDS.get(kind)
    rights = (spec.edit_right, spec.reassign_right) if spec is not None else ()
    return reverse(f"crm:{kind}_many") if any(user.may(right) for right in rights) else ""


def _piece(request: HttpRequest) -> str | None:
    target = getattr(getattr(request, "htmx", None), "target", None)
    return "adding" if target == "adding-rest" else None


def _page_url(found: ListPage) -> str:
    url = found.address()
    return f"{url}{'&' if '?' in url else '?'}page="


def _sorts(found: ListPage) -> list[dict[str, Any]]:
    names = {"created": _("Created")}
    return [
        {
            "text": found.names.get(n) or names.get(n, n),
            "url": found.sort_url(n),
            "state": found.sorted_by(n),
        }
        for n in found.kind.sorts
    ]


def _column(found: ListPage, spec: FieldSpec) -> dict[str, Any]:
    can = spec.key in found.kind.sorts
    return {
        "label": found.names[spec.key],
        "num": spec.type in NUMERIC,
        "sort_url": found.sort_url(spec.key) if can else "",
        "sort": found.sorted_by(spec.key) if can else "",
    }


# --- conditions ---


def _adding(request: HttpRequest, found: ListPage) -> dict[str, Any] | HttpResponse:
    """The form that adds a condition: first the field, then what is asked of it. A complete one leads on to
    the list that it makes."""
    key = request.GET.get("field", "")
    context: dict[str, Any] = {"field": "", "operators": [], "input": None, "op": "", "error": ""}
    if not key:
        return context
    spec = found.fields.get(key)
    if spec is None:
        raise BadList(_("There is no field “%(field)s”.") % {"field": key[:60]})
    allowed = operators_for(spec.type)
    context["field"] = key
    context["operators"] = [(o.value, str(o.label)) for o in _OPERATORS if o in allowed]
    op = request.GET.get("op", "")
    context["op"] = op if op in dict(context["operators"]) else ""
    context["input"] = _condition_input(spec, found)
    if not context["op"]:
        return context
    part: dict[str, Any] = {"field": key, "op": op}
    values = [v for v in request.GET.getlist("value") if v.strip()]
    if op not in (Operator.PRESENT, Operator.ABSENT):
        if not values:
            context["error"] = _("A value is expected.")
            return context
        part["value"] = _record_id(spec, values[0], found) if spec.type in REFERENCE else values[0]
    url = found.with_part(part)
    try:
        read_list(found.kind.kind, _params(url), user=found.user, at=found.at, url=found.url)
    except BadList as refusal:
        context["error"] = str(refusal.message)
        return context
    if getattr(request, "htmx", False):
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = url
        return response
    return HttpResponseRedirect(url)


def _params(url: str) -> Mapping[str, str]:
    return QueryDict(url.partition("?")[2])


def _record_id(spec: FieldSpec, text: str, found: ListPage) -> Any:
    try:
        return find_reference(target_of(spec), text, found.user)
    except Invalid as refusal:
        raise BadList(refusal.message) from None


def _condition_input(spec: FieldSpec, found: ListPage) -> Any:
    one = make_inputs([spec], {}, found.user)[0]
    one.attrs = {k: v for k, v in one.attrs.items() if k != "required"}
    if spec.key == "stage":
        one.type, one.options = "select", list(stage_options().items())
    elif one.type in ("choices", "textarea"):
        one.type = "select" if one.options else "text"
    return one


# --- searching while typing ---


@access("signed-in")
@require_safe
def pick_record(request: HttpRequest, kind: str) -> HttpResponse:
    """Options for a field that names a record: those that the person sees and that fit what was typed."""
    user: Any = request.user
    if kind not in MODELS or not user.may(f"{kind}.view"):
        raise NotFound
    text = str(next((v for k, v in request.GET.items() if k != "csrfmiddlewaretoken"), ""))[:100]
    key = matches(text)
    rows = MODELS[kind].objects.visible_to(user)
    found = (
        list(rows.filter(search_key__contains=key).order_by("name", "pk").values_list("pk", "name")[:12])
        if key
        else []
    )
    return page(
        request, "crm/options.html", {"options": [f"{name} #{pk}" for pk, name in found]}, block="options"
    )
