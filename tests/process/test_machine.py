"""T15: random work on real rows through the real services; what must hold holds after every step."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.factories import crm as factory
from tests.factories.approvals import approving
from tests.process.machine_acts import Approvals, Merging, Versions

from fairlead.common.refusals import Refusal
from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event
from fairlead.offers import services as offers
from fairlead.offers.models import Contract
from fairlead.process import fold
from fairlead.process import services as process
from fairlead.process.definitions import definition_of
from fairlead.process.enums import FORWARD, Kind
from fairlead.process.models import Attestation, Evaluation, Journey, ProcessVersion, Visit
from fairlead.process.services import ledger
from fairlead.process.services.rebuilding import differences, folded
from fairlead.process.services.sweeping import sweep
from fairlead.process.verdicts import Wish
from fairlead.work import services as work
from fairlead.work.models import File

STAGE = st.sampled_from(factory.STAGES)
PERSON = st.sampled_from(["zhou", "lin", "chen", "he", "sun", "admin", "tang", "qi", "fang"])
PICK = st.integers(0, 10**6)
#: One for all examples: the company that each begins with is written once.
BEGINNING = timezone.now() - timedelta(days=300)


def grouped(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """Rows by their journey, in the order in which they come."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.journey_id].append(row)
    return found


class Deals(Approvals, Versions, Merging, RuleBasedStateMachine):
    """A few deals of one company, worked by nine people whose rights differ; its process asks for approvals."""

    moves: Counter[tuple[str, bool]] = Counter()
    did: Counter[str] = Counter()
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.now = BEGINNING
        self.where = approving(factory.company(at=self.now))
        self.deals: list[int] = []
        self.pinned: dict[int, int] = {}
        self.checked: set[int] = set()
        self.looked: dict[str, int] = {}

    def teardown(self) -> None:
        self.moves.update(Evaluation.objects.values_list("kind", "allowed"))
        try:
            assert not list(differences())  # clocks too, and every journey of the company
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    @initialize(stages=st.lists(STAGE, min_size=3, max_size=3))
    def begin(self, stages: list[str]) -> None:
        self.create(imported=False)
        for stage in stages:
            self.create(imported=True, stage=stage)

    def how(self, who: str):
        return {"by": self.where.people[who], "at": self.now, "channel": "ui"}

    def deal(self, pick: int) -> Opportunity:
        return Opportunity.objects.get(pk=self.deals[pick % len(self.deals)])

    def deal_that(self, pick: int, **stands: str) -> int:
        """The pick of a deal that stands so where there is one, lest a rule try only what cannot be."""
        rows = Journey.objects.filter(subject_id__in=self.deals, subject_type="opportunity", **stands)
        fitting = sorted(rows.values_list("subject_id", flat=True))
        return self.deals.index(fitting[pick % len(fitting)]) if fitting else pick

    def attempt(self, act, name: str = "") -> None:
        """A refusal is a fine answer; anything else raised is a bug."""
        try:
            act()
        except Refusal:
            return
        self.did[name] += 1

    @precondition(lambda self: len(self.deals) < 5)
    @rule(imported=st.booleans(), stage=STAGE)
    def create(self, imported: bool, stage: str = "customer_contact") -> None:
        if imported:
            row = self.where.deal(stage=stage, at=self.now)
        else:
            row = crm.create(
                "opportunity",
                {"name": "新商机", "amount": 500_000, "account": self.where.account().pk},
                process_key=factory.PROCESS,
                **self.how("zhou"),
            )
        self.deals.append(row.pk)
        self.pinned[row.pk] = Opportunity.objects.get(pk=row.pk).journey.process_version_id

    @rule(days=st.integers(0, 40))
    def clock_jumps(self, days: int) -> None:
        self.now += timedelta(days=days, minutes=7)
        process.refresh_due_gates(at=self.now)
        sweep(at=self.now)

    @rule(pick=PICK, item=PICK)
    def settle_an_item(self, pick: int, item: int) -> None:
        deal = self.deal(pick)
        required = factory._REQUIRED[self.where.journey(deal).stage.key]
        if required:
            key = sorted(required)[item % len(required)]
            self.attempt(lambda: required[key](self.where, deal, self.now))

    @rule(pick=PICK)
    def settle_everything(self, pick: int) -> None:
        self.attempt(lambda: self.where.fulfil(self.deal(pick), at=self.now))
        deal = self.deal(pick)
        if not deal.description:  # what later versions ask for
            self.attempt(
                lambda: crm.edit(
                    "opportunity",
                    deal.pk,
                    {"description": "产线 3 停机"},
                    version=deal.version,
                    **self.how("zhou"),
                )
            )

    @rule(
        pick=PICK,
        who=PERSON,
        amount=st.one_of(st.none(), st.integers(0, 10**7)),
        text=st.sampled_from(["待定", "西门子", None]),
        discount=st.sampled_from([0, 5, 8, 10, 12, 20]),
    )
    def edit(self, pick: int, who: str, amount: int | None, text: str | None, discount: int) -> None:
        deal = self.deal(pick)
        self.attempt(
            lambda: crm.edit(
                "opportunity",
                deal.pk,
                {"amount": amount, "competitor": text, "discount": discount, "margin": 30},
                version=deal.version,
                **self.how(who),
            )
        )

    @rule(pick=PICK, which=PICK)
    def withdraw_a_file(self, pick: int, which: int) -> None:
        files = list(
            File.objects.filter(subject_type="opportunity", subject_id=self.deal(pick).pk, withdrawn_at=None)
        )
        if files:
            self.attempt(lambda: work.withdraw_file(files[which % len(files)].pk, **self.how("zhou")))

    @rule(pick=PICK, which=PICK, who=PERSON)
    def withdraw_a_word(self, pick: int, which: int, who: str) -> None:
        words = list(Attestation.objects.filter(journey=self.deal(pick).journey_id, withdrawn_at=None))
        if words:
            self.attempt(lambda: process.withdraw_attestation(words[which % len(words)].pk, **self.how(who)))

    @rule(pick=PICK, who=PERSON, which=PICK, days=st.integers(1, 60))
    def waive(self, pick: int, who: str, which: int, days: int) -> None:
        deal = self.deal(pick)
        keys = [c.key for _s, _side, c in definition_of(deal.journey.process_version).criteria()]
        self.attempt(
            lambda: process.grant_waiver(
                deal.journey_id,
                criterion_key=keys[which % len(keys)],
                reason_code="time_first",
                text="客户要求本周定标，补件随后",
                expires_at=self.now + timedelta(days=days),
                **self.how(who),
            )
        )

    def reasons(self, name: str) -> list[str]:
        return [r["key"] for r in self.where.version.document["lists"][name]]

    @rule(pick=PICK, who=PERSON, kind=st.sampled_from(list(Kind)), to=STAGE, reason=PICK)
    def move(self, pick: int, who: str, kind: Kind, to: str, reason: int) -> None:
        self._move(pick, who, kind, to, reason)

    @rule(pick=PICK)
    def go_on(self, pick: int) -> None:
        deal = self.deal(pick)
        following = definition_of(deal.journey.process_version).next_stage(deal.journey.stage.key)
        if following is None:
            self._move(pick, "zhou", Kind.CLOSE_WON, "", 0)
        else:
            self._move(pick, "zhou", Kind.ADVANCE, following.key, 0)

    @rule(pick=PICK, stages=st.integers(1, 3))
    def settle_and_go_on(self, pick: int, stages: int) -> None:
        for _ in range(stages):
            self.settle_everything(pick)
            self.approve_all(pick)
            self.sign(pick)
            self.go_on(pick)

    @rule(pick=PICK, to=STAGE, reason=PICK)
    def go_back(self, pick: int, to: str, reason: int) -> None:
        self._move(pick, "chen", Kind.REGRESS, to, reason)

    @rule(pick=PICK, kind=st.sampled_from([Kind.CLOSE_LOST, Kind.HOLD, Kind.RESUME]), reason=PICK)
    def lose_hold_or_resume(self, pick: int, kind: Kind, reason: int) -> None:
        if kind == Kind.RESUME:
            pick = self.deal_that(pick, state="on_hold")
        self._move(pick, "chen", kind, "", reason)

    @rule(pick=PICK, reason=PICK)
    def skip_ahead(self, pick: int, reason: int) -> None:
        pick = self.deal_that(pick, state="open", stage__key="customer_contact")
        deal = self.deal(pick)
        self.attempt(
            lambda: factory._REQUIRED["customer_contact"]["problem_stated"](self.where, deal, self.now)
        )
        self.attempt(
            lambda: factory._REQUIRED["solution_design"]["fr_deliverability"](self.where, deal, self.now)
        )
        self._move(pick, "chen", Kind.SKIP, "quote_negotiation", reason)

    @rule(pick=PICK, reason=PICK, days=st.integers(0, 30))
    def rest_for_a_while(self, pick: int, reason: int, days: int) -> None:
        pick = self.deal_that(pick, state="open")
        self._move(pick, "chen", Kind.HOLD, "", reason)
        self.clock_jumps(days)
        self._move(pick, "chen", Kind.RESUME, "", 0)

    @rule(pick=PICK, reason=PICK, days=st.integers(0, 30))
    def lose_and_win_back(self, pick: int, reason: int, days: int) -> None:
        pick = self.deal_that(pick, state="open")
        stage = self.deal(pick).journey.stage.key
        self._move(pick, "chen", Kind.CLOSE_LOST, "", reason)
        self.clock_jumps(days)
        self._move(pick, "chen", Kind.REOPEN, stage, 0)

    @rule(pick=PICK, to=STAGE, who=st.sampled_from(["chen", "tang", "fang"]))
    def reopen(self, pick: int, to: str, who: str) -> None:
        closed = self.deal_that(pick, state="won" if who == "fang" else "lost")
        self._move(closed, who, Kind.REOPEN, to, 0)

    def _move(self, pick: int, who: str, kind: Kind, to: str, reason: int) -> None:
        lists = {
            Kind.REGRESS: "regress",
            Kind.SKIP: "skip",
            Kind.CLOSE_LOST: "lost",
            Kind.HOLD: "hold",
            Kind.CLOSE_WON: "win",
        }
        keys = self.reasons(lists[kind]) if kind in lists else [""]
        form = {
            Kind.HOLD: {"resume_date": (self.now + timedelta(days=20)).date().isoformat()},
            Kind.CLOSE_LOST: {"competitor": "东方自控"},
        }.get(kind, {})
        wish = Wish(
            kind=kind,
            to="" if kind in (Kind.CLOSE_LOST, Kind.CLOSE_WON, Kind.HOLD, Kind.RESUME) else to,
            reason=keys[reason % len(keys)],
            comment="说明",
            form=form,
        )
        self.attempt(lambda: process.move(self.deal(pick).journey_id, wish, **self.how(who)))

    @rule(pick=PICK, who=PERSON)
    def reassign(self, pick: int, who: str) -> None:
        deal = self.deal(pick)
        self.attempt(
            lambda: crm.reassign(
                "opportunity", deal.pk, owner=self.where.people[who], version=deal.version, **self.how("chen")
            )
        )

    @rule(pick=PICK)
    def sign(self, pick: int) -> None:
        deal = self.deal(pick)
        if deal.amount is not None and not Contract.objects.filter(opportunity=deal).exists():
            day = self.now.date()
            self.attempt(
                lambda: offers.create_contract(
                    deal.pk,
                    number=f"HT-{deal.pk}",
                    amount=deal.amount,
                    currency=deal.currency,
                    signed_date=day,
                    countersigned_date=day,
                    **self.how("admin"),
                )
            )

    @property
    def definitions(self):
        return {
            v.number: definition_of(v)
            for v in ProcessVersion.objects.filter(process=self.where.version.process)
        }

    def journeys(self, *related: str) -> list[Journey]:
        rows = Journey.objects.filter(subject_id__in=self.deals, subject_type="opportunity")
        return list(rows.select_related(*related) if related else rows)

    # --- what must hold ---

    @invariant()
    def every_step_is_counted(self) -> None:
        Deals.steps += 1

    @invariant()
    def one_every_stage_was_reached_by_a_recorded_and_permitted_move(self) -> None:
        if self.is_quiet("one"):
            return
        definitions = self.definitions
        journeys = self.journeys("stage", "process_version")
        events = Event.objects.of_journeys([j.pk for j in journeys]).filter(type__in=fold.JOURNEY_EVENTS)
        by_journey = grouped(events.in_order())
        for journey in journeys:
            at = ""
            for event in by_journey[journey.pk]:
                if event.type == fold.MOVED:
                    assert event.from_stage == at
                    kind = Kind(event.data["kind"])
                    definition = definitions[event.process_version]
                    assert definition.stage(at).transition(kind, event.to_stage) is not None
                if event.to_stage:
                    at = event.to_stage
            assert journey.stage.key == at

    @invariant()
    def two_every_gate_passed_was_satisfied_or_waived(self) -> None:
        if self.is_quiet("two"):
            return
        for passed in Evaluation.objects.filter(
            journey__subject_id__in=self.deals, allowed=True, kind__in=FORWARD
        ):
            for result in passed.results:
                if result["level"] == "block":
                    assert result["state"] in ("met", "waived", "na"), result
                if result["state"] == "waived":
                    assert result["params"]["by_id"]
                    assert result["params"]["reason"]

    @invariant()
    def three_visits_follow_each_other_without_a_gap(self) -> None:
        journeys = self.journeys()
        by_journey = grouped(Visit.objects.filter(journey__in=journeys).in_order())
        for journey in journeys:
            visits = by_journey[journey.pk]
            running = journey.state in ("open", "on_hold")
            assert [v.left_at is None for v in visits].count(True) == (1 if running else 0)
            for before, after in itertools.pairwise(visits):
                if before.episode_no == after.episode_no:
                    assert before.left_at == after.entered_at
            episode = [v for v in visits if v.episode_no == journey.episode_no]
            end = self.now if running else journey.closed_at
            total = sum(((v.left_at or self.now) - v.entered_at for v in episode), timedelta())
            assert total == max(end - episode[0].entered_at, timedelta())

    @invariant()
    def five_counts_and_weights_are_those_of_the_rows(self) -> None:
        open_now = Journey.objects.filter(subject_id__in=self.deals, subject_type="opportunity", state="open")
        by_visit = Visit.objects.filter(journey__in=open_now, left_at=None).count()
        assert by_visit == open_now.count()
        told = open_now.aggregate(total=Sum("base_amount"))["total"] or 0
        amounts = Opportunity.objects.filter(pk__in=open_now.values("subject_id")).values_list(
            "amount", flat=True
        )
        assert told == sum(amount or 0 for amount in amounts)

    @invariant()
    def six_the_journal_alone_tells_the_same(self) -> None:
        journeys = {j.pk: j for j in self.journeys("stage")}
        by_journey = grouped(Visit.objects.filter(journey__in=journeys).in_order())
        for pk, travel in folded(set(journeys)).items():
            row = journeys[pk]
            assert travel.stage_key == row.stage.key
            for name in ledger.TRAVEL_FIELDS:
                assert getattr(row, name) == getattr(travel, name), name
            stored = [tuple(getattr(v, n) for n in ledger.VISIT_FIELDS) for v in by_journey[pk]]
            assert stored == [tuple(getattr(v, n) for n in ledger.VISIT_FIELDS) for v in travel.visits]

    @invariant()
    def seven_a_running_deal_keeps_its_version_but_for_a_migration(self) -> None:
        for deal in Opportunity.objects.filter(pk__in=self.deals).select_related("journey"):
            assert deal.journey.process_version_id == self.pinned[deal.pk]


