"""The approvals of a draft on the designer's page: the kinds, one of them with its lists, and the committees (§2.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from fairlead.fields.conditions import words as condition_words

from .approval_enums import Lever
from .approval_policy import ApprovalKind, MatrixRow
from .approval_words import bind_sentence, row_asks, row_sentence
from .definition import Definition
from .designer_approval_forms import (
    committee_inputs,
    entry_inputs,
    kind_inputs,
    new_kind_inputs,
    policy_inputs,
)
from .designer_sentences import Around, deal_roles
from .designer_shapes import At, Form, name_words, other_language
from .editing_approvals import LISTS, asking, committees_of, kinds_of
from .editing_places import stages_of
from .examining import Examination, place_of
from .selectors.approvers import names_of_people

PART: Final = "approvals"
Piece = Mapping[str, Any]


def approvals_part(document: Piece, at: At, near: Around, found: Examination, base: str) -> dict[str, Any]:
    """The list of kinds, or the one that the address opens."""
    errors: dict[str, list[str]] = {}
    for one in found.errors:
        if one.path.startswith("approvals."):
            errors.setdefault(one.path, []).append(one.message)
    page = _Page(document, at, near, errors, f"{base}?part={PART}")
    kinds = kinds_of(document)
    open_kind = next((k for k in kinds if k.get("key") == at.item), None)
    if open_kind is None and at.item.isdigit() and int(at.item) < len(kinds):
        open_kind = kinds[int(at.item)]
    shown = page.kind(open_kind) if open_kind is not None else page.all()
    return {"is_approvals": True, **shown}


class _Page:
    """The pieces of the page of one draft: what stands there, what is wrong with it, and the form that is open."""

    def __init__(
        self, document: Piece, at: At, near: Around, errors: Mapping[str, list[str]], url: str
    ) -> None:
        self.document, self.at, self.near, self.errors, self.url = document, at, near, errors, url
        self.definition: Definition | None = near.definition
        self.read: Mapping[str, ApprovalKind] = near.definition.approvals.kinds if near.definition else {}
        self.people = names_of_people(near.definition) if near.definition else {}

    def wrong(self, path: str) -> list[str]:
        return [
            said
            for at, all_ in self.errors.items()
            if at == path or at.startswith(f"{path}.")
            for said in all_
        ]

    # --- all of them ---

    def all(self) -> dict[str, Any]:
        kinds = kinds_of(self.document)
        rows = [self._summary(kind, i, len(kinds)) for i, kind in enumerate(kinds)]
        return {"rows": rows, "committees": self._committees(), "forms": self._forms()}

    def _summary(self, kind: Piece, i: int, count: int) -> dict[str, Any]:
        key = str(kind.get("key") or i)
        read = self.read.get(key)
        sentences = (
            [row_sentence(r, self.definition, self.people) for r in read.rows]
            if read and self.definition
            else []
        )
        return {
            "key": key, "name": name_words(kind), "other": other_language(kind.get("name")), "first": i == 0,
            "last": i == count - 1, "url": f"{self.url}&item={key}", "says": sentences,
            "otherwise": _otherwise(read), "uses": self._uses(key), "wrong": self.wrong(f"approvals.kinds.{key}"),
        }  # fmt: skip

    def _uses(self, key: str) -> list[dict[str, str]]:
        stages = {str(s.get("key")): name_words(s) for s in stages_of(self.document)}
        parts = {"entry": _("to enter"), "exit": _("to leave"), "moves": _("a way out")}
        base = self.url.partition("?")[0]
        return [
            {
                "text": f"{stages[stage]} · {parts[part]}",
                "url": f"{base}?stage={stage}&part={part}&item={item}#form",
            }
            for stage, part, item in asking(self.document, key)
        ]

    def _committees(self) -> list[dict[str, Any]]:
        read = self.definition.approvals.committees if self.definition else {}
        found = []
        for key, body in committees_of(self.document).items():
            known = read.get(key)
            says = ""
            if known is not None and self.definition is not None:
                row = MatrixRow(key="", lever="", tier=0, approvers=known.members)
                says = row_asks(row, self.definition, self.people).partition(" (")[0]
            found.append(
                {"key": key, "name": name_words({"key": key, **body}), "other": other_language(body.get("name")),
                 "says": says, "url": f"{self.url}&in=committee.{key}#form",
                 "wrong": self.wrong(f"approvals.committees.{key}")}
            )  # fmt: skip
        return found

    def _forms(self) -> list[Form]:
        said, opened = {"part": PART}, self.at.inner.removeprefix("committee.")
        held = committees_of(self.document).get(opened) if self.at.inner.startswith("committee.") else None
        if held is not None:
            form = Form(op="committee_set", inputs=committee_inputs(held, self.near), said=said | {"committee_key": opened},
                        submit=_("Save the committee"), title=name_words({"key": opened, **held}))  # fmt: skip
            return [form]
        if self.at.adding == "committee":
            return [Form(op="committee_add", inputs=committee_inputs({}, self.near), said=said,
                         submit=_("Add the committee"), title=_("New committee"), icon="plus")]  # fmt: skip
        new = Form(op="approval_add", inputs=new_kind_inputs(self.near), said=said, submit=_("Add the approval"),
                   title=_("New approval"), icon="plus")  # fmt: skip
        if self.at.adding or not kinds_of(self.document):
            return [new]
        return [Form(op="approvals_set", inputs=policy_inputs(self.document), said=said, submit=_("Save"),
                     title=_("For all approvals"))]  # fmt: skip

    # --- one of them ---

    def kind(self, kind: Piece) -> dict[str, Any]:
        key = str(kind.get("key", ""))
        name, number = _opened(kind, self.at.inner)
        sections = [self._section(kind, one) for one in LISTS]
        return {
            "kind": {
                "key": key, "name": name_words(kind), "other": other_language(kind.get("name")), "all": self.url,
                "url": f"{self.url}&item={key}", "uses": self._uses(key), "otherwise": _otherwise(self.read.get(key)),
                "stages": [
                    (name_words(s), f"{self.url.partition('?')[0]}?stage={s.get('key')}&part=exit&add=approval#form")
                    for s in stages_of(self.document)
                ],
            },
            "sections": sections,
            "forms": [self._kind_form(kind, key, name, number)],
        }  # fmt: skip

    def _kind_form(self, kind: Piece, key: str, name: str, number: str) -> Form:
        said = {"part": PART, "approval_key": key}
        if self.at.adding in LISTS:
            name = self.at.adding
            inputs = entry_inputs(name, kind, {}, self.near, is_new=True)
            return Form(op="approval_part_add", inputs=inputs, said=said | {"list": name}, submit=_("Add"),
                        title=_new_title(name), icon="plus", when=_when_title(name))  # fmt: skip
        entries = kind.get(name) if name in LISTS else None
        if isinstance(entries, list) and number.isdigit() and int(number) < len(entries):
            body = entries[int(number)]
            held = body if isinstance(body, Mapping) else {}
            inputs = entry_inputs(name, kind, held, self.near, is_new=False)
            return Form(op="approval_part_set", inputs=inputs, said=said | {"list": name, "number": number},
                        submit=_("Save"), title=self._entry_name(kind, name, int(number)), when=_when_title(name))  # fmt: skip
        return Form(op="approval_set", inputs=kind_inputs(kind), said=said, submit=_("Save the approval"),
                    title=_("Name and validity"))  # fmt: skip

    def _section(self, kind: Piece, name: str) -> dict[str, Any]:
        given = kind.get(name)
        entries = [e if isinstance(e, Mapping) else {} for e in given] if isinstance(given, list) else []
        url = f"{self.url}&item={kind.get('key')}"
        rows = []
        for i, entry in enumerate(entries):
            key = entry.get("key") if LISTS[name] and isinstance(entry.get("key"), str) else i
            path = f"approvals.kinds.{kind.get('key')}.{name}.{key}"
            rows.append(
                {"number": i, "anchor": f"{name}-{key}", "name": self._entry_name(kind, name, i),
                 "says": self._says(kind, name, i), "notes": _notes(name, entry), "wrong": self.wrong(path),
                 "first": i == 0, "last": i == len(entries) - 1, "url": f"{url}&in={name}.{i}#form",
                 "open": self.at.inner in (f"{name}.{i}", f"{name}.{key}")}
            )  # fmt: skip
        at_list = self.errors.get(f"approvals.kinds.{kind.get('key')}.{name}", [])
        return {
            "list": name, "title": _title(name), "hint": _hint(name), "rows": rows, "add": f"{url}&add={name}#form",
            "add_text": _new_title(name), "wrong": at_list, "is_matrix": name == "rows",
        }  # fmt: skip

    def _entry(self, kind: Piece, name: str, i: int) -> Any:
        """The entry as it was read, or None where it could not be."""
        read = self.read.get(str(kind.get("key")))
        if read is None:
            return None
        body = kind[name][i]
        key = body.get("key") if isinstance(body, Mapping) else None
        if name == "rows":
            return read.row(str(key))
        if name == "binds":
            field = body.get("field") if isinstance(body, Mapping) else None
            return next(
                (
                    b
                    for b in read.binds
                    if b.spec.key == field and b.lever == body.get("lever", Lever.DECISION)
                ),
                None,
            )
        entries: Sequence[Any] = getattr(read, name)
        return next((one for one in entries if one.key == key), None)

    def _entry_name(self, kind: Piece, name: str, i: int) -> str:
        body, read = kind[name][i], self._entry(kind, name, i)
        if name == "binds":
            return bind_sentence(read) if read is not None else str(body.get("field") or "—")
        if name == "rows" and read is not None and not read.name and self.definition is not None:
            return condition_words(read.when) if read.when is not None else _("In any case")
        return name_words(body if isinstance(body, Mapping) else {})

    def _says(self, kind: Piece, name: str, i: int) -> list[tuple[str, str]]:
        """A row and a prohibition as sentences: in the reader's language, then in the other one."""
        read = self._entry(kind, name, i)
        if read is None or self.definition is None or name not in ("rows", "prohibited"):
            return []
        definition, people = self.definition, self.people
        sentence: Callable[[], str] = (
            (lambda: row_sentence(read, definition, people))
            if name == "rows"
            else (lambda: _("Nobody approves if %(condition)s") % {"condition": condition_words(read.when)})
        )
        mine = "zh-hans" if (get_language() or "zh").startswith("zh") else "en"
        found = []
        for language in (mine, "en" if mine == "zh-hans" else "zh-hans"):
            with translation.override(language):
                found.append((language, sentence()))
        return found


