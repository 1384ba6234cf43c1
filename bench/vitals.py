"""What a person feels in the browser: largest paint, answer to a hand, shifts, on every page that a menu leads to.

Chromium with its processor four times slower, 10 Mbit/s and 40 ms away, nothing kept from page to page.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from tests.kit.browser import DESK, chromium_path, start_chromium

from .databases import Database
from .measures import Figure
from .pages import FRAME, MANAGER, SELLER, signed_in
from .serve import served

NAMES: Final = ("vitals",)
SLOWER: Final = 4
NETWORK: Final = {
    "offline": False, "latency": 40, "downloadThroughput": 1_250_000, "uploadThroughput": 1_250_000,
}  # fmt: skip
LCP, INP, CLS = 1500, 150, 0.05
#: What the machine itself needs, slowed and far away: an answer without a page, and the frame around one field.
FLOOR: Final = ("/healthz", FRAME)
WATCH: Final = """
window.__vitals = {lcp: 0, cls: 0, inp: 0, slow: "", largest: ""};
const named = e => e ? e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + [...e.classList].map(c => "." + c).join("") : "";
const watch = (type, each, more = {}) => new PerformanceObserver(l => l.getEntries().forEach(each))
  .observe({type, buffered: true, ...more});
watch("largest-contentful-paint", e => { window.__vitals.lcp = e.startTime; window.__vitals.largest = named(e.element); });
watch("layout-shift", e => { if (!e.hadRecentInput) window.__vitals.cls += e.value; });
watch("event", e => {
  if (!e.interactionId || e.duration <= window.__vitals.inp) return;
  window.__vitals.inp = e.duration;
  const until = [e.startTime, e.processingStart, e.processingEnd, e.startTime + e.duration];
  const spent = until.slice(1).map((at, i) => Math.round(at - until[i])).join(" + ");
  window.__vitals.slow = `${e.name} on ${named(e.target)}: ${spent}`;
}, {durationThreshold: 16});
"""


@dataclass
class Seen:
    path: str
    lcp: float
    inp: float
    cls: float
    first_byte: float
    largest: str  # the element of the largest paint
    slow: str  # the slowest interaction: waiting, handlers and painting in ms


def measure(database: Database, facts: dict[str, Any], wanted: set[str]) -> list[Figure]:
    """The worst of each over the pages of a seller and of a manager, and which page it was."""
    if not wanted & set(NAMES):
        return []
    if chromium_path() is None:
        return [
            Figure("vitals", name, database.engine, note="no Chromium here") for name in ("LCP", "INP", "CLS")
        ]
    found = []
    with served(database) as site, start_chromium() as browser:
        for who, username in (("seller", SELLER), ("manager", MANAGER)):
            client = signed_in(site, username)
            cookies = [{"name": k, "value": v, "url": site.address} for k, v in client.cookies.items()]
            client.close()
            context = browser.new_context(base_url=site.address, viewport=DESK, locale="zh-CN")
            context.add_cookies(cookies)
            context.add_init_script(WATCH)
            floor = [_look(context, path) for path in FLOOR]
            seen = [_look(context, path) for path in _paths(context, facts)]
            context.close()
            found += _worst(database.engine, who, seen, floor)
    return found


def _paths(context: Any, facts: dict[str, Any]) -> list[str]:
    """Every address of the menu, a page of each kind of record, and what hangs on a deal."""
    page = context.new_page()
    page.goto("/")
    menu = page.locator("nav a[href^='/']").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    deal = facts["rich"][0]
    more = [
        f"/opportunities/{deal}/",
        f"/opportunities/{deal}/?tab=fields",
        f"/opportunities/{deal}/?tab=history",
    ]
    for plural in ("accounts", "contacts"):
        page.goto(f"/{plural}/")
        first = page.locator(f"main a[href^='/{plural}/']").evaluate_all(
            "links => links.map(a => a.getAttribute('href'))"
        )
        more += [path for path in first if path.strip("/").split("/")[-1].isdigit()][:1]
    page.close()
    return list(dict.fromkeys(["/", *menu, "/search/?q=华", *more]))


def _look(context: Any, path: str) -> Seen:
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(path, wait_until="load")
    page.wait_for_timeout(600)
    _use(page)
    page.wait_for_timeout(300)
    said = page.evaluate("window.__vitals")
    first = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
    page.close()
    return Seen(path, said["lcp"], said["inp"], said["cls"], first, said["largest"], said["slow"])


def _use(page: Any) -> None:
    """What a hand does on any page: walk by keys, open a menu, look for something."""
    for _step in range(3):
        page.keyboard.press("Tab")
    fold = page.locator("main summary").first
    if fold.count() and fold.is_visible():
        fold.click(no_wait_after=True)
        page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_timeout(150)
    page.keyboard.type("hr", delay=80)
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")


def _worst(engine: str, who: str, seen: list[Seen], floor: list[Seen]) -> list[Figure]:
    found = []
    for name, limit, unit in (("LCP", LCP, "ms"), ("INP", INP, "ms"), ("CLS", CLS, "")):
        values = sorted(((getattr(one, name.lower()), one) for one in seen), key=lambda pair: -pair[0])
        value, worst = values[0]
        found.append(
            Figure(
                "vitals", name, engine, who, value=round(value, 3), unit=unit, limit=limit,
                note=f"the worst of {len(seen)} pages: {worst.path}",
                more={
                    "pages": len(seen), "worst": worst.path, "median": round(values[len(values) // 2][0], 3),
                    "over": [one.path for v, one in values if v > limit],
                    "floor": {one.path: round(getattr(one, name.lower()), 3) for one in floor},
                },
            )
        )  # fmt: skip
    found[0].more["each"] = [asdict(one) for one in seen]
    return found
