"""The search index: it holds what the records say, and with it one finds what one finds without it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from tests.exchange.importing import checked, columns, ran, staged, undone
from tests.factories.crm import Company, company

from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity, SearchEntry
from fairlead.crm.search_index import INDEX
from fairlead.crm.selectors import proposals
from fairlead.crm.services.indexing import differences, rebuild
from fairlead.crm.services.many import Change, edit_many, give_many
from fairlead.crm.terms import Entry, contains, for_postgresql, for_sqlite, number_of, terms_of
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.journal.undoing import undo
from fairlead.web.selectors.finding import find

pytestmark = [pytest.mark.django_db, pytest.mark.rule("U01")]


@pytest.fixture
def where() -> Company:
    return company(language="en")


def held() -> set[tuple[int, str]]:
    """Number and term of everything that the engine's own index holds."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT id, unnest(tsvector_to_array(terms)) FROM crm_searchentry")
        else:
            cursor.execute(f"CREATE VIRTUAL TABLE temp.held USING fts5vocab(main, {INDEX}, instance)")
            cursor.execute("SELECT doc, term FROM temp.held")
        found = set(cursor.fetchall())
        if connection.vendor == "sqlite":
            cursor.execute("DROP TABLE temp.held")
    return found


def expected() -> set[tuple[int, str]]:
    """The same, made anew from the records."""
    found = set()
    for row in Account.objects.all():
        found |= _terms("account", row.pk, Entry(row.search_key, "", _ids(row.team_id), _ids(row.owner_id)))
    for row in Contact.objects.select_related("account"):
        above = row.account
        found |= _terms(
            "contact", row.pk, Entry(row.search_key, "", _ids(above.team_id), _ids(above.owner_id))
        )
    for row in Opportunity.objects.select_related("account"):
        about = row.account.search_key if row.account else ""
        people = _ids(row.owner_id, row.sr_id, row.fr_id)
        found |= _terms("opportunity", row.pk, Entry(row.search_key, about, _ids(row.team_id), people))
    return found


def _ids(*found: int | None) -> tuple[int, ...]:
    return tuple(pk for pk in found if pk is not None)


def _terms(kind: str, pk: int, entry: Entry) -> set[tuple[int, str]]:
    return {(number_of(kind, pk), term) for term in terms_of(kind, entry.as_text()).split()}


def is_whole() -> bool:
    return held() == expected() and list(differences()) == []


def test_what_a_name_is_found_by() -> None:
    terms = set(terms_of("account", Entry("华锐重工 hrzg", "", (7,), (5,)).as_text()).split())
    assert terms == {
        "a华锐", "a锐重", "a重工", "a工", "ahrz", "arzg", "azg", "ag", "b华锐", "bhrz", "ta7", "pa5",
    }  # fmt: skip
    assert for_sqlite(contains("account", "锐重工")) == '("a锐重" AND "a重工")'
    assert for_postgresql(contains("account", "锐重工")) == "('a锐重' & 'a重工')"
    assert (for_sqlite(contains("account", "hr")), for_postgresql(contains("account", "工"))) == (
        '"ahr" *',
        "'a工':*",
    )


def test_it_follows_every_change_of_a_record(where: Company) -> None:
    account, other = where.account("华锐重工"), where.account("启晨半导体", owner=where.qi)
    contact, deal = where.contact(account, "单雄信"), where.deal("车间改造", account=account)
    assert is_whole() and len(held()) > 40
    how_ = {"at": timezone.now(), "channel": Channel.UI}
    by = {"by": where.admin, **how_}
    crm.edit("account", account.pk, {"name": "海纳精密", "short_name": "海纳"}, version=1, **by)
    assert is_whole() and find(where.zhou, "海纳", kinds=("opportunity",))[0].rows == [deal]
    assert not find(where.zhou, "华锐")[0].rows
    crm.reassign("account", account.pk, owner=where.qi, version=2, **by)
    assert is_whole() and [hits.rows for hits in find(where.qi, "海纳")] == [[], [account], []]
    assert find(where.qi, "shan")[2].rows == [contact]
    crm.edit("contact", contact.pk, {"account": other.pk}, version=1, **by)
    assert is_whole()
    deal.refresh_from_db()
    crm.edit("opportunity", deal.pk, {"sr": where.sun.pk, "account": None}, version=deal.version, **by)
    assert is_whole() and find(where.sun, "车间")[0].rows == [deal]
    edit_many("account", [Change(other.pk, {"name": "金桥新材料"}, where.admin)], **how_)
    assert is_whole() and find(where.qi, "jinqiao")[1].rows == [other]
    give_many("account", {other.pk: where.zhou}, by=where.admin, **how_)
    assert is_whole()


