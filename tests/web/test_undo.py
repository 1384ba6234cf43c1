"""Undo: acts are taken back by new acts that ask again; what changed since stays; nobody takes back another's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, ContactRole, DealTeamMember, Opportunity, SavedView
from fairlead.crm.services.many import Change, edit_many
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event, EventDetail
from fairlead.journal.services import purge_detail
from fairlead.journal.undoing import WITHIN, CannotUndo, undo
from fairlead.offers import services as offers
from fairlead.offers.models import Contract
from fairlead.organisation.models import User
from fairlead.process.models import Journey
from fairlead.work import services as work
from fairlead.work.models import Activity, Comment, CommentReaction, File, Follow, Task

#: What is there and counts; tasks that a playbook of a hold begins stay its own.
#: Versions and the instants of writing move with every act, forth and back.
TABLES: dict[Any, dict[str, Any]] = {
    Account: {}, Contact: {}, Opportunity: {}, Contract: {}, DealTeamMember: {}, CommentReaction: {}, Follow: {},
    ContactRole: {"removed_at": None}, SavedView: {"deleted_at": None}, Comment: {"removed_at": None},
    File: {"withdrawn_at": None}, Task: {"removed_at": None}, Activity: {"state__in": ("planned", "done")},
}  # fmt: skip
LEFT_OUT = {"version", "updated_at", "edited_at", "id"}


def state() -> str:
    found: dict[str, Any] = {}
    for model, where in TABLES.items():
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in LEFT_OUT]
        names = [n for n in names if (model, n) not in {(Follow, "at"), (CommentReaction, "at")}]
        found[model.__name__] = list(model._default_manager.filter(**where).order_by("pk").values(*names))
    journeys = Journey.objects.order_by("pk").values_list("pk", "state", "stage__key")
    found["journeys"] = list(journeys)
    text = json.dumps(found, cls=DjangoJSONEncoder, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def where(db: None) -> Company:
    translation.activate("en")
    return company(language="en")


def offered(response: Any) -> str:
    """The address that the note after an act offers."""
    notes = json.loads(response.headers.get("HX-Trigger", "{}"))
    if "toast" in notes:
        return str(notes["toast"].get("undo", ""))
    messages = list(response.wsgi_request._messages)
    return str(messages[-1].extra_tags) if messages else ""


Act = Callable[[], Any]


def acts(where: Company, client: Client) -> dict[str, Act]:
    """Acts of 周敏 (and the manager for what only a manager may), by the pages."""
    deal = where.deal("Line four", stage="needs_analysis", amount=100)
    account, how = deal.account, where.how()
    person = where.contact(account)
    planned = [where.next_step(deal, days=n, summary=f"Step {n}") for n in (1, 2, 3, 4)]
    task, gone = (work.add_task("opportunity", deal.pk, title=t, **how) for t in ("Draw", "Check"))
    remark = work.add_comment("opportunity", deal.pk, text="Good talk", **how)
    file = work.add_file("opportunity", deal.pk, kind="offer", name="offer.pdf", reference="Shelf 3", **how)
    role = crm.add_contact_role(deal.pk, contact_id=person.pk, role="EB", **how)
    view = crm.save_view("opportunity", name="Large", state=crm.ViewState(), **how)
    contract = offers.create_contract(deal.pk, number="C-1", amount=100, currency="CNY", **how)  # type: ignore[arg-type]
    work.set_attention("account", account.pk, "followed", **how)
    piece = {"HX-Request": "true"}

    def post(page: str, *args: Any, headers: Any = None, **data: Any) -> Any:
        return client.post(reverse(page, args=args), data, headers=headers)

    def version(row: Any) -> int:
        row.refresh_from_db()
        return int(row.version)

    about = ("opportunity", deal.pk)
    soon = (timezone.localtime() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    return {
        "field": lambda: post(
            "crm:opportunity_field", deal.pk, "amount", amount="250", version=version(deal), headers=piece
        ),
        "form": lambda: post(
            "crm:account_edit", account.pk, name="Renamed", city="Wuxi", version=version(account)
        ),
        "contact": lambda: post(
            "crm:contact_field", person.pk, "title", title="Head", version=version(person), headers=piece
        ),
        "contract": lambda: post(
            "offers:contract_field", contract.pk, "amount", amount="90", version=version(contract), headers=piece
        ),
        "done": lambda: post(
            "work:complete", planned[0].pk, outcome="talked", note="New", version=version(planned[0]),
            next_summary="Then", next_due_at=soon,
        ),
        "cancelled": lambda: post("work:cancel", planned[1].pk, version=version(planned[1])),
        "later": lambda: post("work:later", planned[2].pk, to="day", version=version(planned[2])),
        "logged": lambda: post(
            "work:log", *about, kind="call", summary="Rang", outcome="talked", next_summary="Again", next_due_at=soon
        ),
        "line": lambda: post("work:line", *about, text="call tomorrow 10am offer", headers=piece),
        "planned": lambda: post("work:plan", *about, kind="call", summary="Ring", due_at=soon),
        "task done": lambda: post("work:task_done", task.pk, version=version(task)),
        "task removed": lambda: post("work:task_done", gone.pk, remove="1", version=version(gone)),
        "task added": lambda: post("work:task", *about, title="One more"),
        "commented": lambda: post("work:comment", *about, text="Another word"),
        "comment removed": lambda: post("work:remove_comment", remark.pk),
        "muted": lambda: post("work:attention", "account", account.pk, attention="muted"),
        "followed": lambda: post("work:attention", *about, attention="followed"),
        "file withdrawn": lambda: post("work:withdraw", file.pk),
        "file added": lambda: post(
            "work:upload", *about, kind="offer", content=SimpleUploadedFile("second.txt", b"words")
        ),
        "view deleted": lambda: post("crm:view_delete", view.pk, version=view.version),
        "role removed": lambda: post("crm:remove_role", deal.pk, role.pk),
        "left": lambda: post("crm:contact_left", person.pk, version=version(person)),
        "held": lambda: post(
            "crm:move", deal.pk, kind="hold", reason="budget_waiting", asked="1",
            version=where.journey(deal).version,
            resume_date=(timezone.localdate() + timedelta(days=20)).isoformat(),
        ),
        "reassigned": lambda: post("crm:opportunity_reassign", deal.pk, owner=where.lin.pk, version=version(deal)),
    }  # fmt: skip


@pytest.mark.rule("U14", "MV-12")
def test_what_was_done_and_taken_back_leaves_everything_as_it_was(where: Company, client: Client) -> None:
    todo = acts(where, client)
    assert len(todo) >= 12
    back: list[tuple[str, User, str]] = []
    before = state()
    seen = {before}
    for name, act in todo.items():
        who = where.chen if name == "reassigned" else where.zhou
        client.force_login(who)
        response = act()
        assert response.status_code in (200, 204, 302), (name, response.content.decode()[:600])
        url = offered(response)
        assert url, name
        now = state()
        assert now not in seen, name
        seen.add(now)
        back.append((name, who, url))
    written = Event.objects.count()
    for name, who, url in reversed(back):
        client.force_login(who)
        response = client.post(url, headers={"HX-Request": "true"})
        assert response.status_code in (200, 204), (name, response.content.decode()[:600])
    assert state() == before
    told = Event.objects.filter(pk__gt=0).order_by("pk")[written:]
    assert sum("undoes" in event.data for event in told) >= len(back)


@pytest.mark.rule("U14", "MV-3")
def test_a_move_is_taken_back_by_a_move_and_only_at_once(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal("Line four"))
    client.force_login(where.zhou)
    where.move(deal)
    event = Event.objects.filter(type="stage_moved", subject_id=deal.pk).latest("pk")
    late = event.recorded_at + timedelta(minutes=11)
    with pytest.raises(CannotUndo, match="too long ago"):
        undo([event.pk], by=where.zhou, at=late, channel=Channel.UI)
    undo([event.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)
    back = Event.objects.filter(type="stage_moved", subject_id=deal.pk).latest("pk")
    assert (back.data["undoes"], back.reason_code) == (event.pk, "moved_by_mistake")
    assert where.journey(deal).stage.key == "customer_contact"
    with pytest.raises(CannotUndo):  # the way back has no way back of its own
        undo([back.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)


@pytest.mark.rule("U14")
def test_what_somebody_else_changed_since_stays_and_is_named(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200, competitor="Sanming")
    event = Event.objects.filter(type="edited", actor_id=where.zhou.pk).latest("pk")
    where.edit(deal, by=where.chen, amount=300)
    client.force_login(where.zhou)
    refused = client.post(reverse("web:undo", args=[event.pk]), headers={"HX-Request": "true"})
    assert refused.status_code == 409 and "陈立新 changed this on" in refused.content.decode()
    deal.refresh_from_db()
    assert (deal.amount, deal.competitor) == (300, "Sanming")


@pytest.mark.rule("U14")
def test_another_field_that_changed_since_is_no_obstacle(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    where.edit(deal, by=where.chen, competitor="Sanming")
    undo([event.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)
    deal.refresh_from_db()
    assert (deal.amount, deal.competitor) == (100, "Sanming")
    with pytest.raises(CannotUndo, match="already"):
        undo([event.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)


@pytest.mark.rule("U14", "T01")
def test_undo_asks_for_rights_again(where: Company, client: Client) -> None:
    """Whose deal it is no more, who may edit no more, whose act it was not: each is refused, nothing changes."""
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    for other in (where.lin, where.chen, where.admin, where.shen):
        client.force_login(other)
        assert client.post(reverse("web:undo", args=[event.pk])).status_code == 404
    deal.refresh_from_db()
    crm.reassign("opportunity", deal.pk, owner=where.qi, version=deal.version, **where.how(where.admin))
    client.force_login(where.zhou)
    assert client.post(reverse("web:undo", args=[event.pk])).status_code == 404
    deal.refresh_from_db()
    assert deal.amount == 200
    assert client.get(reverse("web:undo", args=[event.pk])).status_code == 405
    assert client.post(reverse("web:undo", args=["1-x"])).status_code == 404
    assert client.post(reverse("web:undo", args=["-".join(["1"] * 30)])).status_code == 404


@pytest.mark.rule("U14")
def test_a_won_deal_keeps_its_amount_even_from_undo(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    Opportunity.objects.filter(pk=deal.pk).update(commercial_locked=True)
    with pytest.raises(Invalid, match="commercial values stand"):
        undo([event.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)
    deal.refresh_from_db()
    assert deal.amount == 200


@pytest.mark.rule("U14")
def test_many_acts_go_back_together_or_not_at_all(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    first = Event.objects.filter(type="edited").latest("pk")
    step = where.next_step(deal)
    second = Event.objects.filter(type="activity_planned").latest("pk")
    work.complete_activity(step.pk, version=1, outcome="talked", **where.how(where.chen))
    with pytest.raises(CannotUndo, match="陈立新"):
        undo([first.pk, second.pk], by=where.zhou, at=timezone.now(), channel=Channel.UI)
    deal.refresh_from_db()
    assert deal.amount == 200


@pytest.mark.rule("U14")
def test_the_old_the_erased_and_the_many_are_refused(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    how: dict[str, Any] = {"by": where.zhou, "channel": Channel.UI}
    with pytest.raises(CannotUndo, match="too long ago"):
        undo([event.pk], at=event.recorded_at + WITHIN + timedelta(seconds=1), **how)
    purge_detail(
        event_id=event.pk, by_id=None, at=timezone.now(), channel=Channel.SYSTEM, reason_code="erasure"
    )
    assert EventDetail.objects.get(pk=event.pk).payload == {}
    with pytest.raises(CannotUndo, match="erased"):
        undo([event.pk], at=timezone.now(), **how)
    edit_many(
        "opportunity", [Change(deal.pk, {"amount": 300}, where.zhou)],
        at=timezone.now(), channel=Channel.UI, data={"many": 1},
    )  # fmt: skip
    event = Event.objects.filter(type="edited").latest("pk")
    with pytest.raises(CannotUndo, match="one press"):
        undo([event.pk], at=timezone.now(), **how)


@pytest.mark.rule("U14")
def test_the_history_and_the_timeline_offer_it_to_whoever_did_it(where: Company, client: Client) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    url, page = reverse("web:undo", args=[event.pk]), reverse("crm:opportunity", args=[deal.pk])
    for user, tab, is_there in (
        (where.zhou, "history", True), (where.zhou, "timeline", True), (where.chen, "history", False),
        (where.chen, "timeline", False),
    ):  # fmt: skip
        client.force_login(user)
        assert (url in client.get(f"{page}?tab={tab}").content.decode()) == is_there, (user, tab)
    client.force_login(where.zhou)
    answer = client.post(url, {"next": f"{page}?tab=history"})
    assert answer.status_code == 302 and answer.headers["Location"] == f"{page}?tab=history"
    shown = client.get(f"{page}?tab=history").content.decode()
    assert url not in shown and "Taken back" in shown
    assert client.post(url, {"next": "//evil.example"}).status_code == 409


@pytest.mark.rule("U14")
def test_by_the_api(where: Company) -> None:
    deal = where.deal(amount=100)
    where.edit(deal, amount=200)
    event = Event.objects.filter(type="edited").latest("pk")
    client = Client()
    client.force_login(where.lin)
    address = f"/api/v1/events/{event.pk}/undo"
    assert client.post(address).status_code == 404
    client.force_login(where.zhou)
    assert client.post(address).status_code == 204
    deal.refresh_from_db()
    assert deal.amount == 100
    again = client.post(address)
    assert again.status_code == 409 and again.json()["code"] == "undo-refused"


@pytest.mark.rule("IT-1", "U14")
def test_whoever_comes_back_on_the_day_of_leaving_never_left(where: Company) -> None:
    deal = where.deal()
    before = list(
        DealTeamMember.objects.filter(opportunity=deal).values_list("role", "person", "from_date", "to_date")
    )
    deal.refresh_from_db()
    given = crm.reassign(
        "opportunity", deal.pk, owner=where.lin, version=deal.version, **where.how(where.chen)
    )
    crm.reassign("opportunity", deal.pk, owner=where.zhou, version=given.version, **where.how(where.chen))
    after = DealTeamMember.objects.filter(opportunity=deal).values_list(
        "role", "person", "from_date", "to_date"
    )
    assert list(after) == before
