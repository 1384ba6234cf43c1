"""The tabs of a deal's page that have an address of their own."""

from __future__ import annotations

from .sections import Tab, add_tab

SEEN_BY = "opportunity.view"


def register_tabs() -> None:
    for key, label, url_name in (
        ("scorecards", {"zh": "评分", "en": "Score"}, "crm:scorecards"),
        ("plan", {"zh": "推进计划", "en": "Action plan"}, "crm:plan"),
        ("handbook", {"zh": "手册", "en": "Handbook"}, "crm:handbook"),
    ):
        add_tab("opportunity", Tab(key, label, url_name, SEEN_BY))
