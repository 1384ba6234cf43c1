"""Changing many records: choose, look at what would happen, do it, see what became of each, take it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fairlead.common import records
from fairlead.common.access import access
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.fields.catalogue import FieldSpec, catalogue
from fairlead.fields.enums import REFERENCE, FieldType
from fairlead.fields.values import from_json
from fairlead.journal.enums import Channel
from fairlead.organisation.models import User

from ..enums import ManyRowState, ManyState
from ..forms.records import errors_by_field, find_reference, make_inputs, people_options
from ..lists import ListPage, kind_of, read_list
from ..models import ManyChange
from ..selectors.references import names_of, target_of, text_of
from ..services import KINDS
from ..services import changing_many as many
from ..services.values import value_of
from .list_words import sentences
from .shared import MAX_ID, go, notes

View = Callable[..., HttpResponse]
SHOWN = 50  # rows of the preview and of a page of results


def change_view(kind: str) -> View:
    @access(f"{kind}.view")
    @require_http_methods(["GET", "HEAD", "POST"])
    def change(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        data = request.POST if request.method == "POST" else request.GET
        found = read_list(kind, data, user=user, at=timezone.now(), url=reverse(kind_of(kind).page))
        ids = _chosen(data, found)
        what = data.get("what", "")
        errors: dict[str, str] = {}
        offered = _offered(kind, user)
        if what not in {key for key, _text in offered}:
            if request.method == "POST":
                raise NotPermitted
            what = ""
        context: dict[str, Any] = {"preview": None, "input": None}
        if what:
            raw, errors = _raw(kind, what, data, user)
            asked = "value" in data or f"has-{what}" in data or what == many.NEXT_STAGE
            if asked and not errors:
                try:
                    value = many.cleaned(kind, what, raw, by=user)
                    if request.method == "POST":
                        return _do(request, kind, ids, what, raw)
                    context["preview"] = _preview(kind, ids, what, value, user)
                except Invalid as refusal:
                    errors = errors_by_field(refusal)
            context["input"] = _input(kind, what, data, user, errors if asked else {})
        return page(
            request,
            "crm/many.html",
            {
                **context,
                "nav_at": kind_of(kind).page.partition(":")[2],
                "kind": kind,
                "plural": localized(records.record_type(kind).plural),
                "list_url": found.address(),
                "here": reverse(f"crm:{kind}_many"),
                "found": found,
                "all": data.get("all") == "1",
                "ids": ids,
                "id_inputs": [] if data.get("all") == "1" else ids,
                "conditions": sentences(found),
                "what": what,
                "offered": offered,
                "errors": list(dict.fromkeys(errors.values())) if context["preview"] is None else [],
                "typed": data.getlist("value"),
                "most": many.MOST,
                "notes": notes(request),
            },
            block="many",
            status=422 if errors and request.method == "POST" else 200,
        )

    return change


def _chosen(data: Any, found: ListPage) -> list[int]:
    """The records that are meant: those ticked, or all that the list holds."""
    if data.get("all") == "1":
        return list(found.queryset().order_by("pk").values_list("pk", flat=True)[: many.MOST + 1])
    texts = dict.fromkeys(
        text for text in data.getlist("id")[: many.MOST + 1] if text.isdigit() and text.isascii()
    )
    return [int(text) for text in texts if len(text) < 19 and int(text) <= MAX_ID]


def _offered(kind: str, user: Any) -> list[tuple[str, str]]:
    found = []
    if user.may(many.right_for(kind, many.OWNER)):
        found.append((many.OWNER, _("Owner")))
    if kind == "opportunity" and user.may("opportunity.move"):
        found.append((many.NEXT_STAGE, _("Move to the next stage")))
    if user.may(KINDS[kind].edit_right):
        found += [
            (spec.key, spec.name()) for spec in many.settable_fields(kind, user) if spec.key != many.OWNER
        ]
    return found


def _raw(kind: str, what: str, data: Any, user: Any) -> tuple[Any, dict[str, str]]:
    """The value as it was typed; a name of a record becomes its number."""
    values = [text for text in data.getlist("value") if text.strip()]
    if what in (many.OWNER, many.NEXT_STAGE):
        return (values[0] if values else ""), {}
    spec = catalogue(kind)[what]
    if spec.type == FieldType.MULTI_CHOICE:
        return values or None, {}
    if spec.type in REFERENCE and values:
        try:
            return find_reference(target_of(spec), values[0], user), {}
        except Invalid as refusal:
            return None, {"value": str(refusal.message)}
    return (values[0] if values else None), {}


def _input(kind: str, what: str, data: Any, user: Any, errors: dict[str, str]) -> Any:
    if what == many.NEXT_STAGE:
        return None
    spec = _owner_spec() if what == many.OWNER else catalogue(kind)[what]
    one = make_inputs([spec], {}, user)[0]
    typed = data.getlist("value")
    one.value, one.chosen = ",".join(typed), frozenset(typed)
    if what == many.OWNER:
        one.type, one.options = "select", people_options()
    one.attrs = {k: v for k, v in one.attrs.items() if k != "required"}
    one.error = " ".join(errors.values())
    return one


def _owner_spec() -> FieldSpec:
    return FieldSpec(
        key=many.OWNER, type=FieldType.PERSON, label={"zh": "负责人", "en": "Owner"}, target="user"
    )


def _preview(kind: str, ids: list[int], what: str, value: Any, user: Any) -> dict[str, Any]:
    judged = many.judge(kind, ids, what=what, value=value, by=user)
    first = [pk for pk in ids if pk in judged.refused and judged.refused[pk] != "gone"][: SHOWN // 2]
    first += judged.may[: SHOWN - len(first)]
    titles = records.record_type(kind).title(first)
    spec = None if what in (many.OWNER, many.NEXT_STAGE) else catalogue(kind)[what]
    rows = KINDS[kind].model.objects.in_bulk(first)
    before = {pk: _before(row, what, spec) for pk, row in rows.items()}
    shown = spec or _owner_spec()
    names = names_of(((shown, v) for v in [*before.values(), value]), reader=user)
    return {
        "may": len(judged.may),
        "same": len(judged.same),
        "refused": len(judged.refused),
        "to": "" if what == many.NEXT_STAGE else _said(shown, value, names),
        "is_step": what == many.NEXT_STAGE,
        "is_long": len(judged.may) > many.AT_ONCE,
        "rows": [
            {
                "name": titles.get(pk, f"#{pk}"),
                "url": records.record_type(kind).url(pk),
                "before": "" if what == many.NEXT_STAGE else _said(shown, before.get(pk), names),
                "why": str(many.WHY[judged.refused[pk]]) if pk in judged.refused else "",
            }
            for pk in first
            if pk in rows
        ],
        "rest": len(judged.may) + len(judged.refused) - len(first),
    }


def _before(row: Any, what: str, spec: FieldSpec | None) -> Any:
    return value_of(row, spec) if spec is not None else row.owner_id


def _said(spec: FieldSpec, value: Any, names: Any) -> str:
    return "—" if value is None or value == "" or value == [] else str(text_of(spec, value, names))


def _do(request: HttpRequest, kind: str, ids: list[int], what: str, raw: Any) -> HttpResponse:
    user: Any = request.user
    run = many.begin(kind, ids, what=what, raw=raw, by=user, at=timezone.now())
    url = reverse("crm:many_result", args=[run.pk])
    if len(ids) > many.AT_ONCE:
        from ..tasks import change_many

        change_many.enqueue(run.pk)
        return go(request, url)
    many.work_on(run.pk, at=timezone.now, channel=Channel.UI)
    run.refresh_from_db()
    done = many.counts(run).get(ManyRowState.CHANGED, 0)
    text = ngettext("%(n)s record changed", "%(n)s records changed", done) % {"n": done}
    can_undo = done and many.may_undo(run)
    return go(request, url, text, reverse("crm:many_undo", args=[run.pk]) if can_undo else "")


@access("signed-in")
@require_safe
def result(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of each record; one's own changes only."""
    user: Any = request.user
    run = _own(pk, user)
    counts = many.counts(run)
    wanted = request.GET.get("state", "")
    rows = run.rows.all()
    if wanted in ManyRowState.values:
        rows = rows.filter(state=wanted)
    number = request.GET.get("page", "1")
    shown = Paginator(rows, SHOWN).get_page(number if number.isascii() else 1)
    kind = records.record_type(run.kind)
    ids = [row.record_id for row in shown]
    seen = kind.visible_ids(user, ids, kind.view_right) if user.may(kind.view_right) else set()
    titles = kind.title([pk for pk in ids if pk in seen])
    total, waiting = sum(counts.values()), counts.get(ManyRowState.PENDING, 0)
    here = reverse("crm:many_result", args=[run.pk])
    return page(
        request,
        "crm/many_result.html",
        {
            "nav_at": kind_of(run.kind).page.partition(":")[2],
            "run": run,
            "title": _("Change of many: %(plural)s") % {"plural": localized(kind.plural)},
            "plural": localized(kind.plural),
            "list_url": reverse(kind_of(run.kind).page),
            "said": _what_words(run, user),
            "is_going": run.state in (ManyState.WAITING, ManyState.RUNNING, ManyState.UNDOING),
            "done": total - (counts.get(ManyRowState.CHANGED, 0) if run.state == ManyState.UNDOING else waiting),
            "total": total,
            "tallies": [
                {"text": str(ManyRowState(s).label), "count": counts[s], "url": f"{here}?state={s}", "current": wanted == s}
                for s in ManyRowState.values
                if counts.get(s)
            ],
            "rows": [
                {
                    "name": titles.get(row.record_id, "—"),
                    "url": kind.url(row.record_id) if row.record_id in seen else "",
                    "state": str(ManyRowState(row.state).label),
                    "is_refused": row.state in (ManyRowState.REFUSED, ManyRowState.KEPT),
                    "why": (row.said if row.record_id in seen else "") or str(many.WHY.get(row.why, "")),
                }
                for row in shown
            ],
            "page": shown,
            "page_url": f"{here}?{'state=' + wanted + '&' if wanted in ManyRowState.values else ''}page=",
            "may_undo": many.may_undo(run) and counts.get(ManyRowState.CHANGED, 0),
            "notes": notes(request),
        },
        block="result",
    )  # fmt: skip


