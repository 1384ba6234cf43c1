"""What changed from one version of a process to the next, in a few sentences."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .change import Change
from .definition import Criterion, Definition, Stage
from .describing import joined, list_name, part_name
from .differences_approvals import approval_changes
from .differences_details import asked, item_notes, policy_changes, stage_changes, ways
from .differences_guidance import guidance_changes
from .differences_pieces import group_changes, package_changes, playbook_changes, score_changes
from .enums import CriterionType
from .roles import role_name
from .track_words import track_changes


def differences(old: Definition, new: Definition) -> list[Change]:
    """Stages and their order, criteria, ways out, limits, roles, probabilities, names, approvals, reasons, fields,
    notes and questions, time limits; empty when nothing but words elsewhere differs.
    """
    found = []
    if old.name != new.name:
        found.append(Change("changed", _("The process was called %(name)s") % {"name": pick(old.name)}))
    before, after = old.by_key, new.by_key
    found += [
        Change("removed", _("Stage %(stage)s") % {"stage": pick(s.name)})
        for s in old.stages
        if s.key not in after
    ]
    for stage in new.stages:
        if stage.key not in before:
            found.append(Change("added", _("Stage %(stage)s") % {"stage": pick(stage.name)}))
        else:
            found += _stage(before[stage.key], stage, old, new)
    kept_old = [s.key for s in old.stages if s.key in after]
    kept_new = [s.key for s in new.stages if s.key in before]
    if kept_old != kept_new:
        order = " → ".join(pick(s.name) for s in new.stages)
        found.append(Change("changed", _("The order of stages: %(order)s") % {"order": order}))
    return [
        *found,
        *(Change(sign, text) for sign, text in approval_changes(old, new)),
        *_lists(old, new),
        *_fields(old, new),
        *policy_changes(old, new),
        *score_changes(old, new),
        *playbook_changes(old, new),
        *package_changes(old, new),
    ]


def is_same(old: Definition, new: Definition) -> bool:
    """Whether not even a word differs, but for the number of the version."""
    return {**old.source, "version": new.version} == {**new.source, "version": new.version}


def _lists(old: Definition, new: Definition) -> list[Change]:
    found = []
    for name, reasons in new.lists.items():
        were = {r.key: r for r in old.lists.get(name, ())}
        are = {r.key: r for r in reasons}
        for sign, some, others in (("removed", were, are), ("added", are, were)):
            found += [
                Change(sign, _("%(list)s: “%(item)s”") % {"list": list_name(name), "item": pick(r.name)})
                for key, r in some.items()
                if key not in others
            ]
        found += [
            Change("changed", _("%(list)s: “%(item)s”") % {"list": list_name(name), "item": pick(r.name)})
            for key, r in are.items()
            if key in were and were[key] != r
        ]
    return found


def _fields(old: Definition, new: Definition) -> list[Change]:
    were, are = {f.key: f for f in old.fields}, {f.key: f for f in new.fields}
    found = []
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        found += [
            Change(sign, _("Field “%(field)s”") % {"field": pick(f.label)})
            for key, f in some.items()
            if key not in others
        ]
    found += [
        Change("changed", _("Field “%(field)s”") % {"field": pick(f.label)})
        for key, f in are.items()
        if key in were and were[key] != f
    ]
    return found


def _roles(stage: Stage) -> str:
    return "; ".join(
        f"{part_name(part)} {' · '.join(role_name(r) for r in roles)}"
        for part, roles in stage.roles.items()
        if roles
    )


def _stage(old: Stage, new: Stage, before_all: Definition, after_all: Definition) -> list[Change]:
    name = pick(new.name)
    found = []
    if old.name != new.name:
        found.append(
            Change("changed", _("%(stage)s: was called %(name)s") % {"stage": name, "name": pick(old.name)})
        )
    if (old.limit_yellow, old.limit_red) != (new.limit_yellow, new.limit_red):
        found.append(
            Change(
                "changed",
                _("%(stage)s: limit %(old)s → %(new)s days")
                % {"stage": name, "old": _limit(old), "new": _limit(new)},
            )
        )
    if old.probability != new.probability:
        found.append(
            Change(
                "changed",
                _("%(stage)s: probability %(old)s → %(new)s%%")
                % {"stage": name, "old": old.probability[1], "new": new.probability[1]},
            )
        )
    if old.forecast != new.forecast:
        said = _("%(stage)s: forecast category %(old)s → %(new)s")
        values = {"stage": name, "old": old.forecast.label, "new": new.forecast.label}
        found.append(Change("changed", said % values))
    if _roles(old) != _roles(new):
        said = _("%(stage)s: roles are now %(roles)s")
        found.append(Change("changed", said % {"stage": name, "roles": _roles(new) or "—"}))
    found += stage_changes(old, new)
    ways_then, ways_now = ways(old, before_all, after_all), ways(new, after_all, before_all)
    for sign, some, others in (("removed", ways_then, ways_now), ("added", ways_now, ways_then)):
        found += [
            Change(sign, _("%(stage)s: %(move)s") % {"stage": name, "move": words})
            for way, words in some.items()
            if way not in others
        ]
    found += [
        Change("changed", _("%(stage)s: %(move)s") % {"stage": name, "move": words})
        for way, words in ways_now.items()
        if way in ways_then and words != ways_then[way]
    ]
    found += [Change(sign, text) for sign, text in track_changes(old, new)]
    found += guidance_changes(old, new)
    were = {c.key: c for c in (*old.entry, *old.exit)}
    are = {c.key: c for c in (*new.entry, *new.exit)}
    found += [_criterion("removed", name, c) for key, c in were.items() if key not in are]
    found += [_criterion("added", name, c) for key, c in are.items() if key not in were]
    for key, criterion in are.items():
        before = were.get(key)
        if before is None:
            continue
        if criterion.type == before.type == CriterionType.GROUP:
            found += group_changes(name, before, criterion)
            before = replace(
                before, params=criterion.params, mode=criterion.mode, k=criterion.k
            )  # told just now
        if before.level != criterion.level:
            found.append(
                Change(
                    "changed",
                    _("%(stage)s: “%(item)s” is now %(level)s")
                    % {"stage": name, "item": pick(criterion.name), "level": criterion.level.label},
                )
            )
        if notes := item_notes(before, criterion):
            said = _("%(stage)s: “%(item)s”: %(what)s")
            values = {"stage": name, "item": pick(criterion.name), "what": joined(notes)}
            found.append(Change("changed", said % values))
        if asked(before) != asked(criterion):
            found.append(_criterion("changed", name, criterion))
    return found


def _criterion(sign: str, stage: str, criterion: Criterion) -> Change:
    return Change(sign, _("%(stage)s: “%(item)s”") % {"stage": stage, "item": pick(criterion.name)})


def _limit(stage: Stage) -> str:
    return f"{stage.limit_yellow or '—'}/{stage.limit_red or '—'}"
