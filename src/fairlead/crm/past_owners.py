"""At which deal something hung when: what went over with a merge hung at the other deal before (MV-8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from fairlead.journal.models import Event
from fairlead.process import fold

from .models import Opportunity

#: A deal, since when and until when; None: from the beginning, to this day.
Stay = tuple[int, "datetime | None", "datetime | None"]


class Owners:
    """The merges that these deals had a part in, read once. One question where there were none."""

    def __init__(self, deals: Sequence[int]) -> None:
        into = self._merged(Q(pk__in=deals) | Q(merged_into__in=deals)) if deals else {}
        fresh = set(into.values()) - into.keys()
        while fresh:  # what they went into went on itself
            more = self._merged(Q(pk__in=fresh))
            into |= more
            fresh = set(more.values()) - into.keys()
        self._into = into
        self._went: dict[tuple[str, int], list[tuple[datetime, int, int]]] = defaultdict(list)
        told = Event.objects.about("opportunity", into).filter(type=fold.MERGED) if into else ()
        latest = {event.subject_id: event for event in sorted(told, key=lambda event: event.pk)}
        for pk, event in latest.items():
            for kind, moved in event.data["moved"].items():
                for item in moved:
                    number = item[0] if isinstance(item, list) else item
                    self._went[kind, number].append((event.recorded_at, pk, into[pk]))

    @staticmethod
    def _merged(which: Q) -> dict[int, int]:
        rows = Opportunity.objects.filter(which, merged_into__isnull=False)
        return {pk: into for pk, into in rows.values_list("pk", "merged_into_id") if into is not None}

    def with_heirs(self, deals: Sequence[int]) -> list[int]:
        """These deals and those at which their things hang today."""
        return sorted({*deals, *self._into.values()})

    def of(self, kind: str, pk: int, today: int) -> list[Stay]:
        """Where one thing hung, in order; `today`: where it hangs now."""
        went = sorted(self._went.get((kind, pk), ()))
        if not went:
            return [(today, None, None)]
        found: list[Stay] = [(went[0][1], None, went[0][0])]
        for place, (at, _source, target) in enumerate(went):
            found.append((target, at, went[place + 1][0] if place + 1 < len(went) else None))
        return found
