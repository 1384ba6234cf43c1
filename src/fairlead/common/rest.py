"""What every operation of the API shares: strict bodies, versions in If-Match and ETag, pages by cursor.

A room's `schemas.py` builds on `Body` and `Answer`, its `api.py` on `version_in`, `etag` and `cut`.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, Literal, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import register_converter
from django.utils.translation import gettext as _
from ninja import Header, P, PathEx, Schema
from ninja.schema import DjangoGetter
from pydantic import (
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)

from fairlead.common.refusals import Invalid, PreconditionRequired

M = TypeVar("M", bound=Model)
Item = TypeVar("Item")

MAX_ID: Final = 10**15 - 1  # what a browser's number holds exactly
MOST: Final = 200
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")
_YEARS: Final = range(1900, 9999)
_SURROGATE_OR_NUL: Final = re.compile("[\x00\ud800-\udfff]")


class BadInput(Invalid):
    """The request does not have the shape that the operation declares; what it says was not looked at."""

    code = "bad-input"
    status = 400


class IdConverter:
    """Ids in addresses: nothing else is an address, so that an odd one is as unknown as a foreign one."""

    regex = "[1-9][0-9]{0,14}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")


# --- types of values ---


def _only_text(pattern: re.Pattern[str], expected: str) -> Any:
    def check(value: Any) -> Any:
        if isinstance(value, date):
            return value
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(expected)
        if int(value[:4]) not in _YEARS:
            raise ValueError("a year from 1900 to 9998 is expected")
        return value

    return BeforeValidator(check)


def no_bool(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("a number is expected")
    return value


Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Whole = Annotated[int, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[date, _only_text(_DAY, "a day is expected as YYYY-MM-DD")]
Instant = Annotated[AwareDatetime, _only_text(_INSTANT, "a time is expected as YYYY-MM-DDTHH:MM:SS+08:00")]
Amount = Annotated[
    Decimal,
    BeforeValidator(no_bool),
    Field(ge=0, lt=10**16, max_digits=18, decimal_places=2, allow_inf_nan=False),
]
Words = Annotated[
    dict[Literal["zh", "en"], Annotated[str, Field(max_length=1000)]],
    Field(description="`zh` and `en`; at least one of them"),
]
Long = Annotated[str, Field(max_length=20_000)]
PathId = PathEx[int, P(ge=1, le=MAX_ID)]
Code = PathEx[str, P(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The version that you change, as its ETag says: `"3"`. Without it: 428; when it is an older one: 412.',
    ),
]


class Body(Schema):
    """Input: a key that is not declared is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")


