"""What every chosen channel would show, before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass

from hub.app import publication
from hub.app.context import Context
from hub.app.people import Caller, find_department
from hub.app.revisions import must_know_words, problems_with
from hub.app.sight import seen_item, sight_of
from hub.app.views import Rendered
from hub.domain.content import Content
from hub.domain.problems import NotFound, Problem
from hub.store.tables import Item

UNSAVED = "preview"
"""Stands where the public id of a new item will stand."""


@dataclass(frozen=True, slots=True)
class Preview:
    """``digest`` is what signatures would cover if this were saved as it is (a new item's id is still missing from it)."""

    digest: str
    problems: tuple[Problem, ...]
    renditions: tuple[Rendered, ...]


def preview(context: Context, caller: Caller, content: Content, public_id: str = "") -> Preview:
    """Format ``content`` as the next revision of ``public_id``, or as a new item. Saves nothing.

    Raises Invalid for an unknown column or area, NotFound for an unknown department or item.
    """
    with context.reading() as session:
        sight = sight_of(context, session, caller)
        item = Item(public_id=UNSAVED, index_no="", revision_no=0)
        if public_id:
            item, _ = seen_item(session, sight, public_id)
            if not sight.whole(item):
                raise NotFound(f"没有编号为“{public_id}”的稿件，或您无权查看", code="item_unknown")
        find_department(session, content.department)
        must_know_words(session, content)
        built = publication.build(session, item, item.revision_no + 1, content, context.policy.site_url)
        renditions = publication.render(context.channels, content, built)
        problems = problems_with(session, content, renditions, context.clock())
    return Preview(
        publication.revision_digest(content, {name: r.digest for name, r in renditions.items()}),
        problems,
        tuple(Rendered(name, r.digest, r.payload) for name, r in sorted(renditions.items())),
    )
