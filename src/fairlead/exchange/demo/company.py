"""The whole demo company, from the founding to the last morning."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any

from django.db import connection, transaction

from fairlead.common.bulk import refresh_statistics
from fairlead.common.questions import Question
from fairlead.crm.services import NewRecord, create_many
from fairlead.fields.catalogue import forget as forget_fields
from fairlead.journal.enums import Channel
from fairlead.journal.services import salts_from
from fairlead.offers.models import Contract
from fairlead.organisation.enums import Role
from fairlead.organisation.models import Organisation
from fairlead.organisation.services import change_organisation
from fairlead.process.definitions import forget as forget_definitions
from fairlead.process.enums import Mode
from fairlead.process.models import Journey, ProcessVersion
from fairlead.process.services import NewJourney, publish
from fairlead.process.services.budget import rules
from fairlead.process.services.evidence import judged_later
from fairlead.process.services.overrides import set_rules
from fairlead.process.services.shipping import shipped
from fairlead.process.services.snapshots import take_snapshot
from fairlead.work.services.notifications import untold

from ..fairness import Pace
from . import market, names
from .accounts import Care, Development, Research
from .approvals import Desk
from .clock import EVENING, MIDNIGHT, MORNING, at
from .day import CHANNEL, Day
from .deals import Deal
from .finishing import clear_forgotten_tasks, look_at_gates, plan_next_steps, wind_clocks
from .fulfilment import Fulfilment
from .methods import work_by_the_book
from .people import found_company
from .second_version import PROCESS, SecondVersion
from .simulation import Simulation
from .team_life import TeamLife
from .truths import DAYS, Dates

ACCOUNTS, OPPORTUNITIES = 2500, 6000
WAIVERS_A_MANAGER = 60  # running at once: a branch of 1,500 deals lives with more than the usual budget
NEWS_DAYS = 3  # what happened before is news to nobody on the last morning
SNAPSHOTS_DAILY = 120  # the last days have one each; before, one a week
DEFAULT_PROCESSES = {
    "segment": "market_research",
    "account": "account_development",
    "opportunity": "key_account_opportunity",
    "contract": "contract_fulfilment",
}
CHAIN = (
    "market_research",
    "account_development",
    "key_account_opportunity",
    "contract_fulfilment",
    "care_cycle",
)

_fulfilled: Question[tuple[Any, ...]] = Question(
    lambda deals: (
        Contract.objects.filter(opportunity__in=deals, journey__isnull=False)
        .order_by("pk")
        .values_list("pk", "opportunity_id", "journey_id")
    ),
    lists=("deals",),
)

Report = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True, slots=True)
class Size:
    accounts: int
    opportunities: int

    @classmethod
    def of(cls, scale: float) -> Size:
        return cls(max(40, round(ACCOUNTS * scale)), max(20, round(OPPORTUNITIES * scale)))


class Company:
    """Builds the demo. `report` is told how far it has come."""

    def __init__(self, *, seed: int, until: date, scale: float, report: Report) -> None:
        self.seed, self.dates, self.size, self.report = seed, Dates(until), Size.of(scale), report
        self.rng = Random(f"{seed}/company")  # noqa: S311
        self.pace = Pace(keeps_commits=True)  # see `relax_durability`
        self.deals: list[Deal] = []
        self.cared: set[int] = set()
        self.customers: dict[int, list[market.Customer]] = defaultdict(list)  # by seller

    def build(self) -> None:
        with salts_from(self.seed), rare_collections():
            self.report("founding", 0, DAYS)
            self._found()
            self._fill_agenda()
            self._live()
            plan_next_steps(self.sim, self.deals)
            clear_forgotten_tasks(self.sim, self.deals)
            with judged_later():  # `look_at_gates` does so at once
                work_by_the_book(self.sim, self.deals)
            look_at_gates(self.sim, lambda done, total: self.report("gates", done, total))
            wind_clocks(self.sim, lambda done, total: self.report("gates", done, total))

    # --- before the first day ---

    def _found(self) -> None:
        start = at(self.dates.start, MORNING) - timedelta(days=3)
        Organisation.objects.get_or_create(pk=1)
        with transaction.atomic():
            staff = found_company(start)
            for document in chain_documents():
                publish(document, by=None, at=start, channel=Channel.SYSTEM, mode=Mode.ENFORCED)
            change_organisation(
                by=None, at=start, channel=Channel.SYSTEM, default_processes=DEFAULT_PROCESSES
            )
        forget_fields()
        forget_definitions()
        self.sim = Simulation(seed=self.seed, dates=self.dates, staff=staff, pace=self.pace)
        self.sim.desk = Desk(self.sim)
        self.second_version = SecondVersion(self.sim)
        set_rules(
            budget=round(WAIVERS_A_MANAGER * max(1.0, self.size.opportunities / OPPORTUNITIES)),
            review_percent=30,
            version=rules().version,
            by=self.sim.desk.people[staff.by_role[Role.PROCESS_OWNER].pk],
            at=start,
            channel=Channel.SYSTEM,
        )
        with transaction.atomic():
            self.products = market.make_products()
            self.segments = market.make_segments(staff, start, self.rng)
        wanted = market.plan_accounts(self.size.accounts, staff, [s.pk for s in self.segments], self.rng)
        known = round(len(wanted) * market.KNOWN_SHARE)
        for first in range(0, known, 250):
            with self.pace.turn(), transaction.atomic():
                self._take_on(
                    market.open_accounts(
                        wanted[first : min(first + 250, known)],
                        at=start,
                        rng=self.rng,
                        known=True,
                        first_id=first * 10,
                    )
                )
            self.report("accounts", min(first + 250, known), known)
        self.coming = wanted[known:]

    def _take_on(self, customers: list[market.Customer]) -> None:
        for customer in customers:
            self.customers[customer.owner.pk].append(customer)

    def _fill_agenda(self) -> None:
        sim, rng, dates = self.sim, self.rng, self.dates
        for n, segment in enumerate(self.segments):
            research = Research(sim, segment.pk, list(sim.staff.branches.values())[n % 4].manager)
            sim.on(dates.start + timedelta(days=5 + 70 * n), research.start, daily=False)
        months = [dates.start + timedelta(days=30 * n + 4) for n in range(24)]
        share = -(-len(self.coming) // len(months))
        for n, day in enumerate(months):
            chunk = self.coming[n * share : (n + 1) * share]
            if chunk:
                sim.on(day, partial(self._open, chunk), daily=False)
        regulars = [c for own in self.customers.values() for c in own if c.is_known]
        for customer in regulars[: max(6, len(regulars) // 12)]:
            self._care_for(customer, dates.start + timedelta(days=rng.randint(2, 90)))
        by_day: dict[date, int] = defaultdict(int)
        for day in market.arrivals(
            self.size.opportunities, dates.start, dates.until, sim.workdays.is_worked, rng
        ):
            by_day[day] += 1
        self.arriving = by_day

    def _care_for(self, customer: market.Customer, day: date) -> None:
        if customer.id not in self.cared:
            self.cared.add(customer.id)
            self.sim.on(day, Care(self.sim, customer).start, daily=False)

    def _open(self, chunk: list[market.Wanted], today: Day) -> None:
        customers = market.open_accounts(
            chunk, at=today.at, rng=self.rng, known=False, first_id=500_000 + today.date.toordinal() * 1000
        )
        self._take_on(customers)
        for customer in customers:
            Development(self.sim, customer).start(today)

    # --- day by day ---

    def _live(self) -> None:
        day, last, done = self.dates.start, self.dates.until, 0
        while day < last:
            with untold() if (last - day).days > NEWS_DAYS else nullcontext():
                if self.second_version.on_day(day):
                    self._go_by_the_second_version()
                self.sim.run_hours(at(day, EVENING))
            if self.sim.workdays.is_writing_day(day):
                with self.sim.writing() if self.sim.is_short(day) else nullcontext():
                    self._create_deals(day)
                    self.sim.run_day(day)
                    self._follow_wins(day)
            if (last - day).days <= SNAPSHOTS_DAILY or done % 7 == 6:
                with self.pace.turn():
                    take_snapshot(day, at=at(day, MIDNIGHT))
            day, done = day + timedelta(days=1), done + 1
            if done % 60 == 10:
                refresh_statistics()
            self.report("days", done, DAYS)

    def _go_by_the_second_version(self) -> None:
        """From now on new deals, and those that were moved over, ask for approvals."""
        sim = self.sim
        sim.has_second = True
        sim.versions = {v.pk: v for v in ProcessVersion.objects.select_related("process").defer("document")}
        moved = set(
            Journey.objects.of_process(PROCESS).filter(process_version__number=2).values_list("pk", flat=True)
        )
        for deal in self.deals:
            deal.second = deal.journey_id in moved
        relax_durability()  # the migration leaves the connection as a server has it
        TeamLife(sim, self.deals).plan()

    def _create_deals(self, day: date) -> None:
        rng, sim, today = self.rng, self.sim, self.sim.today(day)
        sellers = sim.staff.sellers
        deals: list[Deal] = []
        records = []
        for came in [d for d in sorted(today.worked) for _n in range(self.arriving.get(d, 0))]:
            seller = rng.choice(sellers)
            customer = rng.choice(self.customers[seller.pk])
            product, price = rng.choice(self.products)
            amount = Decimal(round(price * rng.lognormvariate(0.0, 0.5) / 1000)) * 1000
            tender = rng.random() < 0.3
            deal = Deal(sim, len(self.deals) + len(deals), customer, customer.branch, amount, tender)
            deals.append(deal)
            values = {
                "name": f"{customer.short}{product.name}{rng.choice(names.NEEDS)}",
                "account": customer.id,
                "product": product.pk,
                "amount": amount,
                "is_tender": tender,
                "source": rng.choice(market.SOURCES),
                "deal_type": "expansion" if customer.is_known and rng.random() < 0.6 else "new",
                "expected_close_date": day + timedelta(days=round(60 + rng.random() * 120)),
            }
            if rng.random() < 0.3:
                values |= {"sr": customer.branch.solution.pk, "fr": customer.branch.delivery.pk}
            created = at(came, MORNING) + timedelta(minutes=rng.randrange(30, 590))
            records.append(
                NewRecord(
                    values=values,
                    owner=seller,
                    acted_by=seller,
                    is_sample=True,
                    created_at=created,
                    journey=NewJourney(
                        subject_type="opportunity",
                        subject_id=0,
                        opened_at=created,
                        from_subject=("account", customer.id, "opened"),
                    ),
                )
            )
        if not records:
            return
        with self.sim.writing():
            rows = create_many(
                "opportunity",
                records,
                by=None,
                at=today.at,
                channel=CHANNEL,
                refresh=False,
                check_references=False,
            )
        for deal, row in zip(deals, rows, strict=True):
            deal.begin(row.journey_id, row.pk, row.journey.entered_at, row.journey.stage.key, today)
        self.deals.extend(deals)

    def _follow_wins(self, day: date) -> None:
        """A won deal's contract has set out on its own journey; the good customers are cared for."""
        won, self.sim.won = self.sim.won, []
        if not won:
            return
        today = self.sim.today(day)
        by_deal = {deal.subject_id: deal for deal in won}
        for pk, opportunity, journey in _fulfilled(by_deal):
            Fulfilment(self.sim, by_deal[opportunity], pk, journey).begin(today)
        for deal in won:
            deal.customer.is_known = True
            if deal.customer.tier == "key":
                self._care_for(deal.customer, day + timedelta(days=90))


def chain_documents() -> list[Any]:
    """The processes of the eight-stage chain as the product ships them."""
    return [shipped(key) for key in CHAIN]


@contextmanager
def rare_collections() -> Iterator[None]:
    """Nearly everything here lives to the end: looking for rubbish among it is a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def relax_durability() -> None:
    """A demo that is cut off is built again: it need not wait for the disk after each day."""
    if connection.in_atomic_block:  # a test's
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.execute("PRAGMA wal_autocheckpoint=20000")
            cursor.execute("PRAGMA cache_size=-65536")
        else:
            cursor.execute("SET synchronous_commit TO off")
