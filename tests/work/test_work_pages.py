"""Activities, comments, tasks and files of any record: what is refused comes back whole, files never run."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.factories.crm import Company, company

from fairlead.common.refusals import NotPermitted
from fairlead.work import services as work
from fairlead.work.models import Activity, Comment, File, Task

HTMX = {"HX-Request": "true", "HX-Target": "dialog"}
KINDS = ("opportunity", "account", "contact", "segment", "contract")


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def text_of(response: Any) -> str:
    return str(response.content.decode())


def about(name: str, deal: Any, kind: str = "opportunity") -> str:
    return reverse(f"work:{name}", args=[kind, deal.pk])


@pytest.mark.rule("U06")
def test_a_call_and_the_next_step_are_one_form(where: Company, client: Client) -> None:
    deal = where.deal()
    contact = where.contact(deal.account, "张工")
    client.force_login(where.zhou)
    form = client.get(about("log", deal), headers=HTMX)
    assert "<html" not in text_of(form) and "张工" in text_of(form)
    response = client.post(
        about("log", deal),
        {
            "kind": "call",
            "summary": "Talked about the budget",
            "outcome": "agreed",
            "contacts": [contact.pk],
            "next_kind": "visit",
            "next_summary": "On site",
            "next_due_at": "2099-03-04T10:00",
        },
    )
    assert response.status_code == 302
    done, planned = Activity.objects.order_by("pk")
    assert (done.state, done.contact_ids, planned.state, planned.kind) == (
        "done",
        [contact.pk],
        "planned",
        "visit",
    )
    journey = where.journey(deal)
    assert journey.next_step_text == "On site"


@pytest.mark.rule("U32", "U06")
def test_a_refused_log_keeps_every_word_and_writes_neither_half(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    typed = {
        "kind": "meeting",
        "summary": "Talked",
        "outcome": "talked",
        "note": "long note",
        "next_kind": "visit",
        "next_summary": "On site",
        "next_due_at": "the day after",
        "done_at": "2024-05-06T07:08",
    }
    response = client.post(about("log", deal), typed)
    page = text_of(response)
    assert response.status_code == 422 and "One thing to correct" in page
    for value in ("Talked", "On site", "the day after", "2024-05-06T07:08"):
        assert f'value="{value}"' in page
    assert ">long note</textarea>" in page and '<option value="meeting" selected' in page
    assert not Activity.objects.exists()


@pytest.mark.rule("U06")
def test_the_form_that_follows_on_done_is_sent_to_its_own_address(where: Company, client: Client) -> None:
    deal = where.deal()
    step = where.next_step(deal)
    client.force_login(where.zhou)
    headers = {"HX-Request": "true", "HX-Target": "dialog"}
    answer = client.post(f"/activities/{step.pk}/done/", {"outcome": "talked", "version": 1}, headers=headers)
    address = f"/about/opportunity/{deal.pk}/plan/"
    assert answer.status_code == 200 and f'action="{address}" hx-post="{address}"' in answer.content.decode()


@pytest.mark.rule("U06")
def test_what_is_done_asks_for_the_next_step(where: Company, client: Client) -> None:
    deal = where.deal()
    step = where.next_step(deal, summary="Call back")
    client.force_login(where.zhou)
    done = client.post(
        reverse("work:complete", args=[step.pk]), {"outcome": "talked", "version": 1}, headers=HTMX
    )
    page = text_of(done)
    assert done.status_code == 200 and "Plan the next step" in page
    assert 'class="fl-chip is-ready"' in page  # what the stage proposes
    step.refresh_from_db()
    assert step.state == "done"
    late = client.post(
        reverse("work:complete", args=[step.pk]), {"outcome": "talked", "version": 1, "note": "mine"}
    )
    assert late.status_code == 409 and "mine" in text_of(late)


@pytest.mark.rule("GT-8")
def test_cancelling_leaves_no_next_step(where: Company, client: Client) -> None:
    deal = where.deal()
    step = where.next_step(deal)
    client.force_login(where.zhou)
    assert client.post(reverse("work:cancel", args=[step.pk]), {"version": 1}).status_code == 302
    assert where.journey(deal).next_step_at is None


def test_comments_and_tasks_come_and_go(where: Company, client: Client) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    assert client.post(about("comment", deal), {"text": "Hold the price"}).status_code == 302
    comment = Comment.objects.get()
    assert "Hold the price" in text_of(client.get(reverse("crm:opportunity", args=[deal.pk])))
    client.force_login(where.chen)
    assert client.post(reverse("work:remove_comment", args=[comment.pk])).status_code == 403
    client.force_login(where.zhou)
    assert client.post(reverse("work:remove_comment", args=[comment.pk])).status_code == 302
    assert "Hold the price" not in text_of(client.get(reverse("crm:opportunity", args=[deal.pk])))
    assert (
        client.post(about("task", deal), {"title": "Write it", "due_date": "2026-13-40"}).status_code == 422
    )
    assert client.post(about("task", deal), {"title": "Write it", "list": "mutual_plan"}).status_code == 302
    task = Task.objects.get()
    for data, expected in (({"version": 1}, True), ({"version": 2, "reopen": 1}, False)):
        assert client.post(reverse("work:task_done", args=[task.pk]), data).status_code == 302
        task.refresh_from_db()
        assert (task.done_at is not None) is expected


# --- files ---

NASTY_FILES = (
    ("evil.html", b"<script>alert(1)</script>", "text/html"),
    ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "image/svg+xml"),
    ("shell.pHp", b"<?php system($_GET[0]);", "application/x-php"),
    ("a.pdf.exe", b"MZ", "application/pdf"),
    ("x.png", b"<html><script>1</script>", "image/png"),
    ("../../etc/passwd", b"x", "text/plain"),
    ("con.txt.", b"x", "text/plain"),
    ("需求确认函" * 40 + ".pdf", b"%PDF", "application/pdf"),
    ('q"uo;te\r\nX-Evil: 1.txt', b"x", "text/plain"),
    ("‮fdp.exe", b"x", "text/plain"),
    ("😀.txt", b"x", "text/plain"),
)


@pytest.mark.rule("T11")
@pytest.mark.parametrize("name,content,media", NASTY_FILES, ids=lambda v: ascii(v)[:18])
def test_a_file_comes_back_as_a_download_and_nothing_else(
    where: Company, client: Client, name: str, content: bytes, media: str
) -> None:
    deal = where.deal()
    client.force_login(where.zhou)
    upload = SimpleUploadedFile("x", content, content_type=media)
    upload._name = name  # past Django's own cleaning, as a hostile client would
    response = client.post(about("upload", deal), {"kind": "minutes", "content": upload})
    assert response.status_code in (302, 422)
    if response.status_code == 422:
        assert not File.objects.exists()
        return
    row = File.objects.get()
    assert re.fullmatch(r"records/\d{4}/\d\d/[0-9a-f]{32}", row.content.name)
    answer = client.get(reverse("work:download", args=[row.pk]))
    assert answer.status_code == 200 and b"".join(answer) == content
    headers = answer.headers
    assert (
        headers["Content-Disposition"].startswith("attachment") and "\n" not in headers["Content-Disposition"]
    )
    assert (
        headers["X-Content-Type-Options"] == "nosniff"
        and headers["Content-Type"] == "application/octet-stream"
    )
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox" and "X-Evil" not in headers
    client.force_login(where.qi)
    assert client.get(reverse("work:download", args=[row.pk])).status_code == 404
    assert client.post(reverse("work:withdraw", args=[row.pk])).status_code == 404
    client.force_login(where.shen)
    assert client.post(reverse("work:withdraw", args=[row.pk])).status_code == 403


@pytest.mark.rule("GT-8")
def test_a_withdrawn_file_stays_and_no_longer_counts(where: Company, client: Client) -> None:
    deal = where.deal(stage="needs_analysis")
    where.fulfil(deal)
    file = File.objects.get(subject_id=deal.pk, kind="requirement_confirmation")
    assert where.journey(deal).gate_missing == 0
    client.force_login(where.zhou)
    assert client.post(reverse("work:withdraw", args=[file.pk])).status_code == 302
    assert where.journey(deal).gate_missing == 1
    assert "withdrawn" in text_of(client.get(reverse("crm:opportunity", args=[deal.pk]) + "?tab=files"))


@pytest.mark.rule("T11")
def test_a_file_too_large_is_refused_with_what_was_typed(
    where: Company, client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr("fairlead.work.views.files.MAX_BYTES", 10)
    deal = where.deal()
    client.force_login(where.zhou)
    response = client.post(
        about("upload", deal),
        {"kind": "minutes", "content": SimpleUploadedFile("a.txt", b"x" * 11), "reference": "shelf 3"},
    )
    assert (
        response.status_code == 422 and 'value="shelf 3"' in text_of(response) and not File.objects.exists()
    )


# --- doors and weather ---


@pytest.mark.rule("T01")
@pytest.mark.parametrize("name", ["log", "plan", "comment", "task", "upload"])
def test_a_stranger_writes_about_nothing(where: Company, client: Client, name: str) -> None:
    deal = where.deal()
    client.force_login(where.qi)
    data = {
        "text": "x",
        "title": "x",
        "summary": "x",
        "kind": "call",
        "outcome": "talked",
        "due_at": "2099-01-01",
    }
    assert (
        client.get(about(name, deal)).status_code == client.post(about(name, deal), data).status_code == 404
    )
    for kind in ("user", "nothing", "process"):
        assert client.post(reverse(f"work:{name}", args=[kind, 1]), data).status_code == 404
    client.force_login(where.shen)
    assert client.post(about(name, deal), data).status_code == 403


@pytest.mark.rule("T05")
def test_a_contact_that_is_not_seen_took_no_part(where: Company, client: Client) -> None:
    deal = where.deal()
    foreign = where.contact(where.account("别家", owner=where.qi))
    client.force_login(where.zhou)
    for contact in (foreign.pk, "²", "9" * 30, "-1", "x"):
        response = client.post(
            about("log", deal), {"kind": "call", "summary": "x", "outcome": "talked", "contacts": [contact]}
        )
        assert response.status_code == 422
    assert not Activity.objects.exists()


HOSTILE = (
    "a\x00b",
    "a\ud800b",
    "‮abc",
    "😀" * 50,
    "x" * 1_000_000,
    "' OR 1=1",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "",
)


@pytest.mark.rule("T07", "T21")
@pytest.mark.parametrize("typed", HOSTILE, ids=lambda v: ascii(v)[:14])
def test_no_input_breaks_a_form(where: Company, client: Client, typed: str) -> None:
    deal = where.deal()
    step = where.next_step(deal)
    client.force_login(where.zhou)
    later = timezone.now() + timedelta(days=2)
    for name in ("log", "plan", "comment", "task", "upload"):
        fields = (
            "kind",
            "summary",
            "outcome",
            "done_at",
            "due_at",
            "note",
            "contacts",
            "next_summary",
            "next_due_at",
            "text",
            "title",
            "list",
            "due_date",
            "reference",
            "valid_until",
        )
        response = post(client, about(name, deal), dict.fromkeys(fields, typed))
        assert response.status_code in (302, 413, 422), (name, response.status_code)
        sane = {"kind": "call", "outcome": "talked", "due_at": later.isoformat()}
        assert post(
            client,
            about(name, deal),
            {
                **dict.fromkeys(fields, typed),
                **sane,
                "done_at": "",
                "contacts": [],
                "next_due_at": "",
                "due_date": "",
                "valid_until": "",
            },
        ).status_code in (302, 413, 422)
    assert (
        post(
            client,
            reverse("work:complete", args=[step.pk]),
            {"outcome": typed, "note": typed, "next_summary": typed, "version": typed},
        ).status_code
        == 422
    )
    page = client.get(reverse("crm:opportunity", args=[deal.pk]))
    assert page.status_code == 200 and "<script>alert" not in text_of(page)
    assert client.get(reverse("crm:opportunity", args=[deal.pk]) + "?tab=files").status_code == 200


def post(client: Client, address: str, data: dict[str, Any]) -> Any:
    """As a form sends it, with what UTF-8 cannot hold."""
    from urllib.parse import quote

    pairs = [(k, v) for k, vs in data.items() for v in (vs if isinstance(vs, list) else [vs])]
    body = "&".join(f"{quote(k)}={quote(str(v).encode('utf-8', 'surrogatepass'))}" for k, v in pairs)
    return client.post(address, body, content_type="application/x-www-form-urlencoded")


@pytest.mark.rule("U19")
def test_the_same_forms_serve_every_kind_of_record(where: Company, client: Client) -> None:
    from fairlead.crm import services as crm
    from fairlead.offers import services as offers

    account = where.account()
    deal = where.deal(account=account)
    rows = {
        "opportunity": deal,
        "account": account,
        "contact": where.contact(account),
        "segment": crm.create("segment", {"name": "S"}, **where.how(where.chen)),
        "contract": offers.create_contract(
            deal.pk, number="C-1", amount=1, currency="CNY", **where.how(where.chen)
        ),
    }
    assert set(rows) == set(KINDS)
    client.force_login(where.chen)
    for kind, row in rows.items():
        assert (
            client.post(
                about("log", row, kind), {"kind": "call", "summary": f"about {kind}", "outcome": "talked"}
            ).status_code
            == 302
        )
        address = reverse(f"crm:{kind}" if kind != "contract" else "offers:contract", args=[row.pk])
        assert f"about {kind}" in text_of(client.get(address + "?tab=timeline"))
    work.add_comment("account", account.pk, text="x", **where.how(where.chen))
    assert Activity.objects.count() == len(KINDS)


@pytest.mark.rule("T01")
def test_an_auditor_reads_every_comment_and_writes_none(where: Company, client: Client) -> None:
    deal = where.deal()
    auditor = where.people["shen"]
    client.force_login(auditor)
    assert client.get(about("comment", deal)).status_code == 403
    assert client.post(about("comment", deal), {"text": "A word"}).status_code == 403
    body = {"subject_type": "opportunity", "subject_id": deal.pk, "text": "A word"}
    assert client.post("/api/v1/comments", body, content_type="application/json").status_code == 403
    with pytest.raises(NotPermitted):
        work.add_comment("opportunity", deal.pk, text="A word", **where.how(auditor))
    assert Comment.objects.count() == 0
    page = text_of(client.get(reverse("crm:opportunity", args=[deal.pk])))
    assert about("comment", deal) not in page
