"""What the check of an import says is what its run does: faults that strange files have found, each in its smallest form."""

from __future__ import annotations

import pytest
from tests.exchange.importing import checked, columns, ran, staged, undone
from tests.factories.crm import Company, company

from fairlead.crm.models import Account
from fairlead.exchange.enums import RowAction, RowState
from fairlead.exchange.models import ImportRun
from fairlead.process.models import Journey

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T23")]

CODE = "91310000MA1K35TY2X"
MAP = columns(number="external_id", name="name", uscc="uscc", revenue="annual_revenue", tier="tier")


@pytest.fixture
def where() -> Company:
    return company(language="en")


def looked_at(where: Company, *rows: str) -> ImportRun:
    text = "\n".join(["number,name,uscc,revenue,tier", *rows])
    return checked(staged(text, by=where.admin, kind="account"), by=where.admin, mapping=MAP)


def actions(run: ImportRun) -> list[str]:
    return [str(a) for a in run.rows.order_by("number").values_list("action", flat=True)]


def problems(run: ImportRun, number: int) -> list[str]:
    return [p["code"] for p in run.rows.get(number=number).problems]


def nothing_is_refused(run: ImportRun) -> None:
    assert not run.rows.filter(state=RowState.FAILED).exists()


def test_a_number_that_no_column_holds_is_told_before(where: Company) -> None:
    run = looked_at(where, "A1,Alpha,,-5,", "A2,Beta,,5,")
    assert actions(run) == [RowAction.ERROR, RowAction.CREATE] and problems(run, 2) == ["refused"]
    nothing_is_refused(ran(run, by=where.admin))
    assert set(Account.objects.filter(name__in=("Alpha", "Beta")).values_list("name", flat=True)) == {"Beta"}


def test_one_credit_code_under_two_numbers_is_told_before(where: Company) -> None:
    run = looked_at(where, f"A1,Alpha,{CODE},,", f"A2,Beta,{CODE},,")
    assert actions(run) == [RowAction.CREATE, RowAction.ERROR] and problems(run, 3) == ["duplicate-in-file"]
    nothing_is_refused(ran(run, by=where.admin))


def test_a_code_that_another_account_has_is_told_before(where: Company) -> None:
    where.account("Holder", uscc=CODE)
    ran(looked_at(where, "A7,Seven,,,"), by=where.admin)
    run = looked_at(where, f"A7,Seven,{CODE},,")
    assert actions(run) == [RowAction.ERROR] and problems(run, 2) == ["refused"]


def test_two_rows_about_one_record_are_told_before(where: Company) -> None:
    where.account("Holder", uscc=CODE)
    run = looked_at(where, f",Holder,{CODE},7,", ",Holder,,9,")
    assert actions(run) == [RowAction.UPDATE, RowAction.ERROR] and problems(run, 3) == ["duplicate-in-file"]
    nothing_is_refused(ran(run, by=where.admin))
    assert Account.objects.get(name="Holder").annual_revenue == 7


def test_an_undo_that_puts_an_account_back_judges_the_gates_of_its_deals_anew(where: Company) -> None:
    account = where.account("Holder", tier="C")
    deal = where.deal(account=account)
    run = ran(looked_at(where, ",Holder,,,A"), by=where.admin)
    assert Account.objects.get(pk=account.pk).tier == "A"
    between = Journey.objects.get(pk=deal.journey_id)
    undone(run, by=where.admin)
    assert Account.objects.get(pk=account.pk).tier == "C"
    after = Journey.objects.get(pk=deal.journey_id)
    # A move that gathered facts while the tier was A finds them changed.
    assert after.facts_rev > between.facts_rev
    assert (after.gate_state, after.gate_missing) == (between.gate_state, between.gate_missing)
