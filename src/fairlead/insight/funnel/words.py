"""Words of the funnel page: ends, reasons for being left out, definitions printed beside the number."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def won() -> str:
    return pgettext("funnel", "Won")


def too_few() -> str:
    return _("Too few")


def no_such_process() -> str:
    return _("There is no such process with a funnel.")


def no_such_stage() -> str:
    return _("This process has no such stage.")


def no_such_rows() -> str:
    return _("There is no such figure.")


def end(word: str) -> str:
    """How a visit or a case ended."""
    texts = {
        "all": pgettext("visit", "All ends"),
        "advance": pgettext("visit", "Advanced"),
        "won": pgettext("visit", "Won"),
        "skip_forward": pgettext("visit", "Skipped ahead"),
        "regress": pgettext("visit", "Moved back"),
        "lost": pgettext("visit", "Lost"),
        "no_decision": pgettext("visit", "No decision"),
        "walked_away": pgettext("visit", "We walked away"),
        "cancelled": pgettext("visit", "Cancelled"),
        "forward": pgettext("visit", "Got further"),
        "losing": pgettext("visit", "Lost in any way"),
        "open": pgettext("visit", "Still there"),
        "left": pgettext("visit", "Left"),
        "invalid": pgettext("visit", "Invalid"),
        "duplicate": pgettext("visit", "Duplicate"),
        "merged": pgettext("visit", "Merged"),
        "left_process": pgettext("visit", "Left the process"),
        "stays": pgettext("visit", "All stays"),
        "over": pgettext("visit", "Longer than the limit"),
    }
    return texts[word]


def way_out(cause: str) -> str:
    """How a stay ended, in the five ways that time in stage tells apart; "lost" is any kind of losing there."""
    return end("losing" if cause == "lost" else cause)


def reason(word: str) -> str:
    """Why rows are not counted."""
    texts = {
        "entry_unknown": _("entry date unknown"),
        "arrival_unknown": _("date of getting further unknown"),
        "final_only": _("only the end is known"),
        "merged": _("merged"),
        "left_process": _("left the process"),
        "skipped": _("stage was skipped"),
        "started_later": _("began at a later stage"),
        "follow_up_short": _("not followed long enough"),
        "moved": _("only moved to another version"),
        "amount_unknown": _("amount unknown"),
        "opened_unknown": _("beginning unknown"),
        "excluded": _("invalid, duplicate or merged"),
        "invalid": _("invalid"),
        "duplicate": _("duplicate"),
        "no_decision": _("no decision"),
        "walked_away": _("we walked away"),
    }
    return texts[word]


def reasons(counts: Mapping[str, int]) -> str:
    """“entry date unknown 500 · merged 3”; empty when everything counts."""
    return " · ".join(f"{reason(word)} {number:,}" for word, number in counts.items() if number)


def left_out(counts: Mapping[str, int]) -> str:
    said = reasons(counts)
    return _("Not counted: %(reasons)s") % {"reasons": said} if said else ""


def explanation(reading: str, mode: str) -> str:
    """One line under the tabs: what this reading is, and what it is not."""
    if reading == "stock":
        return _(
            "What lies where now. The ratio of two stages describes the workload; it is no chance of getting there."
        )
    if reading == "period":
        return _(
            "How the stays ended that ended in the period. Quick to react; biased when the ages of open deals change."
        )
    if mode == "touch":
        return _(
            "Those who entered together: the share that really stood in the very next stage within the days given."
        )
    return _(
        "Those who entered together: the share that got further within the days given. A skipped stage counts as passed."
    )


def horizon(days: int, half_took_more_than: int) -> str:
    """Why the page follows deals for so long by itself."""
    return _("%(days)s days, for half of what was won took more than %(less)s.") % {
        "days": days,
        "less": half_took_more_than,
    }


def definition(basis: str) -> str:
    """Printed beside the win rate, for the denominators of others differ."""
    if basis == "closed":
        return _("won ÷ (won + lost to a competitor)")
    return _("won ÷ (won + lost to a competitor + no decision + we walked away)")


def reading(word: str) -> str:
    return {
        "cohort": pgettext("funnel", "Cohort"),
        "period": pgettext("funnel", "Period"),
        "stock": pgettext("funnel", "Stock"),
    }[word]


def days(number: float | None) -> str:
    return "—" if number is None else _("%(number)s d") % {"number": f"{number:g}"}


def cleaned_up() -> str:
    return _("One person's win rate leaves out what was closed on clean-up days.")
