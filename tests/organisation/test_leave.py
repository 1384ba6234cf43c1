"""Leave: who enters it for whom, what is refused, and that the days are no working days of that person (CA-1)."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.factories.crm import company

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.models import Event
from fairlead.organisation import services
from fairlead.organisation.models import Leave
from fairlead.organisation.selectors import calendars, default_calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def where():
    return company()


def day(n: int):
    return timezone.localdate() + timedelta(days=n)


@pytest.mark.rule("CA-1")
def test_the_days_of_leave_are_no_working_days_of_that_person_and_of_nobody_else(where):
    working = default_calendar().workday_after(timezone.localdate(), 1)
    row = services.enter_leave(
        where.zhou, first_day=working, last_day=working, reason="体检", **where.how(where.zhou)
    )
    found = calendars()
    assert not found.of(where.zhou.pk).is_workday(working)
    assert found.of(where.lin.pk).is_workday(working)
    assert found.away(working) == {where.zhou.pk: working}
    assert found.away(working - timedelta(days=1)) == {}
    event = Event.objects.get(type="leave_entered")
    assert (event.subject_type, event.subject_id) == ("user", where.zhou.pk)
    assert "体检" not in str(event.data)
    services.remove_leave(row.pk, version=1, **where.how(where.zhou))
    assert calendars().of(where.zhou.pk) is default_calendar()


def test_it_is_entered_for_oneself_by_who_hands_over_the_deals_and_by_who_manages_people(where):
    for n, by in enumerate((where.zhou, where.chen, where.admin)):
        services.enter_leave(where.zhou, first_day=day(n), last_day=day(n), **where.how(by))
    for by in (where.lin, where.luo, where.sun):
        with pytest.raises(NotPermitted):
            services.enter_leave(where.zhou, first_day=day(9), last_day=day(9), **where.how(by))
    assert Leave.objects.count() == 3


def test_who_sees_whose(where):
    row = services.enter_leave(where.zhou, first_day=day(1), last_day=day(2), **where.how(where.zhou))
    seen = {
        name for name, p in where.people.items() if Leave.objects.visible_to(p).filter(pk=row.pk).exists()
    }
    assert seen == {"zhou", "lin", "sun", "he", "chen", "admin"}
    with pytest.raises(NotFound):
        services.remove_leave(row.pk, version=1, **where.how(where.qi))
    with pytest.raises(NotPermitted):
        services.remove_leave(row.pk, version=1, **where.how(where.lin))


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (3, 2, "last_day"),
        (0, 366, "last_day"),
        (0, 2000, "last_day"),
        (-40, 1, "first_day"),
        (-90, -60, "first_day"),
    ],
)
def test_days_that_cannot_be_are_refused_by_their_name(where, first, last, field):
    with pytest.raises(Invalid) as refused:
        services.enter_leave(where.zhou, first_day=day(first), last_day=day(last), **where.how(where.zhou))
    assert [e["field"] for e in refused.value.details["errors"]] == [field]
    assert not Leave.objects.exists()


def test_leave_never_overlaps_and_a_change_asks_for_its_version(where):
    how = where.how(where.zhou)
    row = services.enter_leave(where.zhou, first_day=day(5), last_day=day(9), **how)
    for first, last in ((5, 5), (1, 5), (9, 12), (1, 20)):
        with pytest.raises(Invalid, match=day(5).isoformat()):
            services.enter_leave(where.zhou, first_day=day(first), last_day=day(last), **how)
    services.enter_leave(where.zhou, first_day=day(10), last_day=day(10), **how)
    row = services.change_leave(row.pk, first_day=day(6), last_day=day(8), version=1, **how)
    assert (row.first_day, row.version) == (day(6), 2)
    with pytest.raises(Stale):
        services.change_leave(row.pk, first_day=day(6), last_day=day(7), version=1, **how)
    with pytest.raises(Invalid):
        services.change_leave(row.pk, first_day=day(6), last_day=day(11), version=2, **how)


def test_the_database_insists_that_it_does_not_end_before_it_begins(where):
    with pytest.raises(IntegrityError), transaction.atomic():
        Leave.objects.create(
            user=where.zhou, first_day=day(2), last_day=day(1), entered_at=timezone.now(), entered_by=None
        )
