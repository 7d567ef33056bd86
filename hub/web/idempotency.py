"""``Idempotency-Key``: a write that is repeated with the same key happens once and gets the same answer.

The key's row goes through three states. ``CLAIMED``: being worked on. ``DONE``: the act's own transaction has committed (the
row is marked in that very transaction, so a crash cannot come between). Any HTTP status: the answer is stored and is replayed
for 24 hours. A claim that a dead process left is taken over after ``ABANDONED``; a ``DONE`` one is never executed again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi.routing import APIRoute
from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from hub.app.context import Context
from hub.store.tables import IdempotencyRow
from hub.store.uow import Work
from hub.web import errors
from hub.web.deps import KEY_PATTERN, READING, authenticate, container_of

CLAIMED, DONE = 0, 1
KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=5)
"""Longer than any request may take; with nothing committed, doing it again is safe."""
NOT_KEPT = frozenset({401, 408, 413, 429})
"""Answers about the moment, not about the request: a repetition may fare better."""
_KEY = re.compile(KEY_PATTERN)
_PART = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    status: int
    body: str
    etag: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's hold on a key. ``at`` tells it from the hold of whoever took the key over."""

    token_id: int
    key: str
    at: datetime

    @property
    def mine(self) -> tuple[ColumnElement[bool], ...]:
        return (IdempotencyRow.token_id == self.token_id, IdempotencyRow.key == self.key, IdempotencyRow.at == self.at)


class KeyTaken(Exception):
    """Another request took over this key meanwhile: this one must not commit."""


class _KeyedWork(Work):
    """Marks the key in every transaction it commits."""

    claim: Claim

    def commit(self) -> None:
        mark = update(IdempotencyRow).where(*self.claim.mine).values(status=DONE).returning(IdempotencyRow.key)
        if self.session.execute(mark).first() is None:
            self.session.rollback()
            raise KeyTaken(self.claim.key)
        super().commit()


@dataclass(frozen=True, slots=True)
class KeyedContext(Context):
    claim: Claim | None = None

    def work(self, actor: str) -> Work:
        assert self.claim is not None
        work = _KeyedWork(self.engine, self.clock, actor)
        work.claim = self.claim
        return work


class Keyed(APIRoute):
    """A route whose writes honour ``Idempotency-Key``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        plain = super().get_route_handler()

        async def handle(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            if request.method in READING or not _KEY.fullmatch(key):
                return await plain(request)
            try:
                return await _once(request, key, plain)
            finally:
                # A form that was read for its digest and then not handled still holds its files.
                await request.close()

        return handle


async def _once(request: Request, key: str, plain: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    caller = await run_in_threadpool(authenticate, request, token.strip() if scheme.lower() == "bearer" else None)
    digest = await _digest(request)
    context = container_of(request).context
    claim = await run_in_threadpool(_claim, context, caller.token_id, key, digest)
    if isinstance(claim, Stored):
        return _replay(claim)
    fields = {f.name: getattr(context, f.name) for f in dataclasses.fields(Context)}
    request.state.context = KeyedContext(**fields, claim=claim)
    try:
        response = await plain(request)
    except KeyTaken:
        raise _at_work() from None
    except Exception as error:
        answer = errors.of_exception(request, error)
        if answer is None or answer.status_code >= 500:
            await run_in_threadpool(_release, context, claim)
            raise
        response = answer
    if response.status_code in NOT_KEPT or response.status_code >= 500:
        await run_in_threadpool(_release, context, claim)
    else:
        stored = Stored(response.status_code, bytes(response.body).decode(), response.headers.get("etag", ""))
        await run_in_threadpool(_keep, context, claim, stored)
    return response


async def _digest(request: Request) -> str:
    """What makes two requests the same. A form's boundary differs each time, so its parts count, not its bytes."""
    found = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query, request.headers.get("if-match", "")):
        found.update(f"{len(part)}:{part}".encode())
    if not request.headers.get("content-type", "").startswith("multipart/"):
        found.update(await request.body())
        return found.hexdigest()
    for name, value in (await request.form()).multi_items():
        found.update(json.dumps([name, value if isinstance(value, str) else value.filename]).encode())
        if isinstance(value, UploadFile):
            while block := await value.read(_PART):
                found.update(block)
            await value.seek(0)
    return found.hexdigest()


def _claim(context: Context, token_id: int, key: str, digest: str) -> Claim | Stored:
    """Take the key, or return the answer it already has. Raises Halt for another request's key and for one at work."""
    with context.work("web") as work:
        old = delete(IdempotencyRow).where(IdempotencyRow.token_id == token_id, IdempotencyRow.at < work.now - KEPT)
        work.session.execute(old)
        row = work.session.get(IdempotencyRow, (token_id, key), with_for_update=True)
        if row is None:
            work.session.add(IdempotencyRow(token_id=token_id, key=key, request_digest=digest, at=work.now, status=CLAIMED))
        elif row.request_digest != digest:
            raise errors.Halt(422, "key-reused", errors.KINDS["key-reused"].about)
        elif row.status > DONE:
            return Stored(row.status, row.body, row.etag)
        elif row.status == DONE or row.at > work.now - ABANDONED:
            raise _at_work()
        else:
            row.at = work.now
        try:
            work.commit()
        except IntegrityError:
            raise _at_work() from None
        return Claim(token_id, key, work.now)


def _keep(context: Context, claim: Claim, answer: Stored) -> None:
    with context.work("web") as work:
        values = {"status": answer.status, "body": answer.body, "etag": answer.etag}
        work.session.execute(update(IdempotencyRow).where(*claim.mine).values(values))
        work.commit()


def _release(context: Context, claim: Claim) -> None:
    """Nothing was committed under the key: it may be used again. Otherwise it stays, and nobody does the act twice."""
    with context.work("web") as work:
        work.session.execute(delete(IdempotencyRow).where(*claim.mine, IdempotencyRow.status == CLAIMED))
        work.commit()


def _at_work() -> errors.Halt:
    detail = "同一个 Idempotency-Key 的请求仍在处理，或已执行但回执未能保存；请稍后查询结果，不要换键重做"
    return errors.Halt(409, "key-in-use", detail, headers={"Retry-After": "1"})


def _replay(stored: Stored) -> Response:
    media_type = errors.MEDIA_TYPE if stored.status >= 400 else "application/json"
    response = Response(stored.body, stored.status, {"Idempotency-Replayed": "true"}, media_type)
    if stored.etag:
        response.headers["ETag"] = stored.etag
    if stored.status == 201:
        response.headers["Location"] = json.loads(stored.body)["self"]
    return response
