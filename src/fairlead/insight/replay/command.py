"""`fairlead process replay FILE`: a document tried on all journeys of its process, with progress."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid
from fairlead.fields.catalogue import pick
from fairlead.process.definition import Definition
from fairlead.process.models import Journey, Process


def replay(name: str, candidate: Definition, as_json: bool, say: Callable[[str], Any]) -> str:
    """Raises Invalid where there is no such process yet: a first version has no history."""
    from . import asked, figures, words  # NumPy, which no other command needs

    process = Process.objects.filter(key=candidate.key).first()
    if process is None:
        raise Invalid(_("There is no process “%(key)s” yet, so it has no history.") % {"key": candidate.key})

    def progress(done: int, total: int) -> None:
        say(f"{name}: {done:,}/{total:,}")

    ids = asked.journey_ids(process, None, most=None)
    found = figures.replay(candidate, ids, at=timezone.now(), progress=progress)
    if as_json:
        return json.dumps(words.as_json(found), ensure_ascii=False, indent=1, cls=DjangoJSONEncoder)
    total = Journey.objects.current().filter(process_key=process.key).count()
    lines = [
        f"{name}: {candidate.key} v{candidate.version}",
        words.whose(found.journeys, total),
        _("It would have stopped %(past)s records on their way, and %(next)s at their next move.")
        % {"past": f"{found.stopped_past:,}", "next": f"{found.stopped_next:,}"},
        words.untold(found),
    ]
    lines += [_criterion(one) for one in words.criteria(found) if one["asked"]]
    line = found.pipeline
    if line.enough:
        lines.append(
            _("Weighted pipeline of %(n)s open records: %(before)s → %(after)s")
            % {"n": line.n, "before": f"{line.before:,.0f}", "after": f"{line.after:,.0f}"}
        )
    lines += [
        f"  {row.journey.title}: {pick(candidate.stage(row.stage).name)}: {', '.join(row.by)}"
        for row in found.rows[:20]
    ]
    return "\n".join(lines)


def _criterion(one: dict[str, Any]) -> str:
    counts = _("met %(met)s, not met %(unmet)s, unknown %(unknown)s, would have stopped %(stopped)s") % one
    rates = " / ".join(
        " ".join(filter(None, (one[side]["rate"], one[side]["span"], one[side]["n"])))
        for side in ("with", "without")
    )
    return f"  {one['stage']} · {one['name']}: {counts} · " + _("won when met / not met: %(rates)s") % {
        "rates": rates
    }
