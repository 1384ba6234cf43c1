"""Every number opens as many rows as it says; nobody's numbers are made of rows that they may not see."""

import html
import random
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.crm.models import Opportunity
from fairlead.insight.funnel.asked import ask
from fairlead.insight.funnel.page import context
from fairlead.insight.funnel.rows import find
from fairlead.insight.questions import Question
from fairlead.insight.scopes import scope_for

# One worker: they share a pipeline that takes seconds to build.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pipeline")]
NOW = datetime(2026, 2, 1, tzinfo=UTC)
QUERIES = [
    {"as_of": "2017-12-31"},
    {"as_of": "2017-12-31", "from": "2017-01-01", "to": "2017-03-31"},
    {"as_of": "2017-09-30", "mode": "touch", "days": "60"},
    {"as_of": "2017-12-31", "reading": "period", "from": "2017-07-01", "to": "2017-09-30"},
    {"as_of": "2017-12-31", "reading": "stock"},
    {"reading": "stock"},
]


def cells_of(shown):
    """Every count with an address: (number, cell, question)."""
    tables = [shown["figures"], shown["stay_table"], shown["ends_table"]]
    for table in tables:
        for row in table.rows:
            for cell in row:
                if isinstance(cell, dict) and cell.get("url") and isinstance(cell.get("raw"), int):
                    yield cell["raw"], cell["url"]
    for bar in shown["bars_data"]:
        yield bar["value"], bar["url"]
    for stage in shown["thread"]:
        yield int(stage["figure"].replace(",", "")), stage["url"]


@pytest.mark.rule("U24")
@pytest.mark.parametrize("who", ["admin", "Dustin Brinkmann", "Darcel Schlecht"])
def test_each_of_a_hundred_figures_opens_as_many_rows_as_it_says(pipeline, who):
    cells = []
    for query in QUERIES:
        asked = ask(pipeline[who], Question.read(query), now=NOW)
        cells += [(number, url) for number, url in cells_of(context(asked)) if "cell=" in url]
    chosen = random.Random(7).sample(cells, min(100, len(cells)))

    assert len(chosen) >= 60
    for number, url in chosen:
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        asked = ask(pipeline[who], Question.read(query), now=NOW)
        assert len(find(asked, query["cell"])) == number, url


@pytest.mark.rule("U24")
def test_the_page_of_rows_lists_them_with_their_number(pipeline, sign_in):
    client = sign_in(pipeline["admin"])
    page = client.get("/funnel/", {"as_of": "2017-12-31", "reading": "stock"}).content.decode()
    url = html.unescape(re.search(r'href="([^"]+cell=stock\.prospecting\.undated)"', page).group(1))

    answer = client.get(url).content.decode()

    assert 'data-count="500"' in answer
    assert answer.count('<tr><th scope="row">') == 50


@pytest.mark.rule("T05")
@pytest.mark.parametrize("who", ["Darcel Schlecht", "Anna Snelling", "Dustin Brinkmann"])
def test_figures_are_made_of_visible_rows_alone(pipeline, who):
    user = pipeline[who]
    visible = set(Opportunity.objects.visible_to(user).values_list("pk", flat=True))

    asked = ask(user, Question.read({"as_of": "2017-12-31"}), now=NOW)

    mask = scope_for(user, asked.loaded)
    assert set(asked.loaded.subject[mask].tolist()) == visible
    assert 0 < len(visible) < 8_800
    found = find(asked, "time.engaging.all")
    assert set(asked.loaded.subject[found.case].tolist()) <= visible


@pytest.mark.rule("T05")
def test_a_member_of_the_deal_team_counts_the_deal_and_a_stranger_does_not(pipeline):
    owner, helper = pipeline["Darcel Schlecht"], pipeline["Anna Snelling"]
    deal = Opportunity.objects.filter(owner=owner).first()
    Opportunity.objects.filter(pk=deal.pk).update(sr=helper)

    asked = ask(helper, Question.read({}), now=NOW)

    assert deal.pk in asked.loaded.subject[scope_for(helper, asked.loaded)].tolist()
    other = ask(pipeline["Cecily Lampkin"], Question.read({}), now=NOW)
    assert deal.pk not in other.loaded.subject[scope_for(pipeline["Cecily Lampkin"], other.loaded)].tolist()


