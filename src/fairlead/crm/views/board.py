"""The board, more cards of a column, and the news of others."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import NotFound
from fairlead.common.text import avatar_text
from fairlead.organisation.models import Organisation, User

from .. import wording
from ..forms.board import as_query, read_filter
from ..models import Account
from ..selectors import board as boards
from ..selectors.board import Board, BoardFilter, CardRow, Column, Process
from ..selectors.changes import changed_columns, newest_token, read_token
from .shared import MAX_ID, address, clean_int, deal_url, notes

TOKEN = "X-Board-Token"  # noqa: S105 - the name of a header
MARK = 987654321  # stands for an id while an address is worked out once for all cards


@access("opportunity.view")
@require_GET
def board(request: HttpRequest) -> HttpResponse:
    """The board of one process; its address says the filter."""
    user: Any = request.user
    at = timezone.now()
    processes, process, f = _wanted(request)
    if process is None:
        return page(
            request,
            "crm/board_empty.html",
            {"may_publish": user.may("process.publish"), "notes": notes(request)},
        )
    token = newest_token()
    found = boards.load_board(user, process, f, at=at, extra=_extra(request))
    found.zones = boards.zone_counts(user, f, at)
    return page(
        request,
        "crm/board.html",
        {
            **_context(request, found, at),
            "processes": _process_choices(processes, f),
            "scopes": _scope_choices(f),
            "filters": _filter_chips(f, found),
            "form": _filter_form(f, found),
            "token": token,
            "notes": notes(request),
            "may_create": user.may("opportunity.create"),
            "list_url": address("crm:opportunities"),
        },
    )


@access("opportunity.view")
@require_GET
def more(request: HttpRequest) -> HttpResponse:
    """Further cards of one column, in place of the link that asked for them."""
    user: Any = request.user
    at = timezone.now()
    _processes, process, f = _wanted(request)
    if process is None:
        raise NotFound
    key = str(request.GET.get("column", ""))
    offset = clean_int(request.GET.get("offset"), 0, 100_000, 0)
    found, column = boards.more_cards(user, process, f, key, at=at, offset=offset)
    if column is None:
        raise NotFound
    context = _context(request, found, at)
    shown = context["columns"][0]
    shown["more"] = max(column.figures.count - offset - len(column.cards), 0)
    shown |= _more_urls(f, column.key, offset + len(column.cards))
    return page(request, "crm/board_more.html", {**context, "c": shown, "f": f}, block="cards")


@access("opportunity.view")
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """204 while nothing changed since the token; else the columns that did, whole, with the new token."""
    user: Any = request.user
    token = read_token(str(request.GET.get("token", "")))
    newest = newest_token()
    if token is not None and token == read_token(newest):
        return HttpResponse(status=204)
    _processes, process, f = _wanted(request)
    if process is None:
        raise NotFound
    keys = changed_columns(user, process, token) if token is not None else None
    if keys is not None and not keys:
        return HttpResponse(status=204)
    at = timezone.now()
    found = boards.load_board(user, process, f, at=at)
    if keys is not None:
        found.columns = [c for c in found.columns if c.key in keys]
    response = page(request, "crm/board_changes.html", _context(request, found, at), block="pieces")
    response.headers[TOKEN] = newest
    return response


def _wanted(request: HttpRequest) -> tuple[list[Process], Process | None, BoardFilter]:
    processes = boards.processes()
    if len(processes) > 1 and not request.GET.get("process"):
        first = Organisation.objects.current().default_processes.get("opportunity", "")
        processes.sort(key=lambda p: p.key != first)
    f = read_filter(request.GET, processes=[p.key for p in processes])
    return processes, next((p for p in processes if p.key == f.process), None), f


def _extra(request: HttpRequest) -> dict[str, int]:
    """A column that shall show more, as the plain link says."""
    key, _colon, number = str(request.GET.get("more", "")).partition(":")
    return {key: clean_int(number, 0, 2000, 0)} if key else {}


# --- words for the template ---


def _context(request: HttpRequest, found: Board, at: Any) -> dict[str, Any]:
    currency = Organisation.objects.current().currency
    today = timezone.localdate(at)
    query = as_query(found.filter)
    words = _Cards(today, found.owners)
    total = found.total
    return {
        "nav_at": "board",
        "f": found.filter,
        "query": query,
        "today": today,
        "columns": [_column(c, found.filter, currency, words) for c in found.columns],
        "total": {
            "count": total.count,
            "amount": format_amount(total.amount, currency),
            "weighted": format_amount(total.weighted, currency),
            **total.mix,
            "overdue_url": as_query(found.filter, next="overdue"),
            "none_url": as_query(found.filter, next="none"),
            "zones": found.zones,
        },
        "clear_url": as_query(BoardFilter(process=found.filter.process, scope=found.filter.scope)),
    }


def _column(c: Column, f: BoardFilter, currency: str, words: _Cards) -> dict[str, Any]:
    figures = c.figures
    return {
        "key": c.key,
        "name": localized(c.name),
        "count": figures.count,
        "sum": format_amount(figures.amount, currency),
        "mix": figures.mix,
        "mix_urls": {state: as_query(f, next=state) for state in figures.mix},
        "ring": "ready" if figures.ready else "ahead",
        "left": _("weighted %(amount)s") % {"amount": format_amount(figures.weighted, currency)},
        "gate": localized(c.gate),
        "more": c.more,
        "ready": ngettext("%(count)s ready", "%(count)s ready", figures.ready) % {"count": figures.ready}
        if figures.ready
        else "",
        "cards": [words.card(card) for card in c.cards],
        **_more_urls(f, c.key, len(c.cards)),
    }


def _more_urls(f: BoardFilter, key: str, shown: int) -> dict[str, str]:
    query = as_query(f)
    return {
        "more_url": f"{query}&more={key}:{shown + 50}#col-{key}",
        "more_piece": f"{reverse('crm:board_more')}{query}&column={key}&offset={shown}",
    }


class Owner(NamedTuple):
    name: str
    tint: int
    text: str


class Card(NamedTuple):
    """What the macro of a card takes."""

    journey: int
    version: int
    legal: str
    url: str
    move_url: str
    close_url: str
    account: str
    name: str
    amount: str
    close: str
    owner: Owner
    days: str
    days_state: str
    next: wording.Chip
    gate: wording.Chip
    sample: bool = False
    whys: None = None
    held: bool = False


@lru_cache(maxsize=4096)
def _drawn(language: str, card: Card) -> Any:
    """A card as it stands on the page. A repaint after one move draws one card, not the whole column anew."""
    return engines["jinja2"].get_template("common/components/board.html").template.module.card(card)  # type: ignore[attr-defined]


class _Cards:
    """Turns rows into cards; addresses, people and phrases are worked out once."""

    def __init__(self, today: date, owners: dict[int, User]) -> None:
        self.words, self.language = wording.words_on(today), get_language() or ""
        self.owners = {pk: Owner(user.name, pk, avatar_text(user.name)) for pk, user in owners.items()}
        self.record, self.panel, self.move = (
            deal_url(MARK).split(str(MARK)),
            reverse("crm:panel", args=[MARK]).split(str(MARK)),
            reverse("crm:move", args=[MARK]).split(str(MARK)),
        )
        self.nobody = Owner(_("Nobody"), 0, "—")
        self.no_account = pgettext("board card", "No account")

    def card(self, c: CardRow) -> Any:
        return _drawn(self.language, self._values(c))

    def _values(self, c: CardRow) -> Card:
        pk, words = str(c.subject), self.words
        days, days_state = words.days_in_stage(c.days, c.limit, c.clock)
        return Card(
            c.journey,
            c.version,
            c.legal,
            pk.join(self.record),
            pk.join(self.move),
            pk.join(self.panel),
            c.account or self.no_account,
            c.title,
            format_amount(c.amount, c.currency) or "—",
            words.short_date(c.close_date),
            self.owners.get(c.owner_id or 0, self.nobody),
            days,
            days_state,
            words.next_step(c.next_at, c.next_kind, c.next_text),
            words.gate(c.gate_state, c.gate_missing, c.gate_waived, c.gate_flags),
            c.is_sample,
        )


def _process_choices(processes: list[Process], f: BoardFilter) -> list[dict[str, Any]]:
    return [
        {
            "text": f"{localized(p.name)} v{p.number}",
            "url": as_query(BoardFilter(process=p.key, scope=f.scope)),
            "current": p.key == f.process,
        }
        for p in processes
    ]


def _scope_choices(f: BoardFilter) -> list[dict[str, Any]]:
    names = {"mine": _("Mine"), "team": _("My team"), "all": _("All I see")}
    return [{"text": names[s], "url": as_query(f, scope=s), "current": s == f.scope} for s in boards.SCOPES]


def next_names() -> dict[str, str]:
    return {
        "overdue": pgettext("next step", "Overdue"),
        "due": pgettext("next step", "Today"),
        "planned": pgettext("next step", "Planned"),
        "none": _("No next step"),
    }


def gate_names() -> dict[str, str]:
    return {
        "ready": pgettext("gate", "Ready"),
        "missing": pgettext("gate", "Items missing"),
        "waived": pgettext("gate", "With a waiver"),
        "flagged": pgettext("gate", "Flagged"),
        "unknown": pgettext("gate", "Unknown"),
    }


def _filter_chips(f: BoardFilter, found: Board) -> list[dict[str, str]]:
    """Each condition as a sentence with the address that takes it away."""
    chips: list[tuple[str, str, dict[str, Any]]] = []
    if f.owner is not None:
        owner = found.owners.get(f.owner) or User.objects.filter(pk=f.owner).only("pk", "name").first()
        chips.append((_("Owner is"), owner.name if owner else "—", {"owner": None}))
    if f.amount is not None:
        chips.append(
            (
                pgettext("filter", "Amount"),
                "≥ " + format_amount(f.amount, Organisation.objects.current().currency),
                {"amount": None},
            )
        )
    if f.account is not None:
        chips.append((_("Account is"), _account_name(f.account), {"account": None}))
    if f.close_from or f.close_to:
        dates = " – ".join(d.isoformat() if d else "…" for d in (f.close_from, f.close_to))
        chips.append((_("Closes"), dates, {"close_from": None, "close_to": None}))
    if f.next:
        chips.append((_("Next step"), next_names()[f.next], {"next": ""}))
    if f.gate:
        chips.append((pgettext("filter", "Gate"), gate_names()[f.gate], {"gate": ""}))
    if f.text:
        chips.append((_("Contains"), f.text, {"text": ""}))
    return [{"field": field, "value": value, "url": as_query(f, **taken)} for field, value, taken in chips]


def _account_name(pk: int) -> str:
    account = Account.objects.filter(pk=pk).only("name").first() if pk <= MAX_ID else None
    return account.name if account else "—"


def _filter_form(f: BoardFilter, found: Board) -> dict[str, Any]:
    owners = sorted(found.owners.values(), key=lambda u: u.name_key)
    anybody = ("", pgettext("filter", "Any"))
    sorts = {
        "amount": _("Largest first"),
        "close": _("Closing soonest"),
        "days": _("Longest here"),
        "next": _("Next step soonest"),
    }
    return {
        "owners": [anybody, *((u.pk, u.name) for u in owners)],
        "next": [anybody, *next_names().items()],
        "gate": [anybody, *gate_names().items()],
        "sorts": [
            {"text": text, "url": as_query(f, sort=key), "current": f.sort == key}
            for key, text in sorts.items()
        ],
        "amount": format(f.amount.normalize(), "f") if f.amount is not None else "",
    }
