"""From the document: the tracks of a stage (IT-2), what is handed over (IT-5), and the roles that a stage requires (IT-1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import Catalogue
from fairlead.fields.conditions import compile_tree

from .criteria import ROLES
from .definition import Criterion, Package, PackageItem, Reason, Stage, Track
from .document import Reader
from .enums import CriterionType, Level
from .packages import DEAL_TEAM, PACKAGES, RETURN_REASONS

MAX_DAYS = 3650
MOST_TRACKS = 12  # of one stage
TRACK_KEYS = frozenset({"key", "role", "name", "criteria", "level", "limit"})
PACKAGE_KEYS = frozenset({"from", "to", "name", "stages", "items", "days"})


def read_tracks(reader: Reader, value: Any, path: str, exits: Iterable[Criterion]) -> tuple[Track, ...]:
    """Tracks over the items of the exit. An item stands in one of them; a BLOCK track has something required."""
    known = {criterion.key: criterion for criterion in exits}
    found: dict[str, Track] = {}
    placed: set[str] = set()
    if isinstance(value, (list, tuple)) and len(value) > MOST_TRACKS:
        reader.bad(path, _("A stage has at most %(most)s tracks.") % {"most": MOST_TRACKS})
        return ()
    for i, item in enumerate(reader.items(value, path)):
        named = item.get("key") if isinstance(item, Mapping) else None
        here = f"{path}.{named if isinstance(named, str) else i}"
        body = reader.mapping(item, here, TRACK_KEYS)
        key = reader.key(body.get("key"), f"{here}.key")
        if key in found:
            reader.bad(f"{here}.key", _("The track stands twice."))
        role = body.get("role")
        if role not in ROLES:
            reader.bad(f"{here}.role", _("There is no role “%(key)s”.") % {"key": str(role)[:40]})
        level = body.get("level", Level.BLOCK)
        if level not in (Level.BLOCK, Level.FLAG):
            reader.bad(f"{here}.level", _("A track is block or flag."))
            level = Level.BLOCK
        keys = reader.keys(
            reader.items(body.get("criteria"), f"{here}.criteria"),
            f"{here}.criteria",
            tuple(known),
            _("The exit of this stage has no item “%(key)s”."),
        )
        for twice in sorted(placed & set(keys)):
            reader.bad(f"{here}.criteria", _("“%(key)s” stands in two tracks.") % {"key": twice})
        placed |= set(keys)
        required = [k for k in keys if k in known and known[k].level == Level.BLOCK]
        if level == Level.BLOCK and not required:
            reader.bad(f"{here}.criteria", _("A track that blocks needs an item that is required."))
        if level == Level.FLAG and required:
            reader.bad(
                f"{here}.criteria",
                _("“%(key)s” is required: a track that only flags cannot hold it.") % {"key": required[0]},
            )
        yellow, red = read_limit(reader, body.get("limit"), f"{here}.limit")
        if key:
            found[key] = Track(
                key=key,
                role=str(role),
                name=reader.name(body.get("name"), f"{here}.name"),
                criteria=keys,
                level=Level(level),
                limit_yellow=yellow,
                limit_red=red,
            )
    return tuple(found.values())


def read_limit(reader: Reader, value: Any, path: str) -> tuple[int | None, int | None]:
    given = reader.mapping(value, path, {"yellow", "red"})
    yellow, red = (
        reader.optional_number(given.get(n), f"{path}.{n}", 1, MAX_DAYS) for n in ("yellow", "red")
    )
    if yellow is not None and red is not None and yellow > red:
        reader.bad(path, _("yellow ≤ red is expected."))
    return yellow, red


def read_packages(reader: Reader, value: Any, stages: Iterable[Stage], subject: str) -> dict[str, Package]:
    """What the document hands over; where it says nothing, a deal hands over what is usual."""
    if value is None:
        return dict(PACKAGES) if subject == "opportunity" else {}
    keys = tuple(stage.key for stage in stages)
    found: dict[str, Package] = {}
    for i, item in enumerate(reader.items(value, "handovers")):
        path = f"handovers.{i}"
        body = reader.mapping(item, path, PACKAGE_KEYS)
        ends = [body.get("from"), body.get("to")]
        for name, end in zip(("from", "to"), ends, strict=True):
            if end not in DEAL_TEAM:
                reader.bad(f"{path}.{name}", _("One of AR, SR and FR is expected."))
        if ends[0] == ends[1]:
            reader.bad(f"{path}.to", _("A hand-over goes to another role."))
        package = Package(
            from_role=str(ends[0]),
            to_role=str(ends[1]),
            name=reader.name(body.get("name"), f"{path}.name"),
            items=_package_items(reader, body.get("items"), f"{path}.items"),
            stages=reader.keys(
                reader.items(body.get("stages"), f"{path}.stages"),
                f"{path}.stages",
                keys,
                _("There is no stage “%(key)s”."),
            ),
            days=reader.number(body.get("days", 2), f"{path}.days", 1, 60),
        )
        if package.key in found:
            reader.bad(path, _("This hand-over is described twice."))
        found[package.key] = package
    return found


def _package_items(reader: Reader, value: Any, path: str) -> tuple[PackageItem, ...]:
    found: dict[str, PackageItem] = {}
    for i, item in enumerate(reader.items(value, path)):
        here = f"{path}.{i}"
        body = reader.mapping(item, here, {"key", "name", "required"})
        key = reader.key(body.get("key"), f"{here}.key")
        if key in found:
            reader.bad(f"{here}.key", _("The item stands twice."))
        found[key] = PackageItem(
            key=key,
            name=reader.name(body.get("name"), f"{here}.name"),
            required=reader.flag(body.get("required", True), f"{here}.required"),
        )
    if not found:
        reader.bad(path, _("A hand-over brings at least one thing along."))
    return tuple(found.values())


def return_reasons(lists: Mapping[str, tuple[Reason, ...]]) -> tuple[Reason, ...]:
    """Why a hand-over may come back: the document's list, or the usual reasons."""
    return lists.get("handover") or RETURN_REASONS


