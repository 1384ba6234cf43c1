"""The inbox of approvals for machines: what waits, cases alike, several at once, calling to mind, the register."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router

from fairlead.common.access import access
from fairlead.common.refusals import Invalid
from fairlead.common.rest import PathId
from fairlead.common.text import clean_text
from fairlead.journal.enums import Channel

from .answers import find_journey
from .api_overrides import request_out as override_out
from .approval_answers import find_request, request_out, requests_out
from .approval_easing import eases
from .approval_forecast import ease_words, usual_words
from .approval_screens import house_currency, screen_of
from .approval_times import usual_time
from .models import Precedent
from .recording import plain
from .refusals import ApprovalRefused
from .schemas_approval_inbox import (
    EaseIn,
    EaseOut,
    InboxOut,
    PrecedentOut,
    PrecedentSettleIn,
    PrecedentsOut,
    ScreenOut,
    Tab,
    TogetherIn,
    TogetherOut,
)
from .schemas_approvals import ApprovalOut
from .selectors.approval_inbox import detail
from .selectors.gathering import situations
from .selectors.waiting import count_waiting, queue, tab_of
from .services.approval_nudging import nudge
from .services.precedents import settle_precedent
from .together import approve_together, is_plain, let_pass_together
from .views_asking import _kind, tried_values
from .views_delegating import seen_precedents

router = Router(tags=["approvals"])
Start = Annotated[int, Query(alias="from", ge=0, le=100_000)]


@router.get("/approvals", response=InboxOut, operation_id="approvals_inbox")
@access("process.view", api=True)
def waiting(request: HttpRequest, tab: Tab = "todo", start: Start = 0) -> dict[str, Any]:
    """What waits for your decision (`todo`), what you decided (`done`), asked for (`mine`) or were shown (`copies`).
    Requests to let something pass stand among them; `order` says how the two follow each other."""
    lines, following = tab_of(request.user, tab, start=start)
    return {
        "waiting": count_waiting(request.user),
        "items": requests_out([one.item.request for one in lines if one.item], reader=request.user),
        "overrides": [override_out(one.asked) for one in lines if one.asked],
        "order": [{"kind": one.kind, "id": one.pk} for one in lines],
        "next": following or None,
    }


@router.get("/approvals/{id:pk}/screen", response=ScreenOut, operation_id="approvals_screen")
@access("process.view", api=True)
def screen(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """What a decision needs: why it was asked, values beside limits and what was approved last, cases alike."""
    user: Any = request.user
    found = screen_of(
        detail(find_request(user, pk), user, at=timezone.now()),
        user,
        at=timezone.now(),
        currency=house_currency(),
    )
    return {
        "request": pk, "reasons": found["reasons"], "may_decide": found["may_decide"], "has_moved": found["has_moved"],
        "terms": [{k: t[k] for k in ("name", "now", "limit", "before", "changed", "near", "fired")} for t in found["terms"]],
        "compared": found["compared"],
        "cases": [{k: c[k] for k in ("title", "shown", "when", "same")} for c in found["cases"]],
    }  # fmt: skip


@router.post("/journeys/{id:pk}/approvals/easier", response=EaseOut, operation_id="approvals_easier")
@access("signed-in", api=True)
def easier(request: HttpRequest, pk: PathId, payload: EaseIn) -> dict[str, Any]:
    """The change that would need nobody, and how long the approval usually takes. Changes nothing."""
    user: Any = request.user
    journey = find_journey(user, pk)
    at = timezone.now()
    situation = situations([journey], at=at)[journey.pk]
    kind = _kind(situation.definition, payload.kind)
    given, _wrong = tried_values(kind, {f"v_{k}": str(v) for k, v in payload.values.items()}, user)
    changes = eases(kind, {**situation.facts.fields, **given}, at=at)
    usually = usual_time(kind.key)
    readable = all(change.spec.readable_by(user) for change in changes)
    return {
        "kind": kind.key, "text": ease_words(changes, user),
        "changes": [
            {"field": c.spec.key, "direction": c.direction, "value": plain(c.value)} for c in changes if readable
        ],
        "usually": {"n": usually.n, "enough": usually.enough, "median_hours": usually.median, "p90_hours": usually.p90},
        "usually_text": usual_words(usually),
    }  # fmt: skip


@router.post("/approvals/together", response=TogetherOut, operation_id="approvals_together")
@access("approval.decide", api=True)
def together(request: HttpRequest, payload: TogetherIn) -> dict[str, Any]:
    """Approve requests of one rule of the lowest tier that ask you, and let `overrides` pass; each has its own result,
    none stops the others."""
    waiting, _next = queue(request.user)
    wanted = set(payload.requests)
    if not wanted and not payload.overrides:
        raise Invalid.field("requests", _("Name at least one request."))
    chosen = [one.item for one in waiting if one.item and one.pk in wanted and is_plain(one.item)]
    rules = {(i.request.kind, *i.rows_asked) for i in chosen}
    if len(rules) > 1:
        raise ApprovalRefused(code="approval-several-rules", details={"rules": sorted(r[1] for r in rules)})
    results = approve_together(
        chosen,
        wanted,
        versions=dict(payload.versions),
        comment=payload.comment,
        by=request.user,
        channel=Channel.API,
    )
    passed = let_pass_together(
        [one.asked for one in waiting if one.asked],
        set(payload.overrides),
        comment=payload.comment,
        by=request.user,
        channel=Channel.API,
    )
    return {
        "items": [
            {"request": None, "override": None, name: r["pk"], "done": r["done"], "code": r["code"], "text": str(r["text"])}
            for name, rows in (("request", results), ("override", passed))
            for r in rows
        ]
    }  # fmt: skip


@router.post("/approvals/{id:pk}/nudge", response=ApprovalOut, operation_id="approvals_nudge")
@access("signed-in", api=True)
def remind(request: HttpRequest, pk: PathId) -> dict[str, Any]:
    """Remind those who are asked; 422 `approval-nudged` where they were a short while ago."""
    user: Any = request.user
    find_request(user, pk)
    return request_out(nudge(pk, by=user, at=timezone.now(), channel=Channel.API), reader=user)


@router.get("/precedents", response=PrecedentsOut, operation_id="precedents_list")
@access("process.view", api=True)
def register(
    request: HttpRequest, kind: Annotated[str, Query(pattern=r"^[a-z0-9_]{0,60}$")] = "", start: Start = 0
) -> dict[str, Any]:
    """Exceptions that were granted on records that you see, the newest first, 50 at a time."""
    user: Any = request.user
    rows = list(seen_precedents(user, kind)[start : start + 51])
    return {
        "items": [_precedent_out(row, user) for row in rows[:50]],
        "next": start + 50 if len(rows) > 50 else None,
    }


def _precedent_out(row: Precedent, user: Any) -> dict[str, Any]:
    from fairlead.fields.catalogue import catalogue

    return {
        "id": row.pk, "subject_type": row.subject_type, "subject_id": row.subject_id, "kind": row.kind,
        "lever": row.lever, "row": row.row_key, "tier": row.tier, "granted_at": row.granted_at,
        "expires_at": row.expires_at, "state": row.state, "note": row.note,
        "values": {
            key: value
            for key, value in row.values.items()
            if (spec := catalogue(row.subject_type).get(key)) is None or spec.readable_by(user)
        },
    }  # fmt: skip


@router.post("/precedents/{id:pk}/settle", response=PrecedentOut, operation_id="precedents_settle")
@access("process.publish", api=True)
def settle(request: HttpRequest, pk: PathId, payload: PrecedentSettleIn) -> dict[str, Any]:
    """Say what becomes of an exception that recurs: made a policy, or not to come again. 409 `already-decided`."""
    row = settle_precedent(
        pk,
        state=payload.state,
        note=clean_text(payload.note, limit=2000, multiline=True, field="note"),
        by=request.user,
        at=timezone.now(),
        channel=Channel.API,
    )
    return _precedent_out(row, request.user)
