"""A pytest plugin of `tests.run`: write which tests failed, by the names that pytest takes again."""

import json
import re
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--failures", metavar="FILE", help="write which tests failed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Here the reports of all workers have come together."""
    if file := config.getoption("--failures"):
        kinds = terminalreporter.stats
        reports = [report for kind in ("failed", "error") for report in kinds.get(kind, [])]
        # A test of a group carries the group's name behind its own.
        names = {re.sub(r"@\w+$", "", report.nodeid) for report in reports}
        Path(file).write_text(json.dumps(sorted(names)), encoding="utf-8")
