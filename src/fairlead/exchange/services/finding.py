"""Is this row here already? By number, by credit code, by name; and what would it change?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

from fairlead.common.questions import Question
from fairlead.crm.models import Account, Contact, Opportunity, Product
from fairlead.crm.services.records import KINDS
from fairlead.crm.services.values import clean_values, taken_codes, value_of
from fairlead.exchange.enums import ImportKind, RowAction
from fairlead.exchange.reading.matching import squeezed
from fairlead.exchange.reading.problems import RowProblem, Severity
from fairlead.exchange.reading.values import plain_value
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import BadValue, clean
from fairlead.organisation.models import User
from fairlead.process.enums import Kind

from .history import CLOSED
from .plans import Plan

MODELS: Final[Mapping[str, Any]] = {
    ImportKind.OPPORTUNITY: Opportunity,
    ImportKind.ACCOUNT: Account,
    ImportKind.CONTACT: Contact,
    ImportKind.PRODUCT: Product,
    ImportKind.PERSON: User,
}


@dataclass(slots=True)
class Draft:
    """A row on its way: what was read of it, and then what is to be done with it."""

    number: int
    cells: Sequence[str]
    values: dict[str, Any]
    problems: list[RowProblem]
    action: str = RowAction.CREATE
    target_id: int | None = None

    @property
    def is_bad(self) -> bool:
        return any(p.severity is not Severity.NOTICE for p in self.problems)

    def refuse(self, code: str, **params: Any) -> None:
        self.problems.append(RowProblem(self.number, None, code, params))


@dataclass(slots=True)
class Finder:
    """Decides page by page; remembers the whole file for its own duplicates."""

    plan: Plan
    by: Any
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    accounts: dict[str, list[tuple[int, str]]] | None = None
    taken: dict[int, int] = field(default_factory=dict)  # records that a row is about, and the row

    def decide(self, drafts: Sequence[Draft]) -> None:
        good = [d for d in drafts if not d.is_bad]
        if self.plan.kind in KINDS:
            self._fit(good)
            good = [d for d in good if not d.is_bad]
        for draft in good:
            self._in_file(draft)
        good = [d for d in good if not d.is_bad]
        self._match(good)
        here = [d for d in good if d.target_id is not None and not d.is_bad]
        if self.plan.kind in KINDS:
            self._compare(here)
            self._rights([d for d in good if d.target_id is None])
        else:
            for draft in here:
                draft.action = RowAction.SKIP
        for draft in drafts:
            if draft.is_bad:
                draft.action = RowAction.ERROR

    # --- what the fields can hold: asked here as the writing asks it, so that the preview tells no less ---

    def _fit(self, drafts: Sequence[Draft]) -> None:
        specs = catalogue(self.plan.kind)
        for draft in drafts:
            errors: list[dict[str, str]] = []
            fields = {k: v for k, v in draft.values["fields"].items() if k in specs}
            clean_values(specs, fields, by=self.by, errors=errors)
            if errors:
                draft.refuse("refused", message="; ".join(e["message"] for e in errors)[:300])

    # --- the same row twice in the file ---

    def _in_file(self, draft: Draft) -> None:
        key = self.identity(draft)
        if key is None:
            return
        first = self.seen.setdefault(key, draft.number)
        code = str(draft.values["fields"].get("uscc") or "").upper()
        if first == draft.number and code:  # names one company, whatever number stands beside it
            first = self.seen.setdefault(("u", code), draft.number)
        if first != draft.number:
            draft.refuse("duplicate-in-file", row=first)

    def identity(self, draft: Draft) -> tuple[str, str] | None:
        fields = draft.values["fields"]
        if number := draft.values.get("external_id"):
            return "x", number
        name = str(fields.get("name") or "")
        match self.plan.kind:
            case ImportKind.ACCOUNT:
                return ("u", fields["uscc"].upper()) if fields.get("uscc") else ("n", squeezed(name) or name)
            case ImportKind.CONTACT:
                return (
                    ("e", fields["email"].casefold())
                    if fields.get("email")
                    else ("n", f"{squeezed(name)}@{self._account(draft)}")
                )
            case ImportKind.OPPORTUNITY:
                return "n", f"{plain_value(name)}@{self._account(draft)}"
            case ImportKind.PERSON:
                return "n", plain_value(str(fields.get("username") or name))
        return "n", plain_value(name)

    def _account(self, draft: Draft) -> str:
        return str(
            draft.values["fields"].get("account")
            or plain_value(draft.values.get("make", {}).get("account", ""))
        )

    # --- the row in the database ---

    def _match(self, drafts: Sequence[Draft]) -> None:
        model, kind = MODELS[self.plan.kind], self.plan.kind
        if kind == ImportKind.PRODUCT:
            here = {plain_value(name): pk for pk, name in Product.objects.values_list("pk", "name")}
            for draft in drafts:
                draft.target_id = here.get(plain_value(draft.values["fields"]["name"]))
            return
        if kind == ImportKind.PERSON:
            people = list(User.objects.values_list("pk", "name", "username"))
            here = {plain_value(n): pk for pk, name, username in people for n in (name, username)}
            for draft in drafts:
                fields = draft.values["fields"]
                draft.target_id = here.get(plain_value(str(fields.get("username") or fields["name"])))
            return
        numbers = [d.values["external_id"] for d in drafts if d.values.get("external_id")]
        by_number: dict[str, list[int]] = {}
        for pk, number in numbered(kind, numbers):
            by_number.setdefault(number, []).append(pk)
        natural = self._natural(drafts)
        for draft in drafts:
            found = by_number.get(draft.values.get("external_id") or "", []) or natural.get(draft.number, [])
            if len(found) > 1:
                draft.refuse("several-match", count=len(found))
            elif found:
                draft.target_id = found[0]
        self._once(drafts)
        if kind == ImportKind.ACCOUNT:
            self._codes(drafts)
        self._hide(model, drafts)

    def _natural(self, drafts: Sequence[Draft]) -> dict[int, list[int]]:
        """Records of the same name, for rows without a number or records that have none yet."""
        kind = self.plan.kind
        if kind == ImportKind.ACCOUNT:
            return self._accounts(drafts)
        model = MODELS[kind]
        names = {str(d.values["fields"].get("name") or "") for d in drafts}
        rows: dict[tuple[str, str], list[tuple[int, str]]] = {}
        numbered = all(d.values.get("external_id") for d in drafts)
        candidates = model.objects.filter(name__in=names)
        if numbered:
            candidates = candidates.filter(external_id="")
        for pk, name, account, number in candidates.values_list("pk", "name", "account_id", "external_id"):
            rows.setdefault((name, str(account or "")), []).append((pk, number))
        found = {}
        for draft in drafts:
            same = rows.get((str(draft.values["fields"].get("name") or ""), self._account(draft)), [])
            has_number = bool(draft.values.get("external_id"))
            ids = [pk for pk, number in same if not has_number or not number]
            if ids and not (has_number and len(ids) > 1):
                found[draft.number] = ids
        return found

    def _accounts(self, drafts: Sequence[Draft]) -> dict[int, list[int]]:
        if self.accounts is None:
            self.accounts = {}
            for pk, name, uscc, number in Account.objects.values_list("pk", "name", "uscc", "external_id"):
                for key in filter(None, (f"n{squeezed(name) or name}", f"u{uscc.upper()}" if uscc else "")):
                    self.accounts.setdefault(key, []).append((pk, number))
        found = {}
        for draft in drafts:
            fields, has_number = draft.values["fields"], bool(draft.values.get("external_id"))
            code, name = str(fields.get("uscc") or "").upper(), str(fields.get("name") or "")
            same = self.accounts.get(f"u{code}", []) if code else []
            same = same or self.accounts.get(f"n{squeezed(name) or name}", [])
            ids = [pk for pk, number in same if not has_number or not number or code]
            if ids:
                found[draft.number] = ids
        return found

    def _once(self, drafts: Sequence[Draft]) -> None:
        """Two rows may mean one record by different marks, one by its number and one by its name: the first counts."""
        for draft in drafts:
            if draft.target_id is not None and not draft.is_bad:
                first = self.taken.setdefault(draft.target_id, draft.number)
                if first != draft.number:
                    draft.refuse("duplicate-in-file", row=first)

    def _codes(self, drafts: Sequence[Draft]) -> None:
        """A credit code that another account has, and not the one that the row is about."""
        for draft in drafts:
            code = str(draft.values["fields"].get("uscc") or "")
            holders = (self.accounts or {}).get(f"u{code.upper()}", []) if code else []
            if any(pk != draft.target_id for pk, _number in holders) and not draft.is_bad:
                taken = taken_codes(catalogue(ImportKind.ACCOUNT), [code], but=draft.target_id)
                if taken:
                    draft.refuse("refused", message=taken[0]["message"])

    def _hide(self, model: Any, drafts: Sequence[Draft]) -> None:
        """What the importer cannot see is neither changed nor told about: only that the number is taken."""
        ids = {d.target_id for d in drafts if d.target_id is not None}
        if not ids or self.by is None:
            return
        visible = set(model.objects.visible_to(self.by).filter(pk__in=ids).values_list("pk", flat=True))
        for draft in drafts:
            if draft.target_id is not None and draft.target_id not in visible:
                draft.refuse("belongs-elsewhere")

    # --- what would change ---

    def _compare(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        kind = KINDS[self.plan.kind]
        rows = kind.model.objects.select_related(
            *(["journey__stage"] if self.plan.kind == ImportKind.OPPORTUNITY else [])
        ).in_bulk([d.target_id for d in drafts])
        ids = list(rows)
        may = {
            right: self._reached(kind.model, ids, right)
            for right in (kind.edit_right, kind.reassign_right, "opportunity.move")
        }
        specs = catalogue(self.plan.kind)
        skip_all = self.plan.options.get("on_existing") == "skip"
        for draft in drafts:
            row = rows[draft.target_id]
            values, derived = draft.values, draft.values.get("derived", ())
            changes = []
            for key, raw in values["fields"].items():
                if key in derived or key in self.plan.options.get("constants", {}):
                    continue
                try:
                    if clean(specs[key], raw) != value_of(row, specs[key]):
                        changes.append(key)
                except BadValue as error:
                    draft.refuse("refused", message=str(error))
            draft.problems = [
                p
                for p in draft.problems
                if p.code not in ("amount-from-price", "stage-undated", "no-account")
            ]
            values["changes"], values["version"] = changes, row.version
            values["reassign"] = bool("owner" in values and values["owner"] != row.owner_id)
            wish = self._wish(row, values.get("path")) if self.plan.kind == ImportKind.OPPORTUNITY else None
            if wish:
                values["wish"], values["journey_version"] = wish, row.journey.version
            draft.action = (
                RowAction.MOVE
                if wish
                else RowAction.UPDATE
                if changes or values["reassign"]
                else RowAction.SKIP
            )
            if skip_all:
                draft.action = RowAction.SKIP
                continue
            wants = (
                (changes, kind.edit_right),
                (values["reassign"], kind.reassign_right),
                (wish, "opportunity.move"),
            )
            if any(wanted and row.pk not in may[right] for wanted, right in wants):
                draft.refuse("no-right")

    def _reached(self, model: Any, ids: list[int], right: str) -> set[int]:
        if self.by is None:
            return set(ids)
        if right == "opportunity.move" and model is not Opportunity:
            return set()
        return set(model.objects.visible_to(self.by, right).filter(pk__in=ids).values_list("pk", flat=True))

    def _wish(self, row: Any, path: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The move that brings the journey where the row says it is; the gate decides later."""
        journey = row.journey
        if path is None or not path["stated"] or journey is None or self.plan.definition is None:
            return None
        if journey.process_key != self.plan.definition.key:
            return None
        wanted, stage, state = path["state"], path["stage"], journey.state
        if wanted in CLOSED:
            if state == wanted:
                return None
            kind = Kind.CLOSE_WON if wanted == "won" else Kind.CLOSE_LOST
            return {"kind": str(kind), "to": "", "reason": path["reason"], "effective_at": path["closed_at"]}
        if wanted == "on_hold":
            return (
                None if state == "on_hold" else {"kind": str(Kind.HOLD), "to": "", "reason": path["reason"]}
            )
        if state in CLOSED:
            return {"kind": str(Kind.REOPEN), "to": stage, "reason": path["reason"]} if stage else None
        if not stage or stage == journey.stage.key:
            return None
        transitions = self.plan.definition.stage(journey.stage.key).transitions
        known = next((t for t in transitions if t.to == stage), None)
        back = self.plan.definition.position(stage) < self.plan.definition.position(journey.stage.key)
        kind = known.kind if known else Kind.REGRESS if back else Kind.ADVANCE
        step = path["steps"][-1]
        return {
            "kind": str(kind),
            "to": stage,
            "reason": path["reason"],
            "effective_at": step[1] if step[2] else None,
        }

    # --- may it be created? ---

    def _rights(self, drafts: Sequence[Draft]) -> None:
        if self.by is None:
            return
        kind = KINDS[self.plan.kind]
        may_create = self.by.may(kind.create_right)
        history = (
            self.plan.kind != ImportKind.OPPORTUNITY
            or not self.plan.has_path
            or self.by.may("import.history")
        )
        reach = self.by.reach(kind.create_right)
        owners = {d.values["owner"] for d in drafts if "owner" in d.values}
        allowed = (
            owners
            if reach.all
            else {self.by.pk}
            | set(User.objects.filter(pk__in=owners, team_id__in=reach.team_ids).values_list("pk", flat=True))
        )
        names = dict(User.objects.filter(pk__in=owners - allowed).values_list("pk", "name"))
        for draft in drafts:
            if not may_create:
                draft.refuse("no-right")
            elif not history:
                draft.refuse("history-right")
            elif (owner := draft.values.get("owner")) is not None and owner not in allowed:
                draft.refuse("person-out-of-reach", value=names.get(owner, ""))


@cache
def _numbered(kind: str) -> Question[tuple[int, str]]:
    rows: Any = MODELS[kind].objects
    return Question(
        lambda numbers: (
            rows.filter(external_id__in=numbers).exclude(external_id="").values_list("pk", "external_id")
        ),
        texts=("numbers",),
    )


def numbered(kind: str, numbers: Iterable[str]) -> list[tuple[int, str]]:
    """Records of a kind that have one of these numbers: id and number."""
    return _numbered(kind)(numbers)


def as_instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
