"""Two-step sign-in: set up, asked for, spent, switched off, reset, demanded of roles."""

import re
from datetime import timedelta

import pyotp
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import codes, services
from fairlead.organisation.enums import Role
from fairlead.organisation.models import RecoveryCode, SecondStep, User

from .conftest import NOON, PASSWORD

pytestmark = pytest.mark.rule("T12")
PAGE, CODE = "/profile/second-step", "/sign-in/code"


@pytest.fixture
def user(make_user):
    return make_user("zhoumin", name="周敏", language="en")


@pytest.fixture
def client(settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    return Client(headers={"accept-language": "en"})


def own(user, at=None):
    return {"by": user, "at": at or timezone.now(), "channel": Channel.UI}


def code_of(user, at=None, steps=0):
    secret = SecondStep.objects.get(user=user).secret
    return pyotp.TOTP(secret).at(at or timezone.now(), counter_offset=steps)


def switched_on(user, at=None):
    """The recovery codes; the code that confirmed is one half minute old, so that the next one is free."""
    how = own(user, at)
    services.begin_second_step(user, **how)
    return services.confirm_second_step(user, code=code_of(user, how["at"], -1), current=PASSWORD, **how)


def sign_in(client, **more):
    given = {"username": "zhoumin", "password": PASSWORD, **more}
    return client.post(reverse("organisation:sign_in"), given)


def is_in(client):
    return "_auth_user_id" in client.session


def kinds(user):
    found = Event.objects.filter(subject_type="user", subject_id=user.pk).order_by("pk")
    return [kind for kind in found.values_list("type", flat=True) if "second" in kind or "recovery" in kind]


# --- codes ---


def test_a_code_is_taken_half_a_minute_early_and_late_and_no_other():
    secret = codes.new_secret()
    for steps, offset in ((0, 0), (-1, -1), (1, 1), (-2, None), (2, None)):
        given = pyotp.TOTP(secret).at(NOON, counter_offset=steps)
        now = int(NOON.timestamp()) // 30
        assert codes.step_of(secret, given, NOON) == (None if offset is None else now + offset)
    for wrong in ("", "12345", "1234567", "abcdef", "１２３４５６", "12 456"):
        assert codes.step_of(secret, wrong, NOON) is None


def test_codes_are_read_as_people_write_them():
    text = codes.new_recovery_codes()[0]
    assert codes.cleaned(f" {codes.written(text).upper()} ") == text
    assert codes.cleaned("123 456") == "123456"
    assert codes.is_recovery(text) and not codes.is_recovery("123456")
    assert len(set(codes.new_recovery_codes())) == 10


def test_the_picture_is_the_qr_code_of_the_address():
    import segno

    address = codes.address_of("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "zhoumin", "海纳工业")
    assert address.startswith("otpauth://totp/") and "secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" in address
    side, path = codes.picture_of(address)
    dark = {
        (int(x) + i, int(y)) for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)", path) for i in range(int(run))
    }
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=4)]
    assert side == len(rows)
    assert dark == {(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell}


# --- services ---


def test_nothing_is_asked_before_a_code_has_been_given(user, client):
    services.begin_second_step(user, **own(user))
    assert services.second_step_of(user) is None
    assert sign_in(client).url == "/" and is_in(client)


def test_setting_up_needs_the_password_and_a_code_of_the_device(user):
    how = own(user)
    with pytest.raises(Invalid):
        services.confirm_second_step(user, code="123456", current=PASSWORD, **how)
    services.begin_second_step(user, **how)
    right = code_of(user, how["at"])
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for code, current, field in ((right, "no", "current"), (wrong, PASSWORD, "code")):
        with pytest.raises(Invalid) as caught:
            services.confirm_second_step(user, code=code, current=current, **how)
        assert [e["field"] for e in caught.value.details["errors"]] == [field]
    assert services.second_step_of(user) is None
    texts = services.confirm_second_step(user, code=right, current=PASSWORD, **how)
    assert len(texts) == 10
    stored = list(RecoveryCode.objects.values_list("hash", flat=True))
    assert not set(stored) & set(texts) and len(set(stored)) == 10
    assert kinds(user) == ["second_step_begun", "second_step_on"]
    with pytest.raises(Invalid):
        services.begin_second_step(user, **how)
    assert "secret" not in str(list(Event.objects.values_list("data", "detail__payload")))


def test_a_code_opens_once_and_none_before_it_any_more(user):
    now = timezone.now()
    switched_on(user, now)
    fresh, early = code_of(user, now), code_of(user, now, 1)
    take = {"at": now, "channel": Channel.UI}
    assert not services.take_code(user, code=code_of(user, now, -1), **take)  # it confirmed
    assert services.take_code(user, code=fresh, **take)
    assert not services.take_code(user, code=fresh, **take)
    assert services.take_code(user, code=early, **take)
    assert not services.take_code(user, code=fresh, **take)


def test_a_recovery_code_opens_once(user):
    texts = switched_on(user)
    take = {"at": timezone.now(), "channel": Channel.UI}
    assert services.take_code(user, code=texts[3].upper(), **take)
    assert not services.take_code(user, code=texts[3], **take)
    assert services.take_code(user, code=texts[4], **take)
    used = Event.objects.filter(type="recovery_code_used").order_by("pk")
    assert [e.data["left"] for e in used] == [9, 8]


def test_switching_off_and_new_codes_ask_for_both(user):
    texts = switched_on(user)
    how = own(user)
    for service in (services.switch_off_second_step, services.renew_recovery_codes):
        for code, current in (("000000", PASSWORD), (texts[0], "no")):
            with pytest.raises(Invalid):
                service(user, code=code, current=current, **how)
    fresh = services.renew_recovery_codes(user, code=texts[0], current=PASSWORD, **how)
    assert len(fresh) == 10 and not set(fresh) & set(texts)
    assert not services.take_code(user, code=texts[1], at=how["at"], channel=Channel.UI)
    services.switch_off_second_step(user, code=fresh[0], current=PASSWORD, **how)
    assert not SecondStep.objects.exists() and not RecoveryCode.objects.exists()
    assert kinds(user)[-1] == "second_step_off"


def test_nobody_touches_the_second_step_of_another_and_no_key_ones_own(user, make_user):
    other, admin = make_user("other"), make_user("chief", roles=(Role.ADMIN,))
    switched_on(user)
    with pytest.raises(NotPermitted):
        services.begin_second_step(user, **own(admin))
    with pytest.raises(NotPermitted):
        services.reset_second_step(user, **own(other))
    with pytest.raises(NotPermitted):
        services.reset_second_step(admin, **own(admin))
    key, _text = services.create_api_key(
        admin,
        name="x",
        scopes=["manage"],
        expires_at=NOON + timedelta(days=9),
        by=admin,
        at=NOON,
        channel="ui",
    )
    spoken = User.objects.get(pk=admin.pk)
    spoken.api_key = key
    with pytest.raises(NotPermitted):
        services.begin_second_step(spoken, **own(spoken))
    assert services.reset_second_step(user, **own(admin)) is True
    assert services.reset_second_step(user, **own(admin)) is False
    event = Event.objects.get(type="second_step_reset")
    assert (event.subject_id, event.actor_id) == (user.pk, admin.pk)


# --- signing in ---


def test_the_password_alone_opens_nothing(user, client):
    switched_on(user)
    answer = sign_in(client, next="/profile")
    assert (answer.status_code, answer.url) == (302, CODE)
    assert not is_in(client)
    assert client.get("/profile").url.startswith("/sign-in")
    assert client.get("/api/v1/me").status_code == 401
    page = client.get(CODE).content.decode()
    assert 'autocomplete="one-time-code"' in page and "周敏" in page
    before = client.session.session_key
    answer = client.post(CODE, {"code": code_of(user)})
    assert (answer.status_code, answer.url) == (302, "/profile")
    assert is_in(client) and client.session.session_key != before
    assert "second_step" not in client.session


def test_a_replayed_code_is_refused_in_a_second_browser(user, client, settings):
    switched_on(user)
    code, thief = code_of(user), Client()
    for one in (client, thief):
        sign_in(one)
    assert client.post(CODE, {"code": code}).status_code == 302
    assert thief.post(CODE, {"code": code}).status_code == 422
    assert not is_in(thief)


def test_wrong_codes_lock_the_name_like_wrong_passwords(user, client):
    texts = switched_on(user)
    sign_in(client)
    said = [client.post(CODE, {"code": "000000"}) for _ in range(4)]
    assert [answer.status_code for answer in said] == [422] * 4
    assert "1 more try." in said[3].content.decode()
    locked = client.post(CODE, {"code": "000000"})
    assert locked.status_code == 429 and "locked for 15 more minutes" in locked.content.decode()
    assert client.post(CODE, {"code": texts[0]}).status_code == 429
    assert sign_in(Client()).status_code == 429  # with the right password too
    assert not is_in(client)


def test_a_right_password_does_not_wash_wrong_codes_away(user, client):
    switched_on(user)
    for _round in range(4):
        sign_in(client)
        assert client.post(CODE, {"code": "000000"}).status_code == 422
    sign_in(client)
    assert client.post(CODE, {"code": "000000"}).status_code == 429


@pytest.mark.parametrize("end", ["late", "password", "deactivated", "nothing"])
def test_waiting_ends(user, client, end, monkeypatch):
    switched_on(user)
    if end != "nothing":
        sign_in(client)
    code = code_of(user)
    if end == "late":
        session = client.session
        session["second_step"] |= {"until": (timezone.now() - timedelta(seconds=1)).isoformat()}
        session.save()
    elif end == "password":
        services.set_password(user, password="staple-battery-horse", by=None, at=NOON, channel=Channel.SYSTEM)
    elif end == "deactivated":
        User.objects.filter(pk=user.pk).update(is_active=False)
    answer = client.post(CODE, {"code": code})
    assert (answer.status_code, answer.url) == (302, "/sign-in")
    assert not is_in(client)


def test_a_stranger_s_address_is_not_followed(user, client):
    switched_on(user)
    sign_in(client, next="//evil.example/")
    assert client.post(CODE, {"code": code_of(user)}).url == "/"


def test_api_keys_go_on_without_a_second_step(user, client, make_user):
    admin = make_user("chief", roles=(Role.ADMIN,))
    services.assign_role(user, role=Role.AR, by=admin, at=NOON, channel=Channel.UI)
    now = timezone.now()
    _key, text = services.create_api_key(
        user, name="ERP", scopes=["read"], expires_at=now + timedelta(days=1), by=user, at=now, channel="ui"
    )
    door = {"authorization": f"Bearer {text}"}
    assert client.get("/api/v1/me", headers=door).status_code == 200
    services.change_organisation(second_step_roles=["AR"], **own(admin))
    assert client.get("/api/v1/me", headers=door).status_code == 200  # due, and still the key goes on
    user.refresh_from_db()
    assert user.second_step_due
    switched_on(user)
    assert client.get("/api/v1/me", headers=door).status_code == 200


# --- pages ---


def test_the_whole_page_without_a_script(user, client):
    client.force_login(user)
    assert "Set up" in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"act": "begin"}).url == PAGE
    page = client.get(PAGE).content.decode()
    assert '<svg class="fl-qr"' in page and codes.grouped(SecondStep.objects.get().secret) in page
    assert client.post(PAGE, {"act": "confirm", "code": "000000", "current": PASSWORD}).status_code == 422
    shown = client.post(PAGE, {"act": "confirm", "code": code_of(user, steps=-1), "current": PASSWORD})
    texts = re.findall(r"<code>([a-z2-9-]{19})</code>", shown.content.decode())
    assert shown.status_code == 201 and len(texts) == 10
    assert "no-store" in shown.headers["Cache-Control"]
    page = client.get(PAGE).content.decode()
    assert "10 recovery codes are left" in page and texts[0] not in page and "fl-qr" not in page
    assert client.post(PAGE, {"act": "codes", "code": texts[0], "current": "no"}).status_code == 422
    assert client.post(PAGE, {"act": "codes", "code": texts[0], "current": PASSWORD}).status_code == 201
    assert client.post(PAGE, {"act": "off", "code": texts[1], "current": PASSWORD}).status_code == 422
    assert client.post(PAGE, {"act": "off", "code": code_of(user), "current": PASSWORD}).url == PAGE
    assert not SecondStep.objects.exists()
    assert client.post(PAGE, {"act": "spell"}).url == PAGE


