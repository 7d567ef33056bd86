"""A Weibo that runs on loopback: strict where the real one is (weibo.md), one account, posts kept in SQLite.

    python -m channels.weibo.platform --port 8602 --state weibo.db --domain 127.0.0.1

``/`` is a follower's feed, ``/{uid}/{code}`` one post. Beside the shared control calls of ``channels.loopback``:

    POST /_control/limits   {"daily_calls": 100000, "timeline_lag": 90, …}   change any field of ``Rules``
    POST /_control/tokens   {"token": "…", "expire_in": 2592000}             the keeper authorises (again)
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.loopback import Fault, LoopbackServer, Platform, Reply, Request, parser
from channels.weibo import platform_page
from channels.weibo.permalink import to_mid
from channels.weibo.platform_rules import FORBIDDEN, LINK, TEXTS, TOPIC, Rules, Said, alike, check_picture, check_rip, check_text
from channels.weibo.platform_store import Store, Stored

TOKEN = "loopback-weibo-token"  # noqa: S105 - of a platform that only this machine reaches
UID = "7345600001"
_SHANGHAI = timedelta(hours=8)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class WeiboPlatform(Platform):
    """Strict loopback Weibo with one account. ``clock`` gives seconds since the epoch."""

    name = "weibo"

    def __init__(
        self,
        state: str = ":memory:",
        *,
        rules: Rules | None = None,
        token: str = TOKEN,
        uid: str = UID,
        screen_name: str = "云川发布",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(clock=clock)
        self.rules = rules or Rules()
        self.uid = uid
        self.screen_name = screen_name
        self.store = Store(state)
        self.tokens: dict[str, float] = {}
        """Token → when it ends, seconds since the epoch."""
        self._calls: Counter[str] = Counter()
        self._errors = 0
        self.authorise(token)
        self._api: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", "/2/statuses/share.json"): self._share,
            ("POST", "/2/statuses/destroy.json"): self._destroy,
            ("GET", "/2/statuses/show.json"): self._show,
            ("GET", "/2/statuses/user_timeline.json"): self._user_timeline,
            ("GET", "/2/statuses/user_timeline/ids.json"): self._ids,
            ("GET", "/2/statuses/count.json"): self._count,
        }

    def authorise(self, token: str, expire_in: int = 30 * 86400) -> None:
        """Make ``token`` good for ``expire_in`` seconds from now."""
        self.tokens[token] = self.clock() + expire_in

    def kill_tokens(self) -> None:
        self.tokens = dict.fromkeys(self.tokens, 0.0)

    def close(self) -> None:
        self.store.close()

    # --------------------------------------------------------------------------------------------------- answering

    def handle(self, request: Request) -> Reply:
        try:
            if request.path == "/2/account/rate_limit_status.json":
                self._who(request)
                return self._rate_limit_status()
            if request.path == "/oauth2/get_token_info":
                return self._token_info(request)
            if request.path.startswith("/2/"):
                return self._called(request)
            return self._page(request)
        except Said as said:
            return self._error(request.path, said.code, said.text)
        except ValueError:
            return self._error(request.path, 10017, "Parameter's value invalid")

    def business_error(self, request: Request, fault: Fault) -> Reply:
        return self._error(request.path, fault.code, fault.message or TEXTS.get(fault.code, "planned error"))

    def _error(self, path: str, code: int, text: str) -> Reply:
        self._errors += 1
        # The documentation shows a string, live answers a number.
        shown: int | str = code if self._errors % 2 else str(code)
        return Reply.json({"request": path, "error_code": shown, "error": text}, 403 if code in FORBIDDEN else 400)

    def _called(self, request: Request) -> Reply:
        call = self._api.get((request.method, request.path))
        if call is None:
            raise Said(10020, "request api not found!")
        self._who(request)
        if self._calls[self._day()] >= self.rules.daily_calls:
            raise Said(10023)
        self._calls[self._day()] += 1
        return call(request)

    def _who(self, request: Request) -> str:
        """Check the token, in the header or as a parameter."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "OAuth2":
            token = _fields(request).get("access_token", "")
        if not token:
            raise Said(21301)
        if token not in self.tokens:
            raise Said(21332)
        if self.tokens[token] <= self.clock():
            raise Said(21327)
        return token

    def _control(self, request: Request) -> Reply:
        if request.method == "POST" and request.path == "/_control/limits":
            asked: dict[str, Any] = json.loads(request.body)
            self.rules = replace(self.rules, **asked)
            return Reply.json({"rules": repr(self.rules)})
        if request.method == "POST" and request.path == "/_control/tokens":
            self.authorise(**json.loads(request.body))
            return Reply.json({"tokens": len(self.tokens)})
        return super()._control(request)

    # --------------------------------------------------------------------------------------------------------- calls

    def _share(self, request: Request) -> Reply:
        fields = _fields(request)
        text = TOPIC.sub("", fields.get("status", "")).strip()
        check_rip(fields)
        check_text(text, self.rules)
        picture = check_picture(request, fields, self.rules)
        now = self.clock()
        self._check_pace(text, now)
        shown = LINK.sub(lambda link: self.store.shorten(link.group()), text)
        post = self.store.add(text, shown, fields["rip"], now, now + self.rules.timeline_lag, picture)
        return Reply.json(self._status(post))

    def _check_pace(self, text: str, now: float) -> None:
        since = now - self.rules.repeat_window
        if self.store.is_sent(text, since):
            raise Said(20019)
        if self.rules.similar and any(alike(text) == alike(sent) for sent in self.store.sent_since(since)):
            raise Said(20017)
        if self.store.count(since=now - 3600) >= self.rules.hourly_posts:
            raise Said(20016)

    def _destroy(self, request: Request) -> Reply:
        post = self._post(_fields(request))
        self.store.delete(post.mid, self.clock())
        return Reply.json(self._status(post))

    def _show(self, request: Request) -> Reply:
        return Reply.json(self._status(self._post(_fields(request))))

    def _post(self, fields: dict[str, str]) -> Stored:
        if not fields.get("id"):
            raise Said(10016, TEXTS[10016].format("id"))
        post = self.store.get(fields["id"])
        if post is None or post.deleted is not None:
            raise Said(20101)
        return post

    def _timeline(self, request: Request) -> list[Stored]:
        """The newest posts, never more than an ordinary app may see."""
        fields = _fields(request)
        if fields.get("uid", self.uid) != self.uid:
            raise Said(21335)
        since, until = int(fields.get("since_id", 0)), int(fields.get("max_id", 0)) or 1 << 63
        posts = [p for p in self.store.newest(self.rules.visible_posts, now=self.clock()) if since < int(p.mid) <= until]
        count, page = int(fields.get("count", 20)), int(fields.get("page", 1))
        return posts[(page - 1) * count : page * count]

    def _user_timeline(self, request: Request) -> Reply:
        trim = request.query.get("trim_user") == "1"
        posts = [self._status(post, trim=trim) for post in self._timeline(request)]
        return Reply.json({"statuses": posts, "previous_cursor": 0, "next_cursor": 0, "total_number": self.store.count(listed=True)})

    def _ids(self, request: Request) -> Reply:
        ids = [post.mid for post in self._timeline(request)]
        return Reply.json({"statuses": ids, "previous_cursor": 0, "next_cursor": 0, "total_number": self.store.count(listed=True)})

    def _count(self, request: Request) -> Reply:
        ids = _fields(request).get("ids", "").split(",")
        if len(ids) > 100:
            raise Said(10008)
        found: Iterable[Stored] = filter(None, map(self.store.get, ids))
        return Reply.json([{"id": _rounded(p.mid), "idstr": p.mid, "comments": 0, "reposts": 0, "attitudes": 0} for p in found])

    def _rate_limit_status(self) -> Reply:
        now = datetime.fromtimestamp(self.clock(), UTC) + _SHANGHAI
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        left = max(0, self.rules.daily_calls - self._calls[self._day()])
        return Reply.json(
            {
                "ip_limit": 15000,
                "remaining_ip_hits": 15000,
                "user_limit": self.rules.daily_calls,
                "remaining_user_hits": left,
                "limit_time_unit": "DAYS",
                "reset_time": midnight.strftime("%Y-%m-%d %H:%M:%S"),
                "reset_time_in_seconds": int((midnight - now).total_seconds()),
            }
        )

    def _token_info(self, request: Request) -> Reply:
        token = _fields(request).get("access_token", "")
        if request.method != "POST" or token not in self.tokens:
            raise Said(21332)
        left = int(self.tokens[token] - self.clock())
        if left <= 0:
            raise Said(21327)
        created = int(self.clock()) - 86400
        return Reply.json({"uid": int(self.uid), "appkey": "1000000001", "scope": "", "create_at": created, "expire_in": left})

    # --------------------------------------------------------------------------------------------------------- shapes

    def _status(self, post: Stored, *, trim: bool = False) -> dict[str, Any]:
        status: dict[str, Any] = {
            "created_at": english_time(post.created),
            "id": _rounded(post.mid),
            "idstr": post.mid,
            "mid": post.mid,
            "text": post.shown,
            "source": '<a href="http://app.weibo.com/t/feed/loopback" rel="nofollow">政务信息发布</a>',
            "favorited": False,
            "truncated": False,
            "reposts_count": 0,
            "comments_count": 0,
            "attitudes_count": 0,
            "visible": {"type": 0, "list_id": 0},
            "pic_urls": [{"thumbnail_pic": f"/_pic/{post.mid}"}] if post.picture_type else [],
        }
        user = {"id": int(self.uid), "idstr": self.uid, "screen_name": self.screen_name}
        return status | ({"uid": int(self.uid)} if trim else {"user": user})

    def _page(self, request: Request) -> Reply:
        if request.method != "GET":
            return Reply.html("405", 405)
        if request.path == "/":
            number = request.query.get("page", "1")
            return platform_page.feed(self.store, self.uid, self.screen_name, int(number) if number.isdigit() else 1)
        _, first, *rest = request.path.split("/")
        if first == "_pic" and rest:
            return platform_page.picture(self.store, rest[0])
        if first == self.uid and len(rest) == 1:
            try:
                return platform_page.post(self.store, self.uid, self.screen_name, to_mid(rest[0]))
            except ValueError:
                return platform_page.missing()
        return platform_page.missing()

    def _day(self) -> str:
        return (datetime.fromtimestamp(self.clock(), UTC) + _SHANGHAI).date().isoformat()


