"""Everything that is wrong or doubtful about a draft, each with the place in the designer where it is mended (PD-3, PD-5).

Rooms and parts that add something to a document bring an examiner of their own, such as for approvers whom nobody
can resolve: `add_examiner`, called when Django starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import catalogue, pick, subject_types

from .approval_doubts import approval_doubts
from .definition import Definition, Name, Trouble
from .definitions import externals_of
from .enums import CriterionType, Level
from .loading import survey
from .structure import stale_examples, warnings
from .wording import seller_side

ERROR: Final = "error"
WARNING: Final = "warning"
WARN_FIELDS: Final = 7  # required fields of one kind of record (PD-5)

#: The parts of the designer. Those of the whole process, then those of a stage.
PROCESS_PART: Final = "process"
PARTS_OF_PROCESS: Final = (
    "process", "stages", "approvals", "fields", "reasons", "scores", "playbooks", "handovers", "more",
)  # fmt: skip
PARTS_OF_STAGE: Final = (
    "goal",
    "entry",
    "exit",
    "tracks",
    "moves",
    "limits",
    "guidance",
    "notes",
    "questions",
    "forecast",
)
_PART_OF: Final[Mapping[str, str]] = {
    "entry": "entry",
    "exit": "exit",
    "tracks": "tracks",
    "transitions": "moves",
    "no_return": "moves",
    "start": "moves",
    "limit": "limits",
    "wip_limit": "limits",
    "guidance": "guidance",
    "questions": "questions",
    "activities": "guidance",
    "deliverables": "guidance",
    "risks": "guidance",
    "handbook": "guidance",
    "next_steps": "guidance",
    "probability": "forecast",
    "forecast": "forecast",
    "show_in_funnel": "forecast",
}


#: How the rows of a part are named on the page, before the key or number by which its address opens one.
_ROW_OF: Final[Mapping[str, str]] = {"moves": "move-", "reasons": "list-"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the designer: a part of the whole process, or of one stage; and the item there, if it is one.

    `adding`: what is wrong is mended by something more there, such as a way out. `inner`: a part
    of the item. The address opens the very form.
    """

    part: str
    stage: str = ""
    item: str = ""
    adding: str = ""
    inner: str = ""

    @property
    def query(self) -> str:
        said = {
            "stage": self.stage,
            "part": self.part,
            "item": self.item.removeprefix(_ROW_OF.get(self.part, "")),
            "in": self.inner,
            "add": self.adding,
        }
        return "&".join(f"{name}={value}" for name, value in said.items() if value)

    @property
    def anchor(self) -> str:
        return "" if self.part == "more" else "form"


@dataclass(frozen=True, slots=True)
class Finding:
    """`twin`: words that would mend it, for a criterion that tells of our own doing. `whole`: see `Trouble`."""

    level: str
    path: str
    message: str
    place: Place
    twin: Name | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """`definition` is what could be read; with errors it is for showing alone."""

    definition: Definition | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.level == ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.level == WARNING)


#: Looks at a document that could be read; answers problems as (level, trouble).
Examiner = Callable[[Definition], Iterable[tuple[str, Trouble]]]
_examiners: list[Examiner] = []


def add_examiner(examiner: Examiner) -> None:
    if examiner not in _examiners:
        _examiners.append(examiner)


def examine(document: Any) -> Examination:
    """Every error and warning of a document, whatever JSON it is."""
    subject = document.get("subject") if isinstance(document, Mapping) else None
    if subject not in subject_types():
        said = _("There is no such kind of record: “%(subject)s”.") % {"subject": str(subject)[:40]}
        return Examination(None, (Finding(ERROR, "subject", said, Place(PROCESS_PART)),))
    definition, problems = survey(document, catalogue(str(subject)), externals=externals_of(str(subject)))
    findings = [Finding(ERROR, p.path, str(p.message), place_of(p.path), whole=p.whole) for p in problems]
    if definition is not None:
        findings += [Finding(WARNING, p.path, str(p.message), place_of(p.path)) for p in doubts(definition)]
        findings += _wordings(definition)
        if not problems:
            for examiner in _examiners:
                findings += [
                    Finding(level, p.path, str(p.message), place_of(p.path))
                    for level, p in examiner(definition)
                ]
    return Examination(definition, tuple(sorted(findings, key=lambda f: f.level != ERROR)))


