"""Records that come in, change, move and go again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from tests.exchange.importing import checked, codes, columns, how, ran, staged, undone
from tests.factories.crm import Company, company
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.common.refusals import NotFound, NotPermitted
from fairlead.crm.models import Account, Opportunity
from fairlead.exchange import services
from fairlead.exchange.enums import RowState, RunState
from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.exchange.services import running
from fairlead.exchange.services.working import ClaimLost, claim
from fairlead.journal.models import Event
from fairlead.process import services as process
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation, Journey
from fairlead.process.refusals import GateRefused
from fairlead.process.services.rebuilding import differences
from fairlead.process.verdicts import Wish

pytestmark = pytest.mark.django_db


@pytest.fixture
def where() -> Company:
    return company()


HEAD = "number,name,account,owner,stage,amount,closes\n"
MAP = columns(
    number="external_id",
    name="name",
    account="account",
    owner="owner",
    stage="stage",
    amount="amount",
    closes="expected_close_date",
)


def deals(where: Company, *rows: str) -> str:
    where.account("海星药业", owner=where.zhou)
    return HEAD + "\n".join(rows) + "\n"


def records(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Everything but the staging of imports itself."""
    return {k: v for k, v in fingerprint.items() if not k.startswith("exchange.") and k != "files"}


@pytest.mark.rule("EV-5", "GT-2")
def test_a_new_row_is_history_and_asks_no_gate(where: Company) -> None:
    text = deals(
        where,
        "A1,冷却系统,海星药业,周敏,方案,120000,2030-05-01",
        "A2,泵组,海星药业,林芷若,Lost,5000,2020-05-01",
    )
    run = checked(
        staged(text, by=where.admin),
        by=where.admin,
        mapping=MAP,
        maps={"stage": {"方案": "stage:solution_design", "Lost": "lost"}},
    )
    assert run.counts["create"] == 2 and run.counts["error"] == 0
    ran(run, by=where.admin)

    deal = Opportunity.objects.select_related("journey__stage").get(external_id="A1")
    assert (deal.journey.stage.key, deal.journey.fidelity, deal.journey.entered_at_known) == (
        "solution_design",
        "final_only",
        False,
    )
    assert (deal.owner, deal.ar, deal.team) == (where.zhou, where.zhou, where.zhou.team)
    lost = Opportunity.objects.select_related("journey").get(external_id="A2")
    assert (lost.journey.state, lost.journey.outcome) == ("lost", "lost")
    assert Evaluation.objects.count() == 0
    assert set(Event.objects.filter(subject_type="opportunity").values_list("channel", "batch_id")) == {
        ("import", run.pk)
    }
    assert list(differences()) == []


@pytest.mark.rule("EV-5")
def test_the_past_needs_its_own_right_but_a_plain_record_does_not(where: Company) -> None:
    text = deals(where, "A1,冷却系统,海星药业,周敏,方案,120000,2030-05-01")
    maps = {"stage": {"方案": "stage:solution_design"}}
    run = checked(staged(text, by=where.chen), by=where.chen, mapping=MAP, maps=maps)
    assert codes(run) == {"history-right": 1}

    plain = MAP | columns(stage="")
    run = checked(staged(text, by=where.chen), by=where.chen, mapping=plain)
    assert run.counts["create"] == 1
    ran(run, by=where.chen)
    assert Opportunity.objects.get(external_id="A1").journey.stage.key == "customer_contact"


def test_a_manager_brings_in_nothing_for_people_of_another_branch(where: Company) -> None:
    text = deals(where, "A1,冷却系统,海星药业,齐远,,120000,2030-05-01")
    run = checked(staged(text, by=where.chen), by=where.chen, mapping=MAP | columns(stage=""))
    assert codes(run) == {"person-out-of-reach": 1}


def test_a_seller_has_no_imports_at_all(where: Company) -> None:
    with pytest.raises(NotPermitted):
        staged(HEAD, by=where.zhou)
    assert ImportRun.objects.count() == 0


@pytest.mark.rule("T23")
def test_the_same_file_twice_updates_nothing(where: Company) -> None:
    text = deals(
        where,
        "A1,冷却系统,海星药业,周敏,方案,120000,2030-05-01",
        "A2,泵组,海星药业,林芷若,Lost,5000,2020-05-01",
    )
    maps = {"stage": {"方案": "stage:solution_design", "Lost": "lost"}}
    ran(checked(staged(text, by=where.admin), by=where.admin, mapping=MAP, maps=maps), by=where.admin)
    before = records(db_fingerprint())

    again = checked(staged(text, by=where.admin), by=where.admin, mapping=MAP, maps=maps)
    assert (again.counts["skip"], again.counts["create"], again.counts["update"], again.counts["move"]) == (
        2,
        0,
        0,
        0,
    )
    with pytest.raises(services.CannotChange):
        services.begin_run(again.pk, **how(where.admin))
    after = records(db_fingerprint())
    before.pop("journal.Event")
    after.pop("journal.Event")  # the upload is journaled
    assert changed(before, after) == {}


