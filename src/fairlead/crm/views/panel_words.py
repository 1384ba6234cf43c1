"""The gate panel in words: its title, and each item with what its fix row offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.fields.catalogue import FieldSpec, pick
from fairlead.fields.enums import FieldType
from fairlead.process import words
from fairlead.process.definition import Definition
from fairlead.process.enums import CriterionState, CriterionType, Kind, Level
from fairlead.process.roles import buying_role_name, role_name
from fairlead.process.selectors.approvals import condition_behind, says_when_met
from fairlead.process.verdicts import VETO, CriterionResult
from fairlead.work.enums import ActivityKind, ActivityOutcome

from .. import wording
from ..enums import BuyingRole
from ..facts import PLAN
from ..forms.mends import PREFIX
from ..models import Product
from ..selectors.panel import Gate
from ..selectors.paths import behind_of, behind_words, lanes_of, since_words
from ..selectors.people import candidates, who_confirms, who_may
from .panel_ways import move_form, waiver_form, ways_out
from .shared import address, deal_url, is_on_board

SETTLED_FIRST = {CriterionState.MET: 0, CriterionState.WAIVED: 1, CriterionState.NA: 2}
KIND_OF_MEND = {
    CriterionType.FIELD: "fields",
    CriterionType.SCORE: "score",
    CriterionType.ACTIVITY: "activity",
    CriterionType.DOCUMENT: "document",
    CriterionType.RELATION: "relation",
    CriterionType.ATTESTATION: "attest",
    CriterionType.EXTERNAL: "external",
    CriterionType.CHILD: "tasks",
    CriterionType.ELAPSED: "elapsed",
    CriterionType.GROUP: "group",
    CriterionType.APPROVAL: "approval",
}

#: Where a message stands whose field is called otherwise further in: the ends of the ids in `_mends.html`.
INPUTS = {
    "done_at": "on",
    "done_on": "on",
    "new_name": "new",
    "content": "file",
    "reference": "ref",
    "name": "ref",
    "valid_until": "until",
    "statement": "remark",
}


def panel_context(
    request: HttpRequest,
    gate: Gate,
    *,
    form: Any = None,
    message: str = "",
    errors: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`errors`: of a mend that was refused: {criterion, fields: {field: message}, typed, theirs}."""
    deal, journey = gate.deal, gate.situation.journey
    wish, definition = gate.wish, gate.definition
    words_of, said = _Items(gate, errors or {}), wording.words_on(timezone.localdate(gate.at))
    results = gate.verdict.results if gate.has_gate else ()
    required = [r for r in results if r.level == Level.BLOCK and r.state != CriterionState.NA]
    opened = [words_of.item(r) for r in results if r.blocks]
    advised = [words_of.item(r) for r in results if not r.settled and not r.blocks and r.level != Level.INFO]
    settled = sorted((r for r in results if r.settled), key=lambda r: SETTLED_FIRST.get(r.state, 3))
    beads = sorted(required, key=lambda r: not r.settled)
    behind = behind_of(gate.flagged, results) if gate.has_gate else []
    return {
        "nav_at": "board",
        "deal": deal,
        "gate": gate,
        "over": _over(gate),
        "title": title(gate),
        "beads": [{"state": r.state.value, "label": f"{words_of.name(r)}: {r.state.label}"} for r in beads],
        "from_name": words.stage_name(definition, gate.situation.facts.journey.stage_key),
        "to_name": pgettext("state", "Won")
        if wish.kind == Kind.CLOSE_WON
        else words.stage_name(definition, gate.verdict.target),
        "open": opened,
        "advised": advised,
        "behind": [words_of.item(f.result) | {"since": since_words(f)} for f in behind],
        "behind_words": behind_words(behind),
        "settled": [words_of.settled(r) for r in settled],
        "settled_words": ngettext("%(count)s item met", "%(count)s items met", len(settled))
        % {"count": len(settled)},
        "advised_words": ngettext("%(count)s more advised", "%(count)s more advised", len(advised))
        % {"count": len(advised)},
        "message": message or _message(gate),
        "lanes": lanes_of(definition, gate.situation.facts, gate.verdict.tracks, _team_names(gate)),
        "join": words.join_words(definition, gate.verdict),
        "ways": ways_out(gate),
        "waiver": waiver_form(gate, errors or {}),
        "move_form": move_form(gate, form),
        "left": len(opened),
        "soft": gate.situation.facts.journey.soft,
        "move_url": reverse("crm:move", args=[deal.pk]),
        "panel_url": reverse("crm:panel", args=[deal.pk]),
        "query": f"?kind={wish.kind}&to={wish.to}",
        "version": journey.version,
        "deal_version": deal.version,
        "act": act_name(gate),
        "back_url": deal_url(deal.pk) if address("crm:opportunity", deal.pk) else reverse("crm:board"),
        "chip_state": said.gate_of(journey),
        "next_chip": said.next_of(journey),
        "next_url": _own_next(request),
        # Elsewhere there is no card to repaint, and htmx says so in the console each time.
        "is_swap": request.headers.get("HX-Target", "") == "panel" and is_on_board(request),
    }


