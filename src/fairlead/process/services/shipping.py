"""The processes that come with the product, and the sets of them that a new installation chooses from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from django.db import transaction

from fairlead.fields.catalogue import pick
from fairlead.journal.enums import Channel
from fairlead.organisation.enums import ProcessTemplate
from fairlead.organisation.models import Organisation

from ..enums import Mode
from ..landing import FIRST_WEEKS
from ..models import ProcessVersion
from .publishing import publish

CHAIN = ("market_research", "account_development", "contract_fulfilment")
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    ProcessTemplate.PLAIN: ("plain_opportunity",),
    ProcessTemplate.KEY_ACCOUNT: ("key_account_opportunity", *CHAIN, "care_cycle"),
    ProcessTemplate.LTC: ("ltc_opportunity", *CHAIN, "care_cycle"),
}


@cache
def shipped(key: str) -> Any:
    """A shipped document by its key. Treat it as read-only."""
    from ruamel.yaml import YAML  # loaded when first needed

    text = files("fairlead.process").joinpath("content", f"{key}.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)


def stages_of_template(template: str) -> list[str]:
    """The stages of its opportunities, in the reader's language."""
    return [pick(stage["name"]) for stage in shipped(TEMPLATES[template][0])["stages"]]


@transaction.atomic
def publish_template(
    template: str,
    *,
    by: Any,
    at: datetime,
    channel: str,
    mode: str = Mode.SOFT,
    enforced_from: date | None = None,
) -> list[ProcessVersion]:
    """Publish the processes of a template and make them the defaults of their kinds of record."""
    versions = [
        publish(shipped(key), by=by, at=at, channel=channel, mode=mode, enforced_from=enforced_from)
        for key in TEMPLATES[template]
    ]
    organisation = Organisation.objects.current()
    defaults = dict(organisation.default_processes)
    for version in versions:
        if version.process.key != "care_cycle":
            defaults.setdefault(version.process.subject_type, version.process.key)
    Organisation.objects.filter(pk=organisation.pk).update(default_processes=defaults)
    return versions


def set_up_step(organisation: Organisation, admin: Any, at: datetime) -> None:
    """The first run: the chosen template, softly for its first weeks unless the organisation wants otherwise."""
    mode, until = (
        (Mode.SOFT, at.astimezone(organisation.tz).date() + FIRST_WEEKS)
        if organisation.soft_mode
        else (Mode.ENFORCED, None)
    )
    publish_template(
        organisation.template, by=admin, at=at, channel=Channel.SYSTEM, mode=mode, enforced_from=until
    )
