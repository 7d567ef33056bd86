"""Files that lie beside the one being imported, in its ``attachments/`` and ``images/`` folders."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from hub.domain.content import FileUse
from hub.domain.problems import Invalid, Problem
from hub.intake.body import images_of
from hub.intake.files import FileStore, safe_name

FOLDERS = ("attachments", "images")


def find_beside(source: Path, name: str) -> Path | None:
    """The file of that name in one of ``FOLDERS`` beside ``source``; folders inside ``name`` are not followed."""
    places = (source.parent / folder / safe_name(name) for folder in FOLDERS)
    return next((place for place in places if place.is_file()), None)


def take_beside(
    source: Path,
    name: str,
    files: FileStore,
    *,
    field: str,
    role: str = "attachment",
    alt: str = "",
    ai_generated: bool = False,
    caption: str = "",
) -> FileUse | tuple[Problem, ...]:
    """Take a file that lies beside ``source`` into the store, or say why not."""
    place = find_beside(source, name)
    if place is None:
        folders = "或".join(f"“{f}”" for f in FOLDERS)
        return (Problem(field, "file_missing", f"找不到文件“{name[:80]}”", f"请把它放进与“{source.name}”同处的{folders}文件夹"),)
    try:
        return files.take(name, place, role=role, alt=alt, caption=caption, ai_generated=ai_generated, field_name=field)
    except Invalid as refusal:
        return refusal.problems


def with_pictures(body: str, pictures: Iterable[FileUse]) -> str:
    """The body with every picture that it does not show yet put at its end, as a figure."""
    shown = {sha for sha, _ in images_of(body)} if body else set()
    for use in pictures:
        if use.sha256 in shown:
            continue
        shown.add(use.sha256)
        caption = f"<figcaption>{html.escape(use.caption, quote=False)}</figcaption>" if use.caption else ""
        body += f'<figure><img src="file:{use.sha256}" alt="{html.escape(use.alt)}">{caption}</figure>'
    return body