@pytest.mark.rule("T05")
def test_asking_for_another_team_or_owner_never_widens(pipeline):
    seller, other = pipeline["Darcel Schlecht"], pipeline["Anna Snelling"]

    asked = ask(seller, Question.read({"owner": str(other.pk), "team": str(other.team_id)}), now=NOW)

    assert not asked.scope.any()
    assert len(find(asked, "time.engaging.all")) == 0


@pytest.mark.rule("T05")
def test_without_the_right_there_is_no_page(pipeline, sign_in):
    from tests.insight.conftest import person

    nobody = person("nobody")

    assert sign_in(nobody).get("/funnel/").status_code == 403


@pytest.mark.parametrize("path", ["/funnel/", "/funnel/rows/", "/funnel/export.csv"])
@pytest.mark.parametrize(
    "query",
    [
        {"from": "2017-13-01"},
        {"to": "yesterday"},
        {"from": "2017-02-02", "to": "2017-01-01"},
        {"days": "0"},
        {"days": "99999999999"},
        {"at": "-1"},
        {"mode": "both"},
        {"reading": "x"},
        {"process": "nosuch"},
        {"team": "1e9"},
        {"team": "999999"},
        {"start": "nosuch"},
        {"stage": "<b>"},
        {"as_of": "0001-01-01"},
        {"as_of": "20171231"},
        {"owner": "²"},
        {"process": "x" * 100},
    ],
)
def test_what_cannot_be_read_is_refused_with_400(pipeline, sign_in, path, query):
    answer = sign_in(pipeline["admin"]).get(path, {"cell": "stock.engaging.all", **query})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "x",
        "stock",
        "stock.engaging",
        "stock.nosuch.all",
        "stock.engaging.hit",
        "period.engaging.nosuch",
        "time.engaging.won.x",
        "time.engaging.won.99999",
        "win.nosuch",
        "win.open",
        "path.won",
        "cohort.engaging.all.1",
        "." * 150,
        "win.won" + "x" * 300,
    ],
)
def test_a_figure_that_does_not_exist_is_refused_with_400(pipeline, sign_in, cell):
    assert sign_in(pipeline["admin"]).get("/funnel/rows/", {"cell": cell}).status_code == 400


words = st.sampled_from(
    [
        "",
        "reach",
        "touch",
        "stock",
        "period",
        "2017-01-01",
        "2017-06-30",
        "9998-12-31",
        "1970-01-01",
        "1",
        "90",
        "3650",
        "engaging",
        "prospecting",
        "example",
        "full",
        "closed",
        "\x00",
        "\ud800",
        "９０",
        "-5",
        "1" * 30,
        "🙂",
    ]
)
names = st.sampled_from(
    [
        "process",
        "reading",
        "team",
        "owner",
        "from",
        "to",
        "days",
        "at",
        "mode",
        "basis",
        "start",
        "stage",
        "as_of",
    ]
)


@given(query=st.dictionaries(names, words, max_size=6))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_question_is_answered_or_refused(pipeline, query):
    from fairlead.common.refusals import Refusal

    try:
        asked = ask(pipeline["Darcel Schlecht"], Question.read(query), now=NOW)
    except Refusal as refusal:
        assert refusal.status in (400, 404)
        return
    shown = context(asked)
    assert shown["figures"].rows
    for number, url in cells_of(shown):
        given_back = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert Question.read(given_back) == asked.question
        assert number >= 0


@pytest.mark.parametrize("who", ["admin", "Darcel Schlecht"])
def test_the_page_asks_the_database_little_whatever_it_shows(
    pipeline, sign_in, who, django_assert_max_num_queries
):
    client = sign_in(pipeline[who])
    client.get("/funnel/", {"as_of": "2017-12-31"})

    with django_assert_max_num_queries(20):
        client.get("/funnel/", {"as_of": "2017-12-31"})
    with django_assert_max_num_queries(20):
        client.get("/funnel/rows/", {"cell": "time.engaging.all", "as_of": "2017-12-31"})
