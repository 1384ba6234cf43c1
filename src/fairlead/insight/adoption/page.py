"""The page of adoption: what its tiles, its trend, its spread and its table of people say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.analytics.adoption import (
    ACTIVE,
    BANDS,
    ELEMENTS,
    FEWEST_PEOPLE,
    PLANNED,
    TIMELY,
    Adoption,
    Share,
    bands,
    quartiles,
)

from .behaviour import Asked


def element_name(key: str) -> str:
    return {
        ACTIVE: _("Something happened within 7 days"),
        TIMELY: _("Moves written down within 48 h"),
        PLANNED: _("Next step ahead"),
    }[key]


def element_words(key: str) -> str:
    """How it is counted, in one line."""
    return {
        ACTIVE: _(
            "open deals with a talk, a reply, evidence, a move, a new amount or date in the last 7 days"
        ),
        TIMELY: _("moves of the last 4 weeks recorded at most 48 h after they happened"),
        PLANNED: _("open deals with a next step that is still to come"),
    }[key]


def rows_url(what: str, hit: bool | None, *, owner: int | None = None, day: str = "") -> str:
    query: dict[str, Any] = {"what": what}
    if hit is not None:
        query["hit"] = int(hit)
    if owner is not None:
        query["owner"] = owner
    if day:
        query["day"] = day
    return f"{reverse('insight:adoption_rows')}?{urlencode(query)}"


def context(asked: Asked, *, day: str) -> dict[str, Any]:
    whole = asked.whole()
    return {
        "day": day,
        "as_of": date_format(timezone.localtime(asked.at), "DATE_FORMAT"),
        "deals": len(whole.shares[ACTIVE].all),
        "index": _percent(whole.index),
        "left_out": [element_name(key) for key in whole.left_out],
        "tiles": [_tile(key, whole.shares[key], asked.weights, day) for key in ELEMENTS],
        "formula": _formula(asked.weights),
        "trend": [_week(asked, at) for at in asked.week_ends()],
        **_people(asked, day),
    }


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _tile(key: str, share: Share, weights: Mapping[str, float], day: str) -> dict[str, Any]:
    value = share.value
    return {
        "name": element_name(key),
        "value": "" if value is None else f"{100 * value:.0f}",
        "at": None if value is None else 100 * value,
        "url": rows_url(key, True, day=day),
        "words": element_words(key),
        "count": f"{len(share.hits):,} / {len(share.all):,}",
        "missed": len(share.missed),
        "missed_url": rows_url(key, False, day=day),
        "weight": f"{weights.get(key, 0):g}",
        "few": None if value is not None else _("nothing to count"),
    }


def _formula(weights: Mapping[str, float]) -> str:
    total = sum(max(weights.get(key, 0), 0) for key in ELEMENTS) or 1
    parts = [f"{element_name(key)}^{weights[key] / total:.2f}" for key in ELEMENTS if weights.get(key, 0) > 0]
    return "100 × " + " × ".join(parts)


def _week(asked: Asked, at: datetime) -> dict[str, Any]:
    found = asked.whole(at)
    label = date_format(timezone.localtime(at), "m-d")
    day = timezone.localdate(at).isoformat()
    said = _("Week to %(day)s: adoption %(index)s") % {"day": label, "index": _percent(found.index) or "—"}
    return {
        "label": label,
        "value": found.index or 0,
        "text": _percent(found.index) or "—",
        "url": f"?day={day}",
        "tone": "5" if at != asked.at else "8",
        "said": said,
        "cells": [
            {"text": _share(found.shares[key]), "url": rows_url(key, None, day=day)} for key in ELEMENTS
        ],
    }


def _share(share: Share) -> str:
    return "—" if share.value is None else f"{100 * share.value:.0f}%"


def _people(asked: Asked, day: str) -> dict[str, Any]:
    """The spread without names for enough people, and one's own people by name: in the order of names, no ranking."""
    found: dict[int, Adoption] = {pk: asked.of(pk) for pk in asked.people}
    values = {pk: one.index for pk, one in found.items() if one.index is not None}
    shows_spread = len(values) >= FEWEST_PEOPLE or values.keys() <= asked.led
    middle = quartiles(list(values.values())) if shows_spread else None
    ordered = sorted((asked.people[pk] for pk in asked.led), key=lambda person: (person.name_key, person.pk))
    return {
        "n_people": len(values),
        "spread": _spread(list(values.values())) if shows_spread and len(values) > 1 else [],
        "middle": tuple(f"{value:.0f}" for value in middle) if middle and len(values) > 1 else None,
        "hides_people": not shows_spread,
        "fewest": FEWEST_PEOPLE,
        "people": [
            {
                "name": person.name,
                "pk": person.pk,
                "index": _percent(found[person.pk].index) or "—",
                "cells": [
                    {
                        "text": _share(found[person.pk].shares[key]),
                        "n": len(found[person.pk].shares[key].all),
                        "url": rows_url(key, False, owner=person.pk, day=day),
                    }
                    for key in ELEMENTS
                ],
            }
            for person in ordered
        ],
        "elements": [element_name(key) for key in ELEMENTS],
    }


def _spread(values: list[float]) -> list[dict[str, Any]]:
    rows = []
    for low, count in zip(BANDS, bands(values), strict=True):
        label = f"{low}–{low + 20}"
        people = ngettext("%(n)s person", "%(n)s people", count) % {"n": count}
        rows.append(
            {
                "label": label, "value": count, "text": str(count), "url": "#people", "tone": str(3 + low // 20),
                "said": f"{label}: {people}",
            }
        )  # fmt: skip
    return rows
