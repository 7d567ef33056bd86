"""The Celery app. Messages carry a channel's name and nothing else; a lost or double one costs nothing.

There is no result backend (outcomes live in the database), no ETA or countdown anywhere (with Redis one past the
visibility timeout is delivered again and again, invariant 7), and every channel has a queue of its own (invariant 10).
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from kombu.entity import Exchange, Queue

from hub.logs import configure_logging
from hub.settings import Settings
from hub.wiring import Container

CHORES = "chores"
_container: Container | None = None


def container() -> Container:
    """This process's container, built on first use."""
    global _container
    if _container is None:
        _container = Container(Settings())
    return _container


def queue_of(channel: str) -> str:
    return f"channel.{channel}"


def broker_url(redis_url: str) -> str:
    """kombu spells a unix socket in its own way: ``redis+socket:///path?virtual_host=0``."""
    if redis_url.startswith("unix://"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        database = query.removeprefix("db=") if query.startswith("db=") else "0"
        return f"redis+socket://{path}?virtual_host={database}"
    return redis_url


def queue(name: str) -> Queue:
    """A queue on the default exchange: its routing needs no binding in Redis, so flushing Redis cannot unbind it."""
    return Queue(name, Exchange("", type="direct"), routing_key=name, durable=True)


def make_app(settings: Settings) -> Celery:
    app = Celery("disclosure-hub", broker=broker_url(settings.redis), include=["workers.tasks"])
    app.conf.update(
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_create_missing_queues=True,
        task_default_queue=CHORES,
        task_queues=[queue(CHORES)],
        task_default_exchange="",
        task_default_routing_key=CHORES,
        # A ring that nobody answered for half a minute is stale: the relay rings again anyway.
        task_publish_retry=False,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"visibility_timeout": 3600, "socket_keepalive": True, "health_check_interval": 30},
        enable_utc=True,
        timezone="UTC",
    )
    return app


app = make_app(Settings())


@setup_logging.connect
def _logging(**_: Any) -> None:
    settings = Settings()
    configure_logging(settings.log_level, as_json=settings.log_json)


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    """Sockets and database connections must not be shared with the parent."""
    global _container
    _container = None
