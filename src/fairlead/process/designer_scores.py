"""Scorecards in the designer: their elements, what a step is worth and is called, and what raises an element (PD-8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import pick
from fairlead.fields.enums import NUMERIC, FieldType

from .criteria import MAX_DAYS
from .definition import Definition, Score
from .describing import joined
from .designer_floors import element_name
from .designer_inputs import MAX_LINES, Input, Inputs, Post, lines, lines_of, name_of, names
from .designer_pieces import PieceRow, PieceWords, in_both
from .designer_sentences import Around, Values, plain
from .designer_shapes import At, Form, name_words, other_language
from .editing_scores import elements_of, score_of, scores_of
from .enums import CriterionType

PART = "scores"
TOP, FRESH_DAYS, MINUTES = 2, 60, 60
_NUMBER = re.compile(r"[0-9]{1,5}")


def score_inputs(body: Values) -> Inputs:
    points = body.get("points") if isinstance(body.get("points"), Mapping) else {}
    assert isinstance(points, Mapping)
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name"), most=60),
        Input(name="top", label=_("Most points of one element"), kind="number", low=1, high=100, optional=False,
              value=plain(body.get("top", TOP))),
        Input(name="fresh_days", label=_("Evidence counts as fresh for"), kind="number", low=1, high=MAX_DAYS,
              unit=_("days"), optional=False, value=plain(body.get("fresh_days", FRESH_DAYS))),
        *lines("words", _("Words of the steps in Chinese, from 0"), _("Words of the steps in English, from 0"),
               body.get("words")),
        Input(name="points", label=_("What a choice is worth"), kind="textarea", most=MAX_LINES, wide=True,
              value="\n".join(f"{option} | {worth}" for option, worth in points.items()),
              hint=_("Only where elements are choices; one a line: value | points.")),
    )  # fmt: skip


def score_from(values: Values, old: Values) -> dict[str, Any]:
    """The score that the form says; its elements and their acts stay, they have forms of their own."""
    body: dict[str, Any] = {"name": name_of(values, "name"), "elements": elements_of(old)}
    said = {
        "top": values["top"],
        "fresh_days": values["fresh_days"],
        "words": lines_of(values, "words"),
        "points": _points(values["points"]),
        "acts": old.get("acts"),
    }
    return body | {name: value for name, value in said.items() if value}


def _points(text: str) -> dict[str, int]:
    found = {}
    for number, parts in _lines(text):
        if len(parts) != 2 or not parts[0] or not _NUMBER.fullmatch(parts[1]):
            raise Invalid.field(
                "points", _("Line %(number)s: value | points is expected.") % {"number": number}
            )
        found[parts[0]] = int(parts[1])
    return found


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that say something, numbered from 1, each in its parts."""
    rows = [row.strip() for row in text.replace("｜", "|").split("\n")]
    return [(i, [part.strip() for part in row.split("|")]) for i, row in enumerate(rows, 1) if row]


def acts_input(acts: Any) -> Input:
    given = [a for a in acts if isinstance(a, Mapping)] if isinstance(acts, list) else []
    shown = "\n".join(
        f"{a.get('to', '')} | {a.get('minutes', MINUTES)} | {(a.get('text') or {}).get('zh', '')}"
        f" | {(a.get('text') or {}).get('en', '')}"
        for a in given
    )
    return Input(
        name="acts", label=_("What raises it"), kind="textarea", most=MAX_LINES, wide=True, value=shown,
        hint=_("One a line: points it reaches | minutes it takes | Chinese | English."),
    )  # fmt: skip


def acts_of(text: str, top: int) -> list[dict[str, Any]]:
    found = []
    for number, parts in _lines(text):
        said = {"number": number, "top": top}
        if len(parts) != 4 or not all(parts):
            message = _("Line %(number)s: points | minutes | Chinese | English is expected.")
            raise Invalid.field("acts", message % said)
        if not _NUMBER.fullmatch(parts[0]) or not 1 <= int(parts[0]) <= top:
            raise Invalid.field("acts", _("Line %(number)s: it reaches 1 to %(top)s points.") % said)
        if not _NUMBER.fullmatch(parts[1]) or not 1 <= int(parts[1]) <= 10_000:
            raise Invalid.field("acts", _("Line %(number)s: 1 to 10,000 minutes are expected.") % said)
        text_ = {"zh": parts[2], "en": parts[3]}
        found.append({"to": int(parts[0]), "minutes": int(parts[1]), "text": text_})
    return found


def element_inputs(score: Values, near: Around) -> Inputs:
    """For a new element: any field that holds a number or is a choice, and is none yet."""
    taken = set(elements_of(score))
    options = tuple(
        (s.key, s.name())
        for s in near.fields
        if s.key not in taken and (s.type in NUMERIC or s.type == FieldType.CHOICE)
    )
    return (
        Input(name="element", label=_("Field"), kind="select", options=(("", "—"), *options), wide=True,
              hint=_("One that holds a number, or a choice. What is missing is added under “Fields it brings”.")),
        acts_input(None),
    )  # fmt: skip


