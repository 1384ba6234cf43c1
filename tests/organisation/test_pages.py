import re

import pytest
from django.test import Client
from django.urls import reverse

from fairlead.organisation.models import ApiKey, Team, User

from .conftest import PASSWORD


@pytest.fixture
def client(settings, admin):
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    User.objects.filter(pk=admin.pk).update(language="en")
    admin.refresh_from_db()
    client.force_login(admin)
    return client


def test_people_stand_in_their_order_with_constant_queries(
    client, make_user, make_team, django_assert_num_queries
):
    north = make_team("华北")
    for index, name in enumerate(["曾国", "单雄", "仇英"]):
        make_user(f"p{index}", name=name, roles=["AR", "SR"], team=north)
    url = reverse("organisation:users")
    client.get(url)
    with django_assert_num_queries(7):
        text = client.get(url).content.decode()
    assert re.findall(r'<a href="/people/\d+">(.*?)</a>', text) == ["何佳", "仇英", "单雄", "曾国"]
    for index in range(20):
        make_user(f"q{index}", roles=["AR"], team=north)
    with django_assert_num_queries(7):
        client.get(url)


def test_a_person_is_made_and_changed_on_a_page(client, make_team):
    north, south = make_team("华北"), make_team("华南")
    values = {
        "name": "周敏",
        "username": "zhoumin",
        "email": "",
        "language": "en",
        "time_zone": "Asia/Shanghai",
    }
    made = client.post(
        reverse("organisation:create_user"),
        values | {"team": north.pk, "roles": ["AR"], "password": PASSWORD},
    )
    assert made.status_code == 302
    user = User.objects.get(username="zhoumin")
    assert user.must_change_password
    url = reverse("organisation:edit_user", args=[user.pk])
    assert client.get(url).status_code == 200
    changed = client.post(
        url, values | {"name": "周敏敏", "team": south.pk, "roles": ["SR", "FR"], "version": user.version}
    )
    assert changed.status_code == 302
    user = User.objects.get(pk=user.pk)
    assert (user.name, user.team, user.username) == ("周敏敏", south, "zhoumin")
    assert {role.value for role in user.roles} == {"SR", "FR"}


@pytest.mark.rule("T14")
def test_a_second_tab_gets_both_values_and_a_second_save_means_it(client, make_user):
    user = make_user("zhoumin", name="周敏")
    url = reverse("organisation:edit_user", args=[user.pk])
    values = {"email": "", "language": "en", "time_zone": "Asia/Shanghai", "version": 1}
    client.post(url, values | {"name": "周一"})
    refused = client.post(url, values | {"name": "周二"})

    assert refused.status_code == 409
    text = refused.content.decode()
    assert "周一" in text
    assert "周二" in text
    version = re.search(r'name="version" value="(\d+)"', text).group(1)
    assert client.post(url, values | {"name": "周二", "version": version}).status_code == 302
    assert User.objects.get(pk=user.pk).name == "周二"


def test_refusals_stand_on_the_page(client, admin, make_user):
    make_user("zhoumin")
    values = {"name": "x", "username": "ZhouMin", "language": "en", "time_zone": "Asia/Shanghai"}
    assert client.post(reverse("organisation:create_user"), values).status_code == 422
    url = reverse("organisation:edit_user", args=[admin.pk])
    last = client.post(url, values | {"roles": [], "version": admin.version})
    assert last.status_code == 422
    assert "last administrator" in last.content.decode()
    assert (
        client.post(reverse("organisation:set_active", args=[admin.pk]), {"active": "0"}).status_code == 422
    )
    assert client.post(reverse("organisation:set_active", args=[admin.pk])).status_code == 302
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.may("users.manage")


