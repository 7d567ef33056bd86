"""What the loopback Weibo lets through: the rules of ``statuses/share`` (weibo.md §2, §3, §5) and its error texts.

Written apart from the adapter's own rules on purpose: a mistake that both shared would never show.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from channels.loopback import Request

# Everything up to the next white space is taken for the address: 汉字 that follow without a space break the link.
LINK = re.compile(r"https?://\S+")
TOPIC = re.compile(r"#[^#\n]+#")
_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF87a": "image/gif", b"GIF89a": "image/gif"}
FORBIDDEN = frozenset({10005, 10014, 20015, 20022, 20031, 20033, 21335})
TEXTS = {
    10008: "param error, see doc for more info.",
    10016: "miss required parameter ({}) , see doc for more info.",
    10023: "User requests out of rate limit!",
    20005: "unsupported image type, only suport JPG, GIF, PNG!",
    20006: "image size too large.",
    20007: "does multipart has image?",
    20008: "content is null.",
    20012: "text too long, please input text less than 140 characters!",
    20016: "out of time limit!",
    20017: "repeated content!",
    20019: "repeat content!",
    20101: "target weibo does not exist!",
    20102: "not your own weibo!",
    21301: "auth faild!",
    21327: "expired_token",
    21332: "invalid_access_token",
    21335: "Only allows query the current user's data",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between levels of apps, or is told by one source only."""

    domains: tuple[str, ...] | list[str] = ("127.0.0.1", "localhost")
    """安全域名 bound to the app."""
    daily_calls: int = 100
    """Calls per user and day."""
    hourly_posts: int = 30
    visible_posts: int = 5
    """Newest posts that a timeline shows."""
    repeat_window: float = 3600.0
    """Seconds for which an identical text is refused (20019)."""
    similar: bool = False
    """Also refuse texts that differ in digits only (20017)."""
    timeline_lag: float = 0.0
    """Seconds until a new post shows in timelines."""
    picture_bytes: int = 5_000_000


class Said(Exception):
    """An error answer on its way out."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.text = text or TEXTS.get(code, f"error {code}")


def check_rip(fields: dict[str, str]) -> None:
    if not fields.get("rip"):
        raise Said(10016, TEXTS[10016].format("rip"))
    try:
        ipaddress.ip_address(fields["rip"])
    except ValueError:
        raise Said(10017, "Parameter (rip)'s value invalid") from None


def check_text(text: str, rules: Rules) -> None:
    if not text:
        raise Said(20008)
    if not rules.domains:
        raise Said(10017, "appkey not bind domain!")
    hosts = [urlsplit(link).hostname or "" for link in LINK.findall(text)]
    if not any(host == domain or host.endswith("." + domain) for host in hosts for domain in rules.domains):
        raise Said(10017, "text not find domain!")
    masked = LINK.sub("x" * 20, text.replace("\r\n", "\n"))
    narrow = sum(ord(char) <= 0xFF for char in masked)
    wide = sum(len(char.encode("utf-16-le")) // 2 for char in masked if ord(char) > 0xFF)
    if narrow + 2 * wide > 280:
        raise Said(20012)


def check_picture(request: Request, fields: dict[str, str], rules: Rules) -> tuple[str, bytes] | None:
    """(media type, bytes) of the picture, or None when there is none."""
    part = request.parts().get("pic")
    if part is None:
        if "pic" in fields:
            raise Said(20007)
        return None
    if not part.filename or not part.filename.isascii():
        raise Said(20007)
    if len(part.body) >= rules.picture_bytes:
        raise Said(20006)
    kind = next((kind for magic, kind in _MAGIC.items() if part.body.startswith(magic)), "")
    if not kind or kind != part.media_type:
        raise Said(20005)
    return kind, part.body


def alike(text: str) -> str:
    """What two similar texts have in common: everything but digits and addresses."""
    return re.sub(r"\d+", "0", LINK.sub("", text))
