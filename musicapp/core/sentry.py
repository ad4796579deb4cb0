"""Errors go to Sentry where SENTRY_DSN names one: what broke and where; nobody's name, address, words or cookies."""

from __future__ import annotations

from typing import Any

from flask import Flask

from musicapp.core.logs import without_secrets
from musicapp.core.tracing import trace_ids
from musicapp.core.version import VERSION

KEPT_OF_REQUEST = ("method", "url")
KEPT_IDS = ("request_id", "task_id", "job_id", "job_kind")


def start_sentry(app: Flask) -> None:
    """For wsgi.py and celery_worker.py. Without SENTRY_DSN nothing is loaded and nothing is sent."""
    dsn = app.config["SENTRY_DSN"]
    if not dsn:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=dsn,
        release=f"musicapp@{VERSION}",
        send_default_pii=False,
        # Variables of a frame hold passwords and addresses.
        include_local_variables=False,
        max_request_body_size="never",
        before_send=_without_persons,
    )


def _without_persons(event: Any, _hint: Any) -> Any:
    event.pop("user", None)
    request = event.get("request")
    if request is not None:
        event["request"] = {name: request[name] for name in KEPT_OF_REQUEST if name in request}
    ids = trace_ids()
    event.setdefault("tags", {}).update({name: str(ids[name]) for name in KEPT_IDS if name in ids})
    return _cleaned(event)


def _cleaned(part: Any) -> Any:
    if isinstance(part, str):
        return without_secrets(part)
    if isinstance(part, dict):
        return {name: _cleaned(value) for name, value in part.items()}
    return [_cleaned(value) for value in part] if isinstance(part, list) else part