def _what_words(run: ManyChange, user: Any) -> str:
    if run.what == many.NEXT_STAGE:
        return _("Move to the next stage")
    spec = _owner_spec() if run.what == many.OWNER else catalogue(run.kind).get(run.what)
    if spec is None or not spec.readable_by(user):
        return ""
    value = run.value if run.what == many.OWNER else from_json(spec, run.value)
    return f"{spec.name()} → {_said(spec, value, names_of([(spec, value)], reader=user))}"


@access("signed-in")
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back; rights are asked again, and what was changed since stays."""
    user: Any = request.user
    run = many.begin_undo(_own(pk, user).pk, by=user)
    url = reverse("crm:many_result", args=[run.pk])
    if run.rows.count() > many.AT_ONCE:
        from ..tasks import undo_many

        undo_many.enqueue(run.pk)
        return go(request, url)
    many.undo(run.pk, at=timezone.now, channel=Channel.UI)
    back = many.counts(run).get(ManyRowState.UNDONE, 0)
    return go(request, url, ngettext("%(n)s record put back", "%(n)s records put back", back) % {"n": back})


def _own(pk: int, user: User) -> ManyChange:
    run = ManyChange.objects.filter(pk=pk, by=user).first() if pk <= MAX_ID else None
    if run is None:
        raise NotFound
    return run
