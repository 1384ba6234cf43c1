"""The inputs of the designer: what a form shows, and how what is typed becomes a piece of the document again.

An input is named by its path inside the piece, with - for the dots: `probability-min`, `applies_if-1-value`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from fairlead.common.refusals import Invalid
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import Catalogue
from fairlead.fields.enums import NUMERIC, Operator

MAX_NAME: Final = 200
MAX_WORDS: Final = 2000
MAX_LINES: Final = 4000
CONDITIONS: Final = 3  # leaves that a sentence of the designer may have
_LIST_OPS: Final = frozenset({Operator.IN, Operator.NOT_IN})
_BARE_OPS: Final = frozenset({Operator.PRESENT, Operator.ABSENT})
_YES_NO: Final = {"是": True, "yes": True, "true": True, "否": False, "no": False, "false": False}
_BETWEEN: Final = re.compile(r"[,，、;；\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`kind`: text, number, textarea, select, checks (several of a list), checkbox, hidden, file."""

    name: str
    label: str = ""
    kind: str = "text"
    value: Any = ""
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    optional: bool = True
    wide: bool = False
    most: int = MAX_NAME
    low: int = 0
    high: int = 100_000
    unit: str = ""


Inputs = tuple[Input, ...]


class Post:
    """What was sent: one value a name, or all of it."""

    def __init__(self, one: Callable[[str], str], every: Callable[[str], list[str]]) -> None:
        self.one, self.every = one, every


def read(inputs: Sequence[Input], post: Post) -> dict[str, Any]:
    """The values by name, each of its kind. Raises Invalid naming every input that is wrong."""
    values, errors = {}, []
    for one in inputs:
        try:
            values[one.name] = _value(one, post)
        except Invalid as refusal:
            errors.append({"field": one.name, "message": refusal.message})
    if errors:
        raise Invalid(errors=errors)
    return values


def _value(one: Input, post: Post) -> Any:
    if one.kind == "checkbox":
        return bool(post.one(one.name))
    if one.kind == "checks":
        chosen, known = post.every(one.name), {value for value, _label in one.options}
        if not set(chosen) <= known:
            raise Invalid(_("Choose from the list."))
        return chosen
    if one.kind == "select":
        given = post.one(one.name)
        if given not in {value for value, _label in one.options}:
            raise Invalid(_("Choose one of the list."))
        return given
    text = clean_text(post.one(one.name), limit=one.most, multiline=one.kind == "textarea")
    if not text and not one.optional:
        raise Invalid(_("Fill this in."))
    if one.kind == "number":
        return _whole(one, text)
    return text


