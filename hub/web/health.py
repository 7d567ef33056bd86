"""``/healthz``: the process answers. ``/readyz``: what it needs is there, each part by name, without saying more than that."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub.store.uow import Reading
from hub.web.deps import container_of
from hub.wiring import Container

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz() -> Response:
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """200 when every part is ``ok``, else 503. The reason stands in the log only."""
    container = container_of(request)
    found = {name: _asked(name, check, container) for name, check in _CHECKS.items()}
    ready = all(found.values())
    body = {"status": "ok" if ready else "unavailable", "checks": {name: "ok" if good else "failed" for name, good in found.items()}}
    return JSONResponse(body, 200 if ready else 503)


def _asked(name: str, check: Callable[[Container], bool], container: Container) -> bool:
    try:
        good = check(container)
    except (SQLAlchemyError, RedisError, OSError) as error:
        log.warning("not ready", part=name, why=f"{type(error).__name__}: {error}"[:300])
        return False
    if not good:
        log.warning("not ready", part=name)
    return good


def _database(container: Container) -> bool:
    with Reading(container.engine) as session:
        return bool(session.execute(text("SELECT 1")).scalar_one() == 1)


def _schema(container: Container) -> bool:
    # Loading Alembic takes a good part of a start, and only this question needs it.
    from hub.store.upgrade import current

    return current(container.engine) == _newest()


@cache
def _newest() -> str:
    """It cannot change while this process runs, and reading it means reading every migration."""
    from hub.store.upgrade import newest

    return newest()


def _redis(container: Container) -> bool:
    return bool(container.redis.ping())


def _site(container: Container) -> bool:
    return container.settings.site.is_dir() and os.access(container.settings.site, os.R_OK | os.X_OK)


_CHECKS: dict[str, Callable[[Container], bool]] = {"database": _database, "schema": _schema, "redis": _redis, "site": _site}
