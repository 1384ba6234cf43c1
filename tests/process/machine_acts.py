"""More work for the machine of T15: approvals and deputies, versions that change under way, and merged deals.

Mixins: the machine itself knows the deals, the people and the time.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from tests.process.versions import criterion

from fairlead.crm import services as crm
from fairlead.crm.models import Opportunity
from fairlead.journal.models import Event
from fairlead.journal.undoing import undo
from fairlead.process import services as process
from fairlead.process.approval_enums import (
    FOR_IT,
    ApprovalMode,
    Because,
    RequestState,
    SeatState,
    StepState,
)
from fairlead.process.definitions import definition_of
from fairlead.process.enums import FORWARD, MigrationRowState, MigrationState
from fairlead.process.models import (
    ApprovalGrant,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    Clock,
    Delegation,
    Evaluation,
    Journey,
    Migration,
    MigrationRow,
    OverrideRequest,
    ProcessVersion,
    Veto,
    Visit,
)
from fairlead.process.services import approval_handing, approving, carrying_over, delegating, migrating

PERSON = st.sampled_from(["zhou", "lin", "chen", "he", "sun", "admin", "tang", "qi", "fang", "lu", "boss"])
ASKER = st.sampled_from(["zhou", "zhou", "sun", "lin", "chen"])
PICK = st.integers(0, 10**6)
KIND = st.sampled_from(["discount", "ati"])
STAGES_ADDED = ("customer_contact", "needs_analysis", "solution_design", "quote_negotiation")


class Working:
    """What the mixins use of the machine."""

    where: Any
    now: Any
    deals: list[int]
    pinned: dict[int, int]
    did: Counter[str]
    looked: dict[str, int]

    def is_quiet(self, name: str) -> bool:
        """Whether the journal has grown since this invariant looked last: a step that was refused is not read again.

        That such a step changed no row without an event is what the invariant about the journal and the end of each
        example hold.
        """
        last = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        before, self.looked[name] = self.looked.get(name), last
        return before == last

    def how(self, who: str) -> dict[str, Any]:
        raise NotImplementedError

    def deal(self, pick: int) -> Opportunity:
        raise NotImplementedError

    def deal_that(self, pick: int, **stands: str) -> int:
        raise NotImplementedError

    def attempt(self, act: Callable[[], Any], name: str = "") -> None:
        raise NotImplementedError


class Approvals(Working):
    """Asking, voting, returning, recalling, handing on; deputies that begin and end."""

    checked: set[int]

    def pending(self, pick: int) -> ApprovalRequest | None:
        """One that is being decided; where there is none, somebody asks for one first."""
        for is_second in (False, True):
            rows = ApprovalRequest.objects.filter(
                journey__subject_id__in=self.deals,
                journey__subject_type="opportunity",
                state=RequestState.PENDING,
            )
            if found := list(rows.order_by("pk")):
                return found[pick % len(found)]
            if not is_second:
                self._ask(pick, ("ati", "discount")[pick % 2], "zhou", (8, 12, 20)[pick % 3])
        return None

    def asked(self, request: ApprovalRequest, pick: int, who: str) -> str:
        """Mostly somebody who is asked; now and then anybody, who is refused."""
        seats = ApprovalSeat.objects.filter(request=request, state=SeatState.ASKED).order_by("pk")
        names = list(seats.values_list("person__username", flat=True))
        known = [name for name in names if name in self.where.people]
        return known[pick % len(known)] if known and pick % 4 else who

    @rule(pick=PICK, kind=KIND, who=ASKER, discount=st.sampled_from([0, 8, 12, 20]))
    def ask(self, pick: int, kind: str, who: str, discount: int) -> None:
        self._ask(pick, kind, who, discount)

    def _ask(self, pick: int, kind: str, who: str, discount: int) -> None:
        deal = self.deal(self.deal_that(pick, state="open"))
        if kind == "discount" and discount:
            self.attempt(
                lambda: crm.edit(
                    "opportunity", deal.pk, {"discount": discount, "margin": 30}, version=deal.version,
                    **self.how("admin"),
                )
            )  # fmt: skip
        package = {"reason": "框架协议"}
        self.attempt(
            lambda: approving.submit(deal.journey_id, kind=kind, package=package, **self.how(who)), "ask"
        )

    @rule(pick=PICK, who=PERSON, approves=st.booleans(), conditional=st.booleans())
    def vote(self, pick: int, who: str, approves: bool, conditional: bool) -> None:
        request = self.pending(pick)
        if request is None:
            return
        person = self.asked(request, pick, who)
        on = (
            [{"kind": "word", "text": "先见到决策人", "stage": "signing"}] if conditional and approves else []
        )
        self.attempt(
            lambda: approving.decide(
                request.pk, approves=approves, comment="说明", conditions=on, **self.how(person)
            ),
            "approve" if approves else "reject",
        )

    @rule(pick=PICK)
    def approve_all(self, pick: int) -> None:
        """Ask for what the gate of this deal wants, and have everybody who is asked say yes."""
        deal = self.deal(self.deal_that(pick, state="open"))
        for kind in ("ati", "discount"):
            self.attempt(
                lambda kind=kind: approving.submit(
                    deal.journey_id, kind=kind, package={"reason": "框架协议"}, **self.how("zhou")
                ),
                "ask",
            )
        for request in ApprovalRequest.objects.filter(journey=deal.journey_id, state=RequestState.PENDING):
            for _ in range(4):
                seat = (
                    ApprovalSeat.objects.filter(request=request, state=SeatState.ASKED).order_by("pk").first()
                )
                if seat is None or seat.person.username not in self.where.people:
                    break
                self.attempt(
                    lambda seat=seat: approving.decide(
                        seat.request_id, approves=True, comment="同意", **self.how(seat.person.username)
                    ),
                    "approve",
                )

    @rule(pick=PICK, who=PERSON, to=st.sampled_from(["", "", "previous"]))
    def give_back(self, pick: int, who: str, to: str) -> None:
        request = self.pending(pick)
        if request is not None:
            person = self.asked(request, pick, who)
            self.attempt(
                lambda: approving.give_back(request.pk, to=to, comment="缺理由", **self.how(person)), "return"
            )

    @rule(pick=PICK, who=ASKER)
    def recall(self, pick: int, who: str) -> None:
        request = self.pending(pick)
        if request is not None:
            person = request.submitted_by.username if pick % 3 else who
            self.attempt(lambda: approving.recall(request.pk, **self.how(person)), "recall")

    @rule(pick=PICK, who=PERSON, to=PERSON)
    def transfer(self, pick: int, who: str, to: str) -> None:
        request = self.pending(pick)
        if request is not None:
            person = self.asked(request, pick, who)
            self.attempt(
                lambda: approval_handing.transfer(
                    request.pk, to=self.where.people[to].pk, comment="请代为判断", **self.how(person)
                ),
                "transfer",
            )

    @rule(
        who=st.sampled_from(["chen", "fang", "lu", "boss", "luo"]),
        to=st.sampled_from(["boss", "luo", "chen", "fang", "admin"]),
        by=st.sampled_from(["", "tang"]),
        days=st.integers(0, 30),
    )
    def delegate(self, who: str, to: str, by: str, days: int) -> None:
        day = self.now.date()

        def stand_in() -> None:
            row = delegating.delegate(
                delegator=self.where.people[who], delegate_to=self.where.people[to].pk, from_date=day,
                to_date=day + timedelta(days=days), reason="休假", **self.how(by or who),
            )  # fmt: skip
            if days % 3 == 0:
                self.attempt(lambda: delegating.revoke_delegation(row.pk, **self.how(who)), "end_delegation")

        self.attempt(stand_in, "delegate")

    @rule(pick=PICK, who=PERSON)
    def end_a_delegation(self, pick: int, who: str) -> None:
        rows = list(Delegation.objects.filter(revoked_at=None).select_related("delegator").order_by("pk"))
        if rows:
            row = rows[pick % len(rows)]
            person = row.delegator.username if pick % 3 else who
            self.attempt(lambda: delegating.revoke_delegation(row.pk, **self.how(person)), "end_delegation")

    # --- (4) no approved effect without the approvals of that version ---

    @invariant()
    def four_nothing_went_through_without_an_approval_of_its_values(self) -> None:
        passed = Evaluation.objects.filter(
            journey__subject_id__in=self.deals,
            journey__subject_type="opportunity",
            allowed=True,
            kind__in=FORWARD,
        ).exclude(pk__in=self.checked)
        for evaluation in passed.select_related("journey"):
            self.checked.add(evaluation.pk)
            for result in evaluation.results:
                if result["type"] == "approval" and result["state"] == "met":
                    self._was_granted(evaluation, result["key"])

    def _was_granted(self, evaluation: Evaluation, key: str) -> None:
        version = ProcessVersion.objects.get(
            process__key=evaluation.journey.process_key, number=evaluation.process_version
        )
        found = definition_of(version).criterion(key)
        assert found is not None
        kind = found[2].params["approval"]
        grants = ApprovalGrant.objects.filter(
            journey=evaluation.journey_id, kind=kind, granted_at__lte=evaluation.at
        ).exclude(voided_at__lt=evaluation.at)
        fields = evaluation.facts["fields"]
        if kind == "discount" and not _asks_for_somebody(fields):
            return  # no row of the matrix fires
        live = [g for g in grants if g.expires_at is None or g.expires_at >= evaluation.at]
        assert live, f"{kind} went through without an approval"
        assert any(all(_inside(bound, fields) for bound in grant.bounds) for grant in live), (
            kind,
            [g.bounds for g in live],
            evaluation.facts["fields"],
        )

    @invariant()
    def every_approval_was_given_by_those_who_were_asked(self) -> None:
        if self.is_quiet("approvals"):
            return
        requests = ApprovalRequest.objects.filter(journey__subject_id__in=self.deals)
        for request in requests.filter(state=RequestState.APPROVED, is_auto=False):
            for step in ApprovalStep.objects.filter(request=request).exclude(state=StepState.WAITING):
                votes = list(ApprovalSeat.objects.filter(step=step, state__in=FOR_IT))
                if step.state == StepState.APPROVED:
                    assert votes, (request.pk, step.key)
                if step.state == StepState.APPROVED and step.mode == ApprovalMode.ALL:
                    numbers = set(ApprovalSeat.objects.filter(step=step).values_list("number", flat=True))
                    assert {seat.number for seat in votes} == numbers
        for grant in ApprovalGrant.objects.filter(journey__subject_id__in=self.deals).select_related(
            "request"
        ):
            assert grant.request.state in (
                RequestState.APPROVED,
                RequestState.PENDING,
                RequestState.RETURNED,
            ), grant
        own = ApprovalSeat.objects.filter(
            request__journey__subject_id__in=self.deals, state=SeatState.APPROVED, request__is_auto=False
        )
        for seat in own.exclude(because=Because.TOP).select_related("request"):
            assert seat.person_id != seat.request.submitted_by_id


def _asks_for_somebody(fields: dict[str, Any]) -> bool:
    """The matrix of `factories.approvals` in words: more than 5 % off, more than 30 days of credit, any clause."""
    return (
        Decimal(str(fields.get("discount") or 0)) > 5
        or (fields.get("payment_days") or 0) > 30
        or bool(fields.get("clauses"))
    )


def _inside(bound: dict[str, Any], fields: dict[str, Any]) -> bool:
    """Read by itself, not by the code under test."""
    now, then = fields.get(bound["field"]), bound["value"]
    if bound["direction"] in ("at_most", "at_least"):
        if then is None or now is None:
            return bool(now == then)
        one, other = Decimal(str(now)), Decimal(str(then))
        return one <= other if bound["direction"] == "at_most" else one >= other
    if bound["direction"] == "subset":
        return set(now or ()) <= set(then or ())
    return (now or "") == (then or "")


class Versions(Working):
    """New versions, running deals that move over to them, and the way back."""

    @rule(
        pick=PICK,
        required=st.booleans(),
        back=st.sampled_from([True, False, False]),
        leave=st.sampled_from(["", "", *STAGES_ADDED]),
    )
    @precondition(
        lambda self: ProcessVersion.objects.filter(process__key=self.where.version.process.key).count() < 6
    )
    def carry_over(self, pick: int, required: bool, back: bool, leave: str) -> None:
        """A new version, and a plan for those under way; those at the stage `leave` are taken out of the process."""
        latest = ProcessVersion.objects.filter(process=self.where.version.process).order_by("-number")[0]
        document = copy.deepcopy(latest.document)
        document["version"] = latest.number + 1
        stage = next(s for s in document["stages"] if s["key"] == STAGES_ADDED[pick % len(STAGES_ADDED)])
        stage.setdefault("exit", []).append(
            criterion(f"new_{latest.number + 1}") | {"level": "block" if required else "flag"}
        )
        how = {"by": None, "at": self.now, "channel": "ui"}
        process.publish(document, **how, mode="enforced")
        self.did["publish"] += 1

        def carry() -> None:
            plan = migrating.plan_migration(latest.process.key, **how)
            if leave:
                group = {"stage": leave, "choice": "leave", "reason": "no sale"}
                plan = migrating.edit_plan(plan.pk, version=plan.version, groups=[group], **how)
            plan = migrating.check(plan.pk, by=None, at=self.now)
            migrating.confirm(plan.pk, version=plan.version, **how)
            carrying_over.execute(plan.pk, clock=lambda: self.now)
            self._follow(plan, MigrationRowState.DONE)
            self.did["leave"] += plan.rows.filter(state=MigrationRowState.LEFT).count()
            if back:
                self._put_back(plan)

        self.attempt(carry, "migrate")

    @rule(pick=PICK)
    def put_back(self, pick: int) -> None:
        """A migration that was done before is undone, where the day for it is not over."""
        done = list(Migration.objects.filter(state=MigrationState.DONE).order_by("-pk")[:2])
        if done:
            self._put_back(done[pick % len(done)])

    @precondition(lambda self: Journey.objects.current().filter(state="left").exists())
    @rule(pick=PICK, who=st.sampled_from(["zhou", "chen", "lin"]))
    def give_a_process(self, pick: int, who: str) -> None:
        """A deal that has left its process is given one again, on the version of today."""
        left = list(Journey.objects.current().filter(state="left").order_by("pk"))
        gone = left[pick % len(left)]

        def act() -> None:
            version = Opportunity.objects.get(pk=gone.subject_id).version
            given = crm.give_process(gone.subject_id, version=version, **self.how(who))
            self.pinned[gone.subject_id] = given.process_version_id

        self.attempt(act, "give_process")

    @invariant()
    def nine_what_has_ended_waits_for_nobody_and_what_left_its_process_was_told_so(self) -> None:
        if self.is_quiet("left"):
            return
        for journey in Journey.objects.filter(state="left"):
            last = Visit.objects.filter(journey=journey).in_order().last()
            assert (journey.outcome, last.exit_type, last.left_at) == ("left", "left", journey.closed_at)
            assert not Clock.objects.filter(journey=journey).exists()
        over = Journey.objects.exclude(state__in=["open", "on_hold"])
        assert not ApprovalRequest.objects.filter(journey__in=over, state="pending").exists()
        assert not OverrideRequest.objects.filter(journey__in=over, state="open").exists()
        assert not Veto.objects.filter(journey__in=over, state="open").exists()

    def _put_back(self, plan: Migration) -> None:
        how = {"by": None, "at": self.now, "channel": "ui"}
        versions = dict(
            ProcessVersion.objects.filter(process=self.where.version.process).values_list("number", "pk")
        )
        before = {
            row.pk: versions[row.from_version]
            for row in MigrationRow.objects.filter(migration=plan, state=MigrationRowState.DONE)
        }

        def act() -> None:
            migrating.begin_undo(plan.pk, **how)
            carrying_over.execute(plan.pk, clock=lambda: self.now)
            undone = MigrationRow.objects.filter(pk__in=before, state=MigrationRowState.UNDONE)
            for row in undone.select_related("journey"):
                if row.journey.subject_id in self.pinned and row.journey.subject_type == "opportunity":
                    self.pinned[row.journey.subject_id] = before[row.pk]

        self.attempt(act, "undo_migration")

    def _follow(self, plan: Migration, state: str) -> None:
        """Whatever a migration says it has moved stands on its version; nothing else does."""
        for row in MigrationRow.objects.filter(migration=plan, state=state).select_related("journey"):
            if row.journey.subject_id in self.pinned and row.journey.subject_type == "opportunity":
                self.pinned[row.journey.subject_id] = plan.target_id


class Merging(Working):
    """Doubles that become one, and the way back."""

    @precondition(lambda self: len(self.deals) > 3)
    @rule(pick=PICK, who=st.sampled_from(["zhou", "chen", "lin"]), back=st.sampled_from([True, True, False]))
    def merge_two(self, pick: int, who: str, back: bool) -> None:
        first = self.deal_that(pick, state="open")
        kept, other = self.deal(first), self.deal(first + 1 + pick // 7 % (len(self.deals) - 1))
        saw, other_saw = (crm.Seen(d.version, d.journey.version) for d in (kept, other))

        def act() -> None:
            told = crm.merge(
                kept.pk,
                other_id=other.pk,
                seen=saw,
                other_seen=other_saw,
                other_account=True,
                **self.how(who),
            )
            if back:
                undo([told.pk], **self.how(who))
                self.did["unmerge"] += 1

        self.attempt(act, "merge")

    @invariant()
    def eight_a_merged_deal_has_ended_and_names_one_that_goes_on_for_it(self) -> None:
        if self.is_quiet("merged"):
            return
        for deal in Opportunity.objects.filter(pk__in=self.deals).select_related("journey"):
            is_merged = deal.journey.outcome == "merged"
            assert is_merged == (deal.merged_into_id is not None)
            if is_merged:
                last = Visit.objects.filter(journey=deal.journey).in_order().last()
                assert (deal.journey.state, last.exit_type) == ("cancelled", "merged")
