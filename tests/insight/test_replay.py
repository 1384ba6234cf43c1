"""A draft tried on history: what the page, the API and the command say, to whom, and of whose rows."""

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone, translation
from tests.factories.crm import PROCESS, STAGES, Company, company, document
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.analytics.intervals import FLOOR, Rate
from fairlead.crm.models import Opportunity
from fairlead.insight.replay import asked, figures, words
from fairlead.process.files import read_yaml, write_yaml
from fairlead.process.models import Journey, ProcessVersion

pytestmark = pytest.mark.django_db
URL = f"/processes/{PROCESS}/replay/"
API = f"/api/v1/processes/{PROCESS}/replay"
FIRST, SECOND = STAGES[:2]


@pytest.fixture
def where() -> Iterator[Company]:
    with translation.override("en"):
        yield company(language="en")


def draft(*criteria: dict[str, Any]) -> dict[str, Any]:
    """The published document as the next version, its first gate asking for `criteria` too."""
    found = copy.deepcopy(document())
    found["version"] = 2
    found["stages"][0]["exit"] = [*found["stages"][0]["exit"], *criteria]
    return found


NAMED = {
    "key": "named", "name": {"zh": "写明对手", "en": "Competitor named"}, "type": "field", "level": "block",
    "condition": {"field": "competitor", "op": "present"},
}  # fmt: skip
SITE = {
    "key": "site", "name": {"zh": "勘察报告", "en": "Site survey"}, "type": "document", "level": "block",
    "kind": "site_survey",
}  # fmt: skip


def travelled(where: Company, **values: Any) -> Opportunity:
    """A deal that has really left its first stage."""
    deal = where.deal(**values)
    where.move(where.fulfil(deal), to=SECOND)
    deal.refresh_from_db()
    return deal


def found_by(user: Any, content: dict[str, Any], most: int | None = None) -> figures.Replay:
    where = ProcessVersion.objects.get().process
    candidate = asked.candidate_for(where, content)
    return figures.replay(candidate, asked.journey_ids(where, user, most=most), at=timezone.now())


def criterion(found: figures.Replay, key: str) -> figures.CriterionFigures:
    return next(one for one in found.criteria if one.criterion.key == key)


def upload(client: Client, content: dict[str, Any] | str) -> Any:
    text = content if isinstance(content, str) else write_yaml(content)
    return client.post(
        URL, {"version": "", "most": "500", "file": SimpleUploadedFile("p.yaml", text.encode())}
    )


@pytest.mark.rule("GT-4")
def test_it_says_which_records_it_would_have_stopped_where_and_by_what(where: Company) -> None:
    with_name, without = travelled(where, competitor="ABB"), travelled(where)
    where.deal(stage=SECOND)
    found = found_by(where.tang, draft(NAMED))
    assert (found.journeys, found.moves, found.imported, found.stopped_past) == (3, 2, 1, 1)
    assert found.by_stage == {FIRST: 1}
    past = [row for row in found.rows if not row.is_next]
    assert [(row.journey.pk, row.stage, list(row.by)) for row in past] == [
        (without.journey_id, FIRST, ["named"])
    ]
    named = criterion(found, "named")
    assert (named.asked, named.met, named.unmet, named.unknown, named.stopped) == (2, 1, 1, 0, 1)
    assert with_name.journey_id in {row.journey.pk for row in found.rows if row.is_next}


@pytest.mark.rule("GT-4")
def test_the_share_that_history_cannot_answer_is_said(where: Company) -> None:
    travelled(where)
    where.deal(stage=SECOND)
    found = found_by(where.tang, draft(SITE))
    assert (found.untold, found.stopped_past, criterion(found, "site").unknown) == (2, 0, 1)
    assert "2 of 2 moves (100%)" in words.untold(found)


def close(where: Company, deal: Opportunity, outcome: str) -> None:
    """As it ended, without the ways through all gates."""
    Journey.objects.filter(pk=deal.journey_id).update(
        state=outcome, outcome=outcome, closed_at=timezone.now()
    )


@pytest.mark.rule("V-3.1")
def test_win_rates_stand_with_interval_and_n_from_the_floor_on(where: Company) -> None:
    for number in range(FLOOR):
        close(where, travelled(where, competitor="ABB"), "won" if number < 7 else "lost")
        if number:
            close(where, travelled(where), "won" if number < 3 else "lost")
    named = criterion(found_by(where.tang, draft(NAMED)), "named")
    assert named.closed == {True: [7, 10], False: [2, 9]}
    assert named.difference.a == Rate.of(7, 10)
    assert words.rate(named.difference.a) == {"rate": "70%", "span": "40–89", "n": "n = 10"}
    assert words.rate(named.difference.b)["rate"] == "too few"
    assert words.verdict(named) == ""
    close(where, travelled(where), "lost")
    named = criterion(found_by(where.tang, draft(NAMED)), "named")
    assert words.rate(named.difference.b) == {"rate": "20%", "span": "6–51", "n": "n = 10"}
    assert words.verdict(named) == "won more often when met"


@pytest.mark.rule("VR-4")
def test_the_weighted_pipeline_stands_where_the_draft_would_have_stopped(where: Company) -> None:
    for number in range(FLOOR):
        travelled(where, amount=1000, **({"competitor": "ABB"} if number < 6 else {}))
    content = draft(NAMED)
    content["stages"][1]["probability"] = {"min": 0, "default": 50, "max": 100}
    line = found_by(where.tang, content).pipeline
    first, second = (s["probability"]["default"] for s in document()["stages"][:2])
    assert (line.n, line.held, line.left_out) == (10, 4, 0)
    assert line.before == pytest.approx(10 * 1000 * second / 100)
    assert line.by_chances == pytest.approx(10 * 1000 * 0.5)
    assert line.after == pytest.approx(6 * 1000 * 0.5 + 4 * 1000 * first / 100)