def run(examples: int, steps: int) -> None:
    Deals.moves.clear()
    Deals.did.clear()
    Deals.steps = 0
    run_state_machine_as_test(
        Deals,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    # A machine that never gets anywhere proves nothing.
    for kind in ("advance", "close_lost", "hold", "resume", "reopen"):
        assert Deals.moves[kind, True], (kind, dict(Deals.moves))
    assert Deals.moves["advance", False] >= 10, Deals.moves
    for act in ("ask", "approve", "publish", "migrate", "undo_migration"):
        assert Deals.did[act], (act, dict(Deals.did))


def went_everywhere() -> None:
    """What a long run has to have done, each of it more than once."""
    for act in (
        *("reject", "return", "recall", "transfer", "delegate", "end_delegation"),
        *("publish", "migrate", "undo_migration", "merge", "unmerge"),
    ):
        assert Deals.did[act] >= 2, (act, dict(Deals.did))
    for kind in ("skip", "regress", "close_won"):
        assert Deals.moves[kind, True] >= 2, (kind, dict(Deals.moves))


@pytest.mark.long
@pytest.mark.rule("T15", "GT-2", "EV-2", "VR-9", "MV-8", "AP-3", "AP-8")
@pytest.mark.django_db
def test_two_thousand_steps_break_nothing():
    run(examples=48, steps=50)  # some examples end before their last step
    assert Deals.steps >= 2_000


@pytest.mark.rule("T15")
@pytest.mark.nightly
@pytest.mark.timeout(0)
@pytest.mark.django_db
def test_five_thousand_steps_break_nothing():
    run(examples=80, steps=80)
    went_everywhere()
    assert Deals.steps >= 5_000


@pytest.mark.rule("T15")
@pytest.mark.nightly
@pytest.mark.timeout(0)
@pytest.mark.django_db
def test_fifty_thousand_steps_break_nothing():
    run(examples=800, steps=80)
    went_everywhere()
    assert Deals.steps >= 50_000
