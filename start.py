"""Start Fairlead: `python3 start.py`. Needs Python 3.11 or newer and nothing else.

Makes the environment `.venv` from the locked packages, brings the browser files, compiles the catalogues,
prepares the database, serves on 127.0.0.1:8000, fills the demo company and prints who can sign in. What is
already there is not done again.

    python3 start.py                      the demo, in var/demo
    python3 start.py --no-demo            an empty installation, in var/company
    python3 start.py setup                only the environment
    python3 start.py test [--ids] [--id T05] [--engine sqlite|postgresql] [pytest's own arguments]
    python3 start.py bench [--json]       measured speed against a floor
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SOURCE = ROOT / "src" / "fairlead"
VENV = ROOT / ".venv"
STAMPS = VENV / "fairlead-stamps.json"
ON_WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if ON_WINDOWS else "bin/python")
OLDEST_PYTHON = (3, 11)
PATIENCE_SECONDS = 60


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"Fairlead needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    keep_what_is_compiled()
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command == "setup":
        prepare()
    elif command == "test":
        prepare(development=True, quiet="--ids" in sys.argv)
        sys.exit(run_module("tests.run", sys.argv[2:]))
    elif command == "bench":
        prepare(development=True, quiet="--json" in sys.argv)
        sys.exit(run_module("bench", sys.argv[2:]))
    else:
        serve(parse(sys.argv[1:]))


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="start.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=port_number, default=8000, help="port to listen on (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    parser.add_argument(
        "--no-demo", action="store_true", help="start empty; the first visit makes the administrator"
    )
    parser.add_argument(
        "--database", default="", metavar="URL", help="PostgreSQL instead of SQLite in the data directory"
    )
    parser.add_argument(
        "--expose-demo",
        action="store_true",
        help="serve the demo beyond this machine, known passwords and all",
    )
    return parser.parse_args(argv)


def port_number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port: 1 to 65535")


# ── The environment ───────────────────────────────────────────────────────────────────────────────────────


def prepare(*, development: bool = False, quiet: bool = False) -> None:
    """Make `.venv`, browser files and catalogues as the locks say; each only when its inputs changed."""
    say = (lambda text: None) if quiet else print
    lock = ROOT / "requirements" / ("dev.lock" if development else "runtime.lock")
    version = ".".join(map(str, sys.version_info[:2]))
    if not PYTHON.exists() or python_of_environment() != version:
        say("Making the environment .venv")
        make_environment()
    # The tests' packages include all others, so an environment that has them need not go back.
    has = stamps().get("packages", "")
    if has != digest([lock]) and (development or has != digest([ROOT / "requirements" / "dev.lock"])):
        say(f"Installing the {'packages and those of the tests' if development else 'packages'}")
        install(lock)
        stamp("packages", digest([lock]))
    step("package", lambda: f"{ROOT} {digest([ROOT / 'start.py'])}", put_on_path)
    assets = [
        ROOT / "assets.lock.json",
        ROOT / "tools" / "browser_files.py",
        SOURCE / "common" / "static" / "icons.txt",
    ]
    wanted = digest(assets) + (" development" if development else "")
    if not brought(wanted):
        say("Bringing the browser files")
        call(
            [
                sys.executable,
                str(ROOT / "tools" / "browser_files.py"),
                *(["--development"] if development else []),
            ]
        )
        stamp("browser files", wanted)
    step(
        "catalogues",
        lambda: digest(SOURCE.glob("*/locale/*/LC_MESSAGES/*.po")),
        compile_catalogues,
        say,
        "Compiling the catalogues",
    )


def python_of_environment() -> str:
    """ "3.11" for an environment of Python 3.11.7; empty where there is none."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    settings = dict(line.partition("=")[::2] for line in lines)
    version = {name.strip(): value.strip() for name, value in settings.items()}.get("version", "")
    return ".".join(version.split(".")[:2])


def make_environment() -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
        sys.exit("Python's venv module is incomplete here. On Debian and Ubuntu: apt install python3-venv.")


def install(lock: Path) -> None:
    if uv := shutil.which("uv"):  # quicker where it is; it may not know the index that pip was told of
        command = [uv, "pip", "install", "-q", "--python", str(PYTHON), "--require-hashes", "-r", str(lock)]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0:
            return
    # Compiling comes with the first import; here it would double the wait.
    options = ["--require-hashes", "--no-deps", "--no-compile", "--disable-pip-version-check", "-qq"]
    call([str(PYTHON), "-m", "pip", "install", *options, "-r", str(lock)])


