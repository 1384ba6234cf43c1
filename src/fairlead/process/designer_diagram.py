"""The process as a picture: stages in a row, ways between them, each leading to its edit. Drawn by the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .definition import Definition, Stage
from .describing import move_words
from .enums import CriterionType, Kind

NODE_WIDTH: Final = 132
NODE_HEIGHT: Final = 44
GAP: Final = 56
LINE: Final = 96  # where the nodes begin, below the arcs
LONGEST_NAME: Final = 8  # wide characters that fit a node


def diagram(definition: Definition, stage: str, base: str) -> dict[str, Any]:
    """Stages in a row, plain ways between them, branches and skips as arcs above; each leads to its edit."""
    stages = definition.stages
    nodes: list[dict[str, Any]] = [
        {
            "x": i * (NODE_WIDTH + GAP) + 2,
            "y": LINE,
            "name": _short(pick(s.name) or s.key),
            "label": _("Stage %(number)s: %(name)s, %(count)s items")
            % {"number": i + 1, "name": pick(s.name) or s.key, "count": len(s.entry) + len(s.exit)},
            "items": len(s.entry) + len(s.exit),
            "marks": _marks(s),
            "url": f"{base}?stage={s.key}",
            "here": s.key == stage,
            "start": s.start,
        }
        for i, s in enumerate(stages)
    ]
    edges, highest = _edges(stages, definition, base)
    top = LINE - highest - 14
    for node in nodes:
        node["y"] -= top
    return {
        "nodes": nodes,
        "edges": [{**e, "shift": -top} for e in edges],
        "width": len(stages) * (NODE_WIDTH + GAP) - GAP + 4,
        "height": NODE_HEIGHT + LINE - top + 4,
        "node_width": NODE_WIDTH,
        "node_height": NODE_HEIGHT,
        "shift": -top,
        "legend": {mark["kind"]: mark["label"] for node in nodes for mark in node["marks"]},
    }


def _marks(stage: Stage) -> list[dict[str, Any]]:
    """What a stage asks for beside its items, as small marks on its corner: an approval, tracks of roles."""
    items = [one for c in (*stage.entry, *stage.exit) for one in (c, *c.children)]
    asks = any(c.type == CriterionType.APPROVAL for c in items) or any(t.approval for t in stage.transitions)
    found = []
    if asks:
        found.append({"kind": "approval", "label": _("asks for an approval")})
    if stage.tracks:
        found.append({"kind": "tracks", "label": _("has tracks of roles")})
    return [mark | {"at": NODE_WIDTH - 14 - 16 * i} for i, mark in enumerate(found)]


def _edges(stages: Sequence[Stage], definition: Definition, base: str) -> tuple[list[dict[str, Any]], int]:
    found, highest = [], 0
    middle = LINE + NODE_HEIGHT // 2
    for i, stage in enumerate(stages):
        for t in stage.transitions:
            if t.kind not in (Kind.ADVANCE, Kind.BRANCH, Kind.SKIP) or t.to not in definition.positions:
                continue
            j = definition.positions[t.to]
            out, into = i * (NODE_WIDTH + GAP) + NODE_WIDTH + 2, j * (NODE_WIDTH + GAP) + 2
            if t.kind == Kind.ADVANCE or j == i + 1:
                way = f"M{out} {middle}H{into - 6}"
            else:
                rise = min(20 + 14 * (j - i), 74)
                highest = max(highest, rise)
                out -= NODE_WIDTH // 3
                into += NODE_WIDTH // 3
                way = f"M{out} {LINE}C{out} {LINE - rise} {into} {LINE - rise} {into} {LINE - 6}"
            found.append(
                {
                    "way": way,
                    "kind": t.kind,
                    "label": move_words(t, definition),
                    "url": f"{base}?stage={stage.key}&part=moves",
                }
            )
    return found, highest


def _short(name: str) -> str:
    """What fits a node: wide characters count for two."""
    room, kept = LONGEST_NAME * 2, ""
    for letter in name:
        room -= 2 if ord(letter) > 0x2E7F else 1
        if room < 0:
            return f"{kept}…"
        kept += letter
    return kept
