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
from fairlead.crm.models import Opportunity
from fairlead.organisation.selectors import calendars, colleagues_away
from fairlead.process.clock_words import track_name
from fairlead.process.definitions import clock_policy_of
from fairlead.process.enums import ClockKind
from fairlead.process.models import Clock, Journey
from fairlead.web.frame import frame_of
from fairlead.web.navigation import CREATE, doors
from fairlead.web.selectors.day import MOST, Block, Day, Month, load_day
from fairlead.web.selectors.desk import MOST_DUE, Due, Meeting, Wait, load_desk, plate_of
from fairlead.web.selectors.first_steps import first_steps
from fairlead.work.enums import ActivityKind
from fairlead.work.selectors.lines import box as line_box
from fairlead.work.words import ICONS, due_words

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
    plate = plate_of(user, at=at)
    day = load_day(
        user, at=at, scope=scope if scope in SCOPES else "", most=MOST - min(MOST_DUE, plate.beside_deals)
    )
    room = MOST - sum(len(block.deals) for block in day.blocks)
    desk = load_desk(user, plate, beside={step.pk for step in day.steps.values()}, room=room)
    frame = frame_of(request)
    context |= {
        "day": day, "blocks": [_block(block, day, at) for block in day.blocks if block.count],
        "meetings": [_meeting(meeting, at) for meeting in desk.meetings],
        "due": [_due(row, at) for row in desk.due], "due_count": desk.due_count,
        "month": _month(day.month, frame["currency"]) if day.month and day.open_deals else None,
        "scopes": [
            {"text": text, "url": f"?scope={key}", "current": key == day.scope}
            for key, text in (("mine", _("Mine")), ("all", _("All I see")))
        ],
        "asked": [_asked(row, at) for row in sorted(desk.asked, key=lambda row: row.due_at or at)],
        "approvals_asked": dict(frame["counts"])["approvals"],
        "waiting": [_waiting(row, at) for row in desk.waiting],
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
    journey = deal.journey if deal else None
    facts = [
        meeting.record, deal.account.name if deal and deal.account else "",
        localized(journey.stage.name) if journey else "", meeting.activity.place,
    ]  # fmt: skip
    if meeting.last_contact_at:
        facts.append(
            _("last contact %(day)s")
            % {"day": date_format(timezone.localtime(meeting.last_contact_at), "MONTH_DAY_FORMAT")}
        )
    if journey and journey.gate_missing:
        count = journey.gate_missing
        facts.append(ngettext("%(n)s item missing", "%(n)s items missing", count) % {"n": count})
    return {
        "time": timezone.localtime(due).strftime("%H:%M"), "title": meeting.activity.summary, "url": meeting.url,
        "about": " · ".join(filter(None, facts)),
        "done_url": _address("work:complete", meeting.activity.pk),
    }  # fmt: skip


def _due(row: Due, at: datetime) -> dict[str, Any]:
    """A task or a planned activity, with how to be done with it from here."""
    chip = due_words(row.due_on, timezone.localdate(at))
    if row.due_at is not None and chip["state"] == "due":
        chip = {"state": "due", "text": timezone.localtime(row.due_at).strftime("%H:%M")}
    account = row.deal.account.name if row.deal and row.deal.account else ""
    word = ActivityKind(row.kind).label if row.kind else pgettext("kind of work", "Task")
    return {
        "title": row.title, "url": row.url, "about": " · ".join(filter(None, [str(word), row.record, account])),
        "icon": ICONS.get(row.kind, "calendar-event") if row.kind else "clipboard-check", "chip": chip,
        "is_task": not row.kind, "pk": row.pk, "version": row.version,
        "done_url": _address("work:complete" if row.kind else "work:task_done", row.pk),
    }  # fmt: skip


def _asked(row: Wait, at: datetime) -> dict[str, Any]:
    """What a colleague waits for: a hand-over to answer, a question to one's role."""
    late = row.due_at is not None and row.due_at < at
    day = wording.short_date(timezone.localdate(row.due_at or at), timezone.localdate(at))
    return {
        "title": row.text or _("Hand-over %(way)s: accept or return") % {"way": row.way},
        "icon": "help" if row.what == "question" else "arrow-right", "about": f"{row.record} · {row.who}",
        "url": _place(row), "due": (_("overdue since %(day)s") if late else _("due by %(day)s")) % {"day": day},
        "state": "overdue" if late else "planned",
    }  # fmt: skip


def _waiting(row: Wait, at: datetime) -> dict[str, Any]:
    """What the reader waits for from others."""
    title, icon = {
        "my_hand_over": (_("Hand-over %(way)s") % {"way": row.way}, "arrow-right"),
        "my_question": (row.text, "help"),
        "my_approval": (_("Approval asked for"), "rubber-stamp"),
        "my_letting": (_("Asked to let something pass"), "shield-off"),
    }[row.what]
    today = timezone.localdate(at)
    day = wording.short_date(timezone.localdate(row.since), today)
    late = row.due_at is not None and row.due_at < at
    return {
        "title": title, "icon": icon, "url": _place(row), "about": " · ".join(filter(None, [row.record, row.who])),
        "since": _("since %(day)s") % {"day": day}, "state": "overdue" if late else "planned",
    }  # fmt: skip


def _place(row: Wait) -> str:
    """Where it stands on the page of its record."""
    if "hand_over" in row.what:
        return f"{row.url}?tab=team#handover-{row.pk}"
    return f"{row.url}?tab=team#question-{row.pk}" if "question" in row.what else row.url


def _month(month: Month, currency: str) -> dict[str, Any]:
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
