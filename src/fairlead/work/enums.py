"""Choices of the room of work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy


class ActivityKind(models.TextChoices):
    CALL = "call", pgettext_lazy("activity", "Call")
    MEETING = "meeting", pgettext_lazy("activity", "Meeting")
    VISIT = "visit", pgettext_lazy("activity", "Visit")
    EMAIL = "email", pgettext_lazy("activity", "E-mail")
    CHAT = "chat", pgettext_lazy("activity", "Chat")
    DEMO = "demo", pgettext_lazy("activity", "Demonstration")
    SITE_VISIT = "site_visit", pgettext_lazy("activity", "Reference visit")
    WORKSHOP = "workshop", pgettext_lazy("activity", "Workshop")
    OTHER = "other", pgettext_lazy("activity", "Other")


class ActivityState(models.TextChoices):
    PLANNED = "planned", pgettext_lazy("activity state", "Planned")
    DONE = "done", pgettext_lazy("activity state", "Done")
    CANCELLED = "cancelled", pgettext_lazy("activity state", "Cancelled")


class ActivityOutcome(models.TextChoices):
    """What came of it. Only an outcome in which the customer took part counts as two-way contact."""

    AGREED = "agreed", pgettext_lazy("activity outcome", "Next step agreed")
    TALKED = "talked", pgettext_lazy("activity outcome", "Talked")
    ANSWERED = "answered", pgettext_lazy("activity outcome", "Customer replied")
    DECLINED = "declined", pgettext_lazy("activity outcome", "Declined")
    NO_ANSWER = "no_answer", pgettext_lazy("activity outcome", "No answer")
    SENT = "sent", pgettext_lazy("activity outcome", "Sent")


TWO_WAY = frozenset(
    {
        ActivityOutcome.AGREED,
        ActivityOutcome.TALKED,
        ActivityOutcome.ANSWERED,
        ActivityOutcome.DECLINED,
    }
)


class Reason(models.TextChoices):
    """Why somebody is told, the strongest first."""

    ASKED = "asked", pgettext_lazy("reason of a notification", "Your decision is asked")
    MENTIONED = "mentioned", pgettext_lazy("reason of a notification", "You are mentioned")
    ASSIGNED = "assigned", pgettext_lazy("reason of a notification", "It was given to you")
    ESCALATED = "escalated", pgettext_lazy("reason of a notification", "It was escalated to you")
    OWNER = "owner", pgettext_lazy("reason of a notification", "You own it")
    TEAM = "team", pgettext_lazy("reason of a notification", "You are on the deal team")
    FOLLOWING = "following", pgettext_lazy("reason of a notification", "You follow it")


class Attention(models.TextChoices):
    FOLLOWED = "followed", pgettext_lazy("attention to a record", "Followed")
    MUTED = "muted", pgettext_lazy("attention to a record", "Muted")


class Digest(models.TextChoices):
    NONE = "none", pgettext_lazy("mail", "No mail")
    SOON = "soon", pgettext_lazy("mail", "Within minutes")
    DAILY = "daily", pgettext_lazy("mail", "Once a day")


class Reaction(models.TextChoices):
    """A small fixed set: what a colleague says most often without words."""

    AGREE = "agree", pgettext_lazy("reaction", "Agreed")
    SEEN = "seen", pgettext_lazy("reaction", "Seen")
    THANKS = "thanks", pgettext_lazy("reaction", "Thanks")
    QUESTION = "question", pgettext_lazy("reaction", "Question")
