"""The figures of the real pipeline, to the digit, through the API."""

import pytest

# One worker: they share a pipeline that takes seconds to build.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("pipeline")]
AS_OF = "2017-12-31"


@pytest.mark.rule("V-3.1", "V-3.9", "V-3.16")
def test_the_api_gives_the_figures_of_the_files(pipeline, sign_in):
    client = sign_in(pipeline["admin"])

    def ask(reading: str, **query: str) -> dict:
        answer = client.get(f"/api/v1/{reading}", {"as_of": AS_OF, **query})
        assert answer.status_code == 200, answer.content
        found: dict = answer.json()
        return found

    assert [row["count"] for row in ask("funnel/stock")["rows"]] == [500, 1_589]

    engaging = ask("funnel/period")["rows"][1]
    assert (engaging["count"]["n"], engaging["ends"]["won"]) == (6_711, 4_238)

    stay = ask("funnel/time-in-stage", at="138")["rows"][1]
    assert (stay["n"], stay["median"]["value"]) == (8_300, 69)
    chances = {
        cause: round(share["value"], 4) for cause, share in stay["chances"]["138"].items() if share["value"]
    }
    assert (chances["won"], chances["lost"]) == (0.5194, 0.3017)

    cohort = ask("funnel/cohort", **{"from": "2017-01-01", "to": "2017-03-31", "days": "90"})["rows"][1][
        "count"
    ]
    assert (cohort["n"], cohort["k"]) == (1_619, 606)
    assert [round(cohort[name], 4) for name in ("value", "low", "high")] == [0.3743, 0.3511, 0.3981]

    win = ask("funnel/win-rate", basis="closed")
    assert (win["count"]["k"], win["count"]["n"], win["won_value"]) == (4_238, 6_711, 10_005_534)

    figures = ask("figures")
    del figures["accounts"]  # the fixture leaves them out
    assert figures == {
        "opportunities": 8_800, "people": 30, "won": 4_238, "lost": 2_473, "open": 2_089,
        "win_rate_closed": 0.6315, "won_value": 10_005_534, "median_days_to_close": 45,
    }  # fmt: skip
