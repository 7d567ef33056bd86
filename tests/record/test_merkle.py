"""The tree against the definitions of RFC 9162 §2.1, written out here as the RFC words them, and against known vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# The inputs and roots that the Certificate Transparency implementations test with (RFC 6962 and 9162 hash alike).
CT_INPUTS = [
    bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(data: list[bytes]) -> bytes:
    """MTH(D[n]) as §2.1.1 defines it."""
    if not data:
        return sha256(b"").digest()
    if len(data) == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = 1
    while k * 2 < len(data):
        k *= 2
    return sha256(b"\x01" + mth(data[:k]) + mth(data[k:])).digest()


entries = st.lists(st.binary(max_size=4), max_size=70)


def test_known_roots() -> None:
    leaves = [leaf_hash(one) for one in CT_INPUTS]
    assert [root_of(leaves[: n + 1]).hex() for n in range(8)] == CT_ROOTS
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_known_proofs() -> None:
    leaves = [leaf_hash(one) for one in CT_INPUTS]
    assert [one.hex() for one in inclusion_proof(leaves[:3], 2)] == [CT_ROOTS[1]]
    assert [one.hex() for one in consistency_proof(leaves[:5], 2)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


@given(entries)
def test_root_is_the_definition(data: list[bytes]) -> None:
    assert root_of([leaf_hash(one) for one in data]) == mth(data)


@given(entries, st.integers(0, 70))
def test_frontier_survives_json_anywhere(data: list[bytes], cut: int) -> None:
    frontier = Frontier()
    for one in data[:cut]:
        frontier.append(leaf_hash(one))
    frontier = Frontier.from_json(frontier.to_json())
    for one in data[cut:]:
        frontier.append(leaf_hash(one))
    assert (frontier.size, frontier.root()) == (len(data), mth(data))


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", '{"size":1,"hashes":[]}', '{"size":-1,"hashes":[]}', '{"size":1,"hashes":["00"]}', '{"size":1,"hashes":7}'],
)
def test_bad_frontier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Frontier.from_json(text)


@given(st.integers(1, 70), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, index)
    root = mth([bytes([n]) for n in range(size)])
    assert verify_inclusion(leaves[index], index, size, proof, root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
    elsewhere = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(leaves[index], elsewhere, size, proof, root) == (elsewhere == index)


@given(st.integers(1, 70), st.data())
def test_consistency(second: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(second)]
    first = data.draw(st.integers(1, second))
    proof = consistency_proof(leaves, first)
    old, new = root_of(leaves[:first]), root_of(leaves)
    assert verify_consistency(first, second, proof, old, new)
    assert not verify_consistency(first, second, [*proof, new], old, new)
    assert not verify_consistency(first, second, proof, leaf_hash(b"other"), new)
    assert not verify_consistency(first, second, proof, old, leaf_hash(b"other"))


@given(st.integers(2, 40), st.data())
def test_rewritten_history_has_no_consistency_proof(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    first = data.draw(st.integers(1, size))
    broken = data.draw(st.integers(0, first - 1))
    rewritten = [*leaves[:broken], leaf_hash(b"forged"), *leaves[broken + 1 :]]
    assume(rewritten != leaves)
    assert not verify_consistency(first, size, consistency_proof(rewritten, first), root_of(leaves[:first]), root_of(rewritten))


def test_what_cannot_be_proven_is_refused() -> None:
    leaves = [leaf_hash(b"a"), leaf_hash(b"b")]
    for call in (lambda: inclusion_proof(leaves, 2), lambda: consistency_proof(leaves, 0), lambda: consistency_proof(leaves, 3)):
        with pytest.raises(ValueError, match="leaves"):
            call()
    assert not verify_inclusion(leaves[0], 2, 2, [], root_of(leaves))
    assert not verify_consistency(0, 2, [], EMPTY_ROOT, root_of(leaves))
    assert not verify_consistency(1, 2, [], leaves[0], leaves[0])
    assert not verify_consistency(3, 4, [], leaves[0], leaves[0])
