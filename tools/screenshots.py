"""Photograph the pages that the READMEs show, from a demo company that really runs.

    FAIRLEAD_DATA=/somewhere .venv/bin/python tools/screenshots.py

Builds the demo there if it is not yet, serves it on a free port, writes docs/images/NAME-LANGUAGE.png. Needs
what the tests need (`python3 start.py test` installs it) and a Chromium.
"""

import base64
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
IMAGES = ROOT / "docs" / "images"
FAIRLEAD = Path(sys.executable).with_name("fairlead")
PASSWORD = "fairlead-demo-2026"  # the demo's own, printed at its start
LARGEST = 200_000
LANGUAGES = {"zh": "zh-hans", "en": "en"}
SIZES = {"phone": (390, 844)}
DESK = (1440, 900)


def main() -> int:
    from tests.kit.browser import start_chromium

    run("migrate", "--verbosity", "0")
    run("demo")
    IMAGES.mkdir(parents=True, exist_ok=True)
    too_large = []
    with served() as url, start_chromium() as chromium:
        for short, language in LANGUAGES.items():
            for name, (username, take) in SHOTS.items():
                width, height = SIZES.get(name, DESK)
                context = chromium.new_context(
                    base_url=url, viewport={"width": width, "height": height}, reduced_motion="reduce",
                    locale="zh-CN" if short == "zh" else "en-GB", timezone_id="Asia/Shanghai",
                )  # fmt: skip
                page = context.new_page()
                page.set_default_timeout(60_000)
                sign_in(page, username, language)
                take(page)
                page.wait_for_load_state("networkidle") if name != "board" else None
                file = IMAGES / f"{name}-{short}.png"
                shot = page.screenshot(animations="disabled", caret="hide")
                file.write_bytes(with_palette(*pixels(page, shot)))
                context.close()
                print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1000} kB")
                too_large += [file.name] if file.stat().st_size > LARGEST else []
    print(*(f"{name} is larger than {LARGEST // 1000} kB" for name in too_large), sep="\n")
    return 1 if too_large else 0


def run(*arguments: str) -> None:
    subprocess.run([FAIRLEAD, *arguments], check=True, cwd=ROOT)


@contextmanager
def served() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([FAIRLEAD, "serve", "--port", str(port)], cwd=ROOT, env=dict(os.environ))
    try:
        for _try in range(240):
            try:
                urllib.request.urlopen(f"{url}/readyz", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def sign_in(page: Any, username: str, language: str) -> None:
    page.goto("/sign-in")
    page.locator("[name=username]").fill(username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url("**/")
    with page.expect_navigation():
        page.evaluate(f"document.querySelector('button[name=language][value={language}]').click()")


# --- a picture of 256 colours is a third as large ---

UNPACK = """async (data) => {
  const image = new Image();
  image.src = "data:image/png;base64," + data;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  const bytes = brush.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return [btoa(text), image.width, image.height];
}"""


def pixels(page: Any, shot: bytes) -> tuple[Any, int, int]:
    """The browser that packed the picture unpacks it: colours as whole numbers, row by row."""
    import numpy as np

    page.goto("about:blank")
    text, width, height = page.evaluate(UNPACK, base64.b64encode(shot).decode())
    parts = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4).astype(np.uint32)
    return parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2], width, height


def with_palette(colours: Any, width: int, height: int) -> bytes:
    """A PNG whose palette holds the most frequent colours; the others take the nearest of these."""
    import numpy as np

    known, places, counts = np.unique(colours, return_inverse=True, return_counts=True)
    kept = known[np.argsort(-counts)[:256]]
    shades = [
        np.stack([c >> 16 & 255, c >> 8 & 255, c & 255], axis=1).astype(np.int32) for c in (known, kept)
    ]
    nearest = np.concatenate(
        [
            ((part[:, None, :] - shades[1][None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
            for part in np.array_split(shades[0], max(1, len(known) // 4096))
        ]
    )
    rows = nearest[places].astype(np.uint8).reshape(height, width)
    lines = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()
    palette = shades[1].astype(np.uint8).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


# --- what is photographed ---


def board(page: Any) -> None:
    page.goto("/board/?scope=mine")


def refused(page: Any) -> None:
    """The first card of the second column that lacks something, moved on by keys."""
    board(page)
    open_ = page.locator(".fl-col").nth(1).locator(".fl-card:not(:has(.is-ready))")
    open_.first.locator(".fl-card__name").focus()
    page.keyboard.press("m")
    page.get_by_role("menu").wait_for()
    page.keyboard.press("Enter")  # the next stage has the focus
    page.locator("#panel h2").wait_for()


def opportunity(page: Any) -> None:
    board(page)
    page.locator(".fl-col").nth(2).locator(".fl-card__name").first.click()
    page.locator("h1").wait_for()


def funnel(page: Any) -> None:
    page.goto("/funnel/")


def approval(page: Any) -> None:
    page.goto("/approvals/")
    page.locator("h1").wait_for()


def phone(page: Any) -> None:
    opportunity(page)


SHOTS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "board": ("seller", board),
    "refused": ("seller", refused),
    "opportunity": ("seller", opportunity),
    "funnel": ("manager", funnel),
    "approval": ("manager", approval),
    "phone": ("seller", phone),
}

if __name__ == "__main__":
    sys.exit(main())
