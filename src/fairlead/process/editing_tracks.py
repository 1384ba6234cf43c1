"""Edits of the role tracks of a stage in a document that is still being written (IT-2). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

from .editing_places import (
    MAX_ITEMS,
    Document,
    body_in,
    items_of,
    key_in,
    listed,
    place_of_key,
    stage_of,
    target_in,
)


def _track_add(document: Document, given: Mapping[str, Any]) -> str:
    stage = stage_of(document, given.get("stage"))
    tracks, body = listed(stage, "tracks"), body_in(given, "track")
    if len(tracks) >= MAX_ITEMS:
        raise Invalid.field("track", _("At most %(most)s entries.") % {"most": MAX_ITEMS})
    body["key"] = key_in(body, {str(t.get("key")) for t in items_of(stage, "tracks")}, "track")
    tracks.append(body)
    return f"stages.{stage['key']}.tracks.{body['key']}"


def _place(document: Document, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any], int]:
    stage = stage_of(document, given.get("stage"))
    tracks = listed(stage, "tracks")
    return stage, tracks, place_of_key(tracks, given.get("track_key"), "track_key")


def _track_set(document: Document, given: Mapping[str, Any]) -> str:
    stage, tracks, i = _place(document, given)
    tracks[i] = {**body_in(given, "track"), "key": tracks[i]["key"]}  # clocks know their track by its key
    return f"stages.{stage['key']}.tracks.{tracks[i]['key']}"


def _track_move(document: Document, given: Mapping[str, Any]) -> str:
    stage, tracks, i = _place(document, given)
    tracks.insert(target_in(given, i, len(tracks)), tracks.pop(i))
    return f"stages.{stage['key']}.tracks"


def _track_remove(document: Document, given: Mapping[str, Any]) -> str:
    stage, tracks, i = _place(document, given)
    tracks.pop(i)
    return f"stages.{stage['key']}.tracks"


OPERATIONS: Final[Mapping[str, Callable[[Document, Mapping[str, Any]], str]]] = {
    "track_add": _track_add,
    "track_set": _track_set,
    "track_move": _track_move,
    "track_remove": _track_remove,
}
#: Edits that make a piece, and the argument that holds it; see `services.drafting`.
PIECES: Final[Mapping[str, str]] = {"track_add": "track", "track_set": "track"}
