"""A mutant that is there from the start: for what a module works out while it is imported, its tables and constants.

As a pytest plugin: MUTANT=FILE:NUMBER python -m pytest -p tools.mutation.cold …
"""

from __future__ import annotations

import os
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path

from .edits import edited


class ChangedLoader(SourceFileLoader):
    def __init__(self, name: str, file: str, number: int) -> None:
        super().__init__(name, file)
        self.number = number

    def get_code(self, fullname: str) -> types.CodeType:
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(edited(source, self.number), self.path, "exec")


class ChangedFinder:
    def __init__(self, file: str, number: int) -> None:
        self.file, self.number = file, number

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.rpartition(".")[2] != Path(self.file).stem:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin != self.file:
            return None
        spec.loader = ChangedLoader(name, self.file, self.number)
        return spec


if mutant := os.environ.get("MUTANT"):
    _file, _, _number = mutant.rpartition(":")
    sys.meta_path.insert(0, ChangedFinder(_file, int(_number)))
