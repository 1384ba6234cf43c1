"""The forms of approvals in the designer: from the document to inputs, and from what is typed to one edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.common.refusals import Invalid
from fairlead.organisation.enums import Role

from .approval_enums import ApprovalMode, Direction, Lever, Resolver
from .approval_reading import DEAL_ROLES, MAX_DAYS, MAX_HOURS, MAX_TIER
from .designer_inputs import Input, Inputs, Post, condition, condition_of, name_of, names
from .designer_sentences import Around, Values, choices, deal_roles, plain
from .designer_shapes import name_words
from .editing_approvals import LISTS, committees_of, kind_of, policy_of
from .models import ProcessDraft
from .roles import role_name
from .selectors.approvers import people_to_name

SEATS: Final = 4  # lines for approvers that a row shows at least
Made = Callable[[Values], dict[str, Any]]


# --- who decides ---


def approver_options(near: Around, held: Values, *, committees: bool) -> tuple[tuple[str, str], ...]:
    """All that may be named, as `line:1`, `role:FIN`, `person:wang`; what `held` names stays to be chosen."""
    named = [_said(one) for one in _listed(held)]
    found: list[tuple[str, str]] = [("", "—")]
    found.append(("line:1", _("direct manager")))
    found += [(f"line:{i}", _("manager %(level)s levels up") % {"level": i}) for i in (2, 3)]
    found += [(f"role:{r}", _("Role: %(name)s") % {"name": Role(r).label}) for r in Role.values]
    found += [(f"deal:{r}", _("In the deal team: %(name)s") % {"name": role_name(r)}) for r in DEAL_ROLES]
    if committees:
        for key, body in committees_of(near.document).items():
            name = name_words({"key": key, **body})
            found.append((f"committee:{key}", _("Committee: %(name)s") % {"name": name}))
    users = [said.removeprefix("person:") for said in named if said.startswith("person:")]
    found += [
        (f"person:{p.username}", _("Person: %(name)s") % {"name": p.name}) for p in people_to_name(users)
    ]
    known = {value for value, _label in found}
    return (*found, *((said, said) for said in dict.fromkeys(named) if said not in known))


def _listed(held: Values) -> list[Any]:
    given = held.get("approvers", held.get("members"))
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def _said(approver: Values) -> str:
    return next((f"{kind}:{value}" for kind, value in approver.items()), "")


def _seats(name: str, label: str, near: Around, held: Values, *, committees: bool) -> Inputs:
    options, named = (
        approver_options(near, held, committees=committees),
        [_said(one) for one in _listed(held)],
    )
    return tuple(
        Input(name=f"{name}-{i}", kind="select", options=options, value=named[i] if i < len(named) else "",
              label=label if i == 0 else _("%(label)s (%(number)s)") % {"label": label, "number": i + 1})
        for i in range(max(SEATS, len(named) + 1))
    )  # fmt: skip


def _seats_of(values: Values, name: str) -> list[dict[str, Any]]:
    found = []
    for key, said in values.items():
        if key.startswith(f"{name}-") and said:
            kind, _sign, value = said.partition(":")
            found.append({kind: int(value) if kind == Resolver.LINE and value.isdigit() else value})
    return found


# --- kinds ---


def new_kind_inputs(near: Around) -> Inputs:
    asked = (("", _("not yet")), *near.stage_options)
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), {}),
        Input(name="ask_at", label=_("Asked for before leaving the stage"), kind="select", options=asked),
    )


def kind_inputs(kind: Values) -> Inputs:
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), kind.get("name")),
        *names("help", _("Hint in Chinese"), _("Hint in English"), kind.get("help"), optional=True, kind="textarea"),
        Input(name="valid_days", label=_("Once given, it holds for"), kind="number", low=1, high=MAX_DAYS, unit=_("days"),
              value=plain(kind.get("valid_days"))),
        Input(name="carry", label=_("What was approved counts again when it is submitted anew"), kind="checkbox", wide=True,
              value=kind.get("carry", True)),
        Input(name="lapses_on_regress", label=_("It ends when the record moves back before the stage where it was given"),
              kind="checkbox", wide=True, value=kind.get("lapses_on_regress", False)),
    )  # fmt: skip


def kind_from(values: Values) -> dict[str, Any]:
    return {
        "name": name_of(values, "name"),
        "help": name_of(values, "help"),
        "valid_days": values["valid_days"],
        "carry": None if values["carry"] else False,
        "lapses_on_regress": values["lapses_on_regress"] or None,
    }


# --- the lists of a kind ---


def entry_inputs(name: str, kind: Values, body: Values, near: Around, *, is_new: bool) -> Inputs:
    if name == "rows":
        return _row_inputs(kind, body, near, is_new=is_new)
    if name == "binds":
        return _bind_inputs(body, near)
    words = names("name", _("Name in Chinese"), _("Name in English"), body.get("name"))
    if name == "prohibited":
        return (*words, *_when(body, near, _("Nobody approves if")))
    needed = Input(name="needed", label=_("Needed before it can be submitted"), kind="checkbox", wide=True,
                   value=body.get("needed", True))  # fmt: skip
    if name == "package":
        return (*words, needed)
    held = str(body.get("role") or "")
    roles = (("", "—"), *deal_roles())
    if held not in {value for value, _label in roles}:
        roles = (*roles, (held, held))
    return (
        *words,
        Input(name="role", label=_("Whose opinion"), kind="select", options=roles, value=held),
        needed,
    )


def entry_from(name: str, values: Values, old: Values, near: Around) -> dict[str, Any]:
    if name == "rows":
        return _row_from(values, old, near)
    if name == "binds":
        return {part: values[part] for part in ("lever", "field", "direction")}
    body: dict[str, Any] = {"name": name_of(values, "name")}
    if name == "prohibited":
        when = condition_of(values, "when", old.get("when"), near.fields)
        return body | ({"when": when} if when is not None else {})
    if not values["needed"]:
        body["needed"] = False
    return body | ({"role": values["role"]} if values.get("role") else {})


def _when(body: Values, near: Around, first: str) -> Inputs:
    tree = body.get("when")
    return condition("when", tree, near.field_options, first=first, kept=near.words(tree))


def _row_inputs(kind: Values, body: Values, near: Around, *, is_new: bool) -> Inputs:
    rows = kind.get("rows") if isinstance(kind.get("rows"), list) else []
    assert isinstance(rows, list)
    tiers = [r["tier"] for r in rows if isinstance(r, Mapping) and isinstance(r.get("tier"), int)]
    tier = min(max(tiers, default=0) + 1, MAX_TIER) if is_new else body.get("tier", 1)
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name"), optional=True),
        *_when(body, near, _("Asked if")),
        *_seats("approvers", _("Who decides"), near, body, committees=True),
        Input(name="mode", label=_("Of several"), kind="select", options=choices(ApprovalMode.choices),
              value=body.get("mode", ApprovalMode.SEQUENTIAL)),
        Input(name="k", label=_("How many of them"), kind="number", low=1, high=99, value=plain(body.get("k")),
              hint=_("Only for “A number of them”.")),
        Input(name="tier", label=pgettext("approval", "Tier"), kind="number", low=1, high=MAX_TIER, optional=False,
              value=plain(tier), hint=_("Where several rows hold, the highest tier decides.")),
        Input(name="lever", label=_("Lever"), kind="select", options=choices(Lever.choices),
              value=body.get("lever", Lever.DECISION)),
        Input(name="response_hours", label=_("First answer within"), kind="number", low=1, high=MAX_HOURS,
              unit=pgettext("unit", "working hours"), value=plain(body.get("response_hours", 8))),
        Input(name="decision_hours", label=_("Decision within"), kind="number", low=1, high=MAX_HOURS,
              unit=pgettext("unit", "working hours"), value=plain(body.get("decision_hours", 24))),
        Input(name="bind", label=_("Ask again when a value in the condition gets worse than approved"), kind="checkbox",
              wide=True, value=is_new),
    )  # fmt: skip


def _row_from(values: Values, old: Values, near: Around) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if words := name_of(values, "name"):
        body["name"] = words
    body |= {"lever": values["lever"], "tier": values["tier"], "approvers": _seats_of(values, "approvers")}
    when = condition_of(values, "when", old.get("when"), near.fields)
    if when is not None:
        body["when"] = when
    body["mode"] = values["mode"]
    if values["mode"] == ApprovalMode.K_OF_N:
        body["k"] = values["k"]
    return body | {n: values[n] for n in ("response_hours", "decision_hours") if values[n] is not None}


def _bind_inputs(body: Values, near: Around) -> Inputs:
    ways = (
        (Direction.AT_MOST, _("a higher value asks again")),
        (Direction.AT_LEAST, _("a lower value asks again")),
        (Direction.SUBSET, _("a further choice asks again")),
        (Direction.EQUAL, _("any other value asks again")),
    )
    fields = (("", "—"), *near.field_options)
    return (
        Input(name="field", label=_("Field"), kind="select", options=fields, value=str(body.get("field", ""))),
        Input(name="direction", label=_("After it was approved"), kind="select", options=choices(ways),
              value=body.get("direction", Direction.AT_MOST)),
        Input(name="lever", label=_("Lever"), kind="select", options=choices(Lever.choices),
              value=body.get("lever", Lever.DECISION)),
    )  # fmt: skip


# --- committees, and what holds for all ---


def committee_inputs(body: Values, near: Around) -> Inputs:
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name")),
        *_seats("members", _("Member"), near, body, committees=False),
    )


def committee_from(values: Values) -> dict[str, Any]:
    return {"name": name_of(values, "name"), "members": _seats_of(values, "members")}


def policy_inputs(document: Values) -> Inputs:
    return (
        Input(name="distinct", label=_("Somebody asked twice in a row decides once"), kind="checkbox", wide=True,
              value=policy_of(document).get("distinct", True)),
    )  # fmt: skip


# --- what was sent ---


def _new_kind(post: Post, near: Around, row: ProcessDraft) -> tuple[Inputs, Made]:
    def made(values: Values) -> dict[str, Any]:
        found: dict[str, Any] = {"approval": {"name": name_of(values, "name")}}
        return found | ({"stage": values["ask_at"]} if values["ask_at"] else {})

    return new_kind_inputs(near), made


def _kind(post: Post, near: Around, row: ProcessDraft) -> tuple[Inputs, Made]:
    kind = kind_of(row.document, post.one("approval_key"))
    return kind_inputs(kind), lambda v: {"set": kind_from(v)}


def _entry(post: Post, near: Around, row: ProcessDraft) -> tuple[Inputs, Made]:
    kind, name, number = kind_of(row.document, post.one("approval_key")), post.one("list"), post.one("number")
    if name not in LISTS:
        raise Invalid.field("list", _("Choose one of the list."))
    is_new = post.one("op") == "approval_part_add"
    given = kind.get(name)
    entries = given if isinstance(given, list) else []
    held = (
        entries[int(number)] if number.isdigit() and len(number) <= 3 and int(number) < len(entries) else {}
    )
    old = held if isinstance(held, Mapping) and not is_new else {}

    def made(values: Values) -> dict[str, Any]:
        found: dict[str, Any] = {"entry": entry_from(name, values, old, near)}
        return found | ({"bind": True} if values.get("bind") else {})

    return entry_inputs(name, kind, old, near, is_new=is_new), made


def _committee(post: Post, near: Around, row: ProcessDraft) -> tuple[Inputs, Made]:
    body = committees_of(row.document).get(post.one("committee_key"), {})
    return committee_inputs(body, near), lambda v: {"committee": committee_from(v)}


def _policy(post: Post, near: Around, row: ProcessDraft) -> tuple[Inputs, Made]:
    return policy_inputs(row.document), lambda v: {"set": {"distinct": v["distinct"]}}


READINGS: Final[Mapping[str, Callable[[Post, Around, ProcessDraft], tuple[Inputs, Made]]]] = {
    "approval_add": _new_kind,
    "approval_set": _kind,
    "approval_part_add": _entry,
    "approval_part_set": _entry,
    "committee_add": _committee,
    "committee_set": _committee,
    "approvals_set": _policy,
}