def _team_names(gate: Gate) -> dict[str, str]:
    """Who fills the slots of the deal team: only asked where there are tracks to name them in."""
    if not gate.verdict.tracks:
        return {}
    people = {"AR": gate.deal.ar, "SR": gate.deal.sr, "FR": gate.deal.fr}
    return {role: person.name for role, person in people.items() if person is not None}


def _own_next(request: HttpRequest) -> str:
    return str(request.POST.get("next") or request.GET.get("next") or "")[:500]


def _over(gate: Gate) -> str:
    deal = gate.deal
    parts = [deal.account.name if deal.account else "", deal.name, format_amount(deal.amount, deal.currency)]
    return " · ".join(part for part in parts if part)


def title(gate: Gate) -> str:
    """The goal, never the ban."""
    wish, definition = gate.wish, gate.definition
    if gate.has_gate:
        return words.headline(definition, gate.verdict)
    titles = {
        Kind.CLOSE_LOST: _("Close as lost"),
        Kind.HOLD: _("Put on hold until a day"),
        Kind.RESUME: _("Resume"),
        Kind.REOPEN: _("Reopen"),
    }
    return titles.get(wish.kind) or _("Back to %(stage)s") % {"stage": words.stage_name(definition, wish.to)}


def act_name(gate: Gate) -> str:
    names = {
        Kind.CLOSE_WON: _("Mark won"),
        Kind.CLOSE_LOST: _("Close as lost"),
        Kind.HOLD: _("Put on hold"),
        Kind.RESUME: _("Resume"),
        Kind.REOPEN: _("Reopen"),
        Kind.REGRESS: _("Move back"),
    }
    return names.get(gate.wish.kind) or _("Complete and move")


def move_name(definition: Definition, kind: str, to: str) -> str:
    stage = words.stage_name(definition, to)
    if kind == Kind.REGRESS:
        return _("Back to %(stage)s") % {"stage": stage}
    if kind == Kind.SKIP:
        return _("Skip to %(stage)s") % {"stage": stage}
    if kind in (Kind.ADVANCE, Kind.BRANCH):
        return _("On to %(stage)s") % {"stage": stage}
    return {
        Kind.CLOSE_WON: _("Mark won"),
        Kind.CLOSE_LOST: _("Close as lost"),
        Kind.HOLD: _("Put on hold"),
        Kind.RESUME: _("Resume"),
    }.get(Kind(kind)) or _("Reopen")


def _message(gate: Gate) -> str:
    """Why the move is not possible at all, beside its criteria and its form."""
    if gate.is_possible:
        return ""
    return " ".join(words.objection_text(o) for o in gate.verdict.objections)


# --- the items ---