def test_guessing_at_the_page_locks_too(user, client):
    switched_on(user)
    client.force_login(user)
    for _try in range(4):
        assert client.post(PAGE, {"act": "off", "code": "000000", "current": PASSWORD}).status_code == 422
    assert client.post(PAGE, {"act": "off", "code": "000000", "current": PASSWORD}).status_code == 429
    assert client.post(PAGE, {"act": "off", "code": code_of(user), "current": PASSWORD}).status_code == 429
    assert SecondStep.objects.exists()


def test_an_administrator_resets_it_for_somebody(user, client, make_user):
    admin = make_user("chief", language="en", roles=(Role.ADMIN,))
    switched_on(user)
    client.force_login(admin)
    assert "Reset second step" in client.get(f"/people/{user.pk}").content.decode()
    assert client.post(f"/people/{user.pk}/second-step").url == f"/people/{user.pk}"
    assert "Reset second step" not in client.get(f"/people/{user.pk}").content.decode()
    assert client.post(f"/people/{admin.pk}/second-step").status_code == 403
    other = Client()
    assert sign_in(other).url == "/" and is_in(other)


# --- roles that must ---


def test_a_role_that_must_sets_it_up_before_anything_else(user, client, make_user):
    admin = make_user("chief", roles=(Role.ADMIN,))
    services.assign_role(user, role=Role.AR, by=None, at=NOON, channel=Channel.SYSTEM)
    client.force_login(user)
    assert client.get("/profile").status_code == 200
    services.change_organisation(second_step_roles=["AR", "FIN"], **own(admin))
    answer = client.get("/profile")
    assert (answer.status_code, answer.url) == (302, PAGE)
    assert "Your role asks for" in client.get(PAGE).content.decode()
    refused = client.get("/api/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (403, "second-step-required")
    assert client.get("/help/").status_code == 302
    client.post(PAGE, {"act": "begin"})
    client.post(PAGE, {"act": "confirm", "code": code_of(user), "current": PASSWORD})
    assert client.get("/profile").status_code == 200
    services.reset_second_step(user, **own(admin))
    assert client.get("/profile").url == PAGE
    services.set_roles(user, roles=[Role.MKT], **own(admin))
    assert client.get("/profile").status_code == 200
    services.assign_role(user, role=Role.FIN, **own(admin))
    assert client.get("/profile").url == PAGE
    newcomer = services.create_user(
        username="new", name="新", roles=[Role.FIN], password=PASSWORD, **own(admin)
    )
    assert User.objects.get(pk=newcomer.pk).second_step_due
    services.change_organisation(second_step_roles=[], **own(admin))
    assert not User.objects.filter(second_step_due=True).exists()
    with pytest.raises(Invalid):
        services.change_organisation(second_step_roles=["GHOST"], **own(admin))
