"""One process of an account, a segment or a contract: how its gate stands, what mends it, where it may go."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.process import services, subjects
from fairlead.process.engine import decide, legal_moves
from fairlead.process.enums import Kind
from fairlead.process.models import Journey
from fairlead.process.refusals import GateRefused, MoveImpossible
from fairlead.process.selectors.approvals import condition_behind, says_when_met
from fairlead.process.verdicts import Wish
from fairlead.process.words import objection_text, stage_name

from ..facts import PLAN
from ..forms.moves import MoveForm
from ..selectors.journeys import shown_journeys
from .editing import act
from .panel_ways import left_work
from .panel_words import move_name
from .shared import MAX_ID, go, notes


def find_journey(pk: int, user: Any) -> Journey:
    """The journey of a record that the reader sees; deals have their own pages."""
    row = (
        Journey.objects.select_related("stage", "process_version").filter(pk=pk).first()
        if pk <= MAX_ID
        else None
    )
    if row is None:
        raise NotFound
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(user, [row.subject_id], right=room.view_right):
        raise NotFound
    return row


@access("signed-in")
@require_safe
def journey(request: HttpRequest, pk: int) -> HttpResponse:
    row = find_journey(pk, request.user)
    return journey_page(request, row, kind=request.GET.get("kind", ""), to=request.GET.get("to", ""))


def journey_page(
    request: HttpRequest,
    row: Journey,
    *,
    kind: str = "",
    to: str = "",
    form: MoveForm | None = None,
    message: str = "",
    status: int = 200,
) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    shown = shown_journeys([row], at=at)[0]
    record = records.record_type(row.subject_type)
    room = subjects.room_of(row.subject_type)
    definition, facts = shown["definition"], shown["facts"]
    legal = legal_moves(definition, facts)
    chosen = next((m for m in legal if m.kind == kind and (m.to == to or not to)), None)
    title = record.title([row.subject_id]).get(row.subject_id, "")
    return page(
        request,
        "crm/journey.html",
        {
            "row": row,
            "j": shown,
            "title": title,
            "record_url": record.url(row.subject_id),
            "form": form,
            "message": message,
            "label": localized(record.label),
            "may_move": bool(room.visible_ids(user, [row.subject_id], right=room.move_right)),
            "may_attest": user.may("deal.attest") and row.owner_id != user.pk,
            "chosen": chosen,
            "notes": notes(request),
            "choices": [
                {
                    "text": str(move_name(definition, m.kind, m.to)),
                    "url": f"{shown['url']}?kind={m.kind}&to={m.to}",
                    "current": m is chosen,
                }
                for m in legal
            ],
            "reasons": [(r.key, pick(r.name)) for r in definition.lists.get(chosen.reasons, ())]
            if chosen
            else [],
            "left": left_work(chosen.kind, row.subject_type, row.subject_id) if chosen else "",
            "target": stage_name(definition, chosen.to) if chosen and chosen.to else "",
            "nav_at": f"{row.subject_type}s",
            "mends": _mends(shown, row, record, user),
        },
        status=status,
    )


def _mends(shown: dict[str, Any], row: Journey, record: Any, user: Any) -> dict[str, dict[str, Any]]:
    """Where each open item is mended, by its key."""
    page_url = record.url(row.subject_id)
    found: dict[str, dict[str, Any]] = {}
    verdict = shown["verdict"]
    for result in verdict.results if verdict is not None else ():
        url = page_url
        if result.mend == "activity":
            url = reverse("work:log", args=[row.subject_type, row.subject_id])
        elif result.mend == "document":
            url = f"{page_url}?tab=files"
        elif result.mend == "task":
            url = (
                reverse("crm:plan", args=[row.subject_id])
                if result.mend_params.get("tasks") == PLAN
                else reverse("work:task", args=[row.subject_type, row.subject_id])
            )
        elif result.mend in ("field", "score"):
            keys = result.mend_params.get("fields", [])
            url = f"{page_url}?tab=fields#f-{keys[0]}" if keys else f"{page_url}?tab=fields"
        found[result.key] = {"url": url, "mend": result.mend}
        if result.mend == "condition" and (condition := condition_behind(result.mend_params["condition"])):
            found[result.key] |= {
                "condition": condition.pk,
                "may_say": says_when_met(user, condition),
                "says": condition.set_by.name,
            }
    return found


@access("signed-in")
@require_POST
def move_journey(request: HttpRequest, pk: int) -> HttpResponse:
    """Move it; what its gate lacks comes back as the page of the journey, 422."""
    user: Any = request.user
    row = find_journey(pk, user)
    form = MoveForm(request.POST)
    kind, to = form.kind, form.to
    room = subjects.room_of(row.subject_type)
    if not room.visible_ids(user, [row.subject_id], right=room.move_right):
        raise NotPermitted
    if kind not in Kind.values:
        raise Invalid.field("kind", _("There is no such move."))
    if not form.is_valid():
        return journey_page(request, row, kind=kind, to=to, form=form, status=422)
    shown = shown_journeys([row], at=timezone.now())[0]
    wish = Wish(kind=Kind(kind), to=to, reason=form.reason, comment=form.comment, form=form.form)
    verdict = decide(shown["definition"], shown["facts"], wish)
    if verdict.objections and not form.asked:
        return journey_page(request, row, kind=kind, to=to, form=form, status=422)
    try:
        services.move(pk, wish, by=user, at=timezone.now(), channel=Channel.UI, version=form.version)
    except GateRefused as refusal:
        return journey_page(request, row, message=str(refusal.message), status=422)
    except MoveImpossible:
        message = " ".join(objection_text(o) for o in verdict.objections)
        return journey_page(request, row, kind=kind, to=to, form=form, message=message, status=422)
    return go(request, records.record_type(row.subject_type).url(row.subject_id), _("Moved"))


@access("deal.attest")
@require_POST
def attest_journey(request: HttpRequest, pk: int) -> HttpResponse:
    row = find_journey(pk, request.user)
    statement = request.POST.get("statement", "")[:2000]
    services.attest(
        pk,
        criterion_key=request.POST.get("criterion", "")[:60],
        statement=_storable(statement),
        **act(request),
    )
    return go(request, reverse("crm:journey", args=[row.pk]), _("Confirmed"))


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()
