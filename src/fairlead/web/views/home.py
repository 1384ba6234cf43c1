"""The first page after sign-in."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.crm import wording
from fairlead.crm.models import Opportunity, RoleQuestion
from fairlead.crm.selectors.deal_team import waiting_for
from fairlead.organisation.models import Organisation
from fairlead.organisation.selectors import calendars, colleagues_away
from fairlead.process.clock_words import track_name
from fairlead.process.definitions import clock_policy_of
from fairlead.process.enums import ClockKind
from fairlead.process.models import Clock, Journey
from fairlead.process.selectors.overrides import to_decide
from fairlead.web.frame import frame_of
from fairlead.web.navigation import CREATE, doors
from fairlead.web.selectors.day import Block, Day, Meeting, Month, load_day
from fairlead.web.selectors.first_steps import first_steps
from fairlead.work.selectors.lines import box as line_box

SCOPES = ("mine", "all")
MOST_AWAY = 12
EVENING = 17  # o'clock, where the person is


@access("signed-in")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """My day: which deals want a hand, and why; for whoever sees no deals, what else is open to them."""
    user: Any = request.user
    at = timezone.now()
    notes = [{"text": str(note), "undo": note.extra_tags or ""} for note in messages.get_messages(request)]
    context: dict[str, Any] = {"nav_at": "home", "notes": notes, "day": None, "guide": _guide(user, at)}
    if not user.may("opportunity.view"):
        return page(request, "web/home.html", context)
    scope = request.GET.get("scope", "")
    day = load_day(user, at=at, scope=scope if scope in SCOPES else "")
    context |= {
        "day": day, "blocks": [_block(block, day, at) for block in day.blocks if block.count],
        "meetings": [_meeting(meeting, at) for meeting in day.meetings],
        "month": _month(day.month) if day.month and day.open_deals else None,
        "scopes": [
            {"text": text, "url": f"?scope={key}", "current": key == day.scope}
            for key, text in (("mine", _("Mine")), ("all", _("All I see")))
        ],
        "asked": _asked(user, at),
        # The frame of the page has counted the approvals already.
        "approvals_asked": dict(frame_of(request)["counts"])["approvals"] + to_decide(user).count(),
        "pieces": _pieces(user, at), "away": _away(request, user, at),
        "create": next(iter(doors(CREATE[:1], user)), None),
        "line": line_box() if day.open_deals and user.may("opportunity.edit") else None,
    }  # fmt: skip
    return page(request, "web/home.html", context)


def _away(request: HttpRequest, user: Any, at: datetime) -> dict[str, Any] | None:
    """Until when one is away oneself, and colleagues who are today. Asked only where anybody has leave at all."""
    if not frame_of(request)["own_time"]:
        return None
    book, today, words = calendars(), timezone.localdate(at), wording.words_on(timezone.localdate(at))
    mine = book.away(today).get(user.pk)
    away = colleagues_away(user, book, today, today)
    others = [
        _("%(name)s until %(day)s") % {"name": name, "day": words.short_date(last)}
        for name, _first, last in away[:MOST_AWAY]
    ]
    if len(away) > MOST_AWAY:
        others.append("…")
    if not mine and not away:
        return None
    return {"mine": words.short_date(mine) if mine else "", "count": len(away), "others": others}


def _pieces(user: Any, at: datetime) -> list[dict[str, str]]:
    """What comes after the page by itself: last week on Mondays, the day in three lines from five in the afternoon."""
    local = at.astimezone(user.tz)
    wanted = [(_("Weekly summary"), "insight:week", local.weekday() == 0)]
    wanted.append((_("The day in three lines"), "insight:day", local.hour >= EVENING))
    return [{"text": text, "url": url} for text, name, now in wanted if now and (url := _address(name))]


def _block(block: Block, day: Day, at: datetime) -> dict[str, Any]:
    titles = {
        "due": _("To do today"), "ready": _("Ready to move on"), "over": _("Over time"), "none": _("No next step"),
    }  # fmt: skip
    query = {"due": "", "ready": "&gate=ready", "over": "", "none": "&next=none"}[block.kind]
    return {
        "kind": block.kind, "title": titles[block.kind], "count": block.count,
        "rows": [_row(deal, block.kind, day, at) for deal in block.deals],
        "url": f"{board}?scope={day.scope}{query}" if (board := _address("crm:board")) else "",
        "rest": block.count - len(block.deals),
    }  # fmt: skip


def _row(deal: Opportunity, kind: str, day: Day, at: datetime) -> dict[str, Any]:
    journey: Any = deal.journey
    step = (journey.next_step_at, journey.next_step_kind, journey.next_step_text)
    clock = day.clocks.get(journey.pk)
    return {
        "title": deal.name, "account": deal.account.name if deal.account else "",
        "url": _address("crm:opportunity", deal.pk), "amount": format_amount(deal.amount, deal.currency),
        "stage": localized(journey.stage.name), "owner": deal.owner, "gate": wording.gate_of(journey),
        "next": wording.next_step(*step, timezone.localdate(at)),
        "over": _over(clock, journey, at) if clock else "", "act": _act(deal, kind, day),
        "step": day.steps.get(deal.pk), "kind": kind,
    }  # fmt: skip


def _act(deal: Opportunity, kind: str, day: Day) -> dict[str, str] | None:
    """The one act that helps most, done from here: `target` is where its form opens."""
    if kind == "ready":
        text, icon, url, target = (
            pgettext("act", "Move on"),
            "arrow-right",
            _address("crm:panel", deal.pk),
            "#panel",
        )
    elif day.scope != "mine":
        return None
    elif kind == "due":
        step = day.steps.get(deal.pk)
        text, icon, url, target = (
            _("Done"),
            "check",
            _address("work:complete", step.pk) if step else "",
            "#dialog",
        )
    else:
        url = _address("work:plan", "opportunity", deal.pk)
        text, icon, target = pgettext("act", "Plan"), "calendar-plus", "#dialog"
    return {"text": text, "icon": icon, "url": url, "target": target} if url else None


def _over(clock: Clock, journey: Journey, at: datetime) -> str:
    days = max((at - (clock.breached_at or clock.red_at or at)).days, 0)
    said = ngettext("%(clock)s: over for %(n)s day", "%(clock)s: over for %(n)s days", days)
    name = str(ClockKind(clock.kind).label)
    if clock.kind == ClockKind.TRACK:
        policy, _number = clock_policy_of(journey.process_version_id)
        track = policy.tracks.get(journey.stage.key, {}).get(clock.key)
        name = track_name(track.name, track.role) if track is not None else name
    return said % {"clock": name, "n": days}


def _meeting(meeting: Meeting, at: datetime) -> dict[str, Any]:
    """What one wants to know at the door: when, what about, the last contact, what is still missing."""
    deal, due = meeting.deal, meeting.activity.due_at or at
    facts = [
        deal.account.name if deal.account else "",
        localized(deal.journey.stage.name) if deal.journey else "",
    ]
    if meeting.last_contact_at:
        facts.append(
            _("last contact %(day)s")
            % {"day": date_format(timezone.localtime(meeting.last_contact_at), "MONTH_DAY_FORMAT")}
        )
    if deal.journey and deal.journey.gate_missing:
        count = deal.journey.gate_missing
        facts.append(ngettext("%(n)s item missing", "%(n)s items missing", count) % {"n": count})
    return {
        "time": timezone.localtime(due).strftime("%H:%M"), "title": meeting.activity.summary, "deal": deal.name,
        "url": _address("crm:opportunity", deal.pk), "about": " · ".join(filter(None, facts)),
        "done_url": _address("work:complete", meeting.activity.pk),
    }  # fmt: skip


def _asked(user: Any, at: datetime) -> list[dict[str, Any]]:
    """What colleagues wait for: hand-overs to answer and questions to one's role, the earliest due first."""
    found = waiting_for(user)
    words = wording.words_on(timezone.localdate(at))
    today: list[dict[str, Any]] = []
    rows: list[Any] = [*found.hand_overs, *found.questions]
    for row in rows:
        is_question = isinstance(row, RoleQuestion)
        day = words.short_date(timezone.localdate(row.due_at))
        late = row.due_at < at
        today.append(
            {
                "title": row.question
                if is_question
                else _("Hand-over %(way)s: accept or return") % {"way": f"{row.from_role} → {row.to_role}"},
                "icon": "help" if is_question else "arrow-right",
                "about": f"{row.opportunity.name} · {row.by.name}",
                "url": f"{_address('crm:opportunity', row.opportunity_id)}?tab=team"
                f"#{'question' if is_question else 'handover'}-{row.pk}",
                "due": (_("overdue since %(day)s") if late else _("due by %(day)s")) % {"day": day},
                "state": "overdue" if late else "planned",
                "due_at": row.due_at,
            }
        )
    return sorted(today, key=lambda one: one["due_at"])


def _month(month: Month) -> dict[str, Any]:
    currency = Organisation.objects.current().currency
    return {
        "won": month.won, "won_amount": format_amount(month.won_amount, currency),
        "closing": month.closing, "weighted": format_amount(month.weighted, currency),
    }  # fmt: skip


def _guide(user: Any, at: datetime) -> dict[str, Any] | None:
    """The card of a newcomer, with how far they are."""
    steps = first_steps(user, at=at)
    if not steps:
        return None
    settled = sum(one.settled for one in steps)
    return {"steps": steps, "settled": settled, "of": len(steps), "share": round(100 * settled / len(steps))}


def _address(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
