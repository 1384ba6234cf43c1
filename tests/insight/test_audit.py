"""The audit page: everything for the house's auditor, a branch's own for its manager, details masked by rights."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from tests.insight.conftest import PROCESS, person

from fairlead.crm.services import NewRecord, create_many, edit
from fairlead.journal import guards
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event, Seal
from fairlead.journal.sealing import seal
from fairlead.journal.services import NewEvent, purge_detail, record
from fairlead.organisation import services
from fairlead.organisation.models import Organisation
from fairlead.process.enums import Kind
from fairlead.process.models import Evaluation
from fairlead.process.services import MoveWish, move_many, publish
from fairlead.process.verdicts import Wish

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


@pytest.fixture
def house():
    """Two branches with a manager and a seller each, one deal a seller, an auditor."""
    Organisation.objects.create(pk=1, name="海纳工业", time_zone="Asia/Shanghai")
    publish(PROCESS, by=None, at=NOON, channel=Channel.SYSTEM)
    people = {"auditor": person("auditor", roles=("AUDITOR",)), "admin": person("admin", roles=("ADMIN",))}
    deals = {}
    for side in ("east", "west"):
        team = services.create_team(name=side, parent=None, by=None, at=NOON, channel=Channel.SYSTEM)
        people[f"manager-{side}"] = person(f"manager-{side}", team=team, roles=("MGR",))
        seller = people[f"seller-{side}"] = person(
            f"seller-{side}", team=team, roles=("AR",), name=f"卖家{side}"
        )
        values = {"name": f"商机 {side}", "amount": Decimal(500), "margin": Decimal("31.5")}
        deals[side] = create_many(
            "opportunity", [NewRecord(values=values)], by=seller, at=NOON, channel=Channel.UI
        )[0]
    return people, deals


def text(client, query="", path="/audit/"):
    answer = client.get(f"{path}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.rule("T05")
def test_an_auditor_sees_both_branches_and_a_manager_only_the_own_one(house, sign_in):
    people, _deals = house

    for who, seen, unseen in (
        ("manager-east", "商机 east", "商机 west"),
        ("manager-west", "商机 west", "商机 east"),
    ):
        page = text(sign_in(people[who]))
        assert seen in page
        assert unseen not in page
    page = text(sign_in(people["auditor"]))
    assert "商机 east" in page
    assert "商机 west" in page


@pytest.mark.rule("T05")
@pytest.mark.parametrize("path", ["/audit/", "/audit/export.csv"])
@pytest.mark.parametrize("who", ["seller-east", "seller-west"])
def test_a_seller_has_no_audit(house, sign_in, who, path):
    people, _deals = house

    assert sign_in(people[who]).get(path).status_code == 403


def test_the_filters_narrow(house, sign_in):
    people, deals = house
    client = sign_in(people["auditor"])

    for query, count in (
        ("?type=created", 2), (f"?person={people['seller-east'].pk}&type=created", 1),
        (f"?kind=opportunity&record={deals['west'].pk}&type=created", 1), ("?channel=api", 0),
        ("?type=created&from=2026-03-02&to=2026-03-02", 2), ("?type=created&from=2026-03-03", 0),
        ("?type=created&to=2026-03-01", 0), ("?type=nosuch", 0),
    ):  # fmt: skip
        assert text(client, query).count('<th scope="row"') == count, query


def test_older_events_stand_on_further_pages_in_order(house, sign_in):
    people, deals = house
    with transaction.atomic():
        record(
            [
                NewEvent(
                    type="edited",
                    subject_type="opportunity",
                    subject_id=deals["east"].pk,
                    actor_id=None,
                    effective_at=NOON + timedelta(minutes=n),
                    channel=Channel.UI,
                )
                for n in range(120)
            ]
        )
    client = sign_in(people["auditor"])

    seen, query = [], "?type=edited"
    while query:
        context = client.get(f"/audit/{query}")
        page = context.content.decode()
        seen += [int(part.split("<")[0]) for part in page.replace("编号 ", "No. ").split("No. ")[1:]]
        query = (
            page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
            if 'rel="next"' in page
            else ""
        )

    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 120


@pytest.mark.rule("T05")
def test_values_that_one_may_not_read_are_hidden(house, sign_in):
    people, deals = house
    deal = deals["east"]
    edit(
        "opportunity",
        deal.pk,
        {"margin": "12.25"},
        version=deal.version,
        by=people["admin"],
        at=NOON,
        channel=Channel.UI,
    )
    query = f"?kind=opportunity&record={deal.pk}&type=edited"
    assert "12.25" in text(sign_in(people["auditor"]), query)
    marketing = person("legal", roles=("AUDITOR",))
    from fairlead.organisation.models import User
    from fairlead.organisation.rights import NOWHERE

    original = User.reach
    try:
        User.reach = lambda self, right: NOWHERE if right == "margin.view" else original(self, right)
        page = text(sign_in(marketing), query)
    finally:
        User.reach = original

    assert "12.25" not in page
    assert "31.5" not in page
    assert "•••" in page


def test_an_erased_detail_leaves_its_tombstone(house, sign_in):
    people, deals = house
    event = Event.objects.get(type="created", subject_type="opportunity", subject_id=deals["east"].pk)
    purge_detail(event_id=event.pk, by_id=None, at=NOON, channel=Channel.SYSTEM, reason_code="request")

    page = text(sign_in(people["auditor"]), f"?kind=opportunity&record={deals['east'].pk}&type=created")

    assert "2026-03-02 12:00" in page
    assert "500" not in page.split("<tbody>")[1]


@pytest.mark.rule("GT-4", "T05")
def test_the_evaluation_shows_what_the_gate_saw_to_those_who_audit_the_record(house, sign_in):
    people, deals = house
    wish = MoveWish(journey_id=deals["east"].journey_id, wish=Wish(kind=Kind.ADVANCE, to="engaging"))
    move_many([wish], by=people["seller-east"], at=NOON, channel=Channel.UI)
    evaluation = Evaluation.objects.get()
    path = f"/audit/evaluations/{evaluation.pk}/"

    assert path in text(sign_in(people["auditor"]), "?type=stage_moved")
    page = text(sign_in(people["manager-east"]), path=path)
    assert "商机 east" in page
    assert sign_in(people["manager-west"]).get(path).status_code == 404
    assert sign_in(people["seller-east"]).get(path).status_code == 403
    assert sign_in(people["auditor"]).get("/audit/evaluations/999999/").status_code == 404


def test_the_seals_are_read_again_by_whoever_sees_everything(house, sign_in):
    people, _deals = house
    while seal(at=NOON):
        pass

    answer = sign_in(people["auditor"]).post("/audit/verify")

    assert answer.status_code == 200
    assert str(Event.objects.count()) in answer.content.decode()
    assert sign_in(people["manager-east"]).post("/audit/verify").status_code == 403
    assert sign_in(people["auditor"]).get("/audit/verify").status_code == 405


@pytest.mark.rule("T05")
def test_the_export_holds_the_same_rows_and_runs_no_formula(house, sign_in):
    people, deals = house
    deal = deals["east"]
    edit(
        "opportunity",
        deal.pk,
        {"name": "=1+1"},
        version=deal.version,
        by=people["admin"],
        at=NOON,
        channel=Channel.UI,
    )

    lines = b"".join(sign_in(people["manager-east"]).get("/audit/export.csv")).decode("utf-8-sig")

    assert "'=1+1" in lines
    assert "商机 west" not in lines


@pytest.mark.parametrize("query", [
    "?person=x", "?record=-1", "?type=a%20b", "?channel=fax", "?from=2026-02-30", "?to=tomorrow", "?before=1e3",
    "?kind=%00", "?person=" + "9" * 30, "?from=9999-12-31",
])  # fmt: skip
def test_what_cannot_be_read_is_refused_with_400(house, sign_in, query):
    people, _deals = house

    assert sign_in(people["auditor"]).get(f"/audit/{query}").status_code == 400


def test_one_row_and_fifty_ask_the_database_equally_little(house, sign_in, django_assert_max_num_queries):
    people, deals = house
    client = sign_in(people["auditor"])
    text(client)
    with django_assert_max_num_queries(20):
        text(client, "?type=created")
    with transaction.atomic():
        record(
            [
                NewEvent(
                    type="edited",
                    subject_type="opportunity",
                    subject_id=deals["east"].pk,
                    actor_id=n,
                    effective_at=NOON,
                    channel=Channel.UI,
                    payload={"after": {"name": str(n)}},
                )
                for n in range(60)
            ]
        )
    with django_assert_max_num_queries(20):
        text(client)


@pytest.mark.rule("OV-3", "T28")
def test_the_page_and_the_api_tell_how_far_the_journal_is_sealed_and_what_was_found(
    house, sign_in, monkeypatch
):
    # A test is one transaction, and other tests' transactions run beside it: nothing would ever be settled.
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)
    people, _deals = house
    while seal(at=NOON):
        pass
    head = Seal.objects.order_by("-id").first().digest

    assert head not in text(sign_in(people["manager-east"]))
    assert sign_in(people["manager-east"]).get("/api/v1/journal/seal").status_code == 403
    auditor = sign_in(people["auditor"])
    assert head in text(auditor)
    told = auditor.get("/api/v1/journal/seal").json()
    assert (told["head"], told["events"], told["check"]) == (head, Event.objects.count(), None)

    auditor.post("/audit/verify")
    told = auditor.get("/api/v1/journal/seal").json()["check"]
    assert (told["sound"], told["by"], told["fault"]) == (True, people["auditor"].pk, "")

    guards.remove(connection)
    event = Event.objects.order_by("pk").first()
    Event.objects.filter(pk=event.pk).update(reason_code="changed")
    guards.install(connection)
    path = "/api/v1/journal/verify"
    found = auditor.post(path, {}, content_type="application/json").json()
    assert (found["sound"], found["fault"], found["event"]) == (False, "altered", event.pk)
    assert f"事件 {event.pk}：被改动。" in text(auditor)
    noted = auditor.post(path, {"expect": "f" * 63}, content_type="application/json")
    assert noted.status_code == 400
