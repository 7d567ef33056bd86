"""The Merkle tree of RFC 9162 §2.1: leaf and node hashes, a frontier that grows, inclusion and consistency proofs.

Hashes are 32 raw bytes (SHA-256). Leaves are numbered from 0 as in the RFC; entry ``seq`` of the record is leaf ``seq - 1``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162 §2.1.1)."""


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees of a growing tree, largest first: all that is needed to append and to know the root.

    The subtree sizes are the binary digits of ``size``, so a tree of a million leaves is 7 to 20 hashes.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """Raises ValueError when the number of hashes does not fit the size."""
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count() or any(len(one) != 32 for one in self.hashes):
            raise ValueError(f"a tree of {size} leaves has no frontier of {len(self.hashes)} hashes")

    def append(self, leaf: bytes) -> None:
        """Add one leaf *hash*."""
        size, hashes = self.size, self.hashes
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
            size >>= 1
        hashes.append(leaf)

    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def copy(self) -> Frontier:
        return Frontier(self.size, self.hashes)

    def to_json(self) -> str:
        return json.dumps({"hashes": [one.hex() for one in self.hashes], "size": self.size}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Frontier:
        """Raises ValueError when the text is not what ``to_json`` wrote."""
        try:
            found = json.loads(text)
            return cls(int(found["size"]), [bytes.fromhex(one) for one in found["hashes"]])
        except (KeyError, TypeError) as error:
            raise ValueError("this is no frontier of a Merkle tree") from error


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


# ------------------------------------------------------------------------------------------------------------- proofs


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that leaf ``index`` stands in the tree over ``leaves`` (RFC 9162 §2.1.3.1). Raises ValueError."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Does ``proof`` show that the leaf hash stands at ``index`` of the tree with this size and root (RFC 9162 §2.1.3.2)?"""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Prove that the tree over ``leaves`` begins with the tree over its first ``first`` leaves (RFC 9162 §2.1.4.1).

    ``first`` must be 1 … len(leaves): any tree continues the empty one. Raises ValueError.
    """
    if not 0 < first <= len(leaves):
        raise ValueError(f"no consistency proof from {first} to {len(leaves)} leaves")
    return _subproof(first, leaves, whole=True)


def _subproof(first: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = _split(len(leaves))
    if first <= split:
        return [*_subproof(first, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*_subproof(first - split, leaves[split:], whole=False), root_of(leaves[:split])]


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Does ``proof`` show that the tree ``second`` continues the tree ``first`` (RFC 9162 §2.1.4.2)?"""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``: where RFC 9162 divides a tree."""
    return 1 << (size - 1).bit_length() - 1
