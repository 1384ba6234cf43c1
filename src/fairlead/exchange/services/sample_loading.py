"""The job that loads the sample data: short transactions through the services of the rooms, as an import does it.

What lies in the past is journaled with its own instant and with the instant of loading as the one at which it was
written down: the journal tells no tale of having known it earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.translation import override

from fairlead.crm.models import ContactRole
from fairlead.crm.rooms import sync_next_steps
from fairlead.crm.services import NewRecord, create_many
from fairlead.crm.services.many import place_contacts
from fairlead.exchange.enums import SampleState
from fairlead.exchange.fairness import Pace
from fairlead.exchange.models import SampleData
from fairlead.exchange.samples.plan import DEALS, Deal, Plan
from fairlead.fields.catalogue import catalogue
from fairlead.journal.enums import Channel, Fidelity
from fairlead.organisation.models import Organisation, User
from fairlead.process.definitions import definition_of
from fairlead.process.services import NewJourney, Step, facts_change
from fairlead.process.services.rebuilding import refold_clocks
from fairlead.process.services.starting import published_version
from fairlead.work.enums import ActivityOutcome
from fairlead.work.models import Activity, Comment, Task
from fairlead.work.services.many import comment_many, complete_many, log_many, task_many
from fairlead.work.services.notifications import untold

from .samples import claim, finish, journal, one_step
from .working import ClaimLost, clock

CHANNEL: Final = Channel.SYSTEM
AT_ONCE: Final = 5
KNOWN_FOR: Final = timedelta(days=420)  # accounts were there before their first deal


def load() -> None:
    """The job. Bears a second run: what is done is counted in the transaction that did it."""
    row = claim(SampleState.LOADING, at=clock())
    if row is None:
        return
    pace = Pace()
    try:
        with override(row.basis["language"]), untold():
            loader = Loader(row)
            steps = loader.steps()
            SampleData.objects.filter(pk=1, runner=row.runner).update(steps_total=len(steps))
            for step in steps[row.steps_done :]:
                with pace.turn(), transaction.atomic():
                    step()
                    one_step(row, at=clock(), made=row.made)
            with transaction.atomic():
                _close(row)
    except ClaimLost:
        return


def _close(row: SampleData) -> None:
    at = clock()
    finish(row, SampleState.LOADED, at=at)
    journal(
        "sample_loaded",
        by_id=row.begun_by_id,
        at=at,
        channel=CHANNEL,
        data={"number": row.number, **{kind: len(ids) for kind, ids in row.made.items()}},
    )


class Loader:
    """Writes one load. Every record is a sample from the moment it is there."""

    def __init__(self, row: SampleData) -> None:
        assert row.begun_at is not None
        self.row, self.as_of = row, row.begun_at
        people = {u.pk: u for u in User.objects.select_related("team").filter(pk__in=row.basis["people"])}
        self.owners: list[User] = [people[pk] for pk in row.basis["people"] if pk in people]
        self.version = published_version(row.basis["process"])
        self.plan = Plan(
            seed=row.number,
            definition=definition_of(self.version),
            as_of=self.as_of,
            zone=Organisation.objects.current().tz,
            language=row.basis["language"],
            owners=len(self.owners),
        )

    def steps(self) -> list[Callable[[], None]]:
        """The transactions of a load, in their order."""

        def deals(first: int) -> Callable[[], None]:
            return lambda: self._deals(range(first, min(first + AT_ONCE, DEALS)))

        return [self._market, self._contacts, *(deals(first) for first in range(0, DEALS, AT_ONCE))]

    def _create(self, kind: str, wanted: Sequence[NewRecord]) -> Sequence[Any]:
        made = create_many(
            kind, wanted, by=None, at=self.as_of, channel=CHANNEL, process_key=self.row.basis["process"],
            check_references=False,
        )  # fmt: skip
        self.row.made.setdefault(kind, []).extend(r.pk for r in made)
        return made

    def _new(self, values: Any, owner: User, created_at: datetime, **more: Any) -> NewRecord:
        return NewRecord(
            values=values, owner=owner, acted_by=owner, is_sample=True, created_at=created_at, **more
        )

    def _market(self) -> None:
        known = self.as_of - KNOWN_FOR
        self._create("segment", [self._new(v, self.owners[0], known) for v in self.plan.segments()])
        segments = self.row.made["segment"]
        self._create(
            "account",
            [
                self._new({**values, "segment": segments[values["segment"]]}, self._owner_of(place), known)
                for place, values in enumerate(self.plan.accounts())
            ],
        )

    def _owner_of(self, account: int) -> User:
        return self.owners[self.plan.owner_of_account(account)]

    def _contacts(self) -> None:
        accounts = self.row.made["account"]
        self._create(
            "contact",
            [
                self._new(
                    {**values, "account": accounts[values["account"]]},
                    self._owner_of(values["account"]),
                    self.as_of - KNOWN_FOR,
                )
                for values in self.plan.contacts()
            ],
        )

    # --- deals ---

    def _deals(self, places: Sequence[int]) -> None:
        known = [spec.key for spec in catalogue("opportunity")]
        deals = [self.plan.deal(place) for place in places]
        rows = self._create(
            "opportunity",
            [
                self._new(
                    {
                        **deal.values,
                        **self.plan.custom_values(place, known),
                        "account": self.row.made["account"][deal.account],
                    },
                    self.owners[deal.owner],
                    deal.steps[0][1],
                    journey=self._journey(deal),
                )
                for place, deal in zip(places, deals, strict=True)
            ],
        )
        ids = [row.pk for row in rows]
        with facts_change("opportunity", ids, at=self.as_of):
            self._work(rows, deals)
            self._place(rows, deals)
            sync_next_steps("opportunity", ids)
        refold_clocks({row.journey_id for row in rows})

    def _journey(self, deal: Deal) -> NewJourney:
        return NewJourney(
            subject_type="opportunity",
            subject_id=0,
            process_key=self.row.basis["process"],
            opened_at=deal.steps[0][1],
            steps=tuple(Step(key, at) for key, at in deal.steps),
            outcome=deal.outcome,
            closed_at=deal.closed_at,
            reason=deal.reason,
            fidelity=Fidelity.FULL,
        )

    def _contacts_of(self, deal: Deal) -> list[tuple[int, str]]:
        return [
            (self.row.made["contact"][place], role) for place, role in self.plan.contacts_of(deal.account)
        ]

    def _work(self, rows: Sequence[Any], deals: Sequence[Deal]) -> None:
        activities: list[Activity] = []
        tasks: list[tuple[Task, bool]] = []
        comments: list[Comment] = []
        for row, deal in zip(rows, deals, strict=True):
            about: dict[str, Any] = {"subject_type": "opportunity", "subject_id": row.pk}
            owner, met = self.owners[deal.owner], sorted(pk for pk, _role in self._contacts_of(deal))
            for talk in deal.talks:
                activities.append(
                    Activity(
                        **about, kind=talk.kind, summary=talk.summary, done_at=talk.at, contact_ids=met,
                        outcome=ActivityOutcome.TALKED, owner=owner, recorded_at=self.as_of,
                    )
                )  # fmt: skip
            if deal.next_step is not None:
                activities.append(
                    Activity(
                        **about, kind=deal.next_step.kind, summary=deal.next_step.summary,
                        due_at=deal.next_step.at, contact_ids=met, owner=owner, recorded_at=self.as_of,
                    )
                )  # fmt: skip
            for title, due, done in deal.tasks:
                task = Task(
                    **about,
                    title=title,
                    assignee=owner,
                    due_date=due,
                    created_by=owner,
                    created_at=self.as_of,
                )
                tasks.append((task, done))
            comments += [Comment(**about, text=text, by=owner, at=at) for text, at in deal.comments]
        log_many(activities, channel=CHANNEL)
        task_many([task for task, _done in tasks], channel=CHANNEL)
        over = [task for task, done in tasks if done]
        complete_many(over, by={t.pk: t.assignee for t in over}, at=self.as_of, channel=CHANNEL)
        comment_many(comments, recorded_at=self.as_of, channel=CHANNEL)

    def _place(self, rows: Sequence[Any], deals: Sequence[Deal]) -> None:
        roles, by = [], {}
        for row, deal in zip(rows, deals, strict=True):
            by[row.pk] = self.owners[deal.owner]
            for n, (contact, role) in enumerate(self._contacts_of(deal)):
                roles.append(
                    ContactRole(
                        opportunity_id=row.pk,
                        contact_id=contact,
                        role=role,
                        stance=(1, 0, 2, -1)[(row.pk + n) % 4],
                        influence=(3, 4, 5)[(row.pk + n) % 3],
                        depth=1 + (row.pk + n) % 3,
                        recorded_at=deal.talks[0].at,
                    )
                )
        place_contacts(roles, by=by, channel=CHANNEL)
