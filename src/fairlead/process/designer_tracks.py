"""Role tracks in the designer: what each role works on within a stage, and by when (IT-2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from .definition import Stage
from .designer_inputs import Input, Inputs, Post, name_of, names
from .designer_pieces import PieceRow, PieceWords, in_both
from .designer_sentences import Around, Values, choices, deal_roles, plain
from .designer_shapes import At, Form, name_words, other_language
from .editing_places import items_of, stage_of
from .enums import Level
from .roles import role_name
from .team_reading import MAX_DAYS
from .track_words import track_words

PART: Final = "tracks"


def track_inputs(body: Values, stage: Values) -> Inputs:
    given = body.get("limit")
    limit: Values = given if isinstance(given, Mapping) else {}
    items = tuple((str(c.get("key")), name_words(c)) for c in items_of(stage, "exit"))
    held = body.get("criteria") if isinstance(body.get("criteria"), list) else []
    levels = choices((one, one.label) for one in (Level.BLOCK, Level.FLAG))
    return (
        *names("name", _("Name in Chinese"), _("Name in English"), body.get("name")),
        Input(name="role", label=_("Whose track"), kind="select", options=deal_roles(), value=body.get("role", "AR")),
        Input(name="level", label=_("How hard it stands"), kind="select", options=levels,
              value=body.get("level", Level.BLOCK), hint=_("The stage is left when every required track is through.")),
        Input(name="criteria", label=_("Items of the exit that it works on"), kind="checks", wide=True, options=items,
              value=[key for key in held or () if key in dict(items)]),
        Input(name="limit-yellow", label=_("Due soon after"), kind="number", low=1, high=MAX_DAYS, unit=_("working days"),
              value=plain(limit.get("yellow"))),
        Input(name="limit-red", label=_("Over time after"), kind="number", low=1, high=MAX_DAYS, unit=_("working days"),
              value=plain(limit.get("red"))),
    )  # fmt: skip


def track_from(values: Values) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": name_of(values, "name"),
        "role": values["role"],
        "criteria": values["criteria"],
    }
    if values["level"] != Level.BLOCK:
        body["level"] = values["level"]
    limit = {n: values[f"limit-{n}"] for n in ("yellow", "red") if values[f"limit-{n}"] is not None}
    return body | ({"limit": limit} if limit else {})


def tracks_part(stage: Values, read: Stage | None, at: At) -> dict[str, Any]:
    tracks = items_of(stage, PART)
    known = {track.key: track for track in read.tracks} if read is not None else {}
    said = {"stage": at.stage, "part": PART}
    rows = []
    for i, track in enumerate(tracks):
        key = str(track.get("key"))
        shown = known.get(key)
        rows.append(
            PieceRow(
                key=key, name=name_words(track), other=other_language(track.get("name")),
                count=role_name(str(track.get("role"))), said={**said, "track_key": key},
                says=in_both(partial(track_words, shown, read)) if shown is not None and read is not None else [],
                is_open=bool(key) and key == at.item, first=i == 0, last=i == len(tracks) - 1,
            )
        )  # fmt: skip
    held = next((t for t in tracks if at.item and t.get("key") == at.item), None)
    form = Form(
        op="track_add" if held is None else "track_set", inputs=track_inputs(held or {}, stage),
        said=said if held is None else {**said, "track_key": at.item},
        submit=_("Add the track") if held is None else _("Save the track"),
        title=_("New track") if held is None else name_words(held), icon="plus" if held is None else "check",
    )  # fmt: skip
    words = PieceWords(
        op="track", inner_op="", icon="users", none=_("No role has a track of its own here"),
        none_hint=_("A track gathers what one role owes at the exit, with a limit of its own."),
        add=_("New track"), add_inner="", none_inner="",
    )  # fmt: skip
    return {"pieces": words, "rows": rows, "forms": [form], "is_pieces": True}


def _read(post: Post, near: Around, row: Any) -> tuple[Inputs, Callable[[Values], dict[str, Any]]]:
    stage = stage_of(row.document, post.one("stage"))
    key = post.one("track_key")
    held: Values = next((t for t in items_of(stage, PART) if key and t.get("key") == key), {})
    return track_inputs(held, stage), lambda v: {"track": track_from(v)}


READINGS: Final = {"track_add": _read, "track_set": _read}
