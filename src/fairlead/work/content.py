"""What a file is by its bytes, whatever it is called: pictures without what they say about places and devices,
archives that unpack to sane sizes, nothing that claims to be what it is not. Nothing is unpacked or drawn here.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from fairlead.common.refusals import Invalid

MOST_PIXELS: Final = 50_000_000
MOST_UNPACKED: Final = 300 * 2**20
MOST_ENTRIES: Final = 10_000
MOST_RATIO: Final = 200  # unpacked to packed, where it is more than a few megabytes
READ_OF_XML: Final = 64 * 1024
XML: Final = (".xml", ".rels", ".vml")
#: What may stand before the first element, and an element.
_BEFORE: Final = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ELEMENT: Final = re.compile(rb"<[a-z_]")

PICTURES: Final = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "jpe": "jpeg", "webp": "webp"}
ARCHIVES: Final = frozenset(
    {"zip", "xlsx", "xlsm", "docx", "docm", "pptx", "odt", "ods", "odp", "jar", "epub"}
)
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset(
    {
        b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs", b"bKGD", b"sBIT",
        b"acTL", b"fcTL", b"fdAT", b"cICP",
    }
)  # fmt: skip
_ICC, _JFIF, _ADOBE = 0xE2, 0xE0, 0xEE
_SOF: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


class _NotThis(Exception):
    """The bytes are not what their beginning or their name says."""


@dataclass(frozen=True, slots=True)
class Looked:
    """`image` is blank for everything that is never shown, only given out."""

    content: bytes
    image: str = ""


def look_at(name: str, content: bytes) -> Looked:
    """The content as it may be kept. Raises Invalid for what must not be."""
    extension = name.rpartition(".")[2].lower().strip()
    try:
        if content.startswith(_PNG):
            return Looked(_png(content), "png")
        if content.startswith(b"\xff\xd8\xff"):
            return Looked(_jpeg(content), "jpeg")
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return Looked(_webp(content), "webp")
    except (_NotThis, struct.error, IndexError):
        raise _refused(_("This picture is broken. Save it anew and send it again.")) from None
    if extension in PICTURES:
        raise _refused(_("This is called a picture and is none."))
    if content.startswith(b"PK\x03\x04") or extension in ARCHIVES:
        _archive(content)
    if extension == "pdf" or content.startswith(b"%PDF"):
        _pdf(content)
    return Looked(content)


def _refused(message: str) -> Invalid:
    return Invalid.field("content", message)


def _sized(width: int, height: int) -> None:
    if not width or not height:
        raise _NotThis
    if width * height > MOST_PIXELS:
        raise _refused(
            _("This picture has %(width)s × %(height)s points; at most %(most)s million are kept.")
            % {"width": width, "height": height, "most": MOST_PIXELS // 1_000_000}
        )


# --- pictures: walked part by part, so that what is not part of the picture stays behind ---


def _png(content: bytes) -> bytes:
    out, at, seen_end = [_PNG], len(_PNG), False
    while at + 12 <= len(content) and not seen_end:
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise _NotThis
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[at + 4 : end - 4]) != checksum:
            raise _NotThis
        if kind == b"IHDR":
            _sized(*struct.unpack_from(">II", content, at + 8))
        elif len(out) == 1:
            raise _NotThis
        if kind in _PNG_KEPT:
            out.append(content[at:end])
        seen_end, at = kind == b"IEND", end
    if not seen_end:
        raise _NotThis
    return b"".join(out)


def _jpeg(content: bytes) -> bytes:
    head, at, orientation, sized = [], 2, 0, False
    while True:
        while content[at] == 0xFF and content[at + 1] == 0xFF:
            at += 1
        if content[at] != 0xFF:
            raise _NotThis
        marker = content[at + 1]
        if marker == 0xDA:  # the picture itself begins
            break
        (length,) = struct.unpack_from(">H", content, at + 2)
        segment = content[at : at + 2 + length]
        if length < 2 or len(segment) != 2 + length:
            raise _NotThis
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", segment, 5)
            _sized(width, height)
            sized = True
        if marker == 0xE1 and segment[4:10] == b"Exif\x00\x00":
            orientation = _orientation(segment[10:])
        elif _is_kept(marker, segment):
            head.append(segment)
        at += 2 + length
    end = content.rfind(b"\xff\xd9")
    if end < at or not sized:
        raise _NotThis
    turned = [_turned(orientation)] if 2 <= orientation <= 8 else []
    return b"".join([b"\xff\xd8", *turned, *head, content[at : end + 2]])


def _is_kept(marker: int, segment: bytes) -> bool:
    """What the picture needs: no comments, and of what programs add only colours."""
    if 0xE0 <= marker <= 0xEF:
        return marker in (_JFIF, _ADOBE) or (marker == _ICC and segment[4:16] == b"ICC_PROFILE\x00")
    return marker != 0xFE


def _orientation(tiff: bytes) -> int:
    """Which way up the camera was held: the one thing of all it says that the picture needs."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return 0
    (first,) = struct.unpack_from(order + "I", tiff, 4)
    if first + 2 > len(tiff):
        return 0
    (count,) = struct.unpack_from(order + "H", tiff, first)
    for n in range(min(count, 200)):
        place = first + 2 + 12 * n
        if place + 12 > len(tiff):
            return 0
        tag, _kind, _many, value = struct.unpack_from(order + "HHIH", tiff, place)
        if tag == 0x0112:
            return int(value)
    return 0


