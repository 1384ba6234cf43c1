"""Whole imports of strange files (T23): no file breaks a page or the API, what the check announced is what comes in, and
undoing leaves every table as it was; a job that is killed at each of its transactions comes to the same end.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.exchange.importing import how
from tests.exchange.strange_files import StrangeFile, strange_file
from tests.factories.crm import Company, company
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.crm.services.undoing import MODELS
from fairlead.crm.services.values import value_of
from fairlead.exchange import services
from fairlead.exchange.enums import RowAction, RowState, RunState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import ImportRun
from fairlead.exchange.services import checking, running, undoing
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import clean
from fairlead.process.models import Journey
from fairlead.process.services.rebuilding import differences

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T23")]

A_FEW, ALL = 20, 5_000
#: The import itself stays, and the journal tells of it; both are no part of what undo puts back.
ITS_OWN = ("exchange.", "journal.", "files")


@pytest.fixture
def where() -> Company:
    made = company(language="zh-hans")
    for name in ("海星药业", "启晨半导体"):
        account = made.account(name)
        made.contact(account, "王工")
        made.deal("冷却系统", account=account, stage="needs_analysis")
    return made


@pytest.fixture
def office(where: Company, client: Client) -> Client:
    client.force_login(where.admin)
    return client


def state_of_the_house() -> dict[str, Any]:
    """Every column of every table, but for the numbers that count writes to what a gate reads: those only grow, so
    that a move that gathered facts before finds them changed."""
    state = {k: v for k, v in db_fingerprint().items() if not k.startswith(ITS_OWN)}
    columns = [f.attname for f in Journey._meta.concrete_fields if f.name != "facts_rev"]
    return state | {"process.Journey": list(Journey.objects.order_by("pk").values_list(*columns))}


def asked(office: Client, method: str, address: str, **body: Any) -> int:
    """The status of an answer; an exception of the product comes through as such."""
    answer = getattr(office, method)(address, **body)
    b"".join(answer) if answer.streaming else answer.content
    assert answer.status_code < 500, (address, answer.status_code)
    return int(answer.status_code)


def act(office: Client, run: ImportRun, verb: str, job: Callable[[int], None]) -> bool:
    status = asked(office, "post", f"/api/v1/imports/{run.pk}/{verb}", content_type="application/json")
    if status == 202:
        job(run.pk)
        run.refresh_from_db()
        assert run.state != RunState.FAILED, run.failure
    else:
        assert status in (409, 422), status
    return status == 202


def look(office: Client, run: ImportRun, *pages: str) -> None:
    for page in pages:
        assert asked(office, "get", f"/imports/{run.pk}/{page}") in (200, 302), page
    assert asked(office, "get", f"/api/v1/imports/{run.pk}/rows") == 200


def come_and_gone(office: Client, file: StrangeFile) -> str:
    """A file through all five steps and back; how far it came."""
    before = state_of_the_house()
    upload = SimpleUploadedFile(file.name, file.content)
    known = set(ImportRun.objects.values_list("pk", flat=True))
    if asked(office, "post", "/imports/", data={"kind": file.kind, "file": upload}) == 422:
        assert set(ImportRun.objects.values_list("pk", flat=True)) == known
        assert changed(before, state_of_the_house()) == {}
        return "refused"
    run = ImportRun.objects.exclude(pk__in=known).get()
    look(office, run, "", "file/", "columns/")
    if not act(office, run, "check", services.check):
        return "not ready"
    look(office, run, "check/", "preview/", "errors.csv")
    assert changed(before, state_of_the_house()) == {}, "the check wrote something"
    announced = dict(run.counts)
    if not act(office, run, "run", services.execute):
        return "nothing to bring"
    look(office, run, "run/", "errors.csv")
    as_announced(run, announced)
    assert list(differences()) == []
    assert act(office, run, "undo", services.undo)
    look(office, run, "run/")
    assert run.counts["kept"] == 0
    assert changed(before, state_of_the_house()) == {}, "undoing left something"
    return "came and gone"


def as_announced(run: ImportRun, announced: dict[str, int]) -> None:
    """What came in is what the check said, row by row; only a gate may still say no."""
    done, moves = run.counts["done"], announced.get("move", 0)
    refused = run.rows.filter(state=RowState.FAILED)
    assert not refused.exclude(action=RowAction.MOVE).exists(), list(
        refused.values_list("number", "problems")
    )
    assert (done["created"], done["updated"]) == (announced.get("create", 0), announced.get("update", 0))
    assert done["moved"] + done["refused"] == moves
    fields = catalogue(run.kind)
    rows = {r.target_id: r for r in run.rows.filter(state=RowState.DONE, action=RowAction.CREATE)}
    for record in MODELS[run.kind].objects.filter(pk__in=rows):
        for key, raw in rows[record.pk].values["fields"].items():
            assert value_of(record, fields[key]) == clean(fields[key], raw), (key, raw)


def all_of(office: Client, seeds: range) -> None:
    for seed in seeds:
        file = strange_file(seed)
        try:
            come_and_gone(office, file)
        except Exception as error:
            error.add_note(f"strange_file({seed}): {', '.join(file.dress)}")
            raise


def test_strange_files_come_as_announced_and_go_without_a_trace(office: Client) -> None:
    all_of(office, range(A_FEW))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(20))
def test_five_thousand_strange_files(office: Client, part: int) -> None:
    each = ALL // 20
    all_of(office, range(part * each, (part + 1) * each))


def test_the_files_are_as_strange_as_they_should_be() -> None:
    worn = {word for seed in range(400) for word in strange_file(seed).dress}
    assert worn >= {
        "account", "contact", "opportunity", "duplicate title", "thousand columns", "cut", "ragged", "utf-8", "utf-8-sig",
        "gb18030", "utf-16", "separator ','", "separator ';'", "separator '\\t'", "merged heading", "typed cells",
        "merged cells below", "second sheet",
    }  # fmt: skip
    assert strange_file(7).content[:40] == strange_file(7).content[:40]


# --- killed at every transaction ---


class Killed(BaseException):
    """As sudden as the end of a process."""


def killed_each_time(
    monkeypatch: pytest.MonkeyPatch, module: Any, job: Callable[[int], None], pk: int, *, anew: bool = False
) -> int:
    """Run a job that is killed in its second or third transaction, again and again, until it ends; how often it was.
    `anew`: it begins from the file each time, so it is killed one transaction later each time."""
    real_mine, real_finish, kills = module.still_mine, module.finish, 0
    while True:
        left = [2 + (kills if anew else kills % 2)]  # now and then one more, so that the end is reached too

        def mortal(real: Any, left: list[int]) -> Any:
            def call(*args: Any, **kwargs: Any) -> None:
                real(*args, **kwargs)
                left[0] -= 1
                if not left[0]:
                    raise Killed  # all of this transaction is lost with it

            return call

        with monkeypatch.context() as patch:
            patch.setattr(module, "still_mine", mortal(real_mine, left))
            patch.setattr(module, "finish", mortal(real_finish, left))
            try:
                job(pk)
            except Killed:
                kills += 1
                assert kills < 100
            else:
                return kills


def rows_told(run: ImportRun) -> list[Any]:
    names = ("number", "action", "state", "values", "problems", "target_type")
    return list(run.rows.order_by("number").values_list(*names))


@pytest.mark.parametrize("kind", ["account", "contact", "opportunity"])
def test_an_import_killed_at_every_transaction_ends_as_an_undisturbed_one(
    where: Company, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(Pace, "rows", 3)
    lines = {
        "account": ["客户名称,城市"] + [f"新客户 {n},无锡" for n in range(14)] + ["海星药业,上海"],
        "contact": ["姓名,客户,职务"] + [f"李 {n},海星药业,经理" for n in range(14)],
        "opportunity": ["商机名称,客户,金额"] + [f"新项目 {n},启晨半导体,{n}000" for n in range(14)],
    }[kind]
    content = "\n".join(lines).encode()
    by = where.admin
    before = state_of_the_house()

    def staged() -> ImportRun:
        run = services.stage_file([content], file_name="a.csv", kind=kind, options={}, **how(by))
        services.begin_check(run.pk, **how(by))
        return run

    calm = staged()
    services.check(calm.pk)
    services.begin_run(calm.pk, **how(by))
    services.execute(calm.pk)
    calm.refresh_from_db()
    told, counts = rows_told(calm), calm.counts
    services.begin_undo(calm.pk, **how(by))
    services.undo(calm.pk)

    run = staged()
    assert killed_each_time(monkeypatch, checking, services.check, run.pk, anew=True) >= 2
    services.begin_run(run.pk, **how(by))
    assert killed_each_time(monkeypatch, running, services.execute, run.pk) >= 4
    run.refresh_from_db()
    assert (run.state, run.counts) == (RunState.DONE, counts) and rows_told(run) == told
    assert list(differences()) == []
    services.begin_undo(run.pk, **how(by))
    assert killed_each_time(monkeypatch, undoing, services.undo, run.pk) >= 4
    run.refresh_from_db()
    assert run.state == RunState.UNDONE and run.counts["kept"] == 0
    assert changed(before, state_of_the_house()) == {}


@pytest.mark.nightly
def test_fifty_thousand_rows_come_and_go(office: Client) -> None:
    out = io.StringIO()
    out.write("客户名称,城市,员工数\n")
    out.writelines(f"公司 {n},无锡,{n % 900}\n" for n in range(50_000))
    file = StrangeFile(0, "account", "large.csv", out.getvalue().encode("gb18030"), ("fifty thousand rows",))
    assert come_and_gone(office, file) == "came and gone"