def test_passwords_and_access_of_others(client, make_user):
    user = make_user("zhoumin")
    reset = reverse("organisation:reset_password", args=[user.pk])
    assert client.post(reset, {"password": "12345678"}).status_code == 422
    assert client.post(reset, {"password": "staple-battery-horse"}).status_code == 302
    active = reverse("organisation:set_active", args=[user.pk])
    client.post(active, {"active": "0"})
    user.refresh_from_db()
    assert (user.is_active, user.must_change_password) == (False, True)
    client.post(active, {"active": "1"})
    user.refresh_from_db()
    assert user.is_active


def test_teams_are_made_renamed_and_moved(client):
    create = reverse("organisation:create_team")
    client.post(create, {"name": "华北"})
    north = Team.objects.get()
    client.post(create, {"name": "北京", "parent": north.pk})
    beijing = Team.objects.get(name="北京")
    assert (north.kind, beijing.kind, beijing.parent) == ("branch", "team", north)
    assert client.post(create, {"name": "华北"}).status_code == 422
    url = reverse("organisation:edit_team", args=[beijing.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "北京一部", "parent": "", "version": 1}).status_code == 302
    assert client.post(url, {"name": "北京二部", "parent": "", "version": 1}).status_code == 409
    ring = reverse("organisation:edit_team", args=[north.pk])
    client.post(
        url, {"name": "北京一部", "parent": north.pk, "version": Team.objects.get(pk=beijing.pk).version}
    )
    assert (
        client.post(ring, {"name": "华北", "parent": beijing.pk, "version": north.version}).status_code == 422
    )
    beijing.refresh_from_db()
    assert (beijing.name, beijing.parent) == ("北京一部", north)


def test_a_key_is_shown_once(client, admin):
    made = client.post(reverse("organisation:create_key"), {"name": "ERP", "scopes": ["read"], "days": "90"})
    assert made.status_code == 201
    text = re.search(r'value="(fl_[^"]+)"', made.content.decode()).group(1)
    key = ApiKey.objects.get()
    page = client.get(reverse("organisation:profile")).content.decode()
    assert text not in page
    assert key.prefix in page
    client.post(reverse("organisation:revoke_key", args=[key.pk]))
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert client.post(reverse("organisation:create_key"), {"name": "", "days": "9000"}).status_code == 422


@pytest.mark.rule("T14")
def test_preferences(client, admin):
    url = reverse("organisation:profile")
    values = {"language": "zh-hans", "theme": "dark", "time_zone": "Europe/Berlin", "version": admin.version}
    assert client.post(url, values).status_code == 302
    assert client.post(url, values | {"theme": "light"}).status_code == 409
    assert client.post(url, values | {"time_zone": "Mars"}).status_code == 422
    admin.refresh_from_db()
    assert (admin.language, admin.theme, admin.time_zone) == ("zh-hans", "dark", "Europe/Berlin")


@pytest.mark.rule("T01")
@pytest.mark.parametrize(
    "name", ["users", "create_user", "edit_user", "reset_password", "set_active", "create_team", "edit_team"]
)
def test_pages_of_the_administrator_are_closed_to_others(client, make_user, make_team, name):
    team, user = make_team("华北"), make_user("ar", roles=["AR", "MGR"])
    args = {
        "edit_team": [team.pk],
        "edit_user": [user.pk],
        "reset_password": [user.pk],
        "set_active": [user.pk],
    }
    url = reverse(f"organisation:{name}", args=args.get(name, []))
    client.force_login(user)
    assert client.get(url).status_code == 403
    assert client.post(url, {"active": "0"}).status_code == 403
    client.logout()
    assert client.get(url).status_code == 302


@pytest.mark.rule("T03")
def test_unknown_and_foreign_keys_look_alike(client, make_user, admin):
    client.post(reverse("organisation:create_key"), {"name": "ERP", "scopes": ["read"], "days": "90"})
    stranger = make_user("ar", roles=["AR"])
    client.force_login(stranger)
    answers = {client.post(reverse("organisation:revoke_key", args=[pk])).status_code
               for pk in (ApiKey.objects.get().pk, 999_999)}  # fmt: skip
    assert answers == {404}
    assert ApiKey.objects.get().revoked_at is None
