"""What the figures of an item say, as sentences; and shares with their interval and n."""

from __future__ import annotations

from django.utils.translation import gettext as _

from fairlead.analytics.criteria import Quality
from fairlead.analytics.intervals import FLOOR, Difference, Rate

ALWAYS = 0.95
MANY = 30  # records from which on "nearly always" is said


def percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.0f}%"


def points(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{round(100 * value):+d}".replace("-", "−").replace("+0", "0")


def rate(one: Rate) -> dict[str, str]:
    """A share with its interval and n; below the floor no number."""
    if not one.n:
        return {"rate": "—", "span": "", "n": ""}
    n = f"{one.k:.0f} / {one.n:.0f}"
    if not one.enough or one.low is None or one.high is None:
        return {"rate": _("too few"), "span": "", "n": n}
    return {"rate": percent(one.value), "span": f"{100 * one.low:.0f}–{100 * one.high:.0f}", "n": n}


def difference(one: Difference) -> dict[str, str]:
    """In points, with its interval; where one side is too small, nothing."""
    if not one.enough or one.low is None or one.high is None:
        return {"rate": _("too few"), "span": "", "n": f"{one.a.cases} + {one.b.cases}"}
    return {
        "rate": points(one.value),
        "span": _("%(low)s to %(high)s") % {"low": points(one.low), "high": points(one.high)},
        "n": f"{one.a.cases} + {one.b.cases}",
    }


def overriding(found: Quality, review: float) -> str:
    """What the waivers of an item say, compared with the share of the house."""
    one = found.override
    if not one.k:
        return ""
    said = {"k": f"{one.k:.0f}", "n": f"{one.n:.0f}", "share": percent(one.value), "most": percent(review)}
    if not one.enough:
        return _("Let pass in %(k)s of %(n)s records; ten are needed to say more.") % said
    if found.is_for_review(review):
        return (
            _(
                "Let pass in %(k)s of %(n)s records (%(share)s), more than %(most)s: it asks for too much, comes too early, "
                "or its evidence cannot be had. Ask for something else, make it a suggestion, or say when it does not apply."
            )
            % said
        )
    return _("Let pass in %(k)s of %(n)s records (%(share)s); up to %(most)s is an exception.") % said


def at_once(found: Quality) -> str:
    one = found.first_pass
    if one.n >= MANY and one.value is not None and one.value >= ALWAYS:
        return _("Nearly always met at once: it tells no record from another.")
    if one.enough and one.high is not None and one.high < 0.5:
        return _("Most are stopped by it at first: people learn of it at the gate, not before.")
    return ""


def lift(found: Quality) -> str:
    one = found.lift
    sides = {"met": one.a.cases, "unmet": one.b.cases, "floor": FLOOR}
    if not one.enough:
        return (
            _(
                "Not enough has ended to compare: met %(met)s, not met %(unmet)s; %(floor)s are needed on each side."
            )
            % sides
        )
    said = {
        "points": points(one.value), "low": points(one.low), "high": points(one.high), "met": percent(one.a.value),
        "unmet": percent(one.b.value),
    }  # fmt: skip
    if one.holds_zero:
        return (
            _(
                "No sign that it matters: won %(met)s with it, %(unmet)s without; between %(low)s and %(high)s points."
            )
            % said
        )
    if (one.value or 0) > 0:
        return (
            _(
                "Records that met it were won more often: %(points)s points (%(low)s to %(high)s), %(met)s against %(unmet)s."
            )
            % said
        )
    return (
        _(
            "Records that met it were won less often: %(points)s points (%(low)s to %(high)s), %(met)s against %(unmet)s."
        )
        % said
    )


def overridden(one: Difference) -> str:
    """Records that an item was let pass for, against those that went through with it."""
    if not one.enough:
        return _few(one)
    if one.holds_zero:
        return _(
            "Won %(a)s with a waiver, %(b)s without: no difference shown (%(low)s to %(high)s points)."
        ) % _sides(one)
    return _("Won %(a)s with a waiver, %(b)s without: a difference of %(low)s to %(high)s points.") % _sides(
        one
    )


def overall(one: Difference) -> str:
    """Records with a waiver at any gate against those without: compared where they came equally far."""
    if not one.enough or one.value is None:
        return _few(one)
    if one.holds_zero:
        return _(
            "Won %(a)s with a waiver, %(b)s without; among those that came equally far no difference is shown "
            "(%(low)s to %(high)s points)."
        ) % _sides(one)
    return _(
        "Won %(a)s with a waiver, %(b)s without; among those that came equally far a difference of %(low)s to %(high)s "
        "points."
    ) % _sides(one)


def _few(one: Difference) -> str:
    return _("Not enough has ended to compare: %(a)s with a waiver, %(b)s without; %(floor)s are needed on each side.") % {
        "a": one.a.cases, "b": one.b.cases, "floor": FLOOR,
    }  # fmt: skip


def _sides(one: Difference) -> dict[str, str]:
    return {
        "a": percent(one.a.value),
        "b": percent(one.b.value),
        "low": points(one.low),
        "high": points(one.high),
    }


def sentences(found: Quality, review: float) -> list[str]:
    """What there is to say of an item, the most pressing first."""
    said = [overriding(found, review), lift(found), at_once(found)]
    if found.overridden.enough:
        said.append(overridden(found.overridden))
    return [one for one in said if one]
