"""A database in which every text that somebody may have written is an attack (T07).

Codes, keys and digests are left as they are: nobody writes them, and the product would rightly not find its rows.
What a new model calls text is poisoned without a line here; a new code has to be named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from django.apps import apps
from django.db import connection, models, transaction

from fairlead.journal import guards

CANARY: Final = "canary.invalid"
#: What a template engine makes of `{{7331*1337}}`.
RENDERED: Final = "9801547"
PAYLOADS: Final = (
    "<script>window.__xss=1</script>",
    "<img src=x onerror=window.__xss=1>",
    '"><svg onload=window.__xss=1>',
    "'><iframe src=javascript:parent.__xss=1>",
    "javascript:window.__xss=1//",
    "JaVaScRiPt:window.__xss=1",
    "</textarea><script>window.__xss=1</script>",
    "</title><script>window.__xss=1</script>",
    "</option></select><img src=x onerror=window.__xss=1>",
    "--><script>window.__xss=1</script>",
    "`${window.__xss=1}`",
    "${7331*1337}{{7331*1337}}{%print(7331*1337)%}#{7331*1337}",
    "<a href=javascript:window.__xss=1 autofocus onfocus=window.__xss=1>x</a>",
    f"<img src=//{CANARY}/a.png>",
    f"<link rel=stylesheet href=//{CANARY}/a.css>",
    f"<form action=//{CANARY}/><button autofocus>x",
    f'<div hx-get="//{CANARY}/a" hx-trigger="load">x</div>',
    f'<div data-hx-get="//{CANARY}/b" data-hx-trigger="load">x</div>',
    '<div hx-on::load="window.__xss=1" hx-on:click="window.__xss=1">x</div>',
    "<div hx-get=/ hx-trigger=load hx-vals='js:{x: (window.__xss=1)}'>x</div>",
    f'" hx-get="//{CANARY}/c" hx-trigger="load" x="',
    "' onmouseover=window.__xss=1 style=animation-name:x onanimationstart=window.__xss=1 x='",
    "\u202eevil\u202c <b>bold</b> \u2066x\u2069",
    f"[link](javascript:window.__xss=1) ![x](//{CANARY}/d.png)",
)
#: Names of columns that hold codes or keys of the product, whatever the model.
_CODES: Final = """
about action attention axis_key cause channel checksum code cols country criterion_key currency deal_type
declared_by detail_hash digest email exit_type fidelity fingerprint forecast forecast_category
from_stage from_subject_type gate_state hash image key kind language level list_key media_type mode
lane name_key needs_right next_step_kind outcome password path people_stamp personal prefix previous_digest process_key read_right
reason reason_code role row_key runner salt scope search_key secret sha256 sort source stage_key stamp state
status stored_as subject_type target_type template theme tier time_zone to_stage to_subject_type type
username what why write_right
"""
CODES: Final = frozenset(_CODES.split())
#: Models whose rows the product itself reads as code.
LEFT: Final = frozenset({"journal.ReaderCursor"})
#: JSON of which every text is a value that somebody wrote.
WRITTEN: Final = frozenset({"custom", "payload", "before", "cells"})
#: Dictionaries of words by language, wherever they stand in JSON.
LANGUAGES: Final = frozenset({"zh", "en", "zh-hans"})


def text_columns() -> Iterator[tuple[type[models.Model], list[Any]]]:
    for model in apps.get_models():
        if not model.__module__.startswith("fairlead.") or model._meta.label in LEFT:
            continue
        columns = [
            field
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
            and not field.choices
            and not field.primary_key
            and field.name not in CODES
        ]
        if columns:
            yield model, columns


@transaction.atomic
def poison() -> int:
    """Put an attack into every text; how many values were changed."""
    turn, changed = count(), 0
    guards.remove(connection)  # the journal itself refuses to be changed
    for model, columns in text_columns():
        for pk in list(model._base_manager.order_by("pk").values_list("pk", flat=True)):
            values = {field.name: payload(next(turn), field.max_length) for field in columns}
            changed += len(values)
            model._base_manager.filter(pk=pk).update(**values)
    for model in apps.get_models():
        if not model.__module__.startswith("fairlead."):
            continue
        for name in [f.name for f in model._meta.concrete_fields if isinstance(f, models.JSONField)]:
            for row in model._base_manager.order_by("pk"):
                before = getattr(row, name)
                after = poisoned(before, turn, everything=name in WRITTEN)
                if json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True):
                    changed += 1
                    model._base_manager.filter(pk=row.pk).update(**{name: after})
    return changed


def payload(turn: int, most: int | None) -> str:
    """One of the attacks that fits the column; the number keeps names apart."""
    fitting = [text for text in PAYLOADS if most is None or len(text) + 6 <= most]
    return f"{fitting[turn % len(fitting)]} {turn}" if fitting else f'{turn}"><b>'[:most]


def poisoned(value: Any, turn: Iterator[int], *, everything: bool = False) -> Any:
    """Words by language become attacks; everything else in JSON is keys, numbers and codes, unless told."""
    if isinstance(value, dict):
        if value and value.keys() <= LANGUAGES and all(isinstance(text, str) for text in value.values()):
            return {language: payload(next(turn), 120) for language in value}
        return {key: poisoned(inner, turn, everything=everything) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, turn, everything=everything) for inner in value]
    return payload(next(turn), None) if everything and isinstance(value, str) else value
