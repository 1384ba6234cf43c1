"""Suggests, for each column of a file, the field that it belongs to, and says how sure and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz

from fairlead.exchange.reading.formats import Column, fingerprint
from fairlead.exchange.reading.layouts import (
    Heading,
    Layout,
    LayoutFinding,
    exact_meaning,
    recognise,
    undress,
)
from fairlead.exchange.reading.profile import ColumnProfile
from fairlead.exchange.reading.vocabulary import own_words, words_for
from fairlead.fields.catalogue import FieldSpec
from fairlead.fields.enums import NUMERIC, TEMPORAL, FieldType

__all__ = [
    "ColumnSuggestion",
    "TargetField",
    "fingerprint",
    "missing_required",
    "suggest_mapping",
    "target_of",
]

_SURE: Final = 0.5  # below this nothing is suggested
_SIMILAR: Final = 82.0

_REASONS: Final = {
    "layout": _("This is how %(layout)s names it."),
    "label": _("The title is the name of the field."),
    "synonym": _("The title is another word for the field."),
    "similar": _("The title resembles the field."),
    "content": _("The values look like this field."),
    "taken": _("Another column fits this field better."),
    "unlikely": _("The title fits, but not the values."),
    "none": _("No field resembles this column."),
    "left-out": _("This column is %(layout)s's own bookkeeping."),
}


@dataclass(frozen=True, slots=True)
class TargetField:
    """A field that columns can be mapped to. `meaning` joins it to the vocabulary (default: the end of its
    key)."""

    key: str
    type: FieldType
    labels: Mapping[str, str] = field(default_factory=dict)
    required: bool = False
    synonyms: tuple[str, ...] = ()
    meaning: str = ""

    @property
    def concept(self) -> str:
        return self.meaning or self.key.replace("__", ".").rsplit(".", 1)[-1]


def target_of(
    spec: FieldSpec, *, synonyms: Sequence[str] = (), meaning: str = "", required: bool | None = None
) -> TargetField:
    """A catalogue field as a target."""
    needed = spec.required if required is None else required
    return TargetField(spec.key, spec.type, spec.label, needed, tuple(synonyms), meaning)


@dataclass(frozen=True, slots=True)
class ColumnSuggestion:
    """What a column is taken for. `target` is None where nothing fits; `alternatives` are other fields with
    their confidence. `by_id`: the cells are another system's ids, not names. `unit`: as the title says (元,
    万元, %)."""

    column: Column
    target: str | None
    confidence: float  # 0–1
    reason: str
    layout: Layout = Layout.OTHER
    alternatives: tuple[tuple[str, float], ...] = ()
    by_id: bool = False
    unit: str = ""

    @property
    def why(self) -> str:
        return str(_REASONS[self.reason]) % {"layout": self.layout.title()}


@dataclass(frozen=True, slots=True)
class _Candidate:
    column: int
    target: int
    score: float
    reason: str


def suggest_mapping(
    columns: Sequence[Column],
    targets: Sequence[TargetField],
    *,
    subject: str,
    profiles: Sequence[ColumnProfile] = (),
    finding: LayoutFinding | None = None,
) -> list[ColumnSuggestion]:
    """One suggestion per column, in their order; each target is suggested at most once.

    `profiles` (of the same columns) let values speak: a date column is not suggested for an amount.
    """
    finding = finding or recognise([column.title for column in columns])
    headings = [undress(column.title, finding.layout) for column in columns]
    common, own = words_for(subject), own_words(subject)
    candidates: list[_Candidate] = []
    left_out: set[int] = set()
    for place, (column, heading) in enumerate(zip(columns, headings, strict=True)):
        meaning = exact_meaning(column.title, finding.layout, subject)
        if meaning == "":
            left_out.add(place)
            continue
        profile = profiles[place] if place < len(profiles) else None
        for number, target in enumerate(targets):
            score, reason = _score(heading, target, subject, meaning, common, own)
            if profile is not None:
                score, reason = _with_values(score, reason, target, profile)
            if score > 0:
                candidates.append(_Candidate(place, number, score, reason))
    return _assigned(columns, headings, targets, candidates, left_out, finding.layout)


def _score(
    heading: Heading,
    target: TargetField,
    subject: str,
    meaning: str | None,
    common: Mapping[str, tuple[str, ...]],
    own: Mapping[str, tuple[str, ...]],
) -> tuple[float, str]:
    concept = target.concept
    if meaning is not None:
        return (0.98, "layout") if meaning == concept else (0.0, "")
    words = heading.words
    if not words:
        return 0.0, ""
    if heading.entity and heading.entity != subject:
        # Pipedrive's “Person - Phone” is no phone of the deal itself; only “contact phone” may take it.
        prefixed = f"{heading.entity} {words}"
        return (0.9, "synonym") if prefixed in _folded(common.get(concept, ())) else (0.0, "")
    if words in _folded(target.labels.values()) or words == _fold(concept):
        return 0.97, "label"
    if words in _folded(target.synonyms):
        return 0.95, "synonym"
    if words in _folded(own.get(concept, ())):
        return 0.94, "synonym"
    if words in _folded(common.get(concept, ())):
        return 0.9, "synonym"
    likeness = max(
        (
            fuzz.ratio(words, other)
            for other in (
                *_folded(target.labels.values()),
                *_folded(target.synonyms),
                *_folded(common.get(concept, ())),
            )
            if len(other) > 3 and len(words) > 3
        ),
        default=0.0,
    )
    return (likeness / 100 * 0.85, "similar") if likeness >= _SIMILAR else (0.0, "")


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").split()).casefold()


def _folded(words: Iterable[str]) -> set[str]:
    return {_fold(word) for word in words}


def _with_values(score: float, reason: str, target: TargetField, profile: ColumnProfile) -> tuple[float, str]:
    """The score after a look at the values: a contradiction halves it, an e-mail column speaks for itself."""
    if not profile.filled:
        return score, reason
    seen = profile.type
    if score == 0:
        fits = target.type is FieldType.EMAIL and seen is FieldType.EMAIL and target.concept == "email"
        return (0.55, "content") if fits else (0.0, "")
    if target.type in TEMPORAL and seen in (
        FieldType.TEXT,
        FieldType.LONG_TEXT,
        FieldType.EMAIL,
        FieldType.DECIMAL,
    ):
        return score / 2, reason
    if target.type in NUMERIC and (seen in TEMPORAL or seen in (FieldType.EMAIL, FieldType.LONG_TEXT)):
        return score / 2, reason
    if (
        target.type in NUMERIC
        and seen is FieldType.TEXT
        and not profile.kinds["number"] + profile.kinds["digits"]
    ):
        return score / 2, reason
    return score, reason


def _assigned(
    columns: Sequence[Column],
    headings: Sequence[Heading],
    targets: Sequence[TargetField],
    candidates: list[_Candidate],
    left_out: set[int],
    layout: Layout,
) -> list[ColumnSuggestion]:
    """The best column for each field first; a column whose field is taken keeps it as an alternative."""
    chosen: dict[int, _Candidate] = {}
    taken: set[int] = set()
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.column, c.target)):
        if candidate.score >= _SURE and candidate.column not in chosen and candidate.target not in taken:
            chosen[candidate.column] = candidate
            taken.add(candidate.target)
    result = []
    for place, column in enumerate(columns):
        heading = headings[place]
        own = sorted((c for c in candidates if c.column == place), key=lambda c: -c.score)
        found = chosen.get(place)
        others = tuple((targets[c.target].key, round(c.score, 2)) for c in own if c is not found)[:4]
        reason = found.reason if found else _why_none(own, left_out=place in left_out)
        result.append(
            ColumnSuggestion(
                column,
                targets[found.target].key if found else None,
                round(found.score, 2) if found else 0.0,
                reason,
                layout,
                others,
                heading.is_reference_id,
                heading.unit,
            )
        )
    return result


def _why_none(candidates: Sequence[_Candidate], *, left_out: bool) -> str:
    if left_out:
        return "left-out"
    if not candidates:
        return "none"
    return "taken" if candidates[0].score >= _SURE else "unlikely"


def missing_required(targets: Sequence[TargetField], mapped: Iterable[str | None]) -> list[TargetField]:
    """The required fields that no column is mapped to."""
    here = set(mapped)
    return [target for target in targets if target.required and target.key not in here]
