"""Every setting of musicapp, its default and its environment variable.

Each name below is read from the environment variable of the same name. The README has a table of them and
`.env.example` lists them; a test fails when one is missing there.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent


class SettingError(ValueError):
    """A setting that can't be used; its text says which and what to write instead."""


# name -> (default, what it is). Types follow the default; None means "a string, or nothing".
DEFAULTS: dict[str, tuple[Any, str]] = {
    "SECRET_KEY": (None, "signs cookies and links; made once in the instance folder when unset"),
    "HOST": ("127.0.0.1", "address the web server listens on"),
    "PORT": (8000, "port the web server listens on"),
    "SITE_URL": (None, "the site's address in mails; http://HOST:PORT when unset"),
    "SITE_NAME": ("musicapp", "the name on pages and in mails"),
    "INSTANCE_PATH": (None, "folder for database, media and mail; `instance` beside config.py when unset"),
    "DATABASE_URL": (None, "PostgreSQL address; SQLite in the instance folder when unset"),
    "REDIS_URL": (None, "Redis address; `make run` starts one of its own when unset"),
    "MEDIA_PATH": (None, "folder for audio and pictures; `media` in the instance folder when unset"),
    "MAIL_SERVER": (None, "SMTP server; mails are .eml files in the instance folder when unset"),
    "MAIL_PORT": (25, "SMTP port"),
    "MAIL_USE_TLS": (False, "STARTTLS after connecting"),
    "MAIL_USE_SSL": (False, "TLS from the first byte"),
    "MAIL_USERNAME": (None, "SMTP user"),
    "MAIL_PASSWORD": (None, "SMTP password"),
    "MAIL_DEFAULT_SENDER": ("musicapp <musicapp@localhost>", "sender of every mail"),
    "MAIL_TIMEOUT_SECONDS": (20, "how long an SMTP server may take to answer"),
    "ANNOUNCEMENTS_PER_DAY": (3, "announcements that may go out for an artist on one day"),
    "MAIL_PER_MINUTE": (0, "how many mails may leave in a minute, all workers together; 0 is without end"),
    "MAIL_PER_CONNECTION": (100, "how many mails go over one SMTP connection before a new one"),
    "FFMPEG_BINARY": (None, "ffmpeg to use; the one in the imageio-ffmpeg wheel when unset"),
    "TRACK_MAX_SECONDS": (4 * 3600, "longest track"),
    "UPLOAD_MAX_BYTES": (2 * 1024**3, "largest file"),
    "UPLOAD_EXPIRE_HOURS": (72, "how long an unfinished upload is kept"),
    "USER_QUOTA_BYTES": (50 * 1024**3, "bytes of originals a user may keep"),
    "USER_QUOTA_HOURS": (500, "hours of audio a user may keep"),
    "DISK_RESERVE_BYTES": (64 * 1024**2, "free space below which uploads are refused"),
    "RENDITIONS": ("opus_64,opus_128,mp3_256", "the ladder of renditions, smallest first"),
    "PUBLIC_LISTENING": (True, "published albums can be heard without an account"),
    "PLAY_QUEUE_MAX_TRACKS": (10_000, "tracks in a play queue"),
    "PLAYLIST_MAX_TRACKS": (10_000, "tracks in a playlist"),
    "PLAYLIST_HISTORY_DAYS": (90, "how long changes of a playlist can be undone; its newest 200 always"),
    "PLAYLIST_INVITATION_DAYS": (30, "how long an invitation to a playlist is good"),
    "REGISTRATION": ("open", "open, invitation or closed"),
    "PUBLISHING_NEEDS_CONFIRMED_EMAIL": (False, "an address must be confirmed before an album is published"),
    "RATE_LIMITS": (True, "count sign-ins, registrations and resets"),
    "LOGIN_RATE_LIMIT": ("10 per minute; 100 per hour", "sign-ins per address and account"),
    "REGISTER_RATE_LIMIT": ("20 per hour", "registrations per address"),
    "RESET_RATE_LIMIT": ("5 per hour", "password resets per address"),
    "REPORT_RATE_LIMIT": ("20 per hour", "reports of something that should not be here, per account"),
    "SEARCH_RATE_LIMIT": ("240 per minute", "searches per account or address; typing a word is several"),
    "SESSION_DAYS": (60, "how long a device stays signed in unused"),
    "TRUSTED_PROXY_COUNT": (0, "how many proxies' X-Forwarded-* headers to believe"),
    "USE_X_ACCEL_REDIRECT": (False, "nginx sends the audio bytes after the check"),
    "CACHE_SECONDS": (300, "how long album and artist pages are kept in Redis at most; 0 keeps none"),
    "LIVE_MAX_STREAMS": (20000, "open live streams per web process"),
    "DIGEST_AT": ("08:00", "when daily and weekly digests leave, in each reader's own time zone"),
    "NOTICE_DAYS": (90, "how long notices are kept"),
    "NEWSLETTER_AT": ("08:00", "when the newsletter leaves, in each reader's own time zone"),
    "ARTIST_INACTIVE_AFTER_DAYS": (30, "days without a new album after which an artist is reminded"),
    "ARTIST_INACTIVE_CHECK_HOURS": (24, "how often silent artists are looked for"),
    "JOB_HEARTBEAT_TIMEOUT_SECONDS": (30, "a running job silent for so long is queued again"),
    "JOB_SWEEP_SECONDS": (10, "how often lost job messages are replaced"),
    "JOBS_KEEP_DAYS": (90, "how long ended jobs are kept; failed ones and those of one reason four times as long"),
    "MAIL_LEDGER_DAYS": (365, "how long the ledger of mails keeps what was sent"),
    "SCHEDULES_IN_DATABASE": (False, "admins edit the schedule of periodic work at /admin/schedules"),
    "SLOW_REQUEST_MS": (500, "requests that take longer are logged and shown at the desk"),
    "METRICS_TOKEN": (None, "whoever sends it as `Authorization: Bearer …` may read /metrics; admins always may"),
    "METRICS_ALLOWED": (
        "127.0.0.0/8,::1",
        "networks that may read /metrics when they connect directly, by no proxy; none: nobody",
    ),
    "SENTRY_DSN": (None, "errors are sent to this Sentry address, without anything about persons; unset: nowhere"),
    "LOG_JSON": (False, "the app's log lines, in web and workers, are JSON objects"),
}

