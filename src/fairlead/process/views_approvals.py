"""待我审批: the inbox of approvals and what is done in it. See `views_asking` for the submitter's side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal, Stale
from fairlead.common.returned import NOTHING, Returned
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User
from fairlead.organisation.views.pending import safe_next

from .approval_answers import find_request
from .approval_screens import house_currency, line_of, screen_of
from .letting_screens import line_of_request, screen_of_request
from .models import ApprovalQuestion, OverrideRequest
from .refusals import ApprovalDecided, ApprovalRefused
from .selectors.approval_inbox import PAGE, TABS, detail, items_of
from .selectors.approvals import condition_behind
from .selectors.overrides import seen_by
from .selectors.waiting import APPROVAL, OVERRIDE, Waiting, count_waiting, next_after, of_ids, queue, tab_of
from .services import approval_handing, approving, conditions, overrides
from .together import (
    LETTING,
    approve_together,
    is_plain,
    item_name,
    let_pass_together,
    rule_name,
    together_of,
)

NAV: Final = "approvals"
MAX_ID: Final = 10**15
MAX_WORDS: Final = 5000
ACTS: Final = ("approve", "reject", "return", "transfer", "add", "ask")


def left_notes(request: HttpRequest) -> list[dict[str, str]]:
    return [{"text": str(note), "undo": note.extra_tags or ""} for note in messages.get_messages(request)]


def number_in(text: Any) -> int:
    digits = str(text or "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else 0


def colleagues(user: Any) -> list[tuple[str, str]]:
    rows = User.objects.active().exclude(pk=user.pk).by_name().values_list("pk", "name", "team__name")[:500]
    return [(str(pk), f"{name} · {team}" if team else name) for pk, name, team in rows]


@access("signed-in")
@require_safe
def approvals(request: HttpRequest) -> HttpResponse:
    return inbox_page(request, number_in(request.GET.get("item")), ask=number_in(request.GET.get("ask")))


def inbox_page(
    request: HttpRequest, chosen: int = 0, *, ask: int = 0, returned: Returned = NOTHING
) -> HttpResponse:
    """The list with one item beside it: an approval, or with `ask` a request to let something pass. Without one the first
    stands there, on a phone the list alone."""
    user: Any = request.user
    at = timezone.now()
    tab = request.GET.get("tab", "todo")
    tab = tab if tab in TABS else "todo"
    start = min(number_in(request.GET.get("from")), 100_000)
    waiting, following = tab_of(user, tab, start=start)
    currency = house_currency()
    row, asked = None, find_asked(user, ask) if ask else None
    if chosen:
        row = find_request(user, chosen)
    elif waiting and asked is None:
        asked = waiting[0].asked
        row = waiting[0].item.request if waiting[0].item else None
    here = reverse("process:approvals")
    is_all = tab == "todo" and not start and not following  # then they are counted already
    counts = {"todo": len(waiting) if is_all else count_waiting(user)}
    names = {
        "todo": _("To decide"), "done": _("Decided"), "mine": _("Asked by me"), "copies": _("Copies"),
    }  # fmt: skip
    lines = [_line(one, user, at=at, tab=tab, currency=currency) for one in waiting]
    places = [(one.kind, one.pk) for one in waiting]
    here_now = (OVERRIDE, asked.pk) if asked is not None else (APPROVAL, row.pk if row is not None else 0)
    at_place = places.index(here_now) if here_now in places else -1
    context: dict[str, Any] = {
        "nav_at": NAV,
        "notes": left_notes(request),
        "tab": tab,
        "tabs": [
            {
                "text": f"{names[key]} {counts[key]}" if counts.get(key) else names[key],
                "url": f"{here}?tab={key}",
                "current": key == tab,
            }
            for key in TABS
        ],
        "lines": lines,
        "older_url": f"{here}?tab={tab}&from={following}" if following else "",
        "newer_url": f"{here}?tab={tab}&from={max(start - PAGE, 0)}" if start else "",
        "is_chosen": bool(chosen or ask),
        "letting": None,
        "at_line": lines[at_place]["pk"] if at_place >= 0 else "",
        "list_url": f"{here}?tab={tab}",
        "screen": None,
        "returned": returned,
        "together": together_of(waiting) if tab == "todo" else [],
        "next_url": lines[at_place + 1]["url"] if 0 <= at_place < len(lines) - 1 else "",
        "back_url": lines[at_place - 1]["url"] if at_place > 0 else "",
    }  # fmt: skip
    if asked is not None:
        context |= {
            "letting": screen_of_request(asked, user, at=at, currency=currency),
            "act_url": reverse("process:override_decide", args=[asked.pk]),
        }
    elif row is not None:
        found = detail(row, user, at=at)
        screen = screen_of(found, user, at=at, currency=currency)
        context |= {
            "screen": screen,
            "act_url": reverse("process:approval_act", args=[row.pk]),
            "people": colleagues(user) if screen["may_decide"] else [],
            "stages": [(s.key, _stage(s)) for s in found.item.definition.stages] if screen["may_decide"] else [],
            "places": _places(),
        }  # fmt: skip
    return page(request, "process/approvals.html", context, status=returned.status)


def _places() -> list[tuple[str, str]]:
    return [("before", _("before me")), ("parallel", _("beside me")), ("after", _("after me"))]


def _stage(stage: Any) -> str:
    return pick(stage.name)


def _line(one: Waiting, user: Any, *, at: Any, tab: str, currency: str) -> dict[str, Any]:
    if one.asked is not None:
        return line_of_request(one.asked, at=at, tab=tab, currency=currency)
    assert one.item is not None
    return line_of(one.item, user, at=at, tab=tab, currency=currency)


def find_asked(user: Any, pk: int) -> OverrideRequest:
    """Raises NotFound for a request about a record that the person does not see."""
    if not seen_by(user).filter(pk=min(pk, MAX_ID)).exists():
        raise NotFound
    return of_ids([pk])[pk]


def address_of(place: tuple[str, int] | None) -> str:
    """Of an item of the inbox; of the inbox where nothing waits."""
    here = reverse("process:approvals")
    if place is None:
        return here
    return f"{here}?{'ask' if place[0] == OVERRIDE else 'item'}={place[1]}"


# --- acts ---


@access("approval.decide")
@require_POST
def approval_act(request: HttpRequest, pk: int) -> HttpResponse:
    """One act on one request; then the next item opens. What is refused comes back with all that was typed."""
    user: Any = request.user
    find_request(user, min(pk, MAX_ID))
    act = request.POST.get("act", "")
    following = next_after(user, (APPROVAL, pk))
    try:
        said = _do(act, pk, request.POST, user)
    except Stale:
        changed = _("The content has changed since you opened it. Look again, then decide.")
        refusal = Stale(changed)
        return inbox_page(request, pk, returned=Returned.of("act", request.POST, refusal))
    except (Invalid, ApprovalRefused, ApprovalDecided) as refusal:
        return inbox_page(request, pk, returned=Returned.of("act", request.POST, refusal))
    messages.info(request, said)
    if act in ("ask", "add"):
        still = items_of([pk], user)
        following = (APPROVAL, pk) if still and still[0].seats else following
    return redirect(address_of(following))


@access("signed-in")
@require_POST
def override_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an item or a move pass, or refuse it, out of the inbox; then the next item opens."""
    user: Any = request.user
    find_asked(user, pk)
    act = request.POST.get("act", "")
    following = next_after(user, (OVERRIDE, pk))
    try:
        if act not in ("approve", "reject"):
            raise Invalid.field("act", _("Choose what to do."))
        words = clean_text(request.POST.get("comment", ""), limit=MAX_WORDS, multiline=True, field="comment")
        overrides.decide_override(
            pk, granted=act == "approve", text=words, by=user, at=timezone.now(), channel=Channel.UI
        )
    except NotPermitted:
        raise
    except Refusal as refusal:
        found = Returned.of("act", request.POST, refusal)
        # What the service calls the text of a decision is the comment of this form.
        errors = {{"text": "comment"}.get(name, name): said for name, said in found.errors.items()}
        return inbox_page(request, ask=pk, returned=replace(found, errors=errors))
    messages.info(request, _("Let pass") if act == "approve" else _("Refused"))
    return redirect(address_of(following))


