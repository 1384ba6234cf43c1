"""One's own desk on My day: tasks and appointments, who waits for whom, and the count in the navigation."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.factories.approvals import approving
from tests.factories.crm import document

from fairlead.crm import services as crm
from fairlead.process import services as process
from fairlead.process.services import approving as approvals
from fairlead.work import services as work
from fairlead.work.models import Task

REASON = document()["lists"]["waiver"][0]["key"]


def text_of(client: Any, address: str = "/") -> str:
    return str(client.get(address).content.decode())


def part(text: str, key: str) -> str:
    return text[text.index(f'id="b-{key}"') :].split("</section>")[0] if f'id="b-{key}"' in text else ""


def rows(text: str, key: str) -> list[tuple[str, str, str]]:
    """Title, what it is about, and the state of the chip."""
    found = r'<a class="t"[^>]*>([^<]+)</a><div class="why">([^<]*)</div>.*?is-(\w+)">'
    return re.findall(found, part(text, key), re.DOTALL)


def titles(text: str, key: str) -> list[str]:
    return re.findall(r'<a class="t"[^>]*>([^<]+)</a>', part(text, key))


@pytest.mark.rule("U06")
def test_tasks_and_appointments_stand_beside_the_next_steps_of_deals(where: Any, client_of: Any) -> None:
    """A task that was given to me, a call about an account, a second step of one deal; nothing of others or of later."""
    at, today = timezone.now(), timezone.localdate()
    deal, account = where.deal("Depot"), where.account("Heng Yue Rail")
    how, late = where.how(where.zhou, at), at - timedelta(days=1)
    where.next_step(deal, days=-2, summary="the next step")
    for kind, about, summary, due in (
        ("account", account, "About the frame contract", late), ("opportunity", deal, "a second step", late),
        ("account", account, "in a week", at + timedelta(days=7)),
    ):  # fmt: skip
        work.plan_activity(kind, about.pk, kind="call", summary=summary, due_at=due, **how)
    chen = where.how(where.chen, at)
    for title, day, who, by in (
        ("Draw the line", today - timedelta(days=1), where.zhou, chen), ("Check the terms", today, None, how),
        ("without a day", None, None, how), ("of tomorrow", today + timedelta(days=1), None, how),
        ("given away", today, where.chen, how),
    ):  # fmt: skip
        work.add_task("opportunity", deal.pk, title=title, assignee=who, due_date=day, **by)
    text = text_of(client_of("zhou"))
    about = f"Depot · {deal.account.name}"
    assert rows(text, "own") == [
        ("About the frame contract", "Call · Heng Yue Rail", "overdue"),
        ("a second step", f"Call · {about}", "overdue"),
        ("Draw the line", f"Task · {about}", "overdue"),
        ("Check the terms", f"Task · {about}", "due"),
    ]
    assert titles(text, "due") == ["Depot"]
    assert titles(text_of(client_of("chen")), "own") == ["given away"]


@pytest.mark.rule("U06", "U14")
def test_a_task_is_done_where_it_stands_and_one_comes_back_to_the_day(where: Any, client_of: Any) -> None:
    deal = where.deal("Depot")
    task = work.add_task("opportunity", deal.pk, title="Draw", due_date=timezone.localdate(), **where.how())
    client = client_of("zhou")
    form = part(text_of(client, "/?scope=all"), "own")
    assert f'action="{reverse("work:task_done", args=[task.pk])}"' in form and 'value="/?scope=all"' in form
    answer = client.post(
        reverse("work:task_done", args=[task.pk]), {"version": task.version, "next": "/?scope=all"}
    )
    assert (answer.status_code, answer.url) == (302, "/?scope=all")
    assert part(text_of(client), "own") == "" and Task.objects.get().done_at is not None


@pytest.mark.rule("T04", "U06")
def test_a_record_that_one_sees_no_more_is_named_nowhere(where: Any, client_of: Any) -> None:
    deal, at = where.deal("Depot"), timezone.now()
    work.add_task("opportunity", deal.pk, title="Draw", due_date=timezone.localdate(), **where.how())
    for minutes in (-1440, 30):
        work.plan_activity(
            "account", deal.account.pk, kind="call", summary="Ring", due_at=at + timedelta(minutes=minutes),
            **where.how(where.zhou, at),
        )  # fmt: skip
    text = text_of(client_of("zhou"))
    assert len(rows(text, "own")) == 2 and deal.account.name in part(text, "now")
    for kind, row in (("opportunity", deal), ("account", deal.account)):
        row.refresh_from_db()
        crm.reassign(kind, row.pk, owner=where.qi, version=row.version, **where.how(where.admin))
    text = text_of(client_of("zhou"))
    assert part(text, "own") == part(text, "now") == "" and "Depot" not in text


def test_there_are_never_more_than_twenty_rows_and_the_rest_is_a_link(where: Any, client_of: Any) -> None:
    account = where.account("Heng Yue Rail")
    for number in range(12):
        day = timezone.localdate() - timedelta(days=number)
        work.add_task("account", account.pk, title=f"Task {number}", due_date=day, **where.how())
        where.deal(f"bare {number}")
    for number in range(3):
        where.deal(f"more {number}")
    text = text_of(client_of("zhou"))
    assert titles(text, "own") == [f"Task {n}" for n in range(11, 3, -1)]
    assert '<a class="fl-link" href="/calendar/">4 more</a>' in part(text, "own")
    assert len(titles(text, "none")) == 12 and re.search(
        r'href="/board/[^"]*">3 more</a>', part(text, "none")
    )


@pytest.mark.rule("AP-11", "U22")
def test_what_i_wait_for_is_said_with_since_when(where: Any, client_of: Any) -> None:
    where = approving(where)
    at = timezone.now()
    values: dict[str, Any] = {"margin": Decimal(25), "payment_days": 30, "prepay": Decimal(20)}
    deal = where.deal("Offer", stage="quote_negotiation", discount=Decimal(8), **values)
    approvals.submit(
        where.journey(deal).pk, kind="discount", text="A rival is at 5 M.", package={"reason": "Two years of service"},
        **where.how(where.zhou, at - timedelta(minutes=1)),
    )  # fmt: skip
    other = where.deal("Depot", sr=where.sun.pk)
    crm.ask_role(other.pk, role="SR", question="Does it fit the hall?", days=2, **where.how(where.zhou, at))
    found = rows(text_of(client_of("zhou")), "waiting")
    assert [(title, about) for title, about, _state in found] == [
        ("Approval asked for", "Offer"), ("Does it fit the hall?", f"Depot · {where.sun.name}"),
    ]  # fmt: skip
    assert rows(text_of(client_of("sun")), "asked")[0][:2] == (
        "Does it fit the hall?",
        f"Depot · {where.zhou.name}",
    )
    assert part(text_of(client_of("qi")), "waiting") == ""


@pytest.mark.rule("U22", "OV-1")
def test_the_navigation_counts_what_the_inbox_of_approvals_holds(where: Any, client_of: Any) -> None:
    """Requests to let something pass count too, for whoever may decide them and for nobody else."""
    deal, at = where.deal("Depot"), timezone.now()
    process.request_override(
        deal.journey_id, criterion_key="bant", reason_code=REASON,
        text="客户要到月底才给书面说明", compensation="周敏周五前补齐", expires_at=at + timedelta(days=10),
        **where.how(where.zhou, at),
    )  # fmt: skip
    badge = r'href="/approvals/"[^>]*>.*?</span>(?:<span class="fl-count">(\d+)</span>)?</a>'

    def counted(name: str) -> list[str]:
        return re.findall(badge, text_of(client_of(name), "/help/").split("fl-side__foot")[0], re.DOTALL)

    assert {name: counted(name) for name in ("chen", "zhou", "luo", "fang")} == {
        "chen": ["1"], "zhou": [""], "luo": [""], "fang": [""],
    }  # fmt: skip
    assert "1 approval waits for you" in text_of(client_of("chen"))
