"""What an index of whole terms can find parts of names by, and how such an index is asked.

A name is found by any part of it: 锐重 in 华锐重工, ruizh in huaruizhonggong, rzg in hrzg. The full-text indexes of
SQLite (FTS5) and PostgreSQL (GIN on tsvector) find whole terms, or terms that begin so. So each place of a search
key becomes a term: two characters from a Han character on, three from any other; the last ones are shorter. A part
of the key that is long enough has only whole terms of it, a shorter one begins one of them:

    华锐重工 huaruizhonggong hrzg  →  华锐 锐重 重工 工 · hua uar aru … ng g · hrz rzg zg g

Terms are written behind a letter that says whose they are, and beside them stand the teams and people whose
records these are, so that an index read in order meets only what somebody may see. An index proposes: the rights
and the search key itself decide (see `selectors.proposals`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

#: Kinds that are looked for by name, with their place in the number of an entry and their letters: of terms
#: anywhere, of the first term of each word of the record's own name, and of each word of its account's name.
CODES: Final = {"opportunity": 0, "account": 1, "contact": 2}
_ANYWHERE: Final = {"opportunity": "d", "account": "a", "contact": "c"}
_BEGINNING: Final = {"opportunity": "e", "account": "b", "contact": "f"}
_ACCOUNT: Final = "g"
_KINDS: Final = {code: kind for kind, code in CODES.items()}
_ROOM: Final = 4  # kinds in one sequence of numbers

Expression = str | tuple[str, tuple["Expression", ...]]  # a term, or ("and" | "or", parts)


class Entry(NamedTuple):
    """What is indexed of one record: its search key, that of the account it belongs to, and whose it is."""

    key: str
    about: str = ""
    teams: tuple[int, ...] = ()
    people: tuple[int, ...] = ()

    def as_text(self) -> str:
        return "\n".join(
            (self.key, self.about, " ".join(map(str, self.teams)), " ".join(map(str, self.people)))
        )


def number_of(kind: str, pk: int) -> int:
    """The number of a record's entry: newer records of a kind have higher ones."""
    return pk * _ROOM + CODES[kind]


def record_of(number: int) -> tuple[str, int]:
    return _KINDS[number % _ROOM], number // _ROOM


def terms_of(kind: str, text: str) -> str:
    """All terms of an entry (see `Entry.as_text`), with one space between, in a settled order."""
    key, about, teams, people = text.split("\n")
    anywhere, beginning, whose = _ANYWHERE[kind], _BEGINNING[kind], kind[0]
    found: set[str] = set()
    for word in f"{key} {about}".split():
        found.update(_cut(anywhere, word))
    found.update(beginning + _first(word) for word in key.split())
    found.update(_ACCOUNT + _first(word) for word in about.split())
    found.update(f"t{whose}{team}" for team in teams.split())
    found.update(f"p{whose}{person}" for person in people.split())
    return " ".join(sorted(found))


@lru_cache(maxsize=4096)
def _cut(letter: str, word: str) -> tuple[str, ...]:
    """At each place of the word a term. Deals of one account bear its name, names are made of the same words."""
    return tuple(
        letter + (word[at : at + 3] if word[at] < "\x80" else word[at : at + 2]) for at in range(len(word))
    )


def _first(word: str) -> str:
    return word[:3] if word[0] < "\x80" else word[:2]


def contains(kind: str, word: str) -> Expression:
    """Entries that may hold `word`: all that do, and some that hold its terms in other places."""
    letter = _ANYWHERE[kind]
    whole = []
    for at, character in enumerate(word):
        end = at + (3 if character < "\x80" else 2)
        if end <= len(word):
            whole.append(letter + word[at:end])
    return every(dict.fromkeys(whole)) if whole else f"{letter}{word}*"


def begins(kind: str, word: str, *, with_account: bool = False) -> Expression:
    """Entries of which a word may begin with `word`; `with_account`: or one of their account's name."""
    first = _first(word)
    rest = "" if len(first) == (3 if first[0] < "\x80" else 2) else "*"
    letters = [_BEGINNING[kind], *([_ACCOUNT] if with_account and kind == "opportunity" else [])]
    return some(f"{letter}{first}{rest}" for letter in letters)


def is_short(word: str) -> bool:
    """One or two letters or digits: half of all names hold them somewhere."""
    return len(word) < 3 and word.isascii()


def of_teams(kind: str, ids: Iterable[int]) -> list[Expression]:
    return [f"t{kind[0]}{pk}" for pk in sorted(ids)]


def of_person(kind: str, pk: int) -> Expression:
    return f"p{kind[0]}{pk}"


def every(parts: Iterable[Expression]) -> Expression:
    return _joined("and", tuple(parts))


def some(parts: Iterable[Expression]) -> Expression:
    return _joined("or", tuple(parts))


def _joined(how: str, parts: tuple[Expression, ...]) -> Expression:
    return parts[0] if len(parts) == 1 else (how, parts)


def for_sqlite(expression: Expression) -> str:
    """As FTS5 reads it."""
    if isinstance(expression, str):
        return f'"{expression[:-1]}" *' if expression.endswith("*") else f'"{expression}"'
    how, parts = expression
    return "(" + f" {how.upper()} ".join(map(for_sqlite, parts)) + ")"


def for_postgresql(expression: Expression) -> str:
    """As a tsquery is written."""
    if isinstance(expression, str):
        return f"'{expression[:-1]}':*" if expression.endswith("*") else f"'{expression}'"
    how, parts = expression
    return "(" + {"and": " & ", "or": " | "}[how].join(map(for_postgresql, parts)) + ")"
