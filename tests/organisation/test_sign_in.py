import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fairlead.journal.enums import Channel
from fairlead.organisation import services
from fairlead.organisation.models import User
from fairlead.organisation.views.sign_in import safe_next

from .conftest import NOON, PASSWORD

NEW_PASSWORD = "staple-battery-horse"


def sign_in(client, username="zhoumin", password=PASSWORD, **more):
    return client.post(reverse("organisation:sign_in"), {"username": username, "password": password, **more})


def error_of(response):
    found = re.search(r'id="id_password-err">.*?<span>(.*?)</span>', response.content.decode(), re.S)
    return found.group(1) if found else ""


@pytest.fixture
def user(make_user):
    return make_user("zhoumin", name="周敏", language="en")


@pytest.fixture
def client(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    return Client(headers={"accept-language": "en"})


@pytest.mark.rule("T12")
def test_right_password_signs_in_with_a_new_session(client, user):
    client.get(reverse("organisation:sign_in"))
    client.session["marker"] = 1
    before = client.session.session_key
    response = sign_in(client, username=" ZhouMin")

    assert (response.status_code, response.url) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.session.session_key != before


@pytest.mark.rule("T12")
@pytest.mark.parametrize("username", ["zhoumin", "nobody-of-that-name", "gone"])
def test_every_wrong_try_says_how_many_are_left_whether_or_not_the_name_is_known(
    client, user, make_user, username
):
    make_user("gone")
    User.objects.filter(username="gone").update(is_active=False)
    said = [error_of(sign_in(client, username=username, password="wrong")) for _ in range(4)]
    locked = sign_in(client, username=username.upper(), password="wrong")

    assert said == [
        "Wrong password. 4 more tries lock it for 15 minutes.",
        "Wrong password. 3 more tries lock it for 15 minutes.",
        "Wrong password. 2 more tries lock it for 15 minutes.",
        "Wrong password. 1 more try locks it for 15 minutes.",
    ]
    assert locked.status_code == 429
    assert error_of(locked) == "Too many tries. This name is locked for 15 more minutes."
    assert sign_in(client, username=username).status_code == 429
    assert "_auth_user_id" not in client.session


@pytest.mark.rule("T12")
def test_the_number_is_true_in_chinese_too(user, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client(headers={"accept-language": "zh-CN"})
    response = sign_in(client, password="wrong")
    assert response.status_code == 422
    assert error_of(response) == "密码不对。再试 4 次会锁定 15 分钟。"


@pytest.mark.rule("T12")
def test_a_lock_ends_by_itself_and_a_right_password_forgets_wrong_ones(client, user, settings):
    from axes.models import AccessAttempt

    for _ in range(5):
        sign_in(client, password="wrong")
    assert sign_in(client).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME)
    assert sign_in(client).status_code == 302
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "张" * 5000, "'; --", "x" * 254])
def test_strange_names_are_just_wrong(client, user, name):
    response = sign_in(client, username=name.encode("utf-8", "replace").decode(), password="\x00")
    assert response.status_code == 422
    assert "_auth_user_id" not in client.session


@pytest.mark.rule("T12")
def test_signing_out_needs_a_post(client, user):
    client.force_login(user)
    assert client.get(reverse("organisation:sign_out")).status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post(reverse("organisation:sign_out")).status_code == 302
    assert "_auth_user_id" not in client.session


OUTSIDE = [
    "//evil.example", "///evil.example", "https://evil.example", "http:evil.example", "http:///evil.example",
    "javascript:alert(1)", "data:text/html,x", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "\t//evil.example", "/\n/evil.example", " //evil.example", "//evil.example/%2f..", "//user@evil.example",
    "https:/evil.example", "https:\\evil.example", "//%65vil.example", "ftp://evil.example", "//[::1]",
    "evil.example", "@evil.example", "http://testserver@evil.example", "http://testserver.evil.example/",
    "/\x00/evil.example", "///\\evil.example", "", "?x", "vbscript:x",
]  # fmt: skip


@pytest.mark.rule("T12")
@pytest.mark.parametrize("target", OUTSIDE)
def test_nobody_is_sent_elsewhere_after_signing_in(client, user, target):
    response = sign_in(client, next=target)
    assert (response.status_code, response.url) == (302, "/")


@pytest.mark.parametrize("target", ["/", "/people?q=1", "/%2F%2Fevil.example", "/a//b", "/中文"])
def test_a_path_of_this_site_is_kept(rf, settings, target):
    settings.ALLOWED_HOSTS = ["testserver"]
    assert safe_next(rf.get("/"), target) == target


@pytest.mark.rule("T12")
def test_a_new_password_ends_all_other_sessions_but_this_one(client, user):
    other = Client()
    for browser in (client, other):
        browser.force_login(user)
    response = client.post(
        reverse("organisation:change_password"), {"current": PASSWORD, "password": NEW_PASSWORD}
    )

    assert response.status_code == 302
    assert client.get(reverse("organisation:profile")).status_code == 200
    assert other.get(reverse("organisation:profile")).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


@pytest.mark.rule("T12")
@pytest.mark.parametrize(
    ("current", "new"), [("wrong", NEW_PASSWORD), (PASSWORD, "12345678"), (PASSWORD, "")]
)
def test_a_refused_change_keeps_the_password(client, user, current, new):
    client.force_login(user)
    response = client.post(reverse("organisation:change_password"), {"current": current, "password": new})
    assert response.status_code == 422
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.rule("T12")
def test_the_deactivated_are_out_at_their_next_request(client, user, admin):
    client.force_login(user)
    assert client.get(reverse("organisation:profile")).status_code == 200
    services.deactivate(user, by=admin, at=NOON, channel=Channel.UI)
    assert client.get(reverse("organisation:profile")).status_code == 302


@pytest.mark.rule("T12")
def test_a_password_from_somebody_else_must_be_changed_first(client, user, admin):
    services.set_password(user, password=NEW_PASSWORD, by=admin, at=NOON, channel=Channel.UI)
    sign_in(client, password=NEW_PASSWORD)
    change = reverse("organisation:change_password")

    assert client.get(reverse("organisation:profile")).url == change
    assert client.get(change).status_code == 200
    client.post(change, {"current": NEW_PASSWORD, "password": PASSWORD})
    assert client.get(reverse("organisation:profile")).status_code == 200


def test_language_and_theme_are_kept_with_the_person(client, user):
    client.post(reverse("organisation:language"), {"language": "en", "next": "//evil.example"})
    assert client.cookies["fairlead-language"].value == "en"
    client.force_login(user)
    assert (
        client.post(reverse("organisation:language"), {"language": "zh-hans", "next": "/profile"}).url
        == "/profile"
    )
    client.post(reverse("organisation:theme"), {"theme": "dark"})
    client.post(reverse("organisation:theme"), {"theme": "pink"})
    user.refresh_from_db()
    assert (user.language, user.theme) == ("zh-hans", "dark")
