"""The parts that the site stands on: database, Redis, workers, the clock, mail."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core.db import db, is_sqlite, reading, utc_now
from musicapp.core.mailer import MailError, knock
from musicapp.core.redis import RedisError, RedisUnavailable, redis_client
from musicapp.core.settings import setting
from musicapp.jobs.models import FAILED, QUEUED, Job
from musicapp.jobs.queries import WORKER_SILENT_AFTER_S
from musicapp.jobs.reports import seconds_since_beat
from musicapp.ops.doctor.registry import OK, PROBLEM, WARNING, Finding, check

MIGRATIONS = str(Path(__file__).resolve().parents[3] / "migrations")
OLDEST_REDIS = (6, 2)
SKEW_WARNING_S, SKEW_PROBLEM_S = 2.0, 20.0
LATE_BEAT_S = 120
LATE_JOB = timedelta(minutes=10)
REDIS_NEARLY_FULL = 0.9


def start_words() -> str:
    return "Start it: make run, or docker compose up -d."


@check("database")
def database() -> Finding:
    try:
        with reading():
            db.session.execute(text("SELECT 1"))
            db.session.rollback()
    except SQLAlchemyError as error:
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        mend = (
            f"The folder of {db.engine.url.database} must exist and belong to the user that musicapp runs as."
            if is_sqlite()
            else "Look whether PostgreSQL runs, and whether name, password and host in DATABASE_URL are right."
        )
        return Finding(PROBLEM, f"It does not answer: {first}", mend)
    return _writable()


def _writable() -> Finding:
    if not inspect(db.engine).has_table("alembic_version"):
        return Finding(OK, f"{db.engine.dialect.name} answers")
    try:
        # Takes the write lock, and writes nothing that stays.
        db.session.execute(text("UPDATE alembic_version SET version_num = version_num"))
    except SQLAlchemyError as error:
        first = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        mend = (
            "Something holds the write lock, or the file and its folder are not this user's: ls -l, and stop what "
            "else uses the file."
            if is_sqlite()
            else "The role in DATABASE_URL must own the database, and the server must not be a read-only replica."
        )
        return Finding(PROBLEM, f"It can't be written: {first}", mend)
    finally:
        db.session.rollback()
    return Finding(OK, f"{db.engine.dialect.name} answers and can be written")


@check("migrations")
def migrations() -> Finding:
    newest = ScriptDirectory(MIGRATIONS).get_current_head()
    known = {script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()}
    try:
        with reading():
            found = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        db.session.rollback()
        found = None
    if found is None:
        return Finding(PROBLEM, "The database has no tables.", "Run: flask --app wsgi db upgrade")
    if found == newest:
        return Finding(OK, f"at the newest, {newest}")
    if found not in known:
        return Finding(
            PROBLEM,
            f"The database is at {found}, which this musicapp doesn't know: it was upgraded by a newer one.",
            "Install that newer version again, or restore the backup from before the upgrade.",
        )
    return Finding(PROBLEM, f"The database is at {found}, the code at {newest}.", "Run: flask --app wsgi db upgrade")


@check("Redis")
def redis() -> Iterator[Finding]:
    try:
        facts: Any = redis_client().info()
        settings: Any = redis_client().config_get("maxmemory*")
    except RedisUnavailable as error:
        yield Finding(
            PROBLEM,
            f"It does not answer: {error}",
            f"No live updates, no mail and no encoding until it does. {start_words()} Or look at REDIS_URL.",
        )
        return
    except RedisError as error:
        yield Finding(WARNING, f"It does not say how it is set up: {error}", "Let its user run INFO and CONFIG GET.")
        return
    yield from redis_findings(facts, settings)


def redis_findings(facts: dict[str, Any], settings: dict[str, Any]) -> Iterator[Finding]:
    """What INFO and CONFIG GET say, in words."""
    version = str(facts["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        yield Finding(PROBLEM, f"Version {version} is too old.", "Celery needs 6.2 or later: install a newer one.")
    policy = str(settings.get("maxmemory-policy", "noeviction"))
    if policy != "noeviction":
        yield Finding(
            PROBLEM,
            f"maxmemory-policy is {policy}: a full Redis throws tickets of jobs away.",
            "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.",
        )
    most = int(settings.get("maxmemory", 0) or 0)
    if most and int(facts["used_memory"]) > REDIS_NEARLY_FULL * most:
        yield Finding(WARNING, "Its memory is nearly full.", "Raise maxmemory, or find out what fills it: --bigkeys.")
    if not int(facts.get("aof_enabled", 0)) and not int(facts.get("rdb_last_save_time", 0)):
        yield Finding(WARNING, "It keeps nothing over a restart.", "Set appendonly yes. Nothing is lost without it, "
                      "but open pages fetch themselves again and jobs wait for the sweep.")  # fmt: skip
    elif not int(facts.get("aof_enabled", 0)):
        yield Finding(
            WARNING,
            "It has no append-only file: a crash takes the last minutes of tickets and cursors with it.",
            "redis-cli CONFIG SET appendonly yes, and the same in redis.conf. The sweep replaces lost tickets.",
        )
    if policy == "noeviction":
        yield Finding(OK, f"version {version}, {int(facts['used_memory']) // 1_000_000} MB used")


@check("clocks")
def clocks() -> Iterator[Finding]:
    began = time.time()
    try:
        theirs: Any = redis_client().time()
        middle = (began + time.time()) / 2
        yield skew("Redis", float(theirs[0]) + float(theirs[1]) / 1e6 - middle)
    except RedisUnavailable:
        yield Finding(WARNING, "Redis is away: its clock can't be compared.", start_words())
    if not is_sqlite():
        began = time.time()
        with reading():
            seconds = float(db.session.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
        yield skew("the database", seconds - (began + time.time()) / 2)


def skew(whose: str, seconds: float) -> Finding:
    """What a difference of clocks means."""
    mend = f"Let both machines follow a time server (timedatectl set-ntp true), {whose}'s first."
    words = f"The clock of {whose} is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} this one"
    if abs(seconds) >= SKEW_PROBLEM_S:
        return Finding(PROBLEM, f"{words}: living workers look dead and jobs are done twice.", mend)
    return Finding(WARNING, f"{words}.", mend) if abs(seconds) >= SKEW_WARNING_S else Finding(OK, f"{whose} agrees")


@check("workers")
def workers() -> Iterator[Finding]:
    for queue in ("default", "media"):
        try:
            seen: Any = redis_client().get(f"worker-seen:{queue}")
        except RedisUnavailable:
            yield Finding(WARNING, "Redis is away: workers can't be seen.", start_words())
            return
        ago = time.time() - float(seen) if seen else None
        if ago is None or ago > WORKER_SILENT_AFTER_S:
            what = "mail, probes and pictures wait" if queue == "default" else "encodings wait"
            when = "has reported" if ago is None else f"has reported for {int(ago)} s"
            yield Finding(PROBLEM, f"No worker of the queue {queue} {when}: {what}.", f"{start_words()} Or one more: "
                          f"make worker QUEUES={queue}. Its log says why it ended.")  # fmt: skip
        else:
            yield Finding(OK, f"{queue}: seen {int(ago)} s ago")


@check("clock of periodic work")
def beat() -> Finding:
    try:
        ago = seconds_since_beat(redis_client())
    except RedisError:
        return Finding(WARNING, "Redis is away: the clock can't be seen.", start_words())
    if ago is None or ago > LATE_BEAT_S:
        words = "It has never sent anything" if ago is None else f"It has sent nothing for {int(ago)} s"
        mend = f"{start_words()} Exactly one beat is enough: make beat."
        return Finding(PROBLEM, f"{words}: no newsletter, no digest, no clean-up.", mend)
    return Finding(OK, f"sent something {int(ago)} s ago")


@check("jobs")
def jobs() -> Iterator[Finding]:
    now = utc_now()
    with reading():
        late = db.session.scalar(
            select(func.count()).select_from(Job).where(Job.state == QUEUED, Job.run_at < now - LATE_JOB)
        )
        failed = db.session.scalar(
            select(func.count()).select_from(Job).where(Job.state == FAILED, Job.finished_at > now - timedelta(days=1))
        )
    if late:
        minutes = int(LATE_JOB.total_seconds() // 60)
        yield Finding(
            WARNING,
            f"{late} jobs have waited for more than {minutes} minutes.",
            "Look at /admin/queues: if workers are busy, start more (docs/operations.md); if none is, see above.",
        )
    if failed:
        yield Finding(WARNING, f"{failed} jobs failed since yesterday.", "Read why and try again at /admin/jobs.")
    if not late and not failed:
        yield Finding(OK, "none is late, none has failed since yesterday")


@check("mail")
def mail() -> Finding:
    if not setting("MAIL_SERVER"):
        return Finding(
            WARNING,
            f"No MAIL_SERVER is set: mails become files in {Path(current_app.instance_path) / 'mail'}.",
            "Set MAIL_SERVER, MAIL_PORT and what the server asks for. For trying things out all is well.",
        )
    where = f"{setting('MAIL_SERVER')}:{setting('MAIL_PORT')}"
    try:
        knock()
    except MailError as error:
        return Finding(PROBLEM, f"{where}: {error}", smtp_mend(str(error)))
    except OSError as error:
        return Finding(PROBLEM, f"{where}: {error}", smtp_mend(str(error)))
    if setting("MAIL_USERNAME") and not (setting("MAIL_USE_TLS") or setting("MAIL_USE_SSL")):
        return Finding(PROBLEM, f"{where}: the password goes over the line as it is.", "Set MAIL_USE_TLS=true.")
    secured = "with TLS" if setting("MAIL_USE_TLS") or setting("MAIL_USE_SSL") else "without TLS"
    return Finding(OK, f"{where} answers {secured}; nothing was sent")


def smtp_mend(words: str) -> str:
    """What to do about an answer of the mail server's."""
    if "certificate" in words.lower():
        return "MAIL_SERVER must be the name in the server's certificate, and who signed it must be known here."
    if " 535" in words or "authentication" in words.lower():
        return "MAIL_USERNAME or MAIL_PASSWORD is wrong, or the provider wants a password for apps."
    if "STARTTLS" in words or "not supported" in words:
        return "The server has no STARTTLS on this port: try MAIL_PORT=587, or MAIL_USE_SSL=true with 465."
    return "Look at MAIL_SERVER and MAIL_PORT, and whether this machine's provider blocks the port."
