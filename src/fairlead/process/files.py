"""Process documents as YAML files: read within bounds, written for download.

YAML can say a great deal in a few bytes. Tags beyond plain data, great depth and great size (what aliases repeat
counts as often as it is repeated) are refused before the document is built, so that no file can fill the memory.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
MAX_NODES = 50_000


class UnreadableFile(ValueError):
    """The file is no YAML that may be read; the message says where and why."""


def read_yaml(data: bytes) -> Any:
    """The plain data of a YAML file. Raises UnreadableFile."""
    if len(data) > MAX_BYTES:
        raise UnreadableFile(_("The file is larger than %(size)s kB.") % {"size": MAX_BYTES // 1024})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFile(_("The file is not in UTF-8.")) from None
    try:
        _check_bounds(text)
        return _plain(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        raise UnreadableFile(_where(error)) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise UnreadableFile(str(error)) from None


def _check_bounds(text: str) -> None:
    """Walk over the events of the text, which build nothing, and count what they would build."""
    sizes: list[int] = [0]  # nodes in each collection that is open, the whole outermost
    names: list[str | None] = []
    anchors: dict[str, int] = {}
    for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
        line = event.start_mark.line + 1
        if isinstance(event, (ScalarEvent, CollectionStartEvent)) and event.tag not in (None, "!"):
            raise UnreadableFile(_("Line %(line)s: tags are not read.") % {"line": line})
        if isinstance(event, AliasEvent):
            if event.anchor not in anchors:  # also one that holds itself
                raise UnreadableFile(_("Line %(line)s: this alias leads nowhere.") % {"line": line})
            sizes[-1] += anchors[event.anchor]
        elif isinstance(event, CollectionStartEvent):
            sizes.append(1)
            names.append(event.anchor)
        elif isinstance(event, CollectionEndEvent):
            size, name = sizes.pop(), names.pop()
            sizes[-1] += size
            if name is not None:
                anchors[name] = size
        elif isinstance(event, ScalarEvent):
            sizes[-1] += 1
            if event.anchor is not None:
                anchors[event.anchor] = 1
        if len(names) > MAX_DEPTH:
            raise UnreadableFile(
                _("Line %(line)s: nested deeper than %(depth)s levels.") % {"line": line, "depth": MAX_DEPTH}
            )
        if sum(sizes) > MAX_NODES:
            raise UnreadableFile(
                _("Line %(line)s: more than %(count)s entries.") % {"line": line, "count": MAX_NODES}
            )


def _where(error: YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", "") or "").strip() or str(error).splitlines()[0]
    if mark is None:
        return problem
    return _("Line %(line)s, column %(column)s: %(problem)s") % {
        "line": mark.line + 1,
        "column": mark.column + 1,
        "problem": problem,
    }


def _plain(value: Any) -> Any:
    """JSON alone: dates become their text, keys text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    raise UnreadableFile(_("“%(value)s” is no text, number, list or mapping.") % {"value": str(value)[:40]})


def write_yaml(document: Mapping[str, Any]) -> str:
    """The document as a file that `read_yaml` reads back equal."""
    yaml = YAML(typ="rt")
    yaml.allow_unicode = True
    yaml.width = 110
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
