"""The difference of two versions in words leaves nothing out: whatever is another now is told, but for words (PD-1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from django.utils import translation
from tests.factories.crm import document
from tests.process.subjects import EXTERNALS, subject_catalogue

from fairlead.process.clocks import Limit
from fairlead.process.definition import Definition
from fairlead.process.differences import differences
from fairlead.process.enums import CriterionType, Kind, Level
from fairlead.process.loading import load

pytestmark = [pytest.mark.django_db, pytest.mark.rule("PD-1", "VR-4")]
#: Words, what is worked out from the rest, and what the program and not the version decides.
LEFT_OUT = {
    "stage": {
        "key", "order", "name", "goal", "guidance", "activities", "deliverables", "risks", "gate_name", "next_steps",
        "handbook", "questions", "tracks", "roles", "entry", "exit", "transitions",
    },
    "criterion": {"key", "name", "fields", "slot", "children"},
    "transition": {"label", "when"},
    "policy": {"tracks"},
}  # fmt: skip
SAMPLES: dict[str, Any] = {
    "no_return": {"zh": "已投标", "en": "The bid is in"}, "params": {"statement": {"zh": "甲", "en": "A"}},
    "applies_if": 1, "condition": 1, "operator": 1, "quiet": (22, 7), "help": {"zh": "看合同", "en": "See it"},
    "visit": {"needs_analysis": Limit(3, 4)}, "stage": {"needs_analysis": Limit(3, 4)}, "responses": {"signing": {}},
    "valid_days": 7, "recurring_days": 7, "wip_limit": 7, "waiting": 7, "inactivity": Limit(1, 2), "total": Limit(1, 2),
}  # fmt: skip


def another(name: str, value: Any) -> Any:
    if name in SAMPLES:
        return SAMPLES[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, Enum):
        return next(one for one in type(value) if one != value)
    if isinstance(value, (int, Decimal)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    assert isinstance(value, tuple), f"say in SAMPLES what {name} may be otherwise"
    return value[1:] or ("FR",)


def changed(old: Definition, new: Any) -> Iterator[tuple[str, Definition]]:
    """Each attribute alone, of the process, a stage, its first item and its ways out, and the time limits."""

    def each(what: str, one: Any, place: Any) -> Iterator[tuple[str, Definition]]:
        for f in fields(one):
            if f.name not in LEFT_OUT[what]:
                other = replace(one, **{f.name: another(f.name, getattr(one, f.name))})
                yield f"{what}.{f.name}", place(other)

    number = 2
    stage = new.stages[number]

    def with_stage(other: Any) -> Definition:
        stages = (*new.stages[:number], other, *new.stages[number + 1 :])
        return replace(new, stages=stages, by_key={s.key: s for s in stages})

    yield from each("stage", stage, with_stage)
    item = next(c for c in stage.exit if c.type == CriterionType.ATTESTATION)
    at = stage.exit.index(item)
    yield from each(
        "criterion",
        item,
        lambda other: with_stage(replace(stage, exit=(*stage.exit[:at], other, *stage.exit[at + 1 :]))),
    )
    for n, way in enumerate(stage.transitions):
        if way.kind in (Kind.ADVANCE, Kind.REGRESS, Kind.HOLD):
            yield from (
                (f"{way.kind}.{name}", made)
                for name, made in each(
                    "transition",
                    way,
                    lambda other, n=n: with_stage(
                        replace(
                            stage, transitions=(*stage.transitions[:n], other, *stage.transitions[n + 1 :])
                        )
                    ),
                )
                if not (name == "transition.reasons" and way.reasons)  # a reason is asked for, then as now
                and not (name == "transition.to" and way.kind == Kind.HOLD)
            )
    yield from each("policy", new.clocks, lambda other: replace(new, clocks=other))
    for name in ("reopen_days", "recurring_days", "fields", "stages"):
        yield name, replace(new, **{name: another(name, getattr(new, name))})


@pytest.fixture
def version() -> Definition:
    return load(document(), subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"])


def test_no_change_is_passed_over_in_silence(version: Definition) -> None:
    assert differences(version, version) == []
    looked, silent = 0, []
    for name, new in changed(version, version):
        looked += 1
        if not differences(version, new):
            silent.append(name)
    assert silent == [] and looked > 45


@pytest.mark.parametrize(
    ("part", "values", "said"),
    [
        ("item", {"waivable": False}, "Solution design: “FR signs deliverability and time”: cannot be waived"),
        ("item", {"role": "MGR"}, "Solution design: “FR signs deliverability and time”: now owed by Sales manager"),
        ("item", {"skippable": True},
         "Solution design: “FR signs deliverability and time”: not asked where its stage is skipped"),
        ("stage", {"wip_limit": 4}, "Solution design: at most 4 at once"),
        ("stage", {"axis_key": "x"}, "Solution design: reports count it at another place"),
        ("stage", {"start": True}, "Solution design: records may begin here"),
        ("stage", {"show_in_funnel": False}, "Solution design: not shown in the funnel"),
        ("process", {"reopen_days": 30}, "Reopening within 90 → 30 days"),
        ("policy", {"ack_hours": 8, "quiet": (22, 7)}, "Time limits: quiet hours, how long “I know” holds"),
    ],
)  # fmt: skip
def test_it_is_said_in_words(version: Definition, part: str, values: dict[str, Any], said: str) -> None:
    stage = version.stages[2]
    if part == "item":
        at = next(n for n, c in enumerate(stage.exit) if c.key == "fr_deliverability")
        exits = list(stage.exit)
        exits[at] = replace(exits[at], **values)
        stage = replace(stage, exit=tuple(exits))
    elif part == "stage":
        stage = replace(stage, **values)
    stages = (*version.stages[:2], stage, *version.stages[3:])
    new = replace(version, stages=stages, by_key={s.key: s for s in stages})
    if part == "process":
        new = replace(new, **values)
    elif part == "policy":
        new = replace(new, clocks=replace(new.clocks, **values))
    with translation.override("en"):
        assert [change.text for change in differences(version, new)] == [said]


def test_a_changed_level_hides_no_other_change_of_its_item(version: Definition) -> None:
    stage = version.stages[2]
    first = replace(stage.exit[0], level=Level.INFO, valid_days=3)
    stages = (*version.stages[:2], replace(stage, exit=(first, *stage.exit[1:])), *version.stages[3:])
    with translation.override("en"):
        told = differences(version, replace(version, stages=stages, by_key={s.key: s for s in stages}))
    assert len(told) == 2


def test_ways_back_come_and_go_with_their_stages_without_a_word(version: Definition) -> None:
    """A linear process has one to every earlier stage: an added stage is one sentence and not eight."""
    stages = version.stages[1:]
    gone = version.stages[0].key
    kept = tuple(replace(s, transitions=tuple(t for t in s.transitions if t.to != gone)) for s in stages)
    new = replace(version, stages=kept, by_key={s.key: s for s in kept})
    with translation.override("en"):
        told = [change.text for change in differences(version, new)]
    assert not [text for text in told if "Back" in text or "back" in text], told
