"""The wire rules of the platform (wechat.md §0), so that nothing else in this channel speaks HTTP.

Bodies are raw UTF-8, never ``\\uXXXX``. A status of 200 proves nothing; an ``errcode`` other than 0 is a failure, and
an answer without the id that was asked for is an ``Unknown``. A refused token is renewed and the call repeated once:
the platform looks at the token before anything else, so a call refused for it did nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from channels.base import Account, Cache, Outcome, Refused, Unavailable, Unknown, dumps_utf8
from channels.http import Answer, FilePart, Http
from channels.wechat.errors import CODES, Act, outcome_of_code
from channels.wechat.settings import Settings
from channels.wechat.token import Tokens

_RID = re.compile(r"rid:\s*([0-9A-Za-z-]+)")
_JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A call that gave no answer to work with."""

    outcome: Outcome
    code: int | None = None
    data: Mapping[str, Any] | None = None
    """The whole answer where there was one: 45065 carries the id of the first send."""

    @property
    def why(self) -> str:
        """The Chinese words of the outcome."""
        outcome = self.outcome
        if isinstance(outcome, Refused):
            return outcome.reason
        return outcome.why if isinstance(outcome, Unknown | Unavailable) else ""


class Client:
    """Calls of one account."""

    def __init__(self, account: Account, settings: Settings, cache: Cache, clock: Callable[[], datetime]) -> None:
        self._base = account.api_base.rstrip("/")
        self._appid = settings.appid
        self._secret = account.secrets["app_secret"]
        self._scale = settings.time_scale
        self._clock = clock
        self._http = Http(secrets=tuple(account.secrets.values()), read_timeout=settings.read_timeout)
        self._tokens = Tokens(cache, f"wechat:{account.name}:{settings.appid}:token", self._fetch_token)

    def post(self, path: str, body: Mapping[str, Any], what: str, *, effect: bool = False) -> dict[str, Any] | Problem:
        """POST JSON. ``what`` names the call in Chinese; ``effect``: a repetition could draft, publish or delete twice."""
        data = dumps_utf8(body)
        return self._with_token(lambda token: self._call("POST", path, what, effect, token, data=data, headers=_JSON_HEADERS))

    def get(self, path: str, what: str) -> dict[str, Any] | Problem:
        return self._with_token(lambda token: self._call("GET", path, what, False, token))

    def upload(self, path: str, file: FilePart, what: str, **query: str) -> dict[str, Any] | Problem:
        """Send one file as field ``media``. Its name must be ASCII with an extension: the platform cannot read others."""
        return self._with_token(lambda token: self._call("POST", path, what, False, token, files={"media": file}, query=query))

    def _with_token(self, call: Callable[[str], dict[str, Any] | Problem]) -> dict[str, Any] | Problem:
        token = self._tokens.get()
        if not isinstance(token, str):
            return Problem(token)
        answer = call(token)
        if isinstance(answer, Problem) and answer.code is not None and _is_token_code(answer.code):
            token = self._tokens.replace(bad=token)
            return call(token) if isinstance(token, str) else Problem(token)
        return answer

    def _fetch_token(self) -> tuple[str, int] | Outcome:
        body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret, "force_refresh": False}
        answer = self._call("POST", "/cgi-bin/stable_token", "获取凭证", False, "", data=dumps_utf8(body), headers=_JSON_HEADERS)
        if isinstance(answer, Problem):
            # Without a token nothing was asked of the account, so a muddled answer proves that nothing happened.
            return Unavailable(answer.why) if isinstance(answer.outcome, Unknown) else answer.outcome
        token, remaining = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(remaining, int):
            return Unavailable("获取凭证：应答中没有 access_token")
        return token, remaining

    def _call(
        self,
        method: Literal["GET", "POST"],
        path: str,
        what: str,
        effect: bool,
        token: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, FilePart] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | Problem:
        params = {**({"access_token": token} if token else {}), **(query or {})}
        got = self._http.call(method, self._base + path, params=params, data=data, headers=headers, files=files, secrets=(token,))
        if isinstance(got, Answer):
            return self._read(got, what, effect)
        if isinstance(got, Unknown) and not effect:
            return Problem(Unavailable(f"{what}：{got.why}"))
        return Problem(got)

    def _read(self, answer: Answer, what: str, effect: bool) -> dict[str, Any] | Problem:
        if answer.status == 429:
            return Problem(Unavailable(f"{what}：平台要求稍后再试（HTTP 429）", self._scaled(answer.retry_after)))
        data = answer.json()
        if answer.status != 200 or not isinstance(data, dict):
            why = f"{what}：应答无法辨认（HTTP {answer.status}，{len(answer.body)} 字节）"
            return Problem(Unknown(why) if effect else Unavailable(why, self._scaled(answer.retry_after)))
        code = data.get("errcode", 0)
        if code == 0:
            return data
        if not isinstance(code, int):
            return Problem(Unknown(f"{what}：错误代码无法辨认"), data=data)
        rid = _RID.search(str(data.get("errmsg", "")))
        outcome = outcome_of_code(code, what, rid[1] if rid else "", effect=effect, now=self._clock(), scale=self._scale)
        return Problem(outcome, code, data)

    def _scaled(self, pause: timedelta | None) -> timedelta | None:
        return pause * self._scale if pause is not None else None


def _is_token_code(code: int) -> bool:
    rule = CODES.get(code)
    return rule is not None and rule.act is Act.TOKEN


def gives(answer: dict[str, Any], field: str, what: str) -> str | Problem:
    """The id that a good answer must carry, as text: real answers give numbers where the documentation says text."""
    value = answer.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return Problem(Unknown(f"{what}：应答中没有 {field}"))
    return str(value).strip()
