from datetime import UTC, datetime, timedelta

from fairlead.common import schedule

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_task_is_due_at_the_start_and_then_once_per_period(monkeypatch):
    monkeypatch.setattr(schedule, "_tasks", {})
    ran: list[datetime] = []
    schedule.every(minutes=15, name="test.task")(ran.append)

    for minutes in (0, 5, 14, 15, 16, 90):
        at = NOON + timedelta(minutes=minutes)
        for task in schedule.due(at):
            task.run(at)

    assert ran == [NOON, NOON + timedelta(minutes=15), NOON + timedelta(minutes=90)]
