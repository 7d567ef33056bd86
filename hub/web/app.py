"""The web application: routers, errors, the net around every request, and the site's files under everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from redis import Redis
from starlette.types import ASGIApp, Receive, Scope, Send

from hub.web import callbacks, errors, health, openapi
from hub.web.api import accounts, deliveries, files, items, record, releases, reviews, words
from hub.web.middleware import BodyLimits, Surround
from hub.web.ratelimit import RATES, Limiter, Rates
from hub.web.site import Site
from hub.wiring import Container

PREFIX = "/api/v1"
ROUTERS = (items, reviews, releases, files, deliveries, accounts, record, words)
REDIS_SECONDS = 0.25
"""How long a request waits for Redis before its rate is counted in this process."""


def create_app(container: Container, *, rates: Rates = RATES, bodies: BodyLimits | None = None, behind_proxy: bool = False) -> FastAPI:
    """``behind_proxy``: believe the last address of X-Forwarded-For. ``container`` is closed when the application ends."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        container.close()

    app = FastAPI(title=openapi.TITLE, openapi_url=None, docs_url=None, redoc_url=None, lifespan=life, generate_unique_id_function=_name)
    app.state.container = container
    app.state.rates = rates
    app.state.behind_proxy = behind_proxy
    app.state.limiter = Limiter(
        Redis.from_url(container.settings.redis, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
    )
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]
    errors.install(app)
    api = APIRouter(prefix=PREFIX)
    api.include_router(openapi.router)
    for room in ROUTERS:
        api.include_router(room.router)
    app.include_router(api)
    app.include_router(callbacks.router)
    app.include_router(health.router)
    # Not a mount: a wrong method on an address of the API must stay a 405.
    app.router.default = _Fallback(Site(container.settings.site))
    app.router.redirect_slashes = False
    app.add_middleware(Surround, limits=bodies or BodyLimits())
    return app


class _Fallback:
    """The site, except below addresses that belong to programs: those answer with a problem, not with a page."""

    def __init__(self, site: ASGIApp) -> None:
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(("/api/", "/callbacks/")):
            raise errors.Halt(404, "not-found", "没有这个地址", code="no_such_address")
        await self._site(scope, receive, send)


def _name(route: APIRoute) -> str:
    return f"{route.endpoint.__module__.rpartition('.')[2]}_{route.name}"
