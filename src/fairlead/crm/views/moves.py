"""Moving a deal, the gate panel, and taking a move back. Everything goes through `process.services.move`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page, toast, trigger
from fairlead.common.refusals import NotFound
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.journal.undoing import undo
from fairlead.organisation.models import User
from fairlead.process import fold, services, words
from fairlead.process.engine import legal_moves
from fairlead.process.enums import Kind
from fairlead.process.refusals import GateRefused, LostRace, MoveImpossible
from fairlead.process.verdicts import Wish

from ..forms.moves import MoveForm
from ..models import Opportunity
from ..selectors.moving import deal_to_move
from ..selectors.panel import Gate, look, situation_of
from ..services import taking_back
from .panel_words import move_name, panel_context
from .shared import MAX_ID, deal_url, find_deal, go, is_on_board, is_piece, notes, way_back

BACK_BY = {
    Kind.ADVANCE: Kind.REGRESS,
    Kind.BRANCH: Kind.REGRESS,
    Kind.SKIP: Kind.REGRESS,
    Kind.HOLD: Kind.RESUME,
    Kind.RESUME: Kind.HOLD,
}


@access("opportunity.view")
@require_GET
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What stands between a deal and a move, mended in place; `as` is won, lost or hold."""
    deal = find_deal(request, pk)
    to = str(request.GET.get("as") or request.GET.get("to") or "")
    gate = look(deal, request.user, timezone.now(), kind=str(request.GET.get("kind") or ""), to=to)
    return panel_page(request, gate)


def panel_page(
    request: HttpRequest,
    gate: Gate,
    *,
    status: int = 200,
    form: MoveForm | None = None,
    message: str = "",
    errors: dict[str, Any] | None = None,
) -> HttpResponse:
    """The panel as the piece that HTMX put beside the board, or as a page of its own."""
    context = panel_context(request, gate, form=form, message=message, errors=errors or {})
    return page(
        request,
        "crm/panel.html",
        {**context, "notes": [] if is_piece(request) else notes(request)},
        block="panel",
        status=status,
    )


