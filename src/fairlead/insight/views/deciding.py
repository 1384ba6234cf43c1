"""How the approvals of a process are decided (AP-15): a part of its page, and a page of its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.process.approval_words import kind_name
from fairlead.process.definitions import definition_of
from fairlead.process.models import Process, ProcessVersion


@access("funnel.view")
@require_safe
def deciding(request: HttpRequest, key: str) -> HttpResponse:
    from ..deciding import figures_of  # NumPy loads with the question

    process = get_object_or_404(Process, key=key)
    version = ProcessVersion.objects.published().filter(process=process).first()
    if version is None:
        raise NotFound
    definition = definition_of(version)
    rows = []
    for one in figures_of(key, reader=request.user, at=timezone.now()):
        time = one.figures.time
        rows.append(
            {
                "name": kind_name(definition, one.kind),
                "n": time.n,
                "enough": time.enough,
                "median": _hours(time.median),
                "p90": _hours(time.p90),
                "rates": [
                    _rate(r)
                    for r in (one.figures.auto, one.figures.again, one.figures.approved, one.figures.stamped)
                ],
                "left_out": one.left_out,
            }
        )
    context = {"nav_at": "processes", "process": process, "name": localized(process.name), "rows": rows}
    htmx: Any = getattr(request, "htmx", None)
    return page(request, "insight/deciding.html", context, block="deciding" if htmx else None)


def _hours(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"


def _rate(rate: Any) -> dict[str, str]:
    if rate.value is None:
        return {"rate": "—", "span": "", "n": ""}
    n = f"{rate.k:.0f} / {rate.n:.0f}"
    if not rate.enough:
        return {"rate": _("too few"), "span": "", "n": n}
    return {
        "rate": f"{100 * rate.value:.0f}%",
        "span": f"{100 * rate.low:.0f}–{100 * rate.high:.0f}",
        "n": n,
    }
