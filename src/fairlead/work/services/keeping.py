"""What a person keeps at hand: starred records, and those that they opened last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common import records
from fairlead.common.refusals import Invalid
from fairlead.journal.services import NewEvent, record

from ..models import Favourite, Seen

MOST_STARS: Final = 200
MOST_SEEN: Final = 30
#: Who goes to and fro between two pages is not written down each time.
AGAIN: Final = timedelta(minutes=1)


@transaction.atomic
def set_star(
    subject_type: str, subject_id: int, starred: bool, *, by: Any, at: datetime, channel: str
) -> bool:
    """Star a record or take the star off. Raises NotFound where the person does not see it, and Invalid."""
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.view_right)
    about = {"person_id": by.pk, "subject_type": subject_type, "subject_id": subject_id}
    standing = Favourite.objects.filter(**about)
    if standing.exists() == starred:
        return starred
    if not starred:
        standing.delete()
    elif Favourite.objects.filter(person_id=by.pk).count() >= MOST_STARS:
        raise Invalid(_("At most %(n)s favourites. Take a star off first.") % {"n": MOST_STARS})
    else:
        Favourite.objects.create(**about, at=at)
    # About the person, not about the record: its history is no place for the likings of others.
    data = {"on": subject_type, "id": subject_id, "starred": starred}
    record([NewEvent(type="star_set", subject_type="user", subject_id=by.pk, actor_id=by.pk, effective_at=at,
                     channel=channel, data=data)])  # fmt: skip
    return starred


@transaction.atomic
def see(subject_type: str, subject_id: int, *, by: Any, at: datetime) -> None:
    """Remember that the page was opened; older ones beyond the latest few are forgotten. No event: reading
    leaves no trace but this list, which is the reader's own. Raises NotFound."""
    kind = records.record_type(subject_type)
    records.require(by, subject_type, subject_id, kind.view_right)
    about = {"person_id": by.pk, "subject_type": subject_type, "subject_id": subject_id}
    if Seen.objects.filter(**about, at__gt=at - AGAIN).exists():
        return
    Seen.objects.update_or_create(**about, defaults={"at": at})
    mine = Seen.objects.filter(person_id=by.pk)
    old = list(mine.order_by("-at", "-pk").values_list("pk", flat=True)[MOST_SEEN : MOST_SEEN + 50])
    if old:
        Seen.objects.filter(pk__in=old).delete()


@transaction.atomic
def forget_seen(*, by: Any) -> None:
    """Empty one's own list of what was opened."""
    Seen.objects.filter(person_id=by.pk).delete()
