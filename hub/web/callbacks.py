"""``/callbacks/{channel}``: platforms call here. The channel checks the call; we answer at once and look afterwards."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTasks
from starlette.concurrency import run_in_threadpool

from hub.app.callback import look_again, receive
from hub.web.deps import client_of, container_of, hold
from hub.web.ratelimit import Rate

CALLS = Rate(20, 200)
"""Per address. A platform repeats what we refuse, so this is generous."""
router = APIRouter(tags=["平台回调"], include_in_schema=False)


async def _calm(request: Request) -> None:
    await run_in_threadpool(hold, request, f"callback:{client_of(request)}", CALLS)


@router.api_route("/callbacks/{channel}", methods=["GET", "POST"], dependencies=[Depends(_calm)])
async def call(channel: str, request: Request) -> Response:
    """Within the five seconds a platform waits: no call goes out before the answer does."""
    context = container_of(request).context
    body = await request.body()
    answered = await run_in_threadpool(receive, context, channel, request.method, dict(request.query_params), body)
    later = BackgroundTasks()
    for delivery_id in answered.look_again:
        later.add_task(look_again, context, delivery_id)
    return Response(answered.body, answered.status, media_type=answered.media_type, background=later)
