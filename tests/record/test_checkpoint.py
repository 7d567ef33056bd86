"""Signed notes and checkpoints: round trips, the published example, and everything that must not be believed."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hub.app.seal import load_or_make_key, read_checkpoint, verifier_key
from hub.domain.checkpoint import Checkpoint, VerifierKey, parse_checkpoint, sign_note

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = verifier_key(KEY, "www.example.gov.cn/record")
POINT = Checkpoint(PUBLIC.name, 20, bytes(32))
NOTE = sign_note(POINT.text(), PUBLIC, KEY.sign)


def test_the_text_of_a_checkpoint() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == ["www.example.gov.cn/record", "20", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ""]
    assert lines[4].startswith("— www.example.gov.cn/record ")
    assert lines[5:] == [""]
    assert len(base64.b64decode(lines[4].split(" ")[2])) == 4 + 64


def test_the_key_of_the_go_checksum_database() -> None:
    # A verifier key that another implementation made and millions of machines carry: sum.golang.org's.
    text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert VerifierKey.parse(text).text() == text


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_round_trip(size: int, root: bytes) -> None:
    point = Checkpoint(PUBLIC.name, size, root)
    assert read_checkpoint(sign_note(point.text(), PUBLIC, KEY.sign), PUBLIC) == point
    assert VerifierKey.parse(PUBLIC.text() + "\n") == PUBLIC


@given(st.data())
def test_no_changed_byte_is_believed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(NOTE) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda one: one != NOTE[place]))
    with pytest.raises(ValueError, match=r"."):
        read_checkpoint(NOTE[:place] + other + NOTE[place + 1 :], PUBLIC)


def test_signatures_of_witnesses_are_passed_over() -> None:
    witness = Ed25519PrivateKey.generate()
    line = sign_note("x\n", verifier_key(witness, "witness.example"), witness.sign).split("\n")[2]
    assert read_checkpoint(NOTE + line + "\n", PUBLIC) == POINT
    # A key of the same name with another hash is somebody else's, too.
    twin = sign_note("x\n", verifier_key(witness, PUBLIC.name), witness.sign).split("\n")[2]
    assert read_checkpoint(NOTE + twin + "\n", PUBLIC) == POINT


def test_only_foreign_signatures_are_not_enough() -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(ValueError, match="no signature of"):
        read_checkpoint(sign_note(POINT.text(), verifier_key(other, PUBLIC.name), other.sign), PUBLIC)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(ValueError, match="of the log"):
        read_checkpoint(sign_note(Checkpoint("elsewhere", 1, bytes(32)).text(), PUBLIC, KEY.sign), PUBLIC)


def test_extension_lines_are_allowed() -> None:
    assert read_checkpoint(sign_note(POINT.text() + "more\n", PUBLIC, KEY.sign), PUBLIC) == POINT


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    ["", "a\n", f"a\n1\n{ROOT}", f"\n1\n{ROOT}\n", f"a\n01\n{ROOT}\n", f"a\n-1\n{ROOT}\n", f"a\n１\n{ROOT}\n", "a\n1\nAAAA\n", "a\n1\n*\n"],
)
def test_bad_checkpoint_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "na me+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0ae+As4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0ae+AQ==",
    ],
)
def test_bad_verifier_keys(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        VerifierKey.parse(text)


def test_the_key_file_is_private_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "record.pem"
    first = load_or_make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_key(path).private_bytes_raw() == first.private_bytes_raw()
    assert [one.name for one in path.parent.iterdir()] == ["record.pem"]
