"""Asking for an override, deciding it, and breaking the glass: one page each, for a record of any kind."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event, EventDetail
from fairlead.organisation.models import User
from fairlead.organisation.right_names import right_name

from . import services, stages, words
from .answers import find_journey, situation_of
from .definition import Definition
from .definitions import definition_of
from .enums import Kind, OverrideState
from .models import Journey, OverrideRequest, Waiver
from .override_words import asked_name, reason_name
from .selectors import overrides as found_overrides
from .selectors.gathering import Situation
from .services import budget, forcing, overrides
from .subjects import rights_over, room_of
from .verdicts import Wish

NAV = "overrides"
PER_PAGE = 50
LONGEST = 2000
SHOWN = ("decide", "mine", "all")


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _row(request: OverrideRequest) -> dict[str, Any]:
    journey = request.journey
    definition = definition_of(journey.process_version)
    return {
        "request": request,
        "asked": asked_name(request, definition),
        "reason": reason_name(definition, request.reason_code),
        "title": journey.title or "—",
        "url": room_of(journey.subject_type).url(journey.subject_id),
        "state": str(OverrideState(request.state).label),
        "tone": {"open": "pending", "granted": "ready", "refused": "lost"}.get(request.state, "hold"),
    }


# --- lists ---


@access("signed-in")
@require_safe
def requests_list(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's decision, what the reader asked for, and everything about records one sees."""
    user: Any = request.user
    at = timezone.now()
    waiting = found_overrides.to_decide(user)
    show = request.GET.get("show", "")
    if show not in SHOWN:
        show = "decide" if waiting.exists() else "mine"
    rows = {
        "decide": waiting,
        "mine": found_overrides.seen_by(user).filter(requested_by=user).order_by("-pk"),
        "all": found_overrides.seen_by(user).order_by("-pk"),
    }[show]
    number = request.GET.get("page", "1")
    pages = Paginator(rows, PER_PAGE).get_page(number if number.isascii() else 1)
    names = {
        "decide": _("For me to decide"),
        "mine": _("Asked by me"),
        "all": pgettext("requests", "All that I see"),
    }
    grants = user.may("waiver.grant")
    context = {
        "nav_at": NAV,
        "tabs": [{"text": names[key], "url": f"?show={key}", "current": key == show} for key in SHOWN],
        "show": show,
        "rows": [_row(row) for row in pages.object_list],
        "pages": pages,
        "page_url": f"?show={show}&page=",
        "budget": budget.rules().budget if grants else None,
        "used": budget.budget_used(user, at) if grants else 0,
        "running": [_waiver_row(w) for w in _own_waivers(user, at)] if grants and show == "decide" else [],
        "rules_url": reverse("process:override_rules") if user.may("process.publish") else "",
    }
    return page(request, "process/overrides.html", context, block="content")


def _own_waivers(user: Any, at: datetime) -> Any:
    rows = Waiver.objects.of_budget(user, at).select_related("journey__process_version__process")
    return rows.order_by("expires_at", "pk")[:PER_PAGE]


def _waiver_row(row: Waiver) -> dict[str, Any]:
    journey = row.journey
    definition = definition_of(journey.process_version)
    return {
        "waiver": row,
        "asked": words.criterion_name(definition, row.criterion_key),
        "reason": reason_name(definition, row.reason_code),
        "title": journey.title or "—",
        "url": room_of(journey.subject_type).url(journey.subject_id),
    }


@access("process.publish")
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """The budget of waivers, and the share from which on an item comes up for review."""
    row, errors, status, given = budget.rules(), {}, 200, {}
    if request.method == "POST":
        given = request.POST.dict()
        try:
            overrides.set_rules(
                budget=_number(given.get("budget", "")),
                review_percent=_number(given.get("review_percent", "")),
                version=_number(given.get("version", "")),
                **_how(request),
            )
            return redirect("process:overrides")
        except Refusal as refusal:
            if isinstance(refusal, NotPermitted):
                raise
            errors, status = _errors(refusal), refusal.status
            row = budget.rules()
    context = {
        "nav_at": NAV,
        "values": {name: given.get(name, getattr(row, name)) for name in ("budget", "review_percent")},
        "version": row.version,
        "errors": errors,
    }
    return page(request, "process/override_rules.html", context, status=status)


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else -1


def _errors(refusal: Refusal) -> dict[str, str]:
    listed = refusal.details.get("errors")
    return {e["field"]: str(e["message"]) for e in listed} if listed else {"": str(refusal)}


# --- one request ---


