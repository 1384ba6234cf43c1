"""A database of the size that is measured, written by bulk inserts; the engine is not asked.

`python -m bench.data --scale 1` fills the database of the environment, which must be empty. At scale 1:
100,000 opportunities (40,000 open), 50,000 accounts, 100,000 contacts, 1,000,000 activities.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

OPPORTUNITIES, ACCOUNTS = 100_000, 50_000
OPEN_BY_STAGE = (100, 60, 45, 30, 15)  # of 250 open deals of a seller
READY = 80  # of those in the first stage: everything that its gate asks for is there
RICH_SELLERS = 8  # whose open deals have a long timeline
RICH_ACTIVITIES, OPEN_ACTIVITIES, CLOSED_ACTIVITIES = 32, 9, 10
LONG_ACTIVITIES = 1000  # of the first deal
OF_FIVE_OPEN = 2
CHUNK = 10_000
WAYS_TO_LOSE = (
    ("price", "lost"),
    ("fit", "lost"),
    ("need_cancelled", "no_decision"),
    ("slow_response", "lost"),
)
BANT = {
    "bant_budget": "claimed",
    "bant_authority": "claimed",
    "bant_need": "verified",
    "bant_timing": "claimed",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.data", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlead.config.settings")
    import django

    django.setup()
    begun = time.monotonic()
    counts = fill(options.scale, datetime.now(UTC).replace(microsecond=0))
    print(json.dumps({"rows": counts, "seconds": round(time.monotonic() - begun, 1)}), file=sys.stdout)


def fill(scale: float, at: datetime) -> dict[str, int]:
    """Fill an empty database. Returns the number of rows of each kind."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # an unfinished file is made again, so nothing is lost
            cursor.execute("PRAGMA synchronous=OFF")
    from .people import hire

    people = hire(scale, at - timedelta(days=900))
    return _Company(scale, at, people).write()


