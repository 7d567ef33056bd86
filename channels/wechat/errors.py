"""What each code of the platform means, and who must act (wechat.md §1–§8).

The platform answers 200 to everything and says what it thinks with ``errcode``; the text beside it is free and is never
matched. A code that is not in the table is an ``Unknown``: nobody has told us whether it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from channels.base import Outcome, RefusalClass, Refused, Unavailable, Unknown

BEIJING = ZoneInfo("Asia/Shanghai")
MINUTE_PAUSE = timedelta(seconds=60)
BRAKE_PAUSE = timedelta(minutes=30)


class Act(StrEnum):
    """The retry classes of wechat.md §8."""

    TRANSIENT = "transient"
    MINUTE = "minute"
    TOKEN = "token"  # noqa: S105 - a class name, not a secret
    DAY = "day"
    BRAKE = "brake"
    KEEPER = "keeper"
    CONTENT = "content"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Rule:
    act: Act
    words: str
    """Chinese, for the person who must act."""


def _rules(act: Act, words: dict[int, str]) -> dict[int, Rule]:
    return {code: Rule(act, text) for code, text in words.items()}


CODES: dict[int, Rule] = {
    **_rules(Act.TRANSIENT, {-1: "微信系统繁忙", 9001002: "微信后台调用失败"}),
    **_rules(Act.MINUTE, {45011: "调用过于频繁，一分钟后再试", 45066: "同一群发重试过快，一分钟后再试"}),
    **_rules(
        Act.TOKEN,
        {
            40001: "凭证无效，或 AppSecret 有误",
            40014: "access_token 不合法",
            41001: "请求缺少 access_token",
            42001: "access_token 已过期",
        },
    ),
    **_rules(Act.DAY, {45009: "接口当日调用次数已用完", 45028: "群发次数已用完"}),
    **_rules(Act.BRAKE, {53501: "发布过于频繁，平台要求暂停一段时间"}),
    **_rules(
        Act.KEEPER,
        {
            40002: "凭证类型不合法，请检查接口配置",
            40013: "AppID 不合法，请核对账号设置",
            40125: "AppSecret 不合法，请核对账号密钥",
            40164: "调用方 IP 不在白名单，请在公众号后台添加",
            40243: "AppSecret 已被冻结，请在公众号后台解冻",
            41002: "请求缺少 AppID，请核对账号设置",
            41004: "请求缺少 AppSecret，请核对账号密钥",
            43002: "接口要求 POST，请检查接口地址或代理",
            48001: "公众号没有此接口的权限；请把该账号的 mode 改为 draft（草稿模式），由专人在公众号后台发布",
            48003: "接口未获授权，请在公众号后台确认",
            48004: "接口已被平台封禁，请查看公众号站内信",
            48006: "接口清零次数已用完",
            48008: "公众号没有该类型消息的发送权限",
            50001: "接口未获授权",
            50002: "账号受限，请查看公众号站内信",
            50004: "接口被禁止调用",
            50007: "公众号已被冻结",
            53500: "公众号的发布功能已被封禁",
            61003: "第三方平台未获该公众号授权",
            61004: "接口未授权给第三方平台",
            61007: "第三方平台没有该接口权限",
            89501: "此 IP 正在等待管理员确认",
            89502: "此 IP 的调用被管理员限制",
            89503: "此 IP 的调用需要管理员确认",
            89504: "此 IP 的确认请求已过期",
            89505: "此 IP 的确认请求处理失败",
            89506: "管理员拒绝了此 IP，24 小时内不能调用",
            89507: "管理员拒绝了此 IP，1 小时内不能调用",
        },
    ),
    **_rules(
        Act.CONTENT,
        {
            40005: "图片类型或扩展名不符合要求",
            40006: "缩略图超过大小上限",
            40007: "素材或草稿编号无效",
            40009: "图片超过大小上限",
            40033: "请求含有 \\uXXXX 转义字符",
            40114: "文章序号不合法",
            40137: "图片格式不支持，或长宽比过于极端",
            41005: "缺少图片数据",
            41039: "“阅读原文”地址不合法",
            44001: "图片内容为空",
            44002: "请求内容为空",
            44003: "图文内容为空",
            44004: "文本内容为空",
            45001: "图片超过大小上限",
            45002: "微信正文超过上限",
            45003: "微信标题超过上限",
            45004: "微信摘要超过上限",
            45007: "语音时长超过上限",
            45008: "图文条数超过上限",
            45067: "群发去重标识过长",
            45110: "微信作者超过上限",
            45166: "正文含有微信不允许的内容（例如站外链接、卡片）",
            47001: "请求格式有误",
            53402: "封面裁剪失败",
            53404: "商品卡片受限",
            53405: "商品卡片内容有误",
            53406: "商品卡片数量或权限有误",
            53502: "发布任务编号无效",
            53503: "草稿未通过发布检查，请在公众号后台查看",
            53504: "草稿须在公众号后台发布",
            53505: "草稿须先在公众号后台手工保存",
            53600: "文章编号无效",
            87014: "内容有风险，被平台拒绝",
            88000: "没有留言权限，请关闭留言设置",
        },
    ),
    **_rules(Act.DONE, {45065: "该群发此前已提交"}),
}

PUBLISH_STATUS: dict[int, str] = {
    0: "发布成功",
    1: "发布中",
    2: "原创校验失败",
    3: "发布失败（常规失败）",
    4: "平台审核不通过",
    5: "发布后被公众号管理者全部删除",
    6: "发布后被平台封禁",
}
"""``publish_status`` of freepublish/get and of PUBLISHJOBFINISH (wechat.md §4)."""

MASS_ERRORS: dict[int, str] = {
    10001: "涉嫌广告",
    20001: "涉嫌政治",
    20002: "涉嫌色情",
    20004: "涉嫌社会",
    20006: "涉嫌违法犯罪",
    20008: "涉嫌欺诈",
    20013: "涉嫌版权",
    21000: "涉嫌其他",
    22000: "涉嫌互推",
    30003: "原创校验判定为转载，已停止群发",
}
"""``err(N)`` of MASSSENDJOBFINISH (wechat.md §5)."""

_REFUSALS: dict[Act, RefusalClass] = {
    Act.TOKEN: RefusalClass.TOKEN,
    Act.DAY: RefusalClass.QUOTA,
    Act.BRAKE: RefusalClass.BRAKE,
    Act.KEEPER: RefusalClass.PERMISSION,
    Act.CONTENT: RefusalClass.CONTENT,
}


def outcome_of_code(code: int, what: str, rid: str, *, effect: bool, now: datetime, scale: float) -> Outcome:
    """What ``errcode`` proves about one call.

    ``what`` names the call in Chinese; ``effect`` says that a repetition could publish or draft twice, so that "busy"
    proves nothing; ``now`` is UTC and tells how long Beijing's day still lasts; ``scale`` multiplies every pause.
    """
    rule = CODES.get(code)
    tail = f"（{what}，代码 {code}{f'，rid {rid}' if rid else ''}）"
    if rule is None:
        return Unknown(f"平台返回未登记的代码{tail}")
    if rule.act is Act.DONE:
        return Unknown(f"{rule.words}，但没有给出编号{tail}")
    if rule.act is Act.MINUTE:
        return Unavailable(rule.words + tail, MINUTE_PAUSE * scale)
    if rule.act is Act.TRANSIENT:
        return Unknown(rule.words + tail) if effect else Unavailable(rule.words + tail)
    until = {Act.DAY: until_next_day(now) * scale, Act.BRAKE: BRAKE_PAUSE * scale}.get(rule.act)
    return Refused(rule.words + tail, _REFUSALS[rule.act], str(code), until)


def until_next_day(now: datetime) -> timedelta:
    """Time until five minutes past the next midnight in Beijing, when the daily quotas start anew (assumed, §8)."""
    local = now.astimezone(BEIJING)
    midnight = local.replace(hour=0, minute=5, second=0, microsecond=0) + timedelta(days=1)
    return midnight - local
