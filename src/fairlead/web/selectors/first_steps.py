"""The first steps of a newcomer: at most five by their roles, each done when what there is says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from fairlead.crm.models import Account, Opportunity, SavedView
from fairlead.organisation.enums import DaySource, Role
from fairlead.organisation.models import CalendarDay, FirstSteps, SecondStep, User
from fairlead.process.models import Attestation, Visit
from fairlead.work.enums import ActivityState
from fairlead.work.models import Activity, Comment, NotificationPreference

from ..navigation import Item, Words, doors

#: So long somebody is new here; afterwards nobody is asked, and nothing is looked up.
NEW_FOR: Final = timedelta(days=30)
MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    label: Words
    says: Words
    route: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """A step as the card shows it."""

    step: Step
    url: str
    done: bool
    passed: bool

    @property
    def settled(self) -> bool:
        return self.done or self.passed


STEPS: Final[Mapping[str, Step]] = {step.key: step for step in (
    Step("colleagues", _("Add colleagues"), _("With a team, roles and a first password."), "organisation:create_user"),
    Step("accounts", _("Bring your accounts"), _("From Excel or CSV, with a check first and a way back."), "exchange:imports"),
    Step("process", _("Read the process"), _("What each stage asks; gates only flag at first."), "process:processes"),
    Step("calendar", _("Set the calendar"), _("Own days off, so that time limits count right."), "web:calendar", "#own"),
    Step("second_step", _("Secure your sign-in"), _("A code of your phone beside the password."), "organisation:second_step"),
    Step("deal", _("Create an opportunity"), _("An account, a name, an amount. One minute."), "crm:new_deal"),
    Step("activity", _("Log a call or a visit"), _("One line of typing on the page of the deal, or here."), "crm:board"),
    Step("next_step", _("Plan a next step"), _("A deal without one is shown in yellow."), "crm:board", "?next=none"),
    Step("move", _("Move a deal on"), _("The gate says what is missing, and mends it in place."), "crm:board", "?gate=ready"),
    Step("my_deal", _("Look at your deals"), _("Those on whose team you are."), "crm:board"),
    Step("attest", _("Confirm a checklist item"), _("What your role answers for at a gate."), "crm:board"),
    Step("comment", _("Say a word on a deal"), _("@ calls a colleague."), "crm:board"),
    Step("view", _("Save a view of a list"), _("Filter, columns and order under a name."), "crm:opportunities"),
    Step("mail", _("Choose when mail comes"), _("At once, in a digest, not in quiet hours."), "work:inbox_settings"),
)}  # fmt: skip

#: In the order of importance; somebody with several roles gets the first five of the first role's, then the next's.
OF_ROLE: Final[Sequence[tuple[Role, tuple[str, ...]]]] = (
    (Role.ADMIN, ("colleagues", "accounts", "process", "calendar", "second_step")),
    (Role.PROCESS_OWNER, ("process", "deal", "move", "view", "mail")),
    (Role.MGR, ("deal", "comment", "next_step", "view", "mail")),
    (Role.AR, ("deal", "activity", "next_step", "move", "mail")),
    (Role.SR, ("my_deal", "activity", "attest", "comment", "mail")),
    (Role.FR, ("my_deal", "activity", "attest", "comment", "mail")),
    (Role.MKT, ("accounts", "process", "view", "mail")),
    (Role.FIN, ("process", "comment", "view", "mail")),
    (Role.LEG, ("process", "comment", "view", "mail")),
    (Role.AUDITOR, ("process", "view", "second_step", "mail")),
)


def first_steps(user: User, *, at: datetime) -> list[Offered]:
    """Steps of somebody who is new here, while at least one is open and the list was not closed."""
    if at - user.created_at > NEW_FOR:
        return []
    kept = FirstSteps.objects.filter(user_id=user.pk).first()
    if kept is not None and kept.closed_at is not None:
        return []
    wanted = _wanted(user)
    if not wanted:
        return []
    done = _done(user)
    passed = set(kept.passed) if kept is not None else set()
    found = [Offered(step, url, done.get(step.key, False), step.key in passed) for step, url in wanted]
    return [] if all(one.settled for one in found) else found


def _wanted(user: User) -> list[tuple[Step, str]]:
    """Steps whose page the person may open."""
    keys: list[str] = []
    for role, steps in OF_ROLE:
        if role in user.roles:
            keys += [key for key in steps if key not in keys]
    items = [Item(key, STEPS[key].label, STEPS[key].route, "") for key in keys]
    there = {door.item.key: door.url for door in doors(items, user)}
    return [(STEPS[key], there[key] + STEPS[key].place) for key in keys if key in there][:MOST]


def _done(user: User) -> dict[str, bool]:
    """What there is says which steps are done: one query."""
    me = user.pk
    # Samples are there to look at; they do no step for anybody.
    samples = Opportunity.objects.filter(is_sample=True)
    mine = Opportunity.objects.filter(owner_id=me, is_sample=False)
    in_team = Opportunity.objects.filter(Q(owner_id=me) | Q(ar_id=me) | Q(sr_id=me) | Q(fr_id=me))
    activities = Activity.objects.filter(owner_id=me).exclude(
        subject_type="opportunity", subject_id__in=samples.values("pk")
    )
    asked = {
        "colleagues": User.objects.filter(is_active=True).exclude(pk=OuterRef("pk")),
        "accounts": Account.objects.filter(is_sample=False),
        "calendar": CalendarDay.objects.filter(source=DaySource.COMPANY),
        "second_step": SecondStep.objects.filter(user_id=me, confirmed_at__isnull=False),
        "deal": mine,
        "activity": activities.filter(state=ActivityState.DONE),
        "next_step": activities.filter(state=ActivityState.PLANNED),
        "move": Visit.objects.filter(journey__owner_id=me, left_at__isnull=False).exclude(
            journey__in=samples.values("journey")
        ),
        "my_deal": in_team,
        "attest": Attestation.objects.filter(by_id=me),
        "comment": Comment.objects.filter(by_id=me),
        "view": SavedView.objects.filter(owner_id=me, deleted_at=None),
        "mail": NotificationPreference.objects.filter(person_id=me),
    }
    rows = User.objects.filter(pk=me).values(**{f"has_{key}": Exists(query) for key, query in asked.items()})
    return {key.removeprefix("has_"): bool(value) for key, value in dict(rows[0]).items()}