# --- the part of the page ---


def scores_part(document: Mapping[str, Any], at: At, near: Around) -> dict[str, Any]:
    scores = scores_of(document)
    known = near.definition.scores if near.definition else {}
    rows = [_row(key, body, known.get(key), at, near) for key, body in scores.items()]
    words = PieceWords(
        op="score",
        inner_op="element",
        icon="gauge",
        none=_("No score yet"),
        none_hint=_("A score sums up what is known, beside the stages; a gate may ask for so many points."),
        add=_("New score"),
        add_inner=_("Add an element"),
        none_inner=_("A score has at least one element. Add the first one."),
        sorts=False,
    )
    return {"pieces": words, "rows": rows, "forms": _forms(scores, at, near), "is_pieces": True}


def _forms(scores: Mapping[str, Any], at: At, near: Around) -> list[Form]:
    held = scores.get(at.item)
    if held is None:
        return [
            Form(
                op="score_add", inputs=score_inputs({}), said={"part": PART}, submit=_("Add the score"),
                title=_("New score"), icon="plus",
            )
        ]  # fmt: skip
    said = {"part": PART, "score_key": at.item}
    if at.inner in elements_of(held):
        acts = held["acts"].get(at.inner) if isinstance(held.get("acts"), Mapping) else None
        return [
            Form(
                op="element_set", inputs=(acts_input(acts),), said={**said, "element": at.inner},
                submit=_("Save the element"), title=element_name(at.inner, near),
            )
        ]  # fmt: skip
    if at.adding:
        return [
            Form(
                op="element_add", inputs=element_inputs(held, near), said={**said, "asks": "1"}, icon="plus",
                submit=_("Add the element"), title=_("New element of “%(name)s”") % {"name": name_words(held)},
            )
        ]  # fmt: skip
    return [
        Form(
            op="score_set", inputs=score_inputs(held), said=said, submit=_("Save the score"), title=name_words(held)
        )
    ]  # fmt: skip


def _row(key: str, body: Values, read: Score | None, at: At, near: Around) -> PieceRow:
    elements = elements_of(body)
    said = {"score_key": key, "part": PART}
    acts = body.get("acts") if isinstance(body.get("acts"), Mapping) else {}
    assert isinstance(acts, Mapping)
    return PieceRow(
        key=key,
        name=name_words(body),
        other=other_language(body.get("name")),
        says=in_both(partial(_score_words, read, near.definition)) if read and near.definition else [],
        count=ngettext("%(count)s element", "%(count)s elements", len(elements)) % {"count": len(elements)},
        said=said,
        is_open=key == at.item,
        parts=[
            PieceRow(
                key=element,
                name=element_name(element, near),
                other=other_language(spec.label) if (spec := near.fields.get(element)) else element,
                says=in_both(partial(_acts_words, acts.get(element))) if acts.get(element) else [],
                said={**said, "element": element},
                is_open=element == at.inner,
                first=n == 0,
                last=n == len(elements) - 1,
            )
            for n, element in enumerate(elements)
        ],
    )


def _score_words(score: Score, definition: Definition) -> str:
    text = _("0 to %(top)s points each, %(most)s at most; evidence is fresh for %(days)s days") % {
        "top": score.top,
        "most": score.most,
        "days": score.fresh_days,
    }
    asked = [
        f"{pick(stage.name)} ≥ {one.params['min']}"
        for stage, _side, criterion in definition.criteria()
        for one in (criterion, *criterion.children)
        if one.type == CriterionType.SCORE and one.params.get("score") == score.key
    ]
    return _("%(score)s. Asked for: %(gates)s.") % {"score": text, "gates": joined(asked) or _("nowhere yet")}


def _acts_words(acts: Any) -> str:
    given = [a for a in acts if isinstance(a, Mapping)] if isinstance(acts, list) else []
    return _("; ").join(f"→ {a.get('to')} {pick(a.get('text') or {})}" for a in given)


# --- what is sent ---


def read_score(post: Post, near: Around, row: Any) -> Any:
    key = post.one("score_key")
    old = score_of(row.document, key) if key else {}
    return score_inputs(old), lambda v: {"score": score_from(v, old)}


def read_element(post: Post, near: Around, row: Any) -> Any:
    score = score_of(row.document, post.one("score_key"))
    top = score["top"] if isinstance(score.get("top"), int) else TOP
    if post.one("op") == "element_add":
        return element_inputs(score, near), lambda v: {
            "element": v["element"],
            "acts": acts_of(v["acts"], top),
        }
    return (acts_input(None),), lambda v: {"acts": acts_of(v["acts"], top)}
