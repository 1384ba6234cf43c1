"""Pages of accounts, contacts and segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.common.returned import NOTHING, Returned
from fairlead.fields.catalogue import catalogue
from fairlead.organisation.models import User
from fairlead.process.definitions import definition_of
from fairlead.process.models import ProcessVersion
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, Comment, File
from fairlead.work.selectors.comments import remarks_of
from fairlead.work.selectors.lines import box as line_box

from .. import services
from ..enums import BuyingRole
from ..forms.records import people_options, version_of
from ..models import Account, Contact, ContactRole, Opportunity, Segment
from ..sections import tabs_of
from ..selectors import timeline
from ..selectors.fields import groups_of
from ..selectors.history import changes_of, edits_of
from ..selectors.journeys import journeys_on, shown_journeys, startable
from ..selectors.strength import counted_rows, relationship, shown_strength
from ..wording import words_on
from .editing import PLURALS, act, find
from .opportunity import adding, document_kinds, kind_choices, piece_wanted, work_choices
from .shared import MAX_ID, go, notes


@access("account.view")
@require_safe
def account(request: HttpRequest, pk: int) -> HttpResponse:
    return account_page(request, pk)


def account_page(request: HttpRequest, pk: int, returned: Returned = NOTHING) -> HttpResponse:
    row = _row(Account, request, pk, "owner", "team", "parent", "segment")
    names = ("timeline", "fields", "deals", "contacts", "strength", "files", "history")
    context = record_context(request, "account", row, names, returned=returned)
    user: Any = request.user
    if context["tab"] == "deals":
        context |= deals_of(Opportunity.objects.visible_to(user).filter(account=row))
    elif context["tab"] == "contacts":
        context["contacts_of"] = list(
            Contact.objects.visible_to(user).filter(account=row).order_by("name_key", "pk")[:200]
        )
    context |= _strength("account", row, request, context["tab"])
    context["may_add_contact"] = user.may("contact.create")
    context["may_add_deal"] = user.may("opportunity.create")
    return page(request, "crm/account.html", context, block=piece_wanted(request), status=returned.status)


@access("segment.view")
@require_safe
def segment(request: HttpRequest, pk: int) -> HttpResponse:
    return segment_page(request, pk)


def segment_page(request: HttpRequest, pk: int, returned: Returned = NOTHING) -> HttpResponse:
    row = _row(Segment, request, pk, "owner", "team")
    names = ("timeline", "fields", "accounts", "files", "history")
    context = record_context(request, "segment", row, names, returned=returned)
    if context["tab"] == "accounts":
        context["accounts"] = list(
            Account.objects.visible_to(request.user)
            .filter(segment=row)
            .select_related("owner")
            .order_by("name_key", "pk")[:200]
        )
    return page(request, "crm/segment.html", context, block=piece_wanted(request), status=returned.status)


@access("contact.view")
@require_safe
def contact(request: HttpRequest, pk: int) -> HttpResponse:
    return contact_page(request, pk)


def contact_page(request: HttpRequest, pk: int, returned: Returned = NOTHING) -> HttpResponse:
    row = _row(Contact, request, pk, "owner", "team", "account")
    names = ("timeline", "fields", "deals", "strength", "history")
    context = record_context(request, "contact", row, names, returned=returned)
    user: Any = request.user
    if context["tab"] == "deals":
        roles = ContactRole.objects.filter(contact=row, removed_at=None).values_list("opportunity_id", "role")
        mine: dict[int, list[str]] = {}
        for deal, role in roles:
            mine.setdefault(deal, []).append(str(BuyingRole(role).label))
        context |= deals_of(Opportunity.objects.visible_to(user).filter(pk__in=mine))
        for one in context["deals"]:
            one["more"] = " · ".join(mine.get(one["pk"], []))
    context |= _strength("contact", row, request, context["tab"])
    return page(request, "crm/contact.html", context, block=piece_wanted(request), status=returned.status)


def _strength(kind: str, row: Any, request: HttpRequest, tab: str) -> dict[str, Any]:
    at = timezone.now()
    found = relationship(kind, row, reader=request.user, at=at)
    return {
        "strength": shown_strength(found, at=at),
        "counted": counted_rows(found) if tab == "strength" else [],
    }


def _row(model: Any, request: HttpRequest, pk: int, *related: str) -> Any:
    row = (
        model.objects.visible_to(request.user).select_related(*related).filter(pk=pk).first()
        if pk <= MAX_ID
        else None
    )
    if row is None:
        raise NotFound
    return row


def record_context(
    request: HttpRequest,
    kind: str,
    row: Any,
    names: tuple[str, ...],
    *,
    url: str = "",
    field_url: str = "",
    edit_right: str = "",
    tab: str = "",
    returned: Returned = NOTHING,
) -> dict[str, Any]:
    """What every record's page has: facts, processes, timeline, files, history. Rooms above use it too.

    The form that hands a record over stands among the fields: refused, it comes back there.
    """
    user: Any = request.user
    at = timezone.now()
    record = records.record_type(kind)
    url = url or record.url(row.pk)
    tab = tab or ("fields" if returned.is_of("owner") else request.GET.get("tab", names[0]))
    tab = tab if tab in names else names[0]
    may_edit = record.sees(user, row.pk, edit_right or record.edit_right)
    fields = catalogue(kind)
    journeys = journeys_on(kind, row.pk) if kind != "contact" else []
    context: dict[str, Any] = {
        "nav_at": f"{kind}s",
        "kind": kind,
        "row": row,
        "page_at": url,
        "tab": tab,
        "returned": returned,
        "may_edit": may_edit,
        "subject": (kind, row.pk),
        "line": line_box(kind, row.pk),
        "plural": localized(record.plural),
        "notes": notes(request),
        "journeys": shown_journeys(journeys, at=at),
        "startable": startable(kind, journeys) if may_edit and kind in ("account", "segment") else [],
        "planned": planned_of(kind, row.pk, timezone.localdate(at)),
        "tabs": [
            {"text": tab_name(key), "url": f"{url}?tab={key}", "current": key == tab, "count": None}
            for key in names
        ]
        + [
            {
                "text": localized(t.label),
                "url": reverse(t.url_name, args=[row.pk]),
                "current": False,
                "count": None,
            }
            for t in tabs_of(kind)
            if user.may(t.right)
        ],
    }
    if tab == "timeline":
        context |= _timeline(request, kind, row.pk, fields, url, journeys, may_edit=may_edit)
    elif tab == "fields":
        context["groups"] = groups_of(kind, row, fields, user, may_edit=may_edit, url_name=field_url)
        context["people"] = people_options() if may_edit and kind in PLURALS else []
    elif tab == "files":
        context["files"] = list(
            File.objects.filter(subject_type=kind, subject_id=row.pk).order_by("-added_at", "-pk")
        )
        version = journeys[0].process_version if journeys else None
        context["file_kinds"] = document_kinds(definition_of(version) if version else None)
    elif tab == "history":
        context["changes"] = changes_of(edits_of(kind, row.pk), reader=user, fields=fields)
    return context


def tab_name(key: str) -> str:
    return {
        "timeline": _("Timeline"),
        "fields": _("Fields"),
        "deals": _("Opportunities"),
        "contacts": _("Contacts"),
        "files": _("Files"),
        "history": _("History"),
        "accounts": _("Accounts"),
        "strength": _("Relationship"),
        "milestones": _("Milestones"),
    }[key]


def planned_of(kind: str, pk: int, today: Any) -> list[dict[str, Any]]:
    rows = Activity.objects.filter(subject_type=kind, subject_id=pk, state=ActivityState.PLANNED).order_by(
        "due_at", "pk"
    )[:10]
    words = words_on(today)
    return [{"pk": a.pk, **words.next_step(a.due_at, a.kind, a.summary)._asdict()} for a in rows]


def _timeline(
    request: HttpRequest, kind: str, pk: int, fields: Any, url: str, journeys: list[Any], *, may_edit: bool
) -> dict[str, Any]:
    show = request.GET.get("show", "")
    show = show if show in timeline.KINDS else ""
    events = timeline.events_of(kind, pk, kind=show, before=request.GET.get("before", ""))
    activities = list(
        Activity.objects.filter(pk__in=[e.data["activity"] for e in events.events if "activity" in e.data])
    )
    files = list(File.objects.filter(pk__in=[e.data["file"] for e in events.events if "file" in e.data]))
    contacts = _contacts(kind, pk, request.user, {c for a in activities for c in a.contact_ids})
    versions = ProcessVersion.objects.filter(pk__in={j.process_version_id for j in journeys}).select_related(
        "process"
    )
    definitions = {d.key: d for d in map(definition_of, versions)}
    teller = timeline.Teller(
        reader=request.user,
        fields=fields,
        people=dict(User.objects.filter(pk__in=events.people).values_list("pk", "name")),
        comments=dict(
            Comment.objects.filter(pk__in=events.comments, removed_at=None).values_list("pk", "text")
        ),
        remarks=remarks_of(events.comments) if events.comments else {},
        contacts=dict(contacts),
        activities=activities,
        files=files,
        definitions=definitions,
        at=timezone.now(),
    )
    return {
        "entries": teller.entries(events.events),
        "show": show,
        "kinds": kind_choices(show, url),
        "older_url": f"{url}?show={show}&before={events.older}" if events.older else "",
        **adding(request, url, may_edit=may_edit),
        "contacts": contacts if kind == "account" else [],
        **work_choices(),
    }


def _contacts(kind: str, pk: int, user: Any, ids: set[int]) -> list[tuple[int, str]]:
    rows = Contact.objects.visible_to(user)
    rows = rows.filter(account=pk) if kind == "account" else rows.filter(pk__in=ids)
    return list(rows.order_by("name_key", "pk").values_list("pk", "name")[:100])


def deals_of(rows: Any) -> dict[str, Any]:
    """Deals as a small table, the running ones first."""
    words = words_on(timezone.localdate())
    found = list(rows.select_related("owner", "journey__stage").order_by("-created_at", "-pk")[:100])
    found.sort(key=lambda d: d.journey is None or d.journey.state not in ("open", "on_hold"))
    return {
        "deals": [
            {
                "pk": d.pk,
                "name": d.name,
                "url": reverse("crm:opportunity", args=[d.pk]),
                "more": "",
                "amount": format_amount(d.amount, d.currency),
                "close": words.short_date(d.expected_close_date),
                "owner": d.owner.name if d.owner else "",
                "stage": localized(d.journey.stage.name) if d.journey else "",
                "state": str(d.journey.get_state_display()) if d.journey else "",
                "gate": words.gate_of(d.journey) if d.journey and d.journey.state == "open" else None,
            }
            for d in found
        ]
    }


def start_view(kind: str) -> Callable[..., HttpResponse]:
    @access(services.KINDS[kind].edit_right)
    @require_POST
    def start(request: HttpRequest, pk: int) -> HttpResponse:
        """Set the record out on a process."""
        find(kind, pk, request.user)
        services.start_process(kind, pk, process_key=request.POST.get("process", "")[:60], **act(request))
        return go(request, reverse(f"crm:{kind}", args=[pk]), _("Started"))

    return start


@access("contact.edit")
@require_POST
def contact_left(request: HttpRequest, pk: int) -> HttpResponse:
    find("contact", pk, request.user)
    services.mark_contact_left(pk, version=version_of(request.POST), **act(request))
    return go(request, reverse("crm:contact", args=[pk]), _("Noted"))
