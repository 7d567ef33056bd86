"""Plain text on its way into XML: one bad character in one item must not end a whole feed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

from channels.base import Finding, Json, Severity

# What XML 1.0 §2.2 forbids (C0 controls, surrogates, U+FFFE, U+FFFF), and what readers and the W3C validator take for a
# broken encoding (DEL and C1 controls, U+FFFD).
_UNFIT = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffc\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return ``text`` without the characters that no feed may carry."""
    return _UNFIT.sub("", text)


def line(text: str) -> str:
    """Return ``text`` cleaned and on one line: every run of white space becomes one space."""
    return " ".join(clean(text).split())


def fits(value: Json) -> bool:
    """True when no text in ``value`` holds a character that ``clean`` would remove."""
    if isinstance(value, str):
        return _UNFIT.search(value) is None
    if isinstance(value, dict):
        return all(fits(each) for each in value.values())
    return not isinstance(value, list) or all(fits(each) for each in value)


def paragraphs(text: str) -> str:
    """Return plain ``text`` as HTML inline content, its line ends kept as ``<br>``."""
    return "<br>".join(escape(each.strip(), quote=False) for each in clean(text).splitlines() if each.strip())


@dataclass(slots=True)
class Cleaner:
    """Cleans the fields of one publication and remembers which of them needed it."""

    findings: list[Finding] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def line(self, text: str, name: str) -> str:
        """``line`` of ``text``; a removed character becomes a warning at field ``name``."""
        self._judge(text, name)
        return line(text)

    def block(self, text: str, name: str) -> str:
        """``clean`` of ``text``; a removed character becomes a warning at field ``name``."""
        self._judge(text, name)
        return clean(text)

    def _judge(self, text: str, name: str) -> None:
        unfit = sorted(set(_UNFIT.findall(text)))
        if unfit and name not in self._seen:
            self._seen.add(name)
            codes = "、".join(f"U+{ord(each):04X}" for each in unfit[:5])
            message = f"含有订阅源不能承载的字符（{codes}），订阅源中已去除；请在原文中删去后重新核对"
            self.findings.append(Finding(Severity.WARN, name, "unfit_character", message))
