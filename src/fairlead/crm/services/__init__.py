"""Verbs of the CRM: create, edit, reassign records; fill the deal team; place contacts in a deal."""

from .deals import (
    add_contact_role,
    change_contact_role,
    create_successor,
    remove_contact_role,
    restore_contact_role,
    set_team_member,
)
from .records import (
    KINDS,
    NewRecord,
    create,
    create_many,
    edit,
    mark_contact_back,
    mark_contact_left,
    reassign,
    start_process,
)
from .views import ViewState, change_view, choose_first, delete_view, may_change, restore_view, save_view

__all__ = [
    "KINDS",
    "NewRecord",
    "ViewState",
    "add_contact_role",
    "change_contact_role",
    "change_view",
    "choose_first",
    "create",
    "create_many",
    "create_successor",
    "delete_view",
    "edit",
    "mark_contact_back",
    "mark_contact_left",
    "may_change",
    "reassign",
    "remove_contact_role",
    "restore_contact_role",
    "restore_view",
    "save_view",
    "set_team_member",
    "start_process",
]
