"""From the first try at the door to the last request of somebody who has left: what opens, what stays shut.

Each case runs for a plain installation and for one behind TLS, whose cookies have other names and stricter rules.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from axes.models import AccessAttempt
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from tests.factories.crm import PASSWORD, Company, company

from fairlead.crm.views.shared import way_back
from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import ApiKey, SecondStep, User

from .test_sign_in import OUTSIDE

pytestmark = [pytest.mark.django_db, pytest.mark.rule("T12")]
NEW_PASSWORD = "staple-battery-horse"
SITE = "https://sales.example.cn"


@pytest.fixture(params=["plain", "secure"])
def profile(request: Any, settings: Any) -> str:
    """What `settings.py` makes of a site's address."""
    settings.ALLOWED_HOSTS = ["testserver"]
    if request.param == "secure":
        settings.SITE_URL = SITE
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
        settings.SESSION_COOKIE_NAME = "__Host-fairlead"
        settings.CSRF_COOKIE_NAME = "__Host-fairlead-csrf"
        settings.SECURE_SSL_REDIRECT = True
        settings.SECURE_HSTS_SECONDS = 31_536_000
    return str(request.param)


class Door(Client):
    """A browser that stands before one of the two."""

    def __init__(self, profile: str, **how: Any) -> None:
        super().__init__(headers={"accept-language": "en"}, raise_request_exception=False, **how)
        self.is_secure = profile == "secure"

    def request(self, **values: Any) -> Any:
        if self.is_secure:
            values |= {"wsgi.url_scheme": "https"}
        return super().request(**values)

    def enter(self, username: str = "zhou", password: str = PASSWORD, **more: Any) -> Any:
        return self.post("/sign-in", {"username": username, "password": password, **more})

    @property
    def is_in(self) -> bool:
        return self.get("/profile").status_code == 200


@pytest.fixture
def where(profile: str) -> Company:
    return company(language="en")


@pytest.fixture
def door(profile: str) -> Door:
    return Door(profile)


def inside(profile: str, username: str = "zhou") -> Door:
    door = Door(profile)
    assert door.enter(username).status_code == 302 and door.is_in
    return door


# --- the session ---


def test_the_cookie_of_a_session_is_for_nobody_else(where: Company, profile: str, settings: Any) -> None:
    cookie = inside(profile).cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/"
    assert not cookie["domain"] and bool(cookie["secure"]) == (profile == "secure")
    assert cookie.key.startswith("__Host-") == (profile == "secure")


def test_a_session_that_was_ended_is_gone_and_its_cookie_opens_nothing(
    where: Company, profile: str, settings: Any
) -> None:
    door = inside(profile)
    kept = door.cookies[settings.SESSION_COOKIE_NAME].value
    assert door.get("/sign-out").status_code == 405
    door.post("/sign-out")
    assert not Session.objects.filter(session_key=kept).exists()
    thief = Door(profile)
    thief.cookies[settings.SESSION_COOKIE_NAME] = kept
    assert not thief.is_in


def test_a_key_that_was_planted_is_not_taken_over(where: Company, profile: str, settings: Any) -> None:
    door = Door(profile)
    door.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    door.enter()
    assert door.is_in and door.cookies[settings.SESSION_COOKIE_NAME].value != "a" * 32


def test_signing_in_from_another_site_is_refused(where: Company, profile: str) -> None:
    door = Door(profile, enforce_csrf_checks=True)
    assert door.enter().status_code == 403 and not door.is_in


def test_pages_with_personal_data_are_kept_by_nothing_between(where: Company, profile: str) -> None:
    door = inside(profile)
    for address in ("/", "/profile", "/opportunities/", "/sign-in"):
        assert "no-store" in door.get(address).headers["Cache-Control"], address


