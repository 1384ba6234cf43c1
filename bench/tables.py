"""The tables that are filled, each with the columns that differ from row to row. Needs Django set up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fairlead.crm.models import Account, Contact, ContactRole, Opportunity
from fairlead.journal.models import Event, EventDetail
from fairlead.process.models import Journey, ProcessVersion, Visit
from fairlead.work.models import Activity, File

from .rows import Table, finish

ACCOUNT = "id name search_key owner_id team_id industry tier region city is_customer"
CONTACT = "id name search_key account_id owner_id team_id department mobile"
OPPORTUNITY = (
    "id name search_key owner_id team_id account_id journey_id amount expected_close_date ar_id sr_id fr_id "
    "custom created_at updated_at commercial_locked"
)
JOURNEY = (
    "id subject_id stage_id state outcome reason_code opened_at entered_at closed_at forecast_category "
    "probability title owner_id team_id base_amount close_date regress_count gate_state gate_missing "
    "gate_flags next_step_at next_step_kind next_step_text"
)
VISIT = (
    "journey_id ordinal stage_key axis_key visit_no entered_at left_at exit_type outcome amount close_date "
    "owner_id_then team_id_then forecast_category"
)
ACTIVITY = (
    "id subject_id kind state summary due_at done_at outcome contact_ids owner_id recorded_at "
    "closed_recorded_at"
)
EVENT = (
    "id type subject_id journey_id actor_id effective_at recorded_at business_date from_stage to_stage "
    "reason_code data detail_hash"
)
#: Of every detail: equal payloads have equal digests here.
SALT = "0" * 32


class Tables:
    def __init__(self, version: ProcessVersion, *, created_at: datetime, updated_at: datetime) -> None:
        about: dict[str, Any] = {"subject_type": "opportunity"}
        process, made = version.process.key, {"created_at": created_at, "updated_at": updated_at}
        self.account = Table(Account, ACCOUNT.split(), **made)
        self.contact = Table(Contact, CONTACT.split(), title="经理", **made)
        self.journey = Table(
            Journey, JOURNEY.split(), process_version_id=version.pk, process_key=process, **about
        )
        self.opportunity = Table(Opportunity, OPPORTUNITY.split(), source="referral")
        self.visit = Table(Visit, VISIT.split(), episode_no=1, process_version=version.number)
        self.activity = Table(Activity, ACTIVITY.split(), **about)
        numbers = {"process_version": version.number, "episode_no": 1}
        self.event = Table(Event, EVENT.split(), channel="ui", process_key=process, **numbers, **about)
        self.detail = Table(EventDetail, ["event_id", "payload"], salt=SALT)
        roles = ["opportunity_id", "contact_id", "role", "recorded_at"]
        self.role = Table(ContactRole, roles, depth=2, stance=1)
        files = ["subject_id", "kind", "name", "added_by_id", "added_at", "recorded_at"]
        self.file = Table(File, files, reference="档案柜 3-12", by_customer=True, **about)

    def all(self) -> list[Table]:
        """Journeys before deals, events before their details: PostgreSQL looks at once."""
        people = [self.account, self.contact]
        deals = [self.journey, self.opportunity, self.visit, self.activity, self.event, self.detail]
        return [*people, *deals, self.role, self.file]

    def flush(self) -> None:
        for table in self.all():
            table.flush()

    def finish(self) -> dict[str, int]:
        finish(self.all())
        return {t.model._meta.model_name or "": t.count for t in self.all()}