# Celery's own settings (names: celery.app.defaults), overridable by environment variables of the same name.
CELERY_CONF_TIMEZONE = "UTC"
CELERY_CONF_ENABLE_UTC = True
CELERY_CONF_TASK_IGNORE_RESULT = True
CELERY_CONF_TASK_DEFAULT_QUEUE = "default"
CELERY_CONF_TASK_ACKS_LATE = False  # the ledger repeats what is lost; acks_late kills the master when Redis dies
CELERY_CONF_TASK_SERIALIZER = "json"
# Entries beside those of musicapp/schedule.py: {"name": {"task": "uploads.sweep", "schedule": 600}}. A number is
# seconds, {"crontab": {"hour": 8, "minute": 30}} a time of day. A name that is there replaces it, null takes it away.
CELERY_CONF_BEAT_SCHEDULE: dict[str, Any] = {}
CELERY_CONF_BEAT_MAX_LOOP_INTERVAL = 5  # beat's lock and its age are renewed with each turn
CELERY_CONF_ACCEPT_CONTENT = ["json"]
CELERY_CONF_TASK_SOFT_TIME_LIMIT = 6 * 3600
CELERY_CONF_TASK_TIME_LIMIT = 6 * 3600 + 60
CELERY_CONF_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
CELERY_CONF_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_CONF_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_CONF_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5.0
CELERY_CONF_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_CONF_WORKER_SEND_TASK_EVENTS = True
CELERY_CONF_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_CONF_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_CONF_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 8 * 3600,
    "socket_timeout": 30,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 25,
}


TIMES_OF_DAY = ("NEWSLETTER_AT", "DIGEST_AT")
IN_PARTS = {"ARTIST_INACTIVE_AFTER_DAYS": 0.0, "ARTIST_INACTIVE_CHECK_HOURS": 0.001}
"""Numbers that need not be whole, and the least they may be: a trial of the site shortens days to minutes."""


