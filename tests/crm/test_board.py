"""The board through its own door: what it shows, what it refuses and how that is mended, who it lets in."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Count, Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import STAGES, Company, company, document

from fairlead.common.money import format_amount
from fairlead.crm.models import Opportunity
from fairlead.crm.selectors import changes
from fairlead.crm.selectors.board import visible_journeys
from fairlead.crm.wording import NEXT_ICONS
from fairlead.journal.models import Event
from fairlead.organisation.selectors import default_calendar
from fairlead.process.models import Evaluation, GateFlag, Journey

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/board/"}
PANEL = {**HTMX, "HX-Target": "panel"}
NASTY = ("\x00", "a\ud800b", "‮x", "𝕏" * 10, "x" * 1_000_000, "' OR 1=1 --", "9" * 400)


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


@pytest.fixture(autouse=True)
def _settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is one transaction, and other tests' transactions run beside it: nothing would ever be settled.

    That nothing slips in front of what is settled is shown in tests/journal.
    """
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)
    # What was compiled with the horizon is compiled anew without it.
    monkeypatch.setattr(changes._newest, "_statements", {})


def post(client: Client, url: str, data: dict[str, Any], **headers: str) -> Any:
    return client.post(url, data, headers=headers or HTMX)


def move_url(deal: Opportunity) -> str:
    return reverse("crm:move", args=[deal.pk])


def stage(where: Company, deal: Opportunity) -> str:
    return str(where.journey(deal).stage.key)


def cards(response: Any) -> list[int]:
    """Journeys on the board, in the order of the page."""
    return [
        int(n)
        for n in re.findall(r'<article class="fl-card" data-journey="(\d+)"', response.content.decode())
    ]


def column(response: Any, key: str) -> str:
    found = re.search(
        rf'<section class="fl-col" id="col-{key}".*?</section>', response.content.decode(), re.S
    )
    assert found is not None
    return found.group()


# --- the move through the page ---


@pytest.mark.rule("AC-1", "T02")
def test_two_gaps_are_refused_both_by_name_and_saving_still_works(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal(), but=("problem_stated", "bant"))
    version = where.journey(deal).version
    client.force_login(where.zhou)

    answer = post(client, move_url(deal), {"to": "needs_analysis", "version": version})

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "2 more items, then on to Needs analysis" in text
    assert (
        'id="item-problem_stated"' in text
        and 'id="item-bant"' in text
        and 'id="item-contact_two_way"' not in text
    )
    assert stage(where, deal) == "customer_contact" and where.journey(deal).version == version
    assert Evaluation.objects.filter(journey=deal.journey_id).values_list("allowed", "gaps").get() == (
        False,
        2,
    )
    assert Event.objects.filter(journey_id=deal.journey_id, type="move_refused").count() == 1

    saved = post(
        client,
        reverse("crm:mend", args=[deal.pk]),
        {"deal_version": deal.version, "criterion": "problem_stated", "f.customer_problem": "停机一次二十万"},
        **PANEL,
    )
    assert saved.status_code == 200
    assert "1 more item, then on to Needs analysis" in saved.content.decode()


@pytest.mark.rule("AC-3")
def test_an_advised_item_left_open_goes_along_as_a_flag(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal())
    client.force_login(where.zhou)

    answer = post(client, move_url(deal), {"to": "needs_analysis", "version": where.journey(deal).version})

    assert answer.status_code == 200
    assert stage(where, deal) == "needs_analysis"
    flags = set(GateFlag.objects.filter(journey=deal.journey_id).values_list("criterion_key", flat=True))
    assert {"next_meeting", "coach_candidate", "meddpicc_contact"} <= flags
    note = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert note["text"] == f"{deal.name} moved to Needs analysis"
    assert note["undo"] == reverse("crm:undo_move", args=[deal.pk, where.journey(deal).version])


