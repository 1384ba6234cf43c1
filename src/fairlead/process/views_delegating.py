"""Who stands in for whom, and the register of exceptions that were granted."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal
from fairlead.common.returned import NOTHING, Returned
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import catalogue, pick
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from .approval_alike import number
from .approval_enums import Lever, PrecedentState
from .approval_screens import house_currency
from .approval_words import kind_name, value_text
from .definitions import definition_of, definitions_of
from .models import Delegation, Precedent, ProcessVersion
from .services.delegating import FOR_OTHERS, CircularDelegation, delegate, revoke_delegation
from .services.precedents import settle_precedent
from .subjects import room_of, visible_subjects
from .views_approvals import MAX_ID, NAV, colleagues, left_notes, number_in

MOST: Final = 100
PAGE: Final = 50


@access("approval.decide")
@require_http_methods(["GET", "HEAD", "POST"])
def delegations(request: HttpRequest) -> HttpResponse:
    """Let somebody stand in for oneself; the process owner for others too."""
    user: Any = request.user
    if request.method != "POST":
        return _delegations_page(request)
    data = request.POST
    try:
        other = number_in(data.get("delegator"))
        delegator = user
        if other and other != user.pk:
            delegator = User.objects.active().filter(pk=other).first()
            if delegator is None:
                raise Invalid.field("delegator", _("There is no such person."))
        to = number_in(data.get("delegate"))
        if not to:
            raise Invalid.field("delegate", _("Choose a person."))
        delegate(
            delegator=delegator,
            delegate_to=to,
            from_date=_day(data.get("from_date"), "from_date"),
            to_date=_day(data.get("to_date"), "to_date"),
            kinds=[k[:60] for k in data.getlist("kinds") if k],
            amount_cap=_cap(data.get("amount_cap")),
            reason=clean_text(data.get("reason", ""), limit=200, field="reason"),
            by=user,
            at=timezone.now(),
            channel=Channel.UI,
        )
    except (Invalid, CircularDelegation) as refusal:
        return _delegations_page(request, returned=Returned.of("delegation", data, refusal))
    messages.info(request, _("Saved"))
    return redirect("process:delegations")


def _day(text: Any, field: str) -> Any:
    try:
        found = parse_date(str(text or "").strip()[:10])
    except ValueError:
        found = None
    if found is None:
        raise Invalid.field(field, _("A day is expected, such as 2026-11-30."))
    return found


def _cap(text: Any) -> Decimal | None:
    given = str(text or "").strip().replace(",", "")[:30]
    if not given:
        return None
    try:
        found = Decimal(given)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found >= 10**15:
        raise Invalid.field("amount_cap", _("A number is expected."))
    return found


def _delegations_page(request: HttpRequest, *, returned: Returned = NOTHING) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    today = timezone.localdate(at, timezone.get_default_timezone())
    may_grant = user.may(FOR_OTHERS)
    rows = Delegation.objects.select_related("delegator", "delegate", "granted_by").order_by(
        "-to_date", "-pk"
    )
    if not may_grant:
        rows = rows.filter(Q(delegator=user) | Q(delegate=user))
    currency = house_currency()
    kinds = dict(kinds_of_house())
    context = {
        "nav_at": NAV,
        "notes": left_notes(request),
        "returned": returned,
        "may_grant": may_grant,
        "people": colleagues(user),
        "everybody": [(str(user.pk), user.name), *colleagues(user)] if may_grant else [],
        "kinds": list(kinds.items()),
        "currency": currency,
        "today": today.isoformat(),
        "rows": [
            {
                "pk": row.pk,
                "who": row.delegator.name,
                "tint": row.delegator_id,
                "to": row.delegate.name,
                "from_date": row.from_date,
                "to_date": row.to_date,
                "kinds": _(", ").join(kinds.get(k, k) for k in row.kinds) if row.kinds else _("every kind"),
                "cap": format_amount(row.amount_cap, currency) if row.amount_cap is not None else "",
                "reason": row.reason,
                "state": _state(row, today),
                "may_end": row.revoked_at is None
                and row.to_date >= today
                and (may_grant or row.delegator_id == user.pk),
                "granted_by": row.granted_by.name if row.granted_by_id != row.delegator_id else "",
            }
            for row in rows[:MOST]
        ],
    }
    return page(request, "process/delegations.html", context, status=returned.status)


def _state(row: Delegation, today: Any) -> tuple[str, str]:
    if row.revoked_at is not None:
        return "hold", _("Ended")
    if row.to_date < today:
        return "hold", _("Over")
    if row.from_date > today:
        return "planned", pgettext("a delegation", "Planned")
    return "won", _("In force")


def kinds_of_house() -> list[tuple[str, str]]:
    """Kinds of approval of the published processes, each once."""
    found: dict[str, str] = {}
    for version in ProcessVersion.objects.published().order_by("process__key"):
        for key, kind in definition_of(version).approvals.kinds.items():
            found.setdefault(key, pick(kind.name))
    return list(found.items())


@access("approval.decide")
@require_POST
def end_delegation(request: HttpRequest, pk: int) -> HttpResponse:
    """It ends now; what was decided by it stands."""
    revoke_delegation(min(pk, MAX_ID), by=request.user, at=timezone.now(), channel=Channel.UI)
    messages.info(request, _("Ended"))
    return redirect("process:delegations")


@access("signed-in")
@require_safe
def precedents(request: HttpRequest) -> HttpResponse:
    """The register of exceptions of records that the reader sees, the newest first (AP-13)."""
    return _register(request)


@access("process.publish")
@require_POST
def precedent_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what becomes of an exception; refused, the register comes back with what was typed."""
    try:
        note = clean_text(request.POST.get("note", ""), limit=2000, multiline=True, field="note")
        settle_precedent(
            min(pk, MAX_ID),
            state=request.POST.get("state", "")[:20],
            note=note,
            by=request.user,
            at=timezone.now(),
            channel=Channel.UI,
        )
    except (NotFound, NotPermitted):
        raise
    except Refusal as refusal:
        return _register(request, returned=Returned.of(f"settle-{pk}", request.POST, refusal))
    messages.info(request, _("Settled"))
    return redirect("process:precedents")


