"""From a YAML or JSON document to a `Definition`: every problem found is named with its path (PD-3, VR-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue, FieldSpec, Option
from fairlead.fields.conditions import Compiled
from fairlead.fields.enums import NUMERIC, FieldType

from .approval_reading import check_uses, read_approvals
from .branching import CRITERION
from .clock_reading import read_clocks
from .criteria import ACTIVITY_KINDS, ROLES, CriteriaReader
from .definition import (
    Definition,
    DefinitionError,
    FieldDeclaration,
    Reason,
    Score,
    Stage,
    Transition,
    Trouble,
)
from .enums import UNREASONED_OUTCOMES, ForecastCategory, Kind, Mode, Outcome, StageKind
from .guidance_reading import (
    guidance_problems,
    read_acts,
    read_handbook,
    read_playbooks,
    read_points,
    read_questions,
    read_steps,
)
from .structure import add_linear_transitions, structural_problems
from .team_reading import read_limit, read_packages, read_tracks, with_required_roles

SCHEMA_VERSION = 1
REASON_LISTS = ("lost", "regress", "skip", "hold", "waiver", "win", "reopen", "push", "handover")
MAX_STAGES = 60
MAX_DAYS = 3650

TOP_KEYS = {
    "schema",
    "process",
    "version",
    "subject",
    "name",
    "goal",
    "mode",
    "linear",
    "fields",
    "scores",
    "lists",
    "stages",
    "reopen_days",
    "recurring_days",
    "clocks",
    "playbooks",
    "approvals",
    "handovers",
}
STAGE_KEYS = {
    "key",
    "axis",
    "name",
    "kind",
    "goal",
    "guidance",
    "questions",
    "activities",
    "deliverables",
    "risks",
    "gate",
    "roles",
    "probability",
    "forecast",
    "limit",
    "wip_limit",
    "show_in_funnel",
    "start",
    "no_return",
    "entry",
    "exit",
    "transitions",
    "next_steps",
    "handbook",
    "tracks",
}
FIELD_KEYS = {"key", "type", "label", "options", "help", "unit", "zero_is_placeholder"}
SCORE_KEYS = {"name", "elements", "top", "points", "words", "fresh_days", "acts"}
STAGE_ROLES = {"accountable", "responsible", "consulted", "required"}
CHOICES = (FieldType.CHOICE, FieldType.MULTI_CHOICE)


def load(document: Any, catalogue: Catalogue, *, externals: Sequence[str] = ()) -> Definition:
    """The document as a `Definition`. Raises DefinitionError naming every problem and its path.

    `catalogue` describes the fields of the subject; fields that the document declares join it for the check.
    `externals` are the outside facts that the subject's room can tell; empty: not checked.
    """
    definition, problems = survey(document, catalogue, externals=externals)
    if problems or definition is None:
        raise DefinitionError(problems)
    return definition


def survey(
    document: Any, catalogue: Catalogue, *, externals: Sequence[str] = ()
) -> tuple[Definition | None, list[Trouble]]:
    """What can be read of the document, and every problem found; for showing a draft that is not finished yet.

    With problems the definition holds something harmless in place of what could not be read: never decide by it.
    """
    loader = _Loader(document, catalogue, externals)
    return loader.run(), loader.problems


def declared_specs(declarations: Sequence[FieldDeclaration]) -> list[FieldSpec]:
    return [
        FieldSpec(
            key=d.key,
            type=FieldType(d.type),
            label=d.label,
            custom=True,
            help=d.help,
            unit=d.unit,
            options=tuple(Option(o["value"], o["label"]) for o in d.options),
            zero_is_placeholder=d.zero_is_placeholder,
            max_length=5000 if d.type == FieldType.LONG_TEXT else 500,
        )
        for d in declarations
    ]


class _Loader(CriteriaReader):
    def __init__(self, document: Any, catalogue: Catalogue, externals: Sequence[str]) -> None:
        super().__init__(catalogue, externals)
        self.document, self.base = document, catalogue

    def run(self) -> Definition | None:
        if not isinstance(self.document, Mapping):
            self.bad("", _("The document is not a mapping."))
            return None
        document: Mapping[str, Any] = self.document
        self.unknown(document, TOP_KEYS, "")
        if document.get("schema", SCHEMA_VERSION) != SCHEMA_VERSION:
            self.bad("schema", _("This program reads schema %(number)s.") % {"number": SCHEMA_VERSION})
        key = self.key(document.get("process"), "process")
        subject = str(document.get("subject", ""))
        if subject != self.base.subject_type:
            self.bad(
                "subject", _("There is no such kind of record: “%(subject)s”.") % {"subject": subject[:40]}
            )
        version = self.number(document.get("version", 1), "version", 1, 100000)
        name = self.name(document.get("name"), "name")
        goal = self.name(document.get("goal"), "goal", needed=False)
        mode = document.get("mode", Mode.SOFT)
        if mode not in Mode.values:
            self.bad("mode", _("A mode is soft or enforced."))
            mode = Mode.SOFT
        reopen_days = self.number(document.get("reopen_days", 90), "reopen_days", 0, MAX_DAYS)
        recurring_days = self.optional_number(document.get("recurring_days"), "recurring_days", 1, MAX_DAYS)
        declarations = self._fields(document.get("fields"))
        specs = [s for s in declared_specs(declarations) if s.key not in self.base]
        self.catalogue = Catalogue(self.base.subject_type, [*self.base, *specs])
        self.scores = self._scores(document.get("scores"))
        lists = self._lists(document.get("lists"))
        stages = self._stages(document.get("stages"))
        if self.flag(document.get("linear", True), "linear"):
            stages = add_linear_transitions(stages)
        clocks = read_clocks(self, document.get("clocks"), stages, lists)
        playbooks = read_playbooks(self, document.get("playbooks"), stages)
        approvals = read_approvals(self, document.get("approvals"))
        check_uses(self, approvals, stages)
        packages = read_packages(self, document.get("handovers"), stages, subject)
        self.problems.extend(structural_problems(stages, lists))
        self.problems.extend(guidance_problems(stages))
        return Definition(
            key=key,
            version=version,
            subject=subject,
            name=name,
            goal=goal,
            mode=Mode(mode),
            stages=stages,
            fields=declarations,
            scores=self.scores,
            lists=lists,
            reopen_days=reopen_days,
            recurring_days=recurring_days,
            source=document,
            clocks=clocks,
            playbooks=playbooks,
            approvals=approvals,
            packages=packages,
            by_key={s.key: s for s in stages},
            positions={s.key: i for i, s in enumerate(stages)},
        )

    # --- parts of a document ---

    def _fields(self, value: Any) -> tuple[FieldDeclaration, ...]:
        found: dict[str, FieldDeclaration] = {}
        for i, item in enumerate(self.items(value, "fields")):
            if not self.is_mapping(item, f"fields.{i}"):
                continue
            named = item.get("key")
            path = f"fields.{named if isinstance(named, str) else i}"
            self.unknown(item, FIELD_KEYS, path)
            key = self.key(named, f"{path}.key")
            if key in found:
                self.bad(f"{path}.key", _("The field is declared twice."))
            if item.get("type") not in FieldType.values:
                self.bad(f"{path}.type", _("There is no such type of field."))
                continue
            declared = FieldDeclaration(
                key=key,
                type=item["type"],
                label=self.name(item.get("label"), f"{path}.label"),
                options=self._options(item, path),
                help=self.name(item.get("help"), f"{path}.help", needed=False),
                unit=self.text(item.get("unit"), f"{path}.unit"),
                zero_is_placeholder=self.flag(
                    item.get("zero_is_placeholder", True), f"{path}.zero_is_placeholder"
                ),
            )
            if key:
                found[key] = declared
        return tuple(found.values())

    def _options(self, item: Mapping[str, Any], path: str) -> tuple[Mapping[str, Any], ...]:
        found: dict[str, Mapping[str, Any]] = {}
        for j, option in enumerate(self.items(item.get("options"), f"{path}.options")):
            here = f"{path}.options.{j}"
            value = option.get("value") if isinstance(option, Mapping) else None
            if (
                not isinstance(option, Mapping)
                or not isinstance(value, str)
                or not value.strip()
                or len(value) > 100
            ):
                self.bad(here, _("An option has a value and words in zh and en."))
                continue
            self.unknown(option, {"value", "label"}, here)
            if value in found:
                self.bad(f"{here}.value", _("The option stands twice."))
            found[value] = {"value": value, "label": self.name(option.get("label"), f"{here}.label")}
        if item["type"] in CHOICES and not found:
            self.bad(f"{path}.options", _("A choice needs options."))
        if item["type"] not in CHOICES and found:
            self.bad(f"{path}.options", _("Only a choice has options."))
        return tuple(found.values())

    def _scores(self, value: Any) -> dict[str, Score]:
        scores = {}
        for key, item in self.mapping(value, "scores").items():
            path = f"scores.{str(key)[:60]}"
            self.key(key, path)
            body = self.mapping(item, path, SCORE_KEYS)
            elements = tuple(
                e for e in self.items(body.get("elements"), f"{path}.elements") if isinstance(e, str)
            )
            top = self.number(body.get("top", 2), f"{path}.top", 1, 100)
            points = read_points(self, body.get("points"), f"{path}.points", top)
            score = Score(
                str(key),
                self.name(body.get("name"), f"{path}.name"),
                elements,
                top,
                points,
                read_steps(self, body.get("words"), f"{path}.words", top),
                self.number(body.get("fresh_days", 60), f"{path}.fresh_days", 1, MAX_DAYS),
                read_acts(self, body.get("acts"), f"{path}.acts", elements, top),
            )
            if elements:
                self._elements(elements, points, f"{path}.elements")
                scores[score.key] = score
            else:
                self.bad(f"{path}.elements", _("A score needs elements: fields that hold a number."))
        return scores

    def _elements(self, elements: Sequence[str], points: Mapping[str, int], path: str) -> None:
        """Each is a field that holds a number, or a choice of options that `points` all know."""
        for element in elements:
            spec = self.catalogue.get(element)
            if spec is None:
                self.bad(path, _("There is no field “%(field)s”.") % {"field": element[:60]})
            elif spec.type == FieldType.CHOICE and points:
                if unknown := [o.value for o in spec.options if o.value not in points]:
                    self.bad(
                        path,
                        _("“%(field)s”: say what %(options)s is worth.")
                        % {"field": element, "options": ", ".join(unknown)[:80]},
                    )
            elif spec.type not in NUMERIC:
                self.bad(path, _("“%(field)s” does not hold a number.") % {"field": element})

    def _lists(self, value: Any) -> dict[str, tuple[Reason, ...]]:
        lists: dict[str, tuple[Reason, ...]] = {}
        given = self.mapping(value, "lists", set(REASON_LISTS))
        for name in REASON_LISTS:
            entries: dict[str, Reason] = {}
            for i, item in enumerate(self.items(given.get(name), f"lists.{name}")):
                path = f"lists.{name}.{i}"
                if not self.is_mapping(item, path):
                    continue
                self.unknown(item, {"key", "name", "outcome"}, path)
                key = self.key(item.get("key"), f"{path}.key")
                if key and key in entries:
                    self.bad(f"{path}.key", _("The reason stands twice."))
                outcome = item.get("outcome")
                if name == "lost" and (outcome not in Outcome.values or outcome in UNREASONED_OUTCOMES):
                    self.bad(f"{path}.outcome", _("A losing reason names its outcome."))
                    outcome = None
                entries[key] = Reason(
                    key,
                    self.name(item.get("name"), f"{path}.name"),
                    Outcome(outcome) if outcome in Outcome.values else None,
                )
            lists[name] = tuple(entries.values())
        return lists

    def _stages(self, value: Any) -> tuple[Stage, ...]:
        given = self.items(value, "stages")
        if not given or len(given) > MAX_STAGES:
            self.bad("stages", _("A process has one to %(most)s stages.") % {"most": MAX_STAGES})
            return ()
        stages = tuple(
            self._stage(item, i) for i, item in enumerate(given) if self.is_mapping(item, f"stages.{i}")
        )
        axes = [stage.axis_key for stage in stages if stage.axis_key]
        for stage in stages:
            if axes.count(stage.axis_key) > 1:
                self.bad(f"stages.{stage.key}.axis", _("Two stages stand at the same place of the axis."))
        return stages

    def _stage(self, item: Mapping[str, Any], index: int) -> Stage:
        key = self.key(item.get("key"), f"stages.{index}.key")
        path = f"stages.{key or index}"
        self.unknown(item, STAGE_KEYS, path)
        forecast = item.get("forecast", ForecastCategory.PIPELINE)
        if forecast not in ForecastCategory.values:
            self.bad(f"{path}.forecast", _("There is no such forecast category."))
            forecast = ForecastCategory.PIPELINE
        kind = item.get("kind", StageKind.OPEN)
        if kind not in StageKind.values:
            self.bad(f"{path}.kind", _("There is no such kind of stage."))
            kind = StageKind.OPEN
        yellow, red = read_limit(self, item.get("limit"), f"{path}.limit")
        entries = self.criteria(item.get("entry"), f"{path}.entry")
        exits = self.criteria(item.get("exit"), f"{path}.exit")
        stage = Stage(
            key=key,
            axis_key=self.key(item.get("axis", key), f"{path}.axis"),
            order=index,
            kind=StageKind(kind),
            name=self.name(item.get("name"), f"{path}.name"),
            goal=self.name(item.get("goal"), f"{path}.goal", needed=False),
            gate_name=self.name(item.get("gate"), f"{path}.gate", needed=False),
            guidance=self.names(item.get("guidance"), f"{path}.guidance"),
            questions=read_questions(self, item.get("questions"), f"{path}.questions"),
            handbook=read_handbook(self, item.get("handbook"), f"{path}.handbook"),
            activities=self.names(item.get("activities"), f"{path}.activities"),
            deliverables=self.names(item.get("deliverables"), f"{path}.deliverables"),
            risks=self.names(item.get("risks"), f"{path}.risks"),
            roles=self._roles(item.get("roles"), f"{path}.roles"),
            probability=self._probability(item.get("probability"), f"{path}.probability"),
            forecast=ForecastCategory(forecast),
            limit_yellow=yellow,
            limit_red=red,
            wip_limit=self.optional_number(item.get("wip_limit"), f"{path}.wip_limit", 1, 100000),
            show_in_funnel=self.flag(item.get("show_in_funnel", True), f"{path}.show_in_funnel"),
            start=self.flag(item.get("start", index == 0), f"{path}.start"),
            no_return=self.name(item.get("no_return"), f"{path}.no_return", needed=False),
            entry=entries,
            exit=exits,
            transitions=self._transitions(item.get("transitions"), f"{path}.transitions"),
            next_steps=self.keys(
                self.items(item.get("next_steps"), f"{path}.next_steps"),
                f"{path}.next_steps",
                ACTIVITY_KINDS,
                _("There is no kind of activity “%(key)s”."),
            ),
            tracks=read_tracks(self, item.get("tracks"), f"{path}.tracks", exits),
        )
        return with_required_roles(stage, self.catalogue)

    def _probability(self, value: Any, path: str) -> tuple[int, int, int]:
        given = self.mapping(value, path, {"min", "default", "max"})
        low, middle, high = (
            self.number(given.get(n, d), f"{path}.{n}", 0, 100)
            for n, d in (("min", 0), ("default", 50), ("max", 100))
        )
        if not low <= middle <= high:
            self.bad(path, _("min ≤ default ≤ max is expected."))
        return low, middle, high

    def _roles(self, value: Any, path: str) -> dict[str, tuple[str, ...]]:
        given = self.mapping(value, path, STAGE_ROLES)
        return {
            part: self.keys(names, f"{path}.{part}", ROLES, _("There is no role “%(key)s”."))
            for part, names in given.items()
            if part in STAGE_ROLES
        }

    def branch_condition(self, tree: Any, path: str) -> Compiled | None:
        """Over the fields, and over what was asked before: “criterion.<key>” is yes where that criterion holds (PD-6)."""
        fields, before = self.catalogue, sorted(self.seen_criteria - {""})
        if tree is None:
            return None
        items = [
            FieldSpec(
                key=f"{CRITERION}{key}",
                type=FieldType.BOOLEAN,
                label={"zh": f"检查项“{key}”已满足", "en": f"item “{key}” met"}
                | self.criterion_words.get(key, {}),
            )
            for key in before
        ]
        self.catalogue = Catalogue(fields.subject_type, [*fields, *items])
        try:
            return self.condition(tree, path)
        finally:
            self.catalogue = fields

    def _transitions(self, value: Any, path: str) -> tuple[Transition, ...]:
        found = []
        for i, item in enumerate(self.items(value, path)):
            here = f"{path}.{i}"
            if not self.is_mapping(item, here):
                continue
            self.unknown(item, {"type", "to", "label", "reasons", "when", "needs_right", "approval"}, here)
            if item.get("type") not in Kind.values:
                self.bad(f"{here}.type", _("There is no such kind of move."))
                continue
            found.append(
                Transition(
                    kind=Kind(item["type"]),
                    to=self.text(item.get("to"), f"{here}.to"),
                    reasons=self.text(item.get("reasons"), f"{here}.reasons"),
                    label=self.name(item.get("label"), f"{here}.label", needed=False),
                    when=self.branch_condition(item.get("when"), f"{here}.when"),
                    needs_right=self.text(item.get("needs_right"), f"{here}.needs_right"),
                    approval=self.text(item.get("approval"), f"{here}.approval"),
                )
            )
        return tuple(found)
