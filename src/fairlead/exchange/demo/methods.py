"""Methods at work in a few open deals: a playbook, answers, evidence, a plan that both sides share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any

from django.db import transaction

from fairlead.crm.models import Opportunity
from fairlead.crm.services import plan
from fairlead.crm.services.methods import assess
from fairlead.journal.enums import Channel
from fairlead.process.selectors.playbooks import runs_of
from fairlead.process.services import answer_question, launch_playbook
from fairlead.work.services import complete_task

from .clock import at as instant
from .deals import Deal
from .simulation import Simulation

MOST = 4  # deals of each kind
ANSWERS = (
    ("cost_last_year", "去年停了四百多个小时，设备科自己估的，三百万出头。"),
    ("drags_down", "排产跟着改，质检加班，交货晚了两次。"),
)
EVIDENCE = (
    ("meddpicc", "meddpicc_pain", 1, "设备科长当面说：每次换线停四个小时。", "设备科长"),
    ("meddpicc", "meddpicc_metrics", 2, "和设备科一起按台账算过，停机 412 小时。", "设备科台账"),
    ("bant", "bant_need", "verified", "设备科和生产科说的是同一件事。", "生产科"),
)
# side, days from today, moved by, done, what
STEPS = (
    ("customer", -21, 0, True, "技术科确认参数"),
    ("us", -14, 0, True, "寄样品并附检测报告"),
    ("customer", -9, 7, True, "试用结果签字"),
    ("customer", 6, 10, False, "厂长办公会"),
    ("us", 12, 0, False, "合同终稿"),
    ("customer", 20, 0, False, "法务和用印"),
)


def work_by_the_book(sim: Simulation, deals: Sequence[Deal]) -> None:
    """The same few deals for the same seed; each in a short transaction."""
    now = instant(sim.dates.until, time(7, 40))
    rows = Opportunity.objects.filter(
        pk__in=[d.subject_id for d in deals if not d.over], journey__state="open"
    ).select_related("owner", "journey__stage")
    early = rows.filter(journey__stage__key="customer_contact").order_by("-pk")[:MOST]
    later = rows.filter(journey__stage__key__in=("needs_analysis", "solution_design")).order_by("-pk")[:MOST]
    for row in early:
        with sim.pace.turn(), transaction.atomic():
            _visit(row, now)
    for row in later:
        with sim.pace.turn(), transaction.atomic():
            _qualify(row, now)


def _how(row: Opportunity, now: Any) -> dict[str, Any]:
    return {"by": row.owner, "at": now, "channel": Channel.UI}


def _visit(row: Opportunity, now: Any) -> None:
    assert row.journey is not None
    started = now - timedelta(days=3)
    launch_playbook(row.journey.pk, playbook="first_visit", **_how(row, started))
    for view in runs_of(row.journey):
        for _key, task in view.tasks[:2]:
            complete_task(task.pk, version=task.version, **_how(row, now - timedelta(days=1)))


def _qualify(row: Opportunity, now: Any) -> None:
    assert row.journey is not None
    for n, (key, answer) in enumerate(ANSWERS):
        answer_question(row.journey.pk, key=key, answer=answer, **_how(row, now - timedelta(days=8 - n)))
    for score, element, value, text, source in EVIDENCE:
        row.refresh_from_db(fields=["version"])
        assess(
            row.pk, score=score, element=element, value=value, text=text, source=source, version=row.version,
            **_how(row, now - timedelta(days=7)),
        )  # fmt: skip
    contact = row.account.contacts.filter(left_at=None).order_by("pk").first() if row.account else None
    if contact is None:
        return
    today = now.date()
    for side, days, moved, done, title in STEPS:
        step = plan.add_plan_step(
            row.pk, side=side, title=title, due=today + timedelta(days=days - moved), contact_id=contact.pk,
            **_how(row, now - timedelta(days=30)),
        )  # fmt: skip
        if moved:
            step = plan.change_plan_step(
                step.pk, due=step.due + timedelta(days=moved), version=step.version,
                **_how(row, now - timedelta(days=12)),
            )  # fmt: skip
        if done:
            plan.complete_plan_step(
                step.pk, version=step.version, **_how(row, now + timedelta(days=min(days, -1)))
            )
