"""Branches, teams, people and the sign-ins, made through the services of the organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.hashers import make_password

from fairlead.journal.enums import Channel
from fairlead.organisation.enums import Role, TeamKind
from fairlead.organisation.models import Team, User, WorkingCalendar
from fairlead.organisation.services import change_organisation, create_team, create_user
from fairlead.organisation.services.setup import OFFICE_HOURS

from .names import REGIONS

COMPANY = "澜拓工业装备"
PASSWORD = "fairlead-demo-2026"  # noqa: S105  (known on purpose: a demo listens on this machine only)
# user name, name, role
SIGN_INS: tuple[tuple[str, str, Role], ...] = (
    ("admin", "管晓东", Role.ADMIN),
    ("process", "程思远", Role.PROCESS_OWNER),
    ("manager", "沈建华", Role.MGR),
    ("seller", "林嘉怡", Role.AR),
    ("solution", "周文博", Role.SR),
    ("delivery", "许国栋", Role.FR),
    ("marketing", "苏雨桐", Role.MKT),
    ("finance", "余丽娟", Role.FIN),
    ("legal", "叶志远", Role.LEG),
    ("auditor", "丁静", Role.AUDITOR),
)
_HEAD_OFFICE = (("cai.min", "蔡敏", Role.MKT), ("lv.ping", "吕平", Role.FIN))
# branch: manager, solution, delivery, five sellers; the first of each role in the east signs in.
_BRANCHES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "east": (
        ("manager", "沈建华"),
        ("solution", "周文博"),
        ("delivery", "许国栋"),
        ("seller", "林嘉怡"),
        ("xu.jie", "徐杰"),
        ("he.jun", "何俊"),
        ("sun.yan", "孙艳"),
        ("ma.chao", "马超"),
    ),
    "south": (
        ("huang.yong", "黄勇"),
        ("luo.ming", "罗明"),
        ("deng.gang", "邓刚"),
        ("zheng.fang", "郑芳"),
        ("liang.yu", "梁宇"),
        ("xie.jing", "谢静"),
        ("cao.lei", "曹磊"),
        ("zeng.xia", "曾霞"),
    ),
    "north": (
        ("han.zhiqiang", "韩志强"),
        ("song.yang", "宋洋"),
        ("feng.ping", "冯平"),
        ("wang.haiyan", "王海燕"),
        ("zhao.lixin", "赵立新"),
        ("yu.hao", "于浩"),
        ("dong.xin", "董欣"),
        ("gao.jia", "高佳"),
    ),
    "west": (
        ("tang.jianjun", "唐建军"),
        ("xiao.bo", "肖博"),
        ("tian.lei", "田磊"),
        ("peng.tao", "彭涛"),
        ("jiang.wei", "蒋伟"),
        ("du.juan", "杜娟"),
        ("cheng.hao", "程浩"),
        ("wei.dong", "魏东"),
    ),
}


@dataclass(slots=True)
class Branch:
    key: str
    team: Team
    manager: User
    solution: User
    delivery: User
    sellers: list[User] = field(default_factory=list)


@dataclass(slots=True)
class Staff:
    branches: dict[str, Branch]
    by_role: dict[Role, User]
    branch_of: dict[int, Branch]  # seller id → branch

    @property
    def sellers(self) -> list[User]:
        return [seller for branch in self.branches.values() for seller in branch.sellers]


def found_company(at: datetime) -> Staff:
    """Make the organisation and its people; whoever works in a branch belongs to it since `at`."""
    channel = Channel.SYSTEM
    if not WorkingCalendar.objects.filter(is_default=True).exists():
        WorkingCalendar.objects.create(
            name="办公时间", time_zone="Asia/Shanghai", weekly=OFFICE_HOURS, is_default=True, stamp="demo"
        )
    change_organisation(
        by=None, at=at, channel=channel, name=COMPANY, template="key_account", soft_mode=False
    )
    root = create_team(name=COMPANY, kind=TeamKind.BRANCH, by=None, at=at, channel=channel, is_sample=True)
    password = make_password(PASSWORD)
    known = {name for name, _n, _r in SIGN_INS}

    def person(username: str, name: str, role: Role, team: Team) -> User:
        return create_user(
            username=username,
            name=name,
            team=team,
            roles=(role,),
            by=None,
            at=at,
            channel=channel,
            is_sample=True,
            email=f"{username}@example.com",
            encoded_password=password if username in known else "!",
        )

    by_role: dict[Role, User] = {}
    in_branch = {username for people in _BRANCHES.values() for username, _name in people}
    for username, name, role in (*SIGN_INS, *_HEAD_OFFICE):
        if username not in in_branch:
            by_role.setdefault(role, person(username, name, role, root))
    staff = Staff({}, by_role, {})
    for key, people in _BRANCHES.items():
        office = create_team(
            name=f"{REGIONS[key]}分公司",
            kind=TeamKind.BRANCH,
            parent=root,
            by=None,
            at=at,
            channel=channel,
            is_sample=True,
        )
        teams = [
            create_team(
                name=f"{REGIONS[key]}销售{n}部",
                parent=office,
                by=None,
                at=at,
                channel=channel,
                is_sample=True,
            )
            for n in "一二"
        ]
        (manager, solution, delivery), sellers = people[:3], people[3:]
        branch = Branch(
            key,
            office,
            person(*manager, Role.MGR, office),
            person(*solution, Role.SR, office),
            person(*delivery, Role.FR, office),
        )
        for i, (username, name) in enumerate(sellers):
            seller = person(username, name, Role.AR, teams[i % 2])
            branch.sellers.append(seller)
            staff.branch_of[seller.pk] = branch
        staff.branches[key] = branch
    east = staff.branches["east"]
    by_role |= {
        Role.MGR: east.manager,
        Role.AR: east.sellers[0],
        Role.SR: east.solution,
        Role.FR: east.delivery,
    }
    return staff
