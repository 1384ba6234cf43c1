"""The job that clears the sample data: records with all that hangs on them, children before parents.

A sample that a real record needs (a contract on its deal, a real deal of its account) stays and is a sample no more;
the row of `SampleData` says which. Events stay: the journal remembers what it was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import transaction

from fairlead.common import rows
from fairlead.crm.models import Account, Contact, Opportunity, Segment
from fairlead.crm.services.forgetting import PARTS_OF_DEAL, forget_records, keep_as_real, release_deals
from fairlead.exchange.enums import SampleState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import ImportRow, SampleData
from fairlead.work.selectors.mentioned import contacts_spoken_with

from .samples import KINDS, claim, finish, journal, one_step
from .working import ClaimLost, clock

CHANNEL: Final = "system"
AT_ONCE: Final = 10


def clear() -> None:
    """The job. Bears a second run: what is gone is gone, what is left is found again."""
    row = claim(SampleState.CLEARING, at=clock())
    if row is None:
        return
    pace = Pace()
    left = sum(-(-model.objects.filter(is_sample=True).count() // AT_ONCE) for model in KINDS.values())
    SampleData.objects.filter(pk=1, runner=row.runner).update(steps_total=row.steps_done + left + len(KINDS))
    try:
        for kind in KINDS:
            going = True
            while going:
                with pace.turn(), transaction.atomic():
                    going = _batch(row, kind)
        with transaction.atomic():
            _close(row)
    except ClaimLost:
        return


def _batch(row: SampleData, kind: str) -> bool:
    """The next records of one kind; whether there may be more. Accounts go together: they may stand below each other."""
    model, at = KINDS[kind], clock()
    samples = list(model.objects.filter(is_sample=True).order_by("pk").values_list("pk", flat=True))
    if not samples:
        return False
    needed = NEEDED[kind](samples)
    free = [pk for pk in samples if pk not in needed]
    chosen = free if kind == "account" else free[:AT_ONCE]
    how: dict[str, Any] = {"by_id": row.begun_by_id, "at": at, "channel": CHANNEL}
    if chosen:
        if kind == "opportunity":
            release_deals(chosen)
        forget_records(kind, chosen, **how)
        ImportRow.objects.filter(target_type=kind, target_id__in=chosen).update(target_id=None)
        row.removed[kind] = row.removed.get(kind, 0) + len(chosen)
    else:
        keep_as_real(kind, sorted(needed), **how)
        row.kept[kind] = sorted({*row.kept.get(kind, ()), *needed})
    total = {} if row.steps_done < _total() else {"steps_total": row.steps_done + 1}
    one_step(row, at=at, removed=row.removed, kept=row.kept, **total)
    return True


def _total() -> int:
    return SampleData.objects.values_list("steps_total", flat=True).get(pk=1)


def _needed_deals(ids: Sequence[int]) -> set[int]:
    """Deals with a contract, and those that a real deal comes from or was merged into; then what these refer to."""
    needed = rows.referred_to(Opportunity, ids, but=(*PARTS_OF_DEAL, Opportunity))
    real = Opportunity.objects.filter(is_sample=False)
    return _with_parents(Opportunity, ids, needed, real, ("predecessor_id", "merged_into_id"))


def _needed_contacts(ids: Sequence[int]) -> set[int]:
    """Contacts who play a part in a deal that stays, or with whom it was spoken there."""
    return rows.referred_to(Contact, ids) | (contacts_spoken_with(ids) & set(ids))


def _needed_accounts(ids: Sequence[int]) -> set[int]:
    needed = rows.referred_to(Account, ids, but=(Account,))
    return _with_parents(Account, ids, needed, Account.objects.filter(is_sample=False), ("parent_id",))


def _needed_segments(ids: Sequence[int]) -> set[int]:
    return rows.referred_to(Segment, ids)


def _with_parents(
    model: Any, ids: Sequence[int], needed: set[int], real: Any, names: Iterable[str]
) -> set[int]:
    """`needed` with those of `ids` to which real rows or needed ones point by one of `names`."""
    among = set(ids)
    for name in names:
        needed |= set(real.filter(**{f"{name}__in": ids}).values_list(name, flat=True))
    waiting = set(needed)
    while waiting:
        above = {
            pk
            for name in names
            for pk in model.objects.filter(pk__in=waiting).values_list(name, flat=True)
            if pk in among
        }
        waiting = above - needed
        needed |= waiting
    return needed


NEEDED: Final = {
    "opportunity": _needed_deals,
    "contact": _needed_contacts,
    "account": _needed_accounts,
    "segment": _needed_segments,
}


def _close(row: SampleData) -> None:
    at = clock()
    finish(row, SampleState.NONE, at=at, made={})
    counts = Counter({kind: len(ids) for kind, ids in row.kept.items()})
    journal(
        "sample_cleared",
        by_id=row.begun_by_id,
        at=at,
        channel=CHANNEL,
        data={"number": row.number, "removed": row.removed, "kept": dict(counts)},
    )
