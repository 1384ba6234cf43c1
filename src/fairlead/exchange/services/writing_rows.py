"""What a row wants, done through the services of the rooms: created as history, edited, reassigned, moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from fairlead.common.questions import Question
from fairlead.common.refusals import Invalid, NotFound, NotPermitted, Refusal, Stale
from fairlead.crm.models import Account, Opportunity
from fairlead.crm.services import KINDS, NewRecord, create_many, edit, reassign
from fairlead.crm.services.products import create_products
from fairlead.crm.services.undoing import keep_records
from fairlead.exchange.enums import ImportKind, RowAction, RowState
from fairlead.exchange.models import ImportRow, ImportRun
from fairlead.exchange.reading.problems import RowProblem
from fairlead.exchange.reading.values import plain_value
from fairlead.organisation.enums import Role
from fairlead.organisation.models import RoleAssignment, Team, User
from fairlead.process.enums import CriterionState, Kind
from fairlead.process.models import Journey
from fairlead.process.refusals import GateRefused
from fairlead.process.services import MoveOutcome, MoveWish, NewJourney, Step, move_many
from fairlead.process.verdicts import Wish

from . import people
from .finding import as_instant, numbered
from .staging import definition_for
from .working import clock

CHANNEL: Final = "import"
_with_team = Question(lambda ids: User.objects.select_related("team").filter(pk__in=ids), lists=("ids",))
OPEN_ITEMS: Final = frozenset({CriterionState.UNMET, CriterionState.EXPIRED, CriterionState.UNKNOWN})


def problem_of(refusal: Refusal, row: int) -> dict[str, Any]:
    """A refusal as it stands in the report: the same items that the page shows."""
    if isinstance(refusal, GateRefused):
        gaps = [g.key for g in refusal.verdict.gaps]
        params = {"items": ", ".join(gaps), "gaps": gaps, "evaluation_id": refusal.evaluation_id}
        return RowProblem(row, None, "gate-refused", params).as_json()
    if isinstance(refusal, Stale) or refusal.code == "lost-race":
        return RowProblem(row, None, "changed-since-check").as_json()
    if isinstance(refusal, NotPermitted | NotFound):
        return RowProblem(row, None, "no-right").as_json()
    message = (
        "; ".join(e["message"] for e in refusal.details["errors"])
        if isinstance(refusal, Invalid)
        else str(refusal)
    )
    return RowProblem(row, None, "refused", {"message": message[:300], "code": refusal.code}).as_json()


class Writer:
    """Writes rows of one run in its owner's name; `at` is the instant that counts as now."""

    def __init__(self, run: ImportRun) -> None:
        self.run = run
        self.by: User | None = run.created_by
        self.definition = definition_for(run.options) if run.kind == ImportKind.OPPORTUNITY else None
        self.users: dict[int, User] = {}
        self.teams: dict[int, Team] = {}

    @property
    def at(self) -> datetime:
        return self.run.as_of or clock()

    @property
    def editor(self) -> User | None:
        """Edits and moves are somebody's: of a command without a person, an administrator's."""
        if self.by is not None:
            return self.by
        row = (
            RoleAssignment.objects.filter(role=Role.ADMIN, user__is_active=True)
            .select_related("user")
            .order_by("pk")
            .first()
        )
        return row.user if row is not None else None

    def _people(self, ids: set[int]) -> None:
        wanted = ids - self.users.keys()
        if wanted:
            self.users.update({u.pk: u for u in _with_team(wanted)})

    # --- new records ---

    def still_new(self, rows: Sequence[ImportRow]) -> list[ImportRow]:
        """Without those that came in from elsewhere since the check."""
        numbers = [n for r in rows if (n := r.values.get("external_id"))]
        here: set[str] = set()
        if numbers and self.run.kind in KINDS:
            here = {number for _pk, number in numbered(self.run.kind, numbers)}
        fresh = []
        for row in rows:
            if row.values.get("external_id") in here:
                row.state = RowState.FAILED
                row.problems = [*row.problems, RowProblem(row.number, None, "here-by-now").as_json()]
            else:
                fresh.append(row)
        return fresh

    def create(self, rows: Sequence[ImportRow]) -> None:
        kind, how = self.run.kind, {"by": self.by, "at": self.at, "channel": CHANNEL, "batch_id": self.run.pk}
        made: Sequence[Any]
        if kind == ImportKind.PRODUCT:
            made = create_products([r.values["fields"] for r in rows], **how)  # type: ignore[arg-type]
        elif kind == ImportKind.PERSON:
            made = [people.create(row, self.run, by=self.by, at=self.at) for row in rows]
        else:
            accounts = self._missing_accounts(rows)
            self._people({r.values["owner"] for r in rows if "owner" in r.values})
            parents = self._parents(rows)
            wanted = [self._new(row, accounts, parents) for row in rows]
            if kind == ImportKind.OPPORTUNITY:
                self._prospects(rows, wanted)
            made = create_many(kind, wanted, refresh=True, **how)  # type: ignore[arg-type]
        for row, record in zip(rows, made, strict=True):
            row.state, row.target_type, row.target_id = RowState.DONE, kind, record.pk

    def _new(self, row: ImportRow, accounts: Mapping[str, int], parents: Mapping[int, int]) -> NewRecord:
        values = row.values
        fields = dict(values["fields"])
        if name := values.get("make", {}).get("account"):
            fields["account"] = accounts[plain_value(name)]
        if (parent := parents.get(values.get("parent_row") or 0)) is not None:
            fields["parent"] = parent
        owner = self.users.get(values["owner"]) if "owner" in values else None
        path = values.get("path")
        return NewRecord(
            values=fields,
            owner=owner,
            external_id=values.get("external_id", ""),
            incomplete=bool(values.get("incomplete")),
            created_at=as_instant(path["opened_at"]) if path else None,
            journey=self._journey(path) if path else None,
        )

    def _journey(self, path: Mapping[str, Any]) -> NewJourney:
        state = path["state"]
        outcome = {"won": "won", "cancelled": "invalid"}.get(state, "lost" if state == "lost" else "")
        reason = path["reason"]
        known = self.definition.reason("lost", reason) if self.definition and reason else None
        if known is not None and outcome and outcome != "won" and known.outcome:
            outcome = known.outcome
        return NewJourney(
            subject_type="opportunity",
            subject_id=0,
            process_key=self.definition.key if self.definition else "",
            opened_at=as_instant(path["opened_at"]),
            fidelity=path["fidelity"],
            outcome=outcome,
            closed_at=as_instant(path["closed_at"]),
            reason=reason if known is not None else "",
            steps=tuple(
                Step(key, datetime.fromisoformat(at), known_at) for key, at, known_at in path["steps"]
            ),
        )

    def _missing_accounts(self, rows: Sequence[ImportRow]) -> dict[str, int]:
        """Accounts that the importer said shall be made, each once."""
        names = {plain_value(n): n for r in rows if (n := r.values.get("make", {}).get("account"))}
        if not names:
            return {}
        found = {
            plain_value(n): pk
            for pk, n in Account.objects.filter(name__in=names.values()).values_list("pk", "name")
        }
        missing = [n for plain, n in names.items() if plain not in found]
        if missing:
            made = create_many(
                "account",
                [NewRecord(values={"name": n}) for n in missing],
                by=self.by,
                at=self.at,
                channel=CHANNEL,
                batch_id=self.run.pk,
            )
            found |= {plain_value(a.name): a.pk for a in made}
            first = {
                plain_value(n): r for r in reversed(rows) if (n := r.values.get("make", {}).get("account"))
            }
            for account in made:
                row = first[plain_value(account.name)]
                row.before = {**row.before, "made": [*row.before.get("made", []), account.pk]}
        return found

    def _parents(self, rows: Sequence[ImportRow]) -> dict[int, int]:
        numbers = {n for r in rows if (n := r.values.get("parent_row"))}
        if not numbers:
            return {}
        made = self.run.rows.filter(number__in=numbers).values_list("number", "target_id")
        return {number: pk for number, pk in made if pk is not None}

    def _prospects(self, rows: Sequence[ImportRow], wanted: Sequence[NewRecord]) -> None:
        """Accounts that become customers with this batch: undo has to know that they were none."""
        won = {
            int(n.values["account"])
            for n in wanted
            if n.journey and n.journey.outcome == "won" and n.values.get("account")
        }
        if not won:
            return
        new = set(Account.objects.filter(pk__in=won, is_customer=False).values_list("pk", flat=True))
        if new:
            rows[0].before = {**rows[0].before, "prospects": sorted(new)}

    # --- records that are here ---

    def change(self, rows: Sequence[ImportRow]) -> None:
        """Edits row by row, then one bulk move whose gates decide row by row."""
        by = self.editor
        if by is None:
            for row in rows:
                self._fail(row, NotPermitted())
            return
        kept = keep_records(self.run.kind, [r.target_id for r in rows if r.target_id is not None])
        wishes: dict[int, tuple[ImportRow, MoveWish]] = {}
        moving = {r.target_id for r in rows if r.action == RowAction.MOVE}
        journeys = (
            dict(Opportunity.objects.filter(pk__in=moving).values_list("pk", "journey_id")) if moving else {}
        )
        for row in rows:
            row.before = kept.get(row.target_id or 0, {})
            try:
                with transaction.atomic():
                    self._edit(row, by)
            except Refusal as refusal:
                self._fail(row, refusal)
                continue
            row.state = RowState.DONE
            if row.action == RowAction.MOVE and row.target_id in journeys:
                wishes[journeys[row.target_id]] = (row, self._wish(row, journeys[row.target_id]))
        for outcome in move_many([w for _row, w in wishes.values()], by=by, at=self.at, channel=CHANNEL):
            self._settle(wishes[outcome.journey_id][0], outcome)

    def _edit(self, row: ImportRow, by: User) -> None:
        values, version = row.values, row.values["version"]
        how: dict[str, Any] = {"by": by, "at": self.at, "channel": CHANNEL, "batch_id": self.run.pk}
        changes = {key: values["fields"][key] for key in values.get("changes", ())}
        if changes:
            record = edit(self.run.kind, row.target_id or 0, changes, version=version, **how)
            version = record.version
        if values.get("reassign"):
            self._people({values["owner"]})
            reassign(
                self.run.kind, row.target_id or 0, owner=self.users[values["owner"]], version=version, **how
            )

    def _wish(self, row: ImportRow, journey_id: int) -> MoveWish:
        wish = row.values["wish"]
        effective = as_instant(wish.get("effective_at"))
        entered = Journey.objects.values_list("entered_at", flat=True).get(pk=journey_id)
        if effective is not None and not entered <= effective <= self.at:
            effective = None
        return MoveWish(
            journey_id=journey_id,
            version=row.values.get("journey_version"),
            effective_at=effective,
            batch_id=self.run.pk,
            wish=Wish(kind=Kind(wish["kind"]), to=wish["to"], reason=wish.get("reason", "")),
        )

    def _settle(self, row: ImportRow, outcome: MoveOutcome) -> None:
        if outcome.refusal is None:
            return
        if not isinstance(outcome.refusal, Refusal):
            raise outcome.refusal
        self._fail(row, outcome.refusal)

    def _fail(self, row: ImportRow, refusal: Refusal) -> None:
        row.state = RowState.FAILED
        row.problems = [*row.problems, problem_of(refusal, row.number)]
