"""A pytest run that stays warm: everything is imported and collected once, then each mutant is judged in a fork.

What each test executes is noted first. For a mutant the tests that execute its statement run, the quickest first, until
one fails. A fork puts the changed code into the functions that are there already, and works on its own copy of the
database; nothing is written to disk but that. Used through `python -m tools.mutation`.
"""

from __future__ import annotations

import ast
import gc
import os
import resource
import shutil
import signal
import sys
import time
import types
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest.runner import runtestprotocol

from .edits import Edit, edited

PASSED, FAILED, BROKEN = 0, 1, 70
ALLOWANCE = (
    20  # so many times the time that a test took the first time, before it counts as one that never ends
)
SHORTEST = 10.0  # seconds, likewise
MEMORY = 3 << 30


@dataclass(frozen=True, slots=True)
class Mutant:
    """`number` counts the edits of the module; `file` is absolute. Without an edit: a control."""

    file: str
    number: int
    edit: Edit | None


@dataclass(slots=True)
class Judged:
    mutant: Mutant
    outcome: str  # killed, endless, survived, untested, broken
    tests: int
    by: str = ""


@dataclass(slots=True)
class Lines:
    """Which tests execute a line, and how long each test takes."""

    tests: dict[tuple[str, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[int, float] = field(default_factory=dict)


class Warm:
    """The plugin: takes over once everything is collected. `judge` is called with this object and says the rest."""

    def __init__(
        self, files: Iterable[str], judge: Callable[[Warm], None], *, jobs: int, limit: float
    ) -> None:
        self.files, self.judge, self.jobs, self.limit = frozenset(files), judge, jobs, limit
        self.sources = {file: Path(file).read_text(encoding="utf-8") for file in self.files}
        self.lines = Lines()
        self.items: list[pytest.Item] = []
        self.red: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session, self.items = session, list(session.items)
        for number, item in enumerate(self.items):
            self._note(number, item)
        gc.unfreeze()
        self.functions = functions_by_place(self.files)
        gc.freeze()
        self.judge(self)
        return True

    def _run(self, item: pytest.Item) -> bool:
        """Whether the test passed. Everything but what belongs to the session is torn down behind it."""
        if hasattr(item, "_request") and not item._request:
            item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, log=False, nextitem=self.session)  # type: ignore[arg-type]
        return not any(report.failed for report in reports)

    def _note(self, number: int, item: pytest.Item) -> None:
        lines, files = self.lines.tests, self.files

        def in_frame(frame: types.FrameType, event: str, _arg: Any) -> Any:
            lines[frame.f_code.co_filename, frame.f_lineno].add(number)
            return in_frame

        def on_call(frame: types.FrameType, event: str, arg: Any) -> Any:
            return in_frame(frame, event, arg) if frame.f_code.co_filename in files else None

        began = time.process_time()
        sys.settrace(on_call)
        try:
            passed = self._run(item)
        finally:
            sys.settrace(None)
        self.lines.seconds[number] = time.process_time() - began
        if not passed:
            self.red.append(item.nodeid)

    def tests_for(self, mutant: Mutant) -> list[int]:
        """The tests of its statement, the quickest first, as many as fit into the limit."""
        if mutant.edit is None:
            return self._quickest(self.lines.seconds)
        if mutant.edit.default_of:
            return self.tests_of_module(mutant.file)
        lines = range(mutant.edit.place.first_line, mutant.edit.place.last_line + 1)
        return self._quickest(set().union(*(self.lines.tests.get((mutant.file, line), ()) for line in lines)))

    def tests_of_module(self, file: str) -> list[int]:
        """Those that execute anything of it; of one that is nothing but plain values, any test may read them."""
        found = set().union(*(tests for (of, _line), tests in self.lines.tests.items() if of == file))
        return self._quickest(found or self.lines.seconds)

    def _quickest(self, found: Iterable[int]) -> list[int]:
        chosen, spent, red = [], 0.0, set(self.red)
        for number in sorted(found, key=lambda n: (self.lines.seconds[n], n)):
            spent += self.lines.seconds[number]
            if spent > self.limit and chosen:
                break
            if self.items[number].nodeid not in red:  # what failed as things are proves nothing
                chosen.append(number)
        return chosen

    # --- forks ---

    def judge_all(self, mutants: Iterable[Mutant], done: Callable[[Judged], None]) -> None:
        running: dict[int, tuple[Mutant, list[int], int]] = {}
        todo = iter(mutants)
        while True:
            while len(running) < self.jobs and (mutant := next(todo, None)) is not None:
                tests = self.tests_for(mutant)
                if not tests:
                    done(Judged(mutant, "untested", 0))
                    continue
                read, write = os.pipe()
                running[self._fork(mutant, tests, write)] = (mutant, tests, read)
            if not running:
                return
            child, status = os.waitpid(-1, 0)
            if child not in running:
                continue
            mutant, tests, read = running.pop(child)
            with open(read, encoding="utf-8") as told:
                last = told.read().splitlines()[-1:]
            done(Judged(mutant, _outcome(status), len(tests), last[0] if last else ""))

    def _fork(self, mutant: Mutant, tests: list[int], write: int) -> int:
        from django.db import connections

        connections.close_all()
        child = os.fork()
        if child:
            os.close(write)
            return child
        self._judge_here(mutant, tests, write)

    def _judge_here(self, mutant: Mutant, tests: list[int], write: int) -> NoReturn:
        code = BROKEN
        copy: Path | None = None
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nowhere, number)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            copy = own_database()
            if mutant.edit is not None:
                self.put_in_place(mutant)
            code = PASSED
            for number in tests:
                os.write(write, f"{self.items[number].nodeid}\n".encode())
                signal.setitimer(signal.ITIMER_REAL, max(SHORTEST, ALLOWANCE * self.lines.seconds[number]))
                if not self._run(self.items[number]):
                    code = FAILED
                    break
        except BaseException as error:
            code = BROKEN
            os.write(write, f"{type(error).__name__}: {error}\n".replace("\n", " ").encode())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if copy is not None:
                for file in copy.parent.glob(f"{copy.name}*"):
                    file.unlink()
            os._exit(code)

    def put_in_place(self, mutant: Mutant) -> None:
        """Change the functions themselves: whoever imported one by name has the changed one too."""
        edit = mutant.edit
        assert edit is not None
        functions = self.functions[mutant.file, edit.place.function]
        if edit.default_of:
            assert isinstance(edit.new, ast.Constant)
            for function in functions:
                set_default(function, edit.default_of, edit.new.value)
            return
        codes = self._codes(mutant)
        for function in functions:
            function.__code__ = codes[_name_of(function)]

    def fits(self, mutant: Mutant) -> bool:
        """Whether changed code can take the place of the code that is there: not where a `super()` has gone."""
        assert mutant.edit is not None
        codes = self._codes(mutant)
        found = self.functions[mutant.file, mutant.edit.place.function]
        return all(one.__code__.co_freevars == codes[_name_of(one)].co_freevars for one in found)

    def _codes(self, mutant: Mutant) -> dict[tuple[str, int], types.CodeType]:
        tree = edited(self.sources[mutant.file], mutant.number)
        return codes_by_name(compile(tree, mutant.file, "exec"))


