"""Keys of the API: made once, shown once, kept as a hash, always with an end."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid, NotFound, NotPermitted
from fairlead.common.text import clean_text
from fairlead.organisation.enums import KeyScope
from fairlead.organisation.models import ApiKey, User
from fairlead.organisation.services._base import journal, locked

MARK: Final = "fl"
LONGEST: Final = timedelta(days=366)
_USE_IS_NOTED_EVERY: Final = timedelta(minutes=10)
_NO_HASH: Final = "0" * 64


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


@transaction.atomic
def create_api_key(
    owner: User,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    by: User,
    at: datetime,
    channel: str,
) -> tuple[ApiKey, str]:
    """A new key of one's own and its text, which exists nowhere else. Needs `apikeys.own`, never by a key."""
    if by.pk != owner.pk or by.api_key is not None or not by.may("apikeys.own"):
        raise NotPermitted
    cleaned = clean_text(name, limit=80, field="name")
    chosen = sorted(set(scopes))
    if not cleaned:
        raise Invalid.field("name", _("Fill in what the key is for."))
    if not chosen or not set(chosen) <= set(KeyScope.values):
        raise Invalid.field("scopes", _("Choose what the key may do."))
    if not at < expires_at <= at + LONGEST:
        raise Invalid.field(
            "expires_at", _("A key ends within %(days)s days from now.") % {"days": LONGEST.days}
        )
    prefix = secrets.token_hex(5)
    text = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        owner=owner, name=cleaned, prefix=prefix, hash=_digest(text), scopes=chosen,
        created_at=at, expires_at=expires_at,
    )  # fmt: skip
    data = {"scopes": chosen, "owner_id": owner.pk, "expires_at": expires_at}
    journal(key, "api_key_created", by=by, at=at, channel=channel, data=data, after={"name": cleaned})
    return key, text


@transaction.atomic
def revoke_api_key(key: ApiKey, *, by: User, at: datetime, channel: str) -> ApiKey:
    """End a key at once: its owner, or whoever manages people. A key cannot revoke keys."""
    if by.api_key is not None:
        raise NotPermitted
    if not ApiKey.objects.visible_to(by).filter(pk=key.pk).exists():
        raise NotFound
    row = locked(key)
    if row.revoked_at is None:
        row.revoked_at = at
        row.save(update_fields=["revoked_at"])
        journal(row, "api_key_revoked", by=by, at=at, channel=channel, data={"owner_id": row.owner_id})
    return row


def authenticate_api_key(text: str, *, at: datetime) -> User | None:
    """The owner of a living key, narrowed to its scopes; None for anything else, whatever was wrong."""
    mark, _bar, rest = text.partition("_")
    prefix, _bar, secret = rest.partition("_")
    key = None
    if mark == MARK and secret and len(text) <= 200 and prefix.isalnum() and prefix.isascii():
        key = ApiKey.objects.live(at=at).select_related("owner__team").filter(prefix=prefix).first()
    # An unknown prefix costs the same comparison as a wrong secret.
    if not hmac.compare_digest(_digest(text), key.hash if key else _NO_HASH) or key is None:
        return None
    ApiKey.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=at - _USE_IS_NOTED_EVERY), pk=key.pk
    ).update(last_used_at=at)
    owner = key.owner
    owner.api_key = key
    return owner
