"""What a document may get wrong is named with its path; nothing that can be written makes the program stumble."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.process.subjects import EXTERNALS, subject_catalogue

from fairlead.process.definition import DefinitionError
from fairlead.process.loading import load

pytestmark = pytest.mark.django_db
GOOD = {
    "process": "simple", "version": 1, "subject": "opportunity", "mode": "soft", "name": {"zh": "简单", "en": "Simple"},
    "fields": [
        {"key": "colour", "type": "choice", "label": {"zh": "颜色", "en": "Colour"},
         "options": [{"value": "red", "label": {"zh": "红", "en": "Red"}}]},
        {"key": "pain", "type": "integer", "label": {"zh": "痛点", "en": "Pain"}},
    ],
    "scores": {"bant": {"name": {"zh": "评分", "en": "Score"}, "elements": ["pain"], "top": 2}},
    "lists": {"lost": [{"key": "price", "name": {"zh": "价格", "en": "Price"}, "outcome": "lost"}]},
    "stages": [
        {"key": "first", "name": {"zh": "一", "en": "One"}, "limit": {"yellow": 5, "red": 10},
         "roles": {"accountable": "AR"}, "probability": {"min": 0, "default": 10, "max": 20},
         "exit": [
             {"key": "met", "name": {"zh": "见过", "en": "Met"}, "type": "activity", "kinds": ["call"], "min": 1,
              "within_days": 30, "valid_days": 10},
             {"key": "paper", "name": {"zh": "文件", "en": "Paper"}, "type": "document", "kind": "offer"},
             {"key": "points", "name": {"zh": "分数", "en": "Points"}, "type": "score", "score": "bant", "min": 1},
             {"key": "waited", "name": {"zh": "等", "en": "Waited"}, "type": "elapsed", "min_days": 2},
             {"key": "both", "name": {"zh": "都", "en": "Both"}, "type": "group", "mode": "k_of", "k": 1, "criteria": [
                 {"key": "filled", "name": {"zh": "填", "en": "Filled"}, "type": "field", "field": "amount", "op": "present"},
             ]},
         ]},
        {"key": "second", "name": {"zh": "二", "en": "Two"},
         "transitions": [{"type": "close_won", "label": {"zh": "赢", "en": "Win"}}]},
    ],
}  # fmt: skip


TOO_DEEP = {"field": "amount", "op": "present"}
for _level in range(6):
    TOO_DEEP = {"all": [TOO_DEEP]}


def loaded(document):
    return load(document, subject_catalogue("opportunity"), externals=EXTERNALS["opportunity"])


def problems(document):
    with pytest.raises(DefinitionError) as refused:
        loaded(document)
    return {problem.path for problem in refused.value.problems}


def changed(path, value):
    document = copy.deepcopy(GOOD)
    *way, last = path.split(".")
    node = document
    for part in way:
        node = node[int(part) if part.isdigit() else part]
    node[int(last) if last.isdigit() else last] = value
    return document


def test_the_good_document_is_good():
    assert loaded(GOOD).key == "simple"


@pytest.mark.rule("PD-3", "VR-10")
@pytest.mark.parametrize(("path", "value", "named"), [
    ("mode", "hard", "mode"),
    ("mode", ["soft"], "mode"),
    ("version", "one", "version"),
    ("recurring_days", "monthly", "recurring_days"),
    ("reopen_days", -1, "reopen_days"),
    ("linear", "yes", "linear"),
    ("scores", [1], "scores"),
    ("lists", [1], "lists"),
    ("lists.lost", 5, "lists.lost"),
    ("fields", {"a": 1}, "fields"),
    ("fields.0.options", [], "fields.colour.options"),
    ("fields.0.options", 7, "fields.colour.options"),
    ("fields.1.options", [{"value": "x", "label": {"zh": "甲", "en": "X"}}], "fields.pain.options"),
    ("fields.1.key", "colour", "fields.colour.key"),
    ("scores.bant.elements", 3, "scores.bant.elements"),
    ("scores.bant.elements", ["name"], "scores.bant.elements"),
    ("scores.bant.more", 3, "scores.bant.more"),
    ("stages.0.limit", 14, "stages.first.limit"),
    ("stages.0.limit", {"yellow": 5, "orange": 7}, "stages.first.limit.orange"),
    ("stages.0.limit.red", -3, "stages.first.limit.red"),
    ("stages.0.limit.red", "ten", "stages.first.limit.red"),
    ("stages.0.limit.yellow", 11, "stages.first.limit"),
    ("stages.0.roles", "AR", "stages.first.roles"),
    ("stages.0.roles", {"boss": "AR"}, "stages.first.roles.boss"),
    ("stages.0.roles.accountable", [{}], "stages.first.roles.accountable"),
    ("stages.0.probability", 40, "stages.first.probability"),
    ("stages.0.probability.often", 40, "stages.first.probability.often"),
    ("stages.0.wip_limit", "many", "stages.first.wip_limit"),
    ("stages.0.next_steps", 3, "stages.first.next_steps"),
    ("stages.0.next_steps", ["dance"], "stages.first.next_steps"),
    ("stages.1.transitions", 3, "stages.second.transitions"),
    ("stages.1.key", "first", "stages.first"),
    ("stages.1.axis", "first", "stages.second.axis"),
    ("stages.0.exit.0.valid_days", "long", "stages.first.exit.met.valid_days"),
    ("stages.0.exit.0.min", "two", "stages.first.exit.met.min"),
    ("stages.0.exit.0.within_days", [30], "stages.first.exit.met.within_days"),
    ("stages.0.exit.0.kinds", 5, "stages.first.exit.met.kinds"),
    ("stages.0.exit.0.contact_roles", ["PRESIDENT"], "stages.first.exit.met.contact_roles"),
    ("stages.0.exit.1.kind", 5, "stages.first.exit.paper.kind"),
    ("stages.0.exit.1.version_min", "new", "stages.first.exit.paper.version_min"),
    ("stages.0.exit.2.min", "most", "stages.first.exit.points.min"),
    ("stages.0.exit.2.floor", 1, "stages.first.exit.points.floor"),
    ("stages.0.exit.2.floor", {"pain": "high"}, "stages.first.exit.points.floor.pain"),
    ("stages.0.exit.3.min_days", "soon", "stages.first.exit.waited.min_days"),
    ("stages.0.exit.4.k", "²", "stages.first.exit.both.k"),
    ("stages.0.exit.4.criteria", 1, "stages.first.exit.both.criteria"),
    ("surprise", 1, "surprise"),
    ("stages.0.surprise", 1, "stages.first.surprise"),
    ("stages.0.exit.0.surprise", 1, "stages.first.exit.met.surprise"),
    ("linear", False, "stages.first.transitions"),
    ("stages.0.exit.4.criteria.0.field", "no_such", "stages.first.exit.both.criteria.filled.field"),
    ("stages.0.exit.0.applies_if", TOO_DEEP, "stages.first.exit.met.applies_if" + ".all.0" * 5),
])  # fmt: skip
def test_each_mistake_is_named_with_its_path(path, value, named):
    assert named in problems(changed(path, value))


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["first", "second", "AR", "amount", "present", "²", "bant", "all", "pain", "expected_close_date"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["key", "type", "field", "op", "value", "all", "not", "zh", "en", "min", "min_days"])
        | st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


def places(node, path=()):
    yield path
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in children:
        yield from places(value, (*path, key))


@pytest.mark.rule("PD-3", "T13")
@given(
    where=st.lists(st.sampled_from([p for p in places(GOOD) if p]), min_size=1, max_size=3),
    what=odd,
    extra=odd,
)
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_anywhere_is_read_or_refused(where, what, extra):
    document = copy.deepcopy(GOOD)
    for path in where:
        node = document
        try:
            for part in path[:-1]:
                node = node[part]
            node[path[-1]] = copy.deepcopy(what)
            if isinstance(node, dict):
                node["applies_if"] = copy.deepcopy(extra)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    try:
        loaded(document)
    except DefinitionError as refused:
        assert refused.problems


@pytest.mark.rule("PD-3", "T13")
@given(document=odd)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_no_process_is_refused(document):
    with pytest.raises(DefinitionError):
        loaded(document)
