"""People of an import: sellers with their managers and branches. Nobody can sign in as them until an
administrator gives a password."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.organisation.enums import Role, TeamKind
from fairlead.organisation.models import Team, User
from fairlead.organisation.names import fold_username
from fairlead.organisation.services import create_team, create_user


def create(row: ImportRow, run: ImportRun, *, by: User | None, at: datetime) -> User:
    """The person, and before that the branch and the manager where they are not here yet."""
    fields = row.values["fields"]
    since = run.options.get("people_since")
    how: dict[str, Any] = {
        "by": by,
        "at": at,
        "channel": "import",
        "from_date": date.fromisoformat(since) if since else None,
    }
    made: dict[str, list[int]] = {"users": [], "teams": []}
    branch = _branch(str(fields.get("team") or ""), run, how, made)
    team = branch
    if manager := str(fields.get("manager") or "").strip():
        team = _team_of(manager, branch, how, made)
    person = _person(
        str(fields["name"]),
        team,
        (Role.AR,),
        how,
        username=str(fields.get("username") or ""),
        email=str(fields.get("email") or ""),
    )
    if made["users"] or made["teams"]:
        row.before = {**row.before, **made}
    return person


def _branch(name: str, run: ImportRun, how: dict[str, Any], made: dict[str, list[int]]) -> Team | None:
    """The branch of that name under the root of the tree."""
    roots = Team.objects.filter(parent=None)
    root = roots.filter(pk=run.options.get("root_team")).first() or roots.order_by("pk").first()
    if not name:
        return root
    found = Team.objects.filter(name__iexact=name, kind=TeamKind.BRANCH).order_by("pk").first()
    if found is None:
        found = create_team(name=name, kind=TeamKind.BRANCH, parent=root, **how)
        made["teams"].append(found.pk)
    return found


def _team_of(manager: str, branch: Team | None, how: dict[str, Any], made: dict[str, list[int]]) -> Team:
    """A manager leads a team of the same name within the branch."""
    found = Team.objects.filter(name__iexact=manager, parent=branch).first()
    if found is None:
        found = create_team(name=manager, parent=branch, **how)
        made["teams"].append(found.pk)
    if not User.objects.filter(name=manager).exists():
        person = _person(manager, found, (Role.MGR,), how)
        made["users"].append(person.pk)
    return found


def _person(
    name: str,
    team: Team | None,
    roles: tuple[Role, ...],
    how: dict[str, Any],
    *,
    username: str = "",
    email: str = "",
) -> User:
    return create_user(
        username=username or _free_username(name),
        name=name,
        email=email,
        password=None,
        team=team,
        roles=roles,
        **how,
    )


def _free_username(name: str) -> str:
    plain = (
        ".".join("".join(c for c in part if c.isalnum()) for part in fold_username(name).split()) or "person"
    )
    candidate, number = plain[:140], 1
    while User.objects.filter(username=candidate).exists():
        number += 1
        candidate = f"{plain[:140]}{number}"
    return candidate
