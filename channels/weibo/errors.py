"""What each error number of Weibo means for us: one literal table (weibo.md §6; classes are our own reading of it).

A number that is not in the table is an ``Unknown``: the platform said something we cannot read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Meaning(StrEnum):
    TRANSIENT = "transient"
    """The platform is in trouble. A post may have landed all the same: look first."""
    RATE = "rate"
    """Too many calls: wait for the next window."""
    LATE = "late"
    """Published, and the platform is slow to show it. Never send again."""
    LANDED = "landed"
    """The very text is already there: an earlier attempt landed."""
    SIMILAR = "similar"
    """Something like it is already there; only a person can tell what."""
    TOKEN = "token"  # noqa: S105 - a class name, not a secret
    CONFIG = "config"
    BRAKE = "brake"
    CONTENT = "content"
    GONE = "gone"
    """No such post (any more)."""
    NOT_OURS = "not_ours"
    AGAIN = "again"
    """The platform asks for one more try."""


class Code(NamedTuple):
    meaning: Meaning
    sentence: str
    """For a person, in Chinese: what is wrong and what to do."""


_BUSY = "微博平台暂时不可用"
_AUTHORISE = "请账号管理员重新授权"
_OPERATOR = "请账号管理员登录微博处理后再启用渠道"

CODES: dict[str, Code] = {
    "10001": Code(Meaning.TRANSIENT, f"微博系统错误，{_BUSY}"),
    "10002": Code(Meaning.TRANSIENT, f"微博服务暂停，{_BUSY}"),
    "10003": Code(Meaning.TRANSIENT, f"微博远程服务错误，{_BUSY}"),
    "10004": Code(Meaning.CONFIG, "服务器 IP 不在应用的白名单内，请在开放平台登记本机出口 IP"),
    "10005": Code(Meaning.CONFIG, "应用没有调用该接口的权限，请在开放平台申请"),
    "10006": Code(Meaning.CONFIG, "缺少应用标识（appkey），请检查渠道账号的授权配置"),
    "10007": Code(Meaning.CONTENT, "微博不支持所提交的媒体类型，请更换图片"),
    "10008": Code(Meaning.CONTENT, "提交给微博的参数有误，请修改微博正文"),
    "10009": Code(Meaning.TRANSIENT, f"微博任务过多、系统繁忙，{_BUSY}"),
    "10010": Code(Meaning.TRANSIENT, f"微博任务超时，{_BUSY}"),
    "10011": Code(Meaning.TRANSIENT, f"微博内部调用错误，{_BUSY}"),
    "10012": Code(Meaning.CONFIG, "微博判定为非法请求，请检查接口地址与应用配置"),
    "10013": Code(Meaning.CONFIG, "授权账号不是合法的微博用户，请检查渠道账号"),
    "10014": Code(Meaning.CONFIG, "应用的接口访问权限受限，请在开放平台确认“分享到微博”权限"),
    "10016": Code(Meaning.CONTENT, "提交给微博的内容缺少必填项，请检查微博正文"),
    "10017": Code(Meaning.CONTENT, "提交给微博的内容不合法，请修改微博正文"),
    "10018": Code(Meaning.CONTENT, "提交给微博的内容过长，请缩短正文或更换图片"),
    "10022": Code(Meaning.RATE, "本机 IP 调用微博接口过于频繁"),
    "10023": Code(Meaning.RATE, "本账号今日调用微博接口的次数已用完"),
    "10024": Code(Meaning.RATE, "本账号调用该微博接口过于频繁"),
    "10032": Code(Meaning.CONFIG, "应用未获准调用该接口，请在开放平台检查应用状态"),
    "20005": Code(Meaning.CONTENT, "微博不支持该图片格式，请换成 JPG、PNG 或 GIF"),
    "20006": Code(Meaning.CONTENT, "图片超过微博的大小上限，请压缩到 5 MB 以内"),
    "20007": Code(Meaning.CONTENT, "图片没有按微博要求的方式上传，请更换图片"),
    "20008": Code(Meaning.CONTENT, "微博正文为空，请填写微博正文"),
    "20012": Code(Meaning.CONTENT, "微博正文超过 140 字，请缩短"),
    "20013": Code(Meaning.CONTENT, "微博正文超过 300 字，请缩短"),
    "20014": Code(Meaning.AGAIN, "微博要求重新提交一次，重试后仍未成功"),
    "20015": Code(Meaning.CONFIG, "微博认为账号、IP 或应用不合规，暂停服务，请账号管理员处理"),
    "20016": Code(Meaning.RATE, "本账号发布微博过于频繁"),
    "20017": Code(Meaning.SIMILAR, "微博认为近期已有相似内容，无法判断是否为本条，请人工核对账号主页"),
    "20018": Code(Meaning.CONTENT, "微博正文含有被禁止的网址，请检查链接"),
    "20019": Code(Meaning.LANDED, "微博称相同内容已经发布"),
    "20020": Code(Meaning.CONTENT, "微博认为正文含有广告信息，请修改"),
    "20021": Code(Meaning.CONTENT, "微博认为正文含有违规内容，请修改"),
    "20022": Code(Meaning.BRAKE, f"微博认为本机 IP 行为异常，{_OPERATOR}"),
    "20023": Code(Meaning.CONFIG, "微博拒绝了本应用或账号的调用，请在开放平台检查应用与账号状态"),
    "20031": Code(Meaning.BRAKE, f"微博要求输入验证码，{_OPERATOR}"),
    "20032": Code(Meaning.LATE, "微博已发布成功，但平台显示会延迟一至两分钟"),
    "20033": Code(Meaning.BRAKE, f"微博登录状态异常，{_OPERATOR}"),
    "20049": Code(Meaning.CONTENT, "微博拒绝了该内容，请修改微博正文"),
    "20101": Code(Meaning.GONE, "该微博不存在或已被删除"),
    "20102": Code(Meaning.NOT_OURS, "该微博不是本账号发布的，不能删除"),
    "20111": Code(Meaning.LANDED, "微博称不能重复发布相同内容"),
    "21301": Code(Meaning.TOKEN, f"微博授权认证失败，{_AUTHORISE}"),
    "21314": Code(Meaning.TOKEN, f"微博授权已被使用，{_AUTHORISE}"),
    "21315": Code(Meaning.TOKEN, f"微博授权已过期，{_AUTHORISE}"),
    "21316": Code(Meaning.TOKEN, f"微博授权不合法，{_AUTHORISE}"),
    "21317": Code(Meaning.TOKEN, f"微博授权被拒绝，{_AUTHORISE}"),
    "21319": Code(Meaning.TOKEN, f"微博授权已被撤销，{_AUTHORISE}"),
    "21321": Code(Meaning.CONFIG, "应用尚未通过审核，使用人数已达上限，请在开放平台提交审核"),
    "21322": Code(Meaning.CONFIG, "授权回调地址与应用登记的不一致，请在开放平台核对"),
    "21324": Code(Meaning.CONFIG, "应用标识或应用密钥不正确，请核对渠道账号配置"),
    "21325": Code(Meaning.CONFIG, "授权凭证不合法，请核对应用配置后重新授权"),
    "21327": Code(Meaning.TOKEN, f"微博授权已到期，{_AUTHORISE}"),
    "21331": Code(Meaning.TRANSIENT, f"微博授权服务暂时不可用，{_BUSY}"),
    "21332": Code(Meaning.TOKEN, f"微博授权无效，{_AUTHORISE}"),
    "21335": Code(Meaning.CONFIG, "只能查询授权账号本人的微博，请核对渠道账号的 uid 与授权是否一致"),
    "21337": Code(Meaning.CONFIG, "微博授权方式不被支持，请核对应用配置"),
    "21602": Code(Meaning.CONTENT, "微博正文含有禁用词，请修改"),
}

DOMAIN = Code(Meaning.CONFIG, "微博正文里的网址不在应用登记的安全域名下，请在开放平台“安全域名”中登记本站域名")
"""10017 with the word ``domain``: the account's setting is wrong, not the text."""

WORDS: dict[str, str] = {
    "expired_token": "21327",
    "invalid_client": "21324",
    "invalid_grant": "21325",
    "redirect_uri_mismatch": "21322",
    "temporarily_unavailable": "21331",
}
"""OAuth answers may carry only a word in ``error`` (weibo.md §0)."""


def number(error_code: object, error: str) -> str:
    """The error number as text, whether it came as a number, as a string or as an OAuth word; empty when there is none."""
    text = str(error_code).strip() if isinstance(error_code, int | str) else ""
    return text if text.isascii() and text.isdigit() else WORDS.get(error.strip(), "")


def meaning_of(code: str, error: str = "") -> Code | None:
    """Look up a number; ``error`` is the platform's own text. None: not in the table."""
    if code == "10017" and "domain" in error.lower():
        return DOMAIN
    return CODES.get(code)
