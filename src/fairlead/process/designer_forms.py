"""The forms of the designer, part by part: from the document to inputs, and from what is typed to one edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.fields.enums import FieldType

from .criteria import MAX_DAYS
from .describing import list_name, part_name
from .designer_inputs import (
    MAX_LINES,
    MAX_WORDS,
    Input,
    Inputs,
    condition,
    condition_of,
    lines,
    lines_of,
    name_of,
    names,
)
from .designer_sentences import Around, Values, choices, contact_kinds, deal_roles, plain
from .enums import UNREASONED_OUTCOMES, ForecastCategory, Kind, Outcome
from .loading import REASON_LISTS

MOVES: Final = (Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS, Kind.CLOSE_WON, Kind.CLOSE_LOST)


# --- stages ---


def stage_inputs(part: str, stage: Values, around: Around) -> Inputs:
    return _STAGE[part][0](stage, around) if part in _STAGE else ()


def stage_from(part: str, values: Values, stage: Values, around: Around) -> dict[str, Any]:
    return _STAGE[part][1](values, stage, around)


def _goal(stage: Values, around: Around) -> Inputs:
    roles = stage.get("roles") if isinstance(stage.get("roles"), Mapping) else {}
    assert isinstance(roles, Mapping)

    def held(part: str) -> list[str]:
        value = roles.get(part) or []
        return value if isinstance(value, list) else [value]

    return (
        *names("name", _("Name in Chinese"), _("Name in English"), stage.get("name")),
        *names("goal", _("Goal in Chinese"), _("Goal in English"), stage.get("goal"), optional=True),
        *names("gate", _("Name of the gate in Chinese"), _("Name of the gate in English"), stage.get("gate"), optional=True),
        Input(name="roles-accountable", label=_("Accountable"), kind="select", options=(("", "—"), *deal_roles()),
              value=(held("accountable") or [""])[0]),
        *(Input(name=f"roles-{part}", label=part_name(part), kind="checks", options=deal_roles(), value=held(part), wide=True)
          for part in ("responsible", "consulted", "required")),
    )  # fmt: skip


def _goal_from(values: Values, stage: Values, around: Around) -> dict[str, Any]:
    roles: dict[str, Any] = {"accountable": values["roles-accountable"]}
    roles |= {part: values[f"roles-{part}"] for part in ("responsible", "consulted", "required")}
    return {
        "name": name_of(values, "name"),
        "goal": name_of(values, "goal"),
        "gate": name_of(values, "gate"),
        "roles": {part: who for part, who in roles.items() if who},
    }


def _limits(stage: Values, around: Around) -> Inputs:
    limit = stage.get("limit") if isinstance(stage.get("limit"), Mapping) else {}
    assert isinstance(limit, Mapping)
    return (
        Input(name="limit-yellow", label=_("Due soon after"), kind="number", low=1, high=MAX_DAYS, unit=_("working days"),
              value=plain(limit.get("yellow"))),
        Input(name="limit-red", label=_("Over time after"), kind="number", low=1, high=MAX_DAYS, unit=_("working days"),
              value=plain(limit.get("red"))),
        Input(name="wip_limit", label=_("At most so many at once"), kind="number", low=1, value=plain(stage.get("wip_limit"))),
    )  # fmt: skip


def _limits_from(values: Values, stage: Values, around: Around) -> dict[str, Any]:
    limit = {n: values[f"limit-{n}"] for n in ("yellow", "red") if values[f"limit-{n}"] is not None}
    return {"limit": limit, "wip_limit": values["wip_limit"]}


def _guidance(stage: Values, around: Around) -> Inputs:
    book = stage.get("handbook") if isinstance(stage.get("handbook"), Mapping) else {}
    assert isinstance(book, Mapping)
    return (
        *names("why", _("Why this stage, in Chinese"), _("Why this stage, in English"), book.get("why"), optional=True,
               kind="textarea", most=MAX_WORDS),
        *names("good", _("What good looks like, in Chinese"), _("What good looks like, in English"), book.get("good"),
               optional=True, kind="textarea", most=MAX_WORDS),
        *lines("guidance", _("Advice in Chinese"), _("Advice in English"), stage.get("guidance")),
        *lines("activities", _("What is done here, in Chinese"), _("What is done here, in English"), stage.get("activities")),
        *lines("deliverables", _("What comes out, in Chinese"), _("What comes out, in English"), stage.get("deliverables")),
        *lines("risks", _("Risks in Chinese"), _("Risks in English"), stage.get("risks")),
        Input(name="next_steps", label=_("Next steps that are offered"), kind="checks", options=contact_kinds(), wide=True,
              value=stage.get("next_steps") or []),
    )  # fmt: skip


def _guidance_from(values: Values, stage: Values, around: Around) -> dict[str, Any]:
    book = dict(stage.get("handbook") or {})
    for part in ("why", "good"):
        book.pop(part, None)
        if words := name_of(values, part):
            book[part] = words
    found = {name: lines_of(values, name) for name in ("guidance", "activities", "deliverables", "risks")}
    return {**found, "handbook": book, "next_steps": values["next_steps"]}


def _forecast(stage: Values, around: Around) -> Inputs:
    chance = stage.get("probability") if isinstance(stage.get("probability"), Mapping) else {}
    assert isinstance(chance, Mapping)
    return (
        *(Input(name=f"probability-{n}", label=label, kind="number", high=100, unit="%", value=plain(chance.get(n, usual)))
          for n, label, usual in (("default", _("Win probability"), 50), ("min", _("At least"), 0), ("max", _("At most"), 100))),
        Input(name="forecast", label=_("Forecast category"), kind="select", options=choices(ForecastCategory.choices),
              value=stage.get("forecast", ForecastCategory.PIPELINE)),
        Input(name="show_in_funnel", label=_("Shown in the funnel"), kind="checkbox", value=stage.get("show_in_funnel", True)),
    )  # fmt: skip


def _forecast_from(values: Values, stage: Values, around: Around) -> dict[str, Any]:
    chance = {n: values[f"probability-{n}"] for n in ("min", "default", "max")}
    return {
        "probability": {n: v for n, v in chance.items() if v is not None},
        "forecast": values["forecast"],
        "show_in_funnel": values["show_in_funnel"],
    }


def _way(stage: Values, around: Around) -> Inputs:
    return (
        Input(name="start", label=_("A record may begin here"), kind="checkbox", wide=True, value=stage.get("start", False)),
        *names("no_return", _("No way back from here, because (Chinese)"), _("No way back from here, because (English)"),
               stage.get("no_return"), optional=True),
    )  # fmt: skip


def _way_from(values: Values, stage: Values, around: Around) -> dict[str, Any]:
    return {"start": values["start"], "no_return": name_of(values, "no_return")}


_STAGE: Final[
    Mapping[
        str, tuple[Callable[[Values, Around], Inputs], Callable[[Values, Values, Around], dict[str, Any]]]
    ]
] = {
    "goal": (_goal, _goal_from),
    "limits": (_limits, _limits_from),
    "guidance": (_guidance, _guidance_from),
    "forecast": (_forecast, _forecast_from),
    "moves": (_way, _way_from),
}


def new_stage_inputs(body: Values, around: Around) -> Inputs:
    after = (("", _("at the end")), *around.stage_options)
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name")),
        Input(name="after", label=pgettext("place in an order", "After"), kind="select", options=after),
    )


def transition_inputs(body: Values, around: Around, stage: str) -> Inputs:
    """A way out: what kind, where to, under which name, and for a branch under which condition."""
    reasons = (("", "—"), *((name, list_name(name)) for name in REASON_LISTS))
    return (
        Input(name="type", label=_("Kind of move"), kind="select", options=tuple((k, str(k.label)) for k in MOVES),
              value=body.get("type", Kind.BRANCH)),
        Input(name="to", label=_("To the stage"), kind="select", options=(("", "—"), *around.stage_options),
              value=body.get("to", "")),
        *names("label", _("Name of the button in Chinese"), _("Name of the button in English"), body.get("label"), optional=True),
        Input(name="reasons", label=_("A reason from"), kind="select", options=reasons, value=body.get("reasons", "")),
        Input(name="approval", label=_("Only once this is approved"), kind="select", value=body.get("approval", ""),
              options=_kept(("", "—"), *around.approval_options, held=body.get("approval", ""))),
        *condition("when", body.get("when"), around.branch_options(stage), first=_("Taken if"),
                   kept=around.words(body.get("when"))),
    )  # fmt: skip


def _kept(*options: tuple[str, str], held: Any) -> tuple[tuple[str, str], ...]:
    """The options, and what is held even where it is none of them: saving a form changes nothing by itself."""
    return options if held in {value for value, _label in options} else (*options, (str(held), str(held)))


def transition_from(values: Values, old: Values, around: Around) -> dict[str, Any]:
    body = {k: v for k, v in old.items() if k == "needs_right"} | {"type": values["type"]}
    when = condition_of(values, "when", old.get("when"), around.fields)
    said = {"to": values["to"], "reasons": values["reasons"], "label": name_of(values, "label"), "when": when,
            "approval": values["approval"]}  # fmt: skip
    return body | {k: v for k, v in said.items() if v not in (None, "", {})}


# --- the process as a whole ---


def process_inputs(document: Values) -> Inputs:
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), document.get("name"), most=100),
        *names("goal", _("Goal in Chinese"), _("Goal in English"), document.get("goal"), optional=True, most=500),
        Input(name="reopen_days", label=_("May be reopened for"), kind="number", high=MAX_DAYS, unit=_("days"),
              optional=False, value=plain(document.get("reopen_days", 90))),
    )  # fmt: skip


def process_from(values: Values) -> dict[str, Any]:
    return {
        "name": name_of(values, "name"),
        "goal": name_of(values, "goal"),
        "reopen_days": values["reopen_days"],
    }


def reason_inputs(name: str, body: Values) -> Inputs:
    found = names("name", _("Reason in Chinese"), _("Reason in English"), body.get("name"))
    if name != "lost":
        return found
    outcomes = tuple(
        (value, str(label)) for value, label in Outcome.choices if value not in UNREASONED_OUTCOMES
    )
    return (*found, Input(name="outcome", label=_("How it counts"), kind="select", options=outcomes,
                          value=body.get("outcome", Outcome.LOST)))  # fmt: skip


def reason_from(name: str, values: Values) -> dict[str, Any]:
    return {"name": name_of(values, "name")} | ({"outcome": values["outcome"]} if name == "lost" else {})


def field_inputs(body: Values) -> Inputs:
    options = body.get("options") if isinstance(body.get("options"), list) else []
    assert isinstance(options, list)
    shown = "\n".join(
        f"{o.get('value', '')} | {(o.get('label') or {}).get('zh', '')} | {(o.get('label') or {}).get('en', '')}"
        for o in options
        if isinstance(o, Mapping)
    )
    return (
        *names("label", _("Name in Chinese"), _("Name in English"), body.get("label"), most=60),
        Input(name="type", label=_("Type"), kind="select", options=choices(FieldType.choices), value=body.get("type", "text")),
        Input(name="unit", label=_("Unit"), value=body.get("unit", ""), most=20),
        *names("help", _("Hint in Chinese"), _("Hint in English"), body.get("help"), optional=True),
        Input(name="options", label=_("Choices"), kind="textarea", value=shown, most=MAX_LINES, wide=True,
              hint=_("One a line: value | Chinese | English.")),
    )  # fmt: skip


def field_from(values: Values, old: Values) -> dict[str, Any]:
    options = []
    for line in filter(None, (row.strip() for row in values["options"].split("\n"))):
        parts = [part.strip() for part in line.split("|")]
        label = {lang: word for lang, word in zip(("zh", "en"), parts[1:3], strict=False) if word}
        options.append({"value": parts[0], "label": label})
    body: dict[str, Any] = {k: v for k, v in old.items() if k in ("key", "zero_is_placeholder")}
    body |= {"type": values["type"], "label": name_of(values, "label")}
    said = {"unit": values["unit"], "help": name_of(values, "help"), "options": options}
    return body | {k: v for k, v in said.items() if v}