def _otherwise(kind: ApprovalKind | None) -> str:
    """What becomes of a record that no row is about."""
    if kind is None or not kind.rows or any(row.when is None for row in kind.rows):
        return ""
    return _("In every other case nobody is asked.")


def _notes(name: str, entry: Piece) -> list[str]:
    """What stands small beside an entry: tier and lever, clocks, whose opinion, whether it is needed."""
    lever = str(entry.get("lever", Lever.DECISION))
    lever_words = str(Lever(lever).label) if lever in Lever.values else lever
    if name == "rows":
        clocks = _("answer in %(first)s h, decision in %(whole)s h") % {
            "first": entry.get("response_hours", 8),
            "whole": entry.get("decision_hours", 24),
        }
        shown = [_("Tier %(tier)s") % {"tier": entry.get("tier", 1)}]
        return [*shown, *([lever_words] if lever != Lever.DECISION else []), clocks]
    if name == "binds":
        return [lever_words] if lever != Lever.DECISION else []
    if name == "prohibited":
        return []
    roles = dict(deal_roles())
    role = str(entry.get("role") or "")
    return [
        *([roles.get(role, role)] if role else []),
        _("needed") if entry.get("needed", True) else _("optional"),
    ]


def _title(name: str) -> str:
    return {
        "rows": _("Who decides"),
        "binds": _("What is bound by it"),
        "prohibited": _("What nobody approves"),
        "package": _("What is brought along"),
        "opinions": _("Opinions to bring along"),
    }[name]