@access("opportunity.move")
@require_http_methods(["GET", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a deal. GET: where it may go, as a plain page."""
    if request.method == "GET":
        return _choices(request, find_deal(request, pk))
    at = timezone.now()
    user: Any = request.user
    deal = deal_to_move(user, pk) if pk <= MAX_ID else None
    if deal is None:
        raise NotFound
    form = MoveForm(request.POST)
    if not form.is_valid():
        gate = look(deal, user, at, kind=form.kind, to=form.to)
        return panel_page(request, gate, status=422, form=form)
    gate = look(
        deal, user, at, kind=form.kind, to=form.to, reason=form.reason, comment=form.comment, form=form.form
    )
    if gate.asks and gate.is_possible and not gate.verdict.gaps and not form.asked:
        return panel_page(request, gate, status=422)  # a hand let go of a card: nobody has been asked yet
    assert deal.journey_id is not None
    try:
        outcome = services.move(
            deal.journey_id,
            gate.wish,
            by=user,
            at=at,
            channel=Channel.UI,
            version=form.version,
            known=gate.situation,
        )
    except GateRefused:
        return panel_page(
            request, look(find_deal(request, pk), user, at, kind=gate.wish.kind, to=gate.wish.to), status=422
        )
    except MoveImpossible as refusal:
        return panel_page(
            request, gate, status=422, form=form, message="" if gate.is_possible else str(refusal.message)
        )
    except LostRace as refusal:
        return _lost_race(request, pk, refusal, gate.wish, at)
    return _moved(request, deal, outcome.verdict.target if outcome.verdict else "", gate)


def _moved(request: HttpRequest, deal: Opportunity, target: str, gate: Gate) -> HttpResponse:
    text = moved_text(gate, target)
    undo = ""
    needs_no_reason = gate.wish.kind in (Kind.HOLD, Kind.RESUME)
    if gate.wish.kind in BACK_BY and (needs_no_reason or taking_back.mistake_of(gate.definition)):
        version = gate.situation.journey.version + 1
        undo = reverse("crm:undo_move", args=[deal.pk, version])
    if is_piece(request) and is_on_board(request):
        # The card stands in its new column already; the board asks for its news and settles. The note goes first:
        # on "moved" the panel empties itself, and nothing that it held can be heard any more.
        return trigger(toast(HttpResponse(), text, undo_url=undo or None), "moved", {"deal": deal.pk})
    return go(
        request,
        way_back(request, deal_url(deal.pk) if is_piece(request) else reverse("crm:board")),
        text,
        undo,
    )


def moved_text(gate: Gate, target: str) -> str:
    name, kind = gate.deal.name, gate.wish.kind
    if kind == Kind.CLOSE_WON:
        return _("%(name)s is won") % {"name": name}
    if kind == Kind.CLOSE_LOST:
        return _("%(name)s is closed as lost") % {"name": name}
    if kind == Kind.HOLD:
        return _("%(name)s is on hold until %(day)s") % {
            "name": name,
            "day": gate.wish.form.get("resume_date", ""),
        }
    if kind == Kind.RESUME:
        return _("%(name)s goes on") % {"name": name}
    stage = words.stage_name(gate.definition, target)
    if kind == Kind.REGRESS:
        return _("%(name)s went back to %(stage)s") % {"name": name, "stage": stage}
    if kind == Kind.REOPEN:
        return _("%(name)s is open again in %(stage)s") % {"name": name, "stage": stage}
    return _("%(name)s moved to %(stage)s") % {"name": name, "stage": stage}


def _lost_race(request: HttpRequest, pk: int, refusal: LostRace, wish: Wish, at: datetime) -> HttpResponse:
    """Say who was quicker, and show how it stands now."""
    deal = find_deal(request, pk)
    text = what_changed(deal)
    if is_piece(request) and request.headers.get("HX-Target", "") in ("panel", "gate-panel"):
        gate = look(deal, request.user, at, kind=wish.kind, to=wish.to)
        return panel_page(request, gate, status=409, message=text)
    raise LostRace(text, details=refusal.details)


def what_changed(deal: Opportunity) -> str:
    """The last move of the deal, as a sentence."""
    moved = Event.objects.of_journeys([deal.journey_id or 0]).filter(type__in=taking_back.MOVES)
    event = moved.order_by("-id").first()
    if event is None:
        return _("This was changed meanwhile. Look again.")
    actor = User.objects.filter(pk=event.actor_id).only("pk", "name").first()
    values = {
        "name": actor.name if actor else _("The system"),
        "time": timezone.localtime(event.recorded_at).strftime("%H:%M"),
        "deal": deal.name,
    }
    if event.type in (fold.MOVED, fold.REOPENED):
        assert deal.journey is not None
        values["stage"] = localized(deal.journey.stage.name)
        return _("%(name)s moved %(deal)s to %(stage)s at %(time)s.") % values
    if event.type == fold.HELD:
        return _("%(name)s put %(deal)s on hold at %(time)s.") % values
    return _("%(name)s changed the state of %(deal)s at %(time)s.") % values


@access("opportunity.move")
@require_POST
def undo_move(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Take back one's own last move by a normal move: back with the reason “by mistake”, or resumed from hold."""
    deal = find_deal(request, pk)
    user: Any = request.user
    at = timezone.now()
    journey = deal.journey
    assert journey is not None
    moved = Event.objects.of_journeys([journey.pk]).filter(type__in=taking_back.MOVES)
    event = moved.order_by("-id").first()
    if event is None or event.actor_id != user.pk or journey.version != version:
        raise LostRace(what_changed(deal), details={"version": journey.version})
    undo([event.pk], by=user, at=at, channel=Channel.UI)
    gate = look(find_deal(request, pk), user, at)
    text = _("%(name)s is back in %(stage)s") % {
        "name": deal.name,
        "stage": words.stage_name(gate.definition, gate.situation.facts.journey.stage_key),
    }
    if is_piece(request):
        return toast(HttpResponse(), text)
    return go(request, way_back(request, reverse("crm:board")), text)


def _choices(request: HttpRequest, deal: Opportunity) -> HttpResponse:
    """Where the deal may go, for a hand without a pointer and a browser without a script."""
    situation = situation_of(deal, timezone.now())
    panel_url = reverse("crm:panel", args=[deal.pk])
    ways = [
        {
            "name": move_name(situation.definition, m.kind, m.to),
            "url": f"{panel_url}?kind={m.kind}&to={m.to}",
            "needs": m.needs_right,
        }
        for m in legal_moves(situation.definition, situation.facts)
    ]
    return page(
        request,
        "crm/move.html",
        {
            "nav_at": "board",
            "deal": deal,
            "ways": ways,
            "back_url": deal_url(deal.pk),
            "notes": notes(request),
            "stage": words.stage_name(situation.definition, situation.facts.journey.stage_key),
        },
    )
