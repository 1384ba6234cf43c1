"""The tab of the deal team in words: slots with their dates and shares, vetoes, hand-overs, questions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common.names import localized
from fairlead.process.definition import Definition, Package
from fairlead.process.enums import CLOSED_STATES, VetoDomain, VetoState
from fairlead.process.models import Veto
from fairlead.process.team_reading import return_reasons
from fairlead.process.vetoes import domains_of

from ..enums import AskState, HandOverState, TeamRole
from ..forms.records import people_options
from ..models import HandOver, RoleQuestion
from ..rules import reaches
from ..selectors.deal import Deal
from ..selectors.deal_team import TeamWork, roles_of
from ..services.deal_team import ANSWER_DAYS, USUAL_SPLIT
from ..wording import words_on

VETO_CHIPS = {
    VetoState.OPEN: ("overdue", "hand-stop"),
    VetoState.WITHDRAWN: ("hold", "corner-up-left"),
    VetoState.ACCEPTED: ("won", "check"),
    VetoState.OVERRULED: ("hold", "gavel"),
    VetoState.ENDED: ("hold", "x"),
}


def team_context(deal: Deal, work: TeamWork, user: Any, at: datetime) -> dict[str, Any]:
    row = deal.row
    work.name(deal.names.people)
    held, may_edit = roles_of(user, row), reaches(user, "opportunity.edit", row)
    is_open = deal.journey.state not in CLOSED_STATES
    said = _Said(deal.definition, user, held, row.owner_id, at, may_edit=may_edit)
    domains = domains_of(held) if is_open and reaches(user, "veto.raise", row) else ()
    overrules = reaches(user, "veto.overrule", row) and user.pk != row.owner_id
    split = work.split
    return {
        "slots": _slots(deal, work, said),
        "former": [said.member(m) for m in work.members if m.to_date is not None],
        "split": {name: getattr(split, name) for name in USUAL_SPLIT} if split is not None else None,
        "split_words": _("agreed on %(day)s") % {"day": said.day(split.agreed_at)}
        if split is not None
        else "",
        "usual_split": USUAL_SPLIT,
        "may_reassign": reaches(user, "opportunity.reassign", row),
        "people": people_options(),
        "vetoes": [said.veto(v, overrules=overrules) for v in work.vetoes],
        "veto_domains": [(d.value, str(d.label)) for d in domains],
        "packages": said.packages(work, deal) if is_open or work.hand_overs else [],
        "handed": _handed(work.hand_overs),
        "return_reasons": [(r.key, localized(r.name)) for r in return_reasons(deal.definition.lists)],
        "questions": [said.question(q) for q in work.questions],
        "ask_roles": [
            (role.value, f"{role.value} {name}") for role, person, name in _filled(deal) if person != user.pk
        ],
        "answer_days": ANSWER_DAYS,
        "team_open": is_open,
    }


def _filled(deal: Deal) -> list[tuple[TeamRole, int, str]]:
    return [(TeamRole(role), pk, name) for role, pk, name in deal.team]


def _slots(deal: Deal, work: TeamWork, said: _Said) -> list[dict[str, Any]]:
    held = {role.value: (pk, name) for role, pk, name in _filled(deal)}
    since = {m.role: m.from_date for m in work.members if m.to_date is None}
    required = set(deal.definition.stage(deal.facts.journey.stage_key).roles.get("required", ()))
    found = []
    for role in TeamRole:
        pk, name = held.get(role.value, (None, ""))
        first = since.get(role.value)
        found.append(
            {
                "role": role.value,
                "label": str(role.label),
                "person": {"pk": pk, "name": name} if pk is not None else None,
                "since": _("since %(day)s") % {"day": said.words.short_date(first)} if first and pk else "",
                "share": getattr(work.split, role.value.lower()) if work.split is not None else None,
                "missing": pk is None and role.value in required,
            }
        )
    return found


def _handed(rows: list[HandOver]) -> str:
    """How the answered attempts of this deal went."""
    answered = [r for r in rows if r.state in (HandOverState.ACCEPTED, HandOverState.RETURNED)]
    if not answered:
        return ""
    back = sum(r.state == HandOverState.RETURNED for r in answered)
    return ngettext(
        "%(back)s of %(count)s attempt returned", "%(back)s of %(count)s attempts returned", len(answered)
    ) % {"back": back, "count": len(answered)}


class _Said:
    """Rows in words for one reader."""

    def __init__(
        self,
        definition: Definition,
        user: Any,
        held: set[str],
        owner_id: int | None,
        at: datetime,
        *,
        may_edit: bool,
    ) -> None:
        self.definition, self.user, self.held, self.at = definition, user, held, at
        self.is_owner, self.may_edit = owner_id == user.pk, may_edit
        self.words = words_on(timezone.localdate(at))

    def day(self, at: datetime) -> str:
        return self.words.short_date(timezone.localdate(at))

    def due(self, due_at: datetime) -> dict[str, Any]:
        late = due_at < self.at
        day = self.day(due_at)
        return {
            "late": late,
            "text": _("overdue since %(day)s") % {"day": day} if late else _("due by %(day)s") % {"day": day},
        }

    def member(self, row: Any) -> dict[str, Any]:
        return {
            "role": row.role,
            "name": row.person.name,
            "from": self.words.short_date(row.from_date),
            "to": self.words.short_date(row.to_date),
        }

    def veto(self, row: Veto, *, overrules: bool) -> dict[str, Any]:
        is_open = row.state == VetoState.OPEN
        state, icon = VETO_CHIPS[VetoState(row.state)]
        settled = (
            _("%(name)s on %(day)s") % {"name": row.settled_by.name, "day": self.day(row.settled_at)}
            if row.settled_by is not None and row.settled_at is not None
            else ""
        )
        mine = row.by_id == self.user.pk
        return {
            "pk": row.pk,
            "version": row.version,
            "domain": str(VetoDomain(row.domain).label),
            "role": row.role,
            "clause": row.clause,
            "alternative": row.alternative,
            "who": _("%(name)s on %(day)s") % {"name": row.by.name, "day": self.day(row.at)},
            "chip": {"text": str(VetoState(row.state).label), "state": state, "icon": icon},
            "settled": settled,
            "reason": row.reason,
            "escalated": is_open and row.escalated_at is not None,
            "open": is_open,
            "may_withdraw": is_open and mine and self.user.may("veto.raise"),
            "may_accept": is_open and not mine and self.may_edit,
            "may_overrule": is_open and not mine and overrules,
        }

    def packages(self, work: TeamWork, deal: Deal) -> list[dict[str, Any]]:
        here = deal.facts.journey.stage_key
        found = [self._package(p, work, here) for p in self.definition.packages.values()]
        return [p for p in found if p["attempts"] or p["may_offer"] or p["is_near"]]

    def _package(self, package: Package, work: TeamWork, here: str) -> dict[str, Any]:
        rows = [h for h in work.hand_overs if h.key == package.key]
        waiting = next((h for h in rows if h.state == HandOverState.OFFERED), None)
        last = rows[0] if rows else None
        gives = package.from_role in self.held or self.is_owner
        return {
            "key": package.key,
            "name": localized(package.name),
            "way": f"{package.from_role} → {package.to_role}",
            "items": [
                {"key": i.key, "name": localized(i.name), "required": i.required} for i in package.items
            ],
            "is_near": not package.stages or here in package.stages,
            "may_offer": gives and self.may_edit and waiting is None,
            "done": last is not None and last.state == HandOverState.ACCEPTED,
            "attempts": [self._attempt(h) for h in rows],
        }

    def _attempt(self, row: HandOver) -> dict[str, Any]:
        is_open = row.state == HandOverState.OFFERED
        chips = {
            HandOverState.OFFERED: ("planned", "hourglass"),
            HandOverState.ACCEPTED: ("won", "check"),
            HandOverState.RETURNED: ("overdue", "corner-up-left"),
            HandOverState.WITHDRAWN: ("hold", "x"),
        }
        state, icon = chips[HandOverState(row.state)]
        reason = next(
            (localized(r.name) for r in return_reasons(self.definition.lists) if r.key == row.reason_code),
            row.reason_code,
        )
        takes = row.to_role in self.held and row.by_id != self.user.pk and self.may_edit
        return {
            "pk": row.pk,
            "version": row.version,
            "attempt": row.attempt,
            "chip": {"text": str(HandOverState(row.state).label), "state": state, "icon": icon},
            "who": _("%(name)s on %(day)s") % {"name": row.by.name, "day": self.day(row.offered_at)},
            "to": row.to.name,
            "note": row.note,
            "package": [
                {"name": localized(i["name"]), "there": i["there"]}
                for i in row.package
                if isinstance(i, dict)
            ],
            "due": self.due(row.due_at) if is_open else None,
            "answered": _("%(name)s on %(day)s")
            % {"name": row.answered_by.name, "day": self.day(row.answered_at)}
            if row.answered_by is not None and row.answered_at is not None
            else "",
            "reason": reason,
            "said": row.reason,
            "open": is_open,
            "may_answer": is_open and takes,
            "may_withdraw": is_open and self.may_edit and (row.by_id == self.user.pk or self.is_owner),
        }

    def question(self, row: RoleQuestion) -> dict[str, Any]:
        is_open = row.state == AskState.OPEN
        settled = ""
        if row.settled_by is not None and row.settled_at is not None:
            settled = _("%(name)s on %(day)s") % {
                "name": row.settled_by.name,
                "day": self.day(row.settled_at),
            }
        return {
            "pk": row.pk,
            "version": row.version,
            "role": row.role,
            "to": row.to.name,
            "who": _("%(name)s on %(day)s") % {"name": row.by.name, "day": self.day(row.asked_at)},
            "question": row.question,
            "answer": row.answer,
            "settled": settled,
            "in_time": row.state == AskState.ANSWERED
            and row.settled_at is not None
            and row.settled_at <= row.due_at,
            "answered": row.state == AskState.ANSWERED,
            "due": self.due(row.due_at) if is_open else None,
            "open": is_open,
            "may_answer": is_open and row.role in self.held and self.may_edit,
            "may_withdraw": is_open and self.may_edit and (row.by_id == self.user.pk or self.is_owner),
        }
