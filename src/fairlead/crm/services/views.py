"""Saved views of lists: kept, changed, shared, deleted and brought back, each with its event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Stale
from fairlead.journal.services import NewEvent, record
from fairlead.organisation.enums import Role
from fairlead.organisation.models import User

from ..lists import MAX_FILTER, dump, has_kind, kind_of
from ..models import FirstView, SavedView

SUBJECT = "view"
SHARE = "views.share"
MOST_OWN = 100  # of one person for one list
NAME_LENGTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewState:
    """What the address of a list says: text, conditions, order, columns. Checked by whoever read it."""

    q: str = ""
    tree: Mapping[str, Any] | None = None
    sort: str = ""
    cols: str = ""


@transaction.atomic
def save_view(
    kind: str,
    *,
    name: str,
    state: ViewState,
    by: User,
    at: datetime,
    channel: str,
    is_shared: bool = False,
    roles: Iterable[str] = (),
) -> SavedView:
    """Keep how a list looks now under a name. Raises NotFound, NotPermitted (sharing), Invalid."""
    if not has_kind(kind):
        raise NotFound
    if not by.may(f"{kind}.view"):
        raise NotPermitted
    roles = _roles(roles, is_shared)
    if is_shared and not by.may(SHARE):
        raise NotPermitted(details={"right": SHARE})
    name = _named(name, kind, by)
    if SavedView.objects.filter(owner=by, kind=kind, deleted_at=None).count() >= MOST_OWN:
        raise Invalid.field(
            "name", _("You have %(n)s views of this list. Delete one first.") % {"n": MOST_OWN}
        )
    row = SavedView(
        kind=kind, name=name, owner=by, is_shared=is_shared, roles=roles, created_at=at, updated_at=at
    )
    _set_state(row, state)
    row.save()
    _tell("view_saved", row, by=by, at=at, channel=channel, after=_told(row))
    if is_shared:
        _tell("view_shared", row, by=by, at=at, channel=channel, data={"shared": True, "roles": roles})
    return row


@transaction.atomic
def change_view(
    view_id: int,
    *,
    version: int,
    by: User,
    at: datetime,
    channel: str,
    name: str | None = None,
    state: ViewState | None = None,
    is_shared: bool | None = None,
    roles: Iterable[str] | None = None,
) -> SavedView:
    """Change what is given. A shared view is changed, shared or kept back only by whoever may share.

    Raises NotFound, NotPermitted, Stale, Invalid.
    """
    row = _locked(view_id, by=by)
    wanted_shared = row.is_shared if is_shared is None else is_shared
    if wanted_shared and not by.may(SHARE):
        raise NotPermitted(details={"right": SHARE})
    if row.version != version:
        raise Stale(details={"version": row.version})
    before, was_shared = _told(row), (row.is_shared, list(row.roles))
    if name is not None and name.strip() != row.name:
        row.name = _named(name, row.kind, row.owner, but=row.pk)
    if state is not None:
        _set_state(row, state)
    row.is_shared = wanted_shared
    row.roles = _roles(row.roles if roles is None else roles, wanted_shared)
    after = _told(row)
    if before == after and was_shared == (row.is_shared, row.roles):
        return row
    row.updated_at, row.version = at, row.version + 1
    row.save()
    changed = sorted(key for key in after if after[key] != before[key])
    if changed:
        _tell(
            "view_changed", row, by=by, at=at, channel=channel, data={"fields": changed},
            before={k: before[k] for k in changed}, after={k: after[k] for k in changed},
        )  # fmt: skip
    if was_shared != (row.is_shared, row.roles):
        shared = {"shared": row.is_shared, "roles": row.roles}
        _tell("view_shared", row, by=by, at=at, channel=channel, data=shared)
        if not row.is_shared:
            FirstView.objects.filter(view=row).exclude(person=row.owner_id).delete()
    return row


@transaction.atomic
def delete_view(view_id: int, *, version: int, by: User, at: datetime, channel: str) -> SavedView:
    """Nobody meets it any more; `restore_view` brings it back. Raises NotFound, NotPermitted, Stale."""
    row = _locked(view_id, by=by)
    if row.version != version:
        raise Stale(details={"version": row.version})
    row.deleted_at, row.updated_at, row.version = at, at, row.version + 1
    row.save()
    _tell("view_deleted", row, by=by, at=at, channel=channel)
    return row


@transaction.atomic
def restore_view(view_id: int, *, version: int, by: User, at: datetime, channel: str) -> SavedView:
    """Undo of a deletion: by whoever might delete it now, while nothing else happened to it."""
    row = _locked(view_id, by=by, deleted=True)
    if row.version != version:
        raise Stale(details={"version": row.version})
    row.name = _named(row.name, row.kind, row.owner, but=row.pk)
    row.deleted_at, row.updated_at, row.version = None, at, row.version + 1
    row.save()
    _tell("view_restored", row, by=by, at=at, channel=channel)
    return row


@transaction.atomic
def choose_first(kind: str, view_id: int | None, *, by: User, at: datetime, channel: str) -> None:
    """The view with which this list opens for `by`; None: the one of the role, or none."""
    if not has_kind(kind):
        raise NotFound
    if not by.may(f"{kind}.view"):
        raise NotPermitted
    if view_id is None:
        if FirstView.objects.filter(person=by, kind=kind).delete()[0]:
            _tell_first(kind, None, by=by, at=at, channel=channel)
        return
    view = SavedView.objects.visible_to(by).filter(pk=view_id, kind=kind).first()
    if view is None:
        raise NotFound
    standing = FirstView.objects.select_for_update(of=("self",)).filter(person=by, kind=kind).first()
    if standing is not None and standing.view_id == view.pk:
        return
    FirstView.objects.update_or_create(person=by, kind=kind, defaults={"view": view})
    _tell_first(kind, view, by=by, at=at, channel=channel)


def _tell_first(kind: str, view: SavedView | None, *, by: User, at: datetime, channel: str) -> None:
    record(
        [
            NewEvent(
                type="view_chosen_first", subject_type="user", subject_id=by.pk, actor_id=by.pk, effective_at=at,
                channel=channel, data={"kind": kind, "view": view.pk if view else None},
            )
        ]
    )  # fmt: skip


def may_change(view: SavedView, user: Any) -> bool:
    """Whether `user` may overwrite it: one's own, or with the right to share a shared one."""
    return bool(user.may(SHARE)) if view.is_shared else view.owner_id == user.pk