@pytest.mark.rule("T01")
def test_figures_and_lists_are_made_of_the_rows_that_one_sees(where: Company, client: Client) -> None:
    mine, other = travelled(where, name="看得见"), travelled(where, name="看不见", owner=where.qi)
    found = found_by(where.zhou, draft(NAMED))
    assert [row.journey.pk for row in found.rows] == [mine.journey_id]
    assert (found.journeys, criterion(found, "named").asked) == (1, 1)
    assert words.whose(1, 2) == ("Tried on the newest 1 of those that you see; the process has 2 records.")
    client.force_login(where.tang)
    text = upload(client, draft(NAMED)).content.decode()
    assert "看得见" in text
    assert "看不见" in text
    assert other.journey_id != mine.journey_id


@pytest.mark.rule("GT-4", "PD-3")
def test_the_page_tries_a_file_and_writes_nothing(where: Company, client: Client) -> None:
    travelled(where, name="车辆段智能运维")
    client.force_login(where.tang)
    assert client.get(URL).status_code == 200
    before = db_fingerprint()
    answer = upload(client, draft(NAMED, SITE))
    text = answer.content.decode()
    assert answer.status_code == 200
    for said in (
        "车辆段智能运维",
        "Competitor named",
        "It would have stopped <b>1</b> records",
        "Too few open",
    ):
        assert said in text
    assert changed(before, db_fingerprint()) == {}


@pytest.mark.rule("PD-3")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**draft(), "stages": []}, "stages"),
        (
            draft({**NAMED, "condition": {"field": "nosuch", "op": "present"}}),
            "stages.customer_contact.exit.named",
        ),
        ("a: [", "Line 1"),
        ("", "subject"),
        ({**draft(), "process": "another"}, "This is the document of the process “another”"),
    ],
)
def test_a_document_with_errors_is_refused_with_the_places(
    where: Company, client: Client, content: Any, said: str
) -> None:
    client.force_login(where.tang)
    before = db_fingerprint()
    answer = upload(client, content)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "h-found" not in answer.content.decode()
    assert changed(before, db_fingerprint()) == {}


def test_neither_file_nor_version_is_said(where: Company, client: Client) -> None:
    client.force_login(where.tang)
    answer = client.post(URL, {"version": "", "most": "500"})
    assert (answer.status_code, "Choose a version, or a file." in answer.content.decode()) == (422, True)
    answer = client.post(URL, {"version": "77"})
    assert (answer.status_code, "Choose one of the list." in answer.content.decode()) == (422, True)


@pytest.mark.rule("VR-1")
def test_a_stored_draft_is_tried_without_being_published(where: Company, client: Client) -> None:
    travelled(where)
    ProcessVersion.objects.create(
        process=where.version.process, number=2, status="draft", document=draft(NAMED), checksum="x"
    )
    client.force_login(where.tang)
    answer = client.post(URL, {"version": "2", "most": "500"})
    assert answer.status_code == 200
    assert "Competitor named" in answer.content.decode()
    assert ProcessVersion.objects.get(number=2).status == "draft"


@pytest.mark.rule("T06")
def test_only_those_who_may_publish_find_the_way(where: Company, client: Client) -> None:
    page = f"/processes/{PROCESS}/"
    for user, status in ((where.tang, 200), (where.admin, 200), (where.zhou, 403), (where.chen, 403)):
        client.force_login(user)
        assert client.get(URL).status_code == status
        assert (URL in client.get(page).content.decode()) is (status == 200)
    client.force_login(where.tang)
    assert client.get("/processes/nosuch/replay/").status_code == 404


@pytest.mark.rule("GT-4")
def test_the_api_gives_the_same_figures(where: Company, client: Client) -> None:
    travelled(where)
    client.force_login(where.tang)
    before = db_fingerprint()
    answer = client.post(API, {"document": draft(NAMED)}, content_type="application/json")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["journeys"], told["stopped"], told["answers"]["stopped"]) == (1, 1, 1)
    assert told["rows"][0]["criteria"] == ["named"]
    assert told["pipeline"]["before"] is None
    [named] = [c for c in told["criteria"] if c["criterion"] == "named"]
    assert (named["unmet"], named["win_rate_unmet"]["value"]) == (1, None)
    assert changed(before, db_fingerprint()) == {}
    bad = client.post(API, {"document": {**draft(), "stages": []}}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (422, "cannot-publish")
    for body in ({}, {"document": draft(), "version": 1}):
        assert client.post(API, body, content_type="application/json").status_code == 422


@pytest.mark.rule("GT-4", "VR-10")
def test_the_command_tries_compares_and_prints(where: Company, tmp_path: Path) -> None:
    travelled(where)
    file = tmp_path / "draft.yaml"
    file.write_text(write_yaml(draft(NAMED)), encoding="utf-8")
    before, out, err = db_fingerprint(), io.StringIO(), io.StringIO()
    call_command("process", "replay", str(file), stdout=out, stderr=err)
    assert "would have stopped 1 records" in out.getvalue()
    assert "1/1" in err.getvalue()
    out = io.StringIO()
    call_command("process", "replay", str(file), "--json", stdout=out, stderr=io.StringIO())
    assert json.loads(out.getvalue())["stopped"] == 1
    out = io.StringIO()
    call_command("process", "diff", str(file), stdout=out)
    assert "  + Customer contact: “Competitor named”" in out.getvalue()
    out = io.StringIO()
    call_command("process", "export", PROCESS, stdout=out)
    assert read_yaml(out.getvalue().encode()) == where.version.document
    assert changed(before, db_fingerprint()) == {}
