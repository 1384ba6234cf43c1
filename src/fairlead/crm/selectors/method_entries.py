"""Playbooks, answers and evidence in the timeline of a deal."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, pick
from fairlead.journal.models import Event
from fairlead.process.definition import Definition
from fairlead.process.enums import RunOutcome

METHOD_EVENTS = (
    "playbook_launched",
    "playbook_resumed",
    "playbook_ended",
    "question_answered",
    "finding_added",
    "plan_step_added",
    "plan_step_moved",
    "plan_step_done",
)


def method_words(
    event: Event, who: str, definitions: Mapping[str, Definition], fields: Catalogue
) -> tuple[str, str]:
    """Icon and title."""
    definition, data = definitions.get(event.process_key), event.data
    if event.type == "question_answered":
        found = definition.question(str(data.get("question", ""))) if definition is not None else None
        if found is None:
            return "help", _("%(name)s kept an answer") % {"name": who}
        return "help", _("%(name)s kept an answer: %(question)s") % {
            "name": who,
            "question": pick(found[1].text),
        }
    if event.type == "finding_added":
        spec = fields.get(str(data.get("element", "")))
        element = spec.name() if spec is not None else str(data.get("element", ""))
        return "ruler-measure", _("%(name)s assessed %(element)s: %(points)s") % {
            "name": who,
            "element": element,
            "points": data.get("points", ""),
        }
    if event.type.startswith("plan_step"):
        return "calendar-event", _plan_words(event, who)
    key = str(data.get("playbook", ""))
    book = definition.playbooks.get(key) if definition is not None else None
    said = {"name": who, "playbook": pick(book.name) if book is not None else key}
    if event.type == "playbook_ended":
        outcome = data.get("outcome", "")
        if outcome in RunOutcome.values:
            said["outcome"] = str(RunOutcome(outcome).label)
            return "clipboard-check", _("%(playbook)s ended: %(outcome)s · %(name)s") % said
        return "clipboard-check", _("%(playbook)s ended") % said
    if event.type == "playbook_resumed":
        return "player-play", _("%(name)s went on with %(playbook)s") % said
    if data.get("trigger"):
        return "player-play", _("%(playbook)s started by itself") % said
    return "player-play", _("%(name)s started %(playbook)s") % said


def _plan_words(event: Event, who: str) -> str:
    detail = getattr(event, "detail", None)
    title = str(detail.payload.get("title", "")) if detail is not None else ""
    said = {"name": who, "step": title, "before": event.data.get("before"), "due": event.data.get("due")}
    if event.type == "plan_step_moved":
        return _("%(name)s moved in the plan: %(step)s, %(before)s → %(due)s") % said
    if event.type == "plan_step_done":
        return _("Done in the plan: %(step)s · %(name)s") % said
    return _("%(name)s put into the plan: %(step)s, until %(due)s") % said
