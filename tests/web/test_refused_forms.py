"""Every form of the product, filled in wrongly: it comes back with all that was typed, and says what to mend where.

The forms are found by opening every page; a new form is among them without a line here. Only a field whose values
follow a format that its input does not tell has to be named in `RIGHT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve
from tests.access.objects import Objects
from tests.e2e.pages import PAGES, addresses, furnish
from tests.factories.crm import Company, company
from tests.kit.isolation import undone
from tests.kit.markup import Element, Form, forms, parsed, value_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.rule("U32"),
    pytest.mark.one_engine("sqlite", "what a refused form shows does not depend on the engine"),
]
WRONG: Final[Mapping[str, str]] = {
    "date": "2026-13-45", "datetime-local": "2026-13-45T99:00", "time": "99:99", "number": "many",
    "email": "no address",
}  # fmt: skip
RIGHT: Final[Mapping[str, str]] = {
    **{f"weekday_{day}": "09:00–12:00" for day in range(1, 8)}, "hours": "", "header_row": "1", "currency": "CNY",
    "key": "one_more",
}  # fmt: skip
#: What no browser shows again: it was secret, it is a file, or it was never one of the choices.
NOT_KEPT: Final = frozenset({"password", "file"})
FROM_A_LIST: Final = frozenset({"select", "checkbox", "radio"})
LONGEST: Final = 6000
MOST_TRIES: Final = 12
#: Who has seen what the one before has not: sellers, then their manager, then the administrator.
PEOPLE: Final = ("zhou", "chen", "admin")


@pytest.fixture
def where(settings: Any) -> Company:
    settings.ALLOWED_HOSTS = ["testserver"]
    return company(language="en")


@dataclass(frozen=True)
class Found:
    """A form, and the page and the person that showed it."""

    route: str
    person: str
    path: str
    form: Form

    def __str__(self) -> str:
        return f"{self.route} ({self.person} at {self.path})"


def kind_of(element: Element) -> str:
    return element.get("type", "text") if element.tag == "input" else element.tag


def every_form(clients: Mapping[str, Client], objects: Objects) -> Iterator[Found]:
    """Each form that is sent, once."""
    seen = set()
    for person, client in clients.items():
        for pattern in PAGES:
            for path in addresses(pattern, objects):
                answer = client.get(path)
                if answer.status_code != 200:
                    continue
                for form in forms(parsed(answer.content.decode()), path):
                    if not form.fields or form.method != "post":
                        continue
                    route = resolve(form.action.partition("?")[0]).route
                    if (route, *sorted(form.fields)) not in seen:
                        seen.add((route, *sorted(form.fields)))
                        yield Found(route, person, path, form)


def filled(form: Form) -> dict[str, list[str]]:
    """Something in every field, each text another one: what gets lost is noticed."""
    values = dict(form.hidden)
    for number, (name, elements) in enumerate(form.fields.items()):
        kind, now = kind_of(elements[0]), value_of(elements)
        if kind == "file":
            continue
        if kind == "select":
            offered = [o.attributes.get("value", o.text) for o in elements[0].all("option")]
            values[name] = [[value for value in offered if value][-1]] if any(offered) else now
        elif kind in {"checkbox", "radio"}:
            values[name] = [elements[-1].get("value", "on")]
        elif name in RIGHT:
            values[name] = [RIGHT[name]]
        else:
            values[name] = {
                "date": ["2027-03-04"], "datetime-local": ["2027-03-04T10:30"], "time": ["10:30"],
                "email": [f"kept{number}@example.com"], "password": ["a-good-long-secret"], "number": now,
            }.get(kind, now if any(now) else [f"Kept {number}"])  # fmt: skip
    return values


def wrongly(elements: list[Element]) -> list[str]:
    """What one field may hold and should not: the nearest to what really happens first."""
    kind, most = kind_of(elements[0]), int(elements[0].get("maxlength") or LONGEST)
    if "readonly" in elements[0].attributes or kind == "file":
        return []
    if kind in FROM_A_LIST:
        return ["no-such-choice"]
    empty = [""] if "required" in elements[0].attributes else []
    return [*empty, WRONG[kind]] if kind in WRONG else [*empty, "x" * (most + 1)]


def tries(form: Form) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Everything wrong at once, then each field by itself; of long forms one field of each kind."""
    right = filled(form)
    wrong = {name: wrongly(elements) for name, elements in form.fields.items()}
    yield "all", right | {name: [values[-1]] for name, values in wrong.items() if values}
    single = [(name, value) for name, values in wrong.items() for value in values]
    if len(single) > MOST_TRIES:
        kinds = {(kind_of(form.fields[name][0]), value == ""): (name, value) for name, value in single}
        single = list(kinds.values())
    for name, value in single:
        yield f"{name}={value[:15]!r}", right | {name: [value]}


