"""Thresholds of a scorecard in the form of a criterion: the least of single elements, beside the least of the sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from .designer_inputs import Input, Inputs

Values = Mapping[str, Any]


def element_name(key: str, near: Any) -> str:
    spec = near.fields.get(key)
    return str(spec.name()) if spec else key


def floor_inputs(body: Values, near: Any) -> Inputs:
    """The least of single elements, for the score that is chosen already."""
    score = (near.definition.scores if near.definition else {}).get(str(body.get("score", "")))
    if score is None:
        return ()
    floor = body.get("floor") if isinstance(body.get("floor"), Mapping) else {}
    assert isinstance(floor, Mapping)
    return tuple(
        Input(name=f"floor-{key}", label=_("At least, of %(element)s") % {"element": element_name(key, near)},
              kind="number", low=0, high=score.top, value="" if floor.get(key) is None else str(floor[key]))
        for key in score.elements
    )  # fmt: skip


def floors_from(values: Values, old: Values) -> dict[str, int]:
    """Of another score than before, none: they were those of its elements."""
    given = {n.removeprefix("floor-"): v for n, v in values.items() if n.startswith("floor-")}
    if values["score"] != old.get("score"):
        return {}
    if not given and isinstance(old.get("floor"), Mapping):  # a score that cannot be read keeps what it says
        return dict(old["floor"])
    return {key: low for key, low in given.items() if low}
