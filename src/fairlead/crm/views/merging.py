"""Two people change one record: what does not collide is saved, what does is shown to the later one (U34).

A form carries the version it was made from and, for each field, what stood there (`was-…`). When the record has
moved on, a field that only this person changed is saved over the newer version; where both changed the same
field, or one of two that mean something only together, the later one sees both values and chooses for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Refusal, Stale
from fairlead.fields.catalogue import FieldSpec, catalogue
from fairlead.fields.values import from_json
from fairlead.journal.models import Event
from fairlead.organisation.models import User
from fairlead.work.words import ago

from ..forms.records import make_inputs, plain_text, read, version_of
from ..selectors.fields import values_of
from ..selectors.references import names_of, text_of

#: Fields that say something only together: one changed here and the other there is a collision too.
TOGETHER: Final[Sequence[frozenset[str]]] = (
    frozenset({"amount", "currency"}),
    frozenset({"signed_date", "countersigned_date"}),
)
TURNS: Final = 5  # a record that changes more often than that while one saves is shown as it stands
LOOKED_AT: Final = 50


def partners(key: str) -> frozenset[str]:
    return next((group for group in TOGETHER if key in group), frozenset({key}))


def wanted(specs: Iterable[FieldSpec], data: QueryDict, user: Any) -> dict[str, Any]:
    """What the person changed, without the fields for which the other's value was chosen."""
    changes = read(specs, data, user, changed_only=True)
    return {key: value for key, value in changes.items() if data.get(f"take-{key}") != "theirs"}


def save_merged(
    kind: str,
    data: QueryDict,
    changes: Mapping[str, Any],
    user: Any,
    *,
    load: Callable[[], Any],
    save: Callable[[int], Any],
    conflicts: Callable[[Stale], list[dict[str, Any]]] | None = None,
) -> tuple[Any, str]:
    """The saved row, and a sentence about what somebody else changed meanwhile.

    Raises Stale, its `conflicts` holding the fields that collide, and whatever else `save` refuses.
    """
    version, told = version_of(data), ""
    for turn in range(TURNS):
        try:
            return save(version), told
        except Stale as refusal:
            differing = conflicts(refusal) if conflicts is not None else refusal.details.get("conflicts", [])
            row = load()
            refusal.details["id"] = row.pk
            if not differing:  # somebody wrote the very same values
                return row, told
            theirs = _changed_by_others(kind, row, data, user)
            refusal.details["conflicts"] = [c for c in differing if _collides(c["field"], data, theirs)]
            refusal.details["theirs"] = sorted(theirs)
            if refusal.details["conflicts"] or turn == TURNS - 1 or not _knows_its_base(changes, data):
                raise
            version, told = row.version, who_changed(kind, row.pk, theirs - set(changes), user)
    raise AssertionError("unreachable")


def _knows_its_base(changes: Mapping[str, Any], data: QueryDict) -> bool:
    return all(f"was-{key}" in data for key in changes)


def _collides(key: str, data: QueryDict, theirs: set[str]) -> bool:
    return f"was-{key}" not in data or bool(partners(key) & theirs)


def _changed_by_others(kind: str, row: Any, data: QueryDict, user: Any) -> set[str]:
    """Fields that hold something else now than when the form was made."""
    fields = catalogue(kind)
    specs = [fields[k[4:]] for k in data if k.startswith("was-") and k[4:] in fields]
    specs = [spec for spec in specs if spec.readable_by(user)]
    values = values_of(row, fields)
    names = names_of(((s, values.get(s.key)) for s in specs), reader=user)
    return {
        one.name
        for one in make_inputs(specs, values, user, names=names)
        if plain_text(data[f"was-{one.name}"]) != plain_text(one.was)
    }


def last_changes(kind: str, pk: int, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Of each field who changed it last, and how long ago."""
    open_keys, found = set(keys), {}
    if not open_keys:
        return {}
    events = Event.objects.about(kind, [pk]).filter(type="edited").order_by("-id")[:LOOKED_AT]
    for event in events:
        for key in open_keys & set(event.data.get("fields", ())):
            found[key] = event
            open_keys.discard(key)
        if not open_keys:
            break
    people = dict(User.objects.filter(pk__in={e.actor_id for e in found.values()}).values_list("pk", "name"))
    now = timezone.now()
    return {
        key: {
            "name": people.get(event.actor_id or 0, _("Fairlead")),
            "ago": ago(event.recorded_at, now),
            "at": event.recorded_at,
        }
        for key, event in found.items()
    }


def who_changed(kind: str, pk: int, keys: Iterable[str], user: Any) -> str:
    """“王敏 2 分钟前改了金额”; blank where nothing is to be told."""
    fields = catalogue(kind)
    said: dict[tuple[str, str], list[str]] = {}
    for key, last in sorted(last_changes(kind, pk, keys).items()):
        if key in fields and fields[key].readable_by(user):
            said.setdefault((last["name"], last["ago"]), []).append(fields[key].name())
    return " ".join(
        _("%(name)s changed %(fields)s %(ago)s.")
        % {"name": name, "ago": when, "fields": _(", ").join(labels)}
        for (name, when), labels in said.items()
    )


def conflicts_of(kind: str, fields: Any, refusal: Refusal, user: Any) -> list[dict[str, Any]]:
    """Both sides in words, of fields that the reader may read."""
    found = []
    listed = refusal.details.get("conflicts", [])
    specs = [
        (fields[c["field"]], c)
        for c in listed
        if c["field"] in fields and fields[c["field"]].readable_by(user)
    ]
    pairs = [(spec, from_json(spec, c[side])) for spec, c in specs for side in ("yours", "theirs")]
    names = names_of(pairs, reader=user)
    last = last_changes(kind, refusal.details.get("id", 0), [spec.key for spec, _c in specs])
    for spec, c in specs:
        found.append(
            {
                "key": spec.key,
                "label": spec.name(),
                "yours": text_of(spec, from_json(spec, c["yours"]), names) or "—",
                "theirs": text_of(spec, from_json(spec, c["theirs"]), names) or "—",
                "who": " ".join((last[spec.key]["name"], last[spec.key]["ago"])) if spec.key in last else "",
            }
        )
    return found


def keep_only_mine(inputs: list[Any], request: HttpRequest) -> None:
    """After a conflict the form holds what was typed; what the person did not touch shows the present."""
    typed = {
        one.name
        for one in inputs
        if one.name in request.POST
        and request.POST.get(f"take-{one.name}") != "theirs"
        and ",".join(request.POST.getlist(one.name)).strip()
        != request.POST.get(f"was-{one.name}", "").strip()
    }
    for one in inputs:
        if one.name not in typed and one.type != "choices":
            one.value = one.was


def said_by(kind: str, pk: int, refusal: Stale, user: Any) -> str:
    """Who changed what collides, as a sentence."""
    keys = {c["field"] for c in refusal.details.get("conflicts", [])}
    keys = {partner for key in keys for partner in partners(key)}
    theirs = set(refusal.details.get("theirs", ()))
    return who_changed(kind, pk, keys & theirs or keys, user)


def bases_of(spec: FieldSpec, values: Mapping[str, Any], fields: Any, user: Any) -> list[tuple[str, str]]:
    """What stands now in the field and in those that mean something only with it, for the form of one field."""
    specs = [fields[key] for key in sorted(partners(spec.key)) if key in fields]
    specs = [one for one in specs if one.readable_by(user)]
    names = names_of(((s, values.get(s.key)) for s in specs), reader=user)
    return [(one.name, one.was) for one in make_inputs(specs, values, user, names=names)]
