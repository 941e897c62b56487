"""A Celery task that sends a message and is tried again only when nothing was sent.

python examples/celery_task.py                    # a worker and a broker in this process, on a sandbox
celery --app celery_task worker                   # from this folder, with a broker of yours and HERO_* variables

Celery delivers a task at least once: after a crash of a worker it may run again. `acks_late` stays off here, so that a
task that had begun is lost rather than sent twice; what must not be lost either belongs in a campaign with an outbox.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker
from somewhere import somewhere

from hero_async import Delivery, HeroError
from hero_sync import Hero

app = Celery("reminders", broker=os.environ.get("BROKER_URL", "memory://"), backend="cache+memory://")
app.conf.update(worker_hijack_root_logger=False, task_ignore_result=False, broker_connection_retry_on_startup=True)


@cache
def hero() -> Hero:
    """One client for each worker process; a fork makes its own connections."""
    return Hero.from_env()


@app.task(bind=True, max_retries=5, acks_late=False)
def remind(self: Any, patient_id: str, text: str) -> str:
    """Send one message. Gives its id, or what a person has to do."""
    try:
        return hero().messages.send(patient_id=patient_id, message_type="sms", message_string=text).message_id
    except HeroError as error:
        words, delivery = str(error), error.delivery
    if delivery is Delivery.NO:
        # A fresh error: Celery writes its text to the backend, and this one holds no value.
        raise self.retry(countdown=2**self.request.retries, exc=RuntimeError(words))
    return f"in doubt, look it up: {words}" if delivery is Delivery.UNKNOWN else "sent, but the answer was lost"


def main() -> None:
    """Three tasks through a worker; the answer of one is lost."""
    from hero_async.sandbox import Status

    with somewhere() as (_, sandbox):
        if sandbox is not None:
            os.environ.update(sandbox.variables)
            sandbox.faults.add("messages.send", Status(503))
        with start_worker(app, perform_ping_check=False, pool="solo", loglevel="ERROR"):
            done = [remind.delay(f"10000{number}", "Your flu jab is due").get(timeout=30) for number in (1, 2, 3)]
        print(sum(one.startswith("in doubt") for one in done), "in doubt of", len(done))
        if sandbox is not None:
            print("asked:", sandbox.ledger.count("messages.send"), "accepted:", len(sandbox.ledger.messages))
        hero().close()


if __name__ == "__main__":
    main()
