"""The search over records: by name, pinyin or initials, only what the reader sees."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import Any, Final

from django.db.models import Case, Q, When
from django.db.models.lookups import Exact

from fairlead.common.han import simplified
from fairlead.common.questions import Question
from fairlead.common.syllables import is_whole, sounds
from fairlead.common.text import fold, matches
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.crm.selectors.proposals import (
    WORDS,
    Proposal,
    holds,
    padded,
    place,
    propose,
    propose_nearly,
    reaching,
)
from fairlead.organisation.models import User
from fairlead.organisation.rights import Reach

MOST: Final = 20
LONGEST: Final = 100
TYPED_WRONG: Final = 4  # letters from which on one wrong letter is forgiven
NEAR: Final = 200  # candidates that are compared letter by letter
READ_AT_ONCE: Final = 80  # of names that may hold whole syllables in other places
READ_MOST: Final = 400
Piece = tuple[str, bool]  # text, and whether it is what was looked for


@dataclass(frozen=True, slots=True)
class Hits:
    """At most `most` rows of one kind, the nearest first; `more` when there are further ones.

    `near` when nothing is called so and these are called almost so.
    """

    kind: str
    rows: Sequence[Any]
    more: bool
    near: bool = False


def find(
    user: User, text: str, *, kinds: Sequence[str] = ("opportunity", "account", "contact"), most: int = MOST
) -> list[Hits]:
    """Records of which every word stands in the search key, or for a deal in that of its account.

    The search index proposes (`crm.selectors.proposals`), one statement for all kinds; one query per kind with
    proposals takes of them what the person may see and what truly holds the words. What still runs comes first,
    then own records, then names that begin so, then words that begin so, then names in their order. Of words that
    very many records hold, the newest of them, the newest own ones and the newest that begin so are compared.

    Where no kind has a hit, one letter wrong, missing, doubled or swapped is forgiven: asked and read once more.
    """
    words = matches(text[:LONGEST]).split()
    if not words:
        return []
    proposed = propose(user, kinds, words, most=most)
    found = [_hits(user, kind, words, most, proposed) for kind in kinds]
    if not any(hits.rows for hits in found) and any(len(word) >= TYPED_WRONG for word in words):
        halves = [_halves(word) for word in words]
        nearly = propose_nearly(user, kinds, halves)
        return [Hits(kind, _nearly(user, kind, words, most, nearly), False, near=True) for kind in kinds]
    return found


def _hits(
    user: User, kind: str, words: Sequence[str], most: int, proposed: Mapping[str, Proposal] | None
) -> Hits:
    taken: list[Any] = []
    if proposed is not None and kind in proposed:
        proposal = proposed[kind]
        if proposal.ids:
            taken = _taken(user, kind, words, proposal.ids, most + 1)
        if not proposal.whole and len(taken) <= most:  # they held the parts of the words in other places
            proposed = None
    if proposed is None:
        rows = _asked(user, kind)
        for word in words:
            rows = rows.filter(_has(kind, word))
        taken = _sounding(_ranked(rows, user, kind, words[0], f" {words[0]}"), kind, words, most + 1)
    return Hits(kind, taken[:most], len(taken) > most)


def _sounding(rows: Any, kind: str, words: Sequence[str], most: int) -> list[Any]:
    """The first rows that also sound as whole syllables of the words say (站改造 is no zhang)."""
    whole = [word for word in words if is_whole(word)]
    if not whole:
        return list(rows[:most])
    found: list[Any] = []
    for first in range(0, READ_MOST, READ_AT_ONCE):
        read = list(rows[first : first + READ_AT_ONCE])
        found += [row for row in read if _sounds(kind, row, whole)]
        if len(found) >= most or len(read) < READ_AT_ONCE:
            break
    return found[:most]


def _sounds(kind: str, row: Any, whole: Sequence[str]) -> bool:
    keys = _keys(kind, row)
    return all(any(sounds(key, word) for key in keys) for word in whole)


#: What a hit shows and how nearly it fits; the other columns of three joined tables stay where they are.
SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "opportunity": ("name", "search_key", "amount", "currency", "account__name", "account__search_key", "journey__stage__name"),
    "account": ("name", "search_key", "industry", "city", "owner__name"),
    "contact": ("name", "search_key", "department", "title", "account__name"),
}  # fmt: skip


def _asked(user: Any, kind: str) -> Any:
    if kind == "opportunity":
        rows: Any = Opportunity.objects.visible_to(user).select_related("account", "journey__stage")
    elif kind == "account":
        rows = Account.objects.visible_to(user).select_related("owner")
    else:
        rows = Contact.objects.visible_to(user).select_related("account")
    return rows.only(*SHOWN[kind])


def _has(kind: str, word: str) -> Q:
    """A deal is found by the name of its account too."""
    here = holds("search_key", word)
    return here | holds("account__search_key", word) if kind == "opportunity" else here


def _ranked(rows: Any, user: Any, kind: str, word: str, spaced: str) -> Any:
    owner = "account__owner" if kind == "contact" else "owner"
    running = (
        [Case(When(journey__state__in=["open", "on_hold"], then=0), default=1)]
        if kind == "opportunity"
        else []
    )
    return rows.order_by(
        *running,
        Case(When(**{owner: user}, then=0), default=1),
        Case(
            When(Exact(place("search_key", word), 1), then=0),
            When(holds("search_key", spaced), then=1),
            default=2,
        ),
        "name",
        "pk",
    )


class _Reader(int):
    """Somebody in a statement that is compiled once: the id, and how far a right of theirs reaches."""

    seen: Reach

    def reach(self, _right: str) -> Reach:
        return self.seen


def _taken(user: User, kind: str, words: Sequence[str], ids: Sequence[int], most: int) -> list[Any]:
    """Of the proposed records those that the person sees and that hold the words, the nearest first."""
    reach = user.reach(f"{kind}.view")
    asked: list[Any] = [ids, user.pk, words[0], f" {words[0]}", *padded(words)]
    if reach.team_ids and not reach.all:
        asked.append(reach.team_ids)
    rest, whole = words[WORDS:], [word for word in words if is_whole(word)]
    found = _nearest(kind, 0 if rest or whole else most, *reaching(reach))(*asked)
    held = [row for row in found if all(any(word in key for key in _keys(kind, row)) for word in rest)]
    return [row for row in held if _sounds(kind, row, whole)][:most]


@lru_cache(maxsize=32)
def _nearest(kind: str, most: int, everything: bool, own: bool, of_teams: bool) -> Question[Any]:
    """`most` 0: all of them."""

    def build(
        ids: Any, me: int, first: str, spaced: str, words: Sequence[str], teams: Iterable[int] = ()
    ) -> Any:
        reader = _Reader(me)
        reader.seen = Reach(all=everything, own=own, team_ids=frozenset(teams))
        rows = _asked(reader, kind).filter(pk__in=ids)
        for word in words:
            rows = rows.filter(_has(kind, word))
        return _ranked(rows, reader, kind, first, spaced)[: most or None]

    if everything or not of_teams:
        return Question(
            lambda ids, me, first, spaced, a, b, c, d: build(ids, me, first, spaced, (a, b, c, d)),
            lists=("ids",),
        )
    return Question(
        lambda ids, me, first, spaced, a, b, c, d, teams: build(ids, me, first, spaced, (a, b, c, d), teams),
        lists=("ids", "teams"),
    )


def _halves(word: str) -> Sequence[str]:
    """One error leaves one half of a word whole, so that half is what the database looks for."""
    middle = len(word) // 2
    return (word,) if len(word) < TYPED_WRONG else (word[:middle], word[middle:])


def _nearly(
    user: User, kind: str, words: Sequence[str], most: int, proposed: Mapping[str, Proposal] | None
) -> list[Any]:
    """Records of which each word is at most one letter away: compared letter by letter, in at most NEAR rows."""
    rows = _asked(user, kind)
    if proposed is not None:
        if kind not in proposed or not proposed[kind].ids:
            return []
        rows = rows.filter(pk__in=proposed[kind].ids)
    for word in words:
        rows = rows.filter(reduce(or_, (_has(kind, half) for half in _halves(word))))
    scored = []
    for row in rows.order_by("-pk")[:NEAR]:
        keys = _keys(kind, row)
        errors = [min(distance(word, key) for key in keys) for word in words]
        if max(errors) <= 1:
            scored.append((sum(errors), row.name, row.pk, row))
    scored.sort(key=lambda found: found[:3])
    return [found[-1] for found in scored[:most]]


def _keys(kind: str, row: Any) -> list[str]:
    above = [row.account.search_key] if kind == "opportunity" and row.account else []
    return [row.search_key, *above]


def distance(word: str, key: str) -> int:
    """Fewest letters to change, drop, add or swap so that `word` stands somewhere in `key`.

    Optimal string alignment against the best substring: both ends of `key` are free.
    """
    before: list[int] = []
    last = [0] * (len(key) + 1)
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, other in enumerate(key, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == key[j - 2] and word[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last)


def pieces(name: str, text: str) -> list[Piece]:
    """`name` cut where it answers to `text`: by its letters, by its pinyin or by its initials."""
    hit = [False] * len(name)
    for word in matches(text[:LONGEST]).split():
        for start, end in _places(name, word):
            hit[start:end] = [True] * (end - start)
    cut: list[Piece] = []
    for character, marked in zip(name, hit, strict=True):
        if cut and cut[-1][1] == marked:
            cut[-1] = (cut[-1][0] + character, marked)
        else:
            cut.append((character, marked))
    return cut


def _places(name: str, word: str) -> list[tuple[int, int]]:
    whole = simplified(fold(name))
    if len(whole) == len(name):  # each character is still one
        plain = [(start, start + len(word)) for start in _starts(whole, word)]
    else:
        plain = _spans([simplified(fold(character)) for character in name], word)
    if plain or not word.isascii():
        return plain
    from pypinyin import Style, lazy_pinyin  # its tables are large: loaded when first needed

    sounds = [fold(sound) for sound in lazy_pinyin(list(name), style=Style.NORMAL)]
    return _spans(sounds, word) or _spans([sound[:1] for sound in sounds], word)


def _starts(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + 1)


def _spans(parts: Sequence[str], word: str) -> list[tuple[int, int]]:
    """Runs of `parts` whose joined text begins with `word`."""
    found = []
    for start in range(len(parts)):
        joined = ""
        for end in range(start, len(parts)):
            joined += parts[end]
            if len(joined) >= len(word) or not word.startswith(joined):
                break
        if joined.startswith(word) and parts[start]:
            found.append((start, end + 1))
    return found
