"""Many people at once in one thread: plain sockets, kept open. Python's own client costs more than some answers do,
and what it takes of the processor the measured server does not get.

Every answer is read to its last byte; its status and, where asked, a piece of its text are looked at.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from .client import Client

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\r]+)=([^;\r]*)", re.IGNORECASE)
_GOOD = (200, 204)
_PIECE = 1 << 18
PATIENCE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Wish:
    """One request: its bytes up to the cookies, what follows, and what the answer must hold."""

    head: bytes
    body: bytes = b""
    must_hold: bytes = b""


@dataclass(slots=True)
class Outcome:
    """Times of good answers, kinds of bad ones, how long all took, and the processor time of this side."""

    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0


class _Person:
    """One connection with the cookies of one session."""

    def __init__(self, client: Client, wishes: Iterator[Wish]) -> None:
        self.cookies = {k.encode(): v.encode() for k, v in client.cookies.items()}
        self.wishes = wishes
        self.wish = Wish(b"")
        self.socket = socket.create_connection((client.host, client.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = bytearray()
        self.end = 0  # where the answer ends, once its head has come
        self.begun = 0.0

    def ask(self) -> bool:
        """Send the next request; false where there is none."""
        wish = next(self.wishes, None)
        if wish is None:
            return False
        self.wish = wish
        self.got.clear()
        self.end = 0
        cookies = b"; ".join(b"%b=%b" % pair for pair in self.cookies.items())
        self.begun = time.perf_counter()
        self.socket.sendall(b"%bCookie: %b\r\n\r\n%b" % (wish.head, cookies, wish.body))
        return True

    def hear(self) -> bool:
        """Take in what has come; true once the answer is whole. Raises ConnectionError for one that was cut."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("cut")
        self.got += piece
        if not self.end and (head := self.got.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.got, 0, head)
            if length is None and self.status != 204:
                raise ConnectionError("of unknown length")
            self.end = head + 4 + (int(length[1]) if length else 0)
            self.cookies.update(m.groups() for m in _COOKIE.finditer(self.got, 0, head))
        return bool(self.end) and len(self.got) >= self.end

    @property
    def status(self) -> int:
        return int(self.got[9:12])

    def is_good(self) -> bool:
        return self.status in _GOOD and (not self.wish.must_hold or self.wish.must_hold in self.got)


def wish(
    client: Client,
    method: str,
    path: str,
    body: dict[str, object] | None = None,
    must_hold: bytes = b"",
    **headers: str,
) -> Wish:
    """A request as `client` would send it."""
    data = urlencode(body).encode() if body is not None else b""
    sent = {"Host": f"{client.host}:{client.port}", "Accept-Encoding": "identity"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        sent |= {
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(data)),
            "X-CSRFToken": client.token,
            "Origin": client.origin,
        }
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return Wish(f"{method} {path} HTTP/1.1\r\n{lines}".encode(), data, must_hold)


def crowd(clients: Sequence[Client], wishes: Sequence[Iterator[Wish]], seconds: float) -> Outcome:
    """Everybody asks without a pause until the time or the wishes are over."""
    found = Outcome()
    people = [_Person(client, own) for client, own in zip(clients, wishes, strict=True)]
    waiting = selectors.DefaultSelector()
    begun, spent = time.perf_counter(), time.process_time()
    try:
        for person in people:
            if person.ask():
                waiting.register(person.socket, selectors.EVENT_READ, person)
        while waiting.get_map():
            events = waiting.select(PATIENCE)
            if not events:
                found.errors += ["no answer"] * len(waiting.get_map())
                break
            for key, _events in events:
                person = key.data
                try:
                    if not person.hear():
                        continue
                except (ConnectionError, TimeoutError) as error:
                    found.errors.append(f"{type(error).__name__}: {error}")
                    waiting.unregister(person.socket)
                    continue
                now = time.perf_counter()
                if person.is_good():
                    found.times.append(now - person.begun)
                else:
                    found.errors.append(str(person.status))
                if now - begun >= seconds or not person.ask():
                    waiting.unregister(person.socket)
        found.seconds, found.cpu = time.perf_counter() - begun, time.process_time() - spent
    finally:
        waiting.close()
        for person in people:
            person.socket.close()
    return found
