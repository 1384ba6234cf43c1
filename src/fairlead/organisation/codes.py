"""Codes of the second step: made, written for the eye and the camera, compared. No database here."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from typing import Final

ISSUER: Final = "Fairlead"
SECONDS: Final = 30  # one code lasts so long
SLACK: Final = 1  # so many codes before and after are taken: clocks go wrong
RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # no letter that looks like a digit
_CODE: Final = re.compile(r"[0-9]{6}")
_RECOVERY: Final = re.compile(rf"[{_LETTERS}]{{16}}")


def new_secret() -> str:
    """160 random bits, in base32."""
    import pyotp

    return pyotp.random_base32()


def grouped(text: str) -> str:
    """“JBSW Y3DP …”, for whoever types it."""
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def address_of(secret: str, username: str, issuer: str) -> str:
    """What the camera of the device reads."""
    import pyotp

    return str(
        pyotp.TOTP(secret, interval=SECONDS).provisioning_uri(name=username, issuer_name=issuer or ISSUER)
    )


def picture_of(address: str) -> tuple[int, str]:
    """The QR code: the side of its square with the quiet zone, and its dark parts as a path of an SVG."""
    import segno

    rows = [bytes(row) for row in segno.make(address, error="m", micro=False).matrix_iter(border=4)]
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):
            run = 0
            while x + run < len(row) and row[x + run]:
                run += 1
            if run:
                parts.append(f"M{x} {y}h{run}v1h-{run}z")
            x += run or 1
    return len(rows), "".join(parts)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """The number of the half minute to which a code belongs; None for a wrong one."""
    import pyotp

    if not _CODE.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(secret, interval=SECONDS), int(at.timestamp()) // SECONDS
    found = None
    for step in range(now - SLACK, now + SLACK + 1):  # never stops early: every code takes the same time
        if secrets.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def cleaned(text: str) -> str:
    """A code as it is compared: without the spaces and hyphens with which people and devices write it."""
    return re.sub(r"[\s-]", "", text[:100]).lower()


def is_recovery(code: str) -> bool:
    return bool(_RECOVERY.fullmatch(code))


def new_recovery_codes() -> list[str]:
    return ["".join(secrets.choice(_LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES)]


def written(code: str) -> str:
    """“abcd-efgh-…”."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


def hash_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