def test_it_follows_what_is_taken_back(where: Company) -> None:
    account = where.account("华锐重工")
    where.deal("车间改造", account=account)
    at = timezone.now()
    crm.edit("account", account.pk, {"name": "海纳精密"}, version=1, by=where.zhou, at=at, channel=Channel.UI)
    assert is_whole()
    event = Event.objects.filter(type="edited", subject_type="account").get()
    undo([event.pk], by=where.zhou, at=at, channel=Channel.UI)
    assert is_whole() and [len(hits.rows) for hits in find(where.zhou, "华锐")] == [1, 1, 0]
    assert not find(where.zhou, "海纳")[1].rows


HEAD = "number,name,account,owner,stage,amount,closes\n"
MAP = columns(
    number="external_id", name="name", account="account", owner="owner", stage="stage", amount="amount",
    closes="expected_close_date",
)  # fmt: skip
MAPS = {"stage": {"方案": "stage:solution_design"}}


def test_it_follows_an_import_that_makes_and_changes_and_its_undo(where: Company) -> None:
    where.account("海星药业", owner=where.zhou)
    before = held()
    row = "K-1,{},海星药业,周敏,方案,120000,2026-12-31\nK-2,制剂车间,海星药业,周敏,方案,90000,2026-12-31\n"
    run = checked(
        staged(HEAD + row.format("冻干产线"), by=where.admin), by=where.admin, mapping=MAP, maps=MAPS
    )
    run = ran(run, by=where.admin)
    assert is_whole() and len(held()) > len(before)
    made = Opportunity.objects.get(external_id="K-1")
    assert find(where.zhou, "dgcx")[0].rows == [made]
    changing = checked(
        staged(HEAD + row.format("灌装产线"), by=where.admin), by=where.admin, mapping=MAP, maps=MAPS
    )
    changing = ran(changing, by=where.admin)
    made.refresh_from_db()
    assert made.name == "灌装产线" and is_whole() and find(where.zhou, "gzcx")[0].rows == [made]
    undone(changing, by=where.admin)
    assert is_whole() and find(where.zhou, "dgcx")[0].rows == [made]
    undone(run, by=where.admin)
    assert is_whole() and not find(where.zhou, "制剂车间")[0].rows


def test_it_is_made_anew_and_tells_what_is_wrong(where: Company) -> None:
    account, contact = where.account("华锐重工"), None
    contact = where.contact(account, "单雄信")
    Account.objects.filter(pk=account.pk).update(search_key="别名")
    SearchEntry.objects.filter(pk=number_of("contact", contact.pk)).delete()
    SearchEntry.objects.create(id=number_of("opportunity", 999), text="x\n\n\n")
    assert set(differences()) == {("account", account.pk), ("contact", contact.pk), ("opportunity", 999)}
    assert rebuild() == SearchEntry.objects.count() == 2
    assert is_whole()


PLACES, WORDS, TRADES = (
    ("苏州", "无锡", "單縣"),
    ("华锐", "東陽", "联达", "Depot 9"),
    ("电气", "轨道", "Rail"),
)


