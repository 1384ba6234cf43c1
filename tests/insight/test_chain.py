"""The value chain counts what is under way, of rows the reader sees; an account's lineage shows what came of what."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.insight.conftest import person

from fairlead.crm.services import NewRecord, create, create_many, start_process
from fairlead.insight.chain import chain_stages
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import Organisation
from fairlead.process.services.shipping import publish_template

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
HOW = {"at": NOON, "channel": Channel.UI}


@pytest.fixture
def house():
    Organisation.objects.create(pk=1, name="海纳工业", time_zone="Asia/Shanghai")
    publish_template("key_account", by=None, at=NOON, channel=Channel.SYSTEM)
    east, west = (
        services.create_team(name=n, parent=None, by=None, at=NOON, channel=Channel.SYSTEM) for n in "EW"
    )
    admin, seller = person("admin", roles=("ADMIN",)), person("seller", team=east, roles=("AR",))
    other = person("other", team=west, roles=("AR",))
    segment = create("segment", {"name": "矿山"}, by=admin, **HOW)
    start_process("segment", segment.pk, process_key="market_research", by=admin, **HOW)
    account = create("account", {"name": "云岭矿业", "segment": segment.pk}, by=seller, **HOW)
    start_process("account", account.pk, process_key="account_development", by=seller, **HOW)
    deals = create_many("opportunity", [
        NewRecord(values={"name": f"项目 {n}", "account": account.pk, "amount": Decimal(100)}) for n in range(3)
    ], by=seller, **HOW)  # fmt: skip
    return admin, seller, other, account, deals


def counts(user):
    return [(s.number, p.subject_type, p.count) for s in chain_stages(user) for p in s.parts]


@pytest.mark.rule("PD-1", "T05")
def test_eight_stages_with_what_is_under_way(house):
    admin, seller, other, _account, _deals = house

    assert counts(admin) == [
        (1, "segment", 1), (2, "account", 1), (3, "opportunity", 3), (4, "opportunity", 0), (5, "opportunity", 0),
        (6, "opportunity", 0), (7, "opportunity", 0), (7, "contract", 0), (8, "account", 0),
    ]  # fmt: skip
    assert (3, "opportunity", 3) in counts(seller)
    assert (3, "opportunity", 0) in counts(other)
    assert (2, "account", 0) in counts(other)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_page_names_the_stages_and_links_to_lists(house, sign_in, language):
    admin, *_rest = house
    type(admin).objects.filter(pk=admin.pk).update(language=language)
    admin.refresh_from_db()

    page = sign_in(admin).get("/value-chain/").content.decode()

    assert ("市场调研" if language == "zh-hans" else "Market research") in page
    assert "/value-chain/rows/?stage=3&amp;process=key_account_opportunity" in page
    assert "/processes/contract_fulfilment/" in page


@pytest.mark.rule("U24", "T01")
def test_every_number_opens_exactly_its_rows(house, sign_in):
    admin, seller, other, _account, _deals = house
    for user in (admin, seller, other):
        for stage in chain_stages(user):
            for part in stage.parts:
                if not part.count:
                    assert part.url == ""
                    continue
                page = sign_in(user).get(part.url).content.decode()
                assert f'data-count="{part.count}"' in page
                assert page.count('<th scope="row">') == part.count
    own = "/value-chain/rows/?stage=3&process=key_account_opportunity"
    assert 'data-count="0"' in sign_in(other).get(own).content.decode()
    for lost in (
        "",
        "?stage=9&process=key_account_opportunity",
        "?stage=3&process=market_research",
        "?stage=x",
    ):
        assert sign_in(admin).get(f"/value-chain/rows/{lost}").status_code == 404


@pytest.mark.rule("T05")
def test_the_lineage_of_an_account_shows_what_came_of_what(house, sign_in):
    admin, seller, other, account, _deals = house
    path = f"/value-chain/accounts/{account.pk}/"

    page = sign_in(seller).get(path).content.decode()

    for words in ("矿山", "云岭矿业", "项目 0", "项目 2"):
        assert words in page
    assert sign_in(other).get(path).status_code == 404
    assert sign_in(admin).get("/value-chain/accounts/999999/").status_code == 404


def test_a_chain_of_deals_that_runs_in_a_circle_ends(house, sign_in):
    from fairlead.process.models import ChainLink

    admin, _seller, _other, account, deals = house
    for one, two in ((0, 1), (1, 2), (2, 1)):
        ChainLink.objects.create(
            from_subject_type="opportunity", from_subject_id=deals[one].pk, to_subject_type="opportunity",
            to_subject_id=deals[two].pk, kind="successor", linked_at=NOON,
        )  # fmt: skip

    answer = sign_in(admin).get(f"/value-chain/accounts/{account.pk}/")

    assert answer.status_code == 200
