"""The house stands as it was drawn: the order of the rooms, declared doors, no forbidden short cuts."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import override_settings
from django.urls import path
from jinja2 import meta

from fairlead.common.access import access, check_access, routes
from fairlead.config.rooms import APPS, PACKAGE, ROOMS

ROOT = PACKAGE.parent.parent
LONGEST_FILE = 500
LONGEST_FUNCTION = 80

#: Short cuts past escaping, past the query builder, past the declared fields; none is allowed anywhere.
FORBIDDEN_IN_PYTHON = {
    "mark_safe": r"\bmark_safe\b",
    "format_html with an f-string": r"format_html\(\s*f[\"']",
    "raw SQL": r"\.raw\(|\.extra\(|\bRawSQL\b",
    "SQL from an f-string": r"execute\(\s*f[\"']",
    "a request spread into arguments": r"[(,]\s*\*\*request\.(GET|POST|data)",
    "a loose end": r"#.*\b(TODO|FIXME|XXX)\b",
}
#: Read by two people, with the reason.
ALLOWED = {
    (
        "SQL from an f-string",
        "journal/guards.py",
    ),  # triggers take no parameters; the names are our own tables
    ("SQL from an f-string", "process/services/snapshots.py"),  # our own columns, and ids that are integers
    ("SQL from an f-string", "exchange/demo/clearing.py"),  # our own tables
    ("SQL from an f-string", "common/bulk.py"),  # names of our own tables and columns, quoted
}
FORBIDDEN_IN_TEMPLATES = {
    "the safe filter": r"\|\s*safe\b",
    "autoescape": r"{%-?\s*autoescape",
    "an inline script": r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>",
    "an inline style": r"<style\b|\sstyle=",
    "an event attribute": r"\son[a-z]+=[\"']|hx-on",
    "JavaScript in an attribute": r"javascript:|hx-vals=[\"']?js:",
    "a loose end": r"\b(TODO|FIXME|XXX)\b",
}


def python_files() -> Iterator[Path]:
    return (file for file in PACKAGE.rglob("*.py") if "migrations" not in file.parts)


def templates() -> Iterator[Path]:
    return PACKAGE.glob("*/templates/**/*.html")


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0]


def is_above(room: str, other: str) -> bool:
    return ROOMS.index(room) > ROOMS.index(other)


@pytest.mark.rule("HOUSE-1")
def test_imports_run_downwards_only():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.rule("HOUSE-1")
def test_relations_point_down_and_leave_no_name_below():
    wrong = []
    for model in apps.get_models():
        room = model._meta.app_label
        if room not in APPS:
            continue
        for field in model._meta.get_fields(include_hidden=True):
            if not isinstance(field, models.ForeignKey | models.OneToOneField | models.ManyToManyField):
                continue
            other = field.related_model._meta.app_label
            if other not in APPS or other == room:
                continue
            if is_above(other, room):
                wrong.append(f"{field} points up to {other}")
            if field.remote_field.related_name != "+":
                wrong.append(f'{field} needs related_name="+"')
    assert wrong == []


@pytest.mark.rule("HOUSE-1")
def test_templates_use_only_templates_of_rooms_below():
    environment = engines["jinja2"].env
    wrong = []
    for file in templates():
        tree = environment.parse(file.read_text(encoding="utf-8"))
        for name in meta.find_referenced_templates(tree):
            if name and is_above(name.split("/")[0], room_of(file)):
                wrong.append(f"{file.relative_to(PACKAGE)} uses {name}")
    assert wrong == []


@pytest.mark.rule("HOUSE-1")
def test_migrations_depend_downwards_only():
    wrong = []
    for (room, name), migration in MigrationLoader(None).disk_migrations.items():
        if room in APPS:
            wrong += [
                f"{room}.{name} depends on {other}"
                for other, _ in migration.dependencies
                if other in APPS and is_above(other, room)
            ]
    assert wrong == []


@pytest.mark.rule("HOUSE-1")
@pytest.mark.django_db
def test_every_model_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.rule("HOUSE-1", "START-1")
def test_the_product_uses_only_packages_that_an_installation_has():
    """The tests' own packages are here too, so an import of one of them would go unseen until somebody installs."""
    plain = re.compile(r"[-_.]+")
    text = (ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    locked = {plain.sub("-", name).lower() for name in re.findall(r"^([\w.-]+)==", text, re.MULTILINE)}
    bring = packages_distributions()
    wrong = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if not node.level else []
            else:
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for package in {name.partition(".")[0] for name in names}:
                if package == PACKAGE.name or package in sys.stdlib_module_names:
                    continue
                if not {plain.sub("-", name).lower() for name in bring.get(package, ())} & locked:
                    wrong.add(f"{file.relative_to(PACKAGE).as_posix()} imports {package}")
    assert wrong == set()


@pytest.mark.rule("HOUSE-2")
def test_every_template_compiles():
    environment = engines["jinja2"].env
    names = [file.relative_to(PACKAGE / room_of(file) / "templates").as_posix() for file in templates()]
    assert names
    for name in names:
        environment.get_template(name)


@pytest.mark.rule("HOUSE-2")
def test_no_room_has_a_drawer_for_everything():
    assert [file for file in PACKAGE.rglob("*.py") if file.stem in {"utils", "helpers", "misc"}] == []


@pytest.mark.rule("HOUSE-2")
def test_files_and_functions_can_be_read_in_one_go():
    wrong = []
    for file in python_files():
        text = file.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > LONGEST_FILE:
            wrong.append(f"{file.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    wrong.append(f"{file.relative_to(ROOT)}: {node.name} has {length} lines")
    assert wrong == []


@pytest.mark.rule("T07b", "T08b", "HOUSE-2")
@pytest.mark.parametrize("what", FORBIDDEN_IN_PYTHON)
def test_no_short_cut_in_python(what):
    pattern = re.compile(FORBIDDEN_IN_PYTHON[what])
    found = [
        name
        for file in python_files()
        if pattern.search(file.read_text("utf-8"))
        and (what, name := file.relative_to(PACKAGE).as_posix()) not in ALLOWED
    ]
    assert found == []


@pytest.mark.rule("T07b", "HOUSE-2")
@pytest.mark.parametrize("what", FORBIDDEN_IN_TEMPLATES)
def test_no_short_cut_in_templates(what):
    pattern = re.compile(FORBIDDEN_IN_TEMPLATES[what], re.IGNORECASE)
    wrong = []
    for file in templates():
        text = re.sub(r"{#.*?#}", "", file.read_text("utf-8"), flags=re.DOTALL)
        wrong += [f"{file.relative_to(ROOT)}: {found.group(0)}" for found in pattern.finditer(text)]
    assert wrong == []


WORDS_OF = frozenset({"_", "gettext", "pgettext", "ngettext", "npgettext", "gettext_lazy", "pgettext_lazy"})


@pytest.mark.rule("HOUSE-2")
def test_no_word_to_translate_stands_inside_a_formatted_string():
    """There the catalogue does not find it, and a Chinese page would speak English."""
    wrong = []
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = ast.walk(node) if isinstance(node, ast.JoinedStr) else ()
            names = {getattr(p.func, "id", "") for p in parts if isinstance(p, ast.Call)}
            if names & WORDS_OF:
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


@pytest.mark.rule("T06")
def test_every_route_says_who_may_open_it():
    assert list(routes())
    assert check_access() == []


def naked(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@access("signed-in")
def dressed(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("naked", naked), path("dressed", dressed)]


@pytest.mark.rule("T06")
def test_a_view_without_a_declaration_stops_the_start():
    with override_settings(ROOT_URLCONF=__name__):
        errors = run_checks(tags=["access"])
    assert [error.id for error in errors] == ["fairlead.access.E001"]
    assert "naked" in errors[0].msg
