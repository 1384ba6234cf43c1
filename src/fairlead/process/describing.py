"""A published process in words, for whoever works by it: what each criterion asks, who owes it, how long it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.fields.catalogue import Catalogue, pick
from fairlead.fields.conditions import words as condition_words
from fairlead.work.enums import ActivityKind

from .approval_words import kind_sentence
from .definition import Criterion, Definition, Stage, Transition
from .enums import CriterionType, Kind, Level
from .roles import buying_role_name, role_name


@dataclass(frozen=True, slots=True)
class CriterionWords:
    """One criterion as a page shows it."""

    key: str
    name: str
    required: bool
    level: str
    asks: str
    owes: str
    notes: tuple[str, ...]
    help: str
    parts: tuple[CriterionWords, ...]


def criterion_words(criterion: Criterion, definition: Definition, catalogue: Catalogue) -> CriterionWords:
    notes = []
    if criterion.applies_if is not None:
        notes.append(_("only if %(condition)s") % {"condition": condition_words(criterion.applies_if)})
    if criterion.valid_days is not None:
        notes.append(
            ngettext("holds for %(days)s day", "holds for %(days)s days", criterion.valid_days)
            % {"days": criterion.valid_days}
        )
    if not criterion.skippable:
        notes.append(_("asked even where its stage is skipped"))
    if not criterion.waivable:
        notes.append(_("cannot be waived"))
    return CriterionWords(
        criterion.key,
        pick(criterion.name),
        criterion.level == Level.BLOCK,
        str(criterion.level.label),
        asks(criterion, definition, catalogue),
        role_name(criterion.role) if criterion.role else "",
        tuple(notes),
        pick(criterion.help) if criterion.help else "",
        tuple(criterion_words(child, definition, catalogue) for child in criterion.children),
    )


def asks(criterion: Criterion, definition: Definition, catalogue: Catalogue) -> str:
    """What the criterion asks for, as a sentence part."""
    p = criterion.params
    match criterion.type:
        case CriterionType.FIELD:
            return condition_words(criterion.condition) if criterion.condition is not None else ""
        case CriterionType.ACTIVITY:
            return _activity(criterion)
        case CriterionType.DOCUMENT:
            return _document(criterion)
        case CriterionType.RELATION:
            return _relation(criterion)
        case CriterionType.SCORE:
            return _score(criterion, definition, catalogue)
        case CriterionType.ATTESTATION:
            return _("%(role)s confirms, not the owner: %(statement)s") % {
                "role": role_name(criterion.role),
                "statement": pick(p.get("statement") or criterion.name),
            }
        case CriterionType.EXTERNAL:
            return _("a fact that another part of the program reports")
        case CriterionType.CHILD:
            return (
                _("at least %(count)s tasks of the list are done") % {"count": p["min"]}
                if p.get("min")
                else _("all tasks of the list are done")
            )
        case CriterionType.ELAPSED:
            return _elapsed(criterion, catalogue)
        case CriterionType.GROUP:
            return group_words(criterion)
    kind = definition.approvals.kinds.get(str(p.get("approval", "")))
    if kind is None:
        return _("an approval; not set up yet")
    return _("approved: “%(approval)s”. %(rows)s") % {
        "approval": pick(kind.name),
        "rows": kind_sentence(kind, definition),
    }


def group_words(group: Criterion) -> str:
    """How many of a group are asked for."""
    plain = {"all": _("all of these"), "any": _("one of these")}
    return plain.get(group.mode) or _("%(k)s of these %(n)s") % {"k": group.k, "n": len(group.children)}


def joined(words: Iterable[Any]) -> str:
    return _(", ").join(map(str, words))


def _activity(criterion: Criterion) -> str:
    p = criterion.params
    count = p.get("min", 1)
    text = ngettext(
        "%(count)s contact in which the customer took part",
        "%(count)s contacts in which the customer took part",
        count,
    ) % {"count": count}
    parts = [text]
    if p.get("kinds"):
        parts.append(joined(ActivityKind(kind).label for kind in p["kinds"]))
    if p.get("departments_min"):
        parts.append(_("from %(count)s departments") % {"count": p["departments_min"]})
    if p.get("contact_roles"):
        parts.append(_("with %(roles)s") % {"roles": joined(buying_role_name(r) for r in p["contact_roles"])})
    if p.get("within_days"):
        parts.append(_("within the last %(days)s days") % {"days": p["within_days"]})
    return _("; ").join(parts)


def _document(criterion: Criterion) -> str:
    p = criterion.params
    parts = [_("a file from the customer") if p.get("by") == "customer" else _("a file")]
    if p.get("signed"):
        parts.append(_("signed"))
    if p.get("version_min", 1) > 1:
        parts.append(_("version %(number)s or later") % {"number": p["version_min"]})
    return _("; ").join(parts)


def _relation(criterion: Criterion) -> str:
    p = criterion.params
    roles = p["roles"] if isinstance(p["roles"], list) else [p["roles"]]
    parts = [_("known at the customer: %(roles)s") % {"roles": joined(buying_role_name(r) for r in roles)}]
    if p.get("min") and p["min"] < len(roles):
        parts.append(_("at least %(count)s of them") % {"count": p["min"]})
    if p.get("depth_min"):
        parts.append(_("contact depth %(depth)s of 4 or more") % {"depth": p["depth_min"]})
    if p.get("stance_min") is not None:
        parts.append(_("stance %(stance)s or better") % {"stance": f"{p['stance_min']:+d}"})
    return _("; ").join(parts)


def _score(criterion: Criterion, definition: Definition, catalogue: Catalogue) -> str:
    p, score = criterion.params, definition.scores[criterion.params["score"]]
    text = _("%(score)s: at least %(min)s of %(top)s points") % {
        "score": pick(score.name),
        "min": p["min"],
        "top": score.most,
    }
    floor = [
        f"{spec.name()} ≥ {low}"
        for key, low in (p.get("floor") or {}).items()
        if (spec := catalogue.get(key))
    ]
    return _("; ").join([text, *floor])


def _elapsed(criterion: Criterion, catalogue: Catalogue) -> str:
    before = criterion.params.get("before")
    if before:
        spec = catalogue.get(before)
        return _("not later than %(field)s") % {"field": spec.name() if spec else before}
    return _("%(days)s working days in this stage") % {"days": criterion.params.get("min_days")}


def move_words(transition: Transition, definition: Definition) -> str:
    """“Advance → Needs analysis”, with its condition and the list its reason comes from."""
    text = pick(transition.label) if transition.label else str(transition.kind.label)
    if transition.to and transition.to in definition.by_key:
        text = f"{text} → {pick(definition.by_key[transition.to].name)}"
    if transition.when is not None:
        text = _("%(move)s, if %(condition)s") % {"move": text, "condition": condition_words(transition.when)}
    if transition.approval:
        kind = definition.approvals.kinds.get(transition.approval)
        name = pick(kind.name) if kind is not None else transition.approval
        text = _("%(move)s; only once “%(approval)s” is approved") % {"move": text, "approval": name}
    if transition.reasons:
        text = _("%(move)s; a reason is asked for") % {"move": text}
    return text


def stage_moves(stage: Stage, definition: Definition) -> list[str]:
    """Every way out of a stage; the ways back to each earlier stage are one line."""
    regress = [t for t in stage.transitions if t.kind == Kind.REGRESS]
    lines = [move_words(t, definition) for t in stage.transitions if t.kind != Kind.REGRESS]
    if regress:
        names = joined(pick(definition.by_key[t.to].name) for t in regress if t.to in definition.by_key)
        lines.append(_("Back to %(stages)s; a reason is asked for") % {"stages": names})
    return lines


def list_name(key: str) -> str:
    return {
        "lost": _("Why a deal is lost"),
        "win": _("Why a deal is won"),
        "regress": _("Why a deal moves back"),
        "skip": _("Why stages are skipped"),
        "hold": _("Why a deal is on hold"),
        "push": _("Why a date moves"),
        "waiver": _("Why an item is waived"),
        "reopen": _("Why a deal is reopened"),
        "handover": _("Why a hand-over is returned"),
    }[key]


def part_name(key: str) -> str:
    return {
        "accountable": _("Accountable"),
        "responsible": _("Responsible"),
        "consulted": _("Consulted"),
        "required": _("Has to take part"),
    }.get(key, key)
