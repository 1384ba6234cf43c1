"""Running records on earlier versions: where their stages go, what it changes, and moving them over (§2.7)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from fairlead.common.access import access
from fairlead.common.money import format_amount
from fairlead.common.names import localized
from fairlead.common.pages import page
from fairlead.common.refusals import Invalid, NotFound, Stale
from fairlead.common.safe_cells import safe_cell
from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.organisation.models import Organisation

from .definition import Definition
from .definitions import definition_of
from .differences import differences, is_same
from .enums import MigrationChoice, MigrationRowState, MigrationState
from .models import Migration, MigrationRow, Process
from .refusals import MigrationRefused
from .selectors.landing import business_day
from .selectors.versions import current_plan, flight, is_late_in_quarter, outlook_words, rows_of
from .services import migrating
from .services.migrating import AT_ONCE, old_versions
from .subjects import room_of
from .tasks import carry_over, try_plan

PER_PAGE = 50
AT_WORK = (MigrationState.RUNNING, MigrationState.UNDOING)
EMPTY_GROUPS = 2  # lines to fill in without JavaScript


@access("process.publish")
@require_http_methods(["GET", "HEAD", "POST"])
def migrate(request: HttpRequest, key: str) -> HttpResponse:
    """The plan at work, or the last one; each button names what it does."""
    process = get_object_or_404(Process, key=key)
    problems: list[dict[str, str]] = []
    status = 200
    if request.method == "POST":
        try:
            _act(request, process)
            return redirect("process:migrate", process.key)
        except MigrationRefused as refusal:
            problems = refusal.details.get("problems") or [{"path": "", "message": str(refusal)}]
            status = 422
        except Invalid as refusal:
            problems, status = (
                [{"path": e["field"], "message": e["message"]} for e in refusal.details["errors"]],
                422,
            )
        except Stale as refusal:
            problems, status = [{"path": "", "message": str(refusal)}], 409
    context = _context(request, process)
    context["problems"] = problems
    return page(request, "process/migrate.html", context, block="content", status=status)


def _act(request: HttpRequest, process: Process) -> None:
    how: dict[str, Any] = {"by": request.user, "at": timezone.now(), "channel": Channel.UI}
    do = request.POST.get("do", "")
    if do == "plan":
        migrating.plan_migration(process.key, **how)
        return
    plan = current_plan(process)
    if plan is None:
        raise NotFound
    version = _number(request.POST.get("version", ""))
    if do in ("save", "try"):
        changed = migrating.edit_plan(plan.pk, version=version, **_plan_in(request, plan), **how)
        if do == "try":
            try_now_or_later(changed, request.user)
    elif do == "pick":
        migrating.pick_stage(
            plan.pk, _number(request.POST.get("journey", "")), request.POST.get("stage", "")[:60], **how
        )
    elif do == "confirm":
        migrating.confirm(plan.pk, version=version, **how)
        carry_over.enqueue(plan.pk)
    elif do == "drop":
        migrating.drop_plan(plan.pk, version=version, **how)
    elif do == "undo":
        migrating.begin_undo(plan.pk, **how)
        carry_over.enqueue(plan.pk)
    else:
        raise Invalid.field("do", _("Say what is to be done."))


def try_now_or_later(plan: Migration, by: Any) -> None:
    """Some hundreds are tried at once; more of them by the worker, while the page shows how far it is."""
    if migrating.in_flight(plan.process.key, plan.target).count() <= 2 * AT_ONCE:
        migrating.check(plan.pk, by=by, at=timezone.now())
    else:
        migrating.require_whole(plan)
        try_plan.enqueue(plan.pk, by.pk)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _plan_in(request: HttpRequest, plan: Migration) -> dict[str, Any]:
    posted = request.POST
    mapping: dict[str, dict[str, Any]] = {}
    for name, value in posted.items():
        if name.startswith("map."):
            _map, version, stage = [*name.split(".", 2), "", ""][:3]
            if value != "=":  # a split that the page shows and does not edit
                mapping.setdefault(version[:10], {})[stage[:60]] = str(value)[:60]
    groups = []
    names = ("stage", "min", "max", "owner", "choice", "reason")
    for values in zip(*(posted.getlist(f"group_{name}") for name in names), strict=False):
        group = dict(zip(names, values, strict=True))
        if group["choice"]:
            groups.append(group)
    days = posted.get("grace_days", "")
    if not (days.isascii() and days.isdigit() and len(days) <= 4):
        raise Invalid.field("grace_days", _("A whole number is expected."))
    return {
        "mapping": mapping,
        "groups": groups,
        "keep_after": posted.get("keep_after", "")[:60],
        "grace_days": int(days),
    }


def _context(request: HttpRequest, process: Process) -> dict[str, Any]:
    plan = current_plan(process)
    at = timezone.now()
    today = business_day(at)
    context: dict[str, Any] = {
        "nav_at": "processes",
        "process": process,
        "name": localized(process.name),
        "flight": flight(process),
        "plan": plan,
        "late_in_quarter": is_late_in_quarter(today),
        "choices": [("", "—"), *MigrationChoice.choices],
    }
    if plan is None:
        return context
    new = definition_of(plan.target)
    currency = Organisation.objects.current().currency
    before = [
        definition_of(v)
        for v in sorted(old_versions(process.key, plan.target).values(), key=lambda v: -v.number)
    ]
    counts = dict(plan.rows.order_by().values_list("state").annotate(n=Count("pk")))
    context |= {
        "target": plan.target,
        "is_open": plan.state in migrating.OPEN_STATES,
        "is_checked": plan.state == MigrationState.CHECKED,
        "is_at_work": plan.state in AT_WORK,
        "is_trying": plan.state == MigrationState.PLANNED and bool(plan.runner),
        "may_undo": migrating.may_be_undone(plan, at=at),
        "undo_until": plan.finished_at + migrating.UNDO_FOR if plan.finished_at else None,
        "maps": [_map_words(old, new, plan) for old in before],
        "stage_options": [("", _("— choose —")), *((s.key, pick(s.name)) for s in new.stages)],
        "old_stages": [("", _("every stage")), *{s.key: pick(s.name) for d in before for s in d.stages}.items()],
        "axes": [("", _("nobody")), *{s.axis_key: pick(s.name) for d in before for s in d.stages}.items()],
        "owners": [("", _("everybody")), *_owners(process, plan)],
        "groups": [*plan.groups, *({} for _n in range(EMPTY_GROUPS))],
        "totals": plan.totals,
        "weighted": [
            format_amount(Decimal(plan.totals.get(f"weighted_{when}", "0")), currency)
            for when in ("before", "after")
        ],
        "states": [(state, MigrationRowState(state).label, n) for state, n in sorted(counts.items())],
        "breaks": [
            (_axis_name(old, before), _axis_name(fresh, [new])) for old, fresh in plan.totals.get("breaks", ())
        ],
    }  # fmt: skip
    shown = request.GET.get("state", "")
    shown = shown if shown in MigrationRowState.values else ""
    number = request.GET.get("page", "1")
    pages = Paginator(rows_of(plan, state=shown), PER_PAGE).get_page(number if number.isascii() else 1)
    by_number = {d.version: d for d in before}
    room = room_of(process.subject_type)
    reached = room.visible_ids(
        request.user, [r.journey.subject_id for r in pages.object_list], right=room.view_right
    )
    context |= {
        "shown": shown,
        "pages": pages,
        "page_url": f"?{'state=' + shown + '&' if shown else ''}page=",
        "rows": [_row_words(row, by_number, new, room, reached) for row in pages.object_list],
    }
    return context


def _owners(process: Process, plan: Migration) -> list[tuple[str, str]]:
    found = (
        migrating.in_flight(process.key, plan.target)
        .exclude(owner=None)
        .order_by("owner__name")
        .values_list("owner_id", "owner__name")
        .distinct()
    )
    return [(str(pk), name) for pk, name in found]


def _axis_name(axis: str, definitions: list[Definition]) -> str:
    return next((pick(s.name) for d in definitions for s in d.stages if s.axis_key == axis), axis)


def _map_words(old: Definition, new: Definition, plan: Migration) -> dict[str, Any]:
    given = plan.mapping.get(str(old.version), {})
    return {
        "number": old.version,
        "changes": differences(old, new),
        "is_same": is_same(old, new),
        "stages": [
            {
                "name": pick(stage.name),
                "field": f"map.{old.version}.{stage.key}",
                "to": given.get(stage.key, "") if isinstance(given.get(stage.key, ""), str) else "=",
                "split": _split_words(given.get(stage.key), new),
                "is_hole": not given.get(stage.key),
            }
            for stage in old.stages
        ],
    }


def _split_words(given: Any, new: Definition) -> str:
    if not isinstance(given, Mapping):
        return ""
    ways = given.get("split") or given.get("pick") or []
    keys = [w if isinstance(w, str) else w.get("to", "") for w in ways]
    said = " / ".join(pick(new.stage(k).name) for k in keys if k in new.by_key)
    return (_("by condition: %(stages)s") if "split" in given else _("by hand: %(stages)s")) % {
        "stages": said
    }


def _row_words(
    row: MigrationRow, old: Mapping[int, Definition], new: Definition, room: Any, reached: set[int]
) -> dict[str, Any]:
    before = old.get(row.from_version)
    sees = row.journey.subject_id in reached
    return {
        "journey": row.journey_id,
        "title": (row.journey.title or "—") if sees else _("A record you cannot see"),
        "url": room.url(row.journey.subject_id) if sees else "",
        "owner": row.journey.owner.name if row.journey.owner else "—",
        "from": pick(before.stage(row.from_stage).name)
        if before and row.from_stage in before.by_key
        else row.from_stage,
        "version": row.from_version,
        "to": pick(new.stage(row.to_stage).name) if row.to_stage in new.by_key else "",
        "choice": row.get_choice_display(),
        "state": row.get_state_display(),
        "picks": [(k, pick(new.stage(k).name)) for k in row.outlook.get("choices", ()) if k in new.by_key],
        "notes": outlook_words(row, new),
    }


@access("process.publish")
@require_safe
def migration_export(request: HttpRequest, key: str) -> HttpResponse:
    """The plan as a file: one line a record, as the page shows it (VR-4)."""
    process = get_object_or_404(Process, key=key)
    plan = current_plan(process)
    if plan is None:
        raise NotFound
    new = definition_of(plan.target)
    old = {d.version: d for d in (definition_of(v) for v in process.versions.exclude(status="draft"))}
    room = room_of(process.subject_type)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            _("Record"),
            _("Owner"),
            _("Version"),
            _("Stage"),
            _("New stage"),
            _("Choice"),
            _("State"),
            _("What changes"),
        ]
    )
    rows = list(rows_of(plan))
    reached = room.visible_ids(request.user, [r.journey.subject_id for r in rows], right=room.view_right)
    for row in rows:
        said = _row_words(row, old, new, room, reached)
        values = [said["title"], said["owner"], f"v{said['version']}", said["from"], said["to"], said["choice"],
                  said["state"], " · ".join(said["notes"])]  # fmt: skip
        writer.writerow([safe_cell(v) for v in values])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{process.key}-v{plan.target.number}-plan.csv"'
    )
    return response
