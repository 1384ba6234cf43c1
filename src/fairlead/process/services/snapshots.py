"""The daily snapshot of running journeys, written from the first day (PI-1)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection, transaction
from django.utils import timezone

from fairlead.organisation.enums import TeamKind
from fairlead.organisation.models import Team

from ..models import DailySnapshot

_COLUMNS = (
    "date, journey_id, subject_type, process_key, stage_key, axis_key, state, outcome, forecast_category, "
    "probability, amount, close_date, owner_id_then, team_id_then, branch_id_then"
)
_VALUES = (
    "%s, j.id, j.subject_type, j.process_key, s.key, s.axis_key, j.state, j.outcome, j.forecast_category, "
    "j.probability, j.base_amount, j.close_date, j.owner_id, j.team_id"
)


def branch_of_team() -> dict[int, int | None]:
    """The branch above each team, today: the nearest team of kind branch on its way to the root, itself included."""
    teams = {t.pk: t for t in Team.objects.all()}
    found: dict[int, int | None] = {}
    for pk in teams:
        node: Team | None = teams[pk]
        while node is not None and node.kind != TeamKind.BRANCH:
            node = teams.get(node.parent_id) if node.parent_id else None
        found[pk] = node.pk if node is not None else None
    return found


@transaction.atomic
def take_snapshot(day: date, *, at: datetime) -> int:
    """Write the snapshot of `day` once: running journeys, and those closed on that day. Returns how many rows.

    A day that has a snapshot keeps it: it says what was known then.
    """
    if DailySnapshot.objects.filter(date=day).exists():
        return 0
    branches = branch_of_team()
    zone = timezone.get_default_timezone()
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    teams = [(team, branch) for team, branch in sorted(branches.items()) if branch is not None]
    cases = " ".join(["WHEN %s THEN %s"] * len(teams))
    branch_sql = f"CASE j.team_id {cases} END" if teams else "NULL"
    ops = connection.ops
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO process_dailysnapshot ({_COLUMNS}) SELECT {_VALUES}, {branch_sql} "  # noqa: S608
            "FROM process_journey j JOIN process_stagerow s ON s.id = j.stage_id WHERE j.superseded_at IS NULL "
            "AND (j.state IN ('open', 'on_hold') OR (j.closed_at >= %s AND j.closed_at <= %s)) ORDER BY j.id",
            [
                ops.adapt_datefield_value(day),
                *(pk for pair in teams for pk in pair),
                ops.adapt_datetimefield_value(start),
                ops.adapt_datetimefield_value(at),
            ],
        )
        return int(cursor.rowcount)