def _find(user: Any, pk: int) -> OverrideRequest:
    found = found_overrides.seen_by(user).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One request with all it says; whoever may decides it here."""
    user: Any = request.user
    found = _find(user, pk)
    errors, status, text = {}, 200, ""
    if request.method == "POST":
        granted = request.POST.get("decision") == "grant"
        text = request.POST.get("text", "")
        try:
            text = _text(request.POST, "text")
            overrides.decide_override(pk, granted=granted, text=text, **_how(request))
            return redirect("process:overrides")
        except (NotFound, NotPermitted):
            raise
        except Refusal as refusal:
            errors, status = _errors(refusal), refusal.status
            found = _find(user, pk)
    journey = found.journey
    stages.attach([journey])
    waits = found.state == OverrideState.OPEN
    situation = situation_of(journey, timezone.now()) if waits or found.criterion_key else None
    why_not = ""
    if waits and situation is not None:
        why_not = overrides.why_not_decide(found, journey, user, team=situation.facts.team)
    shown = _row(found)
    context = {
        "nav_at": NAV,
        **{name: shown[name] for name in ("asked", "reason", "title", "state", "tone")},
        "asked_for": found,
        "url_record": shown["url"],
        "stage": localized(journey.stage.name),
        "process": localized(journey.process_version.process.name),
        "owner": journey.owner.name if journey.owner else "—",
        "right": right_name(found.needs_right),
        "waits": waits,
        "may_decide": waits and not why_not,
        "why_not": why_not,
        "may_withdraw": waits and found.requested_by_id == user.pk,
        "may_revoke": found.waiver is not None and _runs(found.waiver) and user.may("waiver.grant"),
        "standing": _standing(found, situation),
        "typed": text,
        "errors": errors,
        "of_journey": reverse("process:journey_overrides", args=[journey.pk]),
    }
    return page(request, "process/override.html", context, block="content", status=status)


def _runs(waiver: Waiver) -> bool:
    return waiver.revoked_at is None and waiver.expires_at > timezone.now()


def _standing(found: OverrideRequest, situation: Situation | None) -> str:
    """How the item stands now, in words."""
    if not found.criterion_key or situation is None:
        return ""
    open_now = {result.key for result in found_overrides.askable(situation).items}
    return _("not met now") if found.criterion_key in open_now else _("not asked or met by now")


@access("signed-in")
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    _find(request.user, pk)
    overrides.withdraw_override(pk, **_how(request))
    return redirect("process:override", pk)


@access("waiver.grant")
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a waiver before its time; its place in the budget is free again."""
    row = services.revoke_waiver(pk, **_how(request))
    return redirect("process:journey_overrides", row.journey_id)


# --- asking, for one record ---


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _until(post: Any) -> datetime:
    day = _day(post.get("expires", "").strip())
    if day is None or not date(2000, 1, 1) <= day <= date(9000, 1, 1):
        raise Invalid.field("expires", _("Say until which day it holds."))
    return end_of(day)


def _text(post: Any, name: str) -> str:
    return clean_text(post.get(name, ""), limit=LONGEST, multiline=True, field=name)


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def of_journey(request: HttpRequest, pk: int) -> HttpResponse:
    """What was let pass for this record, what is asked, and the form that asks."""
    user: Any = request.user
    journey = find_journey(user, pk)
    errors, status = {}, 200
    post = request.POST
    if request.method == "POST":
        try:
            what, _colon, rest = post.get("what", "")[:140].partition(":")
            kind, _colon, to = rest.partition(":")
            made = overrides.request_override(
                pk,
                criterion_key=rest if what == "item" else "",
                move_kind=kind if what == "move" else "",
                to=to if what == "move" else "",
                reason_code=post.get("reason", "")[:60],
                text=_text(post, "text"),
                compensation=_text(post, "compensation"),
                expires_at=_until(post),
                **_how(request),
            )
            return redirect("process:override", made.pk)
        except (NotFound, NotPermitted):
            raise
        except Refusal as refusal:
            errors, status = _errors(refusal), refusal.status
            if "criterion" in errors:
                errors["what"] = errors.pop("criterion")
    at = timezone.now()
    situation = situation_of(journey, at)
    definition = situation.definition
    can = found_overrides.askable(situation)
    asked = list(found_overrides.requests().filter(journey=journey).order_by("-pk")[:PER_PAGE])
    room = room_of(journey.subject_type)
    may = rights_over(
        user, journey.subject_type, journey.subject_id, (room.move_right, "waiver.grant", forcing.FORCE)
    )
    context = {
        "nav_at": NAV,
        "journey": journey,
        "title": journey.title or "—",
        "url_record": room.url(journey.subject_id),
        "stage": localized(journey.stage.name),
        "rows": [_row(row) for row in asked],
        "running": [
            {
                "waiver": w,
                "asked": words.criterion_name(definition, w.criterion_key),
                "reason": reason_name(definition, w.reason_code),
            }
            for w in found_overrides.running_waivers(journey, at)
        ],
        "may_revoke": "waiver.grant" in may,
        "broken": list(_broken(journey, definition)),
        "options": _options(definition, can) if room.move_right in may else [],
        "reasons": _reasons(definition, ("waiver", "skip", "regress")),
        "typed": post if errors else {"what": request.GET.get("what", "")[:140]},
        "errors": errors,
        "force_url": reverse("process:force", args=[journey.pk]) if forcing.FORCE in may else "",
    }
    return page(request, "process/journey_overrides.html", context, block="content", status=status)


