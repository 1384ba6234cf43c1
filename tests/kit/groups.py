"""A pytest plugin of `tests.run`: tests of one `xdist_group` stay in one process, for they share what is dear to make.

xdist 3.8 tells the group by the end of a test's name, and writes it where pytest 9.2 no longer reads it: without a word
every group was spread over all processes, each of which then built the same company.
"""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("loadgroup", False):
        return  # no process of xdist's
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark is not None and not item.nodeid.endswith(end := f"@{mark.args[0]}"):
            item._id = type(item.id).parse(item.nodeid + end)
