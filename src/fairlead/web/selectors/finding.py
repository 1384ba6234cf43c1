"""The search over records: by name, pinyin or initials, only what the reader sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Q, When

from fairlead.common.han import simplified
from fairlead.common.text import fold, matches
from fairlead.crm.models import Account, Contact, Opportunity
from fairlead.organisation.models import User

MOST: Final = 20
LONGEST: Final = 100
TYPED_WRONG: Final = 4  # letters from which on one wrong letter is forgiven
NEAR: Final = 200  # candidates that are compared letter by letter
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
    """One query per kind where something is found. Every word must stand in the record's search key.

    What still runs comes first, then own records, then names that begin so, then words that begin so. Where no
    kind has a hit, one letter wrong, missing, doubled or swapped is forgiven: one more query per kind.
    """
    words = matches(text[:LONGEST]).split()
    if not words:
        return []
    found = []
    for kind in kinds:
        rows = _asked(user, kind)
        for word in words:
            rows = rows.filter(_has(kind, word))
        taken = list(_ranked(rows, user, kind, words[0])[: most + 1])
        found.append(Hits(kind, taken[:most], len(taken) > most))
    if not any(hits.rows for hits in found) and any(len(word) >= TYPED_WRONG for word in words):
        return [Hits(kind, _nearly(user, kind, words, most), False, near=True) for kind in kinds]
    return found


#: What a hit shows and how nearly it fits; the other columns of three joined tables stay where they are.
SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "opportunity": ("name", "search_key", "amount", "currency", "account__name", "account__search_key", "journey__stage__name"),
    "account": ("name", "search_key", "industry", "city", "owner__name"),
    "contact": ("name", "search_key", "department", "title", "account__name"),
}  # fmt: skip


def _asked(user: User, kind: str) -> Any:
    if kind == "opportunity":
        rows: Any = Opportunity.objects.visible_to(user).select_related("account", "journey__stage")
    elif kind == "account":
        rows = Account.objects.visible_to(user).select_related("owner")
    else:
        rows = Contact.objects.visible_to(user).select_related("account")
    return rows.only(*SHOWN[kind])


def _has(kind: str, word: str) -> Q:
    """A deal is found by the name of its account too."""
    here = Q(search_key__contains=word)
    return here | Q(account__search_key__contains=word) if kind == "opportunity" else here


def _ranked(rows: Any, user: User, kind: str, word: str) -> Any:
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
            When(search_key__startswith=word, then=0),
            When(search_key__contains=f" {word}", then=1),
            default=2,
        ),
        "name",
        "pk",
    )


def _nearly(user: User, kind: str, words: Sequence[str], most: int) -> list[Any]:
    """Records of which each word is at most one letter away.

    One error leaves one half of a word whole, so that half is what the database looks for; the letters are compared
    here, in at most NEAR rows.
    """
    rows = _asked(user, kind)
    for word in words:
        if len(word) < TYPED_WRONG:
            rows = rows.filter(_has(kind, word))
        else:
            middle = len(word) // 2
            rows = rows.filter(_has(kind, word[:middle]) | _has(kind, word[middle:]))
    scored = []
    for row in rows.order_by("-pk")[:NEAR]:
        keys = (
            [row.search_key, row.account.search_key]
            if kind == "opportunity" and row.account
            else [row.search_key]
        )
        errors = [min(distance(word, key) for key in keys) for word in words]
        if max(errors) <= 1:
            scored.append((sum(errors), row.name, row.pk, row))
    scored.sort(key=lambda found: found[:3])
    return [found[-1] for found in scored[:most]]


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
    folded = [simplified(fold(character)) for character in name]
    plain = _spans(folded, word)
    if plain or not word.isascii():
        return plain
    from pypinyin import Style, lazy_pinyin  # its tables are large: loaded when first needed

    sounds = [fold(sound) for sound in lazy_pinyin(list(name), style=Style.NORMAL)]
    return _spans(sounds, word) or _spans([sound[:1] for sound in sounds], word)


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
