"""What the sample records are: drawn up from a seed, a process and an instant, the same whenever it is asked again.

No database here. All instants lie before `as_of` but those of plans; a stage was entered on a working day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, Final

from fairlead.process.definition import Definition, Stage
from fairlead.process.enums import Kind, Outcome, StageKind

SEGMENTS, ACCOUNTS, CONTACTS = 3, 24, 40
OPEN, WON, LOST = 21, 5, 4
DEALS: Final = OPEN + WON + LOST
SOURCES: Final = ("target_list", "referral", "exhibition", "web", "existing")
#: Working days in a stage where the process sets no limit.
USUAL_DAYS: Final = 8
_FITTING: Final = (Outcome.LOST, Outcome.NO_DECISION, Outcome.WALKED_AWAY)


@cache
def words() -> Any:
    """Names and sentences in both languages. Treat it as read-only."""
    from ruamel.yaml import YAML  # loaded when first needed

    text = files("fairlead.exchange").joinpath("content", "sample_data.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)


@dataclass(frozen=True, slots=True)
class Talk:
    """Something done, or to be done, with the customer. `at` is when."""

    kind: str
    summary: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deal:
    """One opportunity with its past. `steps`: (stage, instant of entry), oldest first; `outcome` blank: it runs.

    `owner`, `account` and `contacts` are places in their lists; `tasks`: (title, due, done).
    """

    owner: int
    account: int
    values: Mapping[str, Any]
    steps: Sequence[tuple[str, datetime]]
    outcome: str = ""
    reason: str = ""
    closed_at: datetime | None = None
    talks: Sequence[Talk] = ()
    next_step: Talk | None = None
    tasks: Sequence[tuple[str, date, bool]] = ()
    comments: Sequence[tuple[str, datetime]] = ()


@dataclass(slots=True)
class Plan:
    """The whole company, in `language` (zh or en), dealt out to `owners` people."""

    seed: int
    definition: Definition
    as_of: datetime
    zone: tzinfo
    language: str
    owners: int
    ways: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.language = "zh" if self.language.startswith("zh") else "en"
        self.ways = ways_to(self.definition)

    # --- records ---

    def owner_of_account(self, place: int) -> int:
        return place % self.owners

    def segments(self) -> list[dict[str, Any]]:
        return [
            {
                "name": one[self.language],
                "market_size": Decimal(one["size"]),
                "growth": Decimal(one["growth"]),
                "description": one["says"][self.language],
            }
            for one in words()["segments"]
        ]

    def accounts(self) -> list[dict[str, Any]]:
        rng = self._rng("accounts")
        found = []
        for place, one in enumerate(words()["accounts"]):
            name, short, industry, city = one[self.language]
            employees = round(10 ** rng.uniform(1.8, 3.6))
            found.append(
                {
                    "name": name,
                    "short_name": short,
                    "industry": industry,
                    "city": city,
                    "tier": "key" if place % 8 == 0 else "ABC"[place % 3],
                    "employees": employees,
                    "source": SOURCES[place % len(SOURCES)],
                    "segment": place % SEGMENTS,  # the caller puts its id there
                }
            )
        return found

    def contacts(self) -> list[dict[str, Any]]:
        """Everybody of `people`, the first of each account and then a second; `account` is a place."""
        found = []
        for place, name in enumerate(words()["people"][self.language]):
            department, title = self._post(place)[self.language]
            found.append(
                {"name": name, "account": place % ACCOUNTS, "department": department, "title": title}
            )
        return found

    def contacts_of(self, account: int) -> list[tuple[int, str]]:
        """Places of its contacts, with the buying role of each."""
        return [
            (place, self._post(place)["role"]) for place in range(CONTACTS) if place % ACCOUNTS == account
        ]

    def _post(self, place: int) -> Any:
        posts = words()["posts"]
        return posts[(place + place // ACCOUNTS) % len(posts)]

    # --- deals ---

    def deal(self, place: int) -> Deal:
        """The deal at `place`: running ones first, spread over all stages, then won, then lost."""
        rng = self._rng(f"deal {place}")
        if place < OPEN:
            stages = [s for s in self.definition.stages if s.key in self.ways and s.kind == StageKind.OPEN]
            last = stages[place * len(stages) // OPEN]
            return self._running(place, last, rng)
        if place < OPEN + WON:
            return self._over(place, self._leading_to(Kind.CLOSE_WON)[-1], Outcome.WON, "", rng)
        ends = self._leading_to(Kind.CLOSE_LOST)
        reason = self._reason(place)
        return self._over(place, ends[place % len(ends)], *reason, rng)

    def _leading_to(self, kind: Kind) -> list[Stage]:
        """Stages on some way from which a journey may end so; the last of all where the process says nothing."""
        on_way = [s for s in self.definition.stages if s.key in self.ways and s.kind == StageKind.OPEN]
        return [s for s in on_way if s.transition(kind)] or on_way[-1:]

    def _reason(self, place: int) -> tuple[str, str]:
        fitting = [r for r in self.definition.lists.get("lost", ()) if r.outcome in _FITTING]
        if not fitting:
            return Outcome.LOST, ""
        reason = fitting[place % len(fitting)]
        return str(reason.outcome), reason.key

    def _running(self, place: int, last: Stage, rng: Random) -> Deal:
        limit = last.limit_yellow or USUAL_DAYS
        days = rng.randint(1, max(2, limit - 1)) if place % 4 else rng.randint(limit + 3, 2 * limit + 6)
        steps = self._steps(last.key, self.as_of - timedelta(days=days), rng)
        deal = self._deal(place, steps, self.as_of, rng, closes=rng.randint(10, 120))
        return Deal(**deal, next_step=self._next_step(place, rng), tasks=self._tasks(place, rng))

    def _over(self, place: int, last: Stage, outcome: str, reason: str, rng: Random) -> Deal:
        # Half a year of ends, so that a cohort of ninety days has something to show.
        days = 3 + 37 * ((place - OPEN) % 5) + rng.randint(0, 4)
        closed_at = self._office(self.as_of - timedelta(days=days), rng)
        steps = self._steps(last.key, closed_at - timedelta(days=rng.randint(3, 9)), rng)
        deal = self._deal(place, steps, closed_at, rng, closes=-days)
        return Deal(**deal, outcome=outcome, reason=reason, closed_at=closed_at)

    def _deal(
        self, place: int, steps: Sequence[tuple[str, datetime]], until: datetime, rng: Random, *, closes: int
    ) -> dict[str, Any]:
        account = (place * 7) % ACCOUNTS
        names = words()["deals"][self.language]
        short = words()["accounts"][account][self.language][1]
        what = names[place % len(names)]
        talks = self._talks(steps[0][1], until, min(len(steps) + 1, 5), rng)
        said = words()["comments"][self.language]
        comments = [(said[place % len(said)], talks[-1].at + timedelta(hours=1))] if place % 3 == 0 else []
        return {
            "owner": self.owner_of_account(account),
            "account": account,
            "values": {
                "name": f"{short}{what}" if self.language == "zh" else f"{short} {what}",
                "amount": Decimal(rng.randint(8, 180) * 10_000),
                "expected_close_date": self._day(self.as_of + timedelta(days=closes)),
                "deal_type": "expansion" if place % 5 == 0 else "new",
                "is_tender": place % 6 == 0,
                "source": SOURCES[place % len(SOURCES)],
            },
            "steps": steps,
            "talks": talks,
            "comments": [(text, min(at, until - timedelta(minutes=1))) for text, at in comments],
        }

    def custom_values(self, place: int, known: Sequence[str]) -> dict[str, Any]:
        """What the shipped processes ask of a deal beside the fields that every deal has, as far as they are known;
        the later deals of a stage lack it, so that their gates have something to say."""
        if place % 3 == 2:
            return {}
        problems = words()["problems"][self.language]
        wanted = {
            "customer_problem": problems[place % len(problems)],
            "decision_date": self._day(self.as_of + timedelta(days=30 + place)),
            "payment_plan": words()["payments"][self.language],
        }
        return {key: value for key, value in wanted.items() if key in known}

    def _steps(self, last: str, entered: datetime, rng: Random) -> list[tuple[str, datetime]]:
        """Backwards from the entry of the last stage: each stay about as long as its limit."""
        found: list[tuple[str, datetime]] = []
        at = self._office(entered, rng)
        for key in reversed(self.ways[last]):
            found.append((key, at))
            limit = self.definition.stage(key).limit_yellow or USUAL_DAYS
            at = self._office(at - timedelta(days=max(3, round(limit * rng.uniform(0.4, 1.3)))), rng)
        return found[::-1]

    def _talks(self, first: datetime, until: datetime, count: int, rng: Random) -> list[Talk]:
        span = max((until - first).days, 1)
        days = sorted(rng.randint(0, span) for _n in range(count))
        known = words()["activities"]
        latest = until - timedelta(hours=2)
        return [
            Talk(
                one["kind"],
                one[self.language],
                max(first, min(latest, self._office(first + timedelta(days=d), rng))),
            )
            for n, d in enumerate(days)
            for one in (known[min(n, len(known) - 1)],)
        ]

    def _next_step(self, place: int, rng: Random) -> Talk | None:
        """Of five deals two have something ahead, one has it today, one is late, one has nothing."""
        days = (rng.randint(1, 12), 0, -rng.randint(2, 9), rng.randint(3, 20), None)[place % 5]
        if days is None:
            return None
        one = words()["next_steps"][place % len(words()["next_steps"])]
        due = self._office(self.as_of + timedelta(days=days), rng, forward=days > 0)
        return Talk(one["kind"], one[self.language], due)

    def _tasks(self, place: int, rng: Random) -> list[tuple[str, date, bool]]:
        titles = words()["tasks"][self.language]
        if place % 3:
            return []
        title = titles[place // 3 % len(titles)]
        return [(title, self._day(self.as_of + timedelta(days=rng.randint(-4, 9))), place % 2 == 1)]

    # --- time ---

    def _rng(self, what: str) -> Random:
        return Random(f"{self.seed}/{what}")  # noqa: S311 - equal seeds, equal samples

    def _day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _office(self, at: datetime, rng: Random, *, forward: bool = False) -> datetime:
        """Some minute of office hours on that day, or on the nearest one from Monday to Friday; never later than
        now unless it is a plan."""
        day = self._day(at)
        while day.weekday() > 4:
            day += timedelta(days=1 if forward else -1)
        local = datetime.combine(day, time(9), self.zone) + timedelta(minutes=rng.randrange(0, 480))
        found = local.astimezone(self.as_of.tzinfo)
        if forward or day == self._day(self.as_of) == self._day(at):
            return found
        return min(found, self.as_of - timedelta(minutes=5))


def ways_to(definition: Definition) -> dict[str, tuple[str, ...]]:
    """The shortest way from the first start stage to every stage that moves forward reach."""
    first = definition.start_stages[0].key
    ways: dict[str, tuple[str, ...]] = {first: (first,)}
    waiting = [first]
    while waiting:
        here = waiting.pop(0)
        for transition in definition.stage(here).transitions:
            if transition.kind in (Kind.ADVANCE, Kind.BRANCH) and transition.to not in ways:
                ways[transition.to] = (*ways[here], transition.to)
                waiting.append(transition.to)
    return ways
