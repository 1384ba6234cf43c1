"""What stands around every page of a signed-in person: one query, whatever the page."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Exists, Subquery, Value
from django.http import HttpRequest
from django.urls import get_urlconf, reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.exchange.demo.progress import being_built
from fairlead.exchange.models import SampleData
from fairlead.organisation.models import Organisation, User, WorkingCalendar
from fairlead.process.models import Journey
from fairlead.process.selectors.approval_inbox import waiting_count_of
from fairlead.process.selectors.overrides import USUAL_RIGHTS, to_decide, unusual_ones, usual_count_of
from fairlead.web import navigation
from fairlead.web.guides import fitting
from fairlead.work.forms import MAX_ID
from fairlead.work.selectors.inbox import unread_count_of
from fairlead.work.selectors.keeping import remember_star, star_of

#: Pages of a record, whose star is asked for together with the frame.
RECORD_PAGES: Final[Mapping[str, str]] = {
    "crm:opportunity": "opportunity", "crm:account": "account", "crm:contact": "contact", "crm:segment": "segment",
    "offers:contract": "contract", "offers:of_opportunity": "opportunity",
}  # fmt: skip


class _Same:
    """A person beside the key of what is remembered: no part of it."""

    def __init__(self, person: User) -> None:
        self.person = person

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same)

    def __hash__(self) -> int:
        return 0


def _around(person: int, kind: str, pk: int, letting: Any = None) -> Any:
    """Of one person: the name of the organisation, whether its people or records are samples, how many records have
    news, how many open deals are theirs (the rows of others would cost a count of all), whether the record of this
    page is a favourite, how many approvals wait for them, whether anybody has a calendar or leave of their
    own, the currency, whether requests to let something pass need an unusual right, and how many of the others wait for
    them (`letting`: the question that counts them)."""
    organisation = Organisation.objects.filter(pk=1)
    mine = Journey.objects.current().open().filter(owner_id=person, subject_type="opportunity")
    return User.objects.filter(pk=person).values_list(
        Subquery(organisation.values("name")),
        Exists(organisation) & Exists(User.objects.filter(is_sample=True)),
        Exists(SampleData.objects.exclude(state="none")),
        Subquery(unread_count_of(person)),
        Subquery(mine.order_by().values("owner").annotate(n=Count("*")).values("n")),
        Exists(star_of(person, kind, pk)),
        Subquery(waiting_count_of(person)),
        Subquery(WorkingCalendar.objects.filter(is_default=True).values("people_stamp")[:1]),
        Subquery(organisation.values("currency")),
        Exists(unusual_ones()),
        Value(0) if letting is None else Subquery(letting),
    )


_Frame = tuple[
    str | None, bool, bool, int | None, int | None, bool, int | None, str | None, str | None, bool, int | None
]
_frame_of: Question[_Frame] = Question(lambda person, kind, pk: _around(person, kind, pk))


@lru_cache(maxsize=256)
def _frame_of_decider(_person: int, _grants: tuple[Any, ...], user: _Same) -> Question[_Frame]:
    """For whoever may let something pass: which requests those are hangs on their grants alone."""
    return Question(lambda person, kind, pk: _around(person, kind, pk, usual_count_of(user.person)))


def frame_of(request: HttpRequest) -> dict[str, Any]:
    """The frame as `common/base.html` describes it; empty for a guest. Worked out once per request."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    made: dict[str, Any] | None = getattr(request, "_fairlead_frame", None)
    if made is None:
        made = _frame(request, user)
        request._fairlead_frame = made  # type: ignore[attr-defined]
    return made


