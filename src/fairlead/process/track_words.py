"""Role tracks in words: on the designer's page, and what changed about them from one version to the next."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from fairlead.fields.catalogue import pick

from .definition import Stage, Track
from .enums import Level
from .roles import role_name


def track_words(track: Track, stage: Stage) -> str:
    """“Solution manager (SR): Internal review passed, …; 12/18 working days; may lag behind”."""
    names = {criterion.key: pick(criterion.name) for criterion in stage.exit}
    items = _(", ").join(names[key] for key in track.criteria if key in names)
    parts = [_("%(role)s: %(items)s") % {"role": role_name(track.role), "items": items}]
    if track.limit_yellow or track.limit_red:
        limit = f"{track.limit_yellow or '—'}/{track.limit_red or '—'}"
        parts.append(_("within %(limit)s working days") % {"limit": limit})
    if track.level != Level.BLOCK:
        parts.append(_("may lag behind"))
    return _("; ").join(parts)


def track_changes(old: Stage, new: Stage) -> Iterator[tuple[str, str]]:
    """Sign and sentence of each track of a stage that came, went or changed."""
    were = {t.key: (pick(t.name), track_words(t, old)) for t in old.tracks}
    are = {t.key: (pick(t.name), track_words(t, new)) for t in new.tracks}
    for sign, some, others in (("removed", were, are), ("added", are, were)):
        yield from ((sign, _said(new, *words)) for key, words in some.items() if key not in others)
    yield from (
        ("changed", _said(new, *words)) for key, words in are.items() if were.get(key, words) != words
    )


def _said(stage: Stage, name: str, words: str) -> str:
    return _("%(stage)s: track “%(track)s”: %(words)s") % {
        "stage": pick(stage.name), "track": name, "words": words,
    }  # fmt: skip
