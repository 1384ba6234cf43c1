"""Choices of the CRM."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class Tier(models.TextChoices):
    KEY = "key", pgettext_lazy("tier", "Key account")
    A = "A", pgettext_lazy("tier", "A")
    B = "B", pgettext_lazy("tier", "B")
    C = "C", pgettext_lazy("tier", "C")


class DealType(models.TextChoices):
    NEW = "new", pgettext_lazy("deal type", "New business")
    EXPANSION = "expansion", pgettext_lazy("deal type", "Expansion")
    RENEWAL = "renewal", pgettext_lazy("deal type", "Renewal")


class Source(models.TextChoices):
    TARGET_LIST = "target_list", pgettext_lazy("source", "Target list")
    REFERRAL = "referral", pgettext_lazy("source", "Referral")
    EXHIBITION = "exhibition", pgettext_lazy("source", "Exhibition")
    WEB = "web", pgettext_lazy("source", "Website")
    TENDER = "tender", pgettext_lazy("source", "Tender notice")
    EXISTING = "existing", pgettext_lazy("source", "Existing customer")
    IMPORT = "import", pgettext_lazy("source", "Import")
    OTHER = "other", pgettext_lazy("source", "Other")


class TeamRole(models.TextChoices):
    """The iron triangle."""

    AR = "AR", pgettext_lazy("deal role", "Account manager (AR)")
    SR = "SR", pgettext_lazy("deal role", "Solution manager (SR)")
    FR = "FR", pgettext_lazy("deal role", "Delivery manager (FR)")


class BuyingRole(models.TextChoices):
    EB = "EB", pgettext_lazy("buying role", "Decision maker (EB)")
    UB = "UB", pgettext_lazy("buying role", "User (UB)")
    TB = "TB", pgettext_lazy("buying role", "Technical gatekeeper (TB)")
    PUR = "PUR", pgettext_lazy("buying role", "Purchasing or finance")
    COACH = "COACH", pgettext_lazy("buying role", "Coach")
    INFLUENCER = "INFLUENCER", pgettext_lazy("buying role", "Influencer")
    OPPONENT = "OPPONENT", pgettext_lazy("buying role", "Opponent")


class ManyState(models.TextChoices):
    """Where a change of many records stands."""

    WAITING = "waiting", pgettext_lazy("many", "Waiting")
    RUNNING = "running", pgettext_lazy("many", "Running")
    DONE = "done", pgettext_lazy("many", "Done")
    UNDOING = "undoing", pgettext_lazy("many", "Being taken back")
    UNDONE = "undone", pgettext_lazy("many", "Taken back")


class ManyRowState(models.TextChoices):
    """What became of one record of it."""

    PENDING = "pending", pgettext_lazy("many", "Waiting")
    CHANGED = "changed", pgettext_lazy("many", "Changed")
    SAME = "same", pgettext_lazy("many", "Already so")
    REFUSED = "refused", pgettext_lazy("many", "Refused")
    UNDONE = "undone", pgettext_lazy("many", "Taken back")
    KEPT = "kept", pgettext_lazy("many", "Changed since, kept")


class Side(models.TextChoices):
    """Whose a step of a mutual plan is."""

    CUSTOMER = "customer", pgettext_lazy("plan", "Customer")
    US = "us", pgettext_lazy("plan", "Us")


class HandOverState(models.TextChoices):
    """Where one attempt to hand work from role to role stands (IT-5)."""

    OFFERED = "offered", pgettext_lazy("hand-over", "Offered")
    ACCEPTED = "accepted", pgettext_lazy("hand-over", "Accepted")
    RETURNED = "returned", pgettext_lazy("hand-over", "Returned")
    WITHDRAWN = "withdrawn", pgettext_lazy("hand-over", "Taken back")


class AskState(models.TextChoices):
    """Where a question to a role stands (SL-4)."""

    OPEN = "open", pgettext_lazy("question to a role", "Open")
    ANSWERED = "answered", pgettext_lazy("question to a role", "Answered")
    WITHDRAWN = "withdrawn", pgettext_lazy("question to a role", "Taken back")
