"""Records that a new one may be a double of: asked while somebody types (U18)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fairlead.common.text import fold, matches
from fairlead.organisation.models import User

from ..models import Account, Contact

MOST: Final = 5
SHORTEST: Final = 2  # letters of a name from which on one looks
_CANDIDATES: Final = 200
# What stands behind a company's own name: the legal form, and what a group calls itself.
_FORMS: Final = re.compile(
    r"(股份有限公司|有限责任公司|集团有限公司|有限公司|集团公司|公司|集团|股份"
    r"|\bco\b|\bltd\b|\blimited\b|\binc\b|\bcorp\b|\bcorporation\b|\bcompany\b|\bgroup\b|\bgmbh\b|\bag\b|\bllc\b|\bplc\b)"
)
_NO_LETTER: Final = re.compile(r"[\W_]+")
_NO_DIGIT: Final = re.compile(r"\D+")


@dataclass(frozen=True, slots=True)
class Alike:
    """A record and why it may be the same. `record` is None where the person may not see it."""

    record: Any
    why: str | Promise


def core_of(name: str) -> str:
    """A company's name without its legal form: 启晨半导体（集团）股份有限公司 and 启晨半导体 are one."""
    folded = fold(name)
    return _NO_LETTER.sub("", _FORMS.sub(" ", folded)) or _NO_LETTER.sub("", folded)


def _start_of(name: str) -> str:
    """What every record of that core has in its search key: a Han name whole, else the first word."""
    words = matches(_FORMS.sub(" ", fold(name))).split()
    return words[0] if words else matches(name)


def phone_of(text: str) -> str:
    """The last eleven digits, so that +86 138 1234 5678 and 13812345678 are one; empty for less than seven."""
    digits = _NO_DIGIT.sub("", text)[-11:]
    return digits if len(digits) >= 7 else ""


def alike(kind: str, values: Mapping[str, str], user: User) -> list[Alike]:
    """At most MOST, the surest first, those that the person may not see as None. Two queries."""
    found = _accounts(values) if kind == "account" else _contacts(values)
    rows = found[:MOST]
    model: Any = Account if kind == "account" else Contact
    seen = set(
        model.objects.visible_to(user)
        .filter(pk__in=[row.pk for row, _why in rows])
        .values_list("pk", flat=True)
    )
    return [Alike(row if row.pk in seen else None, why) for row, why in rows]


def _accounts(values: Mapping[str, str]) -> Sequence[tuple[Any, str | Promise]]:
    name, code = core_of(values.get("name", "")), values.get("uscc", "").strip().upper()
    asked = Q()
    if len(name) >= SHORTEST:
        asked |= Q(search_key__contains=_start_of(values["name"]))
    if len(code) == 18:
        asked |= Q(uscc__iexact=code)
    if not asked:
        return []
    rows = Account.objects.filter(asked).select_related("owner").order_by("pk")[:_CANDIDATES]
    same_code = [(row, _("the same credit code")) for row in rows if code and row.uscc.upper() == code]
    same_name = [
        (row, _("the same name")) for row in rows
        if name and name in (core_of(row.name), core_of(row.short_name))
    ]  # fmt: skip
    return _once([*same_code, *same_name])


def _contacts(values: Mapping[str, str]) -> Sequence[tuple[Any, str | Promise]]:
    name = _NO_LETTER.sub("", fold(values.get("name", "")))
    email = values.get("email", "").strip().casefold()
    phones = {phone for key in ("mobile", "phone") if (phone := phone_of(values.get(key, "")))}
    account = values.get("account", "").rpartition("#")[2].strip()  # “启晨半导体 #12”, as one picks it
    asked = Q()
    if len(name) >= SHORTEST and account.isascii() and account.isdigit() and len(account) < 19:
        asked |= Q(account_id=int(account), search_key__contains=name)
    if "@" in email:
        asked |= Q(email__iexact=email)
    for phone in phones:
        asked |= Q(mobile__contains=phone[-4:]) | Q(phone__contains=phone[-4:])
    if not asked:
        return []
    rows = list(Contact.objects.filter(asked).select_related("owner", "account").order_by("pk")[:_CANDIDATES])
    same_mail = [
        (row, _("the same e-mail address")) for row in rows if email and row.email.casefold() == email
    ]
    same_phone = [
        (row, _("the same phone number"))
        for row in rows
        if phones & {phone_of(row.mobile), phone_of(row.phone)}
    ]
    same_name = [
        (row, _("the same name at the same account")) for row in rows
        if name and str(row.account_id) == account and _NO_LETTER.sub("", fold(row.name)) == name
    ]  # fmt: skip
    return _once([*same_mail, *same_phone, *same_name])


def _once(found: Sequence[tuple[Any, str | Promise]]) -> list[tuple[Any, str | Promise]]:
    """Each record with its surest reason."""
    first: dict[int, tuple[Any, str | Promise]] = {}
    for row, why in found:
        first.setdefault(row.pk, (row, why))
    return list(first.values())
