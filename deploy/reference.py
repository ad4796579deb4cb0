"""Writes what is known about every setting into README.md and .env.example: `make reference`.

A test compares both files with what this would write, so neither can fall behind config.py.
"""

from __future__ import annotations

import json
from typing import Any

import config
from deploy.settings import ROOT, RUNNER_DEFAULTS

README = ROOT / "README.md"
ENV_EXAMPLE = ROOT / ".env.example"
BEGIN = "<!-- settings: written by `make reference` -->"
END = "<!-- end of settings -->"

# Read by docker-compose.yml only: name -> (default, what it is).
COMPOSE_SETTINGS = {
    "POSTGRES_PASSWORD": ("", "password of the database's user; needed"),
    "REDIS_PASSWORD": ("", "password of Redis; needed"),
    "NGINX_PORT": ("8080", "port of the site on the host"),
    "NGINX_INSIDE_PORT": ("80", "443 with TLS"),
    "NGINX_LISTEN": ("listen-plain.conf", "`listen-tls.conf` with a certificate in `tls/`"),
}


def celery_settings() -> dict[str, Any]:
    return {name: value for name, value in vars(config).items() if name.startswith("CELERY_CONF_")}


def shown(value: Any) -> str:
    """A default as it would be written in an environment variable."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value)


def settings_table() -> str:
    """Three markdown tables: the app's settings, the runner's, docker-compose's; then Celery's."""
    parts = [
        _table({name: (shown(default), what) for name, (default, what) in config.DEFAULTS.items()}),
        "Of `make run` and the processes it starts:",
        _table({name: (shown(default), what) for name, (default, what) in RUNNER_DEFAULTS.items()}),
        "Of `docker-compose.yml`:",
        _table(COMPOSE_SETTINGS),
        "Celery's own settings have the prefix `CELERY_CONF_` and the names of Celery's documentation. Any of them\n"
        "can be set in the environment, as JSON or as a plain word (`CELERY_CONF_TIMEZONE=Europe/Paris`). An\n"
        "unknown name is an error at start. These differ from Celery's defaults:",
        _table({name: (shown(value), "") for name, value in celery_settings().items()}, columns=2),
    ]
    return "\n\n".join(parts)


def _table(rows: dict[str, tuple[str, str]], *, columns: int = 3) -> str:
    lines = (
        ["| variable | default | what |", "|---|---|---|"] if columns == 3 else ["| variable | value |", "|---|---|"]
    )
    for name, (default, what) in rows.items():
        cells = [f"`{name}`", f"`{default}`" if default else "", what][:columns]
        lines.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join(lines)


def env_example() -> str:
    lines = [
        "# Copy to .env beside the Makefile and take the # away from what you change. Shown are the defaults.",
        "# The environment wins over this file.",
        "",
    ]
    for heading, rows in (
        ("The site", {name: (shown(default), what) for name, (default, what) in config.DEFAULTS.items()}),
        ("make run", {name: (shown(default), what) for name, (default, what) in RUNNER_DEFAULTS.items()}),
        ("docker-compose.yml", COMPOSE_SETTINGS),
        ("Celery (see its documentation)", {name: (shown(value), "") for name, value in celery_settings().items()}),
    ):
        lines += [f"# -- {heading}", ""]
        for name, (default, what) in rows.items():
            lines += ([f"# {what}"] if what else []) + [f"#{name}={_env_quoted(default)}"]
        lines.append("")
    return "\n".join(lines)


def _env_quoted(value: str) -> str:
    return f"'{value}'" if any(character in value for character in ' "#;<') else value


def readme(text: str) -> str:
    """`text` with the part between the two marks written anew."""
    before, found_begin, rest = text.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not (found_begin and found_end):
        raise ValueError(f"README.md has lost a mark: {BEGIN} or {END}")
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(readme(README.read_text()))
    ENV_EXAMPLE.write_text(env_example())
