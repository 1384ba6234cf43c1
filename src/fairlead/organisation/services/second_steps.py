"""The second step of a sign-in: set up, confirmed, asked for, switched off."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotPermitted
from fairlead.organisation import codes
from fairlead.organisation.models import Organisation, RecoveryCode, RoleAssignment, SecondStep, User
from fairlead.organisation.services._base import journal, locked, require


def second_step_of(user: User) -> SecondStep | None:
    """The second step in force, if there is one."""
    return SecondStep.objects.filter(user=user).exclude(confirmed_at=None).first()


def _own(user: User, by: User) -> User:
    if by.pk != user.pk or by.api_key is not None:
        raise NotPermitted
    return locked(user)


@transaction.atomic
def begin_second_step(user: User, *, by: User, at: datetime, channel: str) -> SecondStep:
    """A new secret for one's own device. Nothing is asked at sign-in until a code of it has been given."""
    row = _own(user, by)
    if second_step_of(row) is not None:
        raise Invalid.field("code", _("The second step is on already. Switch it off first."))
    found, _made = SecondStep.objects.update_or_create(
        user=row, defaults={"secret": codes.new_secret(), "last_step": 0, "confirmed_at": None}
    )
    journal(row, "second_step_begun", by=by, at=at, channel=channel)
    return found


@transaction.atomic
def confirm_second_step(
    user: User, *, code: str, current: str, by: User, at: datetime, channel: str
) -> list[str]:
    """The device gives the right code and the person the password: from now on both are asked.

    Returns the recovery codes, which exist as text nowhere else.
    """
    row = _own(user, by)
    _check_password(row, current)
    found = SecondStep.objects.select_for_update().filter(user=row, confirmed_at=None).first()
    if found is None:
        raise Invalid.field("code", _("Begin anew: nothing waits to be confirmed."))
    step = codes.step_of(found.secret, codes.cleaned(code), at)
    if step is None:
        raise Invalid.field(
            "code", _("This code is not right, or its half minute is over. Give the next one.")
        )
    found.confirmed_at, found.last_step = at, step
    found.save(update_fields=["confirmed_at", "last_step"])
    texts = _new_codes(found)
    _set_due(row)
    journal(row, "second_step_on", by=by, at=at, channel=channel)
    return texts


def take_code(user: User, *, code: str, at: datetime, channel: str) -> bool:
    """Whether a code opens the second step. A code opens it once: what was seen over a shoulder is spent."""
    given = codes.cleaned(code)
    with transaction.atomic():
        found = second_step_of(user)
        if found is None:
            return False
        if codes.is_recovery(given):
            spent = RecoveryCode.objects.filter(
                second_step=found, hash=codes.hash_of(given), used_at=None
            ).update(used_at=at)
            if spent:
                left = found.codes.filter(used_at=None).count()
                journal(user, "recovery_code_used", by=user, at=at, channel=channel, data={"left": left})
            return bool(spent)
        step = codes.step_of(found.secret, given, at)
        if step is None:
            return False
        return bool(
            SecondStep.objects.filter(pk=found.pk, secret=found.secret, last_step__lt=step).update(
                last_step=step
            )
        )


@transaction.atomic
def renew_recovery_codes(
    user: User, *, code: str, current: str, by: User, at: datetime, channel: str
) -> list[str]:
    """Ten new ones; those of before open nothing any more. Needs password and code."""
    row = _own(user, by)
    _check_both(row, code=code, current=current, at=at, channel=channel)
    found = SecondStep.objects.get(user=row)
    found.codes.all().delete()
    texts = _new_codes(found)
    journal(row, "recovery_codes_made", by=by, at=at, channel=channel)
    return texts


@transaction.atomic
def switch_off_second_step(
    user: User, *, code: str, current: str, by: User, at: datetime, channel: str
) -> None:
    """From now on the password alone signs in. Needs both once more."""
    row = _own(user, by)
    _check_both(row, code=code, current=current, at=at, channel=channel)
    SecondStep.objects.filter(user=row).delete()
    _set_due(row)
    journal(row, "second_step_off", by=by, at=at, channel=channel)


@transaction.atomic
def reset_second_step(user: User, *, by: User, at: datetime, channel: str) -> bool:
    """Take it from somebody who has lost device and codes. Needs `users.manage`; never for oneself."""
    require(by, "users.manage", channel)
    if by.pk == user.pk:
        raise NotPermitted(_("Somebody else must reset your second step, or you switch it off with a code."))
    row = locked(user)
    deleted, _by_model = SecondStep.objects.filter(user=row).delete()
    if deleted:
        _set_due(row)
        journal(row, "second_step_reset", by=by, at=at, channel=channel)
    return bool(deleted)


def demand_second_steps(roles: list[str]) -> None:
    """The setting has changed: note with everybody whether a second step is due. Inside the caller's transaction."""
    holders = RoleAssignment.objects.filter(role__in=roles).values("user")
    safe = SecondStep.objects.exclude(confirmed_at=None).values("user")
    due = User.objects.filter(pk__in=holders).exclude(pk__in=safe)
    User.objects.filter(second_step_due=True).exclude(pk__in=due.values("pk")).update(second_step_due=False)
    User.objects.filter(pk__in=due.values("pk"), second_step_due=False).update(second_step_due=True)


def note_roles(user: User) -> None:
    """Roles of a person have changed. Inside the caller's transaction."""
    _set_due(user)


def _set_due(row: User) -> None:
    wanted = Organisation.objects.current().second_step_roles
    due = (
        bool(wanted)
        and RoleAssignment.objects.filter(user=row, role__in=wanted).exists()
        and second_step_of(row) is None
    )
    if row.second_step_due != due:
        row.second_step_due = due
        row.save(update_fields=["second_step_due"])


def _new_codes(found: SecondStep) -> list[str]:
    texts = codes.new_recovery_codes()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(second_step=found, hash=codes.hash_of(text)) for text in texts]
    )
    return [codes.written(text) for text in texts]


def _check_password(row: User, current: str) -> None:
    if not row.check_password(current):
        raise Invalid.field("current", _("The current password is wrong."))


def _check_both(row: User, *, code: str, current: str, at: datetime, channel: str) -> None:
    _check_password(row, current)
    if second_step_of(row) is None:
        raise Invalid.field("code", _("There is no second step to change."))
    if not take_code(row, code=code, at=at, channel=channel):
        raise Invalid.field("code", _("This code is not right, or was used already. Give the next one."))