def _name_of(function: types.FunctionType) -> tuple[str, int]:
    return function.__code__.co_qualname, function.__code__.co_firstlineno


def _outcome(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "endless" if os.WTERMSIG(status) == signal.SIGALRM else "broken"
    return {PASSED: "survived", FAILED: "killed"}.get(os.WEXITSTATUS(status), "broken")


def own_database() -> Path | None:
    """A copy of the test database, and every connection from here on goes to it."""
    from django.db import connection

    name = Path(str(connection.settings_dict["NAME"]))
    if not name.is_file():  # none of the tests has one
        return None
    copy = name.with_name(f"{name.stem}-{os.getpid()}{name.suffix}")
    shutil.copyfile(name, copy)
    connection.settings_dict["NAME"] = str(copy)
    return copy


def functions_by_place(files: frozenset[str]) -> dict[tuple[str, str], list[types.FunctionType]]:
    """Every function that was made from the top level of a file or of a class in it."""
    found: dict[tuple[str, str], list[types.FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if type(one) is types.FunctionType and one.__code__.co_filename in files:
            found[one.__code__.co_filename, one.__code__.co_qualname].append(one)
    return found


def codes_by_name(module: types.CodeType) -> dict[tuple[str, int], types.CodeType]:
    found: dict[tuple[str, int], types.CodeType] = {}
    todo = [module]
    while todo:
        for const in todo.pop().co_consts:
            if isinstance(const, types.CodeType):
                found[const.co_qualname, const.co_firstlineno] = const
                todo.append(const)
    return found


def set_default(function: types.FunctionType, name: str, value: Any) -> None:
    if name in (function.__kwdefaults__ or {}):
        function.__kwdefaults__ = {**function.__kwdefaults__, name: value}
        return
    code, defaults = function.__code__, list(function.__defaults__ or ())
    names = code.co_varnames[: code.co_argcount]
    defaults[names.index(name) - (len(names) - len(defaults))] = value
    function.__defaults__ = tuple(defaults)
