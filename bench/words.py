"""Names for a company that is only measured."""

from __future__ import annotations

from functools import lru_cache
from random import Random

from fairlead.common.text import search_key

PLACES = ("苏州", "宁波", "青岛", "佛山", "武汉", "成都", "沈阳", "合肥", "南通", "株洲", "洛阳", "厦门")
ROOTS = (
    "华锐",
    "启晨",
    "海纳",
    "同方",
    "恒泰",
    "金桥",
    "天工",
    "远景",
    "中联",
    "正源",
    "瑞德",
    "博远",
    "凯盛",
    "长河",
)
TRADES = ("重工", "半导体", "精密机械", "新材料", "电气", "化工", "轨道交通", "制药", "食品", "汽车零部件")
WORKS = ("预测性维护", "能耗监控", "产线改造", "备件管理", "视觉检测", "数据平台", "安全联锁", "仓储自动化")
PARTS = ("一期", "二期", "三期", "试点", "扩容", "年度框架")
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
GIVEN = ("敏", "强", "丽", "伟", "芳", "磊", "静", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞")
DEPARTMENTS = ("设备部", "采购部", "生产部", "总经办", "信息部", "质量部")
DID = ("现场走访", "电话回访", "方案讲解", "需求澄清", "报价沟通", "技术交流", "参观样板", "邮件跟进")


@lru_cache(maxsize=50_000)
def key_of(text: str) -> str:
    return search_key(text)


def account(random: Random, number: int) -> tuple[str, str]:
    """Name and search key."""
    base = random.choice(PLACES) + random.choice(ROOTS) + random.choice(TRADES)
    return f"{base}{number}", f"{key_of(base)} {number}"


def deal(random: Random, number: int) -> tuple[str, str]:
    base = random.choice(WORKS) + random.choice(PARTS)
    return f"{base} {number}", f"{key_of(base)} {number}"


def person(random: Random) -> tuple[str, str]:
    name = random.choice(SURNAMES) + random.choice(GIVEN) + random.choice(("", random.choice(GIVEN)))
    return name, key_of(name)