def doubts(definition: Definition) -> list[Trouble]:
    """What may be published but is worth a second look (PD-5)."""
    found = [*warnings(definition.stages), *stale_examples(definition.stages), *approval_doubts(definition)]
    required = {
        spec.key
        for _stage, _side, c in definition.criteria()
        if c.level == Level.BLOCK and c.type == CriterionType.FIELD
        for spec in c.fields
    }
    if len(required) > WARN_FIELDS:
        said = _("%(count)s fields are required on the way; more than %(most)s are rarely filled honestly.")
        found.append(Trouble("fields", said % {"count": len(required), "most": WARN_FIELDS}))
    return found


def _wordings(definition: Definition) -> list[Finding]:
    found = []
    for stage, side, criterion in definition.criteria():
        for one in (criterion, *criterion.children):
            twin = seller_side(one.name)
            if twin is not None:
                inside = "" if one is criterion else f".criteria.{one.key}"
                path = f"stages.{stage.key}.{side}.{criterion.key}{inside}.name"
                said = _("“%(item)s” tells what we did. Ask what the customer did: “%(twin)s”.")
                said %= {"item": pick(one.name), "twin": pick(twin.name)}
                found.append(Finding(WARNING, path, said, place_of(path), twin.name))
    return found


def place_of(path: str) -> Place:
    """The place in the designer that a path in the document belongs to."""
    head, *rest = path.split(".")
    if head == "stages" and rest:
        stage, *inside = rest
        name = inside[0] if inside else ""
        part = _PART_OF.get(name, "moves" if not inside else "goal")
        if name in ("entry", "exit"):
            is_member = len(inside) > 3 and inside[2] == "criteria" and not inside[3].isdigit()
            return Place(part, stage, inside[3] if is_member else inside[1] if len(inside) > 1 else "")
        if name == "questions":
            return Place(part, stage, inside[1] if len(inside) > 1 else "")
        if inside[:2] == ["handbook", "notes"]:
            return Place("notes", stage, inside[2] if len(inside) > 2 else "")
        if name == "tracks":
            return Place(part, stage, inside[1] if len(inside) > 1 else "")
        if name == "transitions" and len(inside) > 1 and inside[1].isdigit():
            return Place(part, stage, f"move-{inside[1]}")
        if inside == ["transitions"]:
            return Place(part, stage, adding="1")
        return Place(part, stage)
    if head == "stages":
        return Place("stages")
    if head == "fields":
        return Place("fields", item=rest[0] if rest else "")
    if head == "lists":
        return Place("reasons", item=f"list-{rest[0]}" if rest else "")
    if head == "playbooks":
        return Place(
            "playbooks",
            item=rest[0] if rest else "",
            inner=rest[2] if rest[1:2] == ["tasks"] and rest[2:] else "",
        )
    if head == "scores":
        return Place(
            "scores",
            item=rest[0] if rest else "",
            inner=rest[2] if rest[1:2] == ["acts"] and rest[2:] else "",
        )
    if head == "handovers":
        return Place("handovers", item=rest[0] if rest else "")
    if head == "approvals":
        return _in_approvals(rest)
    if head in ("clocks", "tracks"):
        return Place("more")
    return Place(PROCESS_PART)


def _in_approvals(rest: list[str]) -> Place:
    """A row, or whatever else of a kind has a form; a list that lacks something opens the form that adds to it."""
    match rest:
        case ["kinds", kind, name, entry, *_more]:
            return Place("approvals", item=kind, inner=f"{name}.{entry}")
        case ["kinds", kind, "rows" | "binds" as name]:
            return Place("approvals", item=kind, adding=name)
        case ["kinds", kind, *_more]:
            return Place("approvals", item=kind)
        case ["committees", committee, *_more]:
            return Place("approvals", inner=f"committee.{committee}")
    return Place("approvals")
