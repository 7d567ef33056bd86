"""Write the record as JSON Lines that anyone can check without this system (``docs/verify_record.py``).

First line: what this is, the origin, the number of entries passed over and the frontier of their tree. Then one line per
entry. Last line: a signed checkpoint over the last entry, and the public key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

from sqlalchemy import Engine

from hub.app.seal import PAGE, read_checkpoint
from hub.domain.checkpoint import VerifierKey
from hub.domain.merkle import Frontier
from hub.store.engine import READ_ONLY
from hub.store.record import bodies

FORMAT = "disclosure-hub record 1"


def export(engine: Engine, out: TextIO, *, note: str, key: VerifierKey, after: int = 0) -> int:
    """Write entries ``after`` + 1 up to the size of the signed checkpoint ``note``; return how many.

    Seal first: entries younger than the checkpoint are left out, because nothing signed covers them yet. Nothing is
    judged here: what the database holds is what is written. Raises ValueError when the note is not signed by ``key`` or
    ``after`` lies beyond it.
    """
    checkpoint = read_checkpoint(note, key)
    if not 0 <= after <= checkpoint.size:
        raise ValueError(f"--after 应在 0 与 {checkpoint.size}（最近一次检查点的条数）之间")
    reader = engine.execution_options(**{READ_ONLY: True})
    frontier, written = Frontier(), 0
    for _seq, _body, leaf in _entries(reader, 0, after):
        frontier.append(leaf)
    _line(out, {"format": FORMAT, "origin": checkpoint.origin, "after": after, "frontier": [one.hex() for one in frontier.hashes]})
    for seq, body, leaf in _entries(reader, after, checkpoint.size):
        _line(out, {"seq": seq, "body": body, "leaf": leaf.hex()})
        written += 1
    _line(out, {"checkpoint": note, "key": key.text()})
    return written


def _entries(reader: Engine, after: int, upto: int) -> Iterator[tuple[int, str, bytes]]:
    """Page by page, each in a transaction of its own: a long one would keep the databases from cleaning up behind writers."""
    while after < upto:
        with reader.connect() as connection:
            page = bodies(connection, after, upto, PAGE)
        if not page:
            return
        yield from page
        after = page[-1][0]


def _line(out: TextIO, value: dict[str, object]) -> None:
    out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
