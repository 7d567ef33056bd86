"""What the server loads: the application of the hub that the environment describes."""

from __future__ import annotations

import structlog
from fastapi import FastAPI

from hub.logs import configure_logging
from hub.settings import BadConfig, Settings
from hub.web.app import create_app
from hub.wiring import Container

log = structlog.get_logger(__name__)


def app() -> FastAPI:
    """A factory, so that importing this module starts nothing."""
    settings = Settings()
    configure_logging(settings.log_level, as_json=settings.log_json)
    container = Container(settings)
    try:
        # Built now, so that a bad configuration ends the start and the first request need not wait for the channels.
        container.context  # noqa: B018
    except BadConfig as error:
        log.critical("cannot start", why=str(error))
        raise
    return create_app(container, behind_proxy=settings.behind_proxy)
