"""From a draft to history, to its publishing, to what becomes of running records: each by one button."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from tests.factories.crm import PROCESS, Company, company
from tests.process.versions import next_document, publish_next

from fairlead.process import services, views_drafts, views_versions
from fairlead.process.enums import MigrationState
from fairlead.process.models import Journey, Migration, ProcessDraft, ProcessVersion
from fairlead.process.selectors.versions import is_late_in_quarter, series_breaks
from fairlead.process.services.drafting import replace_document

pytestmark = pytest.mark.django_db
DRAFT, ACT = f"/processes/{PROCESS}/draft/", f"/processes/{PROCESS}/draft/act"


@pytest.fixture
def where(client) -> Company:
    made = company(language="en")
    client.force_login(made.people["tang"])
    services.begin_draft(PROCESS, **made.how(made.people["tang"]))
    return made


def edited(where):
    """The draft asks for one thing more at the first gate."""
    asked = {"key": "extra", "name": {"zh": "补充说明", "en": "Customer gave a reason"}, "type": "field", "level": "block",
             "field": "description", "op": "present"}  # fmt: skip
    given = {"stage": "customer_contact", "side": "exit", "criterion": asked}
    return services.edit_draft(
        PROCESS, "criterion_add", given, version=None, **where.how(where.people["tang"])
    )[0]


@pytest.mark.rule("VR-2")
def test_the_draft_is_tried_on_history_by_one_button(client, where):
    where.deal("园区网", stage="needs_analysis")
    edited(where)
    page = client.get(DRAFT).content.decode()
    assert f'action="/processes/{PROCESS}/replay/"' in page

    answer = client.post(f"/processes/{PROCESS}/replay/", {"version": "draft", "most": ""})

    text = answer.content.decode()
    assert answer.status_code == 200 and "Key account opportunity v2" in text
    assert "Customer gave a reason" in text
    assert ProcessDraft.objects.count() == 1 and ProcessVersion.objects.count() == 1


@pytest.mark.rule("VR-2", "VR-4")
def test_publishing_leads_into_the_plan_already_tried_with_the_usual_groups(client, where):
    early, late = where.deal("园区网"), where.deal("二期", stage="signing")
    row = edited(where)

    answer = client.post(ACT, {"act": "publish", "version": row.version})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/processes/{PROCESS}/migrate/")
    plan = Migration.objects.get()
    assert plan.state == MigrationState.CHECKED and plan.totals["journeys"] == 2
    choices = {r.journey_id: r.choice for r in plan.rows.all()}
    assert choices == {early.journey_id: "now", late.journey_id: "keep"}
    assert (
        Journey.objects.filter(process_version__number=1).count() == 2
    )  # nothing moved before it is confirmed
    assert "What it would change" in client.get(answer.headers["Location"]).content.decode()


@pytest.mark.rule("VR-3")
def test_a_hole_in_the_mapping_is_shown_and_stops_nothing_else(client, where):
    where.deal("园区网", stage="needs_analysis")
    document = next_document(rename=("needs_analysis", "discovery"), axis="discovery")
    row = replace_document(PROCESS, document, version=1, **where.how(where.people["tang"]))

    answer = client.post(ACT, {"act": "publish", "version": row.version})

    page = client.get(answer.headers["Location"]).content.decode()
    assert Migration.objects.get().state == MigrationState.PLANNED
    assert "has no place yet" in page


@pytest.mark.rule("VR-2")
def test_without_running_records_publishing_leads_to_the_process(client, where):
    row = edited(where)
    answer = client.post(ACT, {"act": "publish", "version": row.version})
    assert answer.headers["Location"] == f"/processes/{PROCESS}/"
    assert not Migration.objects.exists()


@pytest.mark.rule("VR-8")
@pytest.mark.parametrize(
    ("day", "late"),
    [
        (date(2026, 1, 31), False),
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 12, 31), True),
        (date(2026, 10, 1), False),
    ],
)
def test_the_last_third_of_a_quarter_is_warned_of_before_publishing_and_before_moving_over(
    client, where, monkeypatch, day, late
):
    assert is_late_in_quarter(day) is late
    where.deal("园区网")
    for module in (views_drafts, views_versions):
        monkeypatch.setattr(module, "business_day", lambda at: day)
    row = edited(where)

    assert ("last third of a quarter" in client.get(DRAFT).content.decode()) is late
    answer = client.post(ACT, {"act": "publish", "version": row.version})
    assert ("last third of a quarter" in client.get(answer.headers["Location"]).content.decode()) is late


@pytest.mark.rule("VR-10")
def test_a_draft_comes_back_from_its_file_as_it_went(client, where):
    row = edited(where)
    file = client.get(f"{DRAFT}document.yaml")
    services.edit_draft(
        PROCESS,
        "criterion_remove",
        {"criterion_key": "extra"},
        version=None,
        **where.how(where.people["tang"]),
    )
    version = ProcessDraft.objects.get().version

    answer = client.post(
        ACT, {"act": "bring", "version": version, "file": SimpleUploadedFile("p.yaml", file.content)}
    )

    assert answer.status_code == 302
    assert ProcessDraft.objects.get().document == row.document


@pytest.mark.rule("VR-7")
def test_a_version_with_another_axis_breaks_the_series_and_the_reports_say_so(client, where):
    where.deal("园区网", stage="needs_analysis")
    publish_next(where, at=timezone.now(), rename=("needs_analysis", "discovery"), axis="discovery")

    breaks = series_breaks(PROCESS)
    assert {(b.number, bool(b.old), bool(b.new)) for b in breaks} == {(2, True, False), (2, False, True)}
    page = client.get(f"/funnel/?process={PROCESS}").content.decode()
    assert "The series breaks" in page and "v2: without" in page
    assert "The series breaks" in client.get(f"/funnel/export.csv?process={PROCESS}").content.decode(
        "utf-8-sig"
    )


@pytest.mark.rule("VR-7")
def test_a_stage_with_another_key_at_the_same_place_of_the_axis_breaks_nothing(client, where):
    where.deal("园区网", stage="needs_analysis")
    publish_next(where, at=timezone.now(), rename=("needs_analysis", "discovery"), axis="needs_analysis")
    assert series_breaks(PROCESS) == []
    assert "The series breaks" not in client.get(f"/funnel/?process={PROCESS}").content.decode()
