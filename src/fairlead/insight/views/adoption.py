"""Adoption: how the new way of working is taken up, the rows behind it, and its settings."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from fairlead.analytics.adoption import ELEMENTS, TIMELY
from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, Stale
from fairlead.journal.enums import Channel
from fairlead.process.services import rollout

from ..adoption import page as words
from ..adoption import pulse_words
from ..adoption import rows as behind
from ..adoption.behaviour import Asked, ask
from ..adoption.pulse import latest_pulse, may_answer
from ..event_words import event_name
from ..questions import BadQuestion

NAV = "adoption"
PER_PAGE = 50


def _day(request: HttpRequest) -> date | None:
    text = request.GET.get("day", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuestion("day", _("A day is expected.")) from None


def _asked(request: HttpRequest) -> tuple[Asked, str]:
    user: Any = request.user
    day = _day(request)
    return ask(user, now=timezone.now(), day=day), day.isoformat() if day else ""


@access("funnel.view")
@require_safe
def adoption(request: HttpRequest) -> HttpResponse:
    asked, day = _asked(request)
    context = {
        "nav_at": NAV,
        **words.context(asked, day=day),
        "pulse": pulse_words.shown(latest_pulse()),
        "asks_pulse": may_answer(asked.user, at=timezone.now()),
    }
    return page(request, "insight/adoption.html", context, block="content")


@access("funnel.view")
@require_safe
def adoption_rows(request: HttpRequest) -> HttpResponse:
    """The deals, or the moves, behind one number of the page: as many as the number says."""
    asked, day = _asked(request)
    what, hit, owner = (request.GET.get(name, "") for name in ("what", "hit", "owner"))
    ids = behind.chosen(asked, what=what, hit=hit, owner=owner)
    number = request.GET.get("page", "1")
    pages = Paginator(ids, PER_PAGE).get_page(number if number.isascii() else 1)
    query = request.GET.copy()
    query.pop("page", None)
    whose = int(owner) if owner else None
    context = {
        "nav_at": NAV,
        "title": words.element_name(what),
        "how": words.element_words(what),
        "who": asked.people[whose].name if whose else "",
        "count": len(ids),
        "choices": [
            {"text": text, "url": words.rows_url(what, value, owner=whose, day=day), "current": hit == key}
            for key, value, text in (
                ("", None, _("All")),
                ("1", True, pgettext("behaviour", "Done")),
                ("0", False, pgettext("behaviour", "Open")),
            )
        ],
        "rows": _rows(asked, what, pages.object_list),
        "is_moves": what == TIMELY,
        "pages": pages,
        "page_url": f"?{query.urlencode()}&page=",
        "back": f"{reverse('insight:adoption')}{'?day=' + day if day else ''}",
    }  # fmt: skip
    return page(request, "insight/adoption_rows.html", context, block="content")


def _rows(asked: Asked, what: str, ids: Any) -> list[dict[str, Any]]:
    late: dict[int, dict[str, Any]] = {}
    if what == TIMELY:
        found = behind.moves(asked, ids)
        late = {row["event"].pk: row for row in found}
        deals = [(row["deal"], row["event"]) for row in found]
    else:
        deals = [(deal, None) for deal in behind.deals(asked, ids)]
    return [
        {
            "title": deal.name,
            "url": reverse("crm:opportunity", args=[deal.pk]),
            "account": deal.account.name if deal.account else "—",
            "stage": localized(deal.journey.stage.name) if deal.journey else "—",
            "owner": deal.owner.name if deal.owner else "—",
            "amount": format_amount(deal.amount, deal.currency) or "—",
            "what": event_name(event.type) if event is not None else "",
            "when": date_format(timezone.localtime(event.effective_at), "Y-m-d") if event is not None else "",
            "late": behind.hours(late[event.pk]["late"]) if event is not None else "",
        }
        for deal, event in deals
    ]


@access("settings.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def soft_landing(request: HttpRequest) -> HttpResponse:
    """Weights, the monthly amnesty, what is measured and asked; each save names the version that it changes."""
    user: Any = request.user
    row = rollout.current()
    given: dict[str, str] = {}
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        given = request.POST.dict()
        try:
            rollout.change_rollout(
                by=user, at=timezone.now(), channel=Channel.UI, version=_number(given, "version"),
                **_changes(given),
            )  # fmt: skip
            return redirect("insight:soft_landing")
        except Invalid as refusal:
            errors = {e["field"]: str(e["message"]) for e in refusal.details["errors"]}
            status = refusal.status
        except Stale as refusal:
            errors, status, row = {"": str(refusal)}, refusal.status, rollout.current()
    weights = row.weights or dict.fromkeys(ELEMENTS, 1.0)
    stored: dict[str, Any] = {
        **{f"weight_{key}": f"{weights.get(key, 0):g}" for key in ELEMENTS},
        **{name: getattr(row, name) for name in (*rollout.NUMBERS, *rollout.SWITCHES)},
    }
    values = {name: given.get(name, "") for name in stored} if given else stored
    context = {
        "nav_at": "settings", "values": values, "errors": errors, "version": row.version,
        "elements": [(f"weight_{key}", words.element_name(key), words.element_words(key)) for key in ELEMENTS],
    }  # fmt: skip
    return page(request, "insight/soft_landing.html", context, status=status)


def _changes(given: dict[str, str]) -> dict[str, Any]:
    """What was typed, as values; what is no number is left to the service to refuse."""
    changes: dict[str, Any] = {name: _number(given, name) for name in rollout.NUMBERS}
    changes |= {name: given.get(name) == "1" for name in rollout.SWITCHES}
    weights: dict[str, float] = {}
    for key in ELEMENTS:
        text = given.get(f"weight_{key}", "").strip()
        try:
            weights[key] = float(text) if text.isascii() and len(text) < 12 else -1.0
        except ValueError:
            weights[key] = -1.0
    return changes | {"weights": weights}


def _number(given: dict[str, str], name: str) -> int:
    text = given.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1
