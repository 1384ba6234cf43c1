"""The crowd of the measurements reads whole answers and believes no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from threading import Thread

from bench.client import Client
from bench.crowd import crowd, wish


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seen.append((self.path, self.headers["Cookie"]))
        body = b"x" * 300_000 + b"the end"
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")
            self.close_connection = True
            return
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Set-Cookie", f"n={len(seen)}; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


seen: list[tuple[str, str]] = []


@contextmanager
def site() -> Iterator[Client]:
    seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        client = Client(f"http://127.0.0.1:{server.server_port}")
        client.cookies["n"] = "0"
        try:
            yield client
        finally:
            server.shutdown()
            thread.join()


def test_whole_answers_are_counted_and_cookies_kept() -> None:
    with site() as client:
        outcome = crowd([client], [iter([wish(client, "GET", "/a", must_hold=b"the end")] * 3)], 60)
    assert (len(outcome.times), outcome.errors) == (3, [])
    assert seen == [("/a", "n=0"), ("/a", "n=1"), ("/a", "n=2")]


def test_bad_cut_and_strange_answers_are_errors() -> None:
    with site() as client:
        wishes = [
            wish(client, "GET", "/bad"),
            wish(client, "GET", "/a", must_hold=b"something else"),
            wish(client, "GET", "/cut"),
        ]
        outcome = crowd([client] * 3, [iter([one]) for one in wishes], 60)
    assert outcome.times == []
    assert sorted(outcome.errors) == ["200", "500", "ConnectionError: cut"]


def test_it_ends_with_its_time() -> None:
    with site() as client:
        outcome = crowd([client], [repeat(wish(client, "GET", "/a"))], 0)
    assert len(outcome.times) == 1
