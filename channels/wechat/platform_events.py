"""How the loopback platform calls the hub back: signed, encrypted when a key is set, three deliveries in all (wechat.md §7)."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import requests

from channels.wechat.crypto import encrypt, key_of, signature

TRIES = 3
ANSWER_WITHIN = 5.0
"""Seconds (wechat.md §7)."""


@dataclass(frozen=True, slots=True)
class Line:
    """Where events go and how they are sealed."""

    url: str
    token: str
    appid: str
    aes_key: str = ""

    def sealed(self, xml: str, now: float) -> tuple[str, bytes]:
        """(address with its query, body) of one delivery."""
        timestamp, nonce = str(int(now)), secrets.token_hex(8)
        query = {"signature": signature(self.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        body = xml
        if self.aes_key:
            envelope = encrypt(xml.encode(), key_of(self.aes_key), self.appid, secrets.token_bytes(16))
            query |= {"encrypt_type": "aes", "msg_signature": signature(self.token, timestamp, nonce, envelope)}
            body = f"<xml><ToUserName><![CDATA[gh_loopback]]></ToUserName><Encrypt><![CDATA[{envelope}]]></Encrypt></xml>"
        return f"{self.url}?{urlencode(query)}", body.encode()


class Messenger:
    """One thread that lets time pass for the platform and delivers its events.

    ``tick`` decides what is ready and returns (events to deliver, seconds until the next job or None).
    """

    def __init__(self, tick: Callable[[], tuple[list[str], float | None]], line: Line | None, clock: Callable[[], float]) -> None:
        self._tick = tick
        self._line = line
        self._clock = clock
        self._bell = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="wechat-platform-messenger")
        self.delivered: list[int] = []
        """HTTP status of every delivery, 0 for none; for tests and for the curious."""

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Something new is under way."""
        self._bell.set()

    def stop(self) -> None:
        self._stopping = True
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait: float | None = 0.0
        while not self._stopping:
            self._bell.wait(wait)
            self._bell.clear()
            events, wait = self._tick()
            for xml in events:
                self._deliver(xml)

    def _deliver(self, xml: str) -> None:
        if self._line is None:
            return
        for _ in range(TRIES):
            if self._send(self._line, xml) or self._stopping:
                return

    def _send(self, line: Line, xml: str) -> bool:
        address, body = line.sealed(xml, self._clock())
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(address, data=body, headers={"Content-Type": "text/xml"}, timeout=ANSWER_WITHIN)
        except requests.RequestException:
            self.delivered.append(0)
            return False
        self.delivered.append(answer.status_code)
        return answer.status_code == 200 and answer.text in ("success", "")
