"""What there is to set, found by a word: pages, single settings, fields, and the rules of the processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from fairlead.common import records
from fairlead.common.names import localized
from fairlead.common.text import matches, search_key
from fairlead.fields.catalogue import catalogue, subject_types
from fairlead.organisation.models import User
from fairlead.process.definition import Definition
from fairlead.process.definitions import definitions_of
from fairlead.process.describing import list_name
from fairlead.process.models import ProcessVersion

from ..settings_items import SINGLE, pages_for

MOST: Final = 12  # of each kind
_LANGUAGES: Final = ("zh-hans", "en")
_held: dict[str, tuple[Definition, list[tuple[str, Any, str]]]] = {}


@dataclass(frozen=True, slots=True)
class Hit:
    """`where` is the page that it stands on, in words."""

    label: str
    url: str
    icon: str
    where: str


@dataclass(frozen=True, slots=True)
class HitGroup:
    key: str
    title: str
    hits: Sequence[Hit]


def find_settings(user: User, text: str, *, most: int = MOST) -> list[HitGroup]:
    """What answers every word of `text`, in either language, by pinyin or initials; nothing without a word."""
    words = matches(text).split()
    if not words:
        return []
    groups = (
        HitGroup("settings", _("Settings"), _first(_settings(user, words), most)),
        HitGroup("fields", _("Fields"), _first(_fields(user, words), most)),
        HitGroup("rules", _("Rules of processes"), _first(_rules(user, words), most)),
    )
    return [group for group in groups if group.hits]


def _first(hits: Iterator[Hit], most: int) -> list[Hit]:
    return [hit for hit, _n in zip(hits, range(most), strict=False)]


def _both(said: Sequence[Any]) -> Iterator[str]:
    """Words that translate, in both languages."""
    for one in said:
        if one:
            for language in _LANGUAGES:
                with override(language):
                    yield str(one)


@lru_cache(maxsize=256)
def _key_of_words(*said: Any) -> str:
    """Of words that translate: they are the same for as long as the program runs."""
    return _key_of(tuple(_both(said)))


@lru_cache(maxsize=4096)
def _key_of(said: tuple[str, ...]) -> str:
    return " ".join(search_key(one, limit=1000) for one in dict.fromkeys(said))


def _has(words: Sequence[str], key: str) -> bool:
    return all(word in key for word in words)


def _settings(user: User, words: Sequence[str]) -> Iterator[Hit]:
    pages = pages_for(user)
    for door in pages.values():
        if _has(words, _key_of_words(door.item.label, door.item.says)):
            yield Hit(str(door.item.label), door.url, door.item.icon, str(door.item.says))
    for one in SINGLE:
        page = pages.get(one.page)
        if page is not None and _has(words, _key_of_words(one.label, one.words)):
            yield Hit(str(one.label), _at(page.url, one.place), page.item.icon, str(page.item.label))


def _at(url: str, place: str) -> str:
    return url + place if not place or place[0] in "#/" else f"{url.rstrip('/')}/{place}"


def _fields(user: User, words: Sequence[str]) -> Iterator[Hit]:
    if not user.may("fields.manage"):
        return
    names = {kind.subject_type: kind.label for kind in records.record_types()}
    for subject in subject_types():
        for spec in catalogue(subject):
            if _has(words, _key_of((*spec.label.values(), spec.key.replace("_", " ")))):
                where = localized(names.get(subject, {"en": subject}))
                url = f"{reverse('web:fields')}?of={subject}#f-{spec.key}"
                yield Hit(spec.name(), url, "table", where)


def _rules(user: User, words: Sequence[str]) -> Iterator[Hit]:
    """Criteria of gates by their name or by a field that they ask for, and lists of reasons."""
    if not user.may("process.view"):
        return
    ids = ProcessVersion.objects.published().order_by("process__pk").values_list("pk", flat=True)
    for definition in definitions_of(set(ids)).values():
        for key, label, place in _keys_of(definition):
            if _has(words, key):
                url = reverse("process:process", args=[definition.key]) + place
                yield Hit(localized(label), url, "route", localized(definition.name))


def _keys_of(definition: Definition) -> list[tuple[str, Any, str]]:
    """Search key, name and place of what a process says; worked out once for each document in memory."""
    held = _held.get(definition.key)
    if held is None or held[0] is not definition:
        rows = [(_key_of(names), label, place) for names, label, place in _said(definition)]
        held = _held[definition.key] = (definition, rows)
    return held[1]


def _said(definition: Definition) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Words that answer, the name that is shown, and the place on the page of the process."""
    for stage, _side, criterion in definition.criteria():
        for one in (criterion, *criterion.children):
            asked = [name for spec in one.fields for name in spec.label.values()]
            yield (*one.name.values(), *asked), one.name, f"#stage-{stage.key}"
    for key, reasons in definition.lists.items():
        title = {}
        for language in _LANGUAGES:
            with override(language):
                title[language[:2]] = list_name(key)
        entries = [name for reason in reasons for name in reason.name.values()]
        yield (*title.values(), *entries), title, "#h-lists"
