from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from fairlead.common.refusals import Invalid, NotPermitted, Stale
from fairlead.journal.enums import Channel
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.enums import DayKind, Role
from fairlead.organisation.models import (
    CalendarDay,
    Organisation,
    RoleAssignment,
    Team,
    TeamMembership,
    TeamPlacement,
    User,
    WorkingCalendar,
)
from fairlead.organisation.selectors import default_calendar

from .conftest import NOON, PASSWORD

TODAY = date(2026, 3, 2)


def events(row):
    return list(
        Event.objects.about(row._meta.model_name, [row.pk]).order_by("pk").values_list("type", flat=True)
    )


def test_a_person_is_made_with_team_roles_and_events(make_team, how):
    north = make_team("华北")
    user = services.create_user(
        username=" ＺhouMin ", name="周敏", email="zm@example.com", password=PASSWORD, team=north,
        roles=[Role.AR, Role.AR, Role.SR], **how,
    )  # fmt: skip

    user.refresh_from_db()
    assert (user.username, user.name_key, user.team) == ("zhoumin", "zhou1 min3", north)
    assert user.check_password(PASSWORD)
    assert (user.language, user.time_zone) == ("zh-hans", "Asia/Shanghai")
    assert user.roles == {Role.AR, Role.SR}
    assert list(user.memberships.values_list("team", "from_date", "to_date")) == [(north.pk, TODAY, None)]
    assert events(user) == ["user_created", "team_joined", "role_assigned", "role_assigned"]
    header = Event.objects.get(type="user_created", subject_id=user.pk)
    assert header.data == {}
    assert header.actor_id == how["by"].pk
    assert header.detail.payload["after"]["name"] == "周敏"


@pytest.mark.parametrize("typed", ["ZhouMin", "zhoumin", "ＺＨＯＵＭＩＮ", " zhoumin "])
def test_a_user_name_is_taken_whatever_its_case(make_user, how, typed):
    make_user("zhoumin")
    before = (User.objects.count(), Event.objects.count())

    with pytest.raises(Invalid) as refusal:
        services.create_user(username=typed, name="周敏", **how)

    assert refusal.value.details["errors"][0]["field"] == "username"
    assert (User.objects.count(), Event.objects.count()) == before


def test_the_database_itself_insists_on_one_user_name(make_user):
    make_user("zhoumin")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="ZHOUMIN", name="x", created_at=NOON)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": "a b"}, "username"), ({"username": ""}, "username"),
        ({"username": "a\ud800"}, "username"), ({"name": " "}, "name"), ({"name": "张" * 101}, "name"),
        ({"email": "nonsense"}, "email"),
        ({"language": "fr"}, "language"), ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"password": "12345678"}, "password"), ({"password": "x" * 2000}, "password"),
    ],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_by_field(admin, how, values, field):
    with pytest.raises(Invalid) as refusal:
        services.create_user(**({"username": "new", "name": "新人"} | values), **how)

    assert refusal.value.details["errors"][0]["field"] == field
    assert User.objects.count() == 1


@pytest.mark.rule("T01", "T02")
def test_without_the_right_nothing_happens(make_user, make_team):
    north = make_team("华北")
    seller, other = make_user("ar", roles=["AR", "MGR"], team=north), make_user("other", roles=["AR"])
    how = {"by": seller, "at": NOON, "channel": Channel.UI}
    before = (Event.objects.count(), list(User.objects.order_by("pk").values()))

    for act in (
        lambda: services.create_user(username="n", name="n", **how),
        lambda: services.change_user(other, name="x", **how),
        lambda: services.set_password(other, password=PASSWORD, **how),
        lambda: services.deactivate(other, **how),
        lambda: services.reactivate(other, **how),
        lambda: services.move_to_team(other, team=north, **how),
        lambda: services.assign_role(seller, role=Role.ADMIN, **how),
        lambda: services.set_roles(seller, roles=[Role.ADMIN], **how),
        lambda: services.withdraw_role(RoleAssignment.objects.get(user=other), **how),
        lambda: services.create_team(name="x", **how),
        lambda: services.rename_team(north, name="x", **how),
        lambda: services.place_team(north, parent=None, **how),
        lambda: services.close_team(north, **how),
        lambda: services.change_organisation(soft_mode=False, **how),
        lambda: services.change_preferences(other, language="en", **how),
        lambda: services.create_user(username="n", name="n", **(how | {"by": None})),
    ):
        with pytest.raises(NotPermitted):
            act()

    assert (Event.objects.count(), list(User.objects.order_by("pk").values())) == before
    assert Team.objects.count() == 1


