"""Many rows at once: what is made and numbered without Django's own way is what that would have made."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from fairlead.common import bulk
from fairlead.crm.models import Account, DealTeamMember, Opportunity
from fairlead.process.models import Clock, Journey, Visit
from fairlead.process.services import clock_rows
from fairlead.process.services.ledger import VISIT_FIELDS


@pytest.mark.parametrize("model", [Account, DealTeamMember, Opportunity, Clock, Journey, Visit])
def test_a_new_row_is_what_the_model_would_make(model: Any) -> None:
    names = [f.attname for f in model._meta.concrete_fields]
    values = {names[1]: 7}
    made, usual = bulk.new(model, **values), model(**values)
    assert {n: getattr(made, n) for n in names} == {n: getattr(usual, n) for n in names}
    assert made._state.adding
    assert made._state.db is None


def test_defaults_that_can_change_are_made_for_each_row() -> None:
    one, other = bulk.new(Account), bulk.new(Account)
    one.custom["a"] = 1
    assert other.custom == {}


@pytest.mark.django_db
def test_reserved_ids_are_given_to_nobody_else() -> None:
    at = timezone.now()

    def account(name: str, **values: Any) -> Account:
        return bulk.new(Account, name=name, created_at=at, updated_at=at, **values)

    with transaction.atomic():
        ids = bulk.reserve(Account, 3)
        between = bulk.insert([account("先"), account("后")])
        late = bulk.insert([account(f"预留 {pk}", id=pk) for pk in ids], reserved=True)
        again = bulk.reserve(Account, 1)
    assert [row.pk for row in late] == list(ids)
    assert len({*ids, *again, *(row.pk for row in between)}) == 6
    assert dict(Account.objects.values_list("pk", "name")) == {row.pk: row.name for row in (*between, *late)}
    assert Account.objects.create(name="单", created_at=at, updated_at=at).pk not in {*ids, *again}


def test_a_row_of_values_stands_in_the_order_of_its_model() -> None:
    assert [f.attname for f in Clock._meta.concrete_fields] == ["id", "journey_id", *clock_rows.COLUMNS]
    assert [f.attname for f in Visit._meta.concrete_fields] == ["id", "journey_id", *VISIT_FIELDS]


@pytest.mark.django_db
def test_rows_for_later_have_their_ids_at_once_and_stand_after_the_write() -> None:
    at = timezone.now()
    rows = [bulk.new(Account, name=f"后写 {n}", created_at=at, updated_at=at) for n in range(5)]
    with transaction.atomic():
        before = bulk.insert([bulk.new(Account, name="先写", created_at=at, updated_at=at)])[0]
        later = bulk.Later(Account)
        later.add(rows[:2])
        later.add(rows[2:])
        assert [row.pk for row in rows] == list(range(before.pk + 1, before.pk + 6))
        assert Account.objects.count() == 1
        assert later.write() == rows
        assert later.write() == []
    assert dict(Account.objects.values_list("pk", "name")) == {r.pk: r.name for r in (before, *rows)}
    assert Account.objects.create(name="单", created_at=at, updated_at=at).pk > rows[-1].pk
    assert not any(row._state.adding for row in rows)
