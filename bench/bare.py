"""What the engine is measured against: a Celery task that does the same ``requests.post`` and nothing else.

No database, no record, no second look: fire and forget. ``post`` opens a connection for every call, as ``requests.post`` does;
``post_pooled`` keeps one per thread, as the engine does.
"""

from __future__ import annotations

import argparse
import threading

import requests
from celery import Celery

from workers.celery import broker_url

HEADERS = {"Content-Type": "application/json"}
_local = threading.local()

app = Celery("bare")
# Celery's own defaults but for results, which nobody reads.
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="bare.post")  # type: ignore[untyped-decorator]  # celery has no types
def post(url: str, body: str) -> None:
    requests.post(url, data=body.encode(), headers=HEADERS, timeout=60).raise_for_status()


@app.task(name="bare.post_pooled")  # type: ignore[untyped-decorator]
def post_pooled(url: str, body: str) -> None:
    session = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
        session.trust_env = False
    session.post(url, data=body.encode(), headers=HEADERS, timeout=60).raise_for_status()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--redis", required=True)
    options.add_argument("--concurrency", type=int, required=True)
    given = options.parse_args()
    app.conf.broker_url = broker_url(given.redis)
    threads = ["--pool=threads", f"--concurrency={given.concurrency}"]
    app.worker_main(["--quiet", "worker", *threads, "--without-gossip", "--without-mingle", "--without-heartbeat", "--queues=bare"])


if __name__ == "__main__":
    main()
