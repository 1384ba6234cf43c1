"""What can be wrong with a file, in words that a person can act on.

A problem is stored as its code and figures and put into words when it is read: the report of an import is
right in the language of whoever opens it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Severity(StrEnum):
    REFUSED = "refused"  # nothing of the file can be read
    ERROR = "error"  # the row cannot be imported as it stands
    NOTICE = "notice"  # worth a look; the row can be imported


@dataclass(frozen=True, slots=True)
class Wording:
    severity: Severity
    message: Promise
    mend: Promise
    mend_code: str = ""


_REFUSED, _ERROR, _NOTICE = Severity.REFUSED, Severity.ERROR, Severity.NOTICE

WORDINGS: Final[Mapping[str, Wording]] = {
    # The file as a whole
    "file-empty": Wording(
        _REFUSED, _("The file is empty."), _("Choose a file with a header row and rows below it.")
    ),
    "file-too-large": Wording(
        _REFUSED,
        _("The file has %(size)s MB; at most %(limit)s MB are read."),
        _("Split the file into several."),
    ),
    "not-a-table": Wording(
        _REFUSED,
        _("This is not a table: it looks like %(kind)s."),
        _("Choose a CSV or XLSX file."),
    ),
    "old-workbook": Wording(
        _REFUSED,
        _("This is an old or a password-protected workbook."),
        _("Open it, remove the password and save it as XLSX."),
    ),
    "workbook-damaged": Wording(
        _REFUSED,
        _("The workbook is damaged or cut off."),
        _("Open it in a spreadsheet, save it again and choose the new file."),
    ),
    "workbook-bomb": Wording(
        _REFUSED,
        _("The workbook unpacks to more than %(limit)s MB."),
        _("Delete sheets and formats that are not needed, or save the sheet as CSV."),
    ),
    "sheet-missing": Wording(
        _REFUSED, _("The workbook has no sheet “%(sheet)s”."), _("Choose one of its sheets.")
    ),
    "sheet-too-wide": Wording(
        _REFUSED,
        _("The sheet has cells down to row %(rows)s and across to column %(columns)s: too large to read."),
        _("Delete stray cells far from the table, or save the sheet as CSV."),
    ),
    "too-many-columns": Wording(
        _REFUSED,
        _("The file has %(columns)s columns; at most %(limit)s are read."),
        _("Delete the columns that are not needed, or choose another separator."),
    ),
    "too-many-rows": Wording(
        _REFUSED,
        _("The file has more than %(limit)s rows; the rest was not read."),
        _("Split the file into several."),
    ),
    "header-missing": Wording(
        _REFUSED, _("Row %(row)s holds no column titles."), _("Choose the row that holds the titles.")
    ),
    "unknown-encoding": Wording(
        _REFUSED, _("The encoding “%(encoding)s” is not known here."), _("Choose one of the list.")
    ),
    "merged-cells": Wording(
        _NOTICE,
        _("%(count)s merged cells: only the first cell of each holds its value."),
        _("Unmerge the cells and fill them where every row needs the value."),
    ),
    # The header
    "header-empty": Wording(
        _NOTICE, _("Column %(letter)s has values but no title."), _("Give it a title or leave it out.")
    ),
    "header-duplicate": Wording(
        _NOTICE,
        _("The title “%(title)s” occurs %(count)s times; this one is read as “%(key)s”."),
        _("Map the one that you mean and leave the others out."),
    ),
    # Rows and cells
    "row-short": Wording(
        _ERROR,
        _("The row has %(found)s cells, the header %(expected)s."),
        _("Fill the missing cells as empty, or correct the row."),
        "fill-missing",
    ),
    "row-long": Wording(
        _ERROR,
        _("The row has %(found)s cells, the header %(expected)s."),
        _("Put cells that contain the separator in quotes, or drop the surplus."),
        "drop-surplus",
    ),
    "unterminated-quote": Wording(
        _ERROR,
        _("A quoted cell is not closed: the file may be cut off, or a quote is missing."),
        _("Export the file again, or close the quote in this row."),
    ),
    "too-many-quotes": Wording(
        _REFUSED,
        _("Quotes are left open in more than %(limit)s rows; reading stopped at row %(row)s."),
        _("Choose another quote character, or export the file again."),
    ),
    "cell-too-long": Wording(
        _ERROR,
        _("The cell holds more than %(limit)s kB."),
        _("Shorten it, or leave the column out."),
    ),
    "undecodable": Wording(
        _ERROR,
        _("The cell has bytes that are not valid in %(encoding)s."),
        _("Choose another encoding for the file, or correct the cell."),
    ),
    "nul": Wording(_ERROR, _("The cell holds NUL characters."), _("Remove them."), "remove-nul"),
    "cell-error": Wording(
        _ERROR,
        _("The formula of the cell gives an error."),
        _("Correct the formula, or empty the cell."),
    ),
    # Values
    "placeholder": Wording(
        _NOTICE,
        _("“%(value)s” stands for “nothing known”."),
        _("Import it as empty, or keep it."),
        "clear-placeholder",
    ),
    "date-ambiguous": Wording(
        _ERROR,
        _("“%(value)s” may be %(first)s or %(second)s."),
        _("Say which comes first in this column, the day or the month."),
        "date-order",
    ),
    "not-a-date": Wording(_ERROR, _("“%(value)s” is not a date."), _("Write it as 2017-03-04.")),
    "date-impossible": Wording(
        _ERROR, _("There is no day “%(value)s”."), _("Correct the day, or the order of day and month.")
    ),
    "not-a-number": Wording(_ERROR, _("“%(value)s” is not a number."), _("Write it as 1234.56.")),
    "number-ambiguous": Wording(
        _ERROR,
        _("“%(value)s” may be %(first)s or %(second)s."),
        _("Say what separates the decimals in this column, the point or the comma."),
        "number-style",
    ),
    "number-too-large": Wording(
        _ERROR, _("The number “%(value)s” is too large."), _("Write at most 15 digits.")
    ),
    "not-a-boolean": Wording(_ERROR, _("“%(value)s” is neither yes nor no."), _("Write yes or no.")),
    "not-a-choice": Wording(
        _ERROR, _("“%(value)s” is not in the list."), _("Map it to an entry of the list."), "map-value"
    ),
    "not-an-email": Wording(
        _ERROR, _("“%(value)s” is not an e-mail address."), _("Write it as name@company.com.")
    ),
    "phone-rounded": Wording(
        _ERROR,
        _("A spreadsheet rounded the number to “%(value)s”; its last digits are lost."),
        _("Format the column as text and export again."),
    ),
    "text-too-long": Wording(
        _ERROR,
        _("The text has %(length)s characters; at most %(limit)s are kept."),
        _("Shorten it."),
    ),
    "value-missing": Wording(_ERROR, _("“%(title)s” must not be empty."), _("Fill it in.")),
    # The records here
    "unknown-person": Wording(
        _ERROR, _("Nobody here is called “%(value)s”."), _("Map the name to a person."), "map-owner"
    ),
    "person-out-of-reach": Wording(
        _ERROR, _("You may not bring in records of “%(value)s”."), _("Map the name to a person of your team.")
    ),
    "unknown-stage": Wording(
        _ERROR, _("The process has no stage “%(value)s”."), _("Map it to a stage or an outcome."), "map-value"
    ),
    "unknown-record": Wording(
        _ERROR, _("There is no “%(value)s” here."), _("Map it, or leave it empty."), "map-value"
    ),
    "duplicate-in-file": Wording(
        _ERROR,
        _("Row %(row)s is the same record."),
        _("Delete one of the two, or give them different numbers."),
    ),
    "several-match": Wording(
        _ERROR,
        _("%(count)s records here match this row."),
        _("Give the row the number of the one that you mean."),
    ),
    "belongs-elsewhere": Wording(
        _ERROR,
        _("A record with this number is here, but you cannot see it."),
        _("Ask an administrator to import the row."),
    ),
    "ends-before-start": Wording(
        _ERROR, _("It ends on %(end)s, before it starts on %(start)s."), _("Correct one of the two dates.")
    ),
    "in-future": Wording(
        _ERROR, _("%(day)s lies in the future."), _("Correct the date, or leave the column out.")
    ),
    "history-right": Wording(
        _ERROR,
        _("The record is not here yet: its past needs the right to import history."),
        _("Ask an administrator or the process owner to import the row."),
    ),
    "no-right": Wording(
        _ERROR, _("You do not have the right to change this record."), _("Ask its owner or a manager.")
    ),
    "here-by-now": Wording(
        _ERROR, _("The record came in from elsewhere after the check."), _("Check the file again.")
    ),
    "changed-since-check": Wording(
        _ERROR, _("Somebody changed the record after the check."), _("Check the file again.")
    ),
    "gate-refused": Wording(
        _ERROR, _("The gate is not open; missing: %(items)s."), _("Settle what is missing, then move it.")
    ),
    "refused": Wording(_ERROR, _("Refused: %(message)s"), _("Correct the row and import it again.")),
    "kept-changed": Wording(
        _NOTICE,
        _("Kept: somebody has changed or moved the record since."),
        _("Undo it by hand if it must go."),
    ),
    "kept-in-use": Wording(
        _NOTICE, _("Kept: other records need it by now."), _("Undo it by hand if it must go.")
    ),
    "no-account": Wording(
        _NOTICE,
        _("No account is named; the record comes in marked as incomplete."),
        _("Fill in the account later."),
    ),
    "amount-from-price": Wording(
        _NOTICE,
        _("The amount is empty; it takes the list price of the product."),
        _("Fill in the amount if you know it."),
    ),
    "stage-undated": Wording(
        _NOTICE,
        _("Nobody knows when it entered this stage; the time in it is not counted."),
        _("Add the date if you know it."),
    ),
}


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One thing wrong at one place.

    `row` counts as a spreadsheet does (the first row is 1; None: the whole file); `column` is the place in
    the row from 0 (None: the whole row). `params` are plain JSON values.
    """

    row: int | None
    column: int | None
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return WORDINGS[self.code].severity

    @property
    def message(self) -> str:
        return str(WORDINGS[self.code].message) % self.params

    @property
    def mend(self) -> str:
        return str(WORDINGS[self.code].mend) % self.params

    @property
    def mend_code(self) -> str:
        """The one-click mend that helps here (see `mends`), or nothing."""
        return WORDINGS[self.code].mend_code

    @property
    def letter(self) -> str:
        return "" if self.column is None else column_letter(self.column)

    def as_json(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "code": self.code, "params": dict(self.params)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RowProblem":
        return cls(data["row"], data["column"], data["code"], data.get("params", {}))


def column_letter(index: int) -> str:
    """The name that a spreadsheet gives to column `index`, counted from 0: A, Z, AA."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def shown(value: str, *, limit: int = 60) -> str:
    """A value as it may stand inside a message: short, on one line."""
    text = " ".join(value.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
