"""Edits of the scorecards of a process: each a sum of elements, with what raises them (PD-8). Pure."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_places import Document, body_in, key_in, listed, target_in

MAX_SCORES: Final = 20
MAX_ELEMENTS: Final = 40


def scores_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The scores that are mappings; whatever else stands there is left to the checks."""
    found = document.get("scores")
    return {str(k): v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def score_of(document: Mapping[str, Any], key: Any) -> dict[str, Any]:
    found: dict[str, Any] | None = scores_of(document).get(str(key))
    if found is None:
        raise Invalid.field(
            "score_key", _("There is nothing with the key “%(key)s”.") % {"key": str(key)[:60]}
        )
    return found


def elements_of(score: Mapping[str, Any]) -> list[str]:
    found = score.get("elements")
    return [e for e in found if isinstance(e, str)] if isinstance(found, list) else []


def _score_add(document: Document, given: Mapping[str, Any]) -> str:
    body = body_in(given, "score")
    if not isinstance(document.get("scores"), dict):
        document["scores"] = {}
    scores = document["scores"]
    if len(scores) >= MAX_SCORES:
        raise Invalid.field("score", _("A process has at most %(most)s scores.") % {"most": MAX_SCORES})
    key = key_in({"key": given.get("key"), "name": body.get("name")}, scores, "score")
    scores[key] = body
    return f"scores.{key}"


def _score_set(document: Document, given: Mapping[str, Any]) -> str:
    score_of(document, given.get("score_key"))
    document["scores"][given["score_key"]] = body_in(given, "score")
    return f"scores.{given['score_key']}"


def _score_remove(document: Document, given: Mapping[str, Any]) -> str:
    score_of(document, given.get("score_key"))
    del document["scores"][given["score_key"]]
    return "scores"


def _held(document: Document, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any], int]:
    """The score, its elements, and the place of the one that is meant."""
    score = score_of(document, given.get("score_key"))
    elements = listed(score, "elements")
    if given.get("element") not in elements:
        raise Invalid.field("element", _("The score has no such element."))
    return score, elements, elements.index(given["element"])


def _element_add(document: Document, given: Mapping[str, Any]) -> str:
    score, element = score_of(document, given.get("score_key")), given.get("element")
    elements = listed(score, "elements")
    if not isinstance(element, str) or not element:
        raise Invalid.field("element", _("Choose a field."))
    if element in elements:
        raise Invalid.field("element", _("The element stands twice."))
    if len(elements) >= MAX_ELEMENTS:
        raise Invalid.field("element", _("A score has at most %(most)s elements.") % {"most": MAX_ELEMENTS})
    elements.append(element)
    return _with_acts(score, given)


def _element_set(document: Document, given: Mapping[str, Any]) -> str:
    return _with_acts(_held(document, given)[0], given)


def _with_acts(score: dict[str, Any], given: Mapping[str, Any]) -> str:
    """What raises the element, where that is said; the path of it."""
    if given.get("acts") is not None:
        acts = dict(score["acts"]) if isinstance(score.get("acts"), dict) else {}
        acts.pop(given["element"], None)
        if given["acts"]:
            acts[given["element"]] = copy.deepcopy(given["acts"])
        score["acts"] = acts
        if not acts:
            del score["acts"]
    return f"scores.{given['score_key']}.acts.{given['element']}"


def _element_move(document: Document, given: Mapping[str, Any]) -> str:
    _score, elements, i = _held(document, given)
    elements.insert(target_in(given, i, len(elements)), elements.pop(i))
    return f"scores.{given['score_key']}.elements"


def _element_remove(document: Document, given: Mapping[str, Any]) -> str:
    score, elements, i = _held(document, given)
    gone = elements.pop(i)
    if isinstance(score.get("acts"), dict):
        score["acts"].pop(gone, None)
    return f"scores.{given['score_key']}.elements"


SCORES: Final[Mapping[str, Callable[[Document, Mapping[str, Any]], str]]] = {
    "score_add": _score_add,
    "score_set": _score_set,
    "score_remove": _score_remove,
    "element_add": _element_add,
    "element_set": _element_set,
    "element_move": _element_move,
    "element_remove": _element_remove,
}
