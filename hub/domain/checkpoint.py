"""Signed heads of the record: C2SP ``tlog-checkpoint`` inside C2SP ``signed-note``.

A checkpoint is three lines of text (origin, size, root) under an Ed25519 signature line. The format is the one that
public transparency logs use, so their tools and witnesses can read ours. Nothing here signs: that needs a key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

ED25519 = b"\x01"
"""Signature type byte of signed-note for Ed25519."""
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a head says: in the log ``origin`` the first ``size`` entries have this Merkle root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text that is signed, with its final newline."""
        return f"{self.origin}\n{self.size}\n{_b64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs. Raises ValueError for a name that signed-note forbids."""

    name: str
    public: bytes
    """Raw Ed25519 public key, 32 bytes."""

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(one.isspace() for one in self.name):
            raise ValueError(f"a key name may not be empty or hold spaces or '+': {self.name!r}")
        if len(self.public) != 32:
            raise ValueError("an Ed25519 public key has 32 bytes")

    @property
    def hash(self) -> bytes:
        """The 4 bytes that tell keys of one name apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def text(self) -> str:
        """``name+hash+base64``, the form in which verifier keys are published."""
        return f"{self.name}+{self.hash.hex()}+{_b64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises ValueError when the text is not a verifier key for Ed25519 or its hash does not fit."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise ValueError("a verifier key reads name+hash+base64")
        name, shown, data = parts[0], parts[1], _unb64(parts[2])
        if data[:1] != ED25519:
            raise ValueError("the verifier key is not for Ed25519")
        key = cls(name, data[1:])
        if key.hash.hex() != shown:
            raise ValueError("the hash inside the verifier key does not fit its name and bytes")
        return key


def sign_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> str:
    """Return ``text`` with one signature line; ``sign`` gets the bytes and gives 64 bytes of Ed25519 signature."""
    if not text.endswith("\n"):
        raise ValueError("a note text ends with a newline")
    return f"{text}\n{_DASH}{key.name} {_b64(key.hash + sign(text.encode()))}\n"


def open_note(note: str, key: VerifierKey, verify: Callable[[bytes, bytes], bool]) -> str:
    """Return the text of a note that ``key`` signed; ``verify(signature, text)`` does the arithmetic.

    Signatures of other keys (witnesses) are passed over, as signed-note demands. Raises ValueError when the note is
    malformed, when our signature is missing, or when it is wrong.
    """
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise ValueError("no signed note: the blank line before the signatures is missing")
    text += "\n"
    signed = False
    for line in tail[:-1].split("\n"):
        name, space, value = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise ValueError(f"no signature line: {line!r}")
        data = _unb64(value)
        if name != key.name or data[:4] != key.hash:
            continue
        if not verify(data[4:], text.encode()):
            raise ValueError(f"the signature of {name} is wrong")
        signed = True
    if not signed:
        raise ValueError(f"the note bears no signature of {key.name}+{key.hash.hex()}")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a note text; extension lines after the root are allowed and passed over. Raises ValueError."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not lines[0]:
        raise ValueError("a checkpoint has the lines origin, size and root")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit()) or (size != "0" and size.startswith("0")):
        raise ValueError(f"the size of a checkpoint is a plain decimal number, not {size!r}")
    data = _unb64(root)
    if len(data) != 32:
        raise ValueError("the root of a checkpoint has 32 bytes")
    return Checkpoint(origin, int(size), data)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {text!r}") from error
    if _b64(data) != text:
        raise ValueError(f"base64 in another spelling: {text!r}")
    return data
