"""Comments: who is called is told, who may not see the record is not; nods, changes, removals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.work import services as work
from fairlead.work.models import Comment, CommentReaction, Notification
from fairlead.work.services import notes
from fairlead.work.services.notifications import deliver


@pytest.fixture
def where(db: None, monkeypatch: pytest.MonkeyPatch) -> Company:
    monkeypatch.setattr(type(deliver), "enqueue", lambda self, *a, **k: deliver.call(*a, **k))
    return company(language="en")


def say(where: Company, deal: Any, text: str, by: Any = None) -> Comment:
    return work.add_comment("opportunity", deal.pk, text=text, **where.how(by or where.zhou))


@pytest.mark.rule("U26")
def test_who_is_called_is_told_and_reads_why(where: Company, client: Client) -> None:
    deal = where.deal("Cooling for line 4")
    row = say(where, deal, "@陈立新请看一下报价, @admin too; mail me@chen.example")
    assert row.mentions == sorted([where.chen.pk, where.admin.pk]) and row.untold == []
    told = Notification.objects.filter(reason="mentioned").values_list("recipient__username", flat=True)
    assert set(told) == {"chen", "admin"}
    client.force_login(where.chen)
    text = client.get(reverse("work:inbox")).content.decode()
    assert "周敏 mentions you: @陈立新请看一下报价" in text
    event = Event.objects.get(type="commented")
    assert event.data["mentions"] == row.mentions
    work.tell_of_events()
    work.remove_comment(row.pk, **where.how())
    assert "请看一下报价" not in client.get(reverse("work:inbox")).content.decode()


@pytest.mark.rule("U26", "T04")
def test_who_may_not_see_the_record_is_named_and_not_told(where: Company, client: Client) -> None:
    deal = where.deal()
    row = say(where, deal, "@齐远 @新人 what do you think?")
    assert row.mentions == [] and set(row.untold) == {"齐远", "新人"}
    assert not Notification.objects.exists()
    client.force_login(where.zhou)
    response = client.post(
        reverse("work:comment", args=["opportunity", deal.pk]), {"text": "@齐远 look"}, follow=True
    )
    assert "齐远 may not see this record and is not told." in response.content.decode()
    body = {"subject_type": "opportunity", "subject_id": deal.pk, "text": "@齐远"}
    answer = client.post("/api/v1/comments", body, content_type="application/json").json()
    assert answer["untold"] == ["齐远"] and answer["mentions"] == []
    assert not Notification.objects.exists()


@pytest.mark.rule("U26", "T04")
def test_only_those_who_may_see_the_record_are_proposed(where: Company, client: Client) -> None:
    deal = where.deal()
    address = reverse("work:mentionable", args=["opportunity", deal.pk])
    client.force_login(where.zhou)
    everybody = client.get(address).content.decode()
    assert "陈立新" in everybody and "齐远" not in everybody and "新人" not in everybody
    for typed in ("陈", "chen", "clx", "chenli"):
        assert "陈立新" in client.get(address, {"q": typed}).content.decode(), typed
    assert "齐远" not in client.get(address, {"q": "qi"}).content.decode()
    client.force_login(where.qi)
    assert client.get(address).status_code == 404


def test_the_longest_name_is_meant(where: Company) -> None:
    where.people["zhou"].__class__.objects.filter(pk=where.lin.pk).update(name="陈立")
    assert set(notes.named_in("@陈立新 hello").values()) == {"陈立新"}
    assert set(notes.named_in("@陈立 hello").values()) == {"陈立"}
    assert notes.named_in("a@chen.example @ @@ @nobody") == {}
    assert set(notes.named_in("@CHEN")) == {where.chen.pk} and notes.named_in("@chenx") == {}


@pytest.mark.rule("U34")
def test_ones_own_comment_is_changed_within_a_day(where: Company, client: Client) -> None:
    deal = where.deal()
    row = say(where, deal, "Hold the price")
    with pytest.raises(NotPermitted):
        work.edit_comment(row.pk, version=1, text="x", **where.how(where.chen))
    with pytest.raises(NotFound):
        work.edit_comment(row.pk, version=1, text="x", **where.how(where.qi))
    changed = work.edit_comment(row.pk, version=1, text="Hold the price, @陈立新", **where.how())
    assert changed.version == 2 and changed.mentions == [where.chen.pk]
    assert Notification.objects.get(reason="mentioned").recipient == where.chen
    with pytest.raises(Stale):
        work.edit_comment(row.pk, version=1, text="x", **where.how())
    late = timezone.now() + timedelta(hours=25)
    with translation.override("en"), pytest.raises(Invalid, match="After a day"):
        work.edit_comment(row.pk, version=2, text="x", **where.how(at=late))
    event = Event.objects.get(type="comment_edited")
    assert event.detail.payload["before"] == "Hold the price"
    client.force_login(where.zhou)
    address = reverse("work:edit_comment", args=[row.pk])
    assert "Hold the price" in client.get(address).content.decode()
    assert client.post(address, {"text": "Hold it", "version": 2}).status_code == 302
    assert client.post(address, {"text": "Mine", "version": 2}).status_code == 409
    assert client.post(address, {"text": "", "version": 3}).status_code == 422
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert "Hold it" in page and "changed" in page and address in page


@pytest.mark.rule("U19")
def test_a_nod_comes_and_goes(where: Company, client: Client) -> None:
    deal = where.deal()
    row = say(where, deal, "Hold the price")
    address = reverse("work:react", args=[row.pk])
    client.force_login(where.chen)
    piece = client.post(address, {"kind": "agree"}, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="true"' in piece and "<html" not in piece
    assert CommentReaction.objects.get().by == where.chen
    page = client.get(reverse("crm:opportunity", args=[deal.pk])).content.decode()
    assert 'value="agree" aria-pressed="true"' in page and f'title="{where.chen.name}"' in page
    assert client.post(address, {"kind": "agree"}).status_code == 302
    assert not CommentReaction.objects.exists()
    assert client.post(address, {"kind": "party"}).status_code == 422
    client.force_login(where.shen)  # an auditor leaves no trace
    assert client.post(address, {"kind": "agree"}).status_code == 403
    client.force_login(where.qi)
    assert client.post(address, {"kind": "agree"}).status_code == 404
    types = list(Event.objects.filter(type__startswith="reaction").values_list("type", flat=True))
    assert types == ["reaction_given", "reaction_taken"]


@pytest.mark.rule("T07")
def test_a_hostile_comment_stays_text(where: Company, client: Client) -> None:
    deal = where.deal()
    say(where, deal, '<img src=x onerror=alert(1)> hx-get="/x" @陈立新<script>1</script> {{7*7}}')
    client.force_login(where.chen)
    for address in (reverse("crm:opportunity", args=[deal.pk]), reverse("work:inbox")):
        page = client.get(address).content.decode()
        assert "<img src=x" not in page and "<script>1" not in page and "{{7*7}}" in page
        assert "&lt;img src=x" in page


@pytest.mark.rule("T01")
def test_who_may_comment_but_not_edit_has_the_form_of_the_comment_alone(
    where: Company, client: Client
) -> None:
    deal = where.deal("Cooling for line 4")
    address = reverse("crm:opportunity", args=[deal.pk])
    client.force_login(where.people["fang"])
    page = client.get(address).content.decode()
    assert reverse("work:comment", args=["opportunity", deal.pk]) in page
    assert 'id="add-due"' not in page and 'id="line-text"' not in page
    client.post(reverse("work:comment", args=["opportunity", deal.pk]), {"text": "The terms are 30 days."})
    assert Comment.objects.get().by_id == where.people["fang"].pk
    client.force_login(where.people["shen"])
    assert 'id="add-text"' not in client.get(address).content.decode()