def with_required_roles(stage: Stage, catalogue: Catalogue) -> Stage:
    """The stage with an entry item for each role that it requires (IT-1), which stands before its own.

    Roles that are no slot of this kind of record are asked of nobody: a contract has no deal team.
    """
    asked = tuple(
        _filled(role, stage.key, catalogue)
        for role in dict.fromkeys(stage.roles.get("required", ()))
        if role in DEAL_TEAM and role.lower() in catalogue
    )
    exits = tuple(_with_own_work(criterion, stage) for criterion in stage.exit)
    entries = tuple(_with_own_work(criterion, stage) for criterion in stage.entry)
    return replace(stage, entry=(*asked, *entries), exit=exits)


def _filled(role: str, stage: str, catalogue: Catalogue) -> Criterion:
    slot = role.lower()
    return Criterion(
        key=f"{slot}_for_{stage}"[:60],
        name={"zh": f"{role} 已指派", "en": f"{role} assigned"},
        type=CriterionType.FIELD,
        level=Level.BLOCK,
        condition=compile_tree({"field": slot, "op": "present"}, catalogue),
        fields=(catalogue[slot],),
        role="MGR",
        slot=role,
    )


def _with_own_work(criterion: Criterion, stage: Stage) -> Criterion:
    """Whose own work an item is that a person confirms: whoever answers for the stage in another role (IT-1)."""
    if criterion.children:
        return replace(criterion, children=tuple(_with_own_work(c, stage) for c in criterion.children))
    if criterion.type != CriterionType.ATTESTATION:
        return criterion
    answering = tuple(r for r in stage.roles.get("accountable", ()) if r in DEAL_TEAM and r != criterion.role)
    return replace(criterion, own_work_of=answering)
