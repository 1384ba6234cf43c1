"""The page of a deal: path, checklist, next step, and tabs with everything that is known of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page, render
from fairlead.common.returned import NOTHING, Returned
from fairlead.fields.catalogue import pick
from fairlead.process.definition import Definition
from fairlead.process.engine import branch_since, legal_moves
from fairlead.process.enums import CLOSED_STATES, JourneyState, Kind, Outcome
from fairlead.process.fit_reading import fit_context
from fairlead.process.handbook_words import handbook_words
from fairlead.process.handbooks import handbook_of
from fairlead.process.models import Evaluation
from fairlead.process.selectors.flags import flags_of
from fairlead.process.services.asking import NOTE
from fairlead.process.views_asking import record_panel
from fairlead.process.views_clocks import panel_context
from fairlead.process.words import criterion_name, objection_text, stage_name
from fairlead.work.enums import ActivityKind, ActivityOutcome
from fairlead.work.selectors.lines import box as line_box

from ..enums import BuyingRole
from ..models import ContactRole
from ..rules import reaches
from ..sections import tabs_of
from ..selectors import timeline
from ..selectors.deal import Deal, deal_page, find_deal
from ..selectors.deal_team import TeamWork, team_work
from ..selectors.fields import groups_of
from ..selectors.history import Edits, changes_of, edits_of
from ..selectors.paths import checklist_of, path_of
from ..wording import words_on
from .deal_team_words import team_context
from .given_process import left_words
from .merge_words import merge_context, merged_into
from .panel_words import move_name
from .shared import notes
from .successors import successor_words

TABS = ("timeline", "fields", "people", "team", "files", "history")
MOVE_ICONS = {
    Kind.SKIP: "arrow-right",
    Kind.REGRESS: "corner-up-left",
    Kind.CLOSE_WON: "trophy",
    Kind.CLOSE_LOST: "x",
    Kind.HOLD: "player-pause",
    Kind.RESUME: "player-play",
    Kind.REOPEN: "refresh",
    Kind.BRANCH: "git-branch",
}


@access("opportunity.view")
@require_safe
def opportunity(request: HttpRequest, pk: int) -> HttpResponse:
    tab = request.GET.get("tab", "timeline")
    return opportunity_page(request, pk, tab if tab in TABS else "timeline")


def opportunity_page(
    request: HttpRequest, pk: int, tab: str, *, returned: Returned = NOTHING
) -> HttpResponse:
    """The page with this tab; a small form of it that was refused stands there as it was sent."""
    context = deal_context(request, pk, tab) | {"returned": returned}
    if piece_wanted(request) == "state":
        # The head and the path come in their place; the gate and the next step follow to theirs.
        pieces = [
            render(request, "crm/opportunity.html", context | {"oob": name != "state"}, block=name)
            for name in ("state", "gate", "beside")
        ]
        return HttpResponse("".join(pieces))
    return page(request, "crm/opportunity.html", context, block=piece_wanted(request), status=returned.status)


def piece_wanted(request: HttpRequest) -> str | None:
    """The piece of the page that HTMX asked for, by the id it goes to."""
    target = getattr(getattr(request, "htmx", None), "target", None) or ""
    return {"tab": "tab", "state": "state", "more": "older"}.get(target)


def deal_context(request: HttpRequest, pk: int, tab: str) -> dict[str, Any]:
    """What the page of a deal shows; rooms above use it for their own tabs."""
    user: Any = request.user
    at = timezone.now()
    row = find_deal(user, pk)
    kind = request.GET.get("show", "")
    kind = kind if kind in timeline.KINDS else ""
    events = (
        timeline.events_of(
            "opportunity", pk, kind=kind, before=request.GET.get("before", ""), also=merged_into(row)
        )
        if tab == "timeline"
        else None
    )
    edits = edits_of("opportunity", pk) if tab == "history" else None
    team = team_work(row) if tab == "team" else None
    told = events or edits or team
    deal = deal_page(
        row,
        by=user,
        at=at,
        event_people=list(told.people) if told else (),
        comment_ids=events.comments if events else (),
    )
    may_edit = reaches(user, "opportunity.edit", row)
    url = reverse("crm:opportunity", args=[pk])
    context: dict[str, Any] = {
        "nav_at": "opportunities",
        "row": row,
        "deal": deal,
        "tab": tab,
        "page_at": url,
        "may_edit": may_edit,
        "subject": ("opportunity", pk),
        "line": line_box("opportunity", pk),
        "oob": False,
        "notes": notes(request),
        "today": timezone.localdate(at),
        **_head(deal, user, at),
        **_state(deal, user, at, may_edit),
        **panel_context(
            deal.journey,
            may_acknowledge=reaches(user, "opportunity.move", row),
            at=at,
            page_at=url,
            visits=deal.visits,
            policy=deal.definition.clocks,
            calendar=deal.calendar,
        ),
        "approvals": _approvals(deal, user, at),
        "tabs": _tabs(deal, user, tab, url),
        "other_way": _other_way(deal),
        "better_fit": _better_fit(deal, user, at),
        **merge_context(row, user, at),
        "left": left_words(row, user),
        "successor": successor_words(row, user, reopen_days=deal.definition.reopen_days, at=at),
    }
    if events is not None:
        return context | timeline_context(request, deal, user, events, kind, url, may_edit=may_edit)
    return context | _tab(tab, deal, user, at, edits or team, may_edit=may_edit)


def _tab(
    tab: str, deal: Deal, user: Any, at: datetime, read: Edits | TeamWork | None, *, may_edit: bool
) -> dict[str, Any]:
    """What each tab but the timeline shows; `read`: what was asked for it before the page, which names its people."""
    if tab == "fields":
        return {
            "groups": groups_of(
                "opportunity",
                deal.row,
                deal.catalogue,
                user,
                may_edit=may_edit,
                definition=deal.definition,
                known=_known(deal),
            )
        }
    if tab == "people":
        return {
            "roles": [_role(r) for r in deal.roles],
            "contacts": deal.names.options,
            "buying_roles": BuyingRole.choices,
            "may_add_contact": user.may("contact.create"),
        }
    if isinstance(read, TeamWork):
        return team_context(deal, read, user, at)
    if tab == "files":
        return {"file_kinds": document_kinds(deal.definition), "files": deal.files[::-1]}
    if read is not None:
        return {
            "changes": changes_of(read, reader=user, fields=deal.catalogue, people=deal.names.people),
            "attempts": attempts_of(deal.journey.pk, deal.definition),
        }
    return {}


def _approvals(deal: Deal, user: Any, at: Any) -> dict[str, Any] | None:
    may_ask = deal.journey.state == JourneyState.OPEN and reaches(user, "opportunity.move", deal.row)
    return record_panel(deal.journey, deal.definition, deal.facts, user, at=at, may_ask=may_ask)


# --- the head, the path and the gate ---


def _head(deal: Deal, user: Any, at: Any) -> dict[str, Any]:
    row, journey = deal.row, deal.journey
    held = {role for role, _pk, _name in deal.team}
    missing = [role for role in ("AR", "SR", "FR") if role not in held]
    closed = journey.state in CLOSED_STATES
    outcome = str(Outcome(journey.outcome).label) if journey.outcome else ""
    reason = deal.definition.reason("lost", journey.reason_code) if journey.reason_code else None
    return {
        "account": row.account if row.account is not None else None,
        "amount": format_amount(row.amount, row.currency),
        "close": words_on(timezone.localdate(at)).short_date(row.expected_close_date),
        "closed": closed,
        "late": bool(
            row.expected_close_date and not closed and row.expected_close_date < timezone.localdate(at)
        ),
        "team": [{"name": name, "tint": person, "role": role} for role, person, name in deal.team],
        "team_words": _("full deal team")
        if not missing
        else _("no %(roles)s yet") % {"roles": " · ".join(missing)},
        "outcome": f"{outcome} · {pick(reason.name)}" if reason else outcome,
        "process_name": pick(deal.definition.name),
    }


def _state(deal: Deal, user: Any, at: Any, may_edit: bool) -> dict[str, Any]:
    row, verdict = deal.row, deal.verdict
    owners = {role: name for role, _pk, name in deal.team}
    step = deal.planned[0] if deal.planned else None
    may_move = reaches(user, "opportunity.move", row)
    gaps = len(verdict.gaps) if verdict is not None else 0
    flagged = flags_of(deal.definition, deal.facts, deal.calendar, deal.flagged)
    return {
        "path": path_of(
            deal.definition,
            deal.journey,
            deal.facts,
            verdict,
            deal.visits,
            deal.calendar,
            waived={w.criterion_key for w in deal.waivers},
            flagged=flagged,
            at=at,
        ),
        "gate": checklist_of(
            deal.definition,
            deal.facts,
            verdict,
            deal.catalogue,
            people=deal.names.people,
            owners=owners,
            flagged=flagged,
        ),
        "handbook": _handbook(deal, at),
        "handbook_used": reverse("crm:handbook_used", args=[row.pk]) if user.may(NOTE) else "",
        "soft": deal.facts.journey.soft and deal.journey.state == JourneyState.OPEN,
        "enforced_from": deal.journey.process_version.process.enforced_from,
        "step": step,
        "step_chip": words_on(timezone.localdate(at)).next_step(
            step.due_at if step else None, step.kind if step else "", step.summary if step else ""
        ),
        "planned": deal.planned,
        "may_move": may_move,
        "moves": _moves(deal) if may_move else [],
        "forward": verdict.wish if verdict is not None else None,
        "gaps": gaps,
        "forward_words": _forward_words(deal, gaps),
        "panel_url": reverse("crm:panel", args=[row.pk]),
        "move_url": reverse("crm:move", args=[row.pk]),
    }


def _handbook(deal: Deal, at: Any) -> dict[str, Any] | None:
    """How this stage is done, beside its checklist; nothing once the deal is closed (PB-1)."""
    if deal.journey.state in CLOSED_STATES:
        return None
    stage = deal.definition.stage(deal.facts.journey.stage_key)
    return handbook_words(handbook_of(stage, deal.facts.fields, now=at), deal.definition)


def _forward_words(deal: Deal, gaps: int) -> str:
    if deal.verdict is None:
        return ""
    name = _("Mark won") if deal.verdict.wish.kind == Kind.CLOSE_WON else _("Move on")
    if not gaps:
        return name
    return ngettext("%(act)s · %(count)s left", "%(act)s · %(count)s left", gaps) % {
        "act": name,
        "count": gaps,
    }


def _better_fit(deal: Deal, user: Any, at: datetime) -> dict[str, Any] | None:
    """Another process that the rules would choose now, for whoever may send the deal there (PD-4)."""
    row: Any = deal.row  # with what its query was asked beside
    if not row.has_rules or not reaches(user, "opportunity.move", row):
        return None
    return fit_context(deal.journey, deal.facts.fields, deal.catalogue, user, at=at)


def _other_way(deal: Deal) -> dict[str, str] | None:
    """A fork behind the deal that would lead elsewhere now: said, never done by itself (MV-4)."""
    since = branch_since(deal.definition, deal.facts)
    if since is None:
        return None
    return {
        "fork": pick(deal.definition.stage(since.fork).name),
        "to": pick(deal.definition.stage(since.to).name),
        "url": f"{reverse('crm:panel', args=[deal.row.pk])}?kind={Kind.BRANCH}&to={since.to}",
    }


def _moves(deal: Deal) -> list[dict[str, str]]:
    """Every legal move but the plain next one, which has its own button."""
    plain = deal.verdict.wish if deal.verdict is not None else None
    panel = reverse("crm:panel", args=[deal.row.pk])
    return [
        {
            "text": str(move_name(deal.definition, m.kind, m.to)),
            "icon": MOVE_ICONS.get(m.kind, "arrow-right"),
            "url": f"{panel}?kind={m.kind}&to={m.to}",
        }
        for m in legal_moves(deal.definition, deal.facts)
        if plain is None or (m.kind, m.to) != (plain.kind, plain.to)
    ]


def _tabs(deal: Deal, user: Any, tab: str, url: str) -> list[dict[str, Any]]:
    counts = {"people": len(deal.roles), "files": sum(f.withdrawn_at is None for f in deal.files)}
    names = {
        "timeline": _("Timeline"),
        "fields": _("Fields"),
        "people": _("Decision makers"),
        "team": _("Deal team"),
        "files": _("Files"),
        "history": _("History"),
    }
    items = [
        {"text": names[key], "url": f"{url}?tab={key}", "current": key == tab, "count": counts.get(key)}
        for key in TABS
    ]
    extra = [
        {
            "text": localized(t.label),
            "url": reverse(t.url_name, args=[deal.row.pk]),
            "current": t.key == tab,
            "count": None,
        }
        for t in tabs_of("opportunity")
        if user.may(t.right)
    ]
    return [*items[:5], *extra, *items[5:]]


# --- tabs ---


def timeline_context(
    request: HttpRequest,
    deal: Deal,
    user: Any,
    events: timeline.Slice,
    kind: str,
    url: str,
    *,
    may_edit: bool,
) -> dict[str, Any]:
    people = dict(deal.names.people)
    teller = timeline.Teller(
        reader=user,
        fields=deal.catalogue,
        people=people,
        comments=deal.names.comments,
        remarks=deal.names.remarks,
        contacts=deal.names.contacts,
        activities=deal.activities_of(events.events),
        files=deal.files,
        definitions={deal.definition.key: deal.definition},
        at=timezone.now(),
    )
    return {
        "entries": teller.entries(events.events),
        "older_url": f"{url}?show={kind}&before={events.older}" if events.older else "",
        "show": kind,
        "kinds": kind_choices(kind, url),
        **adding(request, url, may_edit=may_edit),
        "contacts": deal.names.options,
        **work_choices(),
        "begin": "before" not in request.GET,
    }


def kind_choices(kind: str, url: str) -> list[dict[str, Any]]:
    names = {
        "": _("All"),
        "work": _("Activities"),
        "stage": _("Stages"),
        "gate": _("Gates"),
        "comment": _("Comments"),
        "file": _("Files"),
        "edit": _("Changes"),
    }
    return [{"text": text, "url": f"{url}?show={key}", "current": key == kind} for key, text in names.items()]


def adding(request: HttpRequest, url: str, *, may_edit: bool) -> dict[str, Any]:
    """What this reader may add to the timeline, and what they have chosen: a comment asks for no right to edit."""
    user: Any = request.user
    names = {"log": _("Log"), "plan": _("Plan")} if may_edit else {}
    if user.may("comment.add"):
        names["comment"] = pgettext("on a move", "Comment")
    add = request.GET.get("add", "log")
    add = add if add in names else next(iter(names), "")
    return {
        "add": add,
        "add_choices": [
            {"text": text, "url": f"{url}?add={key}#add", "current": key == add}
            for key, text in names.items()
        ],
    }


def work_choices() -> dict[str, Any]:
    now = timezone.localtime()
    return {
        "activity_kinds": ActivityKind.choices,
        "outcomes": ActivityOutcome.choices,
        "now_text": now.strftime("%Y-%m-%dT%H:%M"),
    }


def _role(role: ContactRole) -> dict[str, Any]:
    stances = {2: _("Champion"), 1: _("For us"), 0: _("Neutral"), -1: _("Against us"), -2: _("Blocker")}
    depths = {0: _("no contact"), 1: _("met"), 2: _("in touch"), 3: _("open talk"), 4: _("mutual trust")}
    return {
        "pk": role.pk,
        "contact": role.contact,
        "url": reverse("crm:contact", args=[role.contact_id]),
        "role": str(BuyingRole(role.role).label),
        "stance": stances[role.stance],
        "depth": depths[role.depth],
        "influence": role.influence,
        "left": role.contact.left_at is not None,
        "state": "won" if role.stance > 0 else "lost" if role.stance < 0 else "planned",
    }


def document_kinds(definition: Definition | None) -> list[tuple[str, str]]:
    """Kinds of documents that the gates of the process ask for, then what anybody files."""
    found: dict[str, str] = {}
    for _stage, _side, criterion in definition.criteria() if definition is not None else ():
        for one in (criterion, *criterion.children):
            if one.type == "document":
                found.setdefault(str(one.params["kind"]), pick(one.name))
    common = {
        "contract": _("Contract"),
        "proposal": _("Proposal"),
        "tender_published": _("Tender notice"),
        "award_notice": _("Award notice"),
        "minutes": _("Minutes"),
        "other": _("Other document"),
    }
    return [*found.items(), *((key, text) for key, text in common.items() if key not in found)]


def attempts_of(journey_id: int, definition: Definition) -> list[dict[str, Any]]:
    """The newest attempts to move, with what stood in the way. The facts behind them are for replays."""
    rows = (
        Evaluation.objects.filter(journey=journey_id)
        .select_related("by")
        .defer("facts")
        .order_by("-at", "-pk")[:30]
    )
    return [
        {
            "at": e.at,
            "who": e.by.name if e.by is not None else _("Fairlead"),
            "allowed": e.allowed,
            "what": str(Kind(e.kind).label) if e.kind in Kind.values else e.kind,
            "to": stage_name(definition, e.to_stage) if e.to_stage else "",
            "channel": e.get_channel_display(),
            "lacking": [
                criterion_name(definition, r["key"])
                for r in e.results
                if r.get("level") == "block" and r.get("state") not in ("met", "waived", "na")
            ],
            "objections": [objection_text(o) for o in e.objections],
        }
        for e in rows
    ]


def _known(deal: Deal) -> dict[tuple[str, int], str]:
    found = {("user", pk): name for pk, name in deal.names.people.items()}
    if deal.row.account is not None:
        found["account", deal.row.account.pk] = deal.row.account.name
    return found
