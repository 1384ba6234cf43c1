"""The two commands: what start.py does, refuses, and does not do twice; how tests are counted and chosen."""

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from fairlead.config import environment, serve

ROOT = Path(__file__).resolve().parents[2]


def load() -> ModuleType:
    """A fresh start.py, as nobody has run it."""
    spec = importlib.util.spec_from_file_location("start_under_test", ROOT / "start.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start() -> ModuleType:
    return load()


# --- what is asked for ---


@pytest.mark.rule("START-1")
def test_without_a_word_it_is_the_demo_on_this_machine(start: ModuleType) -> None:
    given = start.parse([])
    assert (given.host, given.port, given.data, given.database) == ("127.0.0.1", 8000, None, "")
    assert (given.no_demo, given.expose_demo) == (False, False)


@pytest.mark.rule("START-1")
@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80a", ""])
def test_a_port_that_is_none_is_refused(start: ModuleType, port: str) -> None:
    with pytest.raises(SystemExit):
        start.parse(["--port", port])


@pytest.mark.rule("START-1", "T31")
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org"])
def test_a_demo_is_not_served_beyond_this_machine(start: ModuleType, host: str) -> None:
    with pytest.raises(SystemExit) as refused:
        start.serve(start.parse(["--host", host]))
    assert "--expose-demo" in str(refused.value)
    settings = environment.read().model_copy(update={"demo": True})
    parser = __import__("argparse").ArgumentParser()
    serve.arguments(parser, settings)
    with pytest.raises(SystemExit) as refused:
        serve.run(parser.parse_args(["--host", host]), settings)
    assert "--expose-demo" in str(refused.value)


class Stopped(Exception):
    pass


def reached(start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *argv: str) -> Any:
    """How far `serve` comes before it would start anything: the environment and the command of the server."""
    seen: dict[str, Any] = {}

    def launch(command: list[str], env: dict[str, str]) -> None:
        seen.update(command=command, env=env)
        raise Stopped

    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "prepare", lambda **how: None)
    monkeypatch.setattr(start, "prepare_data", lambda env, kept: seen.update(kept=kept))
    monkeypatch.setattr(start, "is_taken", lambda host, port: False)
    monkeypatch.setattr(start.signal, "signal", lambda *how: None)
    monkeypatch.setattr(start.subprocess, "Popen", launch)
    with pytest.raises(Stopped):
        start.serve(start.parse(list(argv)))
    return seen


