"""Near the end the process owner publishes a second version with approvals and moves running deals over.

By the services of the designer and of the publish wizard: a draft, a second person's consent, a plan that is tried
first and carried out with the groups that the wizard suggests (VR-2).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from fairlead.journal.enums import Channel
from fairlead.organisation.enums import Role
from fairlead.process.models import ProcessVersion
from fairlead.process.services import (
    ask_to_publish,
    begin_process,
    carrying_over,
    decide_publishing,
    migrating,
)

from .clock import at as instant
from .simulation import Simulation

PROCESS = "key_account_opportunity"
DAYS_BACK = 28  # counted from the last morning
DRAFT_DAYS = 6  # from the draft to its publication
CHANGES = Path(__file__).with_suffix(".yaml")
ASKED = "立项、投标、签约和商务条件改由审批来定，数值按授权表。"
GRANTED = "看过差异和试算，同意发布。"


def second_document(first: Mapping[str, Any]) -> dict[str, Any]:
    """The first version with what `second_version.yaml` puts in the place of people's words."""
    from ruamel.yaml import YAML  # loaded when first needed

    changes = YAML(typ="safe", pure=True).load(CHANGES.read_text(encoding="utf-8"))
    fresh = {criterion["key"]: criterion for criterion in changes["criteria"]}
    document = copy.deepcopy(dict(first)) | {"version": 2, "approvals": changes["approvals"]}
    for stage in document["stages"]:
        for side in stage.keys() & {"entry", "exit"}:
            stage[side] = [
                fresh.get(changes["instead"].get(criterion["key"], criterion["key"]), criterion)
                for criterion in stage[side]
            ]
    return document


class SecondVersion:
    """What happens to the process: `on_day` is asked every simulated day, outside of any transaction."""

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        wanted = sim.dates.until - timedelta(days=DAYS_BACK)
        self.day = sim.workdays.worked_from(wanted)
        self.drafted = sim.workdays.worked_from(wanted - timedelta(days=DRAFT_DAYS))
        self.owner = sim.staff.by_role[Role.PROCESS_OWNER]
        self.second = sim.staff.by_role[Role.ADMIN]

    def on_day(self, day: date) -> bool:
        """Whether the second version is in force since today."""
        if day == self.drafted:
            begin_process(
                second_document(ProcessVersion.objects.published().get(process__key=PROCESS).document),
                by=self.owner,
                at=instant(day, time(14, 20)),
                channel=Channel.UI,
            )
        if day != self.day:
            return False
        draft_version = 1
        ask_to_publish(
            PROCESS,
            comment=ASKED,
            version=draft_version,
            by=self.owner,
            at=instant(day, time(9, 10)),
            channel=Channel.UI,
        )
        decide_publishing(
            PROCESS,
            grant=True,
            answer=GRANTED,
            by=self.second,
            at=instant(day, time(10, 40)),
            channel=Channel.UI,
        )
        self._carry_over(day)
        return True

    def _carry_over(self, day: date) -> None:
        how: dict[str, Any] = {"by": self.owner, "channel": Channel.UI}
        plan = migrating.plan_migration(PROCESS, at=instant(day, time(11)), **how)
        plan = migrating.check(plan.pk, by=self.owner, at=instant(day, time(11, 5)))
        migrating.confirm(plan.pk, version=plan.version, at=instant(day, time(11, 30)), **how)
        carrying_over.execute(plan.pk, clock=lambda: instant(day, time(11, 35)))
