"""The readings of the funnel over the rows that the asker sees."""

import pytest

from fairlead.insight import history


@pytest.fixture(autouse=True)
def fresh():
    history.forget()
    yield
    history.forget()


def test_a_stock_counts_what_one_sees(where, key_of):
    where.deal(amount=100)
    where.deal(amount=200, owner=where.lin)
    where.deal(amount=400, owner=where.qi, stage="needs_analysis")
    stock = {
        name: key_of(where.people[name]).get("/funnel/stock").json() for name in ("zhou", "chen", "admin")
    }
    assert {name: (s["n"], s["amount"]) for name, s in stock.items()} == {
        "zhou": (1, 100), "chen": (2, 300), "admin": (3, 700),
    }  # fmt: skip
    rows = {row["stage"]: row["count"] for row in stock["admin"]["rows"] if row["count"]}
    assert rows == {"customer_contact": 2, "needs_analysis": 1}
    assert key_of(where.admin).get("/funnel/stock", owner=where.qi.pk).json()["n"] == 1
    assert key_of(where.admin).get("/funnel/stock", team=where.teams["east"].pk).json()["n"] == 2


def test_too_few_cases_have_no_share(where, key_of):
    where.deal(stage="needs_analysis")
    rows = key_of(where.admin).get("/funnel/cohort", days=30).json()["rows"]
    first = rows[0]["count"]
    assert (first["enough"], first["value"], first["low"]) == (False, None, None)


def test_every_reading_answers_an_empty_pipeline(where, key_of):
    door = key_of(where.chen)
    for path in ("period", "path", "time-in-stage", "win-rate", "cohort", "stock"):
        answer = door.get(
            f"/funnel/{path}", **{"from": "2026-01-01", "to": "2026-03-31", "as_of": "2026-06-30"}
        )
        assert answer.status_code == 200, path
        assert answer.json()["process"] == "key_account_opportunity"


def test_a_question_that_cannot_be_read_is_refused(where, key_of):
    door = key_of(where.chen)
    for query in (
        {"process": "nothing"}, {"from": "2026-02-30"}, {"from": "2026-03-01", "to": "2026-01-01"}, {"team": 999999},
        {"x": 1},
    ):  # fmt: skip
        assert door.get("/funnel/stock", **query).status_code == 400, query


def test_the_figures_are_for_those_who_see_everything(where, key_of, session_of):
    where.deal(amount=100)
    figures = key_of(where.admin).get("/figures").json()
    assert (figures["opportunities"], figures["open"], figures["won"], figures["win_rate_closed"]) == (
        1,
        1,
        0,
        None,
    )
    assert key_of(where.chen).get("/figures").status_code == 403
    assert session_of(where.newcomer).get("/figures").status_code == 403
