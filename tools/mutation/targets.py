"""Which modules hold the rules, and which tests are asked."""

from __future__ import annotations

ENGINE = (
    "process/engine.py",
    "process/checks.py",
    "process/branching.py",
    "process/wishes.py",
    "process/verdicts.py",
    "process/facts.py",
    "process/definition.py",
    "process/vetoes.py",
    "process/landing.py",
    "process/amnesty.py",
    "process/fold.py",
    "process/travel.py",
    "process/marking.py",
    "process/merged.py",
    "process/restoring.py",
    "process/clocks.py",
    "process/clock_spans.py",
    "process/clock_events.py",
    "process/carrying.py",
    "process/version_plans.py",
)
RULES = (
    "fields/conditions.py",
    "organisation/calendars.py",
    "process/envelopes.py",
    "process/approval_policy.py",
    "process/approval_chain.py",
    "process/approval_rows.py",
    "process/approval_easing.py",
    "process/scorecards.py",
    "process/services/budget.py",
)
APPROVERS = ("process/approver_resolution.py",)
MODULES = (*ENGINE, *RULES, *APPROVERS)

TESTS = (
    "tests/process",
    "tests/fields",
    "tests/crm/test_merge.py",
    "tests/crm/test_deal_team.py",
    "tests/organisation/test_calendars.py",
    "tests/organisation/test_own_calendars.py",
    "tests/organisation/test_leave.py",
    "tests/api/test_gates.py",
    "tests/api/test_approvals.py",
    "tests/insight/test_replay.py",
)
#: What takes minutes for one answer.
LEFT_OUT = ("tests/process/test_machine.py",)
