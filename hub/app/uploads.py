"""Files handed in by hand: checked, kept by content, recorded. And the same check again when an item uses them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select

from hub.app.context import Context, record_refusal
from hub.app.items import content_of
from hub.app.people import Caller
from hub.app.sight import seen_item, sight_of
from hub.domain.content import Content, FileUse
from hub.domain.problems import Invalid, NotFound, Problem
from hub.domain.verbs import Verb
from hub.intake.files import FileStore, safe_name
from hub.intake.sniff import SORTS, extension, family_of
from hub.store.record import entries
from hub.store.tables import Revision

REMEDY = "请先上传文件，并原样使用上传返回的内容"


def store(
    context: Context,
    files: FileStore,
    caller: Caller,
    name: str,
    source: Path | bytes,
    *,
    role: str = "attachment",
    alt: str = "",
    caption: str = "",
    ai_generated: bool = False,
) -> FileUse:
    """Check and keep one file; returns what an item's ``files`` may then hold. Raises Invalid naming the fault."""
    try:
        use = files.take(name, source, role=role, alt=alt, caption=caption, ai_generated=ai_generated, field_name="file")
    except Invalid as refusal:
        record_refusal(context, caller.actor, Verb.FILE_STORED, "file", refusal)
        raise
    with context.work(caller.actor) as work:
        details = {"name": use.name, "media_type": use.media_type, "size": use.size, "role": use.role}
        work.record(Verb.FILE_STORED, subject(use.sha256), details)
        work.commit()
    return use


def subject(sha256: str) -> str:
    return f"file:{sha256}"


def must_be_ours(files: FileStore, content: Content) -> None:
    """Raise Invalid unless every file of ``content`` is what ``store`` gave back: a name may not make a page of an attachment."""
    problems = tuple(_faults(files, content.files))
    if problems:
        raise Invalid(problems)


def _faults(files: FileStore, uses: Iterable[FileUse]) -> Iterable[Problem]:
    for index, use in enumerate(uses):
        where = f"files.{index}"
        try:
            path = files.path(use.sha256)
        except FileNotFoundError:
            yield Problem(f"{where}.sha256", "file_unknown", f"文件“{use.name}”还没有上传", REMEDY)
            continue
        sort = SORTS.get(extension(use.name))
        with path.open("rb") as stream:
            family = family_of(stream)
        if sort is None or family not in sort.families or use.media_type != sort.media_type or safe_name(use.name) != use.name:
            yield Problem(f"{where}.name", "file_differs", f"文件“{use.name}”的名称或类型与上传的内容不符", REMEDY)
        elif use.size != path.stat().st_size:
            yield Problem(f"{where}.size", "file_differs", f"文件“{use.name}”的大小与上传的内容不符", REMEDY)
        elif sort.picture != (use.role in ("picture", "cover")) and use.role != "attachment":
            yield Problem(f"{where}.role", "file_differs", f"文件“{use.name}”不是图片，不能用作插图或封面", "请改为附件")


def file_of_item(context: Context, files: FileStore, caller: Caller, public_id: str, sha256: str) -> tuple[FileUse, Path]:
    """A file of the revision the caller may see. Raises NotFound."""
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        item, number = seen_item(session, sight, public_id)
        query = select(Revision).where(Revision.item_id == item.id, Revision.content.contains(sha256))
        if not sight.whole(item):
            query = query.where(Revision.number == number)
        uses = [
            use for row in session.scalars(query.order_by(Revision.number.desc())) for use in content_of(row).files if use.sha256 == sha256
        ]
    if not uses:
        raise _no_file(sha256)
    return uses[0], _path(files, sha256)


def own_file(context: Context, files: FileStore, caller: Caller, sha256: str) -> Path:
    """A file that the caller uploaded, or anyone's for those who see every item. Raises NotFound."""
    with context.reading() as session:
        everything = sight_of(context, session, caller).departments is None
        query = select(entries.c.seq).where(entries.c.subject == subject(sha256), entries.c.verb == Verb.FILE_STORED.value)
        if not everything:
            query = query.where(entries.c.actor == caller.actor)
        known = session.execute(query.limit(1)).first()
    if known is None and not everything:
        raise _no_file(sha256)
    return _path(files, sha256)


def _path(files: FileStore, sha256: str) -> Path:
    try:
        return files.path(sha256)
    except FileNotFoundError as error:
        raise _no_file(sha256) from error


def _no_file(sha256: str) -> NotFound:
    return NotFound(f"没有摘要为 {sha256[:16]}… 的文件，或您无权查看", code="file_unknown")
