"""Questions that every page asks: built and compiled once, then only executed.

Building a query set and compiling it costs several times what the database needs for the answer. What is asked
with the same shape each time is therefore kept as a statement with places for its values:

    _person = Question(lambda pk: User.objects.select_related("team").filter(pk=pk))
    user = _person.first(user_id)

Arguments are integers or text that stand in the statement as values of their own; those named in `lists` are
lists of integers, those in `texts` lists of texts. PostgreSQL is given a list as one value, so that its statement
is one and the same for any length. Answers are what the query set gives: instances, tuples of `values_list`, or
flat values.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model, query, signals
from django.db.models.query import QuerySet

from fairlead.common import bulk

Answer = TypeVar("Answer")
Argument = int | str | Iterable[int] | Iterable[str]

#: Stands for the first argument while a statement is compiled; the next integers stand for the others.
_FIRST_MARK = 8_111_222_333_444_555_000
#: Places of a list: the next power of two, an open place repeats the last value. A longer list is asked plainly.
_SHORTEST, _LONGEST = 8, 512
_ARRAYS = {None: "", int: "bigint", str: "text"}


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    values: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]  # at which place of the values which argument goes
    converters: tuple[tuple[int, Sequence[Callable[[Any, Any, Any], Any]], Any], ...]
    shape: Callable[[Any], Any]  # of a row


class Question(Generic[Answer]):
    """A query set as a function. Compiled at the first call, once for each kind of database."""

    def __init__(
        self,
        build: Callable[..., QuerySet[Any, Answer]],
        *,
        lists: tuple[str, ...] = (),
        texts: tuple[str, ...] = (),
    ) -> None:
        self._build = build
        names = inspect.signature(build).parameters
        self._kinds = [int if name in lists else str if name in texts else None for name in names]
        self._statements: dict[tuple[Any, ...], _Statement | None] = {}

    def __call__(self, *arguments: Argument) -> list[Answer]:
        connection = connections[DEFAULT_DB_ALIAS]
        takes_arrays = connection.vendor == "postgresql"
        given: list[Any] = []
        plain: list[Any] = []  # the arguments again, lists as lists: what was given may be read only once
        lengths: list[int] = []
        is_long = False
        for argument, kind in zip(arguments, self._kinds, strict=True):
            if kind is None:
                given.append(argument)
                plain.append(argument)
                continue
            listed: list[Any] = sorted({kind(one) for one in argument})  # type: ignore[union-attr]
            plain.append(listed)
            is_long |= len(listed) > _LONGEST
            if takes_arrays:
                given.append(listed)
                lengths.append(_SHORTEST)
            elif not is_long:
                padded = _padded(listed, kind)
                given += padded
                lengths.append(len(padded))
        if is_long and not takes_arrays:
            return list(self._build(*plain))
        key = (connection.vendor, *lengths)
        if key not in self._statements:
            self._statements[key] = self._compiled(lengths, takes_arrays)
        statement = self._statements[key]
        if statement is None:  # nothing can fit
            return []
        values = list(statement.values)
        for at, number in statement.places:
            values[at] = given[number]
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, tuple(values))
            rows: Sequence[Any] = cursor.fetchall()
        if statement.converters:
            rows = [list(row) for row in rows]
            for at, converters, expression in statement.converters:
                for row in rows:
                    for convert in converters:
                        row[at] = convert(row[at], expression, connection)
        return [statement.shape(row) for row in rows]

    def first(self, *arguments: Argument) -> Answer | None:
        return next(iter(self(*arguments)), None)

    def _compiled(self, lengths: Sequence[int], takes_arrays: bool) -> _Statement | None:
        lengths_left, marks, arguments = list(lengths), 0, []
        spans: list[
            tuple[int, int, str]
        ] = []  # of the marks of each argument: first, how many, type of a list
        for kind in self._kinds:
            size = 1 if kind is None else lengths_left.pop(0)
            places = [_FIRST_MARK + marks + number for number in range(size)]
            arguments.append(places[0] if kind is None else places)
            spans.append((marks, size, _ARRAYS[kind] if takes_arrays else ""))
            marks += size
        rows: Any = self._build(*arguments)
        compiler = rows.query.get_compiler(using=DEFAULT_DB_ALIAS)
        try:
            sql, values = compiler.as_sql()
        except EmptyResultSet:
            return None
        numbers = {str(_FIRST_MARK + number): number for number in range(marks)}
        found = {at: numbers[str(value)] for at, value in enumerate(values) if str(value) in numbers}
        if set(found.values()) != set(range(marks)):
            raise ValueError("An argument of the question stands in no place of its own.")
        if takes_arrays:
            sql, values, found = _with_arrays(sql, values, found, spans)
        expressions = [part[0] for part in compiler.select[: compiler.col_count]]
        converters = tuple(
            (at, tuple(_quick(function) for function in functions), expression)
            for at, (functions, expression) in compiler.get_converters(expressions).items()
        )
        return _Statement(sql, tuple(values), tuple(found.items()), converters, _shape_of(rows, compiler))


def _with_arrays(
    sql: str, values: Sequence[Any], found: dict[int, int], spans: Sequence[tuple[int, int, str]]
) -> tuple[str, list[Any], dict[int, int]]:
    """The statement with each list as one value, and at which place of its values which argument goes."""
    offsets = [match.start() for match in re.finditer("%s", sql.replace("%%", "__"))]
    owners = {first + n: number for number, (first, size, _type) in enumerate(spans) for n in range(size)}
    pieces: list[str] = []
    kept: list[Any] = []
    places: dict[int, int] = {}
    at = end = 0
    while at < len(values):
        size, array = 1, ""
        if at in found:
            places[len(kept)] = owners[found[at]]
            _first, size, array = spans[owners[found[at]]]
        if array:
            begin, last = offsets[at], offsets[at + size - 1]
            if sql[begin - 4 : begin] != "IN (" or sql[last + 2] != ")":
                raise ValueError("A list of the question stands in no place of its own.")
            pieces += [sql[end : begin - 4], f"= ANY(%s::{array}[])"]
            end = last + 3
        kept.append(values[at])
        at += size
    return "".join([*pieces, sql[end:]]), kept, places


def _quick(convert: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Django's converter; for SQLite's instants one that asks less, for they are all in UTC."""
    backend = getattr(convert, "__self__", None)
    is_instant = (
        isinstance(backend, BaseDatabaseOperations) and convert.__name__ == "convert_datetimefield_value"
    )
    return _instant if is_instant and connections[DEFAULT_DB_ALIAS].timezone is UTC else convert


