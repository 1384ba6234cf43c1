"""Which records the search index proposes to somebody for what was typed. Whoever reads them decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from django.db.models import CharField, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from fairlead.common.questions import Question
from fairlead.organisation.rights import Reach

from .. import terms
from ..models import Account, Contact, Opportunity
from ..search_index import ask, has_index

#: So many are looked at of what fits: three times as many are still one statement that is compiled once.
NEAREST: Final = 160
WORDS: Final = 4  # in statements that are compiled once


@dataclass(frozen=True, slots=True)
class Proposal:
    """`whole`: whatever fits is among them. If not, they are the newest, the newest own ones and the newest whose
    name begins so."""

    ids: Sequence[int]
    whole: bool


def propose(
    user: Any, kinds: Iterable[str], words: Sequence[str], *, most: int
) -> Mapping[str, Proposal] | None:
    """For each kind that the person may see at all; None where the database has no index.

    One statement says for most words which records hold them. Only for what more than NEAREST hold, a second one
    asks again among those of the person's teams and the person's own.
    """
    return _proposed(
        user,
        kinds,
        lambda kind: terms.every(
            terms.begins(kind, w, with_account=True) if terms.is_short(w) else terms.contains(kind, w)
            for w in words
        ),
        words=words,
        wide=any(map(terms.is_short, words)),
        most=most,
    )


def propose_nearly(
    user: Any, kinds: Iterable[str], halves: Sequence[Sequence[str]]
) -> Mapping[str, Proposal] | None:
    """The same for words of which one of several parts is enough."""
    return _proposed(
        user,
        kinds,
        lambda kind: terms.every(
            terms.some(terms.contains(kind, part) for part in parts) for parts in halves
        ),
    )


def _proposed(
    user: Any,
    kinds: Iterable[str],
    expression_of: Any,
    *,
    words: Sequence[str] = (),
    wide: bool = False,
    most: int = 0,
) -> Mapping[str, Proposal] | None:
    if not has_index():
        return None
    asked = {kind: expression_of(kind) for kind in kinds if user.reach(f"{kind}.view")}
    found = dict(zip(asked, ask([(expression, NEAREST + 1) for expression in asked.values()]), strict=True))
    if wide and (few := [kind for kind in asked if len(found[kind]) <= most]):
        for kind in few:
            asked[kind] = terms.every(terms.contains(kind, word) for word in words)
        again = ask([(asked[kind], NEAREST + 1) for kind in few])
        found |= dict(zip(few, again, strict=True))
    proposals = {kind: Proposal(ids, whole=True) for kind, ids in found.items() if len(ids) <= NEAREST}
    many = [kind for kind in asked if kind not in proposals]
    return proposals | _among_many(user, {kind: asked[kind] for kind in many}, words)


def _among_many(
    user: Any, asked: Mapping[str, terms.Expression], words: Sequence[str]
) -> dict[str, Proposal]:
    """Of what very many records hold: the newest that the person may see, own ones, those that begin so."""
    wanted: list[tuple[terms.Expression, int]] = []
    for kind, expression in asked.items():
        reach, own = user.reach(f"{kind}.view"), terms.of_person(kind, user.pk)
        seen = expression
        if not reach.all:
            seen = terms.every([expression, terms.some([*terms.of_teams(kind, reach.team_ids), own])])
        first = terms.begins(kind, words[0]) if words else own
        wanted += [(seen, NEAREST), (terms.every([expression, own]), NEAREST)]
        wanted.append((terms.every([seen, first]), NEAREST))
    answers, through_deals = ask(wanted), _through_deals(user, asked, words)
    found = {}
    for number, kind in enumerate(asked):
        newest, owned, begun = answers[3 * number : 3 * number + 3]
        met = through_deals.get(kind, [])
        whole = len(newest) < NEAREST and len(met) < NEAREST
        found[kind] = Proposal(sorted({*newest, *owned, *begun, *met}), whole)
    return found


def _through_deals(user: Any, asked: Iterable[str], words: Sequence[str]) -> dict[str, list[int]]:
    """Accounts, and their contacts, that somebody sees for the sake of deals worked together: the index knows the
    owner and the team of an account, not who works on its deals. Which accounts these are is asked first: inside the
    other question PostgreSQL would read everybody's contacts for them."""
    reaches = {kind: user.reach(f"{kind}.view") for kind in asked if kind != "opportunity"}
    kinds = [kind for kind, reach in reaches.items() if reach.own and not reach.all]
    accounts = _accounts_of_deals(user.pk) if kinds else []
    return {
        kind: sorted(_met(kind)(accounts, *padded(words)), reverse=True)[:NEAREST]
        for kind in kinds
        if accounts
    }


_accounts_of_deals: Question[int] = Question(
    # In no order: for the sake of one SQLite would walk through everybody's deals.
    lambda me: (
        Opportunity.objects.filter(account__isnull=False).of_member(me).values_list("account_id", flat=True)
    )
)


@lru_cache(maxsize=4)
def _met(kind: str) -> Question[int]:
    def build(accounts: Any, *words: str) -> Any:
        rows: Any = Contact.objects.filter(account_id__in=accounts)
        if kind == "account":
            rows = Account.objects.filter(pk__in=accounts)
        for word in words:
            rows = rows.filter(holds("search_key", word))
        return rows.values_list("pk", flat=True)

    return Question(lambda accounts, a, b, c, d: build(accounts, a, b, c, d), lists=("accounts",))


def holds(column: str, word: str) -> Q:
    """The word stands in the column, as a value of its own: a statement compiled once can be given another."""
    return Q(GreaterThan(place(column, word), 0))


def place(column: str, word: str) -> StrIndex:
    return StrIndex(column, Value(word, output_field=CharField()))


def padded(words: Sequence[str]) -> list[str]:
    """Exactly WORDS words: the blank one stands in every text. Of more, the first ones."""
    return [*words[:WORDS], *[""] * (WORDS - len(words))]


def reaching(reach: Reach) -> tuple[bool, bool, bool]:
    """The shape of a question about what somebody sees: everything, own ones, those of teams."""
    return reach.all, reach.own, bool(reach.team_ids)