def _do(act: str, pk: int, data: Mapping[str, Any], user: Any) -> str:
    how: dict[str, Any] = {"by": user, "at": timezone.now(), "channel": Channel.UI}
    version = number_in(data.get("version")) or None
    comment = clean_text(data.get("comment", ""), limit=MAX_WORDS, multiline=True, field="comment")
    if act == "approve":
        approving.decide(
            pk, approves=True, comment=comment, conditions=_conditions(data), version=version, **how
        )
        return _("Approved")
    if act == "reject":
        approving.decide(pk, approves=False, comment=comment, version=version, **how)
        return _("Rejected")
    if act == "return":
        approving.give_back(pk, to=data.get("to", "")[:80], comment=comment, version=version, **how)
        return _("Returned")
    if act == "transfer":
        person = number_in(data.get("person"))
        if not person:
            raise Invalid.field("person", _("Choose a person."))
        approval_handing.transfer(pk, to=person, comment=comment, version=version, **how)
        return _("Handed on")
    if act == "add":
        person = number_in(data.get("person"))
        if not person:
            raise Invalid.field("person", _("Choose a person."))
        approval_handing.add_approver(
            pk, person=person, place=data.get("place", ""), comment=comment, version=version, **how
        )
        return _("One more person is asked")
    if act == "ask":
        person = number_in(data.get("person"))
        if not person:
            raise Invalid.field("person", _("Choose a person."))
        if not comment.strip():
            raise Invalid.field("comment", _("Write the question here."))
        approval_handing.ask_question(pk, to=person, text=comment, **how)
        return _("Asked")
    raise Invalid.field("act", _("Choose what to do."))


