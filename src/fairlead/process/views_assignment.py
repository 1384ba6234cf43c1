"""Which process a new record takes, as sentences in their order; and one record that another process fits better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal, Stale
from fairlead.fields.catalogue import catalogue
from fairlead.fields.conditions import ConditionError, compile_tree
from fairlead.fields.conditions import words as condition_words
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from .answers import find_journey
from .definition import Definition
from .designer import Form
from .designer_inputs import Input, Inputs, Post, condition, condition_of, errors_of, read, typed
from .fit_reading import process_names, trial_words
from .models import AssignmentRule, ProcessVersion
from .selectors.assignment import changes, preview
from .services import switching
from .services.assigning import MOST_RULES, set_rules, stamp_of
from .services.publishing import PUBLISH
from .services.starting import default_process
from .subjects import registered, room_of

NAV = "processes"
_STEPS: Final = {"up": -1, "down": 1}
Rules = list[dict[str, Any]]


def _how(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, "at": timezone.now(), "channel": Channel.UI}


def _kinds() -> list[str]:
    """Kinds of records that have a published process; opportunities first."""
    known = set(ProcessVersion.objects.published().values_list("process__subject_type", flat=True))
    return sorted((k for k in registered() if k in known), key=lambda k: k != "opportunity")


def _rules(kind: str) -> Rules:
    rows = AssignmentRule.objects.filter(subject_type=kind).order_by("position", "pk")
    return [{"condition": row.condition, "process": row.process_key} for row in rows]


@access("process.view")
@require_http_methods(["GET", "HEAD", "POST"])
def assignment(request: HttpRequest) -> HttpResponse:
    """The rules of one kind of record in their order; each button is one change of them."""
    user: Any = request.user
    kinds = _kinds()
    given = request.POST if request.method == "POST" else request.GET
    kind = given.get("kind", "") or (kinds[0] if kinds else "")
    if kind not in kinds:
        if kind:
            raise NotFound
        return page(request, "process/assignment.html", {"nav_at": NAV, "kinds": [], "kind": ""})
    rules, form, said, status = _rules(kind), None, "", 200
    if request.method == "POST":
        if not user.may(PUBLISH):
            raise NotPermitted
        try:
            form, changed = _changed(request, kind, rules)
            set_rules(kind, changed, stamp=request.POST.get("stamp", ""), **_how(request))
            messages.info(request, _("The rules are set. Records on their way stay where they are."))
            return redirect(f"{reverse('process:assignment')}?kind={kind}")
        except Invalid as refusal:
            form, status = _refused(request, kind, refusal), 422
        except Stale as refusal:
            said, status, rules = str(refusal), 409, _rules(kind)
    context = _context(request, kind, rules)
    context |= {"kinds": _tabs(kinds, kind), "said": said, "may_set": user.may(PUBLISH)}
    if user.may(PUBLISH):
        context["form"] = form or _form(kind, rules, given.get("edit", ""))
    return page(request, "process/assignment.html", context, status=status)


def _tabs(kinds: list[str], at: str) -> list[dict[str, Any]]:
    return [{"text": localized(room_of(k).label), "url": f"?kind={k}", "current": k == at} for k in kinds]


def _number(text: str, rules: Rules) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    return number - 1 if 1 <= number <= len(rules) else None


def _changed(request: HttpRequest, kind: str, rules: Rules) -> tuple[Form | None, Rules]:
    """The rules after one change. Raises Invalid, with the names of inputs where a form said it."""
    do, at = request.POST.get("do", ""), _number(request.POST.get("number", ""), rules)
    changed = list(rules)
    if do in ("add", "set"):
        form = _form(kind, rules, request.POST.get("number", "") if do == "set" else "")
        post = Post(lambda n: request.POST.get(n, ""), request.POST.getlist)
        values = read(form.inputs, post)
        old = rules[at]["condition"] if do == "set" and at is not None else None
        tree = condition_of(values, "condition", old, catalogue(kind))
        if tree is None:
            raise Invalid.field("condition.field", _("Say when the rule holds."))
        try:
            compile_tree(tree, catalogue(kind))
        except ConditionError as error:
            raise Invalid(
                errors=[
                    {"field": ".".join(filter(None, ["condition", p.path])), "message": p.message}
                    for p in error.problems
                ]
            ) from None
        rule = {"condition": tree, "process": values["process"]}
        if do == "set" and at is not None:
            changed[at] = rule
        elif len(changed) >= MOST_RULES:
            raise Invalid.field("process", _("At most %(most)s rules.") % {"most": MOST_RULES})
        else:
            changed.append(rule)
        return form, changed
    if at is None or do not in ("up", "down", "remove"):
        raise Invalid.field("number", _("There is no such rule."))
    moved = changed.pop(at)
    if do in _STEPS:
        changed.insert(max(0, at + _STEPS[do]), moved)
    return None, changed


def _form(kind: str, rules: Rules, editing: str) -> Form:
    at = _number(editing, rules)
    rule: dict[str, Any] = rules[at] if at is not None else {"condition": None, "process": ""}
    fields = tuple((spec.key, spec.name()) for spec in catalogue(kind))
    names = process_names(kind)
    inputs: Inputs = (
        *condition("condition", rule["condition"], fields, first=_("Field"), kept=_words(kind, rule["condition"])),
        Input(name="process", label=_("Then it takes"), kind="select", options=tuple(names.items()),
              value=rule["process"] or next(iter(names), "")),
    )  # fmt: skip
    said = {"do": "set" if at is not None else "add", "kind": kind}
    if at is not None:
        said["number"] = str(at + 1)
    return Form(
        op="", inputs=inputs, said=said, icon="check" if at is not None else "plus",
        title=_("Change rule %(number)s") % {"number": at + 1} if at is not None else _("New rule"),
        submit=_("Save the rule") if at is not None else _("Add the rule"),
    )  # fmt: skip


def _refused(request: HttpRequest, kind: str, refusal: Invalid) -> Form:
    made = _form(kind, _rules(kind), request.POST.get("number", ""))
    post = Post(lambda n: request.POST.get(n, ""), request.POST.getlist)
    return Form(
        op="", inputs=typed(made.inputs, post), said=made.said, icon=made.icon, title=made.title,
        submit=made.submit, errors=errors_of(refusal, made.inputs),
    )  # fmt: skip


def _words(kind: str, tree: Mapping[str, Any] | None) -> str:
    if not tree:
        return ""
    try:
        return condition_words(compile_tree(tree, catalogue(kind)))
    except ConditionError:
        return ""


def _context(request: HttpRequest, kind: str, rules: Rules) -> dict[str, Any]:
    default = default_process(kind)
    names = process_names(kind)
    takes = preview(kind, rules, default, reader=request.user, at=timezone.now())
    told = changes(kind)
    people = User.objects.in_bulk({e.actor_id for e in told if e.actor_id is not None})
    return {
        "nav_at": NAV,
        "kind": kind,
        "stamp": stamp_of(kind),
        "rules": [
            {
                "number": i + 1,
                "text": _words(kind, rule["condition"]),
                "process": names.get(rule["process"], rule["process"]),
                "is_published": rule["process"] in names,
                "takes": takes[i],
                "first": i == 0,
                "last": i == len(rules) - 1,
            }
            for i, rule in enumerate(rules)
        ],
        "rest": takes[-1],
        "default": names.get(default, default),
        "form": None,
        "changes": [
            {
                "at": event.effective_at,
                "who": people[event.actor_id].name if event.actor_id in people else _("The installation"),
                "before": len(event.data.get("before", ())),
                "after": len(event.data.get("after", ())),
            }
            for event in told
        ],
    }


# --- one record ---


@access("signed-in")
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """What another process would change for one record; carried out, or left where it is, by a button."""
    user: Any = request.user
    journey = find_journey(user, pk)
    room = room_of(journey.subject_type)
    if not room.visible_ids(user, [journey.subject_id], right=room.move_right):
        raise NotPermitted
    said, status = "", 200
    if request.method == "POST":
        try:
            return _act(request, journey.pk, room.url(journey.subject_id))
        except (NotFound, NotPermitted):
            raise
        except Refusal as refusal:
            errors = refusal.details.get("errors") if isinstance(refusal, Invalid) else None
            said, status = errors[0]["message"] if errors else str(refusal), refusal.status
    context = {
        "nav_at": NAV,
        "journey": journey,
        "title": journey.title or "—",
        "back": room.url(journey.subject_id),
        "said": said,
        **_switch_context(request, find_journey(user, pk)),
    }
    return page(request, "process/switch.html", context, status=status)


def _switch_context(request: HttpRequest, journey: Any) -> dict[str, Any]:
    now = timezone.now()
    from .answers import situation_of

    situation = situation_of(journey, now)
    fit = switching.suggested_for(journey, situation.facts.fields, at=now)
    if fit is None:
        return {"trial": None}
    stage = request.POST.get("stage", "")[:60] or request.GET.get("stage", "")[:60]
    try:
        trial = switching.try_switch(journey, fit.process_key, at=now, stage=stage)
    except Refusal as refusal:
        return {"trial": None, "cannot": str(refusal)}
    definition: Definition = trial.definition
    return {"trial": trial_words(trial, fit, journey, definition, reader=request.user, at=now)}


def _act(request: HttpRequest, pk: int, back: str) -> HttpResponse:
    do, given = request.POST.get("do", ""), request.POST.get("version", "")
    if do == "leave":
        switching.leave_where_it_is(pk, **_how(request))
        messages.info(request, _("It stays where it is. You hear of it again when what decides it changes."))
        return redirect(back)
    if do != "switch":
        raise Invalid.field("do", _("Say what is to be done."))
    version = int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else 0
    switching.switch_process(
        pk, process_key=request.POST.get("process", "")[:60], stage=request.POST.get("stage", "")[:60],
        version=version, **_how(request),
    )  # fmt: skip
    messages.info(request, _("The record goes on in the other process. Its history stays as it was."))
    return redirect(back)
