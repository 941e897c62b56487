"""An application as a prefork server loads it: once, before it forks, with a client that was used already.

python -m gunicorn --preload -w 4 wsgi_app:flask_app
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, jsonify

from hero_async import HeroError
from hero_sync import Hero

hero = Hero.from_env()
PATIENT = os.environ["PATIENT"]
BEFORE = [hero.batch_messages.list(page_size=1).first() for _ in range(3)]  # in the master: it forks after this

flask_app = Flask("wsgi_app")


@flask_app.get("/send/<int:number>")
def send(number: int) -> Any:
    """A message whose text tells it from all others."""
    sent = hero.messages.send(patient_id=PATIENT, message_type="sms", message_string=f"number {number}")
    return jsonify(content=sent.content, id=sent.message_id, pid=os.getpid())


@flask_app.errorhandler(HeroError)
def failed(error: HeroError) -> Any:
    """So that a test sees what happened."""
    return jsonify(error=f"{error!r} {error}"), 500