@pytest.mark.parametrize("end", ["deactivated", "erased-from-the-table", "password-by-administrator"])
def test_the_next_request_of_somebody_who_is_shut_out_is_refused(
    where: Company, profile: str, end: str
) -> None:
    door = inside(profile)
    how = where.how(where.admin)
    if end == "deactivated":
        services.deactivate(where.zhou, **how)
    elif end == "erased-from-the-table":
        User.objects.filter(pk=where.zhou.pk).update(is_active=False, password="!")
    else:
        services.set_password(where.zhou, password=NEW_PASSWORD, **how)
    assert not door.is_in
    assert door.get("/api/v1/me").status_code == 401
    assert door.post("/theme", {"theme": "dark"}).status_code == 302
    assert User.objects.get(pk=where.zhou.pk).theme == "auto"


def test_a_new_password_ends_every_other_session_and_the_old_one_opens_no_more(
    where: Company, profile: str
) -> None:
    here, there, phone = (inside(profile) for _browser in range(3))
    here.post("/profile/password", {"current": PASSWORD, "password": NEW_PASSWORD})
    assert [door.is_in for door in (here, there, phone)] == [True, False, False]
    assert Door(profile).enter().status_code == 422
    assert Door(profile).enter(password=NEW_PASSWORD).status_code == 302


# --- nobody learns who is here ---


