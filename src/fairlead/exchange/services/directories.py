"""A directory with several files that belong together, and a manifest that says what they are.

`import.yaml` names the files in their order, what their columns and odd words mean, the process, and the day
that counts as today. Without a manifest the files are recognised by their titles (see `salesforce`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, Refusal
from fairlead.exchange.enums import RunState
from fairlead.exchange.models import ImportRun
from fairlead.exchange.reading.mends import Mend
from fairlead.exchange.reading.problems import RowProblem, Severity
from fairlead.organisation.enums import TeamKind
from fairlead.organisation.models import Organisation, Team, User
from fairlead.organisation.services import change_organisation, create_team
from fairlead.process.files import UnreadableFile, read_yaml
from fairlead.process.models import ProcessVersion
from fairlead.process.services import publish

from .checking import begin_check, check
from .running import begin_run, execute
from .staging import set_mapping, stage_file
from .undoing import begin_undo, undo
from .working import clock

MANIFEST: Final = "import.yaml"
CHANNEL: Final = "import"
Say = Callable[[str], None]


class BadManifest(Refusal):
    """The manifest cannot be followed; the message names the place."""

    code = "bad-manifest"


class HasErrors(Refusal):
    """Rows with errors, and nobody said to leave them out. Nothing of this file was written."""

    code = "import-has-errors"


def in_words(group: Mapping[str, Any]) -> str:
    """One kind of problem in one column, with its first rows."""
    problem = RowProblem(None, group["column"], group["code"], group["params"])
    numbers = ", ".join(str(n) for n in group["rows"][:5]) + ("…" if group["count"] > 5 else "")
    where = _("rows %(numbers)s") % {"numbers": numbers}
    return f"{problem.message} {problem.mend} [{where}]"


def is_error(group: Mapping[str, Any]) -> bool:
    return RowProblem(None, None, group["code"], group["params"]).severity is not Severity.NOTICE


@dataclass(slots=True)
class Part:
    """One file: what it is and what its columns mean."""

    file: Path
    kind: str
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    multiply: Mapping[str, int] = field(default_factory=dict)
    content: bytes | None = None  # made from several files


@dataclass(slots=True)
class Bundle:
    """A directory ready to come in."""

    parts: list[Part]
    as_of: date | None = None
    process: Mapping[str, Any] | None = None
    process_key: str = ""
    company: Mapping[str, Any] = field(default_factory=dict)
    left_out: Sequence[str] = ()


def read_manifest(directory: Path) -> Bundle:
    """Raises BadManifest naming the place."""
    data = _plain_data(directory / MANIFEST)
    if not isinstance(data, dict) or not isinstance(data.get("files"), list):
        raise BadManifest(_("%(file)s has no list “files”.") % {"file": MANIFEST})
    parts = []
    for number, entry in enumerate(data["files"], start=1):
        file = directory / str(entry.get("file", ""))
        if not file.is_file() or file.parent.resolve() != directory.resolve():
            raise BadManifest(
                _("files[%(number)s]: there is no file “%(name)s” here.")
                % {"number": number, "name": str(entry.get("file"))[:100]}
            )
        parts.append(
            Part(
                file,
                str(entry.get("kind", "")),
                entry.get("columns", {}),
                entry.get("values", {}),
                entry.get("options", {}),
                entry.get("multiply", {}),
            )
        )
    document = None
    if data.get("process"):
        document = _plain_data(directory / str(data["process"]))
    return Bundle(
        parts,
        _day(data["as_of"]) if data.get("as_of") else None,
        document,
        str((document or {}).get("process", "")),
        data.get("company", {}),
        tuple(data.get("left_out", ())),
    )


def _plain_data(path: Path) -> Any:
    try:
        return read_yaml(path.read_bytes())
    except (UnreadableFile, OSError) as error:
        raise BadManifest(
            _("%(file)s is not readable: %(error)s") % {"file": path.name, "error": str(error)[:200]}
        ) from error


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise BadManifest(
            _("as_of: “%(text)s” is no day; write it as 2017-12-31.") % {"text": str(text)[:40]}
        ) from None


def instant_of(day: date) -> datetime:
    """The last second of a business day."""
    tz = Organisation.objects.current().tz
    return datetime.combine(day + timedelta(days=1), time(), tz) - timedelta(seconds=1)


def bring_in(
    bundle: Bundle,
    *,
    by: User | None,
    at: datetime,
    as_of: date | None,
    say: Say,
    process_key: str = "",
    skip_errors: bool = False,
) -> list[ImportRun]:
    """Stage, check and run every file, in this process. Raises Refusal; files before that one stay in.

    Words that differ in spelling alone are taken for what they resemble, and said. A file with errors comes
    in only with `skip_errors`, and then without the rows that have them.
    """
    day = as_of or bundle.as_of
    until = instant_of(day) if day else None
    _prepare(bundle, by=by, at=until or at, say=say)
    runs: list[ImportRun] = []
    root = _root(bundle, by=by, at=until or at)
    for part in bundle.parts:
        options = {**part.options}
        if part.kind == "opportunity":
            options["process"] = process_key or bundle.process_key
        if part.kind == "person":
            options |= root
        run = _one(
            part,
            options,
            by=by,
            at=at,
            as_of=until,
            parent=runs[0] if runs else None,
            say=say,
            skip_errors=skip_errors,
        )
        runs.append(run)
    return runs


def _prepare(bundle: Bundle, *, by: User | None, at: datetime, say: Say) -> None:
    """Publish the process that the records need; in an installation without people it becomes the default."""
    is_empty = not User.objects.exists()
    if (
        bundle.process is not None
        and not ProcessVersion.objects.published().filter(process__key=bundle.process_key).exists()
    ):
        publish(bundle.process, by=by, at=at, channel=CHANNEL)
        say(_("Process published: %(key)s") % {"key": bundle.process_key})
    if not is_empty:
        return
    organisation = Organisation.objects.current()
    changes: dict[str, Any] = {
        k: v for k, v in bundle.company.items() if k in ("name", "currency", "time_zone")
    }
    if bundle.process_key:
        changes["default_processes"] = {**organisation.default_processes, "opportunity": bundle.process_key}
    if changes:
        change_organisation(by=by, at=at, channel=CHANNEL, **changes)


def _root(bundle: Bundle, *, by: User | None, at: datetime) -> dict[str, Any]:
    """The team above all branches; made where there is none."""
    root = Team.objects.filter(parent=None).order_by("pk").first()
    if root is not None:
        return {"root_team": root.pk}
    since = bundle.company.get("since")
    root = create_team(
        name=str(bundle.company.get("name") or _("Head office")),
        kind=TeamKind.BRANCH,
        by=by,
        at=at,
        channel=CHANNEL,
        from_date=since,
    )
    return {"root_team": root.pk, "made_teams": [root.pk]}


def _one(
    part: Part,
    options: Mapping[str, Any],
    *,
    by: User | None,
    at: datetime,
    as_of: datetime | None,
    parent: ImportRun | None,
    say: Say,
    skip_errors: bool,
) -> ImportRun:
    how: dict[str, Any] = {"by": by, "at": at, "channel": CHANNEL}
    chunks = [part.content] if part.content is not None else _chunks(part.file)
    run = stage_file(
        chunks, file_name=part.file.name, kind=part.kind, options=options, as_of=as_of, parent=parent, **how
    )
    wanted: dict[str, Any] = {
        key: {"target": "", "mends": run.mapping[key].get("mends", [])} for key in run.mapping
    }
    for key, target in part.columns.items():
        if key not in wanted:
            raise BadManifest(
                _("%(file)s has no column “%(column)s”.") % {"file": part.file.name, "column": key}
            )
        wanted[key]["target"] = target
    for key, factor in part.multiply.items():
        wanted[key]["mends"] = [
            *wanted[key]["mends"],
            Mend("multiply", params={"factor": factor, "unit": ""}).as_json(),
        ]
    set_mapping(run.pk, mapping=wanted, value_maps=part.values, options={}, **how)
    begin_check(run.pk, **how)
    check(run.pk)
    run.refresh_from_db()
    run = _take_offers(run, say=say, **how)
    counts = run.counts
    say(
        _(
            "%(file)s: %(new)s new, %(update)s to update, %(move)s to move, %(same)s unchanged, "
            "%(errors)s with errors"
        )
        % {
            "file": run.file_name,
            "new": counts.get("create", 0),
            "update": counts.get("update", 0),
            "move": counts.get("move", 0),
            "same": counts.get("skip", 0),
            "errors": counts.get("error", 0),
        }
    )
    if counts.get("error", 0) and not skip_errors:
        raise HasErrors(
            _(
                "%(file)s has rows with errors:\n%(errors)s\n"
                "Correct them, or add --yes to bring in the others."
            )
            % {
                "file": run.file_name,
                "errors": "\n".join(
                    f"  {in_words(g)} ({g['count']})" for g in run.findings["problems"] if is_error(g)
                ),
            }
        )
    if counts.get("create", 0) + counts.get("update", 0) + counts.get("move", 0):
        begin_run(run.pk, **how | {"at": clock()})
        execute(run.pk)
    else:
        _nothing_to_do(run, at=at)
    run.refresh_from_db()
    return run


def _nothing_to_do(run: ImportRun, *, at: datetime) -> None:
    """Everything is here already: the run is over without having written anything."""
    ImportRun.objects.filter(pk=run.pk).update(state=RunState.DONE, started_at=at, finished_at=at)


def _chunks(file: Path) -> Any:
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _take_offers(run: ImportRun, *, by: User | None, at: datetime, channel: str, say: Say) -> ImportRun:
    """Words that differ in spelling alone: `GTXPro` is `GTX Pro`. Said, and kept in the value map."""
    taken: dict[str, dict[str, str]] = {}
    for target, offers in run.findings.get("unknown", {}).items():
        for offer in offers:
            if offer["safe"]:
                taken.setdefault(target, {})[offer["text"]] = offer["key"]
                say(
                    _("  “%(text)s” is taken for “%(name)s” (%(rows)s rows)")
                    % {"text": offer["text"], "name": offer["name"] or offer["key"], "rows": offer["rows"]}
                )
    if not taken:
        return run
    set_mapping(
        run.pk,
        mapping={},
        value_maps={t: {**run.value_maps.get(t, {}), **m} for t, m in taken.items()},
        options={},
        by=by,
        at=at,
        channel=channel,
    )
    begin_check(run.pk, by=by, at=at, channel=channel)
    check(run.pk)
    run.refresh_from_db()
    return run


def take_back(run_id: int, *, by: User | None, at: datetime) -> list[ImportRun]:
    """Undo a run with all that came in with it, the last file first. Raises Refusal."""
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is None:
        raise Invalid.field("undo", _("There is no import %(number)s.") % {"number": run_id})
    first = run.parent or run
    group = [*ImportRun.objects.filter(parent=first).order_by("-pk"), first]
    undone = []
    for one in group:
        if one.state in (RunState.DONE, RunState.FAILED):
            with transaction.atomic():
                begin_undo(one.pk, by=by, at=at, channel=CHANNEL)
            undo(one.pk)
            one.refresh_from_db()
            undone.append(one)
    return undone
