"""One timeline for everything that happened to a record: the journal, with what its entries speak of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from fairlead.common.questions import Question
from fairlead.fields.catalogue import Catalogue, pick
from fairlead.journal.models import Event
from fairlead.journal.querysets import EventQuerySet
from fairlead.journal.undoing import may_undo, undo_address
from fairlead.process.definition import Definition
from fairlead.process.enums import Kind, Outcome
from fairlead.process.words import criterion_name, move_name, objection_text, stage_name
from fairlead.work.enums import ActivityKind, ActivityOutcome
from fairlead.work.models import Activity, File
from fairlead.work.selectors.comments import Remark, remark_out

from ..wording import words_on
from .entry_words import ACTIVITY_ICONS, MERGE_WORDS, WORK_WORDS
from .method_entries import METHOD_EVENTS, method_words
from .team_entries import TEAM_EVENTS, TEAM_WORDS, VETO_EVENTS

PAGE = 30
#: Words and icon of the way out of a process, and back.
LEAVING: Mapping[str, tuple[str | Promise, str]] = {
    "process_left": (gettext_lazy("Left the process"), "logout"),
    "leaving_undone": (gettext_lazy("Back in its process"), "corner-up-left"),
}
STAGE_EVENTS = (
    "journey_started",
    "stage_passed",
    "stage_moved",
    "held",
    "resumed",
    "won",
    "lost",
    "cancelled",
    "reopened",
    "migrated",
    "process_left",
    "leaving_undone",
    "move_refused",
)
GATE_EVENTS = (
    "attested",
    "attestation_withdrawn",
    "waiver_granted",
    "waiver_revoked",
    "waiver_ended",
    "override_requested",
    "override_granted",
    "override_refused",
    "override_withdrawn",
    "override_lapsed",
    "glass_broken",
)
WORK_EVENTS = (
    "activity_done",
    "activity_planned",
    "activity_cancelled",
    "activity_rescheduled",
    "activity_reopened",
    "activity_removed",
)
TASK_EVENTS = ("task_added", "task_edited", "task_done", "task_reopened", "task_removed", "task_restored")
EDIT_EVENTS = (
    "created",
    "edited",
    "owner_changed",
    "contact_role_added",
    "contact_role_removed",
    "contact_left",
    "contact_back",
    "milestone_added",
    "milestone_done",
    "category_set",
    "bonus_split_agreed",
)
# What a person can ask to see; "all" leaves out the mirrors that services keep.
KINDS: Mapping[str, tuple[str, ...]] = {
    "work": (*WORK_EVENTS, *TASK_EVENTS, *METHOD_EVENTS, *(t for t in TEAM_EVENTS if t not in VETO_EVENTS)),
    "stage": (*STAGE_EVENTS, *MERGE_WORDS),
    "gate": (*GATE_EVENTS, *VETO_EVENTS),
    "comment": ("commented", "comment_removed"),
    "file": ("file_added", "file_withdrawn", "file_restored"),
    "edit": EDIT_EVENTS,
}
WENT_OVER = ("work", "comment", "file")  # what of a merged record is told at the one that stays
EVERYTHING = tuple(t for types in KINDS.values() for t in types)
#: Events that one sentence tells: icon, words, what of the detail stands below, kind.
PLAIN: Mapping[str, tuple[str, str | Promise, str, str]] = {
    "task_added": ("clipboard-check", gettext_lazy("%(name)s added a task"), "title", "work"),
    "task_done": ("clipboard-check", gettext_lazy("%(name)s did a task"), "title", "work"),
    "task_reopened": ("clipboard-check", gettext_lazy("%(name)s reopened a task"), "title", "work"),
    "task_edited": ("clipboard-check", gettext_lazy("%(name)s changed a task"), "title", "work"),
    "task_removed": ("clipboard-check", gettext_lazy("%(name)s removed a task"), "title", "work"),
    "task_restored": ("clipboard-check", gettext_lazy("%(name)s brought a task back"), "title", "work"),
    "file_withdrawn": ("ban", gettext_lazy("%(name)s withdrew a document"), "name", "file"),
    "file_restored": ("paperclip", gettext_lazy("%(name)s brought a document back"), "name", "file"),
    "comment_removed": ("notes", gettext_lazy("%(name)s removed a comment"), "", "comment"),
    "created": ("plus", gettext_lazy("%(name)s created the record"), "", "edit"),
    "contact_left": ("logout", gettext_lazy("%(name)s noted: has left the company"), "", "edit"),
    "contact_back": ("user-check", gettext_lazy("%(name)s noted: has not left"), "", "edit"),
    **TEAM_WORDS,
    **MERGE_WORDS,
    "milestone_added": ("calendar-plus", gettext_lazy("%(name)s added a milestone"), "", "edit"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: who did what, when; `text` is what was said about it."""

    id: int
    at: datetime
    icon: str
    title: str
    text: str = ""
    when: str = ""
    more: tuple[str, ...] = ()
    kind: str = ""
    remark: Mapping[str, Any] | None = None
    undo_url: str = ""  # takes back one's own act
    undone: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of events; `older` is where the next page begins, or blank."""

    events: Sequence[Event]
    older: str

    @property
    def people(self) -> set[int]:
        found = {e.actor_id for e in self.events if e.actor_id is not None}
        for e in self.events:
            if e.type == "owner_changed":
                found |= {o for side in ("before", "after") if (o := e.data.get(side, {}).get("owner"))}
        return found

    @property
    def comments(self) -> list[int]:
        return [e.data["comment"] for e in self.events if e.type == "commented" and "comment" in e.data]


def _events(subject_type: str, pk: int, kind: str, also: Sequence[int] = ()) -> EventQuerySet:
    rows = Event.objects.about(subject_type, [pk, *also])
    if also:
        rows = rows.filter(Q(subject_id=pk) | Q(type__in=[t for k in WENT_OVER for t in KINDS[k]]))
    return rows.filter(type__in=KINDS.get(kind, EVERYTHING)).newest_first().select_related("detail")


@cache
def _newest_of(kind: str) -> Question[Event]:
    return Question(lambda subject_type, pk: _events(subject_type, pk, kind)[: PAGE + 1])


def events_of(
    subject_type: str,
    pk: int,
    *,
    kind: str = "",
    before: str = "",
    limit: int = PAGE,
    also: Sequence[int] = (),
) -> Slice:
    """The newest events of a record, or those before a place in its past. An odd place begins at the top. `also`:
    records that were merged into it, of which it shows what went over."""
    place = _place(before)
    if place is None and limit == PAGE and not also:
        found = _newest_of(kind)(subject_type, pk)
    else:
        rows = _events(subject_type, pk, kind, also)
        if place is not None:
            at, event_id = place
            rows = rows.filter(Q(effective_at__lt=at) | Q(effective_at=at, id__lt=event_id))
        found = list(rows[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    older = f"{last.effective_at.astimezone(UTC).timestamp():.6f}-{last.pk}" if last is not None else ""
    return Slice(found[:limit], older)


def _place(text: str) -> tuple[datetime, int] | None:
    stamp, _dash, event_id = text[:60].partition("-")
    try:
        place = datetime.fromtimestamp(float(stamp), UTC), int(event_id)
    except (ValueError, OverflowError, OSError):
        return None
    return place if 0 <= place[1] < 2**63 else None


class Teller:
    """Turns events into entries, in the reader's language and as far as the reader may know."""

    def __init__(
        self,
        *,
        reader: Any,
        fields: Catalogue,
        people: Mapping[int, str],
        comments: Mapping[int, str],
        contacts: Mapping[int, str],
        activities: Iterable[Activity],
        files: Iterable[File],
        definitions: Mapping[str, Definition],
        at: datetime,
        remarks: Mapping[int, Remark] | None = None,
    ) -> None:
        self.at, self.remarks = at, remarks or {}
        self.reader, self.fields, self.people, self.comments = reader, fields, people, comments
        self.contacts, self.definitions = contacts, definitions
        self.activities = {a.pk: a for a in activities}
        self.files = {f.pk: f for f in files}

    def entries(self, events: Iterable[Event]) -> list[Entry]:
        told = list(events)
        undone = {event.data["undoes"] for event in told if "undoes" in event.data}
        words, zone = words_on(timezone.localdate(self.at)), timezone.get_current_timezone()
        found = []
        for event in told:
            entry = self.entry(event)
            if entry is None:
                continue
            local, gone = entry.at.astimezone(zone), event.pk in undone
            may = not gone and may_undo(event, by=self.reader, at=self.at)
            found.append(
                replace(
                    entry,
                    when=f"{words.short_date(local.date())} {local:%H:%M}",
                    undo_url=undo_address([event.pk]) if may else "",
                    undone=gone,
                    more=(*entry.more, _("Undo")) if "undoes" in event.data else entry.more,
                )
            )
        return found

    def entry(self, event: Event) -> Entry | None:
        if event.type in WORK_EVENTS:
            return self._work(event)
        if event.type in STAGE_EVENTS:
            return self._stage(event)
        if event.type in GATE_EVENTS:
            return self._gate(event)
        if event.type in PLAIN:
            icon, words, below, kind = PLAIN[event.type]
            text = str(self._payload(event).get(below, "")) if below else ""
            if event.type in TEAM_EVENTS:
                text = " · ".join(part for part in (text, self._comment_of(event)) if part)
            return Entry(
                event.pk, event.effective_at, icon, str(words) % {"name": self.who(event)}, text, kind=kind
            )
        if event.type in METHOD_EVENTS:
            icon, title = method_words(event, self.who(event), self.definitions, self.fields)
            return Entry(event.pk, event.effective_at, icon, title, kind="work")
        builder = getattr(self, f"_{event.type}", None)
        return builder(event) if builder is not None else None

    def who(self, event: Event) -> str:
        if event.actor_id is None:
            return _("Fairlead")
        return self.people.get(event.actor_id, _("Somebody"))

    def _comment_of(self, event: Event) -> str:
        detail = getattr(event, "detail", None)
        return detail.comment if detail is not None else ""

    def _payload(self, event: Event) -> Mapping[str, Any]:
        detail = getattr(event, "detail", None)
        return detail.payload if detail is not None else {}

    def _work(self, event: Event) -> Entry | None:
        activity = self.activities.get(event.data.get("activity", 0))
        code = activity.kind if activity is not None else event.data.get("kind", "other")
        kind = str(ActivityKind(code).label) if code in ActivityKind.values else code
        title = str(WORK_WORDS[event.type]) % {"name": self.who(event), "kind": kind}
        more: tuple[str, ...] = ()
        text = activity.summary if activity is not None else str(self._payload(event).get("summary", ""))
        if activity is not None and event.type == "activity_done":
            if activity.outcome in ActivityOutcome.values:
                more += (str(ActivityOutcome(activity.outcome).label),)
            if activity.place:
                more += (activity.place,)
            if met := [self.contacts[c] for c in activity.contact_ids if c in self.contacts]:
                more += (_(", ").join(met),)
            if activity.note:
                text = f"{text}\n{activity.note}"
        return Entry(
            event.pk,
            event.effective_at,
            ACTIVITY_ICONS.get(code, "notes"),
            title,
            text,
            more=more,
            kind="work",
        )

    def _stage_name(self, event: Event, key: str) -> str:
        definition = self.definitions.get(event.process_key)
        return stage_name(definition, key) if definition is not None else key

    def _reason(self, event: Event) -> str:
        definition = self.definitions.get(event.process_key)
        if definition is None or not event.reason_code:
            return ""
        for reasons in definition.lists.values():
            for reason in reasons:
                if reason.key == event.reason_code:
                    return pick(reason.name)
        return ""

    def _stage(self, event: Event) -> Entry | None:
        here, to = self._stage_name(event, event.from_stage), self._stage_name(event, event.to_stage)
        icon, more = "arrow-right", tuple(w for w in (self._reason(event),) if w)
        text = self._comment_of(event)
        if event.type == "move_refused":
            return self._refused(event, here, to)
        if event.type in ("journey_started", "reopened"):
            title = _("Began at %(stage)s") if event.type == "journey_started" else _("Reopened at %(stage)s")
            title, icon = title % {"stage": to}, "rocket" if event.type == "journey_started" else "refresh"
        elif event.type in ("stage_moved", "stage_passed"):
            title = _("%(before)s → %(after)s") % {"before": here, "after": to}
            if event.data.get("exit") == "regress":
                icon = "corner-up-left"
            if event.data.get("soft_passed"):
                more += (
                    _("%(count)s items let pass in soft mode") % {"count": len(event.data["soft_passed"])},
                )
        elif event.type == "held":
            title, icon = (
                _("On hold until %(day)s") % {"day": event.data.get("resume_date", "")},
                "player-pause",
            )
        elif event.type == "resumed":
            title, icon = _("Resumed"), "player-play"
        elif event.type == "migrated":
            other = "from_process" in event.data
            words = _("Another process, at %(stage)s") if other else _("Version %(number)s, at %(stage)s")
            title, icon = words % {"stage": to, "number": event.process_version}, "route"
        elif event.type in LEAVING:
            title, icon = str(LEAVING[event.type][0]), LEAVING[event.type][1]
        elif event.type == "won":
            title, icon = _("Won"), "trophy"
        else:
            outcome = event.data.get("outcome", "lost")
            title = str(Outcome(outcome).label) if outcome in Outcome.values else outcome
            icon = "x"
        return Entry(
            event.pk, event.effective_at, icon, title, text, more=(self.who(event), *more), kind="stage"
        )

    def _refused(self, event: Event, here: str, to: str) -> Entry:
        definition = self.definitions.get(event.process_key)
        lacking = [
            criterion_name(definition, key) if definition else key for key in event.data.get("gaps", [])
        ]
        reasons = [objection_text({"code": code}) for code in event.data.get("objections", [])]
        goal = (
            to
            if event.to_stage
            else str(Kind(event.data["kind"]).label)
            if event.data.get("kind") in Kind.values
            else ""
        )
        return Entry(
            event.pk,
            event.effective_at,
            "hand-stop",
            _("Stopped before %(goal)s") % {"goal": goal or here},
            _(", ").join([*lacking, *reasons]),
            more=(self.who(event),),
            kind="stage",
        )

    def _gate(self, event: Event) -> Entry:
        definition = self.definitions.get(event.process_key)
        key = event.data.get("criterion", "")
        item = criterion_name(definition, key) if definition and key else key
        if definition and (move := event.data.get("move")):
            item = move_name(definition, move, event.data.get("to", ""))
        words = {
            "attested": (_("%(name)s confirmed: %(item)s"), "user-check"),
            "attestation_withdrawn": (_("%(name)s took back: %(item)s"), "corner-up-left"),
            "waiver_granted": (_("%(name)s waived: %(item)s"), "shield-off"),
            "waiver_revoked": (_("%(name)s ended the waiver: %(item)s"), "ban"),
            "waiver_ended": (_("The waiver ran out: %(item)s"), "clock"),
            "override_requested": (_("%(name)s asked to let pass: %(item)s"), "shield-off"),
            "override_granted": (_("%(name)s granted what was asked: %(item)s"), "shield-off"),
            "override_refused": (_("%(name)s refused what was asked: %(item)s"), "ban"),
            "override_withdrawn": (_("%(name)s took the request back: %(item)s"), "corner-up-left"),
            "override_lapsed": (_("Nobody decided what was asked: %(item)s"), "clock"),
            "glass_broken": (_("%(name)s broke the glass: %(item)s"), "alert-triangle"),
        }
        text, icon = words[event.type]
        more = tuple(w for w in (self._reason(event),) if w)
        return Entry(
            event.pk,
            event.effective_at,
            icon,
            text % {"name": self.who(event), "item": item},
            self._comment_of(event),
            more=more,
            kind="gate",
        )

    def _commented(self, event: Event) -> Entry | None:
        pk = event.data.get("comment", 0)
        text = self.comments.get(pk)
        if text is None:
            return None
        remark = self.remarks.get(pk)
        return Entry(
            event.pk,
            event.effective_at,
            "notes",
            self.who(event),
            text,
            more=(pgettext("timeline", "Comment"),),
            kind="comment",
            remark=None
            if remark is None
            else remark_out(
                pk, remark, self.reader, written_at=event.effective_at, at=self.at, people=self.people
            ),
        )

    def _file_added(self, event: Event) -> Entry:
        file = self.files.get(event.data.get("file", 0))
        name = file.name if file is not None else str(self._payload(event).get("name", ""))
        if file is not None and file.withdrawn_at is not None:
            name = _("%(file)s (withdrawn)") % {"file": name}
        return Entry(
            event.pk,
            event.effective_at,
            "paperclip",
            _("%(name)s filed a document") % {"name": self.who(event)},
            name,
            kind="file",
        )

    def _edited(self, event: Event) -> Entry | None:
        readable = [
            spec.name()
            for key in event.data.get("fields", [])
            if (spec := self.fields.get(key)) is not None and spec.readable_by(self.reader)
        ]
        if not readable:
            return None
        return Entry(
            event.pk,
            event.effective_at,
            "edit",
            _("%(name)s changed %(fields)s") % {"name": self.who(event), "fields": _(", ").join(readable)},
            kind="edit",
        )

    def _owner_changed(self, event: Event) -> Entry:
        after = event.data.get("after", {}).get("owner")
        return Entry(
            event.pk,
            event.effective_at,
            "user-plus",
            _("%(name)s handed it to %(owner)s")
            % {"name": self.who(event), "owner": self.people.get(after, "—")},
            kind="edit",
        )

    def _contact_role_added(self, event: Event) -> Entry:
        return self._contact_role(event, _("%(name)s placed a contact in the deal"))

    def _contact_role_removed(self, event: Event) -> Entry:
        return self._contact_role(event, _("%(name)s took a contact out of the deal"))

    def _contact_role(self, event: Event, text: str) -> Entry:
        name = self.contacts.get(event.data.get("contact", 0), "—")
        return Entry(
            event.pk, event.effective_at, "address-book", text % {"name": self.who(event)}, name, kind="edit"
        )

    def _milestone_done(self, event: Event) -> Entry:
        return Entry(
            event.pk,
            event.effective_at,
            "check",
            _("%(name)s completed a milestone") % {"name": self.who(event)},
            str(event.data.get("on", "")),
            kind="edit",
        )
