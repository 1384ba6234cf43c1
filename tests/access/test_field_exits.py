"""A value that one may not read comes out nowhere: every page, piece, file, operation, message and mail (T04).

Each masked field holds a value that stands nowhere else. The same walk as somebody with the right must meet it in
many places, or it would prove nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from tests.access.objects import MINE, Objects, address
from tests.e2e.pages import NO_PAGES, PAGES, addresses, furnish
from tests.factories.crm import Company, company
from tests.kit.actors import add_people

from fairlead.common.access import routes
from fairlead.crm import services as crm
from fairlead.crm.models import Account, Contact, Opportunity, Segment
from fairlead.exchange import services as exchange
from fairlead.fields.services import add_field
from fairlead.work import jobs
from fairlead.work.models import Follow, NotificationPreference

# One worker: they look at one company.
pytestmark = [pytest.mark.django_db, pytest.mark.rule("T04"), pytest.mark.xdist_group("field_exits")]

MASK: Final = "margin.view"
#: Subject → (key of a masked custom field, its value, a former value, its label).
SECRETS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "opportunity": ("floor_note", "QXKZJ-7741", "QXKZJ-1147", "Floorword"),
    "account": ("credit_note", "WVBNM-5529", "WVBNM-9255", "Creditword"),
    "contact": ("private_note", "HJKLP-8836", "HJKLP-6388", "Privateword"),
    "segment": ("cost_note", "ZXCVB-2294", "ZXCVB-4922", "Costword"),
}
MODELS: Final[Mapping[str, Any]] = {
    "opportunity": Opportunity,
    "account": Account,
    "contact": Contact,
    "segment": Segment,
}
MARGIN: Final = ("83.61", "82.37")
PLURALS: Final = {
    "opportunity": "opportunities",
    "account": "accounts",
    "contact": "contacts",
    "segment": "segments",
}
#: What `T04` names and where it is asked here; what the product does not have yet stands with no exit.
EXITS: Final[Mapping[str, str]] = {
    "detail": "page", "list column": "columns", "board card": "page", "tooltip": "page", "global search": "search",
    "autocomplete": "palette", "filter": "refused", "sort": "refused", "group by and aggregates": "page",
    "funnel drill-down": "page", "CSV": "files", "XLSX": "files", "import preview": "import", "import errors": "import",
    "history": "page", "activity stream": "page", "notifications": "told", "mail and its recipients": "told",
    "API": "api", "bulk change": "refused", "undo": "page", "PDF, templates, webhooks": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def objects(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Objects]:
    """The company of all these tests: two of everything, with secrets in their former and present values."""
    hosts = override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False)
    with django_db_blocker.unblock(), hosts, transaction.atomic():
        yield _with_secrets(company(language="en"))
        transaction.set_rollback(True)


@pytest.fixture
def where(db: None, objects: Objects) -> Company:
    return objects.where


def _with_secrets(where: Company) -> Objects:
    add_people(where)
    for subject, (key, _now, _before, label) in SECRETS.items():
        add_field(
            subject_type=subject, key=key, type="text", label={"zh": label, "en": label}, read_right=MASK,
            write_right=MASK, **where.how(where.admin),
        )  # fmt: skip
    made = furnish(where)
    for turn in (1, 0):
        for subject, (key, *values, _label) in SECRETS.items():
            pk = made.of(subject, MINE)
            extra = {"margin": MARGIN[turn]} if subject == "opportunity" else {}
            edit(where, subject, pk, {key: values[turn], **extra})
    return made


def edit(where: Company, subject: str, pk: int, values: dict[str, Any]) -> None:
    version = MODELS[subject].objects.get(pk=pk).version
    crm.edit(subject, pk, values, version=version, **where.how(where.admin))


def words() -> list[str]:
    """Everything that gives a masked field away: values, former values, labels."""
    return [*MARGIN, "Gross margin"] + [
        text for _k, now, old, label in SECRETS.values() for text in (now, old, label)
    ]


def client_of(where: Company, name: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(where.people[name])
    return client


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            body = b"\n".join(book.read(name) for name in book.namelist())
    return body.decode("utf-8", "replace")


def every_address(objects: Objects) -> list[str]:
    """Each route that answers GET, in each of its states; and each list as files with all its columns."""
    found = [a for pattern in PAGES for a in addresses(pattern, objects) if pattern != "funnel/rows/"]
    found += [address(p, objects, MINE) for p in NO_PAGES if p not in ("board/changes", "sign-in/code")]
    found += [address(r.pattern, objects, MINE) for r in routes() if r.pattern.startswith("api/v1/")]
    for plural in PLURALS.values():
        found += [f"/{plural}/?export={kind}" for kind in ("csv", "xlsx")]
        found += [f"/{plural}/?q={text}" for text in ("QXKZJ", "WVBNM")]
    for text in ("QXKZJ", "83.61", "Floorword", "margin"):
        found += [f"/search/?q={text}", f"/palette/?q={text}", f"/api/v1/search?q={text}"]
    return found


def given_away(client: Client, addresses: list[str]) -> list[str]:
    """What was met, as "address: word"; the word that was asked for is no find."""
    met = []
    for path in addresses:
        response = client.get(path)
        assert response.status_code < 500, path
        said = text_of(response)
        met += [f"{path}: {word}" for word in words() if word in said and word not in path]
    return met


@pytest.mark.parametrize("reader", ["mo", "lu"])
def test_no_page_piece_file_or_operation_gives_a_masked_value_away(
    where: Company, objects: Objects, reader: str
) -> None:
    everything = every_address(objects)
    assert len(everything) > 250
    assert given_away(client_of(where, reader), everything) == []


def test_the_same_walk_meets_the_values_where_they_may_be_read(where: Company, objects: Objects) -> None:
    met = given_away(client_of(where, "admin"), every_address(objects))
    assert len({line.partition(":")[0] for line in met}) > 20
    assert {word for word in words() if any(line.endswith(word) for line in met)} >= {
        *MARGIN, *(text for _k, now, old, label in SECRETS.values() for text in (now, old, label)),
    }  # fmt: skip


@pytest.mark.parametrize("subject", SECRETS)
def test_a_masked_field_is_refused_like_one_that_does_not_exist(
    where: Company, objects: Objects, subject: str
) -> None:
    """Filter, sort, columns, bulk change: 400 whatever the value, or nobody could tell a guess from a miss."""
    key, now, _before, _label = SECRETS[subject]
    client = client_of(where, "mo")
    for value in (now, "something else"):
        leaf = json.dumps({"field": key, "op": "eq", "value": value})
        unknown = json.dumps({"field": "no_such", "op": "eq", "value": value})
        for masked, missing in (
            ({"filter": leaf}, {"filter": unknown}),
            ({"sort": key}, {"sort": "no_such"}),
            ({"cols": f"name,{key}"}, {"cols": "name,no_such"}),
        ):
            answers = [client.get(f"/{PLURALS[subject]}/", query) for query in (masked, missing)]
            assert [a.status_code for a in answers] == [400, 400], (masked, [a.status_code for a in answers])
    asked = [
        client.get(f"/{PLURALS[subject]}/change/", {"all": "1", "what": name, "value": "x"})
        for name in (key, "no_such")
    ]
    assert asked[0].status_code == asked[1].status_code
    assert not [word for word in words() if word in text_of(asked[0])]


def test_what_is_told_and_mailed_says_nothing_of_it(
    where: Company, objects: Objects, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A follower without the right hears that something changed, never what."""
    # Other tests share the PostgreSQL server; their open transactions would hold back what is settled.
    monkeypatch.setattr("fairlead.journal.querysets.horizon", lambda: None)
    settings.MAIL_IS_SET = True
    jobs.tell(timezone.now())  # from here on people are told
    deal = objects.of("opportunity", MINE)
    for name in ("mo", "admin"):
        Follow.objects.update_or_create(
            person=where.people[name], subject_type="opportunity", subject_id=deal,
            defaults={"attention": "followed", "at": timezone.now()},
        )  # fmt: skip
    edit(where, "opportunity", deal, {"margin": "81.93", "floor_note": "QXKZJ-9090"})
    NotificationPreference.objects.update_or_create(person=where.people["mo"], defaults={"digest": "soon"})
    where.people["mo"].email = "mo@example.com"
    where.people["mo"].save(update_fields=["email"])
    jobs.tell(timezone.now())
    noon = timezone.now().replace(hour=4) + timedelta(days=7 - timezone.now().weekday() + 1)
    jobs.mail(noon)  # a Tuesday
    assert [message.to for message in mail.outbox] == [["mo@example.com"]]
    for reader in ("mo", "lu"):
        said = text_of(client_of(where, reader).get(reverse("work:inbox") + "?show=all"))
        assert not [w for w in ("81.93", "QXKZJ-9090", "Floorword", "Gross margin") if w in said]
    for message in mail.outbox:
        assert not [w for w in ("81.93", "QXKZJ-9090", "Floorword") if w in message.subject + message.body]


def test_an_import_offers_no_column_that_its_reader_may_not_write(where: Company, objects: Objects) -> None:
    deal = objects.of("opportunity", MINE)
    file = f"id,Floorword,Gross margin\n{deal},x,1\n".encode()
    run = exchange.stage_file([file], file_name="a.csv", kind="opportunity", **where.how(where.people["mo"]))
    said = text_of(client_of(where, "mo").get(reverse("exchange:columns", args=[run.pk])))
    assert "floor_note" not in said and 'value="margin"' not in said


def test_each_exit_is_asked_somewhere() -> None:
    assert len(EXITS) == 22
    assert {exit for exit, how in EXITS.items() if not how} == {"PDF, templates, webhooks"}
