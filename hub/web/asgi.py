"""What the server loads: the application of the hub that the environment describes."""

from __future__ import annotations

from fastapi import FastAPI

from hub.logs import configure_logging
from hub.settings import Settings
from hub.web.app import create_app
from hub.wiring import Container


def app() -> FastAPI:
    """A factory, so that importing this module starts nothing."""
    settings = Settings()
    configure_logging(settings.log_level, as_json=settings.log_json)
    return create_app(Container(settings))