def _conditions(data: Mapping[str, Any]) -> list[dict[str, str]]:
    text = clean_text(data.get("condition", ""), limit=300, field="condition")
    if not text.strip():
        return []
    return [{"text": text, "kind": "word", "stage": str(data.get("condition_stage", ""))[:60]}]


@access("signed-in")
@require_POST
def approval_seen(request: HttpRequest, pk: int) -> HttpResponse:
    """It stands open before somebody who is asked: whoever submitted it sees that."""
    user: Any = request.user
    find_request(user, min(pk, MAX_ID))
    approval_handing.see(pk, by=user, at=timezone.now())
    return HttpResponse(status=204)


@access("signed-in")
@require_POST
def approval_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer a question that an approver asked."""
    user: Any = request.user
    try:
        text = clean_text(request.POST.get("text", ""), limit=MAX_WORDS, multiline=True, field="text")
        row = approval_handing.answer_question(
            min(pk, MAX_ID), text=text, by=user, at=timezone.now(), channel=Channel.UI
        )
    except Invalid as refusal:
        found = ApprovalQuestion.objects.filter(pk=pk).values_list("request", flat=True).first()
        if found is None:
            raise NotFound from refusal
        return inbox_page(request, found, returned=Returned.of(f"answer-{pk}", request.POST, refusal))
    messages.info(request, _("Answered"))
    return redirect(f"{reverse('process:approvals')}?item={row.request_id}")


@access("approval.decide")
@require_POST
def condition_meet(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the condition of an approval is fulfilled: on the screen of the request, or of the record that it holds."""
    condition = condition_behind(min(pk, MAX_ID))
    if condition is None:
        raise NotFound
    item = condition.request_id
    try:
        comment = clean_text(request.POST.get("comment", ""), limit=2000, multiline=True, field="comment")
        conditions.meet(condition.pk, comment=comment, by=request.user, at=timezone.now(), channel=Channel.UI)
    except (Invalid, ApprovalRefused) as refusal:
        return inbox_page(request, item, returned=Returned.of(f"condition-{pk}", request.POST, refusal))
    messages.info(request, _("Fulfilled"))
    back = request.POST.get("next")
    return redirect(safe_next(request, back) if back else f"{reverse('process:approvals')}?item={item}")


# --- several at once ---


@access("approval.decide")
def approvals_together(request: HttpRequest) -> HttpResponse:
    """Approve what the same rule asks, of the lowest tier, or let one item pass on several records; each has its own
    result, and none stops the others."""
    user: Any = request.user
    at = timezone.now()
    given = request.POST if request.method == "POST" else request.GET
    kind, rule = given.get("kind", "")[:60], given.get("rule", "")[:60]
    waiting, _next = queue(user)
    items = [
        one.item
        for one in waiting
        if one.item and is_plain(one.item) and one.item.request.kind == kind and one.item.rows_asked == {rule}
    ]
    asked = [
        one.asked for one in waiting if one.asked and kind == LETTING and one.asked.criterion_key == rule
    ]
    currency = house_currency()
    name = rule_name(items[0]) if items else item_name(asked[0]) if asked else ""
    context: dict[str, Any] = {
        "nav_at": NAV,
        "kind": kind,
        "rule": rule,
        "name": name,
        "results": None,
        "is_letting": kind == LETTING,
    }
    if request.method == "POST":
        wanted = {number_in(pk) for pk in request.POST.getlist("item")}
        comment = clean_text(
            request.POST.get("comment", ""), limit=MAX_WORDS, multiline=True, field="comment"
        )
        how: dict[str, Any] = {"comment": comment, "by": user, "channel": Channel.UI}
        if kind == LETTING:
            context["results"] = let_pass_together(asked, wanted, **how)
        else:
            pairs = (x.partition(":") for x in request.POST.getlist("of"))
            versions = {number_in(k): number_in(v) for k, _sep, v in pairs}
            context["results"] = approve_together(items, wanted, versions=versions, **how)
    context["lines"] = [
        line_of(item, user, at=at, tab="todo", currency=currency) | {"version": item.request.version}
        for item in items
    ] + [
        line_of_request(one, at=at, currency=currency) | {"pk": one.pk, "version": one.version}
        for one in asked
    ]
    return page(request, "process/approvals_together.html", context)
