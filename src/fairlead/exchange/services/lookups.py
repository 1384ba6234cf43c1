"""From the words of a file to people, records and stages: what is equal is taken, the rest is offered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import models

from fairlead.crm.models import Account, Product, Segment
from fairlead.exchange.reading.matching import (
    STAGE_WORDS,
    STATE_WORDS,
    Entry,
    MatchReason,
    Person,
    ValueSuggestion,
    squeezed,
    suggest_people,
    suggest_values,
)
from fairlead.exchange.reading.values import plain_value
from fairlead.organisation.models import User
from fairlead.process.definition import Definition

#: More distinct words than this are only looked up, not likened: likening each to 50,000 names takes minutes.
LIKENED: Final = 200
#: A value map may say: make the record that is missing.
MAKE: Final = "+"
_TAKEN: Final = frozenset({MatchReason.SAME, MatchReason.EMAIL})
_STATES: Final = ("won", "lost", "cancelled", "on_hold", "open")


@dataclass(slots=True)
class Found:
    """What the words of one column mean. `keys`: plain word → key; `offers`: for the words nobody knows."""

    keys: dict[str, str] = field(default_factory=dict)
    offers: dict[str, ValueSuggestion] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # key → how it is called


def look_up(
    lookup: str, texts: Counter[str], *, by: Any, definition: Definition | None, chosen: Mapping[str, str]
) -> Found:
    """`chosen` are the answers of a person (plain word → key, "" for nothing)."""
    found = Found(keys=dict(chosen))
    asked = Counter({text: n for text, n in texts.items() if text and plain_value(text) not in found.keys})
    if lookup == "person":
        suggestions = _people(asked, found)
    elif lookup in ("stage", "state", "reason"):
        suggestions = _words(lookup, asked, definition, found)
    else:
        suggestions = _records(lookup, asked, by, found)
    for s in suggestions:
        if s.key is not None and s.reason in _TAKEN:
            found.keys[plain_value(s.text)] = s.key
        else:
            found.offers[plain_value(s.text)] = s
    return found


def _people(asked: Counter[str], found: Found) -> list[ValueSuggestion]:
    rows = User.objects.filter(is_active=True).values_list("pk", "name", "email", "username")
    people = [Person(str(pk), name, email, username) for pk, name, email, username in rows]
    found.names = {p.key: p.name for p in people}
    return suggest_people(asked, people)


def stage_entries(
    definition: Definition | None,
) -> tuple[list[Entry], dict[str, tuple[str, ...]], dict[str, str]]:
    """Entries, further words and names of the stages (`stage:KEY`) and outcomes of a process."""
    entries, words, names = [], {}, {}
    for stage in definition.stages if definition else ():
        key = f"stage:{stage.key}"
        own = tuple(n for n in stage.name.values() if n)
        entries.append(Entry(key, (*own, stage.key)))
        words[key] = STAGE_WORDS.get(stage.axis_key, ())
        names[key] = own[0]
    for state in _STATES:
        entries.append(Entry(state, STATE_WORDS[state][:1]))
        words[state] = STATE_WORDS[state]
    return entries, words, names


def _words(
    lookup: str, asked: Counter[str], definition: Definition | None, found: Found
) -> list[ValueSuggestion]:
    if lookup == "reason":
        reasons = definition.lists.get("lost", ()) if definition else ()
        entries = [Entry(r.key, tuple(n for n in r.name.values() if n)) for r in reasons]
        return suggest_values(asked, entries)
    entries, words, found.names = stage_entries(definition)
    return suggest_values(asked, entries, words=words)


_MODELS: Final[Mapping[str, type[models.Model]]] = {
    "account": Account,
    "product": Product,
    "segment": Segment,
}


def _records(lookup: str, asked: Counter[str], by: Any, found: Found) -> list[ValueSuggestion]:
    """Records by number or name, among those that `by` sees."""
    model = _MODELS[lookup]
    rows: Any = model._default_manager.all()
    if by is not None and hasattr(rows, "visible_to"):
        rows = rows.visible_to(by)
    by_word: dict[str, set[str]] = {}
    number = "code" if lookup == "product" else "external_id"
    listed = list(rows.values_list("pk", "name", number))
    for pk, name, code in listed:
        for word in (name, code):
            if word:
                by_word.setdefault(plain_value(word), set()).add(str(pk))
    unknown: Counter[str] = Counter()
    for text, n in asked.items():
        keys = by_word.get(plain_value(text), set())
        if len(keys) == 1:
            found.keys[plain_value(text)] = next(iter(keys))
        else:
            unknown[text] = n
    found.names = {str(pk): name for pk, name, _code in listed} if len(listed) <= 1000 else {}
    if not unknown:
        return []
    entries = [Entry(str(pk), (name,)) for pk, name, _code in listed]
    if len(unknown) > LIKENED or len(entries) > 20_000:
        tight: dict[str, set[str]] = {}
        for pk, name, _code in listed:
            tight.setdefault(squeezed(name), set()).add(str(pk))
        return [_spelt(text, n, tight.get(squeezed(text), set())) for text, n in unknown.items()]
    offers = suggest_values(unknown, entries)
    if len(listed) > 1000:
        wanted = {o.key for o in offers if o.key} | {k for o in offers for k, _s in o.alternatives}
        found.names = {str(pk): name for pk, name, _code in listed if str(pk) in wanted}
    # Two records of one name are equal to the word, and nobody can tell which is meant.
    return [
        o if len(by_word.get(plain_value(o.text), set())) < 2 else _spelt(o.text, o.rows, set())
        for o in offers
    ]


def _spelt(text: str, rows: int, keys: set[str]) -> ValueSuggestion:
    if len(keys) == 1:
        return ValueSuggestion(text, rows, next(iter(keys)), 0.97, MatchReason.SPELLING)
    return ValueSuggestion(text, rows, None, 0.0, MatchReason.NONE, tuple((k, 0.5) for k in sorted(keys)[:4]))
