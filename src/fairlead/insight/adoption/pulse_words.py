"""The five elements of a change in words: what is asked, and what to do where it sticks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from fairlead.analytics.adoption import ADKAR

from .pulse import Pulse


def questions() -> list[tuple[str, str, str]]:
    """Element, its name, the sentence to agree with."""
    return [(key, name(key), _asked(key)) for key in ADKAR]


def name(key: str) -> str:
    return {
        "awareness": _("Awareness"),
        "desire": _("Desire"),
        "knowledge": _("Knowledge"),
        "ability": _("Ability"),
        "reinforcement": _("Reinforcement"),
    }[key]


def _asked(key: str) -> str:
    return {
        "awareness": _("I know why we work this way."),
        "desire": _("I want to work this way."),
        "knowledge": _("I know how to do it."),
        "ability": _("I manage to do it in daily work."),
        "reinforcement": _("Doing it is noticed and worth it."),
    }[key]


def act_on(key: str) -> str:
    """What helps first; later elements rest on earlier ones."""
    return {
        "awareness": _("Say why, with cases of your own; training will not help yet."),
        "desire": _("Ask what it costs and take it away; the burden meter shows where to begin."),
        "knowledge": _("Show how: examples of evidence, one stage at a time."),
        "ability": _("Practise on real deals, with somebody beside; shorten the items that stop most."),
        "reinforcement": _("Make it seen: weekly summary, words of the manager, reviews that use it."),
    }[key]


def shown(pulse: Pulse | None) -> dict[str, Any] | None:
    if pulse is None:
        return None
    return {
        "round": pulse.round,
        "n": pulse.n,
        "rows": [
            {
                "name": name(key), "mean": f"{pulse.means[key]:.1f}", "share": pulse.means[key] / 5,
                "is_barrier": key == pulse.barrier,
            }
            for key in ADKAR
            if key in pulse.means
        ],
        "barrier": name(pulse.barrier) if pulse.barrier else "",
        "act": act_on(pulse.barrier) if pulse.barrier else "",
    }  # fmt: skip
