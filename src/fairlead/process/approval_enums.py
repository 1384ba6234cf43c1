"""Choices of approvals (§2.4)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class Lever(models.TextChoices):
    """What a concession is made in. A matrix of prices alone would push concessions to the others."""

    DECISION = "decision", pgettext_lazy("lever", "Decision")
    PRICE = "price", pgettext_lazy("lever", "Price and discount")
    PAYMENT = "payment", pgettext_lazy("lever", "Payment terms")
    DELIVERY = "delivery", pgettext_lazy("lever", "Services and delivery")
    LEGAL = "legal", pgettext_lazy("lever", "Contract and legal risk")
    SECURITY = "security", pgettext_lazy("lever", "Security and privacy")


class Direction(models.TextChoices):
    """Which way a value may move after it was approved (AP-3)."""

    AT_MOST = "at_most", pgettext_lazy("envelope", "at most")
    AT_LEAST = "at_least", pgettext_lazy("envelope", "at least")
    SUBSET = "subset", pgettext_lazy("envelope", "none beyond")
    EQUAL = "equal", pgettext_lazy("envelope", "exactly")


class Resolver(models.TextChoices):
    """How a row of the matrix names its approvers (AP-1)."""

    LINE = "line", pgettext_lazy("approver", "manager, levels up")
    DEAL = "deal", pgettext_lazy("approver", "role in the deal team")
    ROLE = "role", pgettext_lazy("approver", "role in the company")
    PERSON = "person", pgettext_lazy("approver", "named person")
    COMMITTEE = "committee", pgettext_lazy("approver", "committee")


class ApprovalMode(models.TextChoices):
    """How the votes of a row are counted (AP-2)."""

    SEQUENTIAL = "sequential", pgettext_lazy("approval mode", "One after another")
    ALL = "all", pgettext_lazy("approval mode", "All of them")
    ANY = "any", pgettext_lazy("approval mode", "Whoever answers first")
    K_OF_N = "k_of_n", pgettext_lazy("approval mode", "A number of them")


class RequestState(models.TextChoices):
    PENDING = "pending", pgettext_lazy("approval", "Being decided")
    APPROVED = "approved", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    RETURNED = "returned", pgettext_lazy("approval", "Returned")
    RECALLED = "recalled", pgettext_lazy("approval", "Withdrawn")


class StepState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("approval step", "Not yet asked")
    ACTIVE = "active", pgettext_lazy("approval step", "Being decided")
    APPROVED = "approved", pgettext_lazy("approval step", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval step", "Rejected")


class SeatState(models.TextChoices):
    """Where one approver's vote stands."""

    WAITING = "waiting", pgettext_lazy("approval seat", "Not yet asked")
    ASKED = "asked", pgettext_lazy("approval seat", "Asked")
    APPROVED = "approved", pgettext_lazy("approval seat", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval seat", "Rejected")
    CARRIED = "carried", pgettext_lazy("approval seat", "Decided before")
    PASSED = "passed", pgettext_lazy("approval seat", "Not needed any more")
    REPLACED = "replaced", pgettext_lazy("approval seat", "Given to another")


#: Votes for it: given now, or carried from a decision that still covers it.
FOR_IT = frozenset({SeatState.APPROVED, SeatState.CARRIED})


class Because(models.TextChoices):
    """Why a person was asked instead of the one whom the row names, if so."""

    NAMED = "", pgettext_lazy("approver", "as the matrix says")
    OWN = "own", pgettext_lazy("approver", "nobody decides the own request: one level up")
    DEPUTY = "deputy", pgettext_lazy("approver", "stands in")
    ABSENT = "absent", pgettext_lazy("approver", "the account is disabled")
    BEYOND_CAP = "beyond_cap", pgettext_lazy("approver", "above what was delegated")
    VACANT = "vacant", pgettext_lazy("approver", "nobody holds the role")
    TOP = "top", pgettext_lazy("approver", "top of the line, with a second reader")
    SECOND = "second", pgettext_lazy("approver", "second reader")
    TRANSFERRED = "transferred", pgettext_lazy("approver", "handed on")
    ADDED = "added", pgettext_lazy("approver", "added")


class VoidReason(models.TextChoices):
    """Why an approval holds no more (AP-3, AP-14)."""

    OUTSIDE = "outside", pgettext_lazy("approval", "a value left what was approved")
    REGRESS = "regress", pgettext_lazy("approval", "moved back before the stage of the decision")
    REPLACED = "replaced", pgettext_lazy("approval", "decided anew")
    REMOVED = "removed", pgettext_lazy("approval", "the process asks for it no more")


class PrecedentState(models.TextChoices):
    """What became of an exception that recurs (AP-13)."""

    OPEN = "open", pgettext_lazy("precedent", "Open")
    PROMOTED = "promoted", pgettext_lazy("precedent", "Made a policy")
    REFUSED = "refused", pgettext_lazy("precedent", "Not again")
