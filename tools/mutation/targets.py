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
    "process/ending_aside.py",
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

#: Tests of the rules themselves, most of them on plain values. Those of pages and services would find more, at a
#: hundred times the cost: what is not found here counts as not found.
TESTS = (
    "tests/fields",
    "tests/organisation/test_calendars.py",
    "tests/process/test_approval_edges.py",
    "tests/process/test_approval_helps.py",
    "tests/process/test_approval_pure.py",
    "tests/process/test_approval_votes.py",
    "tests/process/test_approver_resolution.py",
    "tests/process/test_checks.py",
    "tests/process/test_clock_edges.py",
    "tests/process/test_clock_stops.py",
    "tests/process/test_clocks.py",
    "tests/process/test_decide.py",
    "tests/process/test_envelopes.py",
    "tests/process/test_fold.py",
    "tests/process/test_landing.py",
    "tests/process/test_overrides.py",
    "tests/process/test_scorecards.py",
    "tests/process/test_small_rules.py",
    "tests/process/test_version_maps.py",
)
