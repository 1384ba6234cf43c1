"""Clean-up days: one's own dead deals, chosen and closed at once, without a mark against anybody."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.process.enums import ClockKind

from ..models import Opportunity
from ..selectors.amnesty import MOST, CleanUp, clean_up, dead_deals, reasons_for
from ..services.amnesty import NoCleanUpDays, close_dead_deals
from .shared import go, notes


@access("opportunity.move")
@require_http_methods(["GET", "HEAD", "POST"])
def clean_up_days(request: HttpRequest) -> HttpResponse:
    """The proposals with their reasons; POST closes those chosen and says what became of each."""
    user: Any = request.user
    at = timezone.now()
    errors: dict[str, str] = {}
    refused: list[tuple[int, str]] = []
    status = 200
    if request.method == "POST":
        try:
            done = close_dead_deals(
                _ids(request), reason=request.POST.get("reason", "")[:60],
                comment=clean_text(request.POST.get("comment", ""), limit=2000, multiline=True, field="comment"),
                by=user, at=at, channel=Channel.UI,
            )  # fmt: skip
            refused = list(done.refused)
            if not refused:
                n = len(done.closed)
                text = ngettext("%(n)s deal closed", "%(n)s deals closed", n) % {"n": n}
                return go(request, reverse("crm:clean_up"), text)
            status = 422
        except Invalid as refusal:
            errors = {e["field"]: str(e["message"]) for e in refusal.details["errors"]}
            status = refusal.status
        except NoCleanUpDays as refusal:
            errors, status = {"": str(refusal)}, refusal.status
    days = clean_up(at=at)
    deals = list(dead_deals(user, days, at=at)[:MOST])
    names = dict(
        Opportunity.objects.visible_to(user)
        .filter(pk__in=[pk for pk, _why in refused])
        .values_list("pk", "name")
    )
    context = {
        "nav_at": "opportunities",
        "days": days,
        "window": [date_format(day, "DATE_FORMAT") for day in (days.window.first, days.window.last)] if days.window else None,
        "groups": _groups(deals, days, at),
        "count": len(deals),
        "errors": errors,
        "refused": [(names.get(pk, "—"), why) for pk, why in refused],
        "chosen": set(_ids(request)) if errors else set(),
        "notes": notes(request),
    }  # fmt: skip
    return page(request, "crm/clean_up.html", context, block="content", status=status)


def _ids(request: HttpRequest) -> list[int]:
    texts = request.POST.getlist("id")[: MOST + 1]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


def _groups(deals: list[Opportunity], days: CleanUp, at: Any) -> list[dict[str, Any]]:
    """One form a process, for each has reasons of its own."""

    def process(deal: Any) -> str:
        return str(deal.journey.process_key)

    found = []
    for key, group in groupby(sorted(deals, key=process), key=process):
        rows: list[Any] = list(group)
        newest = max((row.journey.process_version for row in rows), key=lambda version: version.number)
        definition, reasons = reasons_for(newest)
        found.append(
            {
                "key": key,
                "name": pick(definition.name),
                "reasons": [(one.key, pick(one.name)) for one in reasons],
                "rows": [_row(row, days, at) for row in rows],
            }
        )
    return found


def _row(deal: Any, days: CleanUp, at: Any) -> dict[str, Any]:
    quiet = (at - deal.quiet_since).days
    why = [ngettext("quiet for %(n)s day", "quiet for %(n)s days", quiet) % {"n": quiet}]
    if deal.expected_close_date and deal.expected_close_date < days.today:
        late = (days.today - deal.expected_close_date).days
        why.append(ngettext("close date %(n)s day past", "close date %(n)s days past", late) % {"n": late})
    if deal.red_clock:
        why.append(_("over time: %(clock)s") % {"clock": ClockKind(deal.red_clock).label})
    return {
        "pk": deal.pk,
        "title": deal.name,
        "url": reverse("crm:opportunity", args=[deal.pk]),
        "account": deal.account.name if deal.account else "—",
        "stage": localized(deal.journey.stage.name),
        "amount": format_amount(deal.amount, deal.currency) or "—",
        "why": " · ".join(why),
    }