@pytest.mark.rule("AC-5")
def test_a_placeholder_does_not_mend(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal(), but=("problem_stated",))
    client.force_login(where.zhou)

    answer = post(
        client,
        reverse("crm:mend", args=[deal.pk]),
        {"deal_version": deal.version, "criterion": "problem_stated", "f.customer_problem": "待定"},
        **PANEL,
    )

    assert answer.status_code == 200
    assert "holds a placeholder" in answer.content.decode()
    assert where.journey(deal).gate_missing == 1


@pytest.mark.rule("AC-8", "U07")
def test_losing_asks_for_its_form_and_for_no_criterion(where: Company, client: Client) -> None:
    deal = where.deal(stage="needs_analysis")
    client.force_login(where.zhou)
    url, version = move_url(deal), where.journey(deal).version

    form = client.get(reverse("crm:panel", args=[deal.pk]), {"as": "lost"}, headers=HTMX)
    assert form.status_code == 200 and 'name="competitor"' in form.content.decode()
    assert post(client, url, {"to": "lost", "version": version}).status_code == 422
    assert Evaluation.objects.filter(journey=deal.journey_id).count() == 0  # nobody has been asked yet

    bare = post(
        client, url, {"kind": "close_lost", "version": version, "asked": 1, "reason": "price"}, **PANEL
    )
    assert bare.status_code == 422 and "Say to whom it was lost." in bare.content.decode()

    done = post(
        client,
        url,
        {"kind": "close_lost", "version": version, "asked": 1, "reason": "price", "competitor": "对手一"},
        **PANEL,
    )
    assert done.status_code == 200
    assert where.journey(deal).state == "lost"
    assert list(json.loads(done.headers["HX-Trigger"])) == ["toast", "moved"]


@pytest.mark.rule("AC-11", "MV-11")
def test_of_two_movers_one_wins_and_the_other_is_told(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal())
    version = where.journey(deal).version
    client.force_login(where.zhou)
    other = Client()
    other.force_login(where.chen)

    first = post(client, move_url(deal), {"to": "needs_analysis", "version": version})
    second = post(other, move_url(deal), {"to": "needs_analysis", "version": version})

    assert (first.status_code, second.status_code) == (200, 409)
    told = re.search(r"data-message>(.*?)<", second.content.decode())
    assert told and told.group(1).startswith(f"周敏 moved {deal.name} to Needs analysis at ")
    assert Event.objects.filter(journey_id=deal.journey_id, type="stage_moved").count() == 1


@pytest.mark.rule("T14")
def test_a_field_changed_meanwhile_shows_both_values_and_overwrites_nothing(
    where: Company, client: Client
) -> None:
    deal = where.deal()
    seen = deal.version
    where.edit(deal, by=where.chen, customer_problem="经理写的原话")
    client.force_login(where.zhou)
    body = {"deal_version": seen, "criterion": "problem_stated", "f.customer_problem": "我写的原话"}
    Opportunity.objects.filter(pk=deal.pk).update(custom={})  # the item stays open, so that its form is shown

    answer = post(client, reverse("crm:mend", args=[deal.pk]), body, **PANEL)

    assert answer.status_code == 409
    text = answer.content.decode()
    assert "我写的原话" in text and "Somebody changed Problem in the customer&#39;s words meanwhile" in text
    deal.refresh_from_db()
    assert deal.custom == {}
    assert f'name="deal_version" value="{deal.version}"' in text


@pytest.mark.rule("U03", "U14")
def test_a_move_is_taken_back_by_a_move_with_its_reason(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal())
    client.force_login(where.zhou)
    done = post(client, move_url(deal), {"to": "needs_analysis", "version": where.journey(deal).version})
    undo = json.loads(done.headers["HX-Trigger"])["toast"]["undo"]

    assert post(client, undo, {}).status_code == 200

    assert stage(where, deal) == "customer_contact"
    back = Event.objects.filter(journey_id=deal.journey_id, type="stage_moved").order_by("-id")[0]
    assert (back.reason_code, back.data["kind"], back.actor_id) == (
        "moved_by_mistake",
        "regress",
        where.zhou.pk,
    )
    assert post(client, undo, {}).status_code == 409  # once


