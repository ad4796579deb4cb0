"""The worker and the clock: `celery -A celery_worker worker|beat`. Never imports wsgi.py, which patches sockets."""

from celery import Celery

from musicapp import create_app

flask_app = create_app()
app: Celery = flask_app.extensions["celery"]
