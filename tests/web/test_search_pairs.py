"""Three hundred pairs of what is typed and what is meant: by sound, initials, script and width."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import pytest
from pypinyin import Style, lazy_pinyin
from tests.factories.crm import Company, company

from fairlead.common.han import TRADITIONAL, simplified
from fairlead.common.text import search_key
from fairlead.crm.models import Account
from fairlead.exchange.demo.names import person, root
from fairlead.organisation.names import name_key
from fairlead.web.selectors.finding import find

PLACES = ("苏州", "无锡", "南京", "宁波", "济南", "长春", "广东", "四川", "云南", "辽宁")
WORDS = ("华锐", "东阳", "联达", "龙腾", "广丰", "双飞", "凤鸣", "乐维", "义乌", "陈锋", "赛灵", "实创")
TRADES = ("电气", "轨道", "机械", "钢铁", "医药", "软件")
WIDE = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "abcdefghijklmnopqrstuvwxyz0123456789"})
BACK = {}
for _old, _new in TRADITIONAL.items():
    BACK.setdefault(_new, chr(_old))


def traditional(text: str) -> str:
    return "".join(BACK.get(c, c) for c in text)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.mark.rule("U01")
def test_three_hundred_pairs(where: Company, settings: Any) -> None:
    dice = random.Random(300)
    names = [f"{dice.choice(PLACES)}{word}{trade}" for word in WORDS for trade in TRADES]
    stored = [traditional(n) if i % 6 == 0 else n.translate(WIDE) for i, n in enumerate(names)]
    rows = [where.account(name) for name in stored]
    pairs = []
    for row, name in zip(rows, names, strict=True):
        sound = lazy_pinyin(name, style=Style.NORMAL)
        pairs += [
            (name, row), ("".join(sound), row), (traditional(name), row), ("".join(sound).translate(WIDE), row),
            (" ".join((name[:2], name[2:4], name[4:])), row),
        ]  # fmt: skip
    dice.shuffle(pairs)
    pairs = pairs[:300]
    found = first = 0
    for text, row in pairs:
        hits = [r.pk for r in find(where.zhou, text, kinds=("account",))[0].rows]
        found += row.pk in hits
        first += hits[:1] == [row.pk]
    assert len(pairs) == 300
    assert found >= 297 and first >= 285, (found, first)


@pytest.mark.rule("U01")
@pytest.mark.parametrize("is_indexed", [True, False])
def test_whole_syllables_find_no_name_that_only_spells_so(
    where: Company, is_indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the index and without one: 站改造 is no zhang, however many of them there are."""
    for n in range(30):
        where.account(f"第{n}站改造")
    meant = {where.account(name).pk for name in ("张江机械", "上海张氏", "掌上明珠")}
    if not is_indexed:
        monkeypatch.setattr("fairlead.web.selectors.finding.propose", lambda *a, **k: None)
    hits = find(where.zhou, "zhang", kinds=("account",), most=5)[0]
    assert {row.pk for row in hits.rows} == meant and not hits.more and not hits.near
    assert len(find(where.zhou, "zhangai", kinds=("account",), most=5)[0].rows) == 5
    assert len(find(where.zhou, "zhan", kinds=("account",), most=40)[0].rows) == 33


@pytest.mark.rule("U01")
def test_initials_find_every_name_that_has_them(where: Company) -> None:
    rows: list[Account] = [where.account(f"{word}{trade}") for word in WORDS for trade in TRADES]
    for row in rows:
        text = "".join(s[0] for s in lazy_pinyin(row.name, style=Style.NORMAL))
        hits = {r.pk for r in find(where.zhou, text, kinds=("account",))[0].rows}
        same = {r.pk for r in rows if "".join(s[0] for s in lazy_pinyin(r.name, style=Style.NORMAL)) == text}
        assert same <= hits, (row.name, text)