@pytest.mark.rule("U14")
def test_nobody_takes_back_the_move_of_another(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal())
    where.move(deal, to="needs_analysis", by=where.chen)
    client.force_login(where.zhou)

    answer = post(client, reverse("crm:undo_move", args=[deal.pk, where.journey(deal).version]), {})

    assert answer.status_code == 409
    assert stage(where, deal) == "needs_analysis"


@pytest.mark.rule("MV-3", "MV-5")
def test_back_and_hold_ask_first_and_then_go(where: Company, client: Client) -> None:
    deal = where.deal(stage="needs_analysis")
    client.force_login(where.zhou)
    version = where.journey(deal).version

    asked = post(client, move_url(deal), {"to": "customer_contact", "version": version})
    assert asked.status_code == 422 and "Back to Customer contact" in asked.content.decode()
    held = post(
        client,
        move_url(deal),
        {
            "kind": "hold",
            "version": version,
            "asked": 1,
            "reason": "budget_waiting",
            "resume_date": "2020-01-01",
        },
        **PANEL,
    )
    assert held.status_code == 422 and "lies in the future" in held.content.decode()
    garbage = post(
        client,
        move_url(deal),
        {"kind": "hold", "version": version, "asked": 1, "reason": "budget_waiting", "resume_date": "zzzz"},
        **PANEL,
    )
    assert garbage.status_code == 422 and where.journey(deal).state == "open"
    day = (timezone.localdate() + timedelta(days=20)).isoformat()
    held = post(
        client,
        move_url(deal),
        {"kind": "hold", "version": version, "asked": 1, "reason": "budget_waiting", "resume_date": day},
        **PANEL,
    )
    assert held.status_code == 200
    assert (where.journey(deal).state, where.journey(deal).resume_date.isoformat()) == ("on_hold", day)


# --- mending ---


def test_every_required_item_can_be_mended_in_the_panel(where: Company, client: Client) -> None:
    """First two stages by hand: activities, fields, a group, a document, a person, another person's word."""
    deal = where.deal()
    client.force_login(where.zhou)

    def mend(name: str, **data: Any) -> Any:
        deal.refresh_from_db()
        answer = post(
            client, reverse(f"crm:{name}", args=[deal.pk]), {"deal_version": deal.version, **data}, **PANEL
        )
        assert answer.status_code == 200, answer.content.decode()
        return answer

    for person, department in (("李工", "设备部"), ("王经理", "采购部")):
        mend(
            "mend_activity",
            criterion="contact_two_way",
            activity_kind="visit",
            outcome="talked",
            summary="现场走访",
            new_name=person,
            new_department=department,
        )
    mend("mend", criterion="problem_stated", **{"f.customer_problem": "停机一次二十万"})
    mend("mend", criterion="sr_for_needs_analysis", **{"f.sr": where.sun.pk})
    ready = mend(
        "mend",
        criterion="bant",
        **{f"f.bant_{k}": "claimed" for k in ("budget", "authority", "need", "timing")},
    )
    assert "Ready to move to Needs analysis" in ready.content.decode()
    assert where.journey(deal).gate_state == "ready"
    assert (
        post(
            client,
            move_url(deal),
            {"kind": "advance", "asked": 1, "version": where.journey(deal).version},
            **PANEL,
        ).status_code
        == 200
    )

    mend(
        "mend_file",
        criterion="req_confirmed",
        document_kind="requirement_confirmation",
        reference="档案柜 3",
        by_customer="1",
    )
    mend("mend_relation", criterion="eb_identified", role="EB", depth=2, stance=0, new_name="赵总")
    mend("mend", criterion="fr_for_solution_design", **{"f.fr": where.he.pk})
    client.force_login(where.chen)
    last = mend("attest", criterion="ati", statement="同意")
    assert "Ready to move to Solution design" in last.content.decode()
    assert "fl:changed" in json.loads(last.headers["HX-Trigger"])


