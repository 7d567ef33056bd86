"""The calls of Weibo's API that we make: forms and multipart, the token in a header, the body of a 4xx read (weibo.md §0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from channels.base import Refused, Unavailable, Unknown
from channels.http import Answer, FilePart, Http
from channels.weibo.errors import number


@dataclass(frozen=True, slots=True)
class Problem:
    """The platform answered, and the answer is not what was asked for."""

    code: str
    """Error number as text; empty when the answer carries none."""
    error: str
    """The platform's own words."""
    status: int
    """HTTP status."""
    retry_after: timedelta | None = None


Reply: TypeAlias = dict[str, Any] | Problem | Unavailable | Unknown | Refused
"""A JSON object without an error in it, or why there is none."""


class Client:
    """``api_base`` without a trailing slash; the real one is ``https://api.weibo.com``."""

    def __init__(self, http: Http, api_base: str, token: str) -> None:
        self._http = http
        self._base = api_base.rstrip("/")
        self._token = token

    def share(self, status: str, rip: str, picture: FilePart | None) -> Reply:
        """Post. ``status`` goes in as it is: the form encoder encodes it once, and only once."""
        return self._call("POST", "/2/statuses/share.json", {"status": status, "rip": rip}, {"pic": picture} if picture else None)

    def destroy(self, post_id: str) -> Reply:
        return self._call("POST", "/2/statuses/destroy.json", {"id": post_id})

    def show(self, post_id: str) -> Reply:
        return self._call("GET", "/2/statuses/show.json", {"id": post_id})

    def user_timeline(self, count: int) -> Reply:
        """The newest posts this app sent for the authorised user, ``{"statuses": [...]}``."""
        return self._call("GET", "/2/statuses/user_timeline.json", {"base_app": "1", "trim_user": "1", "count": str(count)})

    def rate_limit_status(self) -> Reply:
        """Not counted against any limit."""
        return self._call("GET", "/2/account/rate_limit_status.json", {})

    def token_info(self) -> Reply:
        """Who the token belongs to and how long it lives (``expire_in``, seconds). The parameter is required here."""
        return self._call("POST", "/oauth2/get_token_info", {"access_token": self._token})

    def _call(self, method: str, path: str, fields: Mapping[str, str], files: Mapping[str, FilePart] | None = None) -> Reply:
        answer = self._http.call(
            method,
            self._base + path,
            params=fields if method == "GET" else None,
            data=fields if method == "POST" else None,
            headers={"Authorization": f"OAuth2 {self._token}"},
            files=files,
        )
        return judge(answer) if isinstance(answer, Answer) else answer


def judge(answer: Answer) -> dict[str, Any] | Problem:
    """Tell an error from a result by the body, whatever the status says: a business error is a 400 with JSON."""
    body = answer.json()
    if isinstance(body, dict):
        error = body["error"] if isinstance(body.get("error"), str) else ""
        if "error_code" in body or "error" in body:
            return Problem(number(body.get("error_code"), error), error, answer.status, answer.retry_after)
        if 200 <= answer.status < 300:
            return body
    return Problem("", "", answer.status, answer.retry_after)
