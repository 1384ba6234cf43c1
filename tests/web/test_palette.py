"""The box that goes, finds and does: what it offers, to whom, on which page."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.web.selectors.finding import distance
from fairlead.work import services as work

HTMX = {"HX-Request": "true"}


def offered(client, text="", at="/"):
    """Section → names, as the box shows them."""
    answer = client.get(f"/palette/?q={quote(text)}&at={quote(at)}", headers=HTMX)
    assert answer.status_code == 200
    found = {}
    for key, section in re.findall(
        r'aria-labelledby="p-([a-z]+)">(.*?)\n</div>', answer.content.decode(), re.S
    ):
        names = re.findall(r'class="t">(.*?)</span>', section)
        found[key] = [unescape(re.sub("<[^>]+>", "", name)) for name in names]
    return found


@pytest.fixture
def records(where):
    account = where.account("华为技术")
    where.contact(account, "单雄信")
    where.deal("园区网", account=account)
    where.deal("车间改造", owner=where.qi, account=where.account("启晨半导体", owner=where.qi))
    return where


@pytest.mark.rule("U01")
@pytest.mark.parametrize("text", ["华为", "huawei", "hwjs", "HWJS", "hw", "huawie", "huwei", "hauweijishu"])
def test_a_record_is_found_by_name_pinyin_initials_two_letters_and_with_a_slip(records, client_of, text):
    found = offered(client_of("zhou"), text)
    assert found["opportunity"] == ["园区网"] and found["account"] == ["华为技术"]


@pytest.mark.rule("U01")
@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("@sxx", {"contact"}),
        ("#华为", {"account"}),
        ("$园区", {"opportunity"}),
        ("＃华为", {"account"}),
        ("￥园区", {"opportunity"}),
    ],
)
def test_a_first_character_asks_for_one_kind_alone(records, client_of, text, kinds):
    assert set(offered(client_of("zhou"), text)) == kinds


@pytest.mark.rule("U01")
def test_an_exclamation_mark_asks_for_ones_own_tasks(records, client_of):
    deal = Opportunity.objects.get(name="园区网")
    today = timezone.localdate()
    for title, day, who in (
        ("核对报价", today - timedelta(days=1), None), ("画图", today + timedelta(days=3), None),
        ("审合同", today, records.chen),
    ):  # fmt: skip
        work.add_task("opportunity", deal.pk, title=title, due_date=day, assignee=who, **records.how())
    client = client_of("zhou")
    assert offered(client, "!") == {"task": ["核对报价", "画图"]}
    for text in ("!核对", "！hdbj", "! hedui"):
        assert offered(client, text) == {"task": ["核对报价"]}, text
    assert offered(client, "!园区")["task"] == ["核对报价", "画图"]
    assert offered(client, "!nothing") == {} and offered(client_of("qi"), "!核对") == {}
    assert "task" not in offered(client, "核对")


@pytest.mark.rule("U01", "T05")
def test_on_an_account_and_a_contact_the_box_offers_what_can_be_done_there(records, client_of):
    account = Account.objects.get(name="华为技术")
    contact = Contact.objects.get(name="单雄信")
    for name, row in (("account", account), ("contact", contact)):
        page = reverse(f"crm:{name}", args=[row.pk])
        assert offered(client_of("zhou"), "", page)["here"] == [
            "Log activity",
            "Plan the next step",
            "New task",
            "Edit",
        ]
        assert offered(client_of("zhou"), "log", page)["here"] == ["Log activity"]
        assert "here" not in offered(client_of("qi"), "", page)
        assert "here" not in offered(client_of("shen"), "", page)  # reads, works on nothing
        links = re.findall(
            r'href="([^"]+)"', client_of("zhou").get(f"/palette/?q=&at={page}", headers=HTMX).content.decode()
        )
        mine = [a for a in links if a.startswith((f"/about/{name}/{row.pk}/", f"{page}edit/"))]
        assert len(mine) == 4 and all(client_of("zhou").get(a).status_code == 200 for a in mine)


@pytest.mark.rule("U01", "T05")
def test_nothing_is_offered_that_the_person_may_not_see_or_do(records, client_of):
    assert "opportunity" not in offered(client_of("qi"), "园区")
    deal = Opportunity.objects.get(name="园区网")
    page = reverse("crm:opportunity", args=[deal.pk])
    assert "here" not in offered(client_of("qi"), "", page)
    assert {"Move on", "Log activity"} <= set(offered(client_of("zhou"), "", page)["here"])
    everything = [name for names in offered(client_of("zhou")).values() for name in names]
    assert "Audit log" not in everything and "People & roles" not in everything
    chief = [name for names in offered(client_of("admin")).values() for name in names]
    assert "People & roles" in chief


@pytest.mark.rule("U01")
def test_pages_are_found_in_both_languages_and_by_pinyin(where, client_of):
    client = client_of("zhou")
    for text in ("funnel", "漏斗", "loudou", "ldfx"):
        assert "Funnel" in offered(client, text)["go"], text
    assert offered(client, "new opp")["do"] == ["New Opportunity"]


@pytest.mark.rule("U01")
def test_own_running_deals_come_first(where, client_of):
    account = where.account("华锐")
    lost = where.deal("华锐 A", account=account)
    where.move(lost, "close_lost", reason="need_cancelled")
    where.deal("华锐 B", account=account)
    assert offered(client_of("zhou"), "华锐")["opportunity"] == ["华锐 B", "华锐 A"]


def test_an_act_on_a_deal_that_is_closed_is_not_offered(where, client_of):
    deal = where.deal("园区网")
    where.move(deal, "close_lost", reason="need_cancelled")
    assert "Move on" not in offered(client_of("zhou"), "", reverse("crm:opportunity", args=[deal.pk]))["here"]


@pytest.mark.parametrize(
    "path", ["", "//evil", "/nowhere/", "/opportunities/999999999999/", "/opportunities/x/", "\x00"]
)
def test_a_page_that_is_none_offers_nothing_of_its_own(where, client_of, path):
    assert "here" not in offered(client_of("zhou"), "", path)


def test_alone_it_is_the_search_page(where, client_of):
    answer = client_of("zhou").get("/palette/?q=a%26b")
    assert (answer.status_code, answer["Location"]) == (302, "/search/?q=a%26b")


@pytest.mark.parametrize(
    ("word", "key", "far"),
    [("huawei", "x huawei y", 0), ("huawie", "huawei", 1), ("huwei", "huawei", 1), ("huaawei", "huawei", 1),
     ("hxawei", "huawei", 1), ("xyz", "huawei", 3), ("", "abc", 0), ("ab", "", 2)],
)  # fmt: skip
def test_the_distance_to_the_nearest_part(word, key, far):
    assert distance(word, key) == far


@pytest.mark.parametrize("rows", [1, 50])
def test_as_many_queries_for_one_hit_as_for_fifty(where, client_of, django_assert_num_queries, rows):
    for number in range(rows):
        account = where.account(f"华锐 {number:02}")
        where.contact(account, f"华工 {number:02}")
        where.deal(f"华锐改造 {number:02}", account=account)
    client = client_of("zhou")
    offered(client, "华")
    with django_assert_num_queries(8):  # session, person, roles; the index, one per kind
        found = offered(client, "华")
    assert all(len(found[kind]) == min(rows, 5) for kind in ("opportunity", "account", "contact"))
