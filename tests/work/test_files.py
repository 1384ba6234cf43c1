"""Hostile files (T11): refused, or kept inert under a random name and given out as a download only."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.factories.crm import Company, company

from fairlead.common.refusals import Invalid
from fairlead.work import services as work
from fairlead.work.content import look_at
from fairlead.work.models import File

pytestmark = pytest.mark.rule("T11")
SCRIPT = b"<script>alert(1)</script>"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 2, height: int = 2, *, more: bytes = b"", after: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = b"".join(b"\x00" + b"\x10\x20\x30" * min(width, 2) for _ in range(min(height, 2)))
    return (
        b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"") + after
    )


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def exif(orientation: int = 6) -> bytes:
    """With a place: the tag of the GPS data and a text that must not survive."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack("<HHII", 0x8825, 4, 1, 38)
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x02\x00" + entries + bytes(4) + b"GPS-31.2304N-121.4737E"


def jpeg(*, width: int = 2, height: int = 2, more: bytes = b"", after: bytes = b"") -> bytes:
    return (
        b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00") + more
        + segment(0xDB, bytes(65)) + segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
        + segment(0xC4, bytes(18)) + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\x34" + b"\xff\xd9" + after
    )  # fmt: skip


def webp(*parts: tuple[bytes, bytes], width: int = 2, height: int = 2) -> bytes:
    lossless = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(4)
    wide = bytes([0x0C, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    found = [(b"VP8X", wide), (b"VP8L", lossless), *parts]
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for k, d in found)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def archive(**entries: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in entries.items():
            out.writestr(name.replace("__", "/"), data)
    return kept.getvalue()


def bomb(declared: int = 2**30) -> bytes:
    """One gibibyte of zeros, packed; written as a stream of blocks so that the test itself stays small."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("[Content_Types].xml", "<Types/>")
        with out.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            block = bytes(4 * 2**20)
            for _n in range(declared // len(block)):
                part.write(block)
    return kept.getvalue()


def slip() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as out:
        out.writestr("../../etc/cron.d/x", "x")
    return kept.getvalue()


XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
REFUSED: dict[str, tuple[str, bytes]] = {
    "html as png": ("logo.png", b"<html>" + SCRIPT),
    "svg as png": ("logo.png", b'<svg onload="alert(1)"/>'),
    "php as jpg": ("a.JPG", b"<?php system($_GET[0]);"),
    "gif as png": ("a.png", b"GIF89a" + SCRIPT),
    "text as webp": ("a.webp", b"hello"),
    "png of 20,000 by 20,000": ("big.png", png(20_000, 20_000)),
    "png of no size": ("none.png", png(0, 5)),
    "jpeg of 60,000 by 60,000": ("big.jpg", jpeg(width=60_000, height=60_000)),
    "webp of 16,000 by 16,000": ("big.webp", webp(width=16_000, height=16_000)),
    "png called text, too large": ("big.txt", png(20_000, 20_000)),
    "cut png": ("cut.png", png()[:40]),
    "png with a wrong sum": ("sum.png", png()[:-5] + b"\x00" + png()[-4:]),
    "png whose chunk never ends": ("len.png", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR" + bytes(20)),
    "cut jpeg": ("cut.jpg", jpeg()[:20]),
    "jpeg without a picture": ("no.jpg", b"\xff\xd8\xff\xe0\x00\x02\xff\xd9"),
    "cut webp": ("cut.webp", webp()[:20]),
    "html as pdf": ("a.pdf", b"<html>" + SCRIPT),
    "pdf after html": ("a.pdf", b"<html>%PDF-1.7"),
    "pdf with a page of a browser": ("a.pdf", b"%PDF-1.7\n<html>" + SCRIPT + b"\n%%EOF"),
    "pdf with an archive behind it": ("a.pdf", b"%PDF-1.7\n1 0 obj\n%%EOF\n" + archive(a=b"x")),
    "pdf called text with an archive": ("a.txt", b"%PDF-1.7\n%%EOF\n" + archive(a=b"x")),
    "zip bomb as xlsx": ("bomb.xlsx", b""),
    "zip of ten thousand and more": ("many.zip", b""),
    "xxe in docx": ("a.docx", archive(word__document=b"x", **{"word__document.xml": XXE})),
    "xxe in xlsx": ("a.xlsx", archive(**{"xl__workbook.xml": XXE})),
    "xxe in utf-16": ("a.xlsx", archive(**{"xl__workbook.xml": XXE.decode().encode("utf-16")})),
    "xxe in rels": ("a.docx", archive(**{"_rels__x.rels": XXE})),
    "xxe behind 100 kB of nothing": ("a.docx", archive(**{"word__document.xml": b" " * 100_000 + XXE[21:]})),
    "xxe behind a comment": ("a.docx", archive(**{"w.xml": b"<!--" + b"x" * 100_000 + b"-->" + XXE[21:]})),
    "xxe in a part called otherwise": ("a.docx", archive(word__document=XXE)),
    "xxe in a drawing": ("a.xlsx", archive(**{"xl__drawings__v.vml": XXE})),
    "zip slip": ("a.zip", slip()),
    "broken xlsx": ("a.xlsx", b"PK\x03\x04" + b"x" * 100),
    "text as docx": ("a.docx", b"hello"),
    "archive with a wrong length": ("a.zip", archive(a=b"x" * 999)[:-30]),
}
INERT: dict[str, tuple[str, bytes]] = {
    "html": ("evil.html", SCRIPT),
    "xhtml": ("evil.xhtml", SCRIPT),
    "svg": ("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
    "shtml": ("a.shtml", b"<!--#exec cmd='id'-->"),
    "php": ("shell.pHp", b"<?php system($_GET[0]);"),
    "phar": ("a.phar", b"GIF89a<?php __HALT_COMPILER();"),
    "double": ("a.pdf.exe", b"MZ"),
    "double back": ("shell.php.txt", b"<?php"),
    "nul": ("a.php\x00.txt", b"x"),
    "dot behind": ("con.txt.", b"x"),
    "dots before": ("...x.txt", b"x"),
    "dot file": (".htaccess", b"AddType x"),
    "path": ("../../etc/passwd", b"x"),
    "path of windows": ("..\\..\\boot.ini", b"x"),
    "device": ("CON", b"x"),
    "stream": ("a.txt::$DATA", b"x"),
    "line feed": ('q"uo;te\r\nX-Evil: 1.txt', b"x"),
    "right to left": ("\u202efdp.exe", b"x"),
    "emoji": ("😀.txt", b"x"),
    "chinese": ("需求确认函（盖章）.txt", "正文".encode()),
    "255 bytes": ("名" * 83 + ".txt", b"x"),
    "long": ("x" * 300 + ".txt", b"x"),
    "spaces": ("  a  b .txt", b"x"),
    "percent": ("%2e%2e%2fa%00.txt", b"x"),
    "script in the name": ("<img src=x onerror=alert(1)>.txt", b"x"),
    "js": ("a.js", b"alert(1)"),
    "mht": ("a.mht", b"MIME-Version: 1.0"),
    "swf": ("a.swf", b"CWS\x09"),
    "gif and script": ("a.gif", b"GIF89a/*" + SCRIPT),
    "bmp and script": ("a.bmp", b"BM" + SCRIPT),
    "csv": ("a.csv", b"=cmd|' /C calc'!A0"),
    "eml": ("a.eml", b"Subject: x\n\n<script>"),
    "elf": ("a", b"\x7fELF"),
    "empty": ("empty.txt", b""),
    "pdf": ("a.pdf", b"%PDF-1.7\n1 0 obj\n%%EOF\n"),
    "zip": ("a.zip", archive(a=b"x")),
    "docx with a long text": (
        "a.docx",
        archive(**{"word__document.xml": b"<?xml version='1.0'?><d>" + b"x" * 99_999}),
    ),
    "docx with a page inside": ("a.docx", archive(**{"word__afchunk.htm": b"<!DOCTYPE html><p>x</p>"})),
    "xlsx": ("a.xlsx", archive(**{"xl__workbook.xml": b"<workbook/>"})),
    "docx with macros": ("a.docm", archive(**{"word__vbaProject.bin": b"x"})),
}


@pytest.fixture
def where(db: None) -> Company:
    return company(language="en")


def send(where: Company, client: Client, name: str, content: bytes, deal: Any = None) -> Any:
    upload = SimpleUploadedFile("x", content, content_type="image/png")
    upload._name = name  # past Django's own cleaning, as a hostile client would
    client.force_login(where.zhou)
    address = reverse("work:upload", args=["opportunity", (deal or where.deal()).pk])
    return client.post(address, {"kind": "minutes", "content": upload})


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_what_it_says_or_far_too_much_is_refused(what: str) -> None:
    name, content = REFUSED[what]
    if what == "zip bomb as xlsx":
        content = bomb()
        assert len(content) < 20 * 2**20
    elif what.startswith("zip of ten"):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w") as out:
            for n in range(10_001):
                out.writestr(str(n), b"")
        content = kept.getvalue()
    with pytest.raises(Invalid) as refusal:
        look_at(name, content)
    assert refusal.value.details["errors"][0]["field"] == "content"


def test_what_is_refused_leaves_nothing_behind(where: Company, client: Client) -> None:
    response = send(where, client, *REFUSED["png of 20,000 by 20,000"])
    assert response.status_code == 422 and "20000 × 20000" in response.content.decode()
    assert not File.objects.exists()


def test_everything_else_is_kept_inert(where: Company, client: Client) -> None:
    deal = where.deal()
    for what, (name, content) in INERT.items():
        File.objects.all().delete()
        assert send(where, client, name, content, deal).status_code == 302, what
        row = File.objects.get()
        assert re.fullmatch(r"records/\d{4}/\d\d/[0-9a-f]{32}", row.content.name), what
        assert row.image == "" and len(row.name) <= 255 and "/" not in row.name, what
        for address in (reverse("work:download", args=[row.pk]), f"/api/v1/files/{row.pk}/content"):
            answer = client.get(address)
            assert b"".join(answer) == content, what
            headers = answer.headers
            disposition = headers["Content-Disposition"]
            assert disposition.startswith("attachment") and not re.search(r"[\r\n<>]", disposition), what
            assert headers["Content-Type"] == "application/octet-stream"
            assert headers["X-Content-Type-Options"] == "nosniff" and "X-Evil" not in headers
            assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert client.get(reverse("work:download", args=[row.pk]) + "?show=1").status_code == 404, what


def test_there_are_sixty_of_them() -> None:
    assert len(REFUSED) + len(INERT) >= 60


def kept_on_disk() -> set[str]:
    return {str(path) for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}


def test_no_door_keeps_anything_of_what_is_refused(where: Company, client: Client) -> None:
    deal, before = where.deal(), kept_on_disk()
    client.force_login(where.zhou)
    for what, (name, content) in REFUSED.items():
        if not content:
            continue  # made large by the test of its own
        assert send(where, client, name, content, deal).status_code == 422, what
        upload = SimpleUploadedFile(name, content, content_type="text/plain")
        about = {"subject_type": "opportunity", "subject_id": deal.pk, "kind": "minutes", "content": upload}
        answer = client.post("/api/v1/files", about)
        assert answer.status_code == 422 and answer.json()["code"] == "invalid", (what, answer.content)
    assert not File.objects.exists() and kept_on_disk() == before


@pytest.mark.rule("T01")
def test_nothing_that_is_kept_is_reached_by_whoever_does_not_see_the_record(
    where: Company, client: Client
) -> None:
    """Neither at its two doors nor by its name on the disk, wherever a web server might look for it."""
    deal, reached = where.deal(), []
    for name, content in INERT.values():
        send(where, client, name, content, deal)
    send(where, client, "photo.jpg", jpeg(more=segment(0xE1, exif())), deal)
    rows = list(File.objects.all())
    assert len(rows) == len(INERT) + 1
    stranger, nobody = Client(), Client()
    stranger.force_login(where.qi)
    for row in rows:
        doors = [reverse("work:download", args=[row.pk]), f"/api/v1/files/{row.pk}/content"]
        stored = row.content.name
        doors += [
            f"/{stored}",
            f"/media/{stored}",
            f"/static/{stored}",
            f"/static/../{stored}",
            f"/{row.name}",
        ]
        for door in doors:
            for who, visitor in (("stranger", stranger), ("nobody", nobody)):
                answer = visitor.get(door, follow=False)
                if answer.status_code not in (302, 401, 403, 404):
                    reached.append((row.name, door, who, answer.status_code))
    assert reached == []
    shown = b"".join(client.get(reverse("work:download", args=[rows[-1].pk])))
    assert shown.startswith(b"\xff\xd8") and b"GPS" not in shown


def test_a_chinese_name_comes_back_as_rfc_5987(where: Company, client: Client) -> None:
    send(where, client, *INERT["chinese"])
    answer = client.get(reverse("work:download", args=[File.objects.get().pk]))
    assert "filename*=utf-8''%E9%9C%80%E6%B1%82" in answer.headers["Content-Disposition"]


def test_a_picture_loses_its_place_and_keeps_which_way_is_up() -> None:
    shot = jpeg(more=segment(0xE1, exif(6)) + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta/>")
                + segment(0xED, b"Photoshop 3.0") + segment(0xFE, b"made by X"), after=SCRIPT)  # fmt: skip
    looked = look_at("photo.jpg", shot)
    assert looked.image == "jpeg" and looked.content.endswith(b"\xff\xd9")
    for gone in (b"GPS", b"xmpmeta", b"Photoshop", b"made by", b"<script"):
        assert gone not in looked.content
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in looked.content
    assert look_at("photo.jpg", looked.content).content == looked.content
    assert b"Exif" not in look_at("p.jpg", jpeg(more=segment(0xE1, exif(1)))).content

    notes = chunk(b"tEXt", b"Comment\x00secret") + chunk(b"eXIf", exif()[6:]) + chunk(b"iTXt", b"secret")
    drawn = look_at("a.png", png(more=notes + chunk(b"pHYs", bytes(9)), after=archive(a=SCRIPT)))
    assert drawn.image == "png" and b"secret" not in drawn.content and b"GPS" not in drawn.content
    assert b"pHYs" in drawn.content and drawn.content.endswith(chunk(b"IEND", b""))

    web = look_at("a.webp", webp((b"EXIF", exif()), (b"XMP ", b"secret!")))
    assert web.image == "webp" and b"GPS" not in web.content and b"secret" not in web.content
    assert web.content[20] == 0 and look_at("a.webp", web.content).content == web.content


def test_a_clean_picture_is_shown_to_those_who_see_the_record(where: Company, client: Client) -> None:
    deal = where.deal()
    assert send(where, client, "现场.png", png(), deal).status_code == 302
    row = File.objects.get()
    page = client.get(reverse("crm:opportunity", args=[deal.pk]) + "?tab=files").content.decode()
    address = reverse("work:download", args=[row.pk]) + "?show=1"
    assert f'src="{address}"' in page
    answer = client.get(address)
    assert (
        answer.headers["Content-Type"] == "image/png"
        and answer.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert answer.headers["Content-Disposition"].startswith("attachment")
    client.force_login(where.qi)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


def test_the_same_name_is_the_next_version(where: Company, client: Client) -> None:
    deal = where.deal()
    how = where.how()
    first = work.add_file("opportunity", deal.pk, kind="proposal", name="方案.docx", reference="shelf", **how)
    other = work.add_file("opportunity", deal.pk, kind="proposal", name="报价.xlsx", reference="shelf", **how)
    second = work.add_file("opportunity", deal.pk, kind="", name="方案.DOCX", reference="shelf", **how)
    assert (first.edition, other.edition, second.edition) == (1, 1, 2)
    assert (first.number, other.number, second.number) == (1, 2, 3) and second.kind == "proposal"
    with pytest.raises(Invalid):
        work.add_file("opportunity", deal.pk, kind="", name="new.docx", reference="shelf", **how)
    work.add_file("opportunity", deal.pk, kind="proposal", name="方案.docx", reference="shelf", **how)
    client.force_login(where.zhou)
    page = client.get(reverse("crm:opportunity", args=[deal.pk]) + "?tab=files").content.decode()
    assert "v3" in page and "earlier version" in page
