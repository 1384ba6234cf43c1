"""A browser without a screen: one connection kept open, cookies, and the token that forms carry."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

#: Of everybody in the measured company.
PASSWORD = "measured-and-found-quick"
_TOKEN = re.compile(rb'name="csrf-token" content="([^"]+)"|name="csrfmiddlewaretoken" value="([^"]+)"')


class Unexpected(Exception):
    """An answer that the measurement cannot use."""


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Client:
    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.origin = f"http://{self.host}:{self.port}"
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)

    def close(self) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, body: dict[str, object] | None = None, **headers: str) -> Answer:
        """One request, timed until the last byte of the answer has come."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        data = None
        if body is not None:
            data = urlencode(body).encode()
            sent |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-CSRFToken": self.token,
                "Origin": self.origin,
            }
        begun = time.perf_counter()
        try:
            answer = self._send(method, path, data, sent)
        except (http.client.BadStatusLine, ConnectionError):  # an idle connection was closed at the other end
            self.connection.close()
            begun = time.perf_counter()
            answer = self._send(method, path, data, sent)
        content = answer.read()
        seconds = time.perf_counter() - begun
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, content, seconds)

    def _send(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        self.connection.request(method, path, body=data, headers=headers)
        return self.connection.getresponse()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def take_token(self, body: bytes) -> None:
        if found := _TOKEN.search(body):
            self.token = (found.group(1) or found.group(2)).decode()

    def sign_in(self, username: str, password: str) -> None:
        """Through the form, as a person does."""
        page = self.get("/sign-in")
        if page.status != 200:
            raise Unexpected(f"the sign-in page answers {page.status}")
        self.take_token(page.body)
        answer = self.ask(
            "POST",
            "/sign-in",
            {"username": username, "password": password, "csrfmiddlewaretoken": self.token},
        )
        if answer.status not in (302, 303):
            raise Unexpected(f"{username} cannot sign in: {answer.status}")
        self.take_token(self.get("/search/").body)

    def move(self, deal: int, to: str, version: int) -> Answer:
        """As a card dropped on a column of the board sends it."""
        return self.ask(
            "POST",
            f"/opportunities/{deal}/move/",
            {"to": to, "version": version},
            HX_Request="true",
            HX_Current_URL=f"{self.origin}/board/",
        )
