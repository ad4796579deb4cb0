"""The worker and the clock: `celery -A celery_worker worker|beat`. Never imports wsgi.py, which patches sockets."""

from celery import Celery

from musicapp import create_app
from musicapp.core.logs import start_logs
from musicapp.core.sentry import start_sentry

flask_app = create_app()
# Before Celery looks: it leaves a root logger alone that has a handler.
start_logs(as_json=flask_app.config["LOG_JSON"])
start_sentry(flask_app)
app: Celery = flask_app.extensions["celery"]
