from datetime import timedelta

import pytest
from django.db import connection

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.models import ApiKey

from .conftest import NOON, PASSWORD

MONTH = timedelta(days=30)


@pytest.fixture
def owner(make_user):
    return make_user("owner", roles=["ADMIN"])


@pytest.fixture
def make_key(owner):
    def make(*scopes, by=None):
        return services.create_api_key(
            owner, name="ERP", scopes=scopes or ("read",), expires_at=NOON + MONTH, by=by or owner, at=NOON,
            channel=Channel.UI,
        )  # fmt: skip

    return make


@pytest.mark.rule("T12")
def test_only_the_hash_is_kept(make_key):
    key, text = make_key()
    secret = text.split("_", 2)[2]
    assert len(key.hash) == 64
    with connection.cursor() as cursor:
        for table in ("organisation_apikey", "journal_event", "journal_eventdetail"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = cursor.fetchall()
            assert rows
            assert secret not in repr(rows)


@pytest.mark.rule("T12")
def test_a_key_narrows_its_owner_and_never_widens(make_key, owner, make_user):
    _key, text = make_key("read", "write")
    spoken_for = services.authenticate_api_key(text, at=NOON)
    assert spoken_for == owner
    assert spoken_for.may("opportunity.view")
    assert spoken_for.may("opportunity.move")
    assert not spoken_for.may("users.manage")
    assert not spoken_for.may("waiver.grant")
    assert not spoken_for.may("apikeys.own")
    assert not spoken_for.may("deal.reopen_won")
    assert owner.may("users.manage")


@pytest.mark.rule("T12")
def test_a_key_can_neither_make_nor_revoke_keys_nor_set_passwords(make_key, owner):
    key, text = make_key("manage", "write", "read")
    spoken_for = services.authenticate_api_key(text, at=NOON)
    how = {"by": spoken_for, "at": NOON, "channel": Channel.API}
    with pytest.raises(NotPermitted):
        services.create_api_key(owner, name="x", scopes=["read"], expires_at=NOON + MONTH, **how)
    with pytest.raises(NotPermitted):
        services.revoke_api_key(key, **how)
    with pytest.raises(NotPermitted):
        services.set_password(spoken_for, password="staple-battery-horse", current=PASSWORD, **how)
    assert ApiKey.objects.count() == 1


@pytest.mark.rule("T12")
def test_a_key_ends_on_its_date_by_revocation_and_with_its_owner(make_key, owner, make_user):
    key, text = make_key()
    _second, other_text = make_key()
    just_before = NOON + MONTH - timedelta(seconds=1)
    assert services.authenticate_api_key(text, at=just_before) == owner
    assert services.authenticate_api_key(text, at=NOON + MONTH) is None

    services.revoke_api_key(key, by=owner, at=NOON, channel=Channel.UI)
    assert services.authenticate_api_key(text, at=NOON) is None
    assert services.authenticate_api_key(other_text, at=NOON) == owner

    services.deactivate(owner, by=make_user("second", roles=["ADMIN"]), at=NOON, channel=Channel.UI)
    assert services.authenticate_api_key(other_text, at=NOON) is None
    told = Event.objects.filter(subject_type="apikey").order_by("pk")
    assert list(told.values_list("type", flat=True)) == [
        "api_key_created", "api_key_created", "api_key_revoked",
    ]  # fmt: skip


@pytest.mark.rule("T12")
def test_anything_else_is_no_key(make_key):
    _key, text = make_key()
    for wrong in (
        "", "fl", "fl__", text[:-1], text + "x", text.upper(), "x" + text, "fl_\x00_\x00", "fl_" * 500,
        "fl_\ud800_x", text.replace("fl_", "fx_"),
    ):  # fmt: skip
        assert services.authenticate_api_key(wrong, at=NOON) is None


def test_the_last_use_is_noted_but_not_on_every_call(make_key):
    key, text = make_key()
    for minutes in (0, 5, 9):
        services.authenticate_api_key(text, at=NOON + timedelta(minutes=minutes))
    key.refresh_from_db()
    assert key.last_used_at == NOON
    services.authenticate_api_key(text, at=NOON + timedelta(minutes=11))
    key.refresh_from_db()
    assert key.last_used_at == NOON + timedelta(minutes=11)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"), ({"scopes": []}, "scopes"), ({"scopes": ["root"]}, "scopes"),
        ({"expires_at": NOON}, "expires_at"), ({"expires_at": NOON + timedelta(days=400)}, "expires_at"),
    ],
)  # fmt: skip
def test_a_key_needs_a_name_a_scope_and_an_end(owner, values, field):
    wish = {"name": "ERP", "scopes": ["read"], "expires_at": NOON + MONTH} | values
    with pytest.raises(Invalid) as refusal:
        services.create_api_key(owner, **wish, by=owner, at=NOON, channel=Channel.UI)
    assert refusal.value.details["errors"][0]["field"] == field
    assert not ApiKey.objects.exists()


@pytest.mark.rule("T03")
def test_a_strangers_key_looks_like_none(make_key, make_user):
    key, _text = make_key()
    stranger = make_user("stranger", roles=["AR"])
    with pytest.raises(NotFound):
        services.revoke_api_key(key, by=stranger, at=NOON, channel=Channel.UI)
    with pytest.raises(NotPermitted):
        make_key(by=stranger)
    key.refresh_from_db()
    assert key.revoked_at is None