def put_on_path() -> None:
    """Let `.venv` see src/ and have the command `fairlead`, without a build."""
    packages = subprocess.check_output(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(packages) / "fairlead.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    if ON_WINDOWS:
        (PYTHON.parent / "fairlead.cmd").write_text(f'@"{PYTHON}" -m fairlead %*\n', encoding="utf-8")
        return
    script = PYTHON.parent / "fairlead"
    # Compiled modules are kept, as by start.py itself.
    script.write_text(
        '#!/bin/sh\nunset PYTHONDONTWRITEBYTECODE\nexec "$(dirname "$0")/python" -m fairlead "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)


def compile_catalogues() -> None:
    call([str(PYTHON), "-m", "fairlead.config.messages", "compile"])


def brought(wanted: str) -> bool:
    """The browser files are those of the lock; the tests' files beside them do no harm."""
    vendor = SOURCE / "common" / "static" / "vendor" / "htmx.min.js"
    return vendor.exists() and stamps().get("browser files", "") in {wanted, f"{wanted} development"}


# ── Serving ───────────────────────────────────────────────────────────────────────────────────────────────


def serve(options: argparse.Namespace) -> None:
    demo = not options.no_demo
    if demo and options.host not in {"127.0.0.1", "localhost", "::1"} and not options.expose_demo:
        sys.exit("The demo has known passwords: it is not served beyond this machine without --expose-demo.")
    if is_taken(options.host, options.port):
        sys.exit(f"Port {options.port} is taken on {options.host}. Choose another one with --port.")
    prepare()
    data = (options.data or ROOT / "var" / ("demo" if demo else "company")).expanduser().resolve()
    environment = os.environ | {"FAIRLEAD_DATA": str(data), "FAIRLEAD_DEMO": "true" if demo else "false"}
    if options.database:
        environment["FAIRLEAD_DATABASE_URL"] = options.database
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = data / "stamps.json"
    prepare_data(environment, kept)
    if demo:
        announce_demo(data, kept)
    command = ["serve", "--host", options.host, "--port", str(options.port)]
    # Ends as with Ctrl-C, the server too; also where a shell runs this in the background and Ctrl-C is not heard.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = subprocess.Popen(
        fairlead(*command, *(["--expose-demo"] if options.expose_demo else [])), env=environment
    )
    try:
        address = (
            f"http://{'[' + options.host + ']' if ':' in options.host else options.host}:{options.port}/"
        )
        wait_until_served(server, address)
        if greet(address, data, environment, demo=demo):
            fill_demo(environment, kept)
        sys.exit(server.wait())
    except KeyboardInterrupt:
        print("\nEnding.")
    finally:
        end(server)


def prepare_data(environment: dict[str, str], kept: Path) -> None:
    """Bring the tables and the static files up to the code, where either changed."""
    migrations = digest(SOURCE.glob("*/migrations/*.py")) + stamps().get("packages", "")
    # A file stays where it is; another database may have been emptied meanwhile.
    url = environment.get("FAIRLEAD_DATABASE_URL") or environment.get("DATABASE_URL", "")
    is_here = not url and (kept.parent / "fairlead.sqlite3").exists()
    if not is_here or stamps(kept).get("migrations") != migrations:
        print("Preparing the database", flush=True)
        call(fairlead("migrate", "--no-input", "-v0"), environment)
        stamp("migrations", migrations, kept)
    static = digest(file for file in SOURCE.glob("*/static/**/*") if file.is_file())
    if stamps(kept).get("static") != static:
        call(fairlead("collectstatic", "--no-input", "--clear", "-v0"), environment)
        stamp("static", static, kept)


def wait_until_served(server: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    probe = address.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]") + "healthz"
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        if server.poll() is not None:
            sys.exit("The server ended before it answered; its message stands above.")
        try:
            with direct.open(probe, timeout=2):
                return
        except urllib.error.HTTPError:
            return  # it answers, even if it does not know this name of itself
        except OSError:
            time.sleep(0.05)
    sys.exit(f"The server did not answer within {PATIENCE_SECONDS} seconds.")


def greet(address: str, data: Path, environment: dict[str, str], *, demo: bool) -> bool:
    """Say where it is and who can sign in; whether there is a demo company to fill."""
    print(f"\n  Fairlead   {address}\n  data       {data}\n")
    if demo:
        shown = subprocess.run(
            fairlead("demo", "--sign-ins"), env=environment, text=True, capture_output=True
        )
        demo = shown.returncode == 0
        print(shown.stdout if demo else "  The demo company could not be asked who can sign in.\n")
    else:
        print("  The first visit makes the administrator.\n")
    print("  Ctrl-C ends it.", flush=True)
    return demo


def announce_demo(data: Path, kept: Path) -> None:
    """Let the server know that a demo company is coming: whoever opens it at once is not asked to set one up."""
    progress = data / "demo-progress.json"
    if stamps(kept).get("demo") != "complete" and not progress.exists():
        progress.write_text('{"done": 0, "total": 100, "stage": "founding"}', encoding="utf-8")


def fill_demo(environment: dict[str, str], kept: Path) -> None:
    """Build the demo company beside the running server; an unfinished one is begun again."""
    if stamps(kept).get("demo") == "complete":
        return
    if subprocess.run(fairlead("demo"), env=environment).returncode == 0:
        stamp("demo", "complete", kept)


def end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGTERM if ON_WINDOWS else signal.SIGINT)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


def is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if not ON_WINDOWS:  # there the option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


# ── Small things ──────────────────────────────────────────────────────────────────────────────────────────


def keep_what_is_compiled() -> None:
    """Images of containers often forbid it; then each of the dozen processes below compiles 2,000 modules anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def fairlead(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", "fairlead", *arguments]


def run_module(name: str, arguments: list[str]) -> int:
    try:
        return subprocess.run([str(PYTHON), "-m", name, *arguments], cwd=ROOT).returncode
    except KeyboardInterrupt:
        return 130


def call(command: list[str], environment: dict[str, str] | None = None) -> None:
    if code := subprocess.run(command, cwd=ROOT, env=environment).returncode:
        sys.exit(f"This step failed ({code}): {' '.join(command[:6])} …")


def digest(files: Iterable[Path]) -> str:
    """One hash over names and contents."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.relative_to(ROOT).as_posix()}\0".encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def stamps(kept: Path = STAMPS) -> dict[str, str]:
    try:
        return json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def stamp(name: str, value: str, kept: Path = STAMPS) -> None:
    fresh = kept.with_suffix(".new")
    fresh.write_text(json.dumps(stamps(kept) | {name: value}, indent=1), encoding="utf-8")
    fresh.replace(kept)


def step(
    name: str,
    state: Callable[[], str],
    do: Callable[[], None],
    say: Callable[[str], None] = print,
    text: str = "",
) -> None:
    """Do something when what it depends on has changed since it was last done."""
    now = state()
    if stamps().get(name) != now:
        if text:
            say(text)
        do()
        stamp(name, now)


if __name__ == "__main__":
    main()
