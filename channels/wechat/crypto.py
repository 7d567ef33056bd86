"""Signatures and the AES mode of callback messages (wechat.md §7)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32
"""PKCS#7 pads to 32 bytes here, not to the cipher's 16."""


class BadMessage(ValueError):
    """A message that was not made with our key, or was damaged."""


def signature(*parts: str) -> str:
    """SHA-1 over the sorted parts, as the platform signs. Not ours to choose."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def signed(given: str, *parts: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(signature(*parts).encode(), given.encode())


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind the console's 43 characters."""
    return base64.b64decode(encoding_aes_key + "=")


def encrypt(message: bytes, key: bytes, appid: str, noise: bytes) -> str:
    """Base64 of the encrypted message; ``noise``: 16 random bytes."""
    plain = noise + struct.pack(">I", len(message)) + message + appid.encode()
    fill = BLOCK - len(plain) % BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()).decode()


def decrypt(encrypted: str, key: bytes, appid: str) -> bytes:
    """The message inside. Raises BadMessage when padding, length or appid do not fit."""
    try:
        data = base64.b64decode(encrypted, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadMessage("not base64") from error
    if not data or len(data) % 16:
        raise BadMessage("not whole blocks")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or plain[-fill:] != bytes([fill]) * fill or len(plain) - fill < 20:
        raise BadMessage("bad padding")
    plain = plain[:-fill]
    (length,) = struct.unpack(">I", plain[16:20])
    message, owner = plain[20 : 20 + length], plain[20 + length :]
    if len(message) != length or not hmac.compare_digest(owner, appid.encode()):
        raise BadMessage("made for another account")
    return message