def is_kept(elements: list[Element], sent: list[str], back: list[str]) -> bool:
    kind = kind_of(elements[0])
    if kind in NOT_KEPT or "readonly" in elements[0].attributes:
        return True
    return sent == back or (kind in FROM_A_LIST and sent == ["no-such-choice"])


def faults(answer: HttpResponse, form: Form, sent: Mapping[str, list[str]]) -> list[str]:
    """What the answer to a wrong form lacks."""
    if answer.status_code >= 500:
        return ["an error of the server"]
    page = parsed(answer.content.decode())
    again = [one for one in forms(page, "") if form.fields.keys() <= one.fields.keys()]
    if not again:
        return [f"the form is gone: {page.text[:90]}"]
    return min((_faults(page, form, one, sent) for one in again), key=len)


def _faults(page: Element, form: Form, back: Form, sent: Mapping[str, list[str]]) -> list[str]:
    found = [
        f"{name} was lost"
        for name, elements in form.fields.items()
        if name in sent and not is_kept(elements, sent[name], value_of(back.fields[name]))
    ]
    ids = {element.get("id"): element for element in page.all() if element.get("id")}
    own = [element for elements in back.fields.values() for element in elements]
    wrong = [element for element in own if element.get("aria-invalid") == "true"]
    found += [f"{e.get('name')} is not described by its error" for e in wrong if not _told(e, ids)]
    summaries = [e for e in page.all("div") if "fl-errsum" in e.get("class").split()]
    links = [link.get("href").removeprefix("#") for s in summaries for link in s.all("a")]
    found += [f"the summary leads nowhere: #{link}" for link in links if link not in ids]
    if not wrong and not any(s.text for s in summaries):
        found.append("nothing says what is wrong")
    if len(form.fields) > 1 and not summaries:
        found.append("no summary")
    for summary in summaries:
        if "data-focus" not in summary.attributes or summary.get("tabindex") != "-1":
            found.append("the summary does not take the focus")
    return found


def _told(element: Element, ids: Mapping[str, Element]) -> bool:
    """Its own message, or that of the group it stands in."""
    group = element.within("fieldset")
    named = element.get("aria-describedby").split() + (group.get("aria-describedby").split() if group else [])
    return any("fl-err" in ids[one].get("class") and ids[one].text for one in named if one in ids)


@pytest.mark.long
def test_every_form_comes_back_with_what_was_typed_and_the_way_to_mend_it(where: Company) -> None:
    objects = furnish(where)
    clients = {name: Client(raise_request_exception=False) for name in PEOPLE}
    for name, client in clients.items():
        client.force_login(where.people[name])
    wrong, count = [], 0
    for found in every_form(clients, objects):
        count += 1
        refused = False
        for said, sent in tries(found.form):
            with undone():
                answer = clients[found.person].post(found.form.action, sent)
            if answer.status_code < 400:
                continue
            refused = True
            wrong += [f"{found} {said}: {fault}" for fault in faults(answer, found.form, sent)]
        if not refused:
            wrong.append(f"{found}: took everything that is wrong")
    assert not wrong, "\n".join(wrong)
    assert count > 50
