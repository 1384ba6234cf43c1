"""The activities that make a relationship, as far as the reader sees the records that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from fairlead.common import records
from fairlead.organisation.models import User
from fairlead.work.enums import TWO_WAY, ActivityKind, ActivityOutcome, ActivityState
from fairlead.work.models import Activity
from fairlead.work.words import ICONS, ago, when_words

from ..models import Account, Contact, ContactRole, Opportunity
from ..strength import FADES, FULL_BREADTH, FULL_RHYTHM, MOST, Strength, Touch, strength_of

LOOKED_AT: Final = 1000  # the newest; only the first interaction is asked for beyond them
SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Relationship:
    strength: Strength
    counted: tuple[int, ...]  # activities, the newest first


def relationship(kind: str, row: Account | Contact, *, reader: Any, at: datetime) -> Relationship:
    """With an account through all its records; with a contact where the person took part."""
    rows = Activity.objects.filter(_about(kind, row, reader)).exclude(state=ActivityState.CANCELLED)
    found = list(
        rows.order_by("-recorded_at", "-pk").values_list(
            "pk", "state", "done_at", "due_at", "outcome", "owner_id", "subject_type", "contact_ids"
        )[:LOOKED_AT]
    )
    touches, ahead = [], []
    for pk, state, done_at, due_at, outcome, owner_id, subject_type, contacts in found:
        if kind == "contact" and subject_type != "contact" and row.pk not in contacts:
            continue
        if state == ActivityState.DONE and done_at is not None:
            touches.append(Touch(pk, done_at, outcome in TWO_WAY, owner_id))
        elif due_at is not None and due_at >= at:
            ahead.append(due_at)
    strength = strength_of(touches, at=at, next_at=min(ahead, default=None))
    if kind == "account" and len(found) == LOOKED_AT:
        first = rows.filter(state=ActivityState.DONE).aggregate(first=Min("done_at"))["first"]
        strength = Strength(**{**_as_dict(strength), "first_at": first})
    newest = sorted((t for t in touches if t.at <= at), key=lambda t: (t.at, t.id), reverse=True)
    return Relationship(strength, tuple(t.id for t in newest))


def _as_dict(strength: Strength) -> dict[str, Any]:
    return {name: getattr(strength, name) for name in Strength.__slots__}


def _about(kind: str, row: Account | Contact, reader: Any) -> Q:
    """Activities of the records around the account: its own, of its people, of its deals that the reader sees."""
    account = row.pk if kind == "account" else row.account_id  # type: ignore[union-attr]
    deals = Q(account=account)
    if kind == "contact":
        deals |= Q(pk__in=ContactRole.objects.filter(contact=row.pk).values("opportunity"))
    seen = Opportunity.objects.visible_to(reader).filter(deals).values("pk")
    people = Q(subject_id=row.pk) if kind == "contact" else Q(
        subject_id__in=Contact.objects.filter(account=account).values("pk")
    )  # fmt: skip
    about = Q(subject_type="contact") & people | Q(subject_type="opportunity", subject_id__in=seen)
    if kind == "account" or Account.objects.visible_to(reader).filter(pk=account).exists():
        about |= Q(subject_type="account", subject_id=account)
    return about


LEVELS: Final = {"strong": "ready", "fair": "planned", "weak": "due", "none": "planned"}


def shown_strength(found: Relationship, *, at: datetime) -> dict[str, Any]:
    """In words, for the head of a page and its tab."""
    s = found.strength
    words = {
        "strong": _("Strong relationship"), "fair": _("Fair relationship"), "weak": _("Weak relationship"),
        "none": _("Not in touch yet"),
    }  # fmt: skip
    days = (at - s.last_two_way_at).days if s.last_two_way_at else None
    facts = {
        "recency": _("never") if days is None else ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days},
        "rhythm": ngettext("%(n)s activity in 90 days", "%(n)s activities in 90 days", s.in_90_days) % {"n": s.in_90_days},
        "two_way": _("%(n)s of %(all)s in 365 days") % {"n": s.two_way, "all": s.in_365_days},
        "breadth": ngettext("%(n)s colleague in 365 days", "%(n)s colleagues in 365 days", s.colleagues) % {"n": s.colleagues},
    }  # fmt: skip
    rules = {
        "recency": _("40 for today, falling to 0 after %(n)s days") % {"n": FADES},
        "rhythm": _("30 from %(n)s activities on") % {"n": FULL_RHYTHM},
        "two_way": _("20 where the customer took part in all"),
        "breadth": _("10 from %(n)s colleagues on") % {"n": FULL_BREADTH},
    }
    names = {
        "recency": _("Last two-way contact"), "rhythm": _("Rhythm"), "two_way": _("Two-way contacts"),
        "breadth": _("Colleagues in touch"),
    }  # fmt: skip
    return {
        "score": s.score,
        "level": s.level,
        "state": LEVELS[s.level],
        "text": words[s.level],
        "parts": [
            {"name": names[key], "fact": facts[key], "rule": rules[key], "points": s.parts[key], "most": most}
            for key, most in MOST.items()
        ],
        "dates": [
            {"name": name, "when": when_words(day, at) if day else "—", "ago": ago(day, at) if day and past else ""}
            for name, day, past in (
                (_("First interaction"), s.first_at, True), (_("Last interaction"), s.last_at, True),
                (_("Next interaction"), s.next_at, False),
            )
        ],
    }  # fmt: skip


def counted_rows(found: Relationship) -> list[dict[str, Any]]:
    """The activities that were counted, each with its record."""
    rows = Activity.objects.in_bulk(found.counted[:SHOWN])
    people = dict(User.objects.filter(pk__in={a.owner_id for a in rows.values()}).values_list("pk", "name"))
    titles: dict[tuple[str, int], str] = {}
    for kind in {a.subject_type for a in rows.values()}:
        ids = sorted({a.subject_id for a in rows.values() if a.subject_type == kind})
        titles |= {(kind, pk): name for pk, name in records.record_type(kind).title(ids).items()}
    shown = []
    for pk in found.counted[:SHOWN]:
        a = rows[pk]
        assert a.done_at is not None
        shown.append(
            {
                "icon": ICONS.get(a.kind, "notes"),
                "kind": str(ActivityKind(a.kind).label),
                "text": a.summary,
                "day": timezone.localdate(a.done_at).isoformat(),
                "outcome": str(ActivityOutcome(a.outcome).label),
                "two_way": a.outcome in TWO_WAY,
                "who": people.get(a.owner_id, ""),
                "title": titles.get((a.subject_type, a.subject_id), ""),
                "url": f"{records.record_type(a.subject_type).url(a.subject_id)}?show=work",
            }
        )
    return shown
