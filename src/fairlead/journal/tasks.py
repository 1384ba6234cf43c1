"""What this room does by the clock."""

from __future__ import annotations

import logging
from datetime import datetime

from fairlead.common.schedule import every

from .enums import Channel
from .sealing import check, seal_all, when_broken

logger = logging.getLogger(__name__)

AT_ONCE = 5
"""Batches a turn: a company that was just loaded is sealed little by little, and no worker is held for long."""


@every(minutes=1, name="journal.seal")
def seal_settled(at: datetime) -> None:
    seal_all(at=at, most=AT_ONCE)


@every(minutes=24 * 60, name="journal.verify")
def verify_daily(at: datetime) -> None:
    found = check(by=None, at=at, channel=Channel.SYSTEM)
    if not found.sound:
        logger.error(
            "journal.seal_broken",
            extra={"fault": found.fault, "seal": found.seal_id, "event": found.event_id},
        )
        for tell in when_broken:
            tell(found)