class Answer(Schema):
    """Output. Made from plain dicts, which are checked as they are; only a model is asked for its attributes."""

    @model_validator(mode="wrap")
    @classmethod
    def _run_root_validator(
        cls, values: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if isinstance(values, dict):
            return handler(values)
        return handler(DjangoGetter(values, cls, info.context))


class Cut(Answer, Generic[Item]):
    """A page of a list. `next` is the `cursor` of the page after it; null on the last one."""

    items: list[Item]
    next: str | None


class Gap(Answer):
    """A place in the request and what is wrong with it."""

    field: str
    message: str


class Problem(Answer):
    """RFC 9457. `code` is stable; `title` is for people, in the language of the asker; more members by code."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    errors: list[Gap] = []
    request_id: str = ""


# --- versions ---


def version_in(if_match: str | None) -> int:
    """The version named in If-Match. Raises PreconditionRequired without one, BadInput for anything else."""
    if if_match is None:
        raise PreconditionRequired
    if not (found := re.fullmatch(r'"(\d{1,9})"', if_match.strip())):
        raise BadInput.field("If-Match", _('A version in quotation marks is expected, such as "3".'))
    return int(found[1])


def etag(response: HttpResponse, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'


# --- reading what came in ---


def loads(text: str | bytes) -> Any:
    """JSON as RFC 8259 has it: no NaN, no key twice, no half characters, no NUL. Raises BadInput."""
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_pairs)
        _storable(value)
    except RecursionError:
        raise BadInput(_("The JSON is nested too deep.")) from None
    except ValueError as error:
        raise BadInput(
            _("The JSON cannot be read: %(why)s") % {"why": _printable(str(error))[:200]}
        ) from None
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _storable(value: Any) -> None:
    if isinstance(value, str):
        require_storable(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            require_storable(key)
            _storable(inner)
    elif isinstance(value, list):
        for inner in value:
            _storable(inner)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")


def require_storable(text: str) -> None:
    """Raises ValueError for what no database keeps."""
    if _SURROGATE_OR_NUL.search(text):
        raise ValueError("a text holds a character that cannot be stored (NUL or half a character)")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def refuse_unknown(request: HttpRequest, declared: set[str]) -> None:
    """A parameter of the address that nobody reads is a mistake: `?stat=open` must not list everything."""
    for name, values in request.GET.lists():
        if name not in declared:
            raise BadInput.field(_printable(name)[:60], _("There is no such parameter."))
        if any(_SURROGATE_OR_NUL.search(value) for value in values):
            raise BadInput.field(name, _("The text holds a character that cannot be stored. Type it again."))


# --- pages of a list ---


@dataclass(frozen=True, slots=True)
class Sort:
    """A named order: an indexed ORM path, then the id in the same direction."""

    name: str
    path: str
    descending: bool = False

    @property
    def columns(self) -> tuple[str, str]:
        mark = "-" if self.descending else ""
        return (f"{mark}{self.path}", f"{mark}pk")


def sort_named(name: str, paths: Mapping[str, str]) -> Sort:
    """`-amount` and the like, out of `paths` by name. Raises BadInput for a name that is not among them."""
    key = name.removeprefix("-")
    if key not in paths:
        raise BadInput.field(
            "sort", _("“%(name)s” is not an order of this list. There are: %(names)s") % {
                "name": _printable(name)[:60], "names": ", ".join(sorted(paths))})  # fmt: skip
    return Sort(name, paths[key], name.startswith("-"))


def cut(rows: QuerySet[M], sort: Sort, cursor: str, limit: int) -> tuple[list[M], str | None]:
    """The page that begins after `cursor`, and the cursor of the next one."""
    rows = rows.order_by(*sort.columns)
    if cursor:
        rows = rows.filter(_after(rows.model, sort, cursor))
    if rows.query.select_related:
        # Keys first: the joins are those of one page, not of everything that had to be put in order.
        keys = list(rows.select_related(None).values_list("pk", flat=True)[: limit + 1])
        found = list(rows.filter(pk__in=keys))
    else:
        found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], _cursor_of(found[limit - 1], sort)


def _cursor_of(row: Model, sort: Sort) -> str:
    value: Any = row
    for part in sort.path.split("__"):
        value = getattr(value, part)
    text = value.isoformat() if isinstance(value, date) else None if value is None else str(value)
    packed = json.dumps([sort.name, text, row.pk], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _after(model: type[Model], sort: Sort, cursor: str) -> Q:
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        name, text, pk = loads(packed.decode())
        field = _column(model, sort.path)
        value = None if text is None else field.to_python(text)
        if name != sort.name or not isinstance(pk, int) or isinstance(pk, bool) or not 0 < pk < 2**63:
            raise ValueError(name)
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError(value)
    except (ValueError, TypeError, binascii.Error, ValidationError, BadInput):
        raise BadInput.field("cursor", _("This cursor belongs to no page of this list.")) from None
    step = "lt" if sort.descending else "gt"
    same = Q(**{f"{sort.path}__isnull": True} if value is None else {sort.path: value}) & Q(
        **{f"pk__{step}": pk}
    )
    # Nothing stands first in SQLite and last in PostgreSQL; the other way round when descending.
    nothing_first = (connection.vendor == "postgresql") == sort.descending
    if value is None:
        return same | Q(**{f"{sort.path}__isnull": False}) if nothing_first else same
    later = same | Q(**{f"{sort.path}__{step}": value})
    return later if nothing_first or not field.null else later | Q(**{f"{sort.path}__isnull": True})


def _column(model: type[Model], path: str) -> Any:
    found: Any = None
    for part in path.split("__"):
        found = model._meta.pk if part == "pk" else model._meta.get_field(part)
        model = getattr(found, "related_model", None) or model
    return found


def listed(items: Iterable[Any], following: str | None) -> dict[str, Any]:
    return {"items": list(items), "next": following}
