"""The vocabulary, and who the caller is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hub.app import vocabulary
from hub.app.people import Caller
from hub.app.whoami import whoami
from hub.domain import content
from hub.domain.delivery import DELIVERY_LABELS
from hub.domain.item import RETURN_REASONS, ROLE_LABELS, STAGE_LABELS, STATE_LABELS
from hub.web.deps import AnyCaller, Ctx, may
from hub.web.documented import READ, errors
from hub.web.shapes.words import MeOut, VocabularyOut

router = APIRouter(tags=["词表与本人"])


@router.get("/vocabulary", summary="词表", responses=errors(*READ))
def read_vocabulary(context: Ctx, _caller: Annotated[Caller, Depends(may("read"))]) -> VocabularyOut:
    """填写稿件所需的全部可选值，以及每个渠道的限制（与适配器执行的是同一组数）。"""
    with context.reading() as session:
        found = {
            "departments": list(vocabulary.departments(session).values()),
            "columns": list(vocabulary.column_refs(session).values()),
            "areas": list(vocabulary.areas(session).values()),
        }
    return VocabularyOut.model_validate(
        {
            **found,
            "kinds": content.KINDS,
            "stages": STAGE_LABELS,
            "states": STATE_LABELS,
            "delivery_states": DELIVERY_LABELS,
            "return_reasons": RETURN_REASONS,
            "roles": ROLE_LABELS,
            "disclosure_attrs": content.DISCLOSURE_ATTRS,
            "genres": content.GENRES,
            "validities": content.VALIDITIES,
            "grades": content.GRADES,
            "urgencies": content.URGENCIES,
            "source_kinds": content.SOURCE_KINDS,
            "relation_types": content.RELATION_TYPES,
            "wording_keys": content.WORDING_KEYS,
            "channels": [{"name": name, "kind": c.name, "limits": c.limits} for name, c in context.channels.items()],
        }
    )


@router.get("/me", summary="我是谁", responses=errors(*READ))
def me(context: Ctx, caller: AnyCaller) -> MeOut:
    """令牌背后的人、其权限（包括代审借来的）和令牌的到期时间。"""
    return MeOut.model_validate(whoami(context, caller))
