"""Characters: what may stand in a text of ours.

Everything that enters the hub passes through here once, so that feeds (XML 1.0), digests and searches never meet a
character they cannot carry.
"""

from __future__ import annotations

import re
import unicodedata

# XML 1.0 §2.2 Char, negated; this covers lone surrogates, which JSON can smuggle in as \ud800.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Legal in XML, but invisible: C1 controls and DEL, zero-width space and BOM (they break search and comparison of Chinese
# text), and the bidi controls (they can make approved words read differently on screen). ZWJ and ZWNJ stay: emoji need them.
_INVISIBLE = re.compile("[\u007f-\u0084\u0086-\u009f\u200b\u2028-\u202e\u2060-\u2069\ufeff]")
_BREAKS = re.compile("\r\n?|\u0085|\u2028|\u2029")
_RUNS = re.compile("[ \t\n\u00a0]+")
_EDGE = " \t\n\r\u00a0\u3000"


def clean_text(text: str) -> str:
    """NFC, line ends as ``\\n``, without characters that XML 1.0 forbids, that nobody sees, or that are half a pair.

    Full-width spaces (U+3000) stay: Chinese headlines use them between two clauses. Idempotent.
    """
    return unicodedata.normalize("NFC", without_forbidden(text))


def without_forbidden(text: str) -> str:
    """``clean_text`` without the normalisation, for markup: NFC would melt ``>`` and a combining mark into one character."""
    return _INVISIBLE.sub("", _FORBIDDEN.sub("", _BREAKS.sub("\n", text)))


def clean_line(text: str) -> str:
    """``clean_text`` for a field of one line: runs of ASCII space and line ends become one space, edges are stripped.

    Full-width spaces inside stay, those at the edges go.
    """
    return _RUNS.sub(" ", clean_text(text)).strip(_EDGE)


def bad_characters(text: str) -> tuple[str, ...]:
    """Code points (``U+0001``) in ``text`` that ``clean_text`` would take out, each once, in order of appearance."""
    found = _FORBIDDEN.findall(text) + _INVISIBLE.findall(text)
    return tuple(dict.fromkeys(f"U+{ord(c):04X}" for c in found))


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: UTF-8 (with or without BOM), UTF-16 with BOM, else GB18030, never a guess.

    Raises UnicodeDecodeError when it is none of them, or decodes to something that is no text (control characters).
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    # GB18030 accepts nearly every byte sequence: real text in it holds neither controls nor private-use characters.
    strange = sum(1 for c in text if (c < " " and c not in "\t\n\r\f") or "\ue000" <= c <= "\uf8ff")
    if strange * 200 > len(text):
        raise UnicodeDecodeError("gb18030", data[:1], 0, 1, "no text")
    return text, "gb18030"
