"""Checks over the stages as a whole, and the transitions that a linear process gets by itself (PD-2, PD-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from .definition import Reason, Stage, Transition, Trouble
from .enums import Kind, Level

WARN_STAGES = 8
WARN_BLOCKING = 6
CLOSING = frozenset({Kind.CLOSE_WON, Kind.CLOSE_LOST})


def add_linear_transitions(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Advance to the next, regress to any earlier, lose and hold from any, win from the last (PD-2).

    What the document states itself stays; nothing is added twice. A stage with `no_return` gets no regress.
    """
    completed = []
    for i, stage in enumerate(stages):
        added: list[Transition] = []
        kinds = {t.kind for t in stage.transitions}
        last = i == len(stages) - 1
        if not last and not kinds & {Kind.ADVANCE, Kind.BRANCH}:
            added.append(Transition(kind=Kind.ADVANCE, to=stages[i + 1].key))
        if last and Kind.CLOSE_WON not in kinds:
            added.append(Transition(kind=Kind.CLOSE_WON))
        if not stage.no_return:
            targets = {t.to for t in stage.transitions if t.kind == Kind.REGRESS}
            added.extend(
                Transition(kind=Kind.REGRESS, to=earlier.key, reasons="regress")
                for earlier in reversed(stages[:i])
                if earlier.key not in targets
            )
        if Kind.CLOSE_LOST not in kinds:
            added.append(Transition(kind=Kind.CLOSE_LOST, reasons="lost"))
        if Kind.HOLD not in kinds:
            added.append(Transition(kind=Kind.HOLD, reasons="hold"))
        completed.append(replace(stage, transitions=(*stage.transitions, *added)))
    return tuple(completed)


def structural_problems(stages: tuple[Stage, ...], lists: Mapping[str, tuple[Reason, ...]]) -> list[Trouble]:
    """What would strand a record: unknown targets, unreachable stages, stages without a way out or back."""
    problems: list[Trouble] = []
    keys = [s.key for s in stages]
    for key in sorted({k for k in keys if keys.count(k) > 1}):
        problems.append(Trouble(f"stages.{key}", _("The stage stands twice.")))
    known = set(keys)
    position = {k: i for i, k in enumerate(keys)}
    for stage in stages:
        for i, t in enumerate(stage.transitions):
            path = f"stages.{stage.key}.transitions.{i}"
            if t.kind in (Kind.ADVANCE, Kind.BRANCH, Kind.SKIP, Kind.REGRESS):
                if t.to not in known:
                    problems.append(
                        Trouble(f"{path}.to", _("There is no stage “%(stage)s”.") % {"stage": t.to})
                    )
                elif t.kind == Kind.REGRESS and position[t.to] >= position[stage.key]:
                    problems.append(Trouble(f"{path}.to", _("A move back leads to an earlier stage.")))
                elif t.kind != Kind.REGRESS and position[t.to] <= position[stage.key]:
                    problems.append(Trouble(f"{path}.to", _("A move ahead leads to a later stage.")))
            if t.reasons and t.reasons not in lists:
                problems.append(
                    Trouble(
                        f"{path}.reasons", _("There is no list of reasons “%(name)s”.") % {"name": t.reasons}
                    )
                )
        problems.extend(_branch_problems(stage))
        if not any(t.kind == Kind.CLOSE_LOST for t in stage.transitions):
            problems.append(
                Trouble(f"stages.{stage.key}.transitions", _("The stage cannot be left as lost."))
            )
        has_way_back = any(t.kind == Kind.REGRESS for t in stage.transitions)
        if not has_way_back and not stage.no_return and position[stage.key] > 0:
            problems.append(
                Trouble(f"stages.{stage.key}", _("Nothing leads back. Add one, or no_return with a reason."))
            )
    if stages and not lists.get("lost"):
        problems.append(Trouble("lists.lost", _("At least one losing reason is needed.")))
    if not problems:
        problems.extend(_reach_problems(stages))
    return problems


def _branch_problems(stage: Stage) -> list[Trouble]:
    """Branches are ordered and end in one without a condition, so that every deal finds its way (PD-3)."""
    branches = [t for t in stage.transitions if t.kind == Kind.BRANCH]
    if not branches:
        return []
    if branches[-1].when is not None:
        return [
            Trouble(
                f"stages.{stage.key}.transitions",
                _("The last branch has no condition: it takes what is left."),
            )
        ]
    if bare := [t for t in branches[:-1] if t.when is None]:
        at = stage.transitions.index(bare[0])
        return [
            Trouble(
                f"stages.{stage.key}.transitions.{at}", _("Only the last branch stands without a condition.")
            )
        ]
    return []


def _reach_problems(stages: tuple[Stage, ...]) -> list[Trouble]:
    forward = {s.key: [t.to for t in s.transitions if t.to and t.kind != Kind.REGRESS] for s in stages}
    reached: set[str] = set()
    todo = [s.key for s in stages if s.start]
    if not todo:
        return [Trouble("stages", _("No stage is a start."))]
    while todo:
        key = todo.pop()
        if key not in reached:
            reached.add(key)
            todo.extend(forward[key])
    problems = [
        Trouble(f"stages.{s.key}", _("No way leads to this stage.")) for s in stages if s.key not in reached
    ]
    winning = {s.key for s in stages if any(t.kind == Kind.CLOSE_WON for t in s.transitions)}
    changed = True
    while changed:
        changed = False
        for s in stages:
            if s.key not in winning and any(to in winning for to in forward[s.key]):
                winning.add(s.key)
                changed = True
    problems.extend(
        Trouble(f"stages.{s.key}.transitions", _("The stage cannot be left towards a good end."))
        for s in stages
        if s.key not in winning
    )
    return problems


def warnings(stages: tuple[Stage, ...]) -> list[Trouble]:
    """What may be published but is worth a second look (PD-5)."""
    found = []
    if len(stages) > WARN_STAGES:
        found.append(
            Trouble("stages", _("%(count)s stages: long pipelines get abandoned.") % {"count": len(stages)})
        )
    for stage in stages:
        blocking = sum(1 for c in (*stage.entry, *stage.exit) if c.level == Level.BLOCK and not c.slot)
        if blocking > WARN_BLOCKING:
            found.append(
                Trouble(
                    f"stages.{stage.key}", _("%(count)s required items at one gate.") % {"count": blocking}
                )
            )
    return found


def stale_examples(stages: tuple[Stage, ...]) -> list[Trouble]:
    """Examples of evidence for criteria that are not asked for: guidance that has outlived its gate."""
    criteria = {one.key for stage in stages for c in (*stage.entry, *stage.exit) for one in (c, *c.children)}
    return [
        Trouble(
            f"stages.{stage.key}.handbook.notes.{i}.criterion",
            _("There is no criterion “%(key)s”.") % {"key": note.criterion[:40]},
        )
        for stage in stages
        for i, note in enumerate(stage.handbook.notes)
        if note.criterion and note.criterion not in criteria
    ]
