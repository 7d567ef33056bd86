"""The one seam between an adapter and the network.

``requests`` raises one ``ConnectionError`` both for a call that never left and for a call that may have been applied;
this module looks inside and says which, so that no adapter has to guess. Redirects are never followed: a platform
that redirects a POST has not said what it did.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests import exceptions as rexc
from urllib3 import exceptions as uexc

from channels.base import Exchange, RefusalClass, Refused, Unavailable, Unknown, note_exchange, sha256_hex

EXCERPT = 2000
_TOKEN_PARAMETER = re.compile(r"((?:access_token|secret|appsecret|client_secret|signature|code)=)[^&\s\"]+", re.IGNORECASE)
_TOKEN_FIELD = re.compile(r'("(?:access_token|refresh_token|secret|appsecret|client_secret)"\s*:\s*")[^"]*(")', re.IGNORECASE)

FilePart = tuple[str, bytes, str]
"""(file name in ASCII, bytes, media type)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back whole. A status of 200 proves nothing: look for the id in the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse as UTF-8 whatever charset is claimed, control characters tolerated; None when it is no JSON (or empty)."""
        try:
            return json.loads(self.body.decode("utf-8"), strict=False)
        except (UnicodeDecodeError, ValueError):
            return None

    @property
    def retry_after(self) -> timedelta | None:
        """``Retry-After`` as a pause, in either of its two forms (RFC 9110 §10.2.3); None when absent or unreadable."""
        return parse_retry_after(self.headers.get("Retry-After", ""), datetime.now(UTC))


def parse_retry_after(value: str, now: datetime) -> timedelta | None:
    value = value.strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value), 7 * 86400))
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta(0)), timedelta(days=7))


class Http:
    """A pooled session for one account. Give it the account's secrets so that no address or answer shows them."""

    def __init__(
        self, *, secrets: Sequence[str] = (), connect_timeout: float = 5.0, read_timeout: float = 30.0, user_agent: str = "disclosure-hub"
    ) -> None:
        self._timeout = (connect_timeout, read_timeout)
        self._secrets = tuple(s for s in secrets if len(s) >= 4)
        self._user_agent = user_agent
        self._local = threading.local()

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, FilePart] | None = None,
        secrets: Sequence[str] = (),
    ) -> Answer | Unavailable | Unknown | Refused:
        """Make one call. Returns an ``Answer``, or an outcome when there is none:

        ``Unavailable``: it never left this machine. ``Unknown``: it may have been applied. ``Refused``: the configured
        address is no address. ``secrets`` are further words to remove from the evidence (a token just fetched).
        """
        hidden = (*self._secrets, *(s for s in secrets if len(s) >= 4))
        started = time.monotonic()
        request_digest = sha256_hex(data if isinstance(data, bytes) else repr((sorted((data or {}).items()), sorted(files or {}))).encode())
        try:
            response = self._session().request(
                method, url, params=params, data=data, headers=headers, files=files, timeout=self._timeout, allow_redirects=False
            )
            answer = Answer(response.status_code, response.headers, response.content)
        except rexc.RequestException as error:
            outcome = outcome_of(error)
            self._note(method, url, hidden, type(outcome).__name__, request_digest, b"", started, redact(str(error), hidden))
            return outcome
        self._note(method, response.url, hidden, str(answer.status), request_digest, answer.body, started)
        return answer

    def _session(self) -> requests.Session:
        # requests.Session is not promised to be thread-safe, and a worker's pool may be threads.
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = self._user_agent
            # A proxy or .netrc of the machine must not silently receive an account's tokens.
            session.trust_env = False
            self._local.session = session
        return session

    def _note(
        self, method: str, url: str, hidden: Sequence[str], status: str, request_digest: str, body: bytes, started: float, why: str = ""
    ) -> None:
        text = why or body[:EXCERPT].decode("utf-8", "replace")
        note_exchange(
            Exchange(
                what=f"{method} {redact(url, hidden)}",
                status=status,
                request_digest=request_digest,
                response_digest=sha256_hex(body) if body else "",
                milliseconds=round((time.monotonic() - started) * 1000),
                excerpt=redact(text, hidden)[:EXCERPT],
            )
        )


def outcome_of(error: rexc.RequestException) -> Unavailable | Unknown | Refused:
    """Say what an exception of ``requests`` proves about a call that may not be repeated."""
    if isinstance(error, (rexc.InvalidURL, rexc.MissingSchema, rexc.InvalidSchema, rexc.InvalidProxyURL, rexc.InvalidHeader)):
        return Refused(f"渠道地址或请求头配置有误：{type(error).__name__}", RefusalClass.PERMISSION, code=type(error).__name__)
    if isinstance(error, rexc.ConnectTimeout):
        return Unavailable("连接超时，请求未发出")
    if isinstance(error, rexc.SSLError):
        return Unavailable("TLS 握手失败，请求未发出")
    if isinstance(error, rexc.ConnectionError) and _never_left(error):
        return Unavailable("无法连接，请求未发出")
    if isinstance(error, rexc.ReadTimeout):
        return Unknown("已发出，但在时限内没有应答")
    return Unknown(f"已发出，但应答中断：{type(error).__name__}")


def _never_left(error: rexc.ConnectionError) -> bool:
    cause: object = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    # NameResolutionError is a NewConnectionError; a reset after the request was read arrives as ProtocolError.
    return isinstance(reason, uexc.NewConnectionError | uexc.ConnectTimeoutError)


def redact(text: str, secrets: Sequence[str]) -> str:
    """Remove every given secret and every value that is named like one."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _TOKEN_FIELD.sub(r"\1***\2", _TOKEN_PARAMETER.sub(r"\1***", text))
