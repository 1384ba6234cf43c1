"""The tree of teams, today's and as it was."""

from collections import defaultdict
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, Refusal
from fairlead.common.text import clean_text
from fairlead.organisation.enums import TeamKind
from fairlead.organisation.models import Team, TeamPlacement, User
from fairlead.organisation.services._base import business_day, journal, locked, require
from fairlead.organisation.services.calendars import touch_people


class TeamInUse(Refusal):
    code = "team-in-use"


@transaction.atomic
def create_team(
    *, name: str, by: User | None, at: datetime, channel: str, kind: str = TeamKind.TEAM,
    parent: Team | None = None, from_date: date | None = None, is_sample: bool = False,
) -> Team:  # fmt: skip
    """Make a team under `parent` (none: a root), standing there from `from_date` or the day of `at`."""
    require(by, "users.manage", channel)
    _lock_tree()
    team = Team(name=_clean_name(name, parent), kind=TeamKind(kind).value, parent=parent, is_sample=is_sample)
    team.save(force_insert=True)
    TeamPlacement.objects.create(team=team, parent=parent, from_date=from_date or business_day(at))
    rebuild_tree()
    team.refresh_from_db()
    data = {"kind": team.kind, "parent_id": team.parent_id}
    journal(team, "team_created", by=by, at=at, channel=channel, data=data, after={"name": team.name})
    return team


@transaction.atomic
def place_team(
    team: Team,
    *,
    parent: Team | None,
    by: User | None,
    at: datetime,
    channel: str,
    from_date: date | None = None,
) -> Team:
    """From `from_date` (by default the day of `at`, never later) `team` stands under `parent`."""
    require(by, "users.manage", channel)
    _lock_tree()
    row = locked(team)
    today = business_day(at)
    day = from_date or today
    if day > today:
        raise Invalid.field("from_date", _("The move lies in the future. Fill in today or an earlier day."))
    if parent is not None and parent.pk in row.branch_ids:
        raise Invalid.field(
            "parent",
            _("%(parent)s is part of %(team)s and cannot stand above it.") % {"parent": parent, "team": row},
        )
    old_id, new_id = row.parent_id, parent.pk if parent else None
    if old_id == new_id:
        return row
    current = TeamPlacement.objects.select_for_update().filter(team=row, to_date=None).first()
    if current is not None and day < current.from_date:
        raise Invalid.field(
            "from_date",
            _("%(team)s has stood there since %(day)s. Fill in that day or a later one.")
            % {"team": row.name, "day": current.from_date.isoformat()},
        )
    if current is not None and current.from_date == day:
        current.parent = parent
        current.save(update_fields=["parent"])
    else:
        if current is not None:
            current.to_date = day
            current.save(update_fields=["to_date"])
        TeamPlacement.objects.create(team=row, parent=parent, from_date=day)
    row.parent = parent
    row.version += 1
    row.save(update_fields=["parent", "version"])
    rebuild_tree()
    touch_people()
    row.refresh_from_db()
    data = {"from_parent_id": old_id, "to_parent_id": new_id, "from_date": day.isoformat()}
    journal(row, "team_placed", by=by, at=at, channel=channel, data=data)
    return row


@transaction.atomic
def rename_team(
    team: Team, *, name: str, by: User | None, at: datetime, channel: str, version: int | None = None
) -> Team:
    require(by, "users.manage", channel)
    row = locked(team, version)
    before = row.name
    after = _clean_name(name, row.parent, but=row)
    if after == before:
        return row
    row.name = after
    row.version += 1
    row.save(update_fields=["name", "version"])
    journal(
        row, "team_renamed", by=by, at=at, channel=channel, before={"name": before}, after={"name": after}
    )
    return row


@transaction.atomic
def close_team(team: Team, *, by: User | None, at: datetime, channel: str) -> Team:
    """No one is placed there any more. Refused while people or open teams are in it."""
    require(by, "users.manage", channel)
    row = locked(team)
    if row.members.filter(is_active=True).exists() or row.children.filter(is_active=True).exists():
        raise TeamInUse(_("%(team)s still has people or teams. Move them first.") % {"team": row.name})
    if row.is_active:
        row.is_active = False
        row.version += 1
        row.save(update_fields=["is_active", "version"])
        journal(row, "team_closed", by=by, at=at, channel=channel)
    return row


def rebuild_tree() -> None:
    """Write `path` and `branch_ids` of every team from `parent`; the tree is small and changes rarely."""
    teams = {team.pk: team for team in Team.objects.order_by("pk")}
    children: dict[int | None, list[int]] = defaultdict(list)
    for team in teams.values():
        children[team.parent_id].append(team.pk)
    changed: list[Team] = []

    def walk(pk: int, above: str) -> list[int]:
        team, path = teams[pk], f"{above}{pk:06d}/"
        branch = [pk]
        for child in children[pk]:
            branch.extend(walk(child, path))
        if (team.path, team.branch_ids) != (path, branch):
            team.path, team.branch_ids = path, branch
            changed.append(team)
        return branch

    for root in children[None]:
        walk(root, "")
    Team.objects.bulk_update(changed, ["path", "branch_ids"], batch_size=200)


def _lock_tree() -> None:
    """One change of the tree at a time: two moves that are fine alone can make a ring together."""
    list(Team.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def _clean_name(name: str, parent: Team | None, but: Team | None = None) -> str:
    cleaned = clean_text(name, limit=100, field="name")
    if not cleaned:
        raise Invalid.field("name", _("Fill in the name."))
    twins = Team.objects.filter(parent=parent, name__iexact=cleaned)
    if but is not None:
        twins = twins.exclude(pk=but.pk)
    if twins.exists():
        raise Invalid.field("name", _("There is a team %(name)s here already.") % {"name": cleaned})
    return cleaned
