"""Looking as another person, at every door: nothing changes, nobody sees more than by themselves, and it is noted."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from tests.access.objects import MINE
from tests.access.walk import METHODS, Walker, patterns
from tests.kit.fingerprint import changed, db_fingerprint

from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import registry, services, viewing
from fairlead.organisation.enums import KeyScope, Role
from fairlead.organisation.models import RoleAssignment
from fairlead.organisation.services import create_api_key

pytestmark = pytest.mark.django_db
ENDS = {"view-as/end", "sign-out"}


def signed_in(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def looking(world):
    """The administrator, who looks as the seller."""
    client = signed_in(world.actors["administrator"].user)
    answer = client.post(reverse("organisation:view_as", args=[world.actors["seller"].user.pk]))
    assert answer.status_code == 302
    return client


@pytest.fixture(autouse=True)
def back(world):
    """Each test leaves the company of the module as it found it."""
    from tests.kit.isolation import undone

    with undone():
        yield


@pytest.mark.rule("T01", "T05")
def test_nothing_changes_at_any_door_and_every_act_is_refused(world, looking):
    walker = Walker(world.objects, {"looking": looking})
    wrong = []
    for pattern in patterns():
        for method in METHODS:
            if method == "POST" and pattern in ENDS:
                continue
            answer = walker.send("looking", method, pattern, MINE)
            what = f"{method} /{pattern} ({answer.status})"
            if answer.status >= 500 or answer.changes:
                wrong.append(f"{what} changed {sorted(answer.changes)}")
            if method != "GET" and answer.status not in (403, 404) and pattern not in ENDS:
                wrong.append(f"{what} was not refused")
    assert wrong == []
    assert changed(walker.before, db_fingerprint()) == {}
    assert len(patterns()) * len(METHODS) > 1000
    assert viewing.KEY in looking.session


@pytest.mark.rule("T01")
def test_the_pages_are_those_of_the_person_with_a_banner_that_ends_it(world, looking):
    seller = world.actors["seller"].user
    board = unescape(looking.get(reverse("web:home")).content.decode())
    assert 'class="fl-looking"' in board and f"<b>{seller.name}</b>" in board
    assert looking.get(reverse("organisation:users")).status_code == 403
    foreign = world.objects.of("opportunity", "foreign")
    assert looking.get(reverse("crm:opportunity", args=[foreign])).status_code == 404
    mine = world.objects.of("opportunity", MINE)
    assert looking.get(reverse("crm:opportunity", args=[mine])).status_code == 200
    for name in registry.PRIVATE_PAGES:
        assert looking.get(reverse(name)).status_code == 403, name
    assert looking.post(reverse("organisation:end_view_as")).url == reverse(
        "organisation:edit_user", args=[seller.pk]
    )
    assert looking.get(reverse("organisation:users")).status_code == 200
    assert "fl-looking" not in looking.get(reverse("web:home")).content.decode()


def noted():
    return list(
        Event.objects.filter(type__startswith="view_as").order_by("pk")
        .values_list("type", "actor_id", "subject_id", "data")
    )  # fmt: skip


@pytest.mark.rule("T01")
def test_begin_and_end_are_noted_with_who_and_whom(world, looking):
    admin, seller = world.actors["administrator"].user.pk, world.actors["seller"].user.pk
    looking.post(reverse("organisation:end_view_as"))
    begun, ended = noted()
    assert begun[:3] == ("view_as_begun", admin, seller) and "until" in begun[3]
    assert ended == ("view_as_ended", admin, seller, {"why": "left"})


@pytest.mark.rule("T01")
def test_signing_out_ends_it(world, looking):
    looking.post(reverse("organisation:sign_out"))
    assert noted()[-1][3] == {"why": "signed-out"}
    assert looking.get(reverse("web:home")).status_code == 302


@pytest.mark.rule("T01")
def test_after_half_an_hour_it_has_ended_and_a_late_act_is_done_as_nobody(world, looking):
    session = looking.session
    kept = session[viewing.KEY]
    until = timezone.datetime.fromisoformat(kept["until"])
    assert timedelta(minutes=29) < until - timezone.now() <= timedelta(minutes=30)
    session[viewing.KEY] = kept | {"until": (timezone.now() - timedelta(seconds=1)).isoformat()}
    session.save()
    before = db_fingerprint()
    refused = looking.post(reverse("organisation:theme"), {"theme": "dark"})
    assert refused.status_code == 403
    assert set(changed(before, db_fingerprint())) <= {
        "journal.Event",
        "journal.EventDetail",
        "sessions.Session",
    }
    assert noted()[-1][3] == {"why": "time"}
    assert looking.get(reverse("organisation:users")).status_code == 200


@pytest.mark.rule("T01", "T02")
def test_only_who_has_the_right_begins(world):
    seller = world.actors["seller"].user
    for name in ("seller", "manager", "process-owner", "finance", "auditor"):
        client = signed_in(world.actors[name].user)
        other = world.actors["same-team"].user
        assert client.post(reverse("organisation:view_as", args=[other.pk])).status_code == 403, name
    admin = signed_in(world.actors["administrator"].user)
    assert admin.post(reverse("organisation:view_as", args=[987654])).status_code == 404
    assert (
        admin.post(reverse("organisation:view_as", args=[world.actors["administrator"].user.pk])).status_code
        == 403
    )
    services.deactivate(seller, by=world.actors["administrator"].user, at=timezone.now(), channel=Channel.UI)
    assert admin.post(reverse("organisation:view_as", args=[seller.pk])).status_code == 403
    assert noted() == []


@pytest.mark.rule("T01", "T05")
def test_nobody_sees_more_by_it_than_by_themselves(world):
    """An administrator of one team does not look as somebody who reaches all."""
    admin, finance = world.actors["administrator"].user, world.actors["finance"].user
    RoleAssignment.objects.filter(user=admin).update(scope="team")
    admin.refresh_from_db()
    client = signed_in(admin)
    assert client.post(reverse("organisation:view_as", args=[finance.pk])).status_code == 403
    assert "View as" not in client.get(reverse("organisation:edit_user", args=[finance.pk])).content.decode()
    assert noted() == []


@pytest.mark.rule("T01")
def test_a_right_that_is_taken_away_ends_it_at_the_next_page(world, looking):
    RoleAssignment.objects.filter(user=world.actors["administrator"].user, role=Role.ADMIN).delete()
    looking.get(reverse("web:home"))
    assert noted()[-1][3] == {"why": "not-allowed"}
    assert viewing.KEY not in looking.session


@pytest.mark.rule("T01")
def test_a_key_speaks_for_its_owner_whatever_the_session_looks_as(world, looking):
    admin = world.actors["administrator"].user
    _key, text = create_api_key(
        admin, name="k", scopes=[KeyScope.READ, KeyScope.MANAGE], expires_at=timezone.now() + timedelta(days=1), by=admin,
        at=timezone.now(), channel=Channel.UI,
    )  # fmt: skip
    body = json.dumps({"subject": "account", "key": "by_key", "type": "text", "label": {"en": "By key"}})
    url = "/api/v1/fields"
    sent = looking.post(
        url, body, content_type="application/json", headers={"Authorization": f"Bearer {text}"}
    )
    assert sent.status_code == 201
    forged = looking.post(
        url, body, content_type="application/json", headers={"Authorization": "Bearer nonsense"}
    )
    assert forged.status_code in (401, 403)
    assert looking.get("/api/v1/me").json()["username"] == world.actors["seller"].user.username


def test_the_page_of_a_person_offers_it(world):
    admin = signed_in(world.actors["administrator"].user)
    page = admin.get(
        reverse("organisation:edit_user", args=[world.actors["seller"].user.pk])
    ).content.decode()
    assert re.search(r'action="/people/\d+/view-as"', page)