def english_time(epoch: float) -> str:
    """``Sun Nov 22 15:30:00 +0800 2026``, whatever this machine's locale is."""
    at = datetime.fromtimestamp(int(epoch), UTC) + _SHANGHAI
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} +0800 {at.year}"


def _rounded(mid: str) -> int:
    """The number as a reader of doubles gets it."""
    return int(float(mid))


def _fields(request: Request) -> dict[str, str]:
    """Parameters wherever they may stand. Raises ``Said`` for text that is not UTF-8."""
    try:
        if request.method == "GET":
            return dict(request.query)
        parts = request.parts()
        if parts:
            return dict(request.query) | {name: part.body.decode() for name, part in parts.items() if not part.filename}
        return dict(request.query) | request.form
    except UnicodeDecodeError:
        raise Said(10017, "Parameter (status)'s value invalid") from None


def main() -> None:
    usual = Rules()
    options = parser("Loopback Weibo", 8602)
    options.add_argument("--token", default=TOKEN, help="access token that is good at the start")
    options.add_argument("--uid", default=UID)
    options.add_argument("--screen-name", default="云川发布")
    options.add_argument("--domain", action="append", help="安全域名, may be given several times (default: 127.0.0.1 and localhost)")
    options.add_argument("--daily-calls", type=int, default=usual.daily_calls)
    options.add_argument("--hourly-posts", type=int, default=usual.hourly_posts)
    options.add_argument("--visible-posts", type=int, default=usual.visible_posts)
    options.add_argument("--repeat-window", type=float, default=usual.repeat_window, help="seconds an identical text is refused")
    options.add_argument("--timeline-lag", type=float, default=0.0, help="seconds until a post shows in timelines")
    asked = options.parse_args()
    rules = Rules(
        domains=tuple(asked.domain) if asked.domain else usual.domains,
        daily_calls=asked.daily_calls,
        hourly_posts=asked.hourly_posts,
        visible_posts=asked.visible_posts,
        repeat_window=asked.repeat_window,
        timeline_lag=asked.timeline_lag,
    )
    platform = WeiboPlatform(asked.state, rules=rules, token=asked.token, uid=asked.uid, screen_name=asked.screen_name)
    with LoopbackServer(platform, asked.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