@pytest.mark.rule("T14")
def test_a_stale_edit_is_refused_and_loses_nothing(make_user, how):
    user = make_user("zhoumin", name="周敏")
    services.change_user(user, name="周敏敏", version=1, **how)

    with pytest.raises(Stale):
        services.change_user(user, name="周公", version=1, **how)

    user.refresh_from_db()
    assert (user.name, user.name_key, user.version) == ("周敏敏", "zhou1 min3 min3", 2)


def test_an_edit_that_changes_nothing_writes_nothing(make_user, how):
    user = make_user("zhoumin", name="周敏")
    count = Event.objects.count()
    assert services.change_user(user, name="周敏", **how).version == 1
    assert Event.objects.count() == count


def test_moves_between_teams_are_dated(make_user, make_team, how):
    north, south = make_team("华北"), make_team("华南")
    user = make_user("zhoumin", team=north, from_date=date(2026, 1, 5))

    services.move_to_team(user, team=south, from_date=date(2026, 2, 2), **how)
    services.move_to_team(user, team=None, **how)

    rows = list(user.memberships.order_by("from_date").values_list("team", "from_date", "to_date"))
    assert rows == [
        (north.pk, date(2026, 1, 5), date(2026, 2, 2)), (south.pk, date(2026, 2, 2), TODAY),
    ]  # fmt: skip
    user.refresh_from_db()
    assert user.team is None
    assert TeamMembership.objects.on(date(2026, 2, 1)).get().team == north
    assert not TeamMembership.objects.on(TODAY).exists()
    move = Event.objects.get(type="team_changed", subject_id=user.pk, data__from_team_id=north.pk)
    assert move.data == {"from_team_id": north.pk, "to_team_id": south.pk, "from_date": "2026-02-02"}


@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), date(2026, 1, 1)])
def test_a_move_neither_lies_in_the_future_nor_before_the_last_one(make_user, make_team, how, day):
    north, south = make_team("华北"), make_team("华南")
    user = make_user("zhoumin", team=north, from_date=date(2026, 1, 5))

    with pytest.raises(Invalid) as refusal:
        services.move_to_team(user, team=south, from_date=day, **how)

    assert refusal.value.details["errors"][0]["field"] == "from_date"
    user.refresh_from_db()
    assert user.team == north


def test_two_moves_on_one_day_leave_one_membership(make_user, make_team, how):
    north, south = make_team("华北"), make_team("华南")
    user = make_user("zhoumin", team=north)
    services.move_to_team(user, team=south, **how)
    assert list(user.memberships.values_list("team", "from_date", "to_date")) == [(south.pk, TODAY, None)]


def test_the_tree_knows_its_branches_and_remembers_where_a_team_stood(make_team, how):
    north, south = make_team("华北"), make_team("华南")
    beijing = make_team("北京", north)
    field = make_team("行业组", beijing)

    services.place_team(beijing, parent=south, **how | {"at": NOON + timedelta(days=7)})

    for team in (north, south, beijing, field):
        team.refresh_from_db()
    assert north.branch_ids == [north.pk]
    assert south.branch_ids == [south.pk, beijing.pk, field.pk]
    assert field.depth == 2
    assert [team.name for team in Team.objects.as_tree()] == ["华北", "华南", "北京", "行业组"]
    assert list(
        TeamPlacement.objects.filter(team=beijing).order_by("from_date").values_list("parent", "to_date")
    ) == [(north.pk, TODAY + timedelta(days=7)), (south.pk, None)]