@pytest.mark.rule("AC-2", "MV-10", "GT-2")
def test_a_row_whose_stage_differs_is_a_move_and_its_gate_decides_as_on_the_page(where: Company) -> None:
    ready, blocked = where.deal("可推进", owner=where.zhou), where.deal("缺三项", owner=where.zhou)
    where.fulfil(ready)
    Opportunity.objects.filter(pk=ready.pk).update(external_id="R1")
    Opportunity.objects.filter(pk=blocked.pk).update(external_id="B1")
    with pytest.raises(GateRefused) as on_page:
        process.move(
            blocked.journey_id, Wish(kind=Kind.ADVANCE, to="needs_analysis"), **where.how(where.admin)
        )
    text = "number,stage\nR1,需求分析\nB1,需求分析\n"
    run = checked(
        staged(text, by=where.admin),
        by=where.admin,
        mapping=columns(number="external_id", stage="stage"),
        options={"compose_name": ["product"]},
        maps={"stage": {"需求分析": "stage:needs_analysis"}},
    )
    assert run.counts["move"] == 2, run.findings
    ran(run, by=where.admin)

    rows = {r.target_id: r for r in run.rows.all()}
    assert (rows[ready.pk].state, rows[blocked.pk].state) == (RowState.DONE, RowState.FAILED)
    assert where.journey(ready).stage.key == "needs_analysis"
    assert where.journey(blocked).stage.key == "customer_contact"
    told = rows[blocked.pk].problems[-1]
    assert (
        told["params"]["gaps"]
        == [g.key for g in on_page.value.verdict.gaps]
        == ["contact_two_way", "problem_stated", "bant", "sr_for_needs_analysis"]
    )
    mine, theirs = Evaluation.objects.filter(journey=blocked.journey_id).order_by("pk")
    assert (mine.results, mine.allowed, theirs.channel) == (theirs.results, False, "import")
    assert run.counts["done"] == {"created": 0, "updated": 0, "moved": 1, "refused": 1}


@pytest.mark.rule("T23", "U17")
def test_undo_restores_exactly_what_was_made_changed_and_moved(where: Company) -> None:
    ready, other = where.deal("可推进", owner=where.zhou), where.deal("只改金额", owner=where.lin)
    where.fulfil(ready)
    Opportunity.objects.filter(pk=ready.pk).update(external_id="R1")
    Opportunity.objects.filter(pk=other.pk).update(external_id="O1")
    where.account("海星药业", owner=where.zhou)
    before = records(db_fingerprint(with_journal=False))
    text = (
        HEAD
        + "R1,可推进,,周敏,需求分析,777,\nO1,只改金额,,吴婧怡,,888,\nN1,新商机,海星药业,周敏,赢单,999,2020-01-01\n"
    )
    run = checked(
        staged(text, by=where.admin),
        by=where.admin,
        mapping=MAP,
        maps={"stage": {"需求分析": "stage:needs_analysis", "赢单": "won"}},
    )
    assert (run.counts["move"], run.counts["update"], run.counts["create"]) == (1, 1, 1), run.findings
    ran(run, by=where.admin)
    assert run.counts["done"] == {"created": 1, "updated": 1, "moved": 1, "refused": 0}
    assert Account.objects.get(name="海星药业").is_customer
    other.refresh_from_db()
    assert (other.amount, other.owner) == (888, where.wu)

    undone(run, by=where.admin)
    assert run.state == RunState.UNDONE and run.counts["kept"] == 0
    assert changed(before, records(db_fingerprint(with_journal=False))) == {}
    assert list(differences()) == []
    assert (
        Event.objects.filter(type="import_undone", batch_id=run.pk).count() == 4
    )  # three records and the run


@pytest.mark.rule("T23", "U17")
def test_undo_keeps_and_lists_what_somebody_has_changed_moved_or_built_on_since(where: Company) -> None:
    rows = [f"K{i},商机 {i},海星药业,周敏,方案,{i}000,2030-05-01" for i in range(1, 5)]
    run = checked(
        staged(deals(where, *rows), by=where.admin),
        by=where.admin,
        mapping=MAP,
        maps={"stage": {"方案": "stage:solution_design"}},
    )
    ran(run, by=where.admin)
    edited, moved, noted, free = (Opportunity.objects.get(external_id=f"K{i}") for i in range(1, 5))
    where.edit(edited, by=where.zhou, amount=42)
    where.move(moved, "regress", "needs_analysis", by=where.admin, reason="need_changed")
    where.next_step(noted)

    undone(run, by=where.admin)
    assert set(Opportunity.objects.values_list("pk", flat=True)) == {edited.pk, moved.pk, noted.pk}
    assert not Opportunity.objects.filter(pk=free.pk).exists()
    kept = {r.target_id: r.problems[-1]["code"] for r in run.rows.filter(state=RowState.KEPT)}
    assert kept == {edited.pk: "kept-changed", moved.pk: "kept-changed", noted.pk: "kept-changed"}
    edited.refresh_from_db()
    assert edited.amount == 42
    assert list(differences()) == []


