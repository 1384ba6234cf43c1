"""A group of items as a form: how many of its members are asked for (GT-1). The members have forms of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from .designer_inputs import Input, Inputs
from .editing_places import MAX_ITEMS

Values = Mapping[str, Any]
K_OF: Final = "k_of"


def group_inputs(body: Values, around: Any) -> Inputs:
    modes = (("all", _("all of them")), ("any", _("one of them")), (K_OF, _("so many of them")))
    return (
        Input(name="mode", label=_("Of its members"), kind="select", options=modes, value=str(body.get("mode", "all"))),
        Input(name="k", label=_("How many of them"), kind="number", low=1, high=MAX_ITEMS,
              value="" if body.get("k") is None else str(body["k"]),
              hint=_("Needed only for “so many of them”.")),
    )  # fmt: skip


def group_from(values: Values, old: Values, around: Any) -> dict[str, Any]:
    return {"mode": values["mode"], "k": values["k"] if values["mode"] == K_OF else None}
