"""Verbs of the room of offers: contracts and their milestones."""

from .contracts import (
    add_milestone,
    complete_milestone,
    countersign,
    create_contract,
    edit_contract,
    remove_milestone,
    reopen_milestone,
)

__all__ = [
    "add_milestone",
    "complete_milestone",
    "countersign",
    "create_contract",
    "edit_contract",
    "remove_milestone",
    "reopen_milestone",
]