def test_a_team_cannot_stand_below_itself(make_team, how):
    north = make_team("华北")
    beijing = make_team("北京", north)
    north.refresh_from_db()
    for parent in (north, beijing):
        with pytest.raises(Invalid):
            services.place_team(north, parent=parent, **how)
    north.refresh_from_db()
    assert north.parent is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Team.objects.filter(pk=north.pk).update(parent=north.pk)


def test_a_team_with_people_stays_open(make_user, make_team, how):
    north = make_team("华北")
    user = make_user("zhoumin", team=north)
    with pytest.raises(services.TeamInUse):
        services.close_team(north, **how)
    services.move_to_team(user, team=None, **how)
    assert services.close_team(north, **how).is_active is False
    with pytest.raises(Invalid):
        services.move_to_team(user, team=Team.objects.get(pk=north.pk), **how)


def test_the_last_administrator_stays(make_user, admin, how):
    for act in (
        lambda: services.deactivate(admin, **how),
        lambda: services.set_roles(admin, roles=[Role.AR], **how),
        lambda: services.assign_role(admin, role=Role.ADMIN, scope="own", **how),
    ):
        with pytest.raises(services.LastAdministrator), transaction.atomic():
            act()
    admin.refresh_from_db()
    assert admin.is_active
    assert admin.roles == {Role.ADMIN}

    second = make_user("second", roles=["ADMIN"])
    services.deactivate(second, **how)
    with pytest.raises(services.LastAdministrator):
        services.deactivate(admin, **how)


def test_a_role_given_or_withdrawn_counts_at_once(make_user, how):
    user = make_user("zhoumin")
    services.set_roles(user, roles=[Role.AUDITOR, Role.LEG], **how)
    assert user.may("audit.view")
    services.set_roles(user, roles=[Role.LEG], **how)
    assert not user.may("audit.view")
    assert events(user)[-3:] == ["role_assigned", "role_assigned", "role_withdrawn"]


def test_the_organisation_is_one_row(organisation, how):
    changed = services.change_organisation(soft_mode=False, currency="usd", version=1, **how)
    assert (changed.soft_mode, changed.currency, changed.version) == (False, "USD", 2)
    with pytest.raises(Stale):
        services.change_organisation(soft_mode=True, version=1, **how)
    with pytest.raises(Invalid):
        services.change_organisation(currency="RMB¥", **how)
    with pytest.raises(IntegrityError), transaction.atomic():
        Organisation.objects.create(pk=2)
    assert Organisation.objects.current().currency == "USD"


@pytest.mark.rule("CA-1", "CA-2")
def test_a_company_day_changes_the_calendar_at_once(organisation, how):
    row = WorkingCalendar.objects.create(
        name="Office", is_default=True, weekly={"1": [["09:00", "17:00"]], "5": [["09:00", "12:00"]]}
    )
    assert default_calendar().is_workday(TODAY)
    assert not default_calendar().is_workday(TODAY + timedelta(days=1))

    services.set_calendar_day(
        row, day=TODAY, kind=DayKind.HOLIDAY, name={"zh": "厂庆", "en": "Jubilee"}, **how
    )
    assert not default_calendar().is_workday(TODAY)
    services.remove_calendar_day(row, day=TODAY, **how)
    assert default_calendar().is_workday(TODAY)

    assert default_calendar().is_provisional(2027)
    day = date(2027, 1, 4)
    services.set_calendar_day(row, day=day, kind=DayKind.HOLIDAY, name={}, source="official", **how)
    assert not default_calendar().is_provisional(2027)
    assert CalendarDay.objects.get().date == day
    assert events(row) == ["calendar_day_set", "calendar_day_removed", "calendar_day_set"]