@pytest.mark.rule("START-1")
def test_each_company_has_its_own_directory(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    demo = reached(start, monkeypatch, tmp_path)
    assert demo["env"]["FAIRLEAD_DATA"] == str(tmp_path / "var" / "demo")
    assert demo["env"]["FAIRLEAD_DEMO"] == "true"
    assert (tmp_path / "var" / "demo" / "demo-progress.json").exists()
    own = reached(start, monkeypatch, tmp_path, "--no-demo")
    assert own["env"]["FAIRLEAD_DATA"] == str(tmp_path / "var" / "company")
    assert own["env"]["FAIRLEAD_DEMO"] == "false"
    assert not (tmp_path / "var" / "company" / "demo-progress.json").exists()
    there = reached(
        start, monkeypatch, tmp_path, "--no-demo", "--data", str(tmp_path / "x"), "--port", "8123",
        "--host", "0.0.0.0", "--database", "postgresql://u@h/d",
    )  # fmt: skip
    assert there["env"]["FAIRLEAD_DATA"] == str(tmp_path / "x") and (tmp_path / "x").is_dir()
    assert there["env"]["FAIRLEAD_DATABASE_URL"] == "postgresql://u@h/d"
    assert there["command"][-4:] == ["--host", "0.0.0.0", "--port", "8123"]
    exposed = reached(start, monkeypatch, tmp_path, "--host", "0.0.0.0", "--expose-demo")
    assert exposed["command"][-1] == "--expose-demo"


@pytest.mark.rule("START-1")
def test_a_taken_port_is_named(start: ModuleType) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            start.serve(start.parse(["--no-demo", "--port", str(port)]))
    assert f"Port {port} is taken" in str(refused.value)


@pytest.mark.rule("START-1")
def test_setup_makes_the_environment_and_stops(start: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[dict[str, Any]] = []
    monkeypatch.setattr(sys, "argv", ["start.py", "setup"])
    monkeypatch.setattr(start, "prepare", lambda **how: done.append(how))
    for name in ("serve", "run_module", "prepare_data"):
        monkeypatch.setattr(start, name, lambda *_how: pytest.fail("setup goes on"))
    start.main()
    assert done == [{}]


# --- what is done once ---


@pytest.mark.rule("START-2")
def test_the_database_is_prepared_again_only_when_something_changed(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    called: list[str] = []
    monkeypatch.setattr(start, "call", lambda command, env=None: called.append(command[3]))
    kept, env = tmp_path / "stamps.json", {"FAIRLEAD_DATA": str(tmp_path)}
    start.prepare_data(env, kept)
    assert called == ["migrate", "collectstatic"]
    (tmp_path / "fairlead.sqlite3").touch()
    called.clear()
    start.prepare_data(env, kept)
    assert called == []
    start.prepare_data(env | {"FAIRLEAD_DATABASE_URL": "postgresql://u@h/d"}, kept)
    assert called == ["migrate"]  # another database may have been emptied meanwhile
    called.clear()
    kept.write_text(json.dumps(start.stamps(kept) | {"migrations": "older", "static": "older"}))
    start.prepare_data(env, kept)
    assert called == ["migrate", "collectstatic"]


@pytest.mark.rule("START-2")
def test_stamps_survive_a_torn_file(start: ModuleType, tmp_path: Path) -> None:
    kept = tmp_path / "stamps.json"
    assert start.stamps(kept) == {}
    start.stamp("one", "1", kept)
    start.stamp("two", "2", kept)
    assert start.stamps(kept) == {"one": "1", "two": "2"}
    kept.write_text('{"one": ')
    assert start.stamps(kept) == {}


@pytest.mark.rule("START-2")
@pytest.mark.parametrize("command", ["setup", "test", "bench"])
def test_what_python_compiled_is_kept_whatever_the_image_says(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Without it every process compiles Django and the tests anew: more than half of what a start takes."""
    told: list[str] = []

    def ask(*_asked: Any, **_how: Any) -> int:
        asked = [sys.executable, "-c", "import sys; print(sys.dont_write_bytecode)"]
        told.append(subprocess.check_output(asked, text=True).strip())
        return 0

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "argv", ["start.py", command])
    monkeypatch.setattr(start, "prepare", ask)
    monkeypatch.setattr(start, "run_module", ask)
    with suppress(SystemExit):
        start.main()
    assert set(told) == {"False"}


@pytest.mark.rule("START-2")
def test_the_command_keeps_what_python_compiled(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; print(sys.dont_write_bytecode)"\n')
    python.chmod(0o755)
    monkeypatch.setattr(start, "PYTHON", python)
    monkeypatch.setattr(start.subprocess, "check_output", lambda *_a, **_k: str(tmp_path))
    start.put_on_path()
    kept = subprocess.run(
        [tmp_path / "fairlead"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert kept.stdout.strip() == "False"


@pytest.mark.rule("START-2")
def test_a_demo_that_is_complete_is_not_built_again(
    start: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    codes = iter([1, 0])
    built: list[list[str]] = []

    def run(command: list[str], **how: Any) -> Any:
        built.append(command)
        return subprocess.CompletedProcess(command, next(codes))

    monkeypatch.setattr(start.subprocess, "run", run)
    kept = tmp_path / "stamps.json"
    for _start in range(4):
        start.fill_demo({}, kept)
    assert len(built) == 2  # the first broke off, the second came to its end


# --- from the command to the page ---


def is_ready(start: ModuleType) -> bool:
    """Whether this very environment is the one that start.py keeps, and nothing is left to install."""
    lock = start.digest([ROOT / "requirements" / "dev.lock"])
    return start.PYTHON.exists() and start.stamps().get("packages") == lock


def plain_environment() -> dict[str, str]:
    """That of somebody at a prompt: nothing of this test run."""
    own = ("FAIRLEAD_", "DJANGO_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def hears_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def hears_no_ctrl_c() -> None:
    """A shell lets what it runs in the background ignore SIGINT, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def running(*argv: str, background: bool = False) -> Iterator[tuple[str, Path]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = Path(argv[-1]).with_suffix(".said")
    with said.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, str(ROOT / "start.py"), "--port", str(port), *argv],
            stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=plain_environment(),
            preexec_fn=hears_no_ctrl_c if background else hears_ctrl_c,
        )  # fmt: skip
        try:
            until = time.monotonic() + 300
            while b"Ctrl-C ends it" not in said.read_bytes():
                assert started.poll() is None and time.monotonic() < until, said.read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", said
        finally:
            started.send_signal(signal.SIGTERM if background else signal.SIGINT)
            try:
                started.wait(120)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait(60)
    assert started.returncode == 0, said.read_text()


@pytest.mark.rule("START-1", "START-2", "T31")
@pytest.mark.one_engine("sqlite", "the command makes its own database")
@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for another process there")
def test_an_empty_company_is_served_by_one_command_and_a_second_start_does_nothing_again(
    start: ModuleType, tmp_path: Path
) -> None:
    if not is_ready(start):
        pytest.skip("this is not the environment of start.py, which would first be made")
    data = tmp_path / "company"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for prepared in (True, False):
        with running("--no-demo", "--data", str(data), background=not prepared) as (address, said):
            with direct.open(address + "/", timeout=60) as answer:
                assert answer.geturl() == address + "/first-run"
                assert "no-store" in answer.headers["Cache-Control"]
            text = said.read_text()
            assert "The first visit makes the administrator." in text
            assert ("Preparing the database" in text) is prepared
            assert address in text and str(data) in text
    assert (data / "fairlead.sqlite3").exists()
    assert oct(data.stat().st_mode & 0o777) == "0o700"


@pytest.mark.rule("START-1", "START-2")
@pytest.mark.one_engine("postgresql", "SQLite has no server to be named")
@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for another process there")
def test_a_company_lives_in_the_database_that_is_named(start: ModuleType, tmp_path: Path, db: None) -> None:
    if not is_ready(start):
        pytest.skip("this is not the environment of start.py, which would first be made")
    server = os.environ["FAIRLEAD_DATABASE_URL"]
    name = f"start_{os.getpid()}"
    named = re.sub(r"/postgres(?=\?|$)", f"/{name}", server)
    assert named != server
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = tmp_path / "company"
    with psycopg.connect(server, autocommit=True) as cluster:
        cluster.execute(f'CREATE DATABASE "{name}"')
        try:
            with running("--no-demo", "--database", named, "--data", str(data)) as (address, said):
                with direct.open(address + "/", timeout=60) as answer:
                    assert answer.geturl() == address + "/first-run"
                # Each time: another database may have been emptied meanwhile.
                assert "Preparing the database" in said.read_text()
            with psycopg.connect(named) as company:
                assert company.execute("SELECT count(*) FROM django_migrations").fetchone() > (20,)
        finally:
            cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert not (data / "fairlead.sqlite3").exists()


# --- the tests themselves ---


@pytest.mark.rule("START-3")
def test_ids_are_counted_without_running_anything() -> None:
    command = [sys.executable, "-m", "tests.run", "--ids", "tests/common", "tests/process", "tests/access"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    counts = dict(line.split() for line in done.stdout.splitlines())
    assert int(counts["T06"]) >= 1 and int(counts["AC-1"]) >= 1
    order = list(counts)
    assert order.index("T02") < order.index("T15") and all(value.isdigit() for value in counts.values())


@pytest.mark.rule("START-3")
def test_an_id_chooses_its_tests_alone() -> None:
    command = [
        sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "--rule", "HOUSE-1,T06",
        "tests/test_house.py", "tests/access/test_default_deny.py",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    chosen = [line for line in done.stdout.splitlines() if "::" in line]
    assert chosen and "deselected" in done.stdout
    assert any("test_a_view_without_a_declaration_stops_the_start" in line for line in chosen)


@pytest.mark.rule("START-3", "T36")
def test_under_ci_a_missing_postgresql_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests import run

    monkeypatch.setattr(run, "ensure_browser", lambda: None)
    monkeypatch.setattr(run, "run_pytest", lambda engine, url, rest: 0)
    monkeypatch.setattr(run.postgresql, "programs", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    assert run.main([]) == 0
    monkeypatch.setenv("CI", "true")
    assert run.main([]) == 1


@pytest.mark.rule("START-3")
@pytest.mark.parametrize(("passes_alone", "code"), [(True, 0), (False, 1)])
def test_what_failed_among_the_others_is_run_again_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    passes_alone: bool,
    code: int,
) -> None:
    from tests import run

    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_some.py").write_text(
        "import os, pytest\n"
        "@pytest.mark.xdist_group('some')\n"
        "@pytest.mark.parametrize('name', ['a@b'])\n"
        "def test_alone(name):\n"
        f"    assert {passes_alone} and 'PYTEST_XDIST_WORKER' not in os.environ\n"
        "def test_steady():\n"
        "    assert True\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:django -p no:schemathesis -p no:hypothesispytest")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert run.run_pytest("SQLite", "", []) == code
    said = capfd.readouterr().out
    assert "1 failed; again, alone" in said
    assert ("unsteady, they failed" in said) is passes_alone


@pytest.mark.rule("START-3")
def test_tests_of_one_group_stay_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests import run

    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (tmp_path / "test_some.py").write_text(
        "import os, pathlib, pytest\n"
        "def note(name):\n"
        "    with open(pathlib.Path(__file__).parent / name, 'a') as file:\n"
        "        print(os.environ['PYTEST_XDIST_WORKER'], file=file)\n"
        "@pytest.mark.xdist_group('some')\n"
        "@pytest.mark.parametrize('number', range(8))\n"
        "def test_together(number):\n"
        "    note('together')\n"
        "@pytest.mark.parametrize('number', range(8))\n"
        "def test_anywhere(number):\n"
        "    note('anywhere')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:django -p no:schemathesis -p no:hypothesispytest")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert run.run_pytest("SQLite", "", []) == 0
    workers = {name: (tmp_path / name).read_text().split() for name in ("together", "anywhere")}
    assert len(workers["together"]) == len(workers["anywhere"]) == 8
    assert len({*workers["together"]}) == 1
    assert len({*workers["anywhere"], *workers["together"]}) == 2
