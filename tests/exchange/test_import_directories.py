"""Whole directories: the public pipeline with its exact figures, and another system's export."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum
from django.utils import timezone
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.analytics import funnel
from fairlead.analytics.days import Window
from fairlead.analytics.tables import EVERYTHING
from fairlead.crm.models import Account, Contact, Opportunity, Product
from fairlead.exchange.models import ImportRun
from fairlead.insight import history
from fairlead.organisation.models import Organisation, RoleAssignment, Team, User
from fairlead.organisation.services import is_set_up
from fairlead.process.models import Journey, Process, Visit
from fairlead.process.services.rebuilding import differences, rebuild

EXAMPLE = Path(__file__).parents[2] / "examples" / "crm-sales-opportunities"
SALESFORCE = Path(__file__).parents[3] / "shared" / "data" / "crm-exports" / "salesforce-weekly-export"

pytestmark = pytest.mark.django_db


def bring(path: Path, **options: Any) -> str:
    out = StringIO()
    call_command("import", str(path), stdout=out, **options)
    return out.getvalue()


@pytest.mark.long
@pytest.mark.rule("T23", "EV-5", "U17", "V-3.1", "V-3.9", "V-3.16")
def test_the_public_pipeline_comes_in_to_the_digit_and_goes_again() -> None:
    empty = _records()
    said = bring(EXAMPLE)
    assert "GTXPro" in said and "1480" in said

    assert (Opportunity.objects.count(), Account.objects.count(), Product.objects.count()) == (8800, 85, 7)
    assert Opportunity.objects.values("owner").distinct().count() == 30
    states = dict(Journey.objects.values_list("state").annotate(n=Count("pk")))
    assert states == {"won": 4238, "lost": 2473, "open": 2089}
    assert Journey.objects.filter(state="won").aggregate(v=Sum("base_amount"))["v"] == 10_005_534
    assert set(Journey.objects.filter(state="lost").values_list("outcome", flat=True)) == {"lost"}
    stock = set(
        Journey.objects.filter(state="open")
        .values_list("stage__key", "entered_at_known")
        .annotate(n=Count("pk"))
    )
    assert stock == {("prospecting", False, 500), ("engaging", True, 1589)}
    assert set(Journey.objects.values_list("fidelity", flat=True)) == {"stage_dates_only"}
    assert Visit.objects.filter(axis_key="engaging").exclude(left_at=None).count() == 6711
    assert (
        Opportunity.objects.filter(incomplete=True).count()
        == 1425
        == Opportunity.objects.filter(account=None).count()
    )
    days = [
        (timezone.localdate(c) - timezone.localdate(e)).days
        for c, e in Journey.objects.exclude(closed_at=None).values_list("closed_at", "entered_at")
    ]
    assert median(days) == 45
    until = timezone.localdate(Journey.objects.filter(entered_at_known=False).latest("entered_at").entered_at)
    assert until == date(2017, 12, 31)
    the_figures_are_those_of_the_files()
    assert Account.objects.exclude(parent=None).count() == 15
    assert set(Account.objects.filter(industry__startswith="techn").values_list("industry", flat=True)) == {
        "technology"
    }
    assert list(differences()) == []
    before = records_of_process()
    rebuild()
    assert records_of_process() == before

    people = User.objects.filter(role_assignments__role="AR")
    assert people.count() == 35 and not any(p.has_usable_password() for p in people)
    assert Team.objects.filter(name__in=["Central", "East", "West"]).count() == 3
    assert Organisation.objects.current().default_processes == {"opportunity": "prospecting_engaging"}
    assert not is_set_up()  # the first page still makes the administrator

    first = ImportRun.objects.order_by("pk").first()
    assert first is not None
    call_command("import", undo=first.pk)
    left = changed(empty, _records())
    # The process stays published, and it stays the default.
    assert set(left) == {
        "organisation.Organisation",
        "process.Process",
        "process.ProcessVersion",
        "process.StageRow",
    }
    assert Process.objects.get().key == "prospecting_engaging"
    assert RoleAssignment.objects.count() == 0


def the_figures_are_those_of_the_files() -> None:
    """To the digit, of what the import itself has brought in: the command, and what the page of the funnel shows."""
    out = StringIO()
    call_command("figures", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {
        "opportunities": 8800, "accounts": 85, "people": 30, "won": 4238, "lost": 2473, "open": 2089,
        "win_rate_closed": 0.63150, "won_value": 10005534, "median_days_to_close": 45,
    }  # fmt: skip
    history.forget()
    given: dict[str, Any] = {"scope": EVERYTHING, "as_of": datetime(2017, 12, 31, 12, tzinfo=UTC)}
    found = history.load("prospecting_engaging").history
    history.forget()
    assert [row.count for row in funnel.stock(found, **given).rows] == [500, 1589]
    left = funnel.period_exit_yield(found, **given).rows[1]
    assert (left.n, left.ends["won"]) == (6711, 4238)
    engaging = funnel.time_in_stage(found, at=(138,), **given).rows[1]
    assert (engaging.n, engaging.curve.median.value) == (8300, 69)
    chances = {end: round(engaging.chances[138][end].value or 0, 4) for end in ("won", "lost")}
    assert chances == {"won": 0.5194, "lost": 0.3017}
    quarter = Window(date(2017, 1, 1), date(2017, 4, 1))
    cohort = funnel.cohort_conversion(found, horizon_days=90, mode="reach", entered=quarter, **given).rows[1]
    shown = [round(x or 0, 4) for x in (cohort.count.value, cohort.count.low, cohort.count.high)]
    assert (cohort.n, cohort.count.k, shown) == (1619, 606, [0.3743, 0.3511, 0.3981])


def records_of_process() -> Any:
    fingerprint = db_fingerprint(with_journal=False)
    return {k: v for k, v in fingerprint.items() if k.startswith("process.") and k != "process.Visit"} | {
        "visits": set(
            Visit.objects.values_list(
                "journey_id", "ordinal", "stage_key", "entered_at", "left_at", "exit_type"
            )
        )
    }


def _records() -> dict[str, Any]:
    return {
        k: v
        for k, v in db_fingerprint(with_journal=False).items()
        if not k.startswith("exchange.") and k != "files"
    }


@pytest.mark.rule("T23")
def test_a_file_with_errors_comes_in_only_when_somebody_says_so(tmp_path: Path) -> None:
    for file in EXAMPLE.iterdir():
        shutil.copy(file, tmp_path)
    head, *rows = (EXAMPLE / "sales_pipeline.csv").read_text().splitlines()
    torn = [
        head,
        *rows[:20],
        rows[20].replace("20", "99", 1),
        "XX,Nobody At All,GTX Pro,Isdom,Won,2017-01-01,2017-02-01,5",
    ]
    (tmp_path / "sales_pipeline.csv").write_text("\n".join(torn))
    with pytest.raises(CommandError, match="Nobody At All"):
        bring(tmp_path)
    assert Opportunity.objects.count() == 0
    bring(tmp_path, yes=True)
    assert Opportunity.objects.count() == 20  # 9916 has not come yet


def test_a_manifest_names_the_place_of_its_mistake(tmp_path: Path) -> None:
    (tmp_path / "import.yaml").write_text("files: [{file: ../secret.csv, kind: account}]")
    with pytest.raises(CommandError, match=r"secret\.csv"):
        bring(tmp_path)
    (tmp_path / "import.yaml").write_text("files: {")
    with pytest.raises(CommandError, match=r"import\.yaml"):
        bring(tmp_path)
    with pytest.raises(CommandError):
        call_command("import", undo=77)
    assert ImportRun.objects.count() == 0
    (tmp_path / "import.yaml").write_text("files: []\nas_of: yesterday")
    with pytest.raises(CommandError, match=r"yesterday.*2017-12-31"):
        bring(tmp_path)
    (tmp_path / "import.yaml").write_text("files: []\nprocess: gone.yaml")
    with pytest.raises(CommandError, match=r"gone\.yaml"):
        bring(tmp_path)


@pytest.mark.rule("T23", "EV-5")
@pytest.mark.skipif(not SALESFORCE.is_dir(), reason="the exports of other systems are not here")
def test_a_salesforce_export_comes_in_with_its_history_as_visits() -> None:
    bring(SALESFORCE)
    assert (Account.objects.count(), Contact.objects.count(), Opportunity.objects.count()) == (12, 20, 31)
    found = set(Journey.objects.values_list("state", "stage__key", "fidelity").annotate(n=Count("pk")))
    assert found == {
        ("open", "contact", "full", 1),
        ("open", "needs", "full", 6),
        ("open", "proposal", "full", 2),
        ("open", "negotiation", "full", 4),
        ("won", "signing", "final_only", 18),
    }
    assert Journey.objects.filter(state="won").aggregate(v=Sum("base_amount"))["v"] == 3_645_000
    known = Visit.objects.filter(entered_at_known=True)
    assert known.count() == 13 and {str(at.date()) for at in known.values_list("entered_at", flat=True)} == {
        "2018-10-13"
    }
    assert Opportunity.objects.filter(account=None).count() == 0
    assert list(differences()) == []


@pytest.mark.rule("EV-5")
def test_a_written_history_becomes_visits_there_and_back_again() -> None:
    from fairlead.exchange.services.history import history_of

    days = ("a@2026-01-01", "b@2026-01-05", "b@2026-01-06", "a@2026-01-09", "won@2026-02-01")
    text = "|".join(f"{step}T00:00:00+00:00" for step in days)
    told = history_of(text, ("a", "b"), "", "won")
    assert told is not None
    assert [(key, at.day) for key, at, _known in told.steps] == [("a", 1), ("b", 5), ("a", 9)]
    assert (told.closed_at.month if told.closed_at else 0, told.fidelity) == (2, "full")
    assert history_of(text, ("a", "b"), "a", "") is None  # it ends otherwise than the record stands
    assert history_of("nonsense", ("a", "b"), "a", "") is None


@pytest.mark.rule("T23", "EV-5")
def test_the_steps_of_an_exported_history_become_visits_with_their_hours(tmp_path: Path) -> None:
    """A made-up export: a deal that went on, back and on again, one that was won, one without a history."""
    (tmp_path / "Account.csv").write_text('"Id","Name"\n"A1","Depot Hangzhou"\n')
    (tmp_path / "Opportunity.csv").write_text(
        '"Id","AccountId","Name","StageName","Amount","CloseDate"\n'
        '"O1","A1","Cooling","Value Proposition","1000","2026-09-30"\n'
        '"O2","A1","Heating","Closed Won","500","2026-02-20"\n'
        '"O3","A1","Lighting","Prospecting","","2026-10-30"\n'
    )
    steps = [
        ("O1", "Prospecting", "2026-01-05 01:00:00"), ("O1", "Qualification", "2026-01-12 02:30:00"),
        ("O1", "Prospecting", "2026-01-20 03:00:00"), ("O1", "Qualification", "2026-02-01 01:00:00"),
        ("O1", "Value Proposition", "2026-02-09 05:00:00"),
        ("O2", "Prospecting", "2026-01-10 01:00:00"), ("O2", "Closed Won", "2026-02-20 09:00:00"),
    ]  # fmt: skip
    rows = [f'"H{n}","{deal}","{stage}","{at}"' for n, (deal, stage, at) in enumerate(steps)]
    (tmp_path / "OpportunityHistory.csv").write_text(
        "\n".join(['"Id","OpportunityId","StageName","CreatedDate"', *rows]) + "\n"
    )
    bring(tmp_path)

    def told(external_id: str) -> list[tuple[str, str, str, str]]:
        journey = Opportunity.objects.get(external_id=external_id).journey
        assert journey is not None
        return [
            (
                v.stage_key,
                f"{v.entered_at:%m-%d %H:%M}",
                f"{v.left_at:%m-%d %H:%M}" if v.left_at else "",
                v.exit_type,
            )
            for v in journey.visits.order_by("ordinal")
        ]

    assert told("O1") == [
        ("contact", "01-05 01:00", "01-12 02:30", "advance"), ("needs", "01-12 02:30", "01-20 03:00", "regress"),
        ("contact", "01-20 03:00", "02-01 01:00", "advance"), ("needs", "02-01 01:00", "02-09 05:00", "advance"),
        ("proposal", "02-09 05:00", "", ""),
    ]  # fmt: skip
    won = Opportunity.objects.get(external_id="O2").journey
    assert won is not None and (won.state, won.fidelity) == ("won", "full")
    assert told("O2")[0][:3] == ("contact", "01-10 01:00", "02-20 09:00")
    bare = Opportunity.objects.get(external_id="O3").journey
    assert bare is not None and not bare.entered_at_known
    assert list(differences()) == []
