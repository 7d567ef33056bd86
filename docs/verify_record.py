"""Check an exported record without the system that wrote it. Needs Python 3.11 and `cryptography`; see record.md.

Exit code 0: intact; 1: broken (the first broken line is named) or unreadable; 2: wrong call.
"""

import argparse
import base64
import json
from functools import reduce
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(fact, otherwise):
    if not fact:
        raise ValueError(otherwise)


def signed(note, key, origin, trees):
    text, _, tail = note.rpartition("\n\n")
    name, size, root = text.split("\n")[:3]
    ours = [base64.b64decode(line.split(" ")[2])[4:] for line in tail.splitlines() if line.split(" ")[1] == name == origin]
    need(ours, f"the checkpoint over {size} entries is not signed by {origin}")
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key.strip().split("+", 2)[2])[1:]).verify(ours[0], f"{text}\n".encode())
    need(trees.get(size) is not None, f"the checkpoint is over {size} entries, which this export does not reach or begins after")
    found = reduce(lambda right, left: sha256(b"\1" + left + right).digest(), trees[size][::-1] or [sha256(b"").digest()])
    need(found == base64.b64decode(root), f"the first {size} entries are not those signed in the checkpoint")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("export")
parser.add_argument("--key", help="file with the public key that was published; without it, the one in the export is believed")
parser.add_argument("--checkpoint", action="append", default=[], help="file with a checkpoint you kept; may be repeated")
args = parser.parse_args()
notes, published = [Path(name).read_text("utf-8") for name in args.checkpoint], args.key and Path(args.key).read_text("utf-8")
trees, number, row = dict.fromkeys(note.split("\n")[1] for note in notes), 1, {}
try:
    lines = Path(args.export).open(encoding="utf-8", newline="\n")  # noqa: SIM115 - read to the end, then the process ends
    head = json.loads(next(lines))
    size, tree = head["after"], [bytes.fromhex(one) for one in head["frontier"]]
    for number, line in enumerate(lines, 2):  # noqa: B007 - told when something is wrong
        row = json.loads(line)
        if "checkpoint" in row or str(size) in trees:
            trees[str(size)] = tree[:]
        if "checkpoint" in row:
            break
        node, digit, size = sha256(b"\0" + row["body"].encode()).digest(), size, size + 1
        need(row["seq"] == json.loads(row["body"])["seq"] == size, f"entry {size} is missing, or another stands in its place")
        need(node.hex() == row["leaf"], f"entry {size} was changed: its hash does not fit")
        while digit & 1:  # RFC 9162: equal subtrees join, like carries in binary addition
            node, digit = sha256(b"\1" + tree.pop() + node).digest(), digit >> 1
        tree.append(node)
    need("checkpoint" in row and not next(lines, ""), "the end was cut off, or something follows the checkpoint")
    for note in [*notes, row["checkpoint"]]:
        signed(note, published or row["key"], head["origin"], trees)
except Exception as error:
    raise SystemExit(f"BROKEN at line {number}: {str(error) or 'the signature is wrong'}") from error
print(f"intact: entries {head['after'] + 1} to {size} of {head['origin']}, key {(published or row['key']).strip()}")  # noqa: T201