# --- parts ---


def _locked(view_id: int, *, by: User, deleted: bool = False) -> SavedView:
    rows = SavedView.objects.select_for_update(of=("self",)).select_related("owner")
    row = rows.filter(pk=view_id, deleted_at__isnull=not deleted).first()
    seen = row is not None and (row.owner_id == by.pk or row.is_shared) and by.may(f"{row.kind}.view")
    if row is None or not seen:
        raise NotFound
    if not may_change(row, by):
        raise NotPermitted(details={"right": SHARE})
    return row


def _named(name: str, kind: str, owner: User, *, but: int | None = None) -> str:
    name = " ".join("".join(c for c in name if c.isprintable() or c.isspace()).split())
    if not name:
        raise Invalid.field("name", _("Give the view a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid.field("name", _("At most %(n)s characters.") % {"n": NAME_LENGTH})
    taken = SavedView.objects.filter(owner=owner, kind=kind, name=name, deleted_at=None)
    if taken.exclude(pk=but or 0).exists():
        raise Invalid.field("name", _("You have a view of this name. Choose another one."))
    return name


def _roles(roles: Iterable[str], is_shared: bool) -> list[str]:
    found = sorted({str(role) for role in roles})
    if unknown := [role for role in found if role not in Role.values]:
        raise Invalid.field("roles", _("There is no role “%(role)s”.") % {"role": unknown[0][:40]})
    if found and not is_shared:
        raise Invalid.field("roles", _("A view opens first for a role only when it is shared."))
    return found


def _set_state(row: SavedView, state: ViewState) -> None:
    if (
        len(state.q) > 100
        or len(state.sort) > 60
        or len(state.cols) > 500
        or len(dump(state.tree)) > MAX_FILTER
    ):
        raise Invalid(_("The view is too large."))
    if state.sort and state.sort.removeprefix("-") not in kind_of(row.kind).sorts:
        raise Invalid.field("sort", _("There is no such order."))
    row.q, row.sort, row.cols = state.q, state.sort, state.cols
    row.tree = dict(state.tree) if state.tree else None


def _told(row: SavedView) -> dict[str, Any]:
    return {"name": row.name, "q": row.q, "filter": row.tree, "sort": row.sort, "cols": row.cols}


def _tell(
    type_: str,
    row: SavedView,
    *,
    by: User,
    at: datetime,
    channel: str,
    data: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        [
            NewEvent(
                type=type_,
                subject_type=SUBJECT,
                subject_id=row.pk,
                actor_id=by.pk,
                effective_at=at,
                channel=channel,
                data={"kind": row.kind, **(data or {})},
                payload={k: v for k, v in (("before", before), ("after", after)) if v is not None},
            )
        ]
    )