def _frame(request: HttpRequest, user: User) -> dict[str, Any]:
    here = request.resolver_match.view_name if request.resolver_match else ""
    kind, pk = _record_at(request)
    decides = any(user.may(right) for right in USUAL_RIGHTS)
    question = _frame_of_decider(user.pk, tuple(user.grants()), _Same(user)) if decides else _frame_of
    empty: _Frame = ("", False, False, 0, 0, False, 0, "", "", False, 0)
    found = question.first(user.pk, kind, pk) or empty
    company, is_demo, samples, unread, deals, starred, asked, people, currency, unusual, letting = found
    if unusual:
        letting = to_decide(user).count()
    if kind:
        remember_star(user, kind, pk, starred=bool(starred))
    around = navigation.around(user)
    urls = _addresses(get_urlconf() or settings.ROOT_URLCONF)
    guide = _guide(get_urlconf() or settings.ROOT_URLCONF, get_language() or "", here)
    return {
        "nav": around.nav,
        "counts": (
            ("board", (deals or 0) if user.may("opportunity.view") else 0), ("inbox", unread or 0),
            ("approvals", (asked or 0) + (letting or 0)),
        ),
        "currency": currency or "",
        "own_time": bool(people),
        "phone": around.phone,
        "create": around.create,
        "shortcuts": around.shortcuts,
        "here": here,
        "me": {
            "name": user.name, "tint": user.pk, "url": urls["profile"],
            "role": " · ".join(sorted(str(role.label) for role in user.roles)),
        },
        "sign_out_url": urls["sign_out"],
        "theme_url": urls["theme"],
        "language_url": urls["language"],
        "languages": tuple(settings.LANGUAGES),
        "theme": user.theme,
        "search_url": urls["search"],
        "palette_url": urls["palette"],
        "help_url": urls["help"],
        "guide": guide,
        "inbox": {"url": urls["inbox"], "count": unread or 0},
        "company": company or "",
        "badge": _("Sample data") if is_demo or samples else "",
        "badge_url": _about_samples(user) if samples else reverse("web:guide", args=["demo"]) if is_demo else "",
        "samples": bool(samples) and not is_demo,
        "viewing": _viewing(request),
        "building": _building() if is_demo else {},
        "as_of": timezone.localtime().strftime("%H:%M"),
    }  # fmt: skip


def _about_samples(user: User) -> str:
    """Where the samples are cleared; for whoever may not, what they are."""
    if user.may("settings.manage"):
        return reverse("exchange:sample_data")
    return reverse("web:guide", args=["settings"])


@lru_cache(maxsize=4)
def _addresses(_urlconf: str) -> dict[str, str]:
    """Where the doors lie that stand on every page; worked out once."""
    names = (
        "organisation:profile", "organisation:sign_out", "organisation:theme", "organisation:language",
        "web:search", "web:palette", "web:help", "work:inbox",
    )  # fmt: skip
    return {name.partition(":")[2]: reverse(name) for name in names}


def _record_at(request: HttpRequest) -> tuple[str, int]:
    match = request.resolver_match
    kind = RECORD_PAGES.get(match.view_name, "") if match else ""
    pk = int(match.kwargs["pk"]) if kind and match else 0
    return (kind, pk) if pk <= MAX_ID else ("", 0)


@lru_cache(maxsize=512)
def _guide(_urlconf: str, language: str, here: str) -> dict[str, str]:
    found = fitting(here, "zh" if language.startswith("zh") else "en")
    return {
        "title": found.title if found else "",
        "url": reverse("web:guide", args=[found.key]) if found else "",
    }


def _building() -> dict[str, Any]:
    """How much of the demo stands while it is being built: for the strip that says so."""
    done = being_built()
    return {} if done is None else {"done": done, "url": reverse("exchange:demo_progress")}


def _viewing(request: HttpRequest) -> dict[str, str]:
    """Who looks as this person, if anybody does: for the banner that ends it."""
    found = getattr(request, "viewing", None)
    if found is None:
        return {}
    return {
        "name": found.person.name, "until": timezone.localtime(found.until).strftime("%H:%M"),
        "end_url": reverse("organisation:end_view_as"),
    }  # fmt: skip
