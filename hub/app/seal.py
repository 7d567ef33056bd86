"""Seal the record: sign its head and keep the signed checkpoint where the owner of the database cannot rewrite it.

Checkpoints go to ``FOLDER/checkpoints`` and, for everyone to fetch and keep, to ``SITE/record``. A checkpoint is signed
only after the entries since the last one were hashed again and lead from the last signed root to the head, so two
checkpoints of ours never contradict each other.
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from sqlalchemy import Engine

from channels.files import remove, write_atomically
from hub.domain.checkpoint import Checkpoint, VerifierKey, open_note, parse_checkpoint, sign_note
from hub.domain.merkle import Frontier, leaf_hash
from hub.store.engine import READ_ONLY
from hub.store.record import RecordBroken, bodies, head

PAGE = 5000
APART = timedelta(minutes=10)
"""Between two kept checkpoints, at least. The latest is always kept; one that a later one follows sooner gives way to it, because
the later one vouches for everything before it, and a hub that seals every few seconds would leave millions of files."""
_NAMES = re.compile(r"(\d{20}|list-\d{4}-\d{2})\.txt")
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_log = structlog.get_logger(__name__)


class Inconsistent(RuntimeError):
    """The record no longer continues what was signed before. Nothing was signed; a person must look (``hub audit verify``)."""


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """Read the Ed25519 key (PEM, PKCS #8) or make one, readable by its owner only. Raises ValueError for any other key."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        # mkstemp makes the file with mode 0600.
        handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # A link fails where a rename would overwrite: of two processes that start together, one key wins for both.
        try:
            os.link(fresh, path)
        except FileExistsError:
            _log.info("record_key_made_elsewhere", path=str(path))
        finally:
            os.unlink(fresh)
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path}：不是 Ed25519 私钥，请换回原来的密钥文件")
    return key


def verifier_key(key: Ed25519PrivateKey, origin: str) -> VerifierKey:
    """The public half, under the name it signs as. Raises ValueError when ``origin`` cannot be a key name."""
    return VerifierKey(origin, key.public_key().public_bytes_raw())