def _turned(orientation: int) -> bytes:
    tiff = (
        b"MM\x00\x2a\x00\x00\x00\x08\x00\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0) + bytes(4)
    )
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _webp(content: bytes) -> bytes:
    parts, sized = [], False
    for kind, data, whole in _riff(content):
        if kind == b"VP8X":
            _sized(int.from_bytes(data[4:7], "little") + 1, int.from_bytes(data[7:10], "little") + 1)
            whole = whole[:8] + bytes([whole[8] & ~0x0C]) + whole[9:]  # it no longer has EXIF or XMP
            sized = True
        elif kind == b"VP8 " and not sized:
            width, height = struct.unpack_from("<HH", data, 6)
            _sized(width & 0x3FFF, height & 0x3FFF)
            sized = True
        elif kind == b"VP8L" and not sized:
            bits = int.from_bytes(data[1:5], "little")
            _sized((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
            sized = True
        if kind not in (b"EXIF", b"XMP "):
            parts.append(whole)
    if not sized:
        raise _NotThis
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _riff(content: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    (size,) = struct.unpack_from("<I", content, 4)
    at, end = 12, min(8 + size, len(content))
    while at + 8 <= end:
        kind = content[at : at + 4]
        (length,) = struct.unpack_from("<I", content, at + 4)
        if at + 8 + length > end:
            raise _NotThis
        step = 8 + length + length % 2
        yield kind, content[at + 8 : at + 8 + length], content[at : at + step]
        at += step


# --- documents ---


def _archive(content: bytes) -> None:
    """An archive is never unpacked here, but somebody will: its sizes, its names and its XML are looked at."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            too_dense = unpacked > 10 * 2**20 and unpacked > MOST_RATIO * max(len(content), 1)
            if len(entries) > MOST_ENTRIES or unpacked > MOST_UNPACKED or too_dense:
                raise _refused(_("This archive unpacks to far more than it should. It is not kept."))
            for entry in entries:
                name = entry.filename.replace("\\", "/")
                if name.startswith("/") or ".." in name.split("/") or "\x00" in name:
                    raise _refused(_("This archive would write outside its folder. It is not kept."))
                if not entry.flag_bits & 0x1:
                    with archive.open(entry) as part:
                        _part(name.lower(), part.read(READ_OF_XML), is_whole=entry.file_size <= READ_OF_XML)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        zlib.error,
        struct.error,
        ValueError,
    ):
        raise _refused(_("This archive is broken. Save it anew and send it again.")) from None


def _part(name: str, beginning: bytes, *, is_whole: bool) -> None:
    """One part of an archive by its beginning: XML declares what it fetches before its first element, and whoever puts
    more than that in front of it hides something. A part may be XML whatever it is called."""
    text = beginning.lower().replace(b"\x00", b"")
    is_xml = name.endswith(XML)
    hides = is_xml and not is_whole and not _ELEMENT.search(_BEFORE.sub(b"", text))
    if b"<!entity" in text or (is_xml and b"<!doctype" in text) or hides:
        raise _refused(_("This document fetches parts from elsewhere. It is not kept."))


def _pdf(content: bytes) -> None:
    """One thing at a time: no archive behind it, no page of a browser in front of it."""
    start, end = content[:2048].lower(), content[-66_000:]
    if not content.startswith(b"%PDF"):
        raise _refused(_("This is called a PDF and is none."))
    behind = end.rpartition(b"%%EOF")[2] if b"%%EOF" in end else b""
    if b"<script" in start or b"<html" in start or b"PK\x05\x06" in behind or len(behind) > 1024:
        raise _refused(_("This file is more than the PDF it says to be. It is not kept."))