def test_an_account_that_somebody_uses_by_now_is_kept(where: Company) -> None:
    run = checked(
        staged("name,city\n东方机电,上海\n西域化工,兰州\n", by=where.admin, kind="account"), by=where.admin
    )
    ran(run, by=where.admin)
    used = Account.objects.get(name="东方机电")
    where.contact(used)
    undone(run, by=where.admin)
    assert list(Account.objects.filter(name__in=["东方机电", "西域化工"]).values_list("name", flat=True)) == [
        "东方机电"
    ]
    assert list(run.rows.filter(state=RowState.KEPT).values_list("target_id", flat=True)) == [used.pk]


def test_undo_ends_after_thirty_days(where: Company) -> None:
    run = checked(staged("name\n东方机电\n", by=where.admin, kind="account"), by=where.admin)
    ran(run, by=where.admin)
    ImportRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=31))
    with pytest.raises(services.CannotChange):
        services.begin_undo(run.pk, **how(where.admin))
    assert Account.objects.filter(name="东方机电").exists()


@pytest.mark.rule("T23")
def test_a_killed_run_goes_on_where_it_stopped(where: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"K{i},商机 {i},海星药业,周敏,方案,{i},2030-05-01" for i in range(1, 101)]
    run = checked(
        staged(deals(where, *rows), by=where.admin),
        by=where.admin,
        mapping=MAP,
        maps={"stage": {"方案": "stage:solution_design"}},
    )
    services.begin_run(run.pk, **how(where.admin))
    real, calls = running._batch, []

    class Killed(BaseException):
        pass

    def dies(run: Any, writer: Any, size: int) -> int:
        if len(calls) == 2:
            raise Killed
        calls.append(size)
        return real(run, writer, 30)

    monkeypatch.setattr(running, "_batch", dies)
    with pytest.raises(Killed):
        services.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.rows_done, Opportunity.objects.count()) == (RunState.RUNNING, 60, 60)

    monkeypatch.setattr(running, "_batch", real)
    services.execute(run.pk)
    run.refresh_from_db()
    assert (run.state, run.rows_done, Opportunity.objects.count()) == (RunState.DONE, 100, 100)
    assert Opportunity.objects.values("external_id").distinct().count() == 100
    assert list(differences()) == []


def test_a_worker_that_lost_its_claim_writes_nothing(where: Company) -> None:
    run = checked(
        staged(deals(where, "A1,冷却系统,海星药业,周敏,,1,"), by=where.admin),
        by=where.admin,
        mapping=MAP | columns(stage=""),
    )
    services.begin_run(run.pk, **how(where.admin))
    stale = claim(run.pk, state=RunState.RUNNING, at=timezone.now())
    fresh = claim(run.pk, state=RunState.RUNNING, at=timezone.now())
    assert stale is not None and fresh is not None
    with pytest.raises(ClaimLost):
        running._batch(stale, running.Writer(stale), 10)
    assert Opportunity.objects.count() == 0


def test_what_came_in_elsewhere_after_the_check_is_reported_not_doubled(where: Company) -> None:
    run = checked(
        staged(deals(where, "A1,冷却系统,海星药业,周敏,,1,"), by=where.admin),
        by=where.admin,
        mapping=MAP | columns(stage=""),
    )
    deal = where.deal("冷却系统")
    Opportunity.objects.filter(pk=deal.pk).update(external_id="A1")
    ran(run, by=where.admin)
    assert Opportunity.objects.count() == 1
    assert ImportRow.objects.get(run=run).problems[-1]["code"] == "here-by-now"


def test_what_somebody_changed_after_the_check_stays_as_it_is(where: Company) -> None:
    deal = where.deal("冷却系统")
    Opportunity.objects.filter(pk=deal.pk).update(external_id="A1")
    run = checked(
        staged("number,amount\nA1,5\n", by=where.admin),
        by=where.admin,
        mapping=columns(number="external_id", amount="amount"),
        options={"compose_name": ["product"]},
    )
    where.edit(deal, amount=7)
    ran(run, by=where.admin)
    deal.refresh_from_db()
    assert deal.amount == 7
    assert ImportRow.objects.get(run=run).problems[-1]["code"] == "changed-since-check"


@pytest.mark.rule("T05")
def test_nobody_opens_the_import_of_another(where: Company) -> None:
    run = staged("name\n东方机电\n", by=where.chen, kind="account")
    for stranger in (where.luo, where.zhou, where.mo):
        with pytest.raises(NotFound):
            services.get_run(run.pk, by=stranger)
    assert services.get_run(run.pk, by=where.admin) == run  # keeps the settings


@pytest.mark.rule("T05")
def test_a_record_that_the_importer_cannot_see_is_neither_changed_nor_shown(where: Company) -> None:
    hidden = where.account("南方机电", owner=where.qi)
    Account.objects.filter(pk=hidden.pk).update(external_id="X9")
    run = checked(staged("id,name,city\nX9,南方机电,广州\n", by=where.chen, kind="account"), by=where.chen)
    assert codes(run) == {"belongs-elsewhere": 1}
    assert run.counts["update"] == 0
    row = ImportRow.objects.get(run=run)
    assert "南方机电" not in str(row.problems)
    assert Journey.objects.count() == 0
