"""The web process: `gunicorn wsgi:app`, and the terminal: `flask --app wsgi …`."""

# Before anything else is imported: gevent must replace sockets and locks first.
from gevent import monkey

monkey.patch_all()

from musicapp import create_app  # noqa: E402
from musicapp.core.logs import start_logs  # noqa: E402
from musicapp.core.sentry import start_sentry  # noqa: E402

app = create_app()
start_logs(as_json=app.config["LOG_JSON"])
start_sentry(app)
