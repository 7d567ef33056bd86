"""The base of the loopback platforms: every fault does what it says, and only what it says."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from channels.loopback import Fault, FaultKind, LoopbackServer, Part, Platform, Reply, Request, arguments, parser, serving


class Counter(Platform):
    """Counts what was done; dead tokens are refused."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 1000.0)
        self.done: list[str] = []
        self.dead = 0
        self.inside = 0

    def handle(self, request: Request) -> Reply:
        self.inside += 1
        assert self.inside == 1, "two calls at once"
        if self.dead:
            self.inside -= 1
            return Reply.json({"error": "token"}, 401)
        self.done.append(request.path)
        self.inside -= 1
        return Reply.json({"id": len(self.done)}, **{"X-Count": str(len(self.done))})

    def business_error(self, request: Request, fault: Fault) -> Reply:
        return Reply.json({"code": fault.code, "message": fault.message}, 400)

    def kill_tokens(self) -> None:
        self.dead += 1


@pytest.fixture
def platform() -> Counter:
    return Counter()


@pytest.fixture
def server(platform: Counter) -> Iterator[LoopbackServer]:
    with serving(platform) as server:
        yield server


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_it_listens_on_this_machine_only(server: LoopbackServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")


def test_without_faults_it_answers(server: LoopbackServer, session: requests.Session) -> None:
    answer = session.post(server.url + "/a")
    assert (answer.status_code, answer.json(), answer.headers["X-Count"]) == (200, {"id": 1}, "1")


@pytest.mark.parametrize(
    ("kind", "more", "done"),
    [
        ("apply_and_drop", {}, 1),
        ("drop", {}, 0),
        ("invalid_json", {}, 1),
        ("late", {"delay": 0.05}, 1),
        ("cut_headers", {}, 1),
        ("status", {"status": 503, "retry_after": "9"}, 0),
        ("status", {"status": 500, "apply": True}, 1),
        ("business", {"code": 45009, "message": "quota"}, 0),
        ("business", {"code": 20032, "apply": True}, 1),
        ("kill_token", {}, 0),
    ],
)
def test_faults(kind: str, more: dict, done: int, server: LoopbackServer, platform: Counter, session: requests.Session) -> None:  # type: ignore[type-arg]
    platform.fail(kind, "/a", **more)
    if kind in ("apply_and_drop", "drop"):
        with pytest.raises(requests.ConnectionError):
            session.post(server.url + "/a", data={"x": "1"})
    else:
        started = time.monotonic()
        answer = session.post(server.url + "/a", data={"x": "1"})
        body = answer.text
        if kind == "invalid_json":
            assert answer.status_code == 200
            assert body.startswith("<html>")
        if kind == "late":
            assert time.monotonic() - started >= 0.05
        if kind == "cut_headers":
            assert (answer.status_code, body) == (200, "")
        if kind == "status":
            assert answer.status_code == more["status"]
            assert answer.headers.get("Retry-After", "") == more.get("retry_after", "")
        if kind == "business":
            assert answer.json() == {"code": more["code"], "message": more.get("message", "")}
        if kind == "kill_token":
            assert answer.status_code == 401
    assert len(platform.done) == done
    assert platform.log[-1].fault == kind
    platform.dead = 0
    assert session.post(server.url + "/a").status_code == 200


def test_faults_wait_for_their_path_and_their_turn(server: LoopbackServer, platform: Counter, session: requests.Session) -> None:
    platform.fail("status", "/a", status=500, times=2, skip=1)
    seen = [session.post(server.url + path).status_code for path in ("/b", "/a/1", "/b", "/a/2", "/a/3", "/a/4")]
    assert seen == [200, 200, 200, 500, 500, 200]


def test_faults_are_planned_and_forgotten_over_http(server: LoopbackServer, session: requests.Session) -> None:
    control = server.url + "/_control/faults"
    assert session.post(control, json={"kind": "status", "path": "/a", "status": 418, "times": 9}).json() == {"planned": 1}
    assert session.get(server.url + "/a").status_code == 418
    assert session.delete(control).json() == {"planned": 0}
    assert session.get(server.url + "/a").status_code == 200
    assert session.get(server.url + "/_control/nothing").status_code == 404
    log = session.get(server.url + "/_control/log").json()
    assert [(call["path"], call["status"], call["fault"]) for call in log] == [("/a", 418, "status"), ("/a", 200, "")]
    assert log[0]["at"] == 1000.0


def test_an_unknown_fault_is_a_mistake(platform: Counter) -> None:
    with pytest.raises(ValueError, match="explode"):
        platform.fail("explode")


def test_a_platform_handles_one_call_at_a_time(server: LoopbackServer, platform: Counter) -> None:
    def many() -> None:
        with requests.Session() as session:
            session.trust_env = False
            for _ in range(20):
                session.post(server.url + "/a")

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(platform.done) == 80


def test_a_late_answer_holds_up_nobody_else(server: LoopbackServer, platform: Counter) -> None:
    platform.fail("late", "/slow", delay=1.0)
    slow = threading.Thread(target=lambda: requests.get(server.url + "/slow", timeout=5))
    slow.start()
    while "/slow" not in platform.done:
        pass
    requests.get(server.url + "/fast", timeout=5)
    assert slow.is_alive()
    slow.join()


def test_answers_leave_in_one_piece(server: LoopbackServer, session: requests.Session) -> None:
    """Headers and body in two packets meet the client's delayed acknowledgement: 40 ms each time."""
    took = []
    for _ in range(10):
        started = time.monotonic()
        session.get(server.url + "/a")
        took.append(time.monotonic() - started)
    assert min(took) < 0.035


def test_a_head_has_no_body(server: LoopbackServer, session: requests.Session) -> None:
    answer = session.head(server.url + "/a")
    assert answer.content == b""
    assert int(answer.headers["Content-Length"]) > 0
    assert session.get(server.url + "/a").json() == {"id": 2}


@given(st.binary(max_size=3000), st.text(st.characters(exclude_categories=("Cs",)), max_size=50))
def test_multipart_keeps_every_byte(body: bytes, words: str) -> None:
    made = requests.Request("POST", "http://127.0.0.1/", data={"status": words}, files={"pic": ("a.png", body, "image/png")}).prepare()
    assert isinstance(made.body, bytes)
    request = Request("POST", "/", {}, {"content-type": made.headers["Content-Type"]}, made.body)
    parts = request.parts()
    assert parts["pic"] == Part("a.png", "image/png", body)
    assert parts["status"].body == words.encode()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8),
        st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
        max_size=4,
    )
)
def test_forms_keep_every_character(fields: dict[str, str]) -> None:
    made = requests.Request("POST", "http://127.0.0.1/", data=fields).prepare()
    body = made.body.encode() if isinstance(made.body, str) else b""
    assert Request("POST", "/", {}, {}, body).form == fields
    assert Request("POST", "/", {}, {"content-type": "application/x-www-form-urlencoded"}, body).parts() == {}


def test_options_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["platform", "--port", "7", "--state", "x.db"])
    assert vars(arguments("P", 1)) == {"port": 7, "state": "x.db", "hub": ""}
    own = parser("P", 1)
    own.add_argument("--daily-calls", type=int)
    assert own.parse_args(["--daily-calls", "3"]).daily_calls == 3


def test_every_fault_is_tested() -> None:
    assert {kind.value for kind in FaultKind} == {
        "apply_and_drop", "drop", "late", "cut_headers", "status", "business", "invalid_json", "kill_token",
    }  # fmt: skip