def _options(definition: Definition, can: found_overrides.Askable) -> list[tuple[str, str]]:
    items = [(f"item:{r.key}", words.criterion_name(definition, r.key)) for r in can.items]
    moves = [(f"move:{m.kind}:{m.to}", words.move_name(definition, m.kind, m.to)) for m in can.moves]
    return [("", "—"), *items, *moves] if items or moves else []


def _reasons(definition: Definition, names: tuple[str, ...]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for name in names:
        for reason in definition.lists.get(name, ()):
            found.setdefault(reason.key, localized(reason.name))
    return [("", "—"), *found.items()]


def _broken(journey: Journey, definition: Definition) -> Any:
    """Each time the glass was broken for this record, the newest first."""
    events = list(
        Event.objects.of_journeys([journey.pk]).filter(type="glass_broken").order_by("-id")[:PER_PAGE]
    )
    details = EventDetail.objects.in_bulk([e.pk for e in events])
    people = dict(User.objects.filter(pk__in={e.actor_id for e in events}).values_list("pk", "name"))
    for event in events:
        key = event.data.get("criterion", "")
        detail = details.get(event.pk)
        yield {
            "at": event.effective_at,
            "by": people.get(event.actor_id or 0, "—"),
            "what": words.criterion_name(definition, key)
            if key
            else words.move_name(definition, event.data["move"], event.data.get("to", "")),
            "why": detail.comment if detail is not None else "",
        }


# --- breaking the glass ---


@access("glass.break")
@require_http_methods(["GET", "HEAD", "POST"])
def force(request: HttpRequest, pk: int) -> HttpResponse:
    """Force a move or waive an item without being asked: with a reason, marked, and told to the process owners."""
    user: Any = request.user
    journey = find_journey(user, pk)
    room = room_of(journey.subject_type)
    if not room.visible_ids(user, [journey.subject_id], right=forcing.FORCE):
        raise NotPermitted
    errors, status = {}, 200
    post = request.POST
    if request.method == "POST":
        try:
            _break(post, journey, _how(request))
            return redirect("process:journey_overrides", pk)
        except (NotFound, NotPermitted):
            raise
        except Refusal as refusal:
            errors, status = _errors(refusal), refusal.status
    situation = situation_of(journey, timezone.now())
    definition = situation.definition
    items = [
        (f"item:{r.key}", _("Waive: %(item)s") % {"item": words.criterion_name(definition, r.key)})
        for r in found_overrides.askable(situation).items
    ]
    moves = [
        (f"move:{m.kind}:{m.to}", _("Force: %(move)s") % {"move": words.move_name(definition, m.kind, m.to)})
        for m in found_overrides.forcible(situation)
    ]
    context = {
        "nav_at": NAV,
        "journey": journey,
        "title": journey.title or "—",
        "url_record": room.url(journey.subject_id),
        "stage": localized(journey.stage.name),
        "options": [("", "—"), *moves, *items] if moves or items else [],
        "reasons": _reasons(definition, ("skip", "regress")),
        "typed": post if errors else {},
        "errors": errors,
        "back": reverse("process:journey_overrides", args=[pk]),
    }
    return page(request, "process/force.html", context, block="content", status=status)


def _break(post: Any, journey: Journey, how: dict[str, Any]) -> None:
    what, _colon, rest = post.get("what", "")[:140].partition(":")
    kind, _colon, to = rest.partition(":")
    text = _text(post, "text")
    if what == "item":
        forcing.force_waiver(journey.pk, criterion_key=rest, text=text, expires_at=_until(post), **how)
        return
    if what != "move" or kind not in Kind.values:
        raise Invalid.field("what", _("Choose what is to be let pass."))
    wish = Wish(kind=Kind(kind), to=to, reason=post.get("reason", "")[:60], comment=text)
    forcing.force_move(journey.pk, wish, text=text, version=_version(post), **how)


def _version(post: Any) -> int | None:
    number = _number(post.get("version", ""))
    return number if number > 0 else None