def _instant(value: Any, _expression: Any, _connection: Any) -> datetime | None:
    return None if value is None else _as_instant(value)


def _as_instant(value: str | datetime) -> datetime:
    """An expression comes as a text, a column as an instant that does not say where."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _padded(listed: list[Any], kind: type) -> list[Any]:
    size = _SHORTEST
    while size < len(listed):
        size *= 2
    nobody = -1 if kind is int else "\x00"
    return listed + [listed[-1] if listed else nobody] * (size - len(listed))


def _is_plain(model: type[Model]) -> bool:
    """Whether nothing is added to Django's own way from a row to a record: then there is a shorter one."""
    own = {name for kind in model.__mro__[: model.__mro__.index(Model)] for name in vars(kind)}
    listening = signals.pre_init.has_listeners(model) or signals.post_init.has_listeners(model)
    return not listening and not own & {"__init__", "from_db"}


def _shape_of(rows: Any, compiler: Any) -> Callable[[Any], Any]:
    kind = rows._iterable_class
    if kind is query.ValuesListIterable:
        return tuple
    if kind is query.FlatValuesListIterable:
        return lambda row: row[0]
    if kind is not query.ModelIterable or rows._prefetch_related_lookups:
        raise ValueError("A question answers with instances, tuples or flat values.")
    info, select = compiler.klass_info, compiler.select
    model, chosen = info["model"], info["select_fields"]
    start, end = chosen[0], chosen[-1] + 1
    names = [part[0].target.attname for part in select[start:end]]
    annotations = tuple((compiler.annotation_col_map or {}).items())
    populators = query.get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[attr-defined]

    is_plain = _is_plain(model)

    def instance(row: Any) -> Any:
        if is_plain:
            made = bulk.of_values(model, names, row[start:end])
            made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        else:
            made = model.from_db(DEFAULT_DB_ALIAS, names, row[start:end])
        for populator in populators:
            populator.populate(row, made)
        for name, at in annotations:
            setattr(made, name, row[at])
        return made

    return instance