def test_a_refused_mend_keeps_what_was_typed_and_writes_nothing(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    before = Event.objects.count()

    answer = post(
        client,
        reverse("crm:mend_activity", args=[deal.pk]),
        {
            "criterion": "contact_two_way",
            "activity_kind": "visit",
            "outcome": "talked",
            "summary": "",
            "new_name": "李工",
            "new_department": "设备部",
        },
        **PANEL,
    )

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Say in a few words what it is about." in text and 'value="李工"' in text
    assert Event.objects.count() == before  # the new contact is not left behind either


@pytest.mark.rule("OV-1")
def test_a_manager_waives_with_reason_and_end_and_the_owner_only_learns_who_may(
    where: Company, client: Client
) -> None:
    deal = where.fulfil(where.deal(), but=("problem_stated",))
    client.force_login(where.zhou)
    seen = client.get(reverse("crm:panel", args=[deal.pk]), headers=HTMX).content.decode()
    assert "An item can be waived by 陈立新" in seen and 'name="waived"' not in seen
    body = {
        "waived": "problem_stated",
        "criterion": "waiver",
        "reason": "time_first",
        "text": "客户下周才能给出书面说法",
        "until": (timezone.localdate() + timedelta(days=30)).isoformat(),
    }
    assert post(client, reverse("crm:waive", args=[deal.pk]), body, **PANEL).status_code == 403

    client.force_login(where.chen)
    short = post(client, reverse("crm:waive", args=[deal.pk]), {**body, "text": "急"}, **PANEL)
    assert short.status_code == 422 and "at least 10 characters" in short.content.decode()
    assert post(client, reverse("crm:waive", args=[deal.pk]), body, **PANEL).status_code == 200
    assert (where.journey(deal).gate_state, where.journey(deal).gate_waived) == ("waived", 1)


# --- what the board shows ---


@pytest.mark.rule("U02")
def test_the_figures_are_sums_of_all_that_match(where: Company, client: Client) -> None:
    a = where.deal(amount=1_800_000)
    where.deal(amount=600_000, days_ago=40)
    ready = where.fulfil(where.deal(stage="needs_analysis", amount=2_000_000))
    where.next_step(a, days=0)
    where.next_step(ready, days=-2)
    client.force_login(where.zhou)

    page = client.get(reverse("crm:board"))
    first, second = column(page, "customer_contact"), column(page, "needs_analysis")
    assert '<span class="n">2</span><span class="sum fl-num">¥2.4M</span>' in first
    assert "weighted ¥240K" in first and "No next step 1" in first and "Today 1" in first
    assert "1 ready" in second and "Overdue 1" in second and "weighted ¥500K" in second
    assert "is-overdue" in second and "2 days late" in second
    assert page.content.decode().count("<article") == 3

    only = client.get(reverse("crm:board"), {"next": "overdue"})
    assert cards(only) == [ready.journey_id]
    assert "Remove the filter" in only.content.decode()
    nothing = client.get(reverse("crm:board"), {"amount": "999999999"})
    assert cards(nothing) == [] and "Clear the filter" in nothing.content.decode()


@pytest.mark.rule("U02")
def test_after_each_of_fifty_moves_and_changes_the_figures_are_those_of_the_database(
    where: Company, client: Client
) -> None:
    """Whatever happened before and whatever the filter is: of each column and of the whole board."""
    dice, back = random.Random(50), document()["lists"]["regress"][0]["key"]
    deals = [where.deal(f"Deal {n}", amount=dice.randint(1, 900) * 10_000) for n in range(8)]
    client.force_login(where.zhou)
    acts = Counter[str]()
    translation.activate("en")
    for turn in range(50):
        deal = dice.choice(deals)
        deal.refresh_from_db()
        journey = where.journey(deal)
        act = dice.choice(["amount", "step", "move", "back", "new", "hold"])
        if act == "amount":
            where.edit(deal, amount=dice.choice([None, *range(1, 900)]))
        elif act == "step":
            where.next_step(deal, days=dice.randint(-9, 9))
        elif act == "new":
            deals.append(where.deal(f"Deal {len(deals)}", amount=dice.randint(1, 900) * 10_000))
        elif journey.state == "open" and act == "move" and journey.stage.key == "customer_contact":
            where.move(where.fulfil(deal))
        elif journey.state == "open" and act == "back" and journey.stage.key == "needs_analysis":
            where.move(deal, "regress", to="customer_contact", reason=back)
        elif journey.state == "open" and act == "hold":
            where.move(deal, "hold", reason="budget_waiting", form={"resume_date": "2099-01-08"})
        else:
            act = ""
        acts[act] += 1
        least = dice.choice([0, 0, 500_000, 3_000_000])
        page = client.get(reverse("crm:board"), {"amount": least} if least else {})
        rows = Journey.objects.filter(state="open", subject_type="opportunity", owner=where.zhou)
        rows = rows.filter(base_amount__gte=least) if least else rows
        for key in ("customer_contact", "needs_analysis"):
            said = re.search(
                r'<span class="n">([^<]*)</span><span class="sum fl-num">([^<]*)<', column(page, key)
            )
            found = rows.filter(stage__key=key).aggregate(n=Count("pk"), amount=Sum("base_amount"))
            wanted = (str(found["n"]), format_amount(found["amount"] or 0, "CNY"))
            assert said is not None and said.groups() == wanted, (turn, act, least, key)
        whole = rows.aggregate(n=Count("pk"), amount=Sum("base_amount"))
        total = page.content.decode().partition('id="board-sum"')[2].partition("</div>")[0]
        assert f'<b class="fl-num">{whole["n"]}</b>' in total, (turn, act, least)
        assert f'<b class="fl-num">{format_amount(whole["amount"] or 0, "CNY")}</b>' in total, (
            turn,
            act,
            least,
        )
    assert all(acts[act] for act in ("amount", "step", "move", "new", "hold")), acts


@pytest.mark.rule("U03")
def test_the_panel_repaints_the_card_on_the_board_and_nothing_elsewhere(
    where: Company, client: Client
) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    for page, has_card in ((reverse("crm:board"), True), (reverse("crm:opportunity", args=[deal.pk]), False)):
        here = {**PANEL, "HX-Current-URL": f"http://testserver{page}"}
        text = client.get(reverse("crm:panel", args=[deal.pk]), headers=here).content.decode()
        assert ("hx-swap-oob" in text) is has_card, page


def worked(days: int) -> int:
    """Calendar days ago after which so many working days have passed."""
    calendar, today = default_calendar(), timezone.localdate()
    return next(
        n for n in range(400) if calendar.working_days_between(today - timedelta(days=n), today) == days
    )


@pytest.mark.rule("U05", "SL-2")
def test_days_in_a_stage_turn_amber_after_the_first_threshold_and_red_after_the_second_with_words(
    where: Company, client: Client
) -> None:
    for days in (2, 17, 45):
        where.deal(days_ago=worked(days))
    client.force_login(where.zhou)

    text = column(client.get(reverse("crm:board")), "customer_contact")

    found = re.findall(r'class="fl-num fl-c fl-b is-(due|overdue)".*?</svg> (\d+) / 20 d<', text)
    assert sorted(found) == [("due", "17"), ("overdue", "45")]
    assert 'class="fl-num">2 d<' in text


@pytest.mark.rule("SL-1", "SL-2")
def test_a_card_says_which_clock_asks_for_a_hand(where: Company, client: Client) -> None:
    where.deal(stage="solution_design", days_ago=worked(12))
    client.force_login(where.zhou)

    text = column(client.get(reverse("crm:board")), "solution_design")

    assert re.findall(r'is-(due|overdue)".*?</svg> (quiet \d+ d)<', text) == [("due", "quiet 12 d")]


@pytest.mark.rule("T05")
@pytest.mark.parametrize(
    "who", ["zhou", "lin", "wu", "qi", "sun", "he", "chen", "luo", "tang", "admin", "fang", "mo"]
)
def test_a_board_holds_exactly_the_deals_that_its_reader_sees(
    where: Company, client: Client, who: str
) -> None:
    for owner in ("zhou", "wu", "qi"):
        where.deal(owner=getattr(where, owner))
    where.edit(where.deal(), sr=where.sun.pk, fr=where.he.pk)
    user = getattr(where, who)
    wanted = set(Opportunity.objects.visible_to(user).values_list("journey_id", flat=True))
    client.force_login(user)

    assert set(visible_journeys(user, "key_account_opportunity").values_list("pk", flat=True)) == wanted
    assert set(cards(client.get(reverse("crm:board")))) == wanted


@pytest.mark.rule("T05")
def test_a_stranger_finds_nothing_and_changes_nothing(where: Company, client: Client) -> None:
    deal = where.fulfil(where.deal())
    before = (Event.objects.count(), where.journey(deal).version)
    client.force_login(where.qi)

    assert client.get(reverse("crm:panel", args=[deal.pk])).status_code == 404
    assert client.get(move_url(deal)).status_code == 404
    for name in ("move", "mend", "mend_activity", "mend_file", "mend_relation", "mend_task"):
        assert (
            post(client, reverse(f"crm:{name}", args=[deal.pk]), {"to": "needs_analysis"}).status_code == 404
        ), name
    assert post(client, reverse("crm:undo_move", args=[deal.pk, 1]), {}).status_code == 404
    client.force_login(where.luo)  # a manager, of another branch
    for name in ("attest", "waive"):
        assert post(client, reverse(f"crm:{name}", args=[deal.pk]), {}).status_code == 404, name
    client.force_login(where.shen)  # an auditor sees it and moves nothing
    assert client.get(reverse("crm:panel", args=[deal.pk])).status_code == 200
    assert post(client, move_url(deal), {"to": "needs_analysis"}).status_code == 403
    assert (Event.objects.count(), where.journey(deal).version) == before


def test_a_guest_is_sent_to_sign_in(where: Company, client: Client) -> None:
    assert client.get(reverse("crm:board")).status_code == 302
    assert client.get(reverse("crm:board"), headers=HTMX).status_code == 401


@pytest.mark.rule("U29")
@pytest.mark.parametrize("rows", [1, 50])
def test_the_board_asks_as_much_for_one_card_as_for_fifty(
    where: Company, client: Client, django_assert_num_queries: Any, rows: int
) -> None:
    for n in range(rows):
        deal = where.deal(stage=STAGES[n % 5])
        if n % 2:
            where.next_step(deal)
    client.force_login(where.zhou)
    client.get(reverse("crm:board"))  # published documents are read once

    with django_assert_num_queries(16):
        page = client.get(reverse("crm:board"))

    assert len(cards(page)) == rows


def test_more_cards_come_by_link_and_by_piece(where: Company, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("fairlead.crm.selectors.board.MAX_CARDS", 10)  # two a column
    deals = [where.deal(amount=n * 100_000) for n in range(11, 0, -1)]
    client.force_login(where.zhou)

    page = client.get(reverse("crm:board"))
    assert cards(page) == [d.journey_id for d in deals[:2]]
    text = column(page, "customer_contact")
    assert '<span class="n">11</span>' in text and ">9 more<" in text

    link = re.search(r'href="(\?[^"]*more=[^"#]*)', text)
    piece = re.search(r'hx-get="([^"]*)"', text)
    assert link and piece
    assert len(cards(client.get(reverse("crm:board") + link.group(1).replace("&amp;", "&")))) == 11
    rest = client.get(piece.group(1).replace("&amp;", "&"), headers=HTMX)
    assert cards(rest) == [d.journey_id for d in deals[2:4]] and ">7 more<" in rest.content.decode()


# --- news of others ---


@pytest.mark.rule("U03")
def test_what_a_card_draws_stands_in_the_page_itself(where: Company, client: Client) -> None:
    for kind in NEXT_ICONS:
        where.next_step(where.deal(f"with {kind}"), kind=kind)
    where.deal("without a step")
    client.force_login(where.zhou)
    for address in ("/board/", "/board/changes?token=0.0", "/board/more/?column=customer_contact&offset=0"):
        text = client.get(address).content.decode()
        cards = re.findall(r"<article class=.fl-card.*?</article>", text, re.DOTALL)
        drawn = {href for card in cards for href in re.findall(r'<use href="([^"]+)"', card)}
        assert len(cards) == len(NEXT_ICONS) + 1
        assert {f"#icon-{icon}" for icon in (*NEXT_ICONS.values(), "alert-triangle")} < drawn
        for href in drawn:
            assert f'<symbol id="{href.removeprefix("#")}"' in text, (address, href)


def test_news_come_once_and_only_for_the_columns_that_changed(
    where: Company, client: Client, django_assert_max_num_queries: Any
) -> None:
    deal = where.fulfil(where.deal())
    where.deal(stage="signing")
    client.force_login(where.zhou)
    page = client.get(reverse("crm:board"))
    token = re.search(r'data-token="([^"]*)"', page.content.decode())
    assert token
    url = reverse("crm:board_changes")

    with django_assert_max_num_queries(4):
        assert client.get(url, {"token": token.group(1)}, headers=HTMX).status_code == 204
    where.deal(owner=where.qi)  # somebody else's deal is no news here
    assert client.get(url, {"token": token.group(1)}, headers=HTMX).status_code == 204
    where.move(deal, to="needs_analysis", by=where.chen)
    news = client.get(url, {"token": token.group(1)}, headers=HTMX)

    assert news.status_code == 200
    assert set(re.findall(r'id="col-(\w+)"', news.content.decode())) == {"customer_contact", "needs_analysis"}
    assert f'data-journey="{deal.journey_id}"' in column(news, "needs_analysis")
    assert client.get(url, {"token": news.headers["X-Board-Token"]}, headers=HTMX).status_code == 204
    for broken in ("", "x", "1.2.3", "9" * 40 + ".1"):
        assert client.get(url, {"token": broken}, headers=HTMX).status_code == 200


def test_a_deal_given_away_leaves_the_board_of_its_former_owner(where: Company, client: Client) -> None:
    from fairlead.crm.services import reassign

    deal = where.deal()
    client.force_login(where.zhou)
    token = re.search(r'data-token="([^"]*)"', client.get(reverse("crm:board")).content.decode())
    assert token
    reassign("opportunity", deal.pk, owner=where.wu, version=deal.version, **where.how(where.chen))

    news = client.get(reverse("crm:board_changes"), {"token": token.group(1)}, headers=HTMX)

    assert news.status_code == 200 and cards(news) == []
    assert 'id="col-customer_contact"' in news.content.decode()


# --- without a script, and with bad input ---


@pytest.mark.rule("U04")
def test_without_a_script_everything_is_a_page(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)

    choices = client.get(move_url(deal))
    assert (
        choices.status_code == 200
        and f"{reverse('crm:panel', args=[deal.pk])}?kind=hold" in choices.content.decode()
    )
    refused = client.post(move_url(deal), {"to": "needs_analysis", "version": where.journey(deal).version})
    assert refused.status_code == 422 and "<!doctype html>" in refused.content.decode()
    assert 'action="' + reverse("crm:mend", args=[deal.pk]) in refused.content.decode()

    mended = client.post(
        reverse("crm:mend", args=[deal.pk]),
        {
            "deal_version": deal.version,
            "kind": "advance",
            "to": "needs_analysis",
            "f.customer_problem": "停机",
        },
    )
    assert (
        mended.status_code == 302
        and mended.url == f"{reverse('crm:panel', args=[deal.pk])}?kind=advance&to=needs_analysis"
    )
    where.fulfil(deal, but=("problem_stated",))
    moved = client.post(
        move_url(deal), {"kind": "advance", "version": where.journey(deal).version, "asked": 1}
    )
    assert moved.status_code == 302 and moved.url == reverse("crm:board")
    assert f"{deal.name} moved to Needs analysis" in client.get(reverse("crm:board")).content.decode()
    outside = client.post(
        move_url(deal),
        {
            "kind": "close_lost",
            "reason": "fit",
            "competitor": "x",
            "asked": 1,
            "next": "https://evil.example/",
        },
    )
    assert outside.status_code == 302 and outside.url == reverse("crm:board")


def test_a_deal_is_registered_from_the_board(where: Company, client: Client) -> None:
    account = where.account("启晨半导体")
    client.force_login(where.zhou)

    assert (
        "启晨半导体"
        in client.get(reverse("crm:account_options"), {"q": "qcbdt"}, headers=HTMX).content.decode()
    )
    wrong = post(
        client, reverse("crm:new_deal"), {"name": "", "account": "没有这家", "amount": "abc"}, **PANEL
    )
    assert wrong.status_code == 422
    assert "No account is called" in wrong.content.decode() and 'value="abc"' in wrong.content.decode()
    done = post(
        client,
        reverse("crm:new_deal"),
        {
            "name": "二期 FMCS 扩容",
            "account": "启晨半导体",
            "amount": "4300000",
            "expected_close_date": "2030-01-31",
        },
        **PANEL,
    )
    assert done.status_code == 200 and "close-panel" in json.loads(done.headers["HX-Trigger"])
    deal = Opportunity.objects.get(name="二期 FMCS 扩容")
    assert (deal.account_id, deal.amount, deal.owner_id) == (account.pk, Decimal("4300000.00"), where.zhou.pk)
    assert stage(where, deal) == "customer_contact"
    client.force_login(where.shen)
    assert client.get(reverse("crm:new_deal")).status_code == 403


@pytest.mark.rule("T23")
@pytest.mark.parametrize("text", NASTY, ids=["nul", "surrogate", "rtl", "emoji", "megabyte", "sql", "digits"])
def test_bad_text_is_stored_or_refused_but_never_breaks(where: Company, client: Client, text: str) -> None:
    deal = where.deal()
    pk = deal.pk
    raw = text.encode("utf-8", "surrogatepass")
    client.force_login(where.zhou)
    names = (
        "to",
        "kind",
        "reason",
        "comment",
        "competitor",
        "resume_date",
        "amount",
        "version",
        "deal_version",
        "f.customer_problem",
        "f.pain_value",
        "f.next_meeting_on",
        "f.bant_need",
        "f.sr",
        "f.account",
        "summary",
        "activity_kind",
        "outcome",
        "done_on",
        "contacts",
        "new_name",
        "document_kind",
        "reference",
        "name",
        "valid_until",
        "role",
        "contact",
        "depth",
        "title",
        "list",
        "done",
        "account",
        "expected_close_date",
        "criterion",
        "waived",
        "until",
        "text",
        "statement",
        "next",
    )
    urls = [
        reverse(f"crm:{name}", args=[pk])
        for name in ("move", "mend", "mend_activity", "mend_file", "mend_relation", "mend_task")
    ] + [reverse("crm:new_deal")]
    from urllib.parse import quote_from_bytes

    for url in urls:
        for asked in ("", "1"):
            body = "&".join(
                f"{n}={quote_from_bytes(raw)}" for n in (names if len(raw) < 1000 else names[:12])
            )
            answer = client.post(
                url, f"{body}&asked={asked}", content_type="application/x-www-form-urlencoded", headers=PANEL
            )
            assert answer.status_code < 500, (url, answer.status_code)
    if len(raw) < 1000:
        for name in (
            "q",
            "owner",
            "amount",
            "account",
            "close_from",
            "close_to",
            "next",
            "gate",
            "process",
            "scope",
            "sort",
            "more",
            "column",
            "offset",
            "as",
            "to",
            "kind",
            "token",
        ):
            for url in (
                reverse("crm:board"),
                reverse("crm:board_changes"),
                reverse("crm:account_options"),
                reverse("crm:panel", args=[pk]),
            ):
                assert client.get(f"{url}?{name}={quote_from_bytes(raw)}").status_code < 500, (url, name)
    assert stage(where, deal) == "customer_contact" and where.journey(deal).state == "open"


def test_a_number_that_no_table_holds_is_not_here(where: Company, client: Client) -> None:
    client.force_login(where.zhou)
    for pk in (2**63, 10**40):
        assert client.get(f"/opportunities/{pk}/panel/").status_code == 404
        assert client.post(f"/opportunities/{pk}/move/", {"to": "signing"}).status_code == 404
        assert client.post(f"/opportunities/1/undo/{pk}/").status_code == 404
    assert Journey.objects.count() == 0
