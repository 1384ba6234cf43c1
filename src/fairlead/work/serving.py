"""Giving a stored file out: as a download, never as a page of this site (T11)."""

from __future__ import annotations

from typing import Final

from django.http import FileResponse

from fairlead.common.refusals import NotFound

from .models import File

SHOWN: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
POLICY: Final = "default-src 'none'; sandbox"


def given_out(row: File, *, as_picture: bool = False) -> FileResponse:
    """Always an attachment: a picture inside a page does not mind. The caller has asked who may see it."""
    if not row.content:
        raise NotFound
    kind = SHOWN.get(row.image, "") if as_picture else ""
    if as_picture and not kind:
        raise NotFound
    try:
        content = row.content.open("rb")
    except FileNotFoundError:
        raise NotFound from None
    response = FileResponse(
        content,
        as_attachment=True,
        filename=plain_name(row.name),
        content_type=kind or "application/octet-stream",
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def plain_name(name: str) -> str:
    """A name that a header and a file system take: no control characters, no directions, no path."""
    return "".join(c for c in name if c.isprintable() and c not in '/\\<>:"|?*').strip(" .") or "file"
