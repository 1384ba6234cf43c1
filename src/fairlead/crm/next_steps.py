"""What this room tells `work`: the steps that fit the stage of a record, who may have taken part, which record
a line of typing names, and who is told what others do to a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q

from fairlead.common.text import fold
from fairlead.fields.catalogue import pick
from fairlead.process.definitions import definition_of
from fairlead.process.models import Journey
from fairlead.work import registry
from fairlead.work.enums import ActivityKind, Reason

from .models import Account, Contact, Opportunity, Segment

MOST_DEALS: Final = 200


def steps_that_fit(subject_type: str, pk: int) -> Sequence[tuple[str, str]]:
    """The activities that the stage names, in the words of the process."""
    journey = (
        Journey.objects.on(subject_type, [pk])
        .current()
        .running()
        .select_related("stage", "process_version")
        .first()
    )
    if journey is None:
        return []
    stage = definition_of(journey.process_version).stage(journey.stage.key)
    if stage.next_steps:
        return [
            (kind, str(ActivityKind(kind).label)) for kind in stage.next_steps if kind in ActivityKind.values
        ]
    return [(ActivityKind.MEETING, pick(name)[:200]) for name in stage.activities]


def people_who_fit(reader: Any, subject_type: str, pk: int) -> Sequence[tuple[int, str]]:
    """Contacts of the account of the record, as far as the reader sees them."""
    account = pk if subject_type == "account" else None
    if subject_type == "opportunity":
        account = Opportunity.objects.filter(pk=pk).values_list("account_id", flat=True).first()
    elif subject_type == "contact":
        account = Contact.objects.filter(pk=pk).values_list("account_id", flat=True).first()
    if account is None:
        return []
    rows = Contact.objects.visible_to(reader).filter(account=account).order_by("name_key", "pk")[:30]
    return [(c.pk, f"{c.name} · {c.department}" if c.department else c.name) for c in rows]


def records_named(reader: Any, text: str) -> list[registry.Named]:
    """Open deals of the reader whose name, account or contact stands in the text, or their initials."""
    mine = Q(owner=reader) | Q(sr=reader) | Q(fr=reader)
    deals = (
        Opportunity.objects.visible_to(reader)
        .filter(mine, journey__state__in=["open", "on_hold"])
        .order_by("-created_at", "-pk")
        .values_list(
            "pk",
            "name",
            "search_key",
            "account_id",
            "account__name",
            "account__short_name",
            "account__search_key",
        )
    )[:MOST_DEALS]
    rows = list(deals)
    people: dict[int, list[str]] = {}
    accounts = {row[3] for row in rows if row[3] is not None}
    for of, name in Contact.objects.filter(account__in=accounts).values_list("account_id", "name")[:2000]:
        people.setdefault(of, []).append(name)
    words = {fold(word) for word in re.findall(r"[A-Za-z]{2,}", text)}
    found = []
    for pk, name, key, account_id, account, short, account_key in rows:
        title = f"{name} · {account}" if account else name
        best = max(
            _best(text, (name,), 3),
            _best(text, (short or "", account or ""), 2),
            _initials(text, words, key, account_key),
        )
        person = max((len(n) for n in people.get(account_id, ()) if len(n) > 1 and n in text), default=0)
        if best[0] or person:
            found.append(registry.Named("opportunity", pk, title, best[1], best[0] * 2 + person))
    return found


def _best(text: str, names: Iterable[str], least: int) -> tuple[int, str]:
    """The longest beginning of a name that stands in the text, of at least `least` characters."""
    folded = fold(text)
    best: tuple[int, str] = (0, "")
    for name in names:
        for length in range(min(len(name), 40), least - 1, -1):
            start = folded.find(fold(name[:length]))
            if start >= 0 and length > best[0] and _is_whole(name, length, folded, start):
                best = (length, text[start : start + length])
                break
    return best


def _is_whole(name: str, length: int, text: str, start: int) -> bool:
    """Latin beginnings count only as whole words: “Car” is not “Carbon”."""
    if not name[length - 1].isascii():
        return True
    after_name, after_text = name[length : length + 1], text[start + length : start + length + 1]
    whole = not (after_name.isascii() and after_name.isalnum()) and not (
        after_text.isascii() and after_text.isalnum()
    )
    return whole and not (start and text[start - 1].isascii() and text[start - 1].isalnum())


def _initials(text: str, words: Iterable[str], *keys: str | None) -> tuple[int, str]:
    spelled = {
        part for key in keys for part in (key or "").split(" ")[1:] if len(part) > 2 and part.isascii()
    }
    for word in words:
        if word in spelled:
            match = re.search(re.escape(word), text, re.I)
            return (len(word), match[0] if match else word)
    return (0, "")


def responsible_for(subject_type: str, ids: Sequence[int]) -> Mapping[int, Mapping[int, str]]:
    """The owner of a record, and the others on the team of a deal."""
    found: dict[int, dict[int, str]] = {}
    if subject_type == "opportunity":
        for pk, owner, *others in Opportunity.objects.filter(pk__in=ids).values_list(
            "pk", "owner", "ar", "sr", "fr"
        ):
            told = {person: str(Reason.TEAM) for person in others if person is not None}
            found[pk] = told | ({owner: str(Reason.OWNER)} if owner is not None else {})
        return found
    model: Any = {"account": Account, "contact": Contact, "segment": Segment}.get(subject_type)
    if model is not None:
        for pk, owner in model.objects.filter(pk__in=ids).values_list("pk", "owner"):
            found[pk] = {owner: str(Reason.OWNER)} if owner is not None else {}
    return found


def register_next_steps() -> None:
    registry.propose_with(steps_that_fit)
    registry.contacts_from(people_who_fit)
    registry.find_records_with(records_named)
    registry.responsible_from(responsible_for)