def _read_time_of_day(name: str, raw: str) -> str:
    """HH:MM, with two digits each. Raises SettingError."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", raw.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise SettingError(f"{name}={raw!r} is no time of day. Write hours and minutes, as in {name}=08:00.")
    return f"{int(match[1]):02}:{match[2]}"


def _read_in_parts(name: str, raw: str) -> int | float:
    try:
        number = float(raw)
    except ValueError:
        raise SettingError(f"{name}={raw!r} is no number. Write it as in {name}=1 or {name}=0.5.") from None
    if not IN_PARTS[name] <= number <= 36_500:
        raise SettingError(f"{name}={raw!r} must be a number from {IN_PARTS[name]:g} to 36500.")
    return int(number) if number.is_integer() else number


def _read(name: str, default: Any, raw: str) -> Any:
    if name in TIMES_OF_DAY:
        return _read_time_of_day(name, raw)
    if name in IN_PARTS:
        return _read_in_parts(name, raw)
    if isinstance(default, bool):
        if raw.lower() in {"1", "true", "yes", "on"}:
            return True
        if raw.lower() in {"0", "false", "no", "off", ""}:
            return False
        raise SettingError(f"{name}={raw!r} is neither true nor false. Write {name}=true or {name}=false.")
    if isinstance(default, int):
        try:
            return int(raw)
        except ValueError:
            raise SettingError(f"{name}={raw!r} is not a whole number.") from None
    return raw


def _celery_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    settings = {name: value for name, value in globals().items() if name.startswith("CELERY_CONF_")}
    for name, raw in environ.items():
        if name.startswith("CELERY_CONF_"):
            try:
                settings[name] = json.loads(raw)
            except ValueError:
                settings[name] = raw
    return settings


def _secret_key(instance: Path) -> str:
    kept = instance / "secret_key"
    if kept.exists():
        return kept.read_text().strip()
    instance.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:  # another process of the same start was faster
        pass
    return kept.read_text().strip()


def _running_redis(instance: Path) -> str | None:
    """The Redis that `make run` started for this instance: what `flask --app wsgi …` beside it should use."""
    try:
        return (instance / "run" / "redis_url").read_text().strip() or None
    except OSError:
        return None


def load_settings(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All settings as Flask's config wants them, from `environ` over the defaults above.

    Raises SettingError with one line that names the variable and says what to write.
    """
    env = os.environ if environ is None else environ
    settings = {
        name: _read(name, default, env[name]) if env.get(name) not in (None, "") else default
        for name, (default, _) in DEFAULTS.items()
    }
    instance = Path(settings["INSTANCE_PATH"] or PROJECT_ROOT / "instance").resolve()
    settings["INSTANCE_PATH"] = str(instance)
    settings["MEDIA_PATH"] = settings["MEDIA_PATH"] or str(instance / "media")
    settings["SECRET_KEY"] = settings["SECRET_KEY"] or _secret_key(instance)
    settings["SITE_URL"] = (settings["SITE_URL"] or f"http://{settings['HOST']}:{settings['PORT']}").rstrip("/")
    settings["REDIS_URL"] = settings["REDIS_URL"] or _running_redis(instance) or "redis://127.0.0.1:6379/0"
    if settings["REGISTRATION"] not in {"open", "invitation", "closed"}:
        raise SettingError("REGISTRATION must be open, invitation or closed.")

    url = settings["DATABASE_URL"] or f"sqlite:///{instance / 'musicapp.db'}"
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    settings["SQLALCHEMY_DATABASE_URI"] = url
    if url.startswith("postgresql"):
        settings["SQLALCHEMY_ENGINE_OPTIONS"] = {
            "pool_size": 10,
            "max_overflow": 10,
            "pool_pre_ping": True,
            "pool_recycle": 1800,
        }

    settings.update(_celery_settings(env))
    scheduler = "DatabaseSchedules" if settings["SCHEDULES_IN_DATABASE"] else "FileSchedules"
    settings.setdefault("CELERY_CONF_BEAT_SCHEDULER", f"musicapp.jobs.beat:{scheduler}")
    settings.update(
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings["SITE_URL"].startswith("https://"),
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings["SESSION_DAYS"]),
        # Parts of a form go to the disk for temporary files, for strangers too. Doors that take files say more.
        MAX_CONTENT_LENGTH=4 * 1024**2,
        MAX_FORM_MEMORY_SIZE=2 * 1024**2,
        TEMPLATES_AUTO_RELOAD=False,
    )
    return settings