class _Company:
    def __init__(self, scale: float, at: datetime, people: Any) -> None:
        from fairlead.journal.models import Event

        from .tables import Tables

        self.at, self.people, self.random = at, people, Random(20_260_101)
        self.deals, self.accounts = round(OPPORTUNITIES * scale), round(ACCOUNTS * scale)
        self.tables = Tables(people.version, created_at=at - timedelta(days=800), updated_at=at)
        self.event_id = Event.objects.count()
        self.activity_id = 0

    def write(self) -> dict[str, int]:
        for number in range(self.accounts):
            self._account(number)
            if not number % CHUNK:
                self.tables.flush()
        for number in range(self.deals):
            self._deal(number)
            if not number % CHUNK:
                self.tables.flush()
        from fairlead.crm.services.indexing import rebuild

        from .rows import look
        from .winding import settle, wind

        counts = self.tables.finish() | {"searchentry": rebuild(), "clock": wind()} | settle(self.at)
        look()
        return counts

    def _account(self, number: int) -> None:
        from . import words

        pick, seller = self.random.choice, self.people.sellers[number % len(self.people.sellers)]
        name, key = words.account(self.random, number)
        place = pick(words.PLACES)
        self.tables.account.add(
            number + 1,
            name,
            key,
            *seller,
            pick(words.TRADES),
            pick(("key", "A", "B", "C")),
            place,
            place,
            number % 3 == 0,
        )
        for i in (1, 2):
            who, key = words.person(self.random)
            self.tables.contact.add(
                number * 2 + i,
                who,
                key,
                number + 1,
                *seller,
                words.DEPARTMENTS[(number + i) % len(words.DEPARTMENTS)],
                f"139{number * 2 + i:08d}",
            )

    def _deal(self, number: int) -> None:
        """Deal `number` and everything that hangs on it."""
        random, sellers = self.random, self.people.sellers
        of_seller, seller_no = divmod(number, len(sellers))
        owner, team = sellers[seller_no]
        deal = _Deal(number + 1, owner, team)
        deal.amount = random.randint(3, 900) * 10_000
        is_open = of_seller % 5 < OF_FIVE_OPEN
        rank = of_seller // 5 * OF_FIVE_OPEN + of_seller % 5  # among the open deals of the seller
        deal.account = seller_no + len(sellers) * random.randrange(self.accounts // len(sellers)) + 1
        deal.contacts = [deal.account * 2 - 1, deal.account * 2]
        last = _stage_of(rank % sum(OPEN_BY_STAGE)) if is_open else random.choice((2, 3, 3, 4, 4))
        won = not is_open and random.random() < 0.55
        deal.ready = is_open and last == 0 and rank % sum(OPEN_BY_STAGE) < READY
        deal.path = list(range(5 if won else last + 1))
        if not is_open and random.random() < 0.5 and len(deal.path) > 2:
            deal.path[2:2] = [2, 1]  # once back and forth again
        self._dates(deal, is_open)
        self._travel(deal, is_open, won)
        self._work(deal, is_open, rich=is_open and seller_no < RICH_SELLERS)
        self._rows(deal, is_open, won)

    def _dates(self, deal: _Deal, is_open: bool) -> None:
        end = self.at - timedelta(
            hours=self.random.randint(1, 60 * 24) if is_open else self.random.randint(1, 640 * 24)
        )
        steps = [timedelta(hours=self.random.randint(30, 500)) for _ in deal.path]
        deal.entered = [end] * len(deal.path)
        first = len(deal.path) - 1
        if not is_open:
            deal.closed, deal.entered[first] = end, end - steps[first]
        for i in range(first, 0, -1):
            deal.entered[i - 1] = deal.entered[i] - steps[i - 1]
        deal.close_date = (self.at + timedelta(days=self.random.randint(5, 200)) if is_open else end).date()

    def _travel(self, deal: _Deal, is_open: bool, won: bool) -> None:
        """Visits and the events behind them."""
        stages, seen = self.people.stages, dict.fromkeys(range(5), 0)
        deal.reason, deal.outcome = (
            ("fit", "won") if won else ("", "") if is_open else self.random.choice(WAYS_TO_LOSE)
        )
        self._event(deal, "created", deal.entered[0], data="{}")
        for i, place in enumerate(deal.path):
            stage, entered, is_last = stages[place], deal.entered[i], i + 1 == len(deal.path)
            seen[place] += 1
            back = not is_last and deal.path[i + 1] < place
            left, exit_type, outcome = deal.closed, "", ""
            if not is_last:
                left, exit_type = deal.entered[i + 1], "regress" if back else "advance"
            elif not is_open:
                exit_type, outcome = ("won" if won else "lost"), deal.outcome
            self.tables.visit.add(
                deal.id,
                i + 1,
                stage.key,
                stage.axis_key,
                seen[place],
                entered,
                left,
                exit_type,
                outcome,
                deal.amount,
                deal.close_date,
                deal.owner,
                deal.team,
                stage.forecast,
            )
            data = {"axis": stage.axis_key, "probability": stage.probability, "category": stage.forecast}
            if i == 0:
                data |= {
                    "known": True,
                    "opened_at": entered.isoformat(),
                    "owner_id": deal.owner,
                    "team_id": deal.team,
                    "amount": str(deal.amount),
                    "close_date": deal.close_date.isoformat(),
                }
                self._event(deal, "journey_started", entered, to=stage.key, data=json.dumps(data))
            else:
                before = stages[deal.path[i - 1]]
                kind = "regress" if deal.path[i - 1] > place else "advance"
                data |= {"kind": kind, "exit": kind, "skipped": []}
                self._event(
                    deal, "stage_moved", entered, before=before.key, to=stage.key, data=json.dumps(data)
                )
        if not is_open:
            ending = (
                {"probability": 100, "category": "closed"}
                if won
                else {"outcome": deal.outcome, "probability": 0, "category": "omitted"}
            )
            self._event(
                deal,
                "won" if won else "lost",
                deal.closed,
                before=stages[deal.path[-1]].key,
                reason=deal.reason,
                data=json.dumps(ending),
            )

    def _work(self, deal: _Deal, is_open: bool, *, rich: bool) -> None:
        from . import words

        random = self.random
        done = RICH_ACTIVITIES if rich else OPEN_ACTIVITIES if is_open else CLOSED_ACTIVITIES
        done = LONG_ACTIVITIES if deal.id == 1 else done
        span = (deal.closed or self.at) - deal.entered[0]
        for i in range(done):
            at = deal.entered[0] + span * ((i + 0.5) / done)
            at = at.replace(microsecond=0)
            self.activity_id += 1
            kind, summary = random.choice(("call", "meeting", "visit", "email")), random.choice(words.DID)
            outcome = "talked" if i < 2 or random.random() < 0.5 else "no_answer"
            with_whom = f"[{deal.contacts[i % 2]}]" if deal.ready or random.random() < 0.3 else "[]"
            self.tables.activity.add(
                self.activity_id,
                deal.id,
                kind,
                "done",
                summary,
                None,
                at,
                outcome,
                with_whom,
                deal.owner,
                at,
                at,
            )
            self._event(
                deal,
                "activity_done",
                at,
                payload=json.dumps({"summary": summary}) if rich else "",
                data=f'{{"activity": {self.activity_id}, "kind": "{kind}", "outcome": "{outcome}"}}',
            )
        if is_open and random.random() < 0.8:
            self.activity_id += 1
            due = (self.at + timedelta(hours=random.randint(-200, 600))).replace(microsecond=0)
            deal.next = (due, random.choice(("call", "visit")), random.choice(words.DID))
            self.tables.activity.add(
                self.activity_id,
                deal.id,
                deal.next[1],
                "planned",
                deal.next[2],
                due,
                None,
                "",
                "[]",
                deal.owner,
                deal.entered[-1],
                None,
            )
        if is_open:
            self.tables.role.add(
                deal.id, deal.contacts[0], random.choice(("UB", "TB", "COACH")), deal.entered[0]
            )
            if len(deal.path) > 1:
                self.tables.file.add(
                    deal.id,
                    "requirement_confirmation",
                    "需求确认书.pdf",
                    deal.owner,
                    deal.entered[1],
                    deal.entered[1],
                )
                self._event(deal, "file_added", deal.entered[1], data="{}")

    def _rows(self, deal: _Deal, is_open: bool, won: bool) -> None:
        from . import words

        random = self.random
        name, key = words.deal(random, deal.id)
        stage = self.people.stages[deal.path[-1]]
        state = "open" if is_open else "won" if won else "lost"
        gate = ("ready", 0) if deal.ready else ("missing", random.randint(1, 3)) if is_open else ("", 0)
        category, probability = (
            (stage.forecast, stage.probability) if is_open else ("closed", 100) if won else ("omitted", 0)
        )
        self.tables.journey.add(
            deal.id,
            deal.id,
            stage.pk,
            state,
            deal.outcome,
            deal.reason,
            deal.entered[0],
            deal.entered[-1],
            deal.closed,
            category,
            probability,
            name,
            deal.owner,
            deal.team,
            deal.amount,
            deal.close_date,
            int(len(deal.path) > 5),
            *gate,
            random.choice((0, 0, 1, 2)) if is_open else 0,
            *deal.next,
        )
        helped = random.random() < 0.5
        custom = (
            {"customer_problem": "停机一次损失二十万，李工三月二日说", **BANT}
            if deal.ready or not is_open
            else {"bant_need": "claimed", "bant_budget": "unknown"}
        )
        self.tables.opportunity.add(
            deal.id,
            name,
            key,
            deal.owner,
            deal.team,
            deal.account,
            deal.id,
            deal.amount,
            deal.close_date,
            deal.owner,
            # The next stage requires the role: a deal that is ready to move has somebody in it.
            random.choice(self.people.solution) if helped or deal.ready else None,
            random.choice(self.people.delivery) if helped else None,
            json.dumps(custom, ensure_ascii=False),
            deal.entered[0],
            deal.entered[-1],
            won,
        )

    def _event(
        self,
        deal: _Deal,
        kind: str,
        at: datetime | None,
        *,
        before: str = "",
        to: str = "",
        reason: str = "",
        data: str = "{}",
        payload: str = "",
    ) -> None:
        assert at is not None
        self.event_id += 1
        self.tables.event.add(
            self.event_id,
            kind,
            deal.id,
            deal.id,
            deal.owner,
            at,
            at,
            at.date(),
            before,
            to,
            reason,
            data,
            _digest(payload) if payload else "",
        )
        if payload:
            self.tables.detail.add(self.event_id, payload)


@lru_cache(maxsize=4096)
def _digest(payload: str) -> str:
    """As the journal digests a detail, so that its chain holds here too."""
    from fairlead.journal.services import detail_digest

    from .tables import SALT

    return detail_digest(SALT, json.loads(payload), "")


class _Deal:
    """What the tables of one deal share while it is written."""

    def __init__(self, pk: int, owner: int, team: int) -> None:
        self.id, self.owner, self.team = pk, owner, team
        self.amount = self.account = 0
        self.contacts: list[int] = []
        self.path: list[int] = []
        self.entered: list[datetime] = []
        self.closed: datetime | None = None
        self.close_date: Any = None
        self.ready = False
        self.reason = self.outcome = ""
        self.next: tuple[datetime | None, str, str] = (None, "", "")


def _stage_of(rank: int) -> int:
    for place, count in enumerate(OPEN_BY_STAGE):
        if rank < count:
            return place
        rank -= count
    raise ValueError(rank)


if __name__ == "__main__":
    main()