def read_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Check signature and origin of a signed checkpoint and read it. Raises ValueError."""
    public = Ed25519PublicKey.from_public_bytes(key.public)

    def good(signature: bytes, text: bytes) -> bool:
        try:
            public.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    found = parse_checkpoint(open_note(note, key, good))
    if found.origin != key.name:
        raise ValueError(f"the checkpoint is of the log {found.origin!r}, not {key.name!r}")
    return found


def seal(engine: Engine, key: Ed25519PrivateKey, origin: str, folder: Path, site_dir: Path, now: datetime) -> Checkpoint:
    """Sign the present head if the record has grown, publish, and return the latest checkpoint.

    Costs the entries since the last one. Safe to run twice at once (a file lock makes the second wait). ``origin`` names
    the log for ever, for instance ``www.example.gov.cn/record``; ``now``, aware, goes into the public list of checkpoints.
    Raises Inconsistent, after an ERROR in the log, when the record was cut or changed below the last checkpoint's size,
    or when the last checkpoint is not ours.
    """
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    public = verifier_key(key, origin)
    with _alone(folder / "seal.lock"):
        try:
            last = latest(folder, public)
            grown = _grow(engine, folder, last)
            if last is None or grown.size > last.size:
                last = Checkpoint(origin, grown.size, grown.root())
                _keep(checkpoints, last, sign_note(last.text(), public, key.sign), now)
        except (Inconsistent, RecordBroken) as error:
            _log.error("record_inconsistent", why=str(error))
            raise
        write_atomically(folder / "frontier.json", grown.to_json().encode(), gzip=False)
        publish(folder, site_dir, public)
    return last


def latest(folder: Path, key: VerifierKey) -> Checkpoint | None:
    """The last sealed checkpoint, its signature checked; None before the first. Raises Inconsistent when it is not ours."""
    path = folder / "checkpoints" / "latest.txt"
    if not path.exists():
        return None
    try:
        return read_checkpoint(path.read_text(encoding="utf-8"), key)
    except ValueError as error:
        raise Inconsistent(f"最近一次检查点（{path}）不是本中枢密钥所签或已损坏：{error}") from error


def publish(folder: Path, site_dir: Path, key: VerifierKey) -> None:
    """Make ``SITE/record`` hold the key and the same checkpoints as ``folder``; a rebuilt site gets them all again.

    Costs two small reads when the site is up to date. Nothing but the key is there to publish before the first seal.
    """
    source, target = folder / "checkpoints", site_dir / "record"
    write_atomically(target / "key.txt", f"{key.text()}\n".encode(), gzip=False)
    newest = source / "latest.txt"
    # The latest checkpoint is written last, so where it is, everything else is.
    if not newest.exists() or ((target / "checkpoint.txt").exists() and (target / "checkpoint.txt").read_bytes() == newest.read_bytes()):
        return
    (target / "checkpoints").mkdir(parents=True, exist_ok=True)
    with os.scandir(source) as here, os.scandir(target / "checkpoints") as there:
        ours = {one.name: one.stat().st_size for one in here if _NAMES.fullmatch(one.name)}
        theirs = {one.name: one.stat().st_size for one in there if _NAMES.fullmatch(one.name)}
    # A checkpoint of the same size is the same; a list may have had its last line replaced, but only the newest lists change.
    changing = sorted(ours)[-2:]
    for name in ours:
        if theirs.get(name) != ours[name] or name in changing:
            write_atomically(target / "checkpoints" / name, (source / name).read_bytes(), gzip=False)
    for name in theirs.keys() - ours.keys():
        remove(target / "checkpoints" / name)
    write_atomically(target / "checkpoint.txt", newest.read_bytes(), gzip=False)


def _grow(engine: Engine, folder: Path, last: Checkpoint | None) -> Frontier:
    """Hash the entries since the last checkpoint again; return the frontier of the head. Raises Inconsistent."""
    reader = engine.execution_options(**{READ_ONLY: True})
    with reader.connect() as connection:
        goal = head(connection)
    if last is not None and goal.size < last.size:
        raise Inconsistent(f"记录只剩 {goal.size} 条，而已签名的检查点有 {last.size} 条：末尾被截断")
    grown = _frontier(folder, last)
    while True:
        if last is not None and grown.size == last.size and grown.root() != last.root:
            raise Inconsistent(f"前 {last.size} 条记录的根与已签名的检查点不同：记录被改动过")
        if grown.size == goal.size:
            break
        stop = last.size if last is not None and grown.size < last.size else goal.size
        with reader.connect() as connection:
            page = bodies(connection, grown.size, stop, PAGE)
        if not page:
            raise Inconsistent(f"第 {grown.size + 1} 条记录不存在，而记录头说有 {goal.size} 条")
        for seq, body, leaf in page:
            if seq != grown.size + 1 or leaf_hash(body.encode()) != leaf:
                raise Inconsistent(f"第 {grown.size + 1} 条记录缺失或被改动")
            grown.append(leaf)
    if grown.root() != goal.root():
        raise Inconsistent(f"记录头的根与前 {goal.size} 条记录算出的根不同：记录或记录头被改动过")
    return grown


def _frontier(folder: Path, last: Checkpoint | None) -> Frontier:
    """Where hashing can start: the frontier kept at the last seal if it is that checkpoint's, else the beginning."""
    path = folder / "frontier.json"
    if last is None or not path.exists():
        return Frontier()
    try:
        kept = Frontier.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        _log.warning("record_frontier_unreadable", path=str(path), why=str(error))
        return Frontier()
    return kept if kept.size == last.size and kept.root() == last.root else Frontier()


def _keep(checkpoints: Path, sealed: Checkpoint, note: str, now: datetime) -> None:
    name = f"{sealed.size:020d}.txt"
    if (checkpoints / name).exists() and (checkpoints / name).read_text(encoding="utf-8") != note:
        raise Inconsistent(f"已有另一个 {sealed.size} 条的检查点（{checkpoints / name}），内容不同")
    write_atomically(checkpoints / name, note.encode(), gzip=False)
    # One list per month, so that its rewriting stays cheap however long the hub runs.
    month = checkpoints / f"list-{now.astimezone(UTC):%Y-%m}.txt"
    lines = month.read_text(encoding="utf-8").splitlines() if month.exists() else []
    dropped = ""
    # The same file once more: an earlier run was interrupted after writing the list.
    if lines and (name in lines[-1] or (len(lines) > 1 and _at(lines[-1]) - _at(lines[-2]) < APART)):
        dropped = lines.pop().split(" ")[1]
    lines.append(f"{now.astimezone(UTC):{_TIME}} {name} {sealed.root.hex()}")
    write_atomically(month, "".join(f"{line}\n" for line in lines).encode(), gzip=False)
    write_atomically(checkpoints / "latest.txt", note.encode(), gzip=False)
    if dropped not in ("", name):
        remove(checkpoints / dropped)


def _at(line: str) -> datetime:
    return datetime.strptime(line.split(" ")[0], _TIME).replace(tzinfo=UTC)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
