"""The search index, kept in the same transaction as the records it finds.

Whoever writes a name, an account, an owner or a team tells it here: `index_new` for rows that were just inserted,
`index_again` for any others, changed or gone. An entry that stays the same is not written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction

from ..models import Account, Contact, Opportunity, SearchEntry
from ..search_index import INDEX, has_index
from ..terms import CODES, Entry, number_of, record_of, terms_of

CHUNK: Final = 500
#: Fields of which an entry is made.
WATCHED: Final = frozenset({"name", "short_name", "account", "owner", "sr", "fr"})
_MODELS: Final[Mapping[str, Any]] = {"opportunity": Opportunity, "account": Account, "contact": Contact}
_COLUMNS: Final = {
    "opportunity": ("search_key", "account__search_key", "team_id", "owner_id", "sr_id", "fr_id"),
    "account": ("search_key", "team_id", "owner_id"),
    "contact": ("search_key", "account__team_id", "account__owner_id"),
}
Change = tuple[int, str, str, str]  # number, kind, text of before, text of now; blank where there is none


def index_new(kind: str, rows: Sequence[Any]) -> None:
    """Records that were just inserted."""
    if kind not in CODES or not rows:
        return
    above: dict[int, tuple[str, int | None, int | None]] = {}
    if kind != "account":
        ids = {row.account_id for row in rows} - {None}
        columns = ("pk", "search_key", "team_id", "owner_id")
        found = Account.objects.filter(pk__in=ids).values_list(*columns) if ids else ()
        above = {pk: (key, team, owner) for pk, key, team, owner in found}
    _write([(number_of(kind, row.pk), kind, "", _text_of(kind, row, above)) for row in rows])


def _text_of(kind: str, row: Any, above: Mapping[int, tuple[str, int | None, int | None]]) -> str:
    if kind == "account":
        return _entry(kind, row.search_key, row.team_id, row.owner_id)
    key, team, owner = above.get(row.account_id, ("", None, None))
    if kind == "contact":
        return _entry(kind, row.search_key, team, owner)
    return _entry(kind, row.search_key, key, row.team_id, row.owner_id, row.sr_id, row.fr_id)


def _entry(kind: str, key: str, *columns: Any) -> str:
    """From the columns of `_COLUMNS`."""
    about, (team, *people) = (columns[0] or "", columns[1:]) if kind == "opportunity" else ("", columns)
    entry = Entry(
        key, about, () if team is None else (team,), tuple(sorted({p for p in people if p is not None}))
    )
    return entry.as_text()


def index_again(kind: str, ids: Iterable[int]) -> None:
    """Records that were changed, or are gone; with an account its contacts and the deals that bear its name."""
    if kind not in CODES:
        return
    changed: list[int] = []
    for chunk in _chunks(ids):
        changes = _changes(kind, chunk, _texts(kind, _MODELS[kind].objects.filter(pk__in=chunk)))
        _write(changes)
        changed += [record_of(number)[1] for number, *_about in changes]
    if kind == "account":
        for model, name in ((Contact, "contact"), (Opportunity, "opportunity")):
            for chunk in _chunks(changed):
                index_again(name, model.objects.filter(account__in=chunk).values_list("pk", flat=True))


def rebuild() -> int:
    """Make the whole index anew: the number of its entries."""
    with transaction.atomic():
        forget_all()
        return sum(fill(_MODELS.__getitem__))


def forget_all() -> None:
    """Empty the index, in the caller's transaction."""
    SearchEntry.objects.all().delete()
    if connection.vendor == "sqlite" and has_index():
        with connection.cursor() as cursor:
            cursor.execute(_FORGET_ALL)


def differences() -> Iterator[tuple[str, int]]:
    """Records whose entry is not what it should be: kind and id. Empty when all is well."""
    for kind, model in _MODELS.items():
        numbers = SearchEntry.objects.order_by("pk").values_list("pk", flat=True)
        kept = {n for n in numbers.iterator(chunk_size=10_000) if record_of(n)[0] == kind}
        for chunk in _walk(model):
            texts = _texts(kind, model.objects.filter(pk__in=chunk))
            kept -= {number_of(kind, pk) for pk in chunk}
            for number, _kind, _before, _now in _changes(kind, chunk, texts):
                yield record_of(number)
        yield from map(record_of, sorted(kept))


def fill(model_of: Callable[[str], Any]) -> Iterator[int]:
    """Entries of all records, in batches: how many each time. `model_of` gives a kind's model (of a migration too)."""
    for kind in CODES:
        model = model_of(kind)
        for chunk in _walk(model):
            texts = _texts(kind, model.objects.filter(pk__in=chunk))
            _write([(number_of(kind, pk), kind, "", text) for pk, text in texts.items()])
            yield len(texts)


def _walk(model: Any) -> Iterator[list[int]]:
    last = 0
    while found := list(
        model.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[: 4 * CHUNK]
    ):
        yield found
        last = found[-1]


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


def _texts(kind: str, rows: Any) -> dict[int, str]:
    return {pk: _entry(kind, *columns) for pk, *columns in rows.values_list("pk", *_COLUMNS[kind])}


def _changes(kind: str, ids: Sequence[int], texts: Mapping[int, str]) -> list[Change]:
    numbers = [number_of(kind, pk) for pk in ids]
    kept = dict(SearchEntry.objects.filter(pk__in=numbers).values_list("pk", "text"))
    wanted = {number_of(kind, pk): text for pk, text in texts.items()}
    return [
        (number, kind, before, now)
        for number in numbers
        if (before := kept.get(number, "")) != (now := wanted.get(number, ""))
    ]


def _write(changes: Sequence[Change]) -> None:
    """Entries and their terms, in the caller's transaction."""
    gone = [number for number, _kind, _before, now in changes if not now]
    fresh = [(number, now, terms_of(kind, now)) for number, kind, _before, now in changes if now]
    if connection.vendor == "postgresql":
        if fresh:
            with connection.cursor() as cursor:
                cursor.execute(_UPSERT_TERMS, [list(column) for column in zip(*fresh, strict=True)])
    elif changes:
        with connection.cursor() as cursor:
            if has_index():
                old = [(n, terms_of(kind, before)) for n, kind, before, _now in changes if before]
                if old:
                    cursor.executemany(_FORGET, old)
                cursor.executemany(_LEARN, [(number, terms) for number, _text, terms in fresh])
            cursor.executemany(_UPSERT, [(number, text) for number, text, _terms in fresh])
    if gone:
        SearchEntry.objects.filter(pk__in=gone).delete()


_UPSERT: Final = "INSERT INTO crm_searchentry (id, text) VALUES (%s, %s) ON CONFLICT (id) DO UPDATE SET text = excluded.text"
_UPSERT_TERMS: Final = (
    "INSERT INTO crm_searchentry (id, text, terms) SELECT v.id, v.text, v.terms::tsvector"
    " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS v(id, text, terms)"
    " ON CONFLICT (id) DO UPDATE SET text = excluded.text, terms = excluded.terms"
)
_LEARN: Final = f"INSERT INTO {INDEX} (rowid, terms) VALUES (%s, %s)"  # noqa: S608
#: A table that keeps no texts is told what it had been given.
_FORGET: Final = f"INSERT INTO {INDEX} ({INDEX}, rowid, terms) VALUES ('delete', %s, %s)"  # noqa: S608
_FORGET_ALL: Final = f"INSERT INTO {INDEX} ({INDEX}) VALUES ('delete-all')"  # noqa: S608