@pytest.fixture
def many(where: Company) -> Company:
    dice = random.Random(7)
    people = (where.zhou, where.lin, where.qi)
    for number, word in enumerate([p + w + t for p in PLACES for w in WORDS for t in TRADES]):
        account = where.account(word, owner=people[number % 3])
        where.contact(account, dice.choice("王单仇曾") + dice.choice(("敏", "强", "小丽")))
        if number % 2 == 0:
            owner = people[number % 3]
            where.deal(f"{dice.choice(TRADES)}改造 {number}", owner=owner, account=account)
    how_ = {"at": timezone.now(), "channel": Channel.UI}
    deals = Opportunity.objects.order_by("pk")
    edit_many(
        "opportunity", [Change(deal.pk, {"sr": where.sun.pk}, where.admin) for deal in deals[3:9]], **how_
    )
    accounts = Account.objects.filter(opportunities__in=deals).order_by("pk").distinct()[4:12]
    give_many("account", {row.pk: where.wu for row in accounts}, by=where.admin, **how_)
    return where


def asked() -> Iterator[str]:
    """Parts of names and of their sounds, short ones and long ones, two words, and some with a slip."""
    yield from (
        "华",
        "锐电",
        "huar",
        "ua",
        "h",
        "hw",
        "rui",
        "depot",
        "9",
        "po",
        "轨道 华",
        "h 华",
        "苏州联达轨道",
        "szld",
    )
    yield from (
        "东阳",
        "东阳 电",
        "shan",
        "sx",
        "wang",
        "曾",
        "zengqiang",
        "gaizao",
        "3",
        "ail",
        "a b c d e f",
    )
    yield from ("huaruu", "depto", "zhongg", "xuzhou", "wnag", "dianqu", "ganzao 3", "华 锐 电 气 苏 州")


@pytest.mark.parametrize("nearest", [160, 4])
def test_with_it_and_without_it_one_finds_the_same(
    many: Company, monkeypatch: pytest.MonkeyPatch, nearest: int
) -> None:
    people = [many.zhou, many.qi, many.chen, many.sun, many.shen, many.newcomer]
    monkeypatch.setattr(proposals, "NEAREST", nearest)
    proposals._met.cache_clear()
    with_it = {(who.pk, text): _seen(who, text) for who in people for text in asked()}
    proposals._met.cache_clear()
    monkeypatch.setattr(proposals, "has_index", lambda: False)
    without = {(who.pk, text): _seen(who, text) for who in people for text in asked()}
    assert sum(len(kind) for kinds in without.values() for kind in kinds) > 500
    if nearest < 160:  # what is almost so is looked for among the newest alone
        with_it = {asked: seen for asked, seen in with_it.items() if "True" not in str(without[asked])}
    assert len(with_it) > 120 and with_it.items() <= without.items()


def _seen(who: Any, text: str) -> list[list[str]]:
    return [[f"{hits.near} {row.name} {row.pk}" for row in hits.rows] for hits in find(who, text, most=50)]


def test_of_very_many_own_ones_and_names_that_begin_so_are_compared(
    where: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposals, "NEAREST", 6)
    own = where.account("老华锐", owner=where.zhou)
    first = where.account("华锐", owner=where.lin)
    for number in range(30):
        where.account(f"新华锐{number:02}", owner=where.lin)
    rows = find(where.zhou, "华锐", kinds=("account",), most=5)[0].rows
    assert rows[:2] == [own, first] and len(rows) == 5


def test_the_command_tells_what_differs_and_mends_it(
    where: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    account = where.account("华锐重工")
    call_command("search", "check")
    assert "holds what the records say" in capsys.readouterr().out
    Account.objects.filter(pk=account.pk).update(search_key="别名")
    with pytest.raises(SystemExit) as ended:
        call_command("search", "check")
    assert ended.value.code == 1 and f"account {account.pk}\n" in capsys.readouterr().err
    call_command("search", "rebuild")
    assert capsys.readouterr().out == "1 records can be found.\n" and is_whole()
