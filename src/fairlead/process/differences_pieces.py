"""What changed in groups of items, scores and playbooks from one version of a process to the next, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import catalogue, pick

from .change import Change
from .definition import Criterion, Definition, Playbook, PlayTask, Score
from .describing import group_words, joined
from .differences_details import asked, item_notes
from .handbook_words import trigger_words
from .loading import declared_specs
from .roles import role_name


def group_changes(stage: str, old: Criterion, new: Criterion) -> list[Change]:
    """How many of a group are asked for, and which items came, went or are another now."""
    where = {"stage": stage, "group": pick(new.name)}
    found = []
    if (old.mode, old.k) != (new.mode, new.k):
        said = _("%(stage)s: of “%(group)s” %(old)s → %(new)s")
        found.append(Change("changed", said % {**where, "old": group_words(old), "new": group_words(new)}))
    were, are = ({c.key: c for c in one.children} for one in (old, new))
    item = _("%(stage)s: “%(item)s” in “%(group)s”")
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        found += [
            Change(sign, item % {**where, "item": pick(c.name)})
            for key, c in some.items()
            if key not in others
        ]
    found += [
        Change("changed", item % {**where, "item": pick(c.name)})
        for key, c in are.items()
        if key in were and (were[key].level, *asked(were[key])) != (c.level, *asked(c))
    ]
    found += [
        Change("changed", item % {**where, "item": f"{pick(c.name)}: {joined(notes)}"})
        for key, c in are.items()
        if key in were and (notes := item_notes(were[key], c))
    ]
    return found


def playbook_changes(old: Definition, new: Definition) -> list[Change]:
    """Playbooks that came, went, start by something else or ask for other tasks."""
    were, are = old.playbooks, new.playbooks
    found = []
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        found += [
            Change(sign, _("Playbook “%(name)s”") % {"name": pick(b.name)})
            for key, b in some.items()
            if key not in others
        ]
    for key, book in are.items():
        if key in were:
            found += _playbook(were[key], book, new)
    order = [key for key in are if key in were]
    if order != [key for key in were if key in are]:
        names = " · ".join(pick(are[key].name) for key in order)
        found.append(Change("changed", _("The order of playbooks: %(order)s") % {"order": names}))
    return found


def _playbook(was: Playbook, book: Playbook, new: Definition) -> list[Change]:
    name = pick(book.name)
    found = []
    if was.trigger != book.trigger:
        said = _("Playbook “%(name)s”: %(starts)s")
        found.append(Change("changed", said % {"name": name, "starts": trigger_words(book, new)}))
    if (was.name, was.purpose, was.stages, was.applies_if) != (
        book.name,
        book.purpose,
        book.stages,
        book.applies_if,
    ):
        found.append(Change("changed", _("Playbook “%(name)s”") % {"name": name}))
    tasks_then, tasks_now = {t.key: t for t in was.tasks}, {t.key: t for t in book.tasks}
    task = _("Playbook “%(name)s”: “%(task)s”")
    for sign, some, others in (
        ("removed", tasks_then, tasks_now),
        ("added", tasks_now, tasks_then),
    ):
        found += [
            Change(sign, task % {"name": name, "task": pick(t.title)})
            for key, t in some.items()
            if key not in others
        ]
    for key, now in tasks_now.items():
        if key in tasks_then and tasks_then[key] != now:
            found.append(_task(name, tasks_then[key], now))
    if [k for k in tasks_then if k in tasks_now] != [k for k in tasks_now if k in tasks_then]:
        found.append(
            Change("changed", _("Playbook “%(name)s”: its tasks stand in another order") % {"name": name})
        )
    return found


def _task(name: str, was: PlayTask, now: PlayTask) -> Change:
    values = {"name": name, "task": pick(now.title), "old": was.due, "new": now.due}
    if was.due != now.due:
        said = _("Playbook “%(name)s”: “%(task)s” is due after %(old)s → %(new)s working days")
    elif was.role != now.role:
        said = _("Playbook “%(name)s”: “%(task)s” goes to %(role)s")
        values["role"] = role_name(now.role) if now.role else _("the owner")
    else:
        said = _("Playbook “%(name)s”: “%(task)s”")
    return Change("changed", said % values)


def score_changes(old: Definition, new: Definition) -> list[Change]:
    """Scores that came, went, count otherwise or have other elements."""
    were, are = old.scores, new.scores
    found = []
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        found += [
            Change(sign, _("Score “%(name)s”") % {"name": pick(s.name)})
            for key, s in some.items()
            if key not in others
        ]
    for key, score in are.items():
        if key in were:
            found += _score(were[key], score, new)
    return found


def _score(was: Score, score: Score, definition: Definition) -> list[Change]:
    name = pick(score.name)
    found = []
    if was.most != score.most:
        said = _("Score “%(name)s”: at most %(old)s → %(new)s points")
        found.append(Change("changed", said % {"name": name, "old": was.most, "new": score.most}))
    labels = {s.key: s.name() for s in [*catalogue(definition.subject), *declared_specs(definition.fields)]}
    said = _("Score “%(name)s”: “%(element)s”")
    for sign, some, others in (
        ("removed", was.elements, score.elements),
        ("added", score.elements, was.elements),
    ):
        found += [
            Change(sign, said % {"name": name, "element": labels.get(e, e)}) for e in some if e not in others
        ]
    found += [
        Change("changed", said % {"name": name, "element": labels.get(e, e)})
        for e in score.elements
        if e in was.elements and was.acts.get(e, ()) != score.acts.get(e, ())
    ]
    plain = (was.name, was.points, was.words, was.fresh_days)
    if plain != (score.name, score.points, score.words, score.fresh_days):
        found.append(Change("changed", _("Score “%(name)s”") % {"name": name}))
    return found


def package_changes(old: Definition, new: Definition) -> list[Change]:
    """Hand-overs that came, went or bring other things along (IT-5)."""
    were, are = old.packages, new.packages
    words = _("Hand-over %(from)s → %(to)s “%(name)s”")
    found = []
    for sign, some in (
        ("removed", [one for key, one in were.items() if key not in are]),
        ("added", [one for key, one in are.items() if key not in were]),
        ("changed", [one for key, one in are.items() if key in were and were[key] != one]),
    ):
        found += [
            Change(sign, words % {"from": one.from_role, "to": one.to_role, "name": pick(one.name)})
            for one in some
        ]
    return found
