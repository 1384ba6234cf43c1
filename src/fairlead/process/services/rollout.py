"""How a new way of working is introduced: weights of adoption, the monthly amnesty, what is measured and asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.journal.services import NewEvent, record

from ..models import Rollout

RIGHT: Final = "settings.manage"
#: Setting → smallest, largest.
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "amnesty_day": (0, 28),
    "amnesty_length": (1, 10),
    "amnesty_idle_days": (14, 730),
}
SWITCHES: Final = ("measures_forms", "asks_pulse")
MOST_WEIGHT: Final = 100

_current = Question(lambda pk: Rollout.objects.filter(pk=pk))


def current() -> Rollout:
    """The settings as they stand; the defaults where nobody has changed any."""
    return _current.first(1) or Rollout(pk=1)


@transaction.atomic
def change_rollout(
    *, by: Any, at: datetime, channel: str, version: int | None = None, **changes: Any
) -> Rollout:
    """Change settings of the introduction. Raises NotPermitted, Stale, Invalid."""
    if not by.may(RIGHT):
        raise NotPermitted
    Rollout.objects.get_or_create(pk=1)
    row = Rollout.objects.select_for_update().get(pk=1)
    if version is not None and version != row.version:
        raise Stale
    before, after = {}, {}
    for name, value in _cleaned(changes).items():
        if getattr(row, name) != value:
            before[name], after[name] = getattr(row, name), value
            setattr(row, name, value)
    if not after:
        return row
    row.version += 1
    row.save()
    record(
        [
            NewEvent(
                type="rollout_changed",
                subject_type="organisation",
                subject_id=1,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"fields": sorted(after), "before": before, "after": after},
            )
        ]
    )
    return row


def _cleaned(changes: Mapping[str, Any]) -> dict[str, Any]:
    errors, found = [], {}
    for name, value in changes.items():
        if name in NUMBERS:
            low, high = NUMBERS[name]
            if not isinstance(value, int) or not low <= value <= high:
                said = _("A whole number from %(low)s to %(high)s.") % {"low": low, "high": high}
                errors.append({"field": name, "message": said})
            found[name] = value
        elif name in SWITCHES:
            found[name] = bool(value)
        elif name == "weights":
            found[name] = {str(key): float(weight) for key, weight in dict(value).items()}
            wrong = [key for key, weight in found[name].items() if not 0 <= weight <= MOST_WEIGHT]
            if not any(found[name].values()):
                wrong = sorted(found[name]) or ["weights"]
            errors += [
                {"field": f"weight_{key}", "message": _("A weight from 0 to 100; one of them above 0.")}
                for key in wrong
            ]
        else:
            raise TypeError(f"not changed here: {name}")
    if errors:
        raise Invalid(errors=errors)
    return found