class _Items:
    """Checklist items with their fix rows."""

    def __init__(self, gate: Gate, errors: Mapping[str, Any]) -> None:
        self.gate, self.errors = gate, errors
        gaps = gate.verdict.gaps
        self.only = gaps[0].key if len(gaps) == 1 else ""  # its form stands open at once
        self.stage_here = gate.situation.facts.journey.stage_key

    def name(self, r: CriterionResult) -> str:
        criterion = self.gate.criterion(r.key)
        return pick(criterion.name) if criterion else words.item_name(self.gate.definition, r)

    def how(self, r: CriterionResult) -> str:
        text = words.why_text(r, self.gate.definition, self.gate.catalogue, self.gate.names)
        criterion = self.gate.criterion(r.key)
        help_text = pick(criterion.help) if criterion and criterion.help and not r.settled else ""
        stop = "。" if wording.is_chinese() else ". "
        return (text.rstrip("。.") + stop + help_text if text and help_text else text or help_text).strip()

    def settled(self, r: CriterionResult) -> dict[str, Any]:
        return {
            "key": r.key,
            "state": r.state.value,
            "title": self.name(r),
            "must": _must(r),
            "how": self.how(r),
        }

    def item(self, r: CriterionResult) -> dict[str, Any]:
        found = self.settled(r)
        mend = "veto" if r.type == VETO else KIND_OF_MEND.get(CriterionType(r.type), "none")
        mend = "condition" if r.mend == "condition" else mend
        refused = self.errors if self.errors.get("criterion") == r.key else {}
        found |= {
            "mend": mend,
            "refused": refused,
            "typed": refused.get("typed", {}),
            "wrong": refused.get("fields", {}),
            "lists": refused.get("lists", {}),
            "links": [
                {"field": f"m-{r.key}-{INPUTS.get(name, name)}", "message": message}
                for name, message in refused.get("fields", {}).items()
            ],
            "may": self.gate.may_edit,
            "stage": self.stage_of(r),
            "shown": bool(refused) or self.only == r.key,
        }
        return found | getattr(self, f"_{mend}")(r, found)

    def stage_of(self, r: CriterionResult) -> str:
        return words.stage_name(self.gate.definition, r.stage_key) if r.stage_key != self.stage_here else ""

    def _approval(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        """Where it is asked for; while it is being decided, where it can be followed."""
        kind = str(r.mend_params.get("approval", ""))
        known = kind in self.gate.definition.approvals.kinds
        return {
            "ask_url": reverse("process:approval_ask", args=[self.gate.situation.journey.pk, kind])
            if known
            else "",
            "runs": r.why == "approval_pending",
            "follow_url": f"{reverse('process:approvals')}?tab=mine",
        }

    def _none(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _veto(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        """It is settled on the tab of the deal team, where its alternative stands."""
        return {"veto_url": f"{deal_url(self.gate.deal.pk)}?tab=team#veto-{r.mend_params.get('veto', 0)}"}

    def _group(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        """Parts that are fields are filled in together, with one button."""
        fields = [
            c for c in r.children if not c.settled and c.type in (CriterionType.FIELD, CriterionType.SCORE)
        ]
        together = len(fields) > 1 and self.gate.may_edit
        rest = [c for c in r.children if not (together and c in fields)]
        inputs = []
        if together:
            for child in fields:
                inputs += self._inputs(child, found)
        return {
            "is_slot": False,
            "children": [self.settled(c) | {"mend": ""} if c.settled else self.item(c) for c in rest],
            "inputs": inputs,
            "locked": [],
        }

    def _fields(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        locked = [s.name() for s in self._specs(r) if not s.writable_by(self.gate.user)]
        criterion = self.gate.criterion(r.key)
        return {
            "is_slot": bool(criterion and criterion.slot),
            "inputs": self._inputs(r, found),
            "locked": locked,
            "record_url": deal_url(self.gate.deal.pk),
        }

    _score = _fields

    def _specs(self, r: CriterionResult) -> list[FieldSpec]:
        return [s for key in r.mend_params.get("fields", ()) if (s := self.gate.catalogue.get(key))]

    def _inputs(self, r: CriterionResult, found: dict[str, Any]) -> list[dict[str, Any]]:
        inputs = [self._input(s, found) for s in self._specs(r) if s.writable_by(self.gate.user)]
        if r.type == CriterionType.SCORE:
            score = self.gate.definition.scores.get(r.mend_params.get("score", ""))
            top = score.top if score else 2
            names = (
                [_("0 unknown"), _("1 partly"), _("2 verified")]
                if top == 2
                else [str(n) for n in range(top + 1)]
            )
            for part in inputs:
                part |= {
                    "type": "select",
                    "options": [("", "—"), *((str(n), names[n]) for n in range(top + 1))],
                }
        return inputs

    def _elapsed(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        if r.mend_params.get("fields"):
            return self._fields(r, found) | {"mend": "fields"}
        days = int(r.mend_params.get("min", 0))
        return {"ready_on": self.gate.ready_on(days) if days else ""}

    def _input(self, spec: FieldSpec, found: dict[str, Any]) -> dict[str, Any]:
        stored = self.gate.situation.facts.fields.get(spec.key)
        name = PREFIX + spec.key
        kind, options = self._widget(spec, stored)
        return {
            "name": name,
            "id": f"m-{found['key']}-{spec.key}",
            "label": spec.name(),
            "type": kind,
            "options": options,
            "value": self._kept(found, kind, name, self._as_text(spec, stored)),
            "hint": pick(spec.help) if spec.help else None,
            "unit": spec.unit_name or None,
            "error": found["wrong"].get(spec.key),
            "theirs": found["refused"].get("theirs", {}).get(spec.key),
            "attrs": {"list": "accounts"}
            if spec.type == FieldType.RECORD and spec.target == "account"
            else {},
        }

    def _kept(self, found: dict[str, Any], kind: str, name: str, stored: Any) -> Any:
        """What was typed, where the form was refused."""
        if not found["refused"]:
            return stored
        if kind == "multi":
            return found["lists"].get(name, [])
        typed = found["typed"].get(name)
        return stored if typed is None else typed

    def _widget(self, spec: FieldSpec, stored: Any) -> tuple[str, list[tuple[Any, str]]]:
        blank: tuple[Any, str] = ("", "—")
        if spec.type == FieldType.CHOICE:
            return "select", [blank, *((o.value, pick(o.label)) for o in spec.offered([str(stored)]))]
        if spec.type == FieldType.MULTI_CHOICE:
            return "multi", [(o.value, pick(o.label)) for o in spec.offered(stored or ())]
        if spec.type == FieldType.BOOLEAN:
            return "select", [blank, ("true", _("Yes")), ("false", _("No"))]
        if spec.type == FieldType.PERSON:
            role = spec.key.upper() if spec.key in ("sr", "fr") else "AR"
            return "select", [blank, *((u.pk, u.name) for u in candidates(role))]
        if spec.type == FieldType.RECORD and spec.target == "product":
            return "select", [blank, *Product.objects.order_by("name").values_list("pk", "name")[:200]]
        return {
            FieldType.DATE: "date",
            FieldType.DATETIME: "datetime-local",
            FieldType.LONG_TEXT: "textarea",
            FieldType.EMAIL: "email",
            FieldType.PHONE: "tel",
        }.get(spec.type, "text"), []

    def _as_text(self, spec: FieldSpec, stored: Any) -> Any:
        if stored is None:
            return ""
        if spec.type == FieldType.BOOLEAN:
            return "true" if stored else "false"
        if spec.type == FieldType.RECORD and spec.target == "account":
            return self.gate.deal.account.name if self.gate.deal.account else ""
        if spec.type in (FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT):
            return format(stored.normalize(), "f")
        if spec.type == FieldType.DATETIME:
            return timezone.localtime(stored).strftime("%Y-%m-%dT%H:%M")
        return stored

    def _activity(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        kinds = [k for k in r.mend_params.get("kinds", ()) if k in ActivityKind.values] or ActivityKind.values
        return {
            "kinds": [(k, ActivityKind(k).label) for k in kinds],
            "outcomes": [(o.value, o.label) for o in ActivityOutcome],
            "contacts": self.gate.contacts,
            "today": timezone.localdate(self.gate.at).isoformat(),
        }

    def _document(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": r.mend_params.get("kind", ""),
            "by_customer": r.mend_params.get("by") == "customer",
            "signed": bool(r.mend_params.get("signed")),
        }

    def _relation(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        missing = r.why_params.get("missing") or r.mend_params.get("roles") or []
        needed = max(int(r.mend_params.get("depth_min") or 0), 1)
        return {
            "roles": [(k, buying_role_name(k)) for k in missing if k in BuyingRole.values],
            "contacts": self.gate.contacts,
            "depth": needed,
            "stance": int(r.mend_params.get("stance_min") or 0),
            "depths": depth_names(),
            "stances": stance_names(),
            "has_account": self.gate.deal.account_id is not None,
        }

    def _attest(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        criterion = self.gate.criterion(r.key)
        role = criterion.role if criterion else r.role
        may = self.gate.may_confirm(role)
        people = [] if may else who_confirms(role, self.gate.deal)
        statement = criterion.params.get("statement") if criterion else None
        slot = role.lower() if role in ("SR", "FR") and not people and not may and self.gate.may_edit else ""
        return {
            "may_confirm": may,
            "statement": localized(statement) if statement else "",
            "role": role_name(role),
            "people": [u.name for u in people],
            "slot": slot,
            "slot_name": PREFIX + slot,
            "candidates": [(u.pk, u.name) for u in candidates(role)] if slot else [],
        }

    def _condition(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        """Whoever set it says when it is fulfilled, or a manager of the deal (AP-12)."""
        condition = condition_behind(r.mend_params.get("condition"))
        if condition is None:
            return {"condition": 0, "may_say": False, "says": []}
        may = says_when_met(self.gate.user, condition)
        setter = condition.set_by
        is_there = setter.is_active and setter.pk != self.gate.deal.owner_id
        people = [setter] if is_there else [] if may else who_may("waiver.grant", self.gate.deal)
        return {"condition": condition.pk, "may_say": may, "says": [person.name for person in people]}

    def _external(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        fact = str(r.mend_params.get("fact", ""))
        if fact.startswith("handover_"):
            return {"contract_url": "", "team_url": f"{deal_url(self.gate.deal.pk)}?tab=team#hand-overs"}
        url = address("offers:contract_new") if fact.startswith("contract") else ""
        return {"contract_url": f"{url}?opportunity={self.gate.deal.pk}" if url else "", "team_url": ""}

    def _tasks(self, r: CriterionResult, found: dict[str, Any]) -> dict[str, Any]:
        name = str(r.mend_params.get("tasks", ""))
        plan = reverse("crm:plan", args=[self.gate.deal.pk]) if name == PLAN else ""
        return {"list_key": name, "tasks": self.gate.tasks.get(name, []), "plan_url": plan}


def _must(r: CriterionResult) -> bool | None:
    return {Level.BLOCK: True, Level.FLAG: False}.get(r.level)


def depth_names() -> list[tuple[int, str]]:
    return [
        (0, _("0 not met yet")),
        (1, _("1 knows us")),
        (2, _("2 talks openly")),
        (3, _("3 helps us")),
        (4, _("4 stands up for us")),
    ]


def stance_names() -> list[tuple[int, str]]:
    return [
        (-2, _("−2 against us")),
        (-1, _("−1 sceptical")),
        (0, _("0 neutral")),
        (1, _("+1 supports us")),
        (2, _("+2 our champion")),
    ]
