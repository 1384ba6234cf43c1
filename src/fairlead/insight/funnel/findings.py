"""What stands out, as sentences: where most is lost, what is slowest against its limit, whether it got better.

Sorted by impact, the number of deals concerned. A difference inside the intervals is said to be none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from fairlead.analytics import funnel
from fairlead.analytics.days import Window, date_of
from fairlead.analytics.funnel import members
from fairlead.analytics.intervals import newcombe
from fairlead.analytics.survival import Curve
from fairlead.common.names import localized
from fairlead.process.models import ProcessVersion

from .asked import Asked, percent
from .staying import over_limit

LOSING = ("lost", "no_decision", "walked_away")
RECENT = 90
"""Days of entries that are compared where no window is given."""


def findings(asked: Asked, in_working: Mapping[str, Curve]) -> list[dict[str, Any]]:
    found = [_lost_most(asked), _slowest(asked, in_working), _better(asked)]
    return sorted((f for f in found if f is not None), key=lambda f: -f["impact"])


def _lost_most(asked: Asked) -> dict[str, Any] | None:
    history = asked.loaded.history
    table = funnel.period_exit_yield(history, period=asked.window, **asked.given)
    rows = [
        (sum(row.ends[word] for word in LOSING), row) for row in table.rows if asked.stage(row.stage).shown
    ]
    lost, row = max(rows, key=lambda pair: pair[0], default=(0, None))
    if not lost or row is None:
        return None
    visits = members.exit_visits(history, row.stage, "losing", period=asked.window, **asked.given)
    reasons = asked.loaded.reason[history.case[visits]]
    reasons = reasons[reasons >= 0]
    text = _("%(count)s ended here.") % {"count": f"{lost:,}"}
    if len(reasons):
        counts = np.bincount(reasons, minlength=len(asked.loaded.reasons))
        top = int(counts.argmax())
        if name := _reason_name(asked, asked.loaded.reasons[top]):
            text = _("%(count)s ended here, %(part)s for “%(reason)s”.") % {
                "count": f"{lost:,}",
                "part": f"{int(counts[top]):,}",
                "reason": name,
            }
    return {
        "state": "blocked",
        "gate": "missing",
        "icon": None,
        "impact": lost,
        "head": _("%(stage)s loses most") % {"stage": asked.names[row.stage]},
        "text": text,
        "url": asked.rows_url("period", row.stage, "losing"),
        "link": _("See %(count)s") % {"count": f"{lost:,}"},
    }


def _reason_name(asked: Asked, key: str) -> str:
    """The words of a losing reason in the newest version; a reason it no longer lists is shown by its key."""
    if not key:
        return ""
    version = (
        ProcessVersion.objects.filter(process=asked.process)
        .exclude(published_at=None)
        .order_by("-number")
        .first()
    )
    lists = version.document.get("lists", {}) if version is not None else {}
    entry = next((r for r in lists.get("lost", []) if r.get("key") == key), None)
    return localized(entry["name"]) if entry else key


def _slowest(asked: Asked, in_working: Mapping[str, Curve]) -> dict[str, Any] | None:
    """Against the limit, which is in working days; the stage that exceeds it by the largest part."""
    ratios = []
    for stage in asked.stages:
        curve, limit = in_working[stage.axis_key], stage.limit_red
        slow = curve.p80.value
        if limit and curve.enough and slow is not None:
            ratios.append((slow / limit, stage, slow, limit))
    if not ratios:
        return None
    ratio, stage, slow, limit = max(ratios, key=lambda r: r[0])
    over = over_limit(asked, stage.axis_key)
    name = asked.names[stage.axis_key]
    head = _("%(stage)s is slowest") if ratio > 1 else _("%(stage)s comes nearest to its limit")
    return {
        "state": "due" if ratio > 1 else "ready",
        "gate": None,
        "icon": "hourglass",
        "impact": over,
        "head": head % {"stage": name},
        "text": _("p80 %(slow)s working days, limit %(limit)s.") % {"slow": f"{slow:g}", "limit": limit},
        "url": asked.rows_url("time", stage.axis_key, "over") if over else "",
        "link": _("See %(count)s") % {"count": f"{over:,}"},
    }


def _better(asked: Asked) -> dict[str, Any] | None:
    """Whether those who entered lately got to the end more often than those before; never without the interval."""
    q, history = asked.question, asked.loaded.history
    now, before = _windows(asked)
    if now is None or before is None:
        return None
    how = {"horizon_days": q.days, "mode": q.mode, **asked.given}
    found = funnel.cohort_conversion(history, entered=now, **how)
    start = q.start or next((r.stage for r in found.rows if r.n and asked.stage(r.stage).shown), "")
    if not start:
        return None
    late = funnel.cohort_path(history, start=start, entered=now, **how).overall
    early = funnel.cohort_path(history, start=start, entered=before, **how).overall
    if late.value is None or early.value is None:
        return None
    change = newcombe(late, early)
    text = _("Won within %(days)s days: %(late)s, before %(early)s") % {
        "days": q.days,
        "late": percent(late.value, 1),
        "early": percent(early.value, 1),
    }
    if not change.enough:
        head, rest = (
            _("Too few to compare"),
            _("n = %(late)s and %(early)s.") % {"late": f"{int(late.n):,}", "early": f"{int(early.n):,}"},
        )
    elif change.holds_zero:
        head, rest = _("Not better yet"), _("the intervals overlap.")
    else:
        head = _("Better than before") if (change.value or 0) > 0 else _("Worse than before")
        rest = _("difference %(low)s to %(high)s points.") % {
            "low": f"{(change.low or 0) * 100:+.1f}",
            "high": f"{(change.high or 0) * 100:+.1f}",
        }
    window = {"since": now.since, "until": now.before - timedelta(days=1) if now.before else None}
    return {
        "state": "hold",
        "gate": None,
        "icon": "ruler-measure",
        "impact": int(late.n) if change.enough else 0,
        "head": head,
        "text": text + _("; ") + rest,
        "link": _("See the cohort"),
        "url": asked.page_url(reading="cohort", start=start, **window),
    }


def _windows(asked: Asked) -> tuple[Window | None, Window | None]:
    if asked.window_before is not None:
        return asked.window, asked.window_before
    if asked.question.since or asked.question.until:
        return None, None
    # The last entries that could be followed for the whole horizon, and as many days before.
    last = asked.loaded.history.day(asked.as_of) - asked.question.days + 1
    if last - 2 * RECENT < 0:
        return None, None
    edges = [date_of(last - n * RECENT) for n in (0, 1, 2)]
    return Window(edges[1], edges[0]), Window(edges[2], edges[1])