@pytest.mark.rule("U01")
def test_the_table_of_characters_keeps_the_sound_and_the_length() -> None:
    from pypinyin import pinyin

    assert len(TRADITIONAL) >= 500
    for old, new in TRADITIONAL.items():
        assert len(new) == 1 and unicodedata.normalize("NFKC", new) == new
        sounds = [set(pinyin(c, style=Style.NORMAL, heteronym=True)[0]) for c in (chr(old), new)]
        assert sounds[0] & sounds[1], (chr(old), new)
        assert ord(new) not in TRADITIONAL  # once is enough
    assert simplified("華為技術") == "华为技术" and simplified("abc") == "abc"
    assert {"华为技术", "huaweijishu", "hwjs", "華為技術"} <= set(search_key("華為技術").split(" "))


#: The surname, and the syllable by which it sorts.
SURNAMES = (
    "单 shan4", "曾 zeng1", "仇 qiu2", "解 xie4", "任 ren2", "查 zha1", "区 ou1", "朴 piao2", "盖 ge3", "种 chong2",
    "乐 yue4", "缪 miao4", "覃 qin2", "折 she2", "翟 zhai2", "宁 ning4", "葛 ge3", "卜 bu3", "繁 po2", "那 na1",
    "祭 zhai4", "华 hua4", "薄 bo2", "肖 xiao1", "员 yun4", "王 wang2", "李 li3", "张 zhang1", "刘 liu2", "陈 chen2",
    "杨 yang2", "赵 zhao4", "黄 huang2", "周 zhou1", "吴 wu2", "徐 xu2", "孙 sun1", "胡 hu2", "朱 zhu1", "高 gao1",
    "林 lin2", "何 he2", "郭 guo1", "马 ma3", "罗 luo2", "梁 liang2", "宋 song4", "郑 zheng4", "谢 xie4", "唐 tang2",
)  # fmt: skip


@pytest.mark.rule("U01")
def test_fifty_surnames_sort_as_they_are_read() -> None:
    assert len(SURNAMES) == 50
    for line in SURNAMES:
        surname, reading = line.split(" ")
        assert name_key(f"{surname}明").startswith(f"{reading} "), line
    people = [f"{line[0]}明" for line in SURNAMES]
    ordered = sorted(people, key=name_key)
    readings = {line[0]: line.split(" ")[1] for line in SURNAMES}
    assert [readings[p[0]] for p in ordered] == sorted(readings[p[0]] for p in people)
    assert ordered.index("单明") > ordered.index("仇明") and ordered.index("曾明") > ordered.index("杨明")


def reached_by(where: Company, record: Any, kind: str) -> str:
    """At most three characters after which Enter opens the record; blank where there are none."""
    name, prefix = record.name, {"opportunity": "$", "account": "#", "contact": "@"}[kind]
    for length, kinds, before in ((2, (kind,), prefix), (3, ALL_KINDS, ""), (2, ALL_KINDS, "")):
        for start in range(max(len(name) - length + 1, 1)):
            text = name[start : start + length]
            first = next((hits for hits in find(where.zhou, text, kinds=kinds, most=5) if hits.rows), None)
            if first is not None and (first.kind, first.rows[0].pk) == (kind, record.pk):
                return before + text
    return ""


ALL_KINDS = ("opportunity", "account", "contact")


@pytest.mark.rule("U01")
def test_three_characters_and_enter_open_nine_of_ten_records(where: Company) -> None:
    """Two hundred of the records of a company with names as companies, people and deals have them."""
    dice = random.Random(200)
    records: list[tuple[str, Any]] = []
    for number in range(160):
        account = where.account(f"{dice.choice(PLACES)}{root(dice)}{dice.choice(TRADES)}有限公司")
        records.append(("account", account))
        records.append(("contact", where.contact(account, person(dice))))
        if number % 2:
            what = f"{account.name[:4]}{dice.choice(('产线', '仓储', '检测', '能耗'))}{dice.choice(('一期', '改造', '扩容'))}"
            records.append(("opportunity", where.deal(what, account=account)))
    chosen = dice.sample(records, 200)
    typed = [reached_by(where, record, kind) for kind, record in chosen]
    assert all(len(text) <= 3 for text in typed)
    missed = [str(record) for (_kind, record), text in zip(chosen, typed, strict=True) if not text]
    assert len(missed) <= 20, missed
