"""待我审批: the inbox of approvals and what is done in it. See `views_asking` for the submitter's side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Refusal, Stale
from fairlead.common.returned import NOTHING, Returned
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from .approval_answers import find_request
from .approval_screens import house_currency, line_of, screen_of
from .approval_words import kind_name, row_name
from .models import ApprovalQuestion
from .refusals import ApprovalDecided, ApprovalRefused
from .selectors.approval_inbox import PAGE, TABS, Item, detail, inbox, items_of, next_after, waiting_count
from .services import approval_handing, approving

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
    return inbox_page(request, number_in(request.GET.get("item")))


def inbox_page(request: HttpRequest, chosen: int, *, returned: Returned = NOTHING) -> HttpResponse:
    """The list with one item beside it. Without an item the first stands there, on a phone the list alone."""
    user: Any = request.user
    at = timezone.now()
    tab = request.GET.get("tab", "todo")
    tab = tab if tab in TABS else "todo"
    start = min(number_in(request.GET.get("from")), 100_000)
    items, following = inbox(user, tab, start=start)
    currency = house_currency()
    row = None
    if chosen:
        row = find_request(user, chosen)
    elif items:
        row = items[0].request
    here = reverse("process:approvals")
    counts = {"todo": waiting_count(user)}
    names = {
        "todo": _("To decide"), "done": _("Decided"), "mine": _("Asked by me"), "copies": _("Copies"),
    }  # fmt: skip
    lines = [line_of(item, user, at=at, tab=tab, currency=currency) for item in items]
    places = [line["pk"] for line in lines]
    at_place = places.index(row.pk) if row is not None and row.pk in places else -1
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
        "is_chosen": bool(chosen),
        "list_url": f"{here}?tab={tab}",
        "screen": None,
        "returned": returned,
        "together": _together(items) if tab == "todo" else [],
        "next_url": lines[at_place + 1]["url"] if 0 <= at_place < len(lines) - 1 else "",
        "back_url": lines[at_place - 1]["url"] if at_place > 0 else "",
    }  # fmt: skip
    if row is not None:
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


def _together(items: list[Item]) -> list[dict[str, Any]]:
    """Rules that ask for several of these, of the lowest tier: they can be approved together."""
    found: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        if is_plain(item):
            found.setdefault((item.request.kind, next(iter(item.rows_asked))), []).append(item)
    here = reverse("process:approvals_together")
    return [
        {
            "url": f"{here}?{urlencode({'kind': kind, 'rule': rule})}",
            "n": len(rows),
            "name": rule_name(rows[0]),
        }
        for (kind, rule), rows in found.items()
        if len(rows) > 1
    ]


def is_plain(item: Item) -> bool:
    """Whether it may be approved with others: one rule, of the lowest tier of its lever, in one's own name."""
    kind = item.kind
    if kind is None or len(item.rows_asked) != 1 or any(seat.because for seat in item.seats):
        return False
    row = kind.row(next(iter(item.rows_asked)))
    return row is not None and row.tier == min(r.tier for r in kind.rows if r.lever == row.lever)


def rule_name(item: Item) -> str:
    kind = item.kind
    row = kind.row(next(iter(item.rows_asked))) if kind else None
    name = kind_name(item.definition, item.request.kind)
    return f"{name}: {row_name(row)}" if row is not None else name


# --- acts ---


@access("approval.decide")
@require_POST
def approval_act(request: HttpRequest, pk: int) -> HttpResponse:
    """One act on one request; then the next item opens. What is refused comes back with all that was typed."""
    user: Any = request.user
    find_request(user, min(pk, MAX_ID))
    act = request.POST.get("act", "")
    following = next_after(user, pk)
    try:
        said = _do(act, pk, request.POST, user)
    except Stale:
        changed = _("The content has changed since you opened it. Look again, then decide.")
        refusal = Stale(changed)
        return inbox_page(request, pk, returned=Returned.of("act", request.POST, refusal))
    except (Invalid, ApprovalRefused, ApprovalDecided) as refusal:
        return inbox_page(request, pk, returned=Returned.of("act", request.POST, refusal))
    messages.info(request, said)
    if act in ("ask", "add") and following != pk:
        still = items_of([pk], user)
        following = pk if still and still[0].seats else following
    here = reverse("process:approvals")
    return redirect(f"{here}?item={following}" if following else here)


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


# --- several at once ---


@access("approval.decide")
def approvals_together(request: HttpRequest) -> HttpResponse:
    """Approve what the same rule asks, of the lowest tier; each has its own result, and none stops the others."""
    user: Any = request.user
    at = timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    kind, rule = asked.get("kind", "")[:60], asked.get("rule", "")[:60]
    items, _next = inbox(user, "todo")
    fitting = [i for i in items if is_plain(i) and i.request.kind == kind and i.rows_asked == {rule}]
    currency = house_currency()
    context: dict[str, Any] = {
        "nav_at": NAV,
        "kind": kind,
        "rule": rule,
        "name": rule_name(fitting[0]) if fitting else "",
        "results": None,
    }
    if request.method == "POST":
        wanted = {number_in(pk) for pk in request.POST.getlist("item")}
        comment = clean_text(
            request.POST.get("comment", ""), limit=MAX_WORDS, multiline=True, field="comment"
        )
        versions = {
            number_in(k): number_in(v)
            for k, _sep, v in (x.partition(":") for x in request.POST.getlist("of"))
        }
        context["results"] = approve_together(
            fitting, wanted, versions=versions, comment=comment, by=user, channel=Channel.UI
        )
    context["lines"] = [
        line_of(item, user, at=at, tab="todo", currency=currency) | {"version": item.request.version}
        for item in fitting
    ]
    return page(request, "process/approvals_together.html", context)


def approve_together(
    fitting: list[Item], wanted: set[int], *, versions: Mapping[int, int], comment: str, by: Any, channel: str
) -> list[dict[str, Any]]:
    """The result of each: what cannot be approved says why and stays as it was."""
    found = []
    at_hand = {item.request.pk: item for item in fitting}
    for pk in sorted(wanted):
        item = at_hand.get(pk)
        if item is None:
            found.append({"pk": pk, "title": f"#{pk}", "done": False, "code": "not-together",
                          "text": _("This is not among what one rule asks of you; decide it by itself.")})  # fmt: skip
            continue
        title = item.journey.title
        try:
            approving.decide(
                pk,
                approves=True,
                comment=comment,
                version=versions.get(pk),
                by=by,
                at=timezone.now(),
                channel=channel,
            )
        except Refusal as refusal:
            found.append(
                {"pk": pk, "title": title, "done": False, "code": refusal.code, "text": str(refusal.message)}
            )
        else:
            found.append({"pk": pk, "title": title, "done": True, "code": "", "text": _("Approved")})
    return found
