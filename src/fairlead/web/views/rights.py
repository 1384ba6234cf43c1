"""Roles and rights: the whole matrix for everybody, and for administrators why somebody sees or moves a record."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from fairlead.common.access import access
from fairlead.common.pages import page
from fairlead.organisation.enums import Role
from fairlead.organisation.explaining import Reason
from fairlead.organisation.models import Team, User
from fairlead.organisation.right_names import right_name
from fairlead.process.definitions import definitions_of
from fairlead.process.selectors.gathering import checklists
from fairlead.process.words import headline
from fairlead.web.selectors.palette import record_url
from fairlead.web.selectors.rights import Answer, answers, matrix, record_of

LONGEST = 200
_ASKED = {
    "opportunity": ("opportunity.view", "opportunity.edit", "opportunity.move"),
    "account": ("account.view", "account.edit"),
    "contact": ("contact.view", "contact.edit"),
}


@access("signed-in")
@require_safe
def rights(request: HttpRequest) -> HttpResponse:
    """What every role may do, to whose rows; with `person` and `record` why that person reaches it or not."""
    user: Any = request.user
    may_ask = user.may("users.manage")
    context: dict[str, Any] = {
        "nav_at": "settings", "roles": list(Role), "may_ask": may_ask,
        "rows": [(right_name(right), scopes) for right, scopes in matrix()],
    }  # fmt: skip
    if may_ask:
        context |= _asked(request, user)
    return page(request, "web/rights.html", context)


def _asked(request: HttpRequest, user: User) -> dict[str, Any]:
    username = request.GET.get("person", "")[:LONGEST].strip()
    text = request.GET.get("record", "")[:LONGEST].strip()
    people = User.objects.filter(is_active=True).order_by("name_key", "pk")
    asked: dict[str, Any] = {"people": people, "person": username, "record": text, "answers": [], "choices": [],
        "wrong": {"person": "", "record": ""},
    }  # fmt: skip
    if not username and not text:
        return asked
    person = User.objects.filter(username=username).select_related("team").first()
    if person is None:
        asked["wrong"]["person"] = _("Choose a person of the list.")
    meant = record_of(user, text) if text else []
    if isinstance(meant, list):
        asked["choices"] = [(f"{row.name}", record_url(kind, row)) for kind, row in meant]
        asked["wrong"]["record"] = (
            _("Several records are called so. Choose one.")
            if meant
            else _("Nothing is called so. Paste the address of the record's page, or type its name.")
        )
    if any(asked["wrong"].values()) or person is None or isinstance(meant, list):
        return asked
    kind, row = meant
    found = answers(person, kind, row, _ASKED[kind])
    standing = {reason.team_id for one in found for reason in one.reasons if reason.team_id}
    teams = dict(Team.objects.filter(pk__in=standing).values_list("pk", "name"))
    return asked | {
        "who": person, "what": row, "what_url": record_url(kind, row),
        "answers": [_said(one, teams) for one in found], "gate": _gate(row) if kind == "opportunity" else "",
    }  # fmt: skip


def _said(found: Answer, teams: dict[int, str]) -> dict[str, Any]:
    return {
        "right": right_name(found.right), "reaches": found.reaches,
        "reasons": [(reason.role.label, _why(reason, teams), reason.reaches) for reason in found.reasons],
    }  # fmt: skip


def _why(reason: Reason, teams: dict[int, str]) -> str:
    if reason.scope is None:
        return _("This role does not have the right.")
    if reason.scope == "all":
        return _("All records.")
    if reason.scope == "own":
        return _("Own records: owner or deal team.")
    team = teams.get(reason.team_id or 0)
    if team is None:
        return _("Needs a team, and the person has none.")
    if reason.scope == "team":
        return _("Own records and those of the team %(team)s.") % {"team": team}
    return _("Own records and those of %(team)s with all teams below.") % {"team": team}


def _gate(deal: Any) -> str:
    """How the next move of the deal stands, whoever makes it."""
    if deal.journey is None:
        return ""
    verdict = checklists([deal.journey], at=timezone.now()).get(deal.journey.pk)
    if verdict is None:
        return pgettext("deal", "Closed or on hold: there is no next move.")
    return headline(
        definitions_of({deal.journey.process_version_id})[deal.journey.process_version_id], verdict
    )