def _hint(name: str) -> str:
    return {
        "rows": _("Every row that holds counts; for each lever the highest tier decides."),
        "binds": _("A change inside what was approved needs nothing; one outside asks again."),
        "prohibited": _("A record of which this is true is stopped, whoever would agree."),
        "package": _("Without what is needed it cannot be submitted."),
        "opinions": _("A word of another field, given with the request."),
    }[name]


def _new_title(name: str) -> str:
    return {
        "rows": _("Add a row"),
        "binds": _("Add a value"),
        "prohibited": _("Add a prohibition"),
        "package": _("Add something to bring"),
        "opinions": _("Add an opinion"),
    }[name]


def _when_title(name: str) -> str:
    return _("When nobody approves") if name == "prohibited" else _("When this row asks")


def _opened(kind: Piece, inner: str) -> tuple[str, str]:
    """The list and the number of the entry that the address opens, by its key or number."""
    name, _dot, entry = inner.partition(".")
    given = kind.get(name) if name in LISTS else None
    for i, body in enumerate(given if isinstance(given, list) else ()):
        if isinstance(body, Mapping) and body.get("key") == entry:
            return name, str(i)
    return name, entry


def back_to(path: str) -> str:
    """Where one stands after an edit: at the kind, with no form open but its own."""
    found = place_of(path)
    return f"part={PART}&item={found.item}" if found.item else f"part={PART}"


def open_place(given: Mapping[str, str], op: str) -> dict[str, str]:
    """The address of the form that was sent, so that a refused one opens again with what was typed."""
    found = {"part": PART, "item": given.get("approval_key", "")}
    if op == "approval_part_add":
        return found | {"add": given.get("list", "")}
    if op == "approval_part_set":
        return found | {"in": f"{given.get('list', '')}.{given.get('number', '')}"}
    if op == "committee_set":
        return found | {"in": f"committee.{given.get('committee_key', '')}"}
    return found | ({"add": op.removesuffix("_add")} if op.endswith("_add") else {})
