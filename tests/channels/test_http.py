"""Each way a call can end, on real sockets: what it proves about a call that may not be repeated (style.md §4.4's table)."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import RefusalClass, Refused, Unavailable, Unknown, recording, sha256_hex
from channels.http import EXCERPT, Answer, Http, parse_retry_after, redact
from channels.loopback import Platform, Reply, Request, serving

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
TOKEN = "s3cret-token-value"


class Wire:
    """Accepts one connection at a time, reads a whole request and then does as told with the socket."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self._act = act
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/api"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self.requests.append(_read_request(connection))
                    self._act(connection)

    def close(self) -> None:
        # Closing alone does not wake a thread that waits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)
        assert not self._thread.is_alive()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    size = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def wire() -> Iterator[Callable[[Callable[[socket.socket], None]], Wire]]:
    wires: list[Wire] = []

    def open_wire(act: Callable[[socket.socket], None]) -> Wire:
        wires.append(Wire(act))
        return wires[-1]

    yield open_wire
    for each in wires:
        each.close()


OpenWire = Callable[[Callable[[socket.socket], None]], Wire]


def sends(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def http(**more: float) -> Http:
    return Http(secrets=[TOKEN], connect_timeout=1.0, read_timeout=more.pop("read_timeout", 5.0))


# ---------------------------------------------------------------------------------------------------------- the table


def test_a_closed_port_means_it_never_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert isinstance(http().call("POST", f"http://127.0.0.1:{port}/"), Unavailable)


def test_an_unknown_name_means_it_never_left() -> None:
    assert isinstance(http().call("POST", "http://no-such-platform.invalid/"), Unavailable)


def test_a_full_backlog_means_it_never_left() -> None:
    """The connection is not even accepted: a connect timeout."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        with contextlib.ExitStack() as held:
            for _ in range(4):
                waiting = held.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(address)
            client = Http(connect_timeout=0.2, read_timeout=5.0)
            assert client.call("POST", f"http://127.0.0.1:{address[1]}/") == Unavailable("连接超时，请求未发出")


def test_read_and_then_closed_may_have_been_applied(wire: OpenWire) -> None:
    there = wire(lambda connection: None)
    assert isinstance(http().call("POST", there.url, data={"a": "1"}), Unknown)
    assert there.requests[0].endswith(b"a=1")


def test_read_and_then_reset_may_have_been_applied(wire: OpenWire) -> None:
    assert isinstance(http().call("POST", wire(resets).url, data={"a": "1"}), Unknown)


def test_a_body_cut_short_may_have_been_applied(wire: OpenWire) -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"id":'
    assert isinstance(http().call("POST", wire(sends(chunked)).url), Unknown)
    counted = b'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"id":'
    assert isinstance(http().call("POST", wire(sends(counted)).url), Unknown)


def test_no_answer_in_time_may_have_been_applied(wire: OpenWire) -> None:
    released = threading.Event()
    there = wire(lambda connection: released.wait(5) and None)
    outcome = http(read_timeout=0.2).call("POST", there.url)
    released.set()
    assert outcome == Unknown("已发出，但在时限内没有应答")


def test_headers_cut_short_look_like_an_empty_200(wire: OpenWire) -> None:
    """``requests`` raises nothing here: that is why a 200 proves nothing and an id in the body does."""
    answer = http().call("POST", wire(sends(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Cut: ")).url)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.json()) == (200, b"", None)


def test_a_status_line_cut_short_may_have_been_applied(wire: OpenWire) -> None:
    assert isinstance(http().call("POST", wire(sends(b"HTT")).url), Unknown)


def test_bytes_that_do_not_unpack_may_have_been_applied(wire: OpenWire) -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    assert isinstance(http().call("POST", wire(sends(packed)).url), Unknown)


@pytest.mark.parametrize("url", ["no-scheme/path", "", "ftp://127.0.0.1/", "http://", "http://[::1", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_a_mistake_of_ours(url: str) -> None:
    outcome = http().call("POST", url)
    assert isinstance(outcome, Refused), outcome
    assert outcome.kind is RefusalClass.PERMISSION


def test_a_header_that_is_none_is_a_mistake_of_ours(wire: OpenWire) -> None:
    outcome = http().call("POST", wire(sends(b"")).url, headers={"Authorization": "OAuth2 a\nb"})
    assert isinstance(outcome, Refused)


def test_tls_on_a_plain_port_never_left(wire: OpenWire) -> None:
    with serving(Echo()) as server:
        assert isinstance(http().call("POST", server.url.replace("http:", "https:")), Unavailable)


def test_redirects_are_not_followed(wire: OpenWire) -> None:
    there = wire(sends(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    answer = http().call("POST", there.url)
    assert isinstance(answer, Answer)
    assert answer.status == 302
    assert len(there.requests) == 1


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_every_status_is_an_answer(status: int, wire: OpenWire) -> None:
    answer = http().call("GET", wire(sends(f"HTTP/1.1 {status} X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{{}}".encode())).url)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.json(), answer.retry_after) == (status, {}, timedelta(seconds=7))


# ------------------------------------------------------------------------------------------------------------ answers


class Echo(Platform):
    """Answers with what it was asked."""

    def handle(self, request: Request) -> Reply:
        parts = {name: [part.filename, part.media_type, sha256_hex(part.body)] for name, part in request.parts().items()}
        form = request.form if not parts and request.body else {}
        return Reply.json({"method": request.method, "query": dict(request.query), "form": form, "parts": parts})


def test_forms_and_files_arrive_whole() -> None:
    body = bytes(range(256)) * 40 + b"\r\n--\r\r\n\n"
    with serving(Echo()) as server:
        sent = http().call("POST", server.url, params={"q": "云 川&"}, data={"status": "50% + 云川\n"})
        assert isinstance(sent, Answer)
        assert sent.json() == {"method": "POST", "query": {"q": "云 川&"}, "form": {"status": "50% + 云川\n"}, "parts": {}}
        filed = http().call("POST", server.url, data={"status": "云川"}, files={"pic": ("a.png", body, "image/png")})
        assert isinstance(filed, Answer)
        assert filed.json()["parts"]["pic"] == ["a.png", "image/png", sha256_hex(body)]
        assert filed.json()["parts"]["status"][2] == sha256_hex("云川".encode())


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        ('{"名": "云川"}'.encode(), {"名": "云川"}),
        (b'{"a": "x\ty"}', {"a": "x\ty"}),
        (b"", None),
        (b"<html>", None),
        (b'{"a":', None),
        ('{"名": "云川"}'.encode("gb18030"), None),
    ],
)
def test_json_is_read_as_utf_8_and_never_raises(body: bytes, value: object) -> None:
    assert Answer(200, {"Content-Type": "text/plain; charset=ISO-8859-1"}, body).json() == value


@given(st.binary(max_size=200))
def test_no_body_makes_reading_fail(body: bytes) -> None:
    Answer(200, {}, body).json()


def test_a_proxy_of_the_machine_is_not_used(wire: OpenWire, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = wire(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with serving(Echo()) as server:
        assert isinstance(http().call("GET", server.url), Answer)
    assert proxy.requests == []


def test_threads_do_not_share_a_session() -> None:
    client, sessions = http(), []
    threads = [threading.Thread(target=lambda: sessions.append(client._session())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(session) for session in sessions}) == 3
    assert client._session() is client._session()


# --------------------------------------------------------------------------------------------------------- Retry-After


@given(st.integers(0, 10**12))
def test_seconds(seconds: int) -> None:
    assert parse_retry_after(f" {seconds} ", NOW) == timedelta(seconds=min(seconds, 7 * 86400))


@given(st.integers(-(10**6), 10**7))
def test_moments(seconds: int) -> None:
    told = parse_retry_after(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW)
    assert told == timedelta(seconds=min(max(seconds, 0), 7 * 86400))


@given(st.text(max_size=40))
def test_anything_else_is_none_or_a_pause(text: str) -> None:
    told = parse_retry_after(text, NOW)
    assert told is None or timedelta(0) <= told <= timedelta(days=7)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "soon", "١٢", "²", "Sun, 99 Nov 2026 01:00:00 GMT", "Sun, 22 Nov 9999999 01:00:00 GMT"])
def test_unreadable(text: str) -> None:
    assert parse_retry_after(text, NOW) is None


# ------------------------------------------------------------------------------------------------------------ evidence


def test_evidence_without_secrets() -> None:
    fetched = "fetched-while-running"

    class Leaky(Platform):
        def handle(self, request: Request) -> Reply:
            told = {"access_token": "from-the-answer", "echo": f"{TOKEN} {fetched}", "query": request.query.get("appsecret", "")}
            return Reply.json(told)

    with serving(Leaky()) as server, recording() as exchanges:
        client = http()
        params = {"access_token": TOKEN, "appsecret": "in-the-query", "page": "2"}
        client.call("POST", server.url + "/x", params=params, data={"body": "words", "token": TOKEN}, secrets=[fetched])
        client.call("GET", f"http://127.0.0.1:1/?access_token={TOKEN}&secret=other-secret")
    first, second = exchanges
    told = repr(exchanges)
    for secret in (TOKEN, fetched, "from-the-answer", "other-secret"):
        assert secret not in told
    assert "page=2" in first.what
    assert first.what.startswith(f"POST {server.url}/x?")
    assert (first.status, second.status) == ("200", "Unavailable")
    assert len(first.request_digest) == len(first.response_digest) == 64
    assert second.response_digest == ""


def test_the_request_digest_tells_requests_apart() -> None:
    with serving(Echo()) as server, recording() as exchanges:
        for data in ({"a": "1"}, {"a": "2"}, {"a": "1"}, b"raw", b"other"):
            http().call("POST", server.url, data=data)
    digests = [exchange.request_digest for exchange in exchanges]
    assert digests[0] == digests[2]
    assert len(set(digests)) == 4


def test_excerpts_are_short() -> None:
    class Long(Platform):
        def handle(self, request: Request) -> Reply:
            return Reply(200, b"x" * (EXCERPT * 3), "text/plain")

    with serving(Long()) as server, recording() as exchanges:
        http().call("GET", server.url)
    assert len(exchanges[0].excerpt) == EXCERPT


@given(st.text(st.sampled_from('abc&=" \n'), max_size=30), st.text(st.characters(categories=("L", "N")), min_size=4, max_size=20))
def test_redaction_leaves_no_secret(around: str, secret: str) -> None:
    text = f'{around}{secret}{around} access_token={secret}&x=1 {{"access_token": "{secret}"}}'
    assert secret not in redact(text, [secret]) or secret in "access_token x 1"


def test_redaction_by_name() -> None:
    told = redact('?access_token=abc&x=1 {"refresh_token" : "def", "name": "ghi"} client_secret=jkl', [])
    assert "abc" not in told
    assert "def" not in told
    assert "jkl" not in told
    assert '"name": "ghi"' in told
    assert "x=1" in told