def _register(request: HttpRequest, *, returned: Returned = NOTHING) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    kinds = dict(kinds_of_house())
    kind = request.GET.get("kind", "")
    kind = kind if kind in kinds else ""
    start = min(number_in(request.GET.get("from")), 100_000)
    found = seen_precedents(user, kind)
    only_due = request.GET.get("due") == "1"
    if only_due:
        found = found.filter(state=PrecedentState.OPEN, expires_at__lte=at)
    rows = list(found[start : start + PAGE + 1])
    here = reverse("process:precedents")
    context = {
        "nav_at": NAV,
        "kinds": [
            {"text": text, "url": f"{here}?kind={key}" if key else here, "current": key == kind}
            for key, text in (("", _("All")), *kinds.items())
        ],
        "rows": [_precedent(row, user, at) for row in rows[:PAGE]],
        "older_url": f"{here}?kind={kind}{'&due=1' if only_due else ''}&from={start + PAGE}"
        if len(rows) > PAGE
        else "",
        "only_due": only_due,
        "due_url": f"{here}?kind={kind}" if only_due else f"{here}?kind={kind}&due=1",
        "notes": left_notes(request),
        "may_settle": user.may("process.publish"),
        "ends": [("", "—")]
        + [(s.value, str(s.label)) for s in (PrecedentState.PROMOTED, PrecedentState.REFUSED)],
        "returned": returned,
    }
    return page(request, "process/precedents.html", context, status=returned.status)


def seen_precedents(user: Any, kind: str = "") -> Any:
    condition = Q(pk__in=[])
    for subject_type, ids in visible_subjects(user).items():
        condition |= Q(subject_type=subject_type, subject_id__in=ids)
    rows = Precedent.objects.filter(condition).select_related(
        "grant__request__submitted_by", "grant__journey__process_version", "settled_by"
    )
    return rows.filter(kind=kind) if kind else rows


def _precedent(row: Precedent, reader: Any, at: datetime) -> dict[str, Any]:
    fields = catalogue(row.subject_type)
    definition = definitions_of({row.grant.journey.process_version_id})[row.grant.journey.process_version_id]
    shown = [
        f"{spec.name()} {value_text(value, spec)}"
        for key, value in row.values.items()
        if (spec := fields.get(key)) is not None and spec.readable_by(reader) and number(value) is not None
    ]
    over = row.expires_at <= at and row.state == PrecedentState.OPEN
    return {
        "pk": row.pk,
        "is_open": row.state == PrecedentState.OPEN,
        "note": row.note,
        "settled_by": row.settled_by.name if row.settled_by else "",
        "kind": kind_name(definition, row.kind),
        "lever": str(Lever(row.lever).label),
        "title": row.grant.journey.title,
        "url": room_of(row.subject_type).url(row.subject_id),
        "values": " · ".join(shown[:5]),
        "granted_at": row.granted_at,
        "expires_at": row.expires_at,
        "who": row.grant.request.submitted_by.name,
        "state": "overdue" if over else "planned",
        "word": _("to be looked at again") if over else str(PrecedentState(row.state).label),
    }
