"""A Salesforce export directory: accounts, contacts, opportunities, their stage history as real visits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from fairlead.exchange.reading.files import read_whole
from fairlead.exchange.reading.matching import suggest_values
from fairlead.exchange.writing import csv_chunks
from fairlead.process.definition import Definition
from fairlead.process.files import read_yaml
from fairlead.process.services import validate

from .directories import BadManifest, Bundle, Part
from .lookups import stage_entries
from .staging import definition_for

PLAIN: Final = "plain_opportunity"
_ACCOUNT: Final[Mapping[str, str]] = {
    "Id": "external_id",
    "Name": "name",
    "ParentId": "parent",
    "BillingCity": "city",
    "Phone": "phone",
    "Website": "website",
    "Industry": "industry",
    "AnnualRevenue": "annual_revenue",
    "NumberOfEmployees": "employees",
}
_CONTACT: Final[Mapping[str, str]] = {
    "Id": "external_id",
    "AccountId": "account",
    "FirstName": "first_name",
    "LastName": "last_name",
    "Phone": "phone",
    "MobilePhone": "mobile",
    "Email": "email",
    "Title": "title",
    "Department": "department",
}
_OPPORTUNITY: Final[Mapping[str, str]] = {
    "Id": "external_id",
    "AccountId": "account",
    "Name": "name",
    "Description": "description",
    "StageName": "stage",
    "Amount": "amount",
    "CloseDate": "expected_close_date",
    "MainCompetitors__c": "competitor",
    "History": "history",
}


def recognise(directory: Path, *, process_key: str = "") -> Bundle:
    """The files of an export without a manifest. Raises BadManifest where nothing is recognised."""
    if not (directory / "Opportunity.csv").is_file():
        raise BadManifest(
            _("%(path)s has no import.yaml and is no export that is known here.") % {"path": directory}
        )
    document, definition = _process(process_key)
    parts = []
    for name, kind, columns in (("Account", "account", _ACCOUNT), ("Contact", "contact", _CONTACT)):
        file = directory / f"{name}.csv"
        if file.is_file():
            parts.append(Part(file, kind, _here(columns, _table(file))))
    deals = _table(directory / "Opportunity.csv")
    words = {str(row["StageName"]) for row in deals}
    history = _history(directory / "OpportunityHistory.csv")
    words |= {stage for steps in history.values() for stage, _at in steps}
    meanings = _meanings(words, definition)
    parts.append(
        Part(
            directory / "Opportunity.csv",
            "opportunity",
            _here(_OPPORTUNITY, deals) | {"History": "history"},
            {"stage": {w: _token(k) for w, k in meanings.items()}},
            content=_joined(deals, history, meanings),
        )
    )
    return Bundle(parts, process=document, process_key=definition.key, left_out=("OwnerId",))


def _process(key: str) -> tuple[Mapping[str, Any] | None, Definition]:
    """The process of the installation, or the plain one where there is none yet."""
    found = definition_for({"process": key})
    if found is not None:
        return None, found
    document = read_yaml(files("fairlead.process").joinpath("content", f"{PLAIN}.yaml").read_bytes())
    return document, validate(document)[0]


def _here(columns: Mapping[str, str], rows: list[dict[str, str]]) -> dict[str, str]:
    """Those of `columns` that the file has: an export holds what its administrator chose."""
    there = rows[0].keys() if rows else columns.keys()
    return {title: field for title, field in columns.items() if title in there}


def _table(path: Path) -> list[dict[str, str]]:
    table, rows, _problems = read_whole(path)
    if table is None:
        return []
    titles = [c.title for c in table.columns]
    return [dict(zip(titles, row.cells, strict=True)) for row in rows]


def _history(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Opportunity → (stage, instant) in order."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    if path.is_file():
        for row in sorted(_table(path), key=lambda r: (r["CreatedDate"], r["Id"])):
            at = datetime.fromisoformat(row["CreatedDate"]).replace(tzinfo=UTC)
            found[row["OpportunityId"]].append((row["StageName"], at.isoformat()))
    return found


def _meanings(words: set[str], definition: Definition) -> dict[str, str]:
    """Each stage name of the export → a stage or an outcome; what nobody knows is the first stage."""
    entries, more, _names = stage_entries(definition)
    first = definition.start_stages[0].key
    found = {}
    for s in suggest_values(sorted(words), entries, words=more):
        found[s.text] = (s.key or f"stage:{first}").removeprefix("stage:") if s.confidence >= 0.85 else first
    return found


def _token(key: str) -> str:
    return key if key in ("won", "lost", "cancelled", "on_hold", "open") else f"stage:{key}"


def _joined(
    deals: list[dict[str, str]], history: Mapping[str, list[tuple[str, str]]], meanings: Mapping[str, str]
) -> bytes:
    """The opportunities with one more column: their path."""
    header = [*deals[0], "History"] if deals else ["Id", "History"]
    rows = [
        [*deal.values(), "|".join(f"{meanings[stage]}@{at}" for stage, at in history.get(deal["Id"], ()))]
        for deal in deals
    ]
    return b"".join(csv_chunks(header, rows))
