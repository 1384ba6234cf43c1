"""What a move says: where to, why, and what closing asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.common.text import clean_text
from fairlead.fields.catalogue import catalogue
from fairlead.fields.values import BadValue, clean

COMMENT_LIMIT = 2000


class MoveForm:
    """The body of a move, cleaned. `errors` by field; what was typed stays in `typed`.

    `asked`: the person has seen the form with its reasons (a card dropped on a column has not).
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.errors: dict[str, str] = {}
        self.typed = {
            name: str(data.get(name) or "")
            for name in ("reason", "comment", "competitor", "resume_date", "amount", "keep_work")
        }
        self.kind, self.to = str(data.get("kind") or "")[:20], str(data.get("to") or "")[:60]
        self.asked = bool(data.get("asked"))
        version = str(data.get("version") or "")
        self.version = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
        self.reason = self._text("reason", 60)
        self.comment = self._text("comment", COMMENT_LIMIT, multiline=True)
        self.form: dict[str, str] = {}
        if competitor := self._text("competitor", 200):
            self.form["competitor"] = competitor
        if self.typed["keep_work"]:
            self.form["keep_work"] = "1"
        if self.typed["resume_date"].strip():
            self._resume_date()
        if self.typed["amount"].strip():
            self._amount()

    def is_valid(self) -> bool:
        return not self.errors

    def _text(self, name: str, limit: int, *, multiline: bool = False) -> str:
        try:
            return clean_text(self.typed[name], limit=limit, multiline=multiline, field=name)
        except Invalid as error:
            self.errors[name] = str(error.message)
            return ""

    def _resume_date(self) -> None:
        try:
            day = parse_date(self.typed["resume_date"].strip()[:20])
        except ValueError:
            day = None
        if day is None:
            self.errors["resume_date"] = _("A day is expected as YYYY-MM-DD.")
        else:
            self.form["resume_date"] = day.isoformat()

    def _amount(self) -> None:
        try:
            value = clean(catalogue("opportunity")["amount"], self.typed["amount"])
        except BadValue as error:
            self.errors["amount"] = str(error)
            return
        if value is not None and value < 0:
            self.errors["amount"] = _("An amount is not negative.")
        elif value is not None:
            self.form["amount"] = str(value)
