"""What changed from one version of a process to the next, in a few sentences."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .definition import Criterion, Definition, Stage


@dataclass(frozen=True, slots=True)
class Change:
    """`sign`: added, removed or changed."""

    sign: str
    text: str


def differences(old: Definition, new: Definition) -> list[Change]:
    """Stages, criteria, limits, probabilities and names; empty when only guidance and words elsewhere differ."""
    found = []
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
            found += _stage(before[stage.key], stage)
    return found


def _stage(old: Stage, new: Stage) -> list[Change]:
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
    were = {c.key: c for c in (*old.entry, *old.exit)}
    are = {c.key: c for c in (*new.entry, *new.exit)}
    found += [_criterion("removed", name, c) for key, c in were.items() if key not in are]
    found += [_criterion("added", name, c) for key, c in are.items() if key not in were]
    for key, criterion in are.items():
        before = were.get(key)
        if before is None:
            continue
        if before.level != criterion.level:
            found.append(
                Change(
                    "changed",
                    _("%(stage)s: “%(item)s” is now %(level)s")
                    % {"stage": name, "item": pick(criterion.name), "level": criterion.level.label},
                )
            )
        elif (before.params, before.applies_if, before.valid_days) != (
            criterion.params,
            criterion.applies_if,
            criterion.valid_days,
        ):
            found.append(_criterion("changed", name, criterion))
    return found


def _criterion(sign: str, stage: str, criterion: Criterion) -> Change:
    return Change(sign, _("%(stage)s: “%(item)s”") % {"stage": stage, "item": pick(criterion.name)})


def _limit(stage: Stage) -> str:
    return f"{stage.limit_yellow or '—'}/{stage.limit_red or '—'}"
