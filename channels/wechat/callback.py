"""What the platform tells us by calling (wechat.md §4, §5, §7).

An event is a hint, never a verdict: in plain mode the signature does not even cover the body. So every event says "look
now" (``Accepted`` with no pause) and ``reconcile`` asks the platform itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from channels.base import Accepted, Event, Ref, sha256_hex
from channels.wechat.crypto import BadMessage, decrypt, key_of, signed

MOST_BYTES = 1_048_576
PUBLISH_EVENTS = frozenset(("PUBLISHJOBFINISH", "FREEPUBLISHJOBFINISH"))
MASS_EVENT = "MASSSENDJOBFINISH"
_TEXT = "text/plain; charset=utf-8"

Reply = tuple[int, str, str, tuple[Event, ...]]


class Callback:
    """The callback address of one account.

    ``aes_key`` set: only encrypted messages are accepted, so nobody can fall back to plain ones. ``window``: seconds by
    which a timestamp may differ from our clock; a redelivery is signed anew, so minutes are enough.
    """

    def __init__(self, token: str, aes_key: str, appid: str, original_id: str, window: int) -> None:
        self._token = token
        self._key = key_of(aes_key) if aes_key else b""
        self._appid = appid
        self._original_id = original_id
        self._window = timedelta(seconds=window)

    def answer(self, method: str, query: Mapping[str, str], body: bytes, now: datetime) -> Reply:
        """See ``channels.base.Callbacks``."""
        if not self._token:
            return _no("本账号没有设置回调令牌 callback_token")
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not self._fresh(timestamp, now):
            return _no("时间戳已过期，或不是数字")
        encrypted_mode = query.get("encrypt_type") == "aes"
        if not (method == "POST" and encrypted_mode) and not signed(query.get("signature", ""), self._token, timestamp, nonce):
            return _no("签名不符")
        if method == "GET":
            return 200, _TEXT, query.get("echostr", ""), ()
        if len(body) > MOST_BYTES:
            return 413, _TEXT, "消息过大", ()
        if bool(self._key) != encrypted_mode:
            return _no("消息加解密方式与账号设置不一致")
        try:
            message = fromstring(body, forbid_dtd=True)
            if encrypted_mode:
                envelope = _text(message, "Encrypt")
                if not signed(query.get("msg_signature", ""), self._token, timestamp, nonce, envelope):
                    return _no("签名不符")
                message = fromstring(decrypt(envelope, self._key, self._appid), forbid_dtd=True)
        except BadMessage:
            return _no("消息无法解密")
        except (ParseError, DefusedXmlException, ValueError):
            return 400, _TEXT, "消息不是合格的 XML", ()
        if self._original_id and _text(message, "ToUserName") != self._original_id:
            return _no("消息不是发给本公众号的")
        return 200, _TEXT, "success", read_events(message)

    def _fresh(self, timestamp: str, now: datetime) -> bool:
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            return False
        return abs(now.timestamp() - int(timestamp)) <= self._window.total_seconds()


def read_events(message: Element) -> tuple[Event, ...]:
    """Events of interest in one message; others (a follower writes, joins, leaves) give none."""
    name = _text(message, "Event")
    if _text(message, "MsgType") != "event":
        return ()
    if name in PUBLISH_EVENTS:
        return _publish_event(message)
    return _mass_event(message) if name == MASS_EVENT else ()


def _publish_event(message: Element) -> tuple[Event, ...]:
    info = message.find("PublishEventInfo")
    publish_id = _text(info, "publish_id")
    if info is None or not publish_id:
        return ()
    said: Ref = {"publish_id": publish_id}
    return (Event({"publish_id": publish_id}, Accepted(said, timedelta(0)), _digest(message, publish_id)),)


def _mass_event(message: Element) -> tuple[Event, ...]:
    # Written MsgID in the event and MsgId in every other message.
    msg_id = _text(message, "MsgID") or _text(message, "MsgId")
    if not msg_id:
        return ()
    said: Ref = {"msg_id": msg_id, "mass_status": _text(message, "Status")[:64]}
    for item in message.iterfind("ArticleUrlResult/ResultList/item"):
        address = _text(item, "ArticleUrl")
        if address.startswith(("http://", "https://")):
            said["url"] = address
            break
    return (Event({"msg_id": msg_id}, Accepted(said, timedelta(0)), _digest(message, msg_id)),)


def _digest(message: Element, job_id: str) -> str:
    """One event however often it is delivered: in AES mode the raw bytes differ every time."""
    return sha256_hex("|".join((_text(message, "FromUserName"), _text(message, "CreateTime"), _text(message, "Event"), job_id)).encode())


def _text(element: Element | None, path: str) -> str:
    """Ids may come wrapped in spaces or line ends (wechat.md §4)."""
    return (element.findtext(path) or "").strip() if element is not None else ""


def _no(why: str) -> Reply:
    return 403, _TEXT, why, ()