@pytest.mark.parametrize("username", ["zhou", "nobody-of-this-name", "gone"])
def test_known_unknown_and_closed_names_cost_the_same_and_read_the_same(
    where: Company, profile: str, username: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a try is that of its hashes: as many for every name."""
    services.create_user(username="gone", name="Gone", password=PASSWORD, **where.how(where.admin))
    User.objects.filter(username="gone").update(is_active=False)
    count = 0
    encode = hashers.MD5PasswordHasher.encode

    def counted(self: Any, *more: Any, **how: Any) -> str:
        nonlocal count
        count += 1
        return encode(self, *more, **how)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", counted)
    answer = Door(profile).enter(username, "wrong")
    assert (answer.status_code, count) == (422, 1)
    said = answer.content.decode()
    assert "Wrong password. 4 more tries lock it for 15 minutes." in said


def test_a_wrong_host_gets_no_page_and_mail_knows_only_the_address_that_was_set(
    where: Company, profile: str
) -> None:
    for host in ("evil.example", "testserver.evil.example", "testserver@evil.example", "evil.example:443"):
        answer = Door(profile).get("/sign-in", headers={"host": host})
        assert answer.status_code == 400 and b"evil" not in answer.content, host
    forwarded = Door(profile).get("/opportunities/", headers={"x-forwarded-host": "evil.example"})
    assert forwarded.status_code == 302 and forwarded.headers["Location"].startswith("/sign-in")
    assert mail.outbox == []


# --- the second step ---


def with_second_step(user: User) -> list[str]:
    how: dict[str, Any] = {"by": user, "at": timezone.now(), "channel": Channel.UI}
    services.begin_second_step(user, **how)
    code = pyotp.TOTP(SecondStep.objects.get(user=user).secret).at(how["at"], counter_offset=-1)
    return services.confirm_second_step(user, code=code, current=PASSWORD, **how)


def test_a_code_opens_one_browser_and_a_recovery_code_one_time(where: Company, profile: str) -> None:
    spare = with_second_step(where.zhou)
    code = pyotp.TOTP(SecondStep.objects.get(user=where.zhou).secret).at(timezone.now())
    doors = [Door(profile) for _browser in range(4)]
    for door, given in zip(doors, (code, code, spare[0], spare[0]), strict=True):
        assert door.enter().headers["Location"] == "/sign-in/code" and not door.is_in
        door.post("/sign-in/code", {"code": given})
    assert [door.is_in for door in doors] == [True, False, True, False]


def test_waiting_for_a_code_opens_no_door_of_the_api_either(where: Company, door: Door) -> None:
    with_second_step(where.zhou)
    door.enter()
    for address in ("/api/v1/me", "/api/v1/opportunities"):
        assert door.get(address).status_code == 401
    assert door.post("/theme", {"theme": "dark"}).headers["Location"].startswith("/sign-in")


# --- keys ---


def key_of(user: User, **values: Any) -> tuple[ApiKey, dict[str, str]]:
    at = timezone.now()
    wish = {"name": "ERP", "scopes": ["read"], "expires_at": at + timedelta(days=1)} | values
    row, text = services.create_api_key(user, **wish, by=user, at=at, channel=Channel.UI)
    return row, {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize("end", ["revoked", "expired", "owner-gone", "roles-gone"])
def test_a_key_ends_with_its_next_call(where: Company, door: Door, end: str) -> None:
    row, headers = key_of(where.zhou)
    assert door.get("/api/v1/opportunities", headers=headers).status_code == 200
    how = where.how(where.admin)
    if end == "revoked":
        services.revoke_api_key(row, **where.how(where.zhou))
    elif end == "expired":
        gone = timezone.now() - timedelta(seconds=1)
        ApiKey.objects.filter(pk=row.pk).update(created_at=gone - timedelta(days=1), expires_at=gone)
    elif end == "owner-gone":
        services.deactivate(where.zhou, **how)
    else:
        services.set_roles(where.zhou, roles=[], **how)
    refused = door.get("/api/v1/opportunities", headers=headers)
    assert refused.status_code == (403 if end == "roles-gone" else 401)


def test_a_key_opens_the_api_in_its_header_and_nothing_else(where: Company, door: Door) -> None:
    row, headers = key_of(where.zhou)
    text = headers["authorization"].removeprefix("Bearer ")
    assert door.get("/profile", headers=headers).status_code == 302
    assert door.get(f"/api/v1/me?key={text}&authorization=Bearer%20{text}").status_code == 401
    assert door.enter(password=text).status_code == 422
    assert door.post("/api/v1/comments", {}, "application/json", headers=headers).status_code == 403
    assert text not in repr(list(ApiKey.objects.values_list()))
    assert "sessionid" not in door.cookies and not door.is_in
    assert row.expires_at is not None


def test_the_profile_says_when_a_key_was_last_used(where: Company, profile: str) -> None:
    _row, headers = key_of(where.zhou)
    door = inside(profile)
    assert ">Never<" in door.get("/profile").content.decode()
    Door(profile).get("/api/v1/me", headers=headers)
    assert ">Never<" not in door.get("/profile").content.decode()
    assert ApiKey.objects.get().last_used_at is not None


# --- many tries at once ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.rule("T13")
def test_fifty_wrong_tries_at_once_lock_the_name_and_none_goes_uncounted(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    company(language="en")

    def guess(number: int) -> int:
        try:
            return int(Door("plain").enter(password=f"guess-{number}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as hands:
        answers = Counter(hands.map(guess, range(50)))
    assert answers.keys() == {422, 429} and answers[422] < settings.AXES_FAILURE_LIMIT, answers
    assert AccessAttempt.objects.get().failures_since_start >= settings.AXES_FAILURE_LIMIT
    assert Door("plain").enter().status_code == 429


# --- nobody is sent elsewhere ---


@pytest.mark.parametrize("target", OUTSIDE)
def test_the_way_back_of_a_form_of_a_deal_stays_here(profile: str, rf: Any, target: str) -> None:
    assert way_back(rf.post("/", {"next": target}), "/board/") == "/board/"
    assert way_back(rf.get("/", {"next": "/opportunities/?sort=name"}), "/") == "/opportunities/?sort=name"


DOORS = ("/language", "/theme", "/sign-in", "/sign-in/code")


@pytest.mark.parametrize("address", DOORS)
def test_no_door_sends_anybody_to_another_site(where: Company, profile: str, address: str) -> None:
    """At least twenty-five ways to write it, at each door that takes the way back from the form."""
    assert len(OUTSIDE) >= 25
    spare = with_second_step(where.zhou) if address == "/sign-in/code" else []
    for number, target in enumerate(OUTSIDE[: len(spare)] if spare else OUTSIDE):
        door = Door(profile)
        if address == "/sign-in/code":
            door.enter(next=target)
            answer = door.post(address, {"code": spare[number]})
        elif address == "/sign-in":
            answer = door.enter(next=target)
        else:
            door.force_login(where.zhou)
            answer = door.post(address, {"language": "en", "theme": "dark", "next": target})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/"), target