def _whole(one: Input, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not one.low <= int(text) <= one.high:
        raise Invalid(
            _("A whole number from %(low)s to %(high)s is expected.") % {"low": one.low, "high": one.high}
        )
    return int(text)


def typed(inputs: Sequence[Input], post: Post) -> Inputs:
    """The same inputs holding what was typed: a refused form keeps it all."""
    found = []
    for one in inputs:
        value: Any = post.every(one.name) if one.kind == "checks" else post.one(one.name)
        found.append(replace(one, value=value))
    return tuple(found)


def errors_of(
    refusal: Invalid, inputs: Sequence[Input], *, at: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Input → what is wrong with it; "" for what belongs to no input. `at`: paths that have another input."""
    names = [one.name for one in inputs]
    found: dict[str, str] = {}
    for error in refusal.details.get("errors", ()):
        path = error["field"].replace(".", "-")
        path = _condition_place((at or {}).get(path, path))
        name = next(
            (n for n in names if n == path),
            next((n for n in names if path and (n.startswith(f"{path}-") or path.startswith(f"{n}-"))), ""),
        )
        found.setdefault(name, error["message"])
    if not found:
        found[""] = str(refusal.message)
    return found


def _condition_place(path: str) -> str:
    """`applies_if-all-0-value` stands in the first line of its condition, as does `applies_if-value`."""
    several = re.fullmatch(r"(applies_if|condition|when)-(?:all|any)-(\d+)(?:-(\w+))?", path)
    if several:
        return f"{several[1]}-{int(several[2]) + 1}-{several[3] or 'field'}"
    one = re.fullmatch(r"(applies_if|condition|when)-(field|op|value)", path)
    return f"{one[1]}-1-{one[2]}" if one else path


# --- words in two languages ---


def names(
    name: str,
    zh: str,
    en: str,
    value: Any,
    *,
    optional: bool = False,
    kind: str = "text",
    most: int = MAX_NAME,
) -> Inputs:
    given = value if isinstance(value, Mapping) else {}
    return (
        Input(
            name=f"{name}-zh", label=zh, value=given.get("zh", ""), optional=optional, kind=kind, most=most
        ),
        Input(
            name=f"{name}-en", label=en, value=given.get("en", ""), optional=optional, kind=kind, most=most
        ),
    )


def name_of(values: Mapping[str, Any], name: str) -> dict[str, str]:
    return {lang: values[f"{name}-{lang}"] for lang in ("zh", "en") if values.get(f"{name}-{lang}")}


def lines(name: str, zh: str, en: str, value: Any) -> Inputs:
    """Several lines of words: one a line, the same number in both languages."""
    given = [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
    return tuple(
        Input(
            name=f"{name}-{lang}",
            label=label,
            kind="textarea",
            most=MAX_LINES,
            value="\n".join(str(v.get(lang, "")) for v in given),
        )
        for lang, label in (("zh", zh), ("en", en))
    )


def lines_of(values: Mapping[str, Any], name: str) -> list[dict[str, str]]:
    zh, en = ([s.strip() for s in values[f"{name}-{lang}"].split("\n") if s.strip()] for lang in ("zh", "en"))
    if len(zh) != len(en):
        raise Invalid.field(
            f"{name}-en",
            _("%(zh)s lines in Chinese and %(en)s in English. One line each stands for the same.")
            % {"zh": len(zh), "en": len(en)},
        )
    return [{"zh": one, "en": other} for one, other in zip(zh, en, strict=True)]


# --- conditions: up to three leaves that all hold, or one of which does ---


def leaves_of(tree: Any) -> tuple[str, list[Mapping[str, Any]]] | None:
    """Mode and leaves of a condition that the sentence can show; None for one that is nested deeper."""
    if not isinstance(tree, Mapping) or not tree:
        return "all", []
    if "field" in tree:
        return "all", [tree]
    for mode in ("all", "any"):
        parts = tree.get(mode)
        if (
            isinstance(parts, list)
            and 0 < len(parts) <= CONDITIONS
            and all(isinstance(p, Mapping) and "field" in p for p in parts)
        ):
            return mode, list(parts)
    return None


def condition(
    name: str, tree: Any, fields: Sequence[tuple[str, str]], *, first: str, kept: str = ""
) -> Inputs:
    """`first`: the label of the first line. `kept`: the words of a condition that is nested deeper and stays as it is."""
    shown = leaves_of(tree)
    if shown is None:
        return (
            Input(name=f"{name}-keep", label=_("Keep this condition: %(words)s") % {"words": kept}, kind="checkbox",
                  value=True, wide=True),
        )  # fmt: skip
    mode, leaves = shown
    operators = tuple((str(value), str(label)) for value, label in Operator.choices)
    found: list[Input] = []
    for i in range(1, CONDITIONS + 1):
        leaf: Mapping[str, Any] = leaves[i - 1] if i <= len(leaves) else {}
        number = {"number": i}
        value = leaf.get("value", "")
        found += [
            Input(name=f"{name}-{i}-field", label=first if i == 1 else _("Field %(number)s") % number, kind="select",
                  options=(("", "—"), *fields), value=str(leaf.get("field", ""))),
            Input(name=f"{name}-{i}-op", label=_("Relation") if i == 1 else _("Relation %(number)s") % number,
                  kind="select", options=operators,
                  value=str(leaf.get("op", Operator.PRESENT))),
            Input(name=f"{name}-{i}-value", most=500,
                  label=pgettext("condition", "Value") if i == 1 else _("Value %(number)s") % number,
                  value="、".join(map(str, value)) if isinstance(value, list) else _as_text(value)),
        ]  # fmt: skip
    found.append(
        Input(name=f"{name}-mode", label=_("Of several lines"), kind="select", value=mode,
              options=(("all", _("all must hold")), ("any", _("one must hold"))))
    )  # fmt: skip
    return tuple(found)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "" if value is None else str(value)


def condition_of(values: Mapping[str, Any], name: str, old: Any, fields: Catalogue) -> Any:
    """The tree that the lines say; None for none."""
    if f"{name}-keep" in values:
        return old if values[f"{name}-keep"] else None
    leaves = []
    for i in range(1, CONDITIONS + 1):
        key = values.get(f"{name}-{i}-field")
        if not key:
            continue
        leaf: dict[str, Any] = {"field": key, "op": values[f"{name}-{i}-op"]}
        if leaf["op"] not in _BARE_OPS:
            leaf["value"] = _typed(values[f"{name}-{i}-value"], leaf["op"], key, fields)
        leaves.append(leaf)
    if not leaves:
        return None
    return leaves[0] if len(leaves) == 1 else {values[f"{name}-mode"]: leaves}


def _typed(text: str, op: str, key: str, fields: Catalogue) -> Any:
    if op in _LIST_OPS:
        return [_one(part.strip(), key, fields) for part in _BETWEEN.split(text) if part.strip()]
    return _one(text, key, fields)


def _one(text: str, key: str, fields: Catalogue) -> Any:
    """Numbers as numbers, yes and no as such, a choice by its words as its value; anything else as it is typed."""
    spec = fields.get(key)
    if spec is None:  # the state of an earlier criterion, which is yes or no
        return _YES_NO.get(text.casefold(), text)
    for option in spec.options:
        if text.casefold() in {word.casefold() for word in option.label.values()}:
            return option.value
    if spec.type == "boolean":
        return _YES_NO.get(text.casefold(), text)
    if spec.unit and spec.type in NUMERIC:  # “15 %” as it is said
        text = text.replace("％", "%").removesuffix(spec.unit).removesuffix(spec.unit_name).strip()
    plain = text.replace(",", "").replace("，", "")
    return (
        int(plain) if re.fullmatch(r"-?[0-9]{1,15}", plain) and spec.type not in ("text", "choice") else text
    )
