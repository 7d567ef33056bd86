"""From a post's mid to the address a reader opens, and back (weibo.md §2)."""

from __future__ import annotations

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MID_GROUP = 7
_CODE_GROUP = 4


def to_code(mid: str) -> str:
    """Base-62 form of a decimal mid: groups of seven digits from the right, each written with four digits but the first.

    Raises ValueError when ``mid`` is not a positive decimal number without leading zeros.
    """
    if not (mid.isascii() and mid.isdigit()) or mid.startswith("0"):
        raise ValueError(f"微博 mid 应为不带前导零的十进制数字，实际为“{mid}”")
    first, *rest = _groups(mid, _MID_GROUP)
    return _encode(int(first)) + "".join(_encode(int(group)).rjust(_CODE_GROUP, "0") for group in rest)


def to_mid(code: str) -> str:
    """Inverse of ``to_code``. Raises ValueError for a text that no mid gives."""
    if not code or any(digit not in DIGITS for digit in code) or code.startswith("0"):
        raise ValueError(f"微博短码只能由数字和英文字母组成且不以 0 开头，实际为“{code}”")
    first, *rest = (_decode(group) for group in _groups(code, _CODE_GROUP))
    if any(number >= 10**_MID_GROUP for number in (first, *rest)):
        raise ValueError(f"“{code}”不是微博短码")
    return str(first) + "".join(str(number).rjust(_MID_GROUP, "0") for number in rest)


def permalink(page_base: str, uid: str, mid: str) -> str:
    """Where a reader finds the post; empty when the account's uid is not known."""
    return f"{page_base.rstrip('/')}/{uid}/{to_code(mid)}" if uid else ""


def _groups(text: str, size: int) -> list[str]:
    """Cut from the right; only the first group may be shorter."""
    head = len(text) % size
    return ([text[:head]] if head else []) + [text[i : i + size] for i in range(head, len(text), size)]


def _encode(number: int) -> str:
    code = ""
    while number or not code:
        number, digit = divmod(number, 62)
        code = DIGITS[digit] + code
    return code


def _decode(code: str) -> int:
    number = 0
    for digit in code:
        number = number * 62 + DIGITS.index(digit)
    return number
