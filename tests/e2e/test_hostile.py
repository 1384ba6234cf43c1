"""Every page over a database full of attacks: nothing runs, nothing leaves, nothing becomes markup (T07)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.access.objects import Objects
from tests.e2e.pages import PAGES, addresses, furnish
from tests.e2e.screens import settled
from tests.e2e.signing import page_of
from tests.factories.crm import Company, company
from tests.kit.hostile import CANARY, RENDERED, poison, text_columns

from fairlead.fields import catalogue
from fairlead.organisation.models import User
from fairlead.process import definitions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.rule("T07")]

TRAPS = """
window.__trapped = [];
document.addEventListener("securitypolicyviolation", (e) => window.__trapped.push("policy: " + e.violatedDirective));
"""
#: Elements that only an attack can have made.
MARKUP = f"""
[...document.querySelectorAll("*")].filter(e => e.tagName === "IFRAME"
  || (e.tagName === "SCRIPT" && e.textContent.includes("__xss"))
  || [...e.attributes].some(a => a.name.startsWith("on") || a.name.startsWith("hx-on") || leads(a)))
.map(e => e.outerHTML.slice(0, 120));
function leads(a) {{
  if (!/^(data-)?hx-|^(href|src|action|formaction)$/.test(a.name)) return false;
  return /^\\s*javascript:/i.test(a.value) || (URL.canParse(a.value, location) && new URL(a.value, location).host === "{CANARY}");
}}
"""
OPENERS = "summary, [hx-target='#dialog'], [hx-target='#panel']"
MOST_OPENED = 5
LANGUAGES = ("zh-hans", "en")  # by turns: of a page with several states each is seen


@pytest.fixture
def where() -> Company:
    return company()


@pytest.fixture
def objects(where: Company) -> Objects:
    return furnish(where)


def test_every_free_text_is_an_attack(db: None) -> None:
    """The seed is as wide as it says: each room has text, and what a person writes is not taken for a code."""
    columns = {f"{model._meta.label}.{field.name}" for model, fields in text_columns() for field in fields}
    assert {
        "crm.Account.name", "crm.Contact.department", "crm.Opportunity.description", "work.Comment.text",
        "work.File.name", "organisation.User.name", "organisation.Team.name", "process.Waiver.text",
        "journal.EventDetail.comment", "exchange.ImportRun.file_name", "offers.Contract.number",
        "fields.CustomField.unit", "crm.SavedView.name",
    } <= columns  # fmt: skip


@pytest.mark.long
@pytest.mark.one_engine("sqlite", "what a browser makes of a text does not depend on where it was stored")
def test_no_text_becomes_a_script_a_request_or_markup(
    chromium: Any, live_server: Any, where: Company, objects: Objects
) -> None:
    assert poison() > 300
    catalogue.forget()
    definitions.forget()
    caught: list[str] = []
    opened = pieces = 0
    chief = where.people["admin"]
    with page_of(chromium, live_server.url, chief) as page:
        page.add_init_script(TRAPS)
        page.on("dialog", lambda dialog: (caught.append(f"{page.url} opened a dialog"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                caught.append(f"{page.url} asked {request.url}")
                if CANARY in urlsplit(request.url).netloc
                else None
            ),
        )
        for number, pattern in enumerate(PAGES):
            for state, path in enumerate(addresses(pattern, objects)):
                User.objects.filter(pk=chief.pk).update(language=LANGUAGES[(number + state) % 2])
                answer = page.goto(path)
                if answer.status in {403, 404} or pattern == "funnel/rows/":
                    continue
                assert answer.status == 200, (path, answer.status)
                opened += 1
                pieces += open_pieces(page)
                caught += [f"{path} {found}" for found in look(page)]
    assert caught == []
    assert opened > 90 and pieces > 60


def open_pieces(page: Any) -> int:
    """Menus, folds, and what comes into the dialog or the panel."""
    opened = 0
    for one in page.locator(OPENERS).all()[:MOST_OPENED]:
        if one.is_visible():
            one.evaluate("element => element.click()")
            opened += 1
    settled(page)
    return opened


def look(page: Any) -> list[str]:
    found = [str(line) for line in page.evaluate("window.__trapped")]
    if page.evaluate("'__xss' in window"):
        found.append("ran a script")
    found += [f"has {markup}" for markup in page.evaluate(MARKUP)]
    if RENDERED in page.content():
        found.append("worked out a sum that was a text")
    return found
