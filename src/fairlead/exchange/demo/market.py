"""Products, segments, accounts and contacts: whom the company sells to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from fairlead.common import bulk
from fairlead.crm.models import Product
from fairlead.crm.services import NewRecord, create_many
from fairlead.journal.enums import Channel
from fairlead.organisation.enums import Role

from . import names
from .people import Branch, Staff

SOURCES = ("target_list", "referral", "exhibition", "web", "existing", "tender")
KNOWN_SHARE = 0.8  # of the accounts are on file when the simulated time begins


@dataclass(slots=True)
class Customer:
    """An account as the simulator knows it. `contacts`: ids with their departments."""

    id: int
    owner: Any
    branch: Branch
    short: str
    tier: str
    segment: int
    is_known: bool  # bought before the simulated time
    contacts: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account that will be opened: its values, and who gets it."""

    values: dict[str, Any]
    owner: Any
    branch: Branch


def make_products() -> list[tuple[Product, int]]:
    rows = [
        Product(name=name, code=f"LT-{n:03d}", series=series, list_price=price, is_sample=True)
        for n, (name, series, price) in enumerate(names.PRODUCTS, start=1)
    ]
    bulk.insert(rows)
    return [(row, price) for row, (_n, _s, price) in zip(rows, names.PRODUCTS, strict=True)]


def make_segments(staff: Staff, at: datetime, rng: Random) -> list[Any]:
    owner = staff.by_role[Role.MKT]
    return create_many(
        "segment",
        [
            NewRecord(
                values={
                    "name": name,
                    "market_size": rng.randint(8, 90) * 100_000_000,
                    "growth": rng.randint(-3, 22),
                },
                owner=owner,
                is_sample=True,
                acted_by=owner,
            )
            for name in names.SEGMENTS
        ],
        by=None,
        at=at,
        channel=Channel.SYSTEM,
        check_references=False,
    )


def plan_accounts(count: int, staff: Staff, segments: list[int], rng: Random) -> list[Wanted]:
    """`count` accounts with names that occur once, shared out evenly among the sellers."""
    sellers = staff.sellers
    seen: set[str] = set()
    found: list[Wanted] = []
    while len(found) < count:
        owner = sellers[len(found) % len(sellers)]
        branch = staff.branch_of[owner.pk]
        city, (trade, industry) = rng.choice(names.CITIES[branch.key]), rng.choice(names.INDUSTRIES)
        short = f"{city}{names.root(rng)}"
        name = f"{short}{trade}{rng.choice(names.SUFFIXES)}"
        if name in seen:
            name = f"{short}{rng.choice('东西南北新中')}{trade}{rng.choice(names.SUFFIXES)}"
        if name in seen:
            continue
        seen.add(name)
        employees = round(10 ** rng.uniform(1.6, 3.8))
        tier = "key" if employees > 3000 else rng.choices("ABC", (2, 4, 5))[0]
        found.append(
            Wanted(
                {
                    "name": name,
                    "short_name": short,
                    "industry": industry,
                    "tier": tier,
                    "region": names.REGIONS[branch.key],
                    "city": city,
                    "employees": employees,
                    "annual_revenue": employees * rng.randint(30, 120) * 10_000,
                    "segment": segments[rng.randrange(len(segments))],
                    "source": rng.choice(SOURCES),
                    # 990000 is no district: such a code belongs to nobody.
                    **({"uscc": f"91990000DEMO{len(found):05d}X"} if rng.random() < 0.7 else {}),
                },
                owner,
                branch,
            )
        )
    return found


def open_accounts(
    wanted: list[Wanted], *, at: datetime, rng: Random, known: bool, first_id: int
) -> list[Customer]:
    """Create accounts with their contacts; those that were `known` carry the date of long ago."""
    records, customers = [], []
    for new in wanted:
        created = at - timedelta(days=rng.randint(30, 1500)) if known else at
        is_customer = known and rng.random() < 0.3
        records.append(
            NewRecord(
                values=new.values | {"is_customer": is_customer},
                owner=new.owner,
                acted_by=new.owner,
                is_sample=True,
                created_at=created,
            )
        )
        customers.append(
            Customer(
                0,
                new.owner,
                new.branch,
                new.values["short_name"],
                new.values["tier"],
                new.values["segment"],
                is_customer,
            )
        )
    rows = create_many("account", records, by=None, at=at, channel=Channel.SYSTEM, check_references=False)
    people: list[NewRecord] = []
    places: list[tuple[Customer, str]] = []
    for row, customer, opened in zip(rows, customers, records, strict=True):
        customer.id = row.pk
        departments = [*rng.sample(names.DEPARTMENTS[:4], rng.choice((1, 2, 2))), names.DEPARTMENTS[4]]
        for n, (department, title) in enumerate(departments):
            people.append(
                NewRecord(
                    values={
                        "name": names.person(rng),
                        "account": row.pk,
                        "department": department,
                        "title": title,
                        "email": f"contact{first_id + len(people)}@example.com",
                    }
                    if n or rng.random() < 0.8
                    else {
                        "name": names.person(rng),
                        "account": row.pk,
                        "department": department,
                        "title": title,
                    },
                    owner=opened.owner,
                    acted_by=opened.owner,
                    is_sample=True,
                    created_at=opened.created_at,
                )
            )
            places.append((customer, department))
    made = create_many("contact", people, by=None, at=at, channel=Channel.SYSTEM, check_references=False)
    for contact, (customer, department) in zip(made, places, strict=True):
        customer.contacts.append((contact.pk, department))
    return customers


def arrivals(count: int, first: date, last: date, is_worked: Any, rng: Random) -> list[date]:
    """The days on which deals come in: working days, half as many again at the end, fewer in winter."""
    days = [day for n in range((last - first).days) if is_worked(day := first + timedelta(days=n))]
    span = max((last - first).days, 1)
    weights = [(1 + 0.5 * (day - first).days / span) * (0.75 if day.month in (1, 2) else 1.0) for day in days]
    return sorted(rng.choices(days, weights, k=count))
