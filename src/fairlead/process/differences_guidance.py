"""What changed in the guidance of a stage from one version of a process to the next, in words: why and what good looks
like, notes of the handbook, questions of the bank."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .change import Change
from .definition import Note, Question, Stage


def guidance_changes(old: Stage, new: Stage) -> list[Change]:
    stage = pick(new.name)
    found = []
    if (old.handbook.why, old.handbook.good) != (new.handbook.why, new.handbook.good):
        found.append(Change("changed", _("%(stage)s: the words of its handbook") % {"stage": stage}))
    note = _("%(stage)s: note “%(name)s” (%(kind)s)")
    found += _of_list(
        old.handbook.notes,
        new.handbook.notes,
        lambda one: (one.kind, tuple(sorted(one.title.items()))),
        lambda one: note % {"stage": stage, "name": pick(one.title), "kind": one.kind.label},
        _("%(stage)s: the notes of its handbook stand in another order") % {"stage": stage},
    )
    question = _("%(stage)s: question “%(name)s”")
    found += _of_list(
        old.questions,
        new.questions,
        lambda one: one.key or tuple(sorted(one.text.items())),
        lambda one: question % {"stage": stage, "name": pick(one.text)},
        _("%(stage)s: its questions stand in another order") % {"stage": stage},
    )
    return found


def _of_list(
    old: Sequence[Note] | Sequence[Question],
    new: Sequence[Note] | Sequence[Question],
    identity: Callable[[Any], Hashable],
    words: Callable[[Any], str],
    reordered: str,
) -> list[Change]:
    were, are = ({identity(one): one for one in some} for some in (old, new))
    found = [Change("removed", words(one)) for key, one in were.items() if key not in are]
    found += [Change("added", words(one)) for key, one in are.items() if key not in were]
    found += [Change("changed", words(one)) for key, one in are.items() if key in were and were[key] != one]
    if [key for key in were if key in are] != [key for key in are if key in were]:
        found.append(Change("changed", reordered))
    return found
