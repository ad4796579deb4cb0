"""nginx with the shipped configuration, filled in for a test's folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.servers import REPOSITORY

SHIPPED = REPOSITORY / "deploy" / "nginx"


def nginx_program() -> str:
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program:
        return program
    if os.environ.get("MUSICAPP_REQUIRE_NGINX"):
        pytest.fail("nginx is not on PATH, and MUSICAPP_REQUIRE_NGINX says that it must be")
    pytest.skip("nginx is not on PATH")


def fill_in(template: str, values: dict[str, str]) -> str:
    """What the nginx image's envsubst does: only the given names are replaced."""
    text = (SHIPPED / template).read_text()
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    return text


def write_configuration(
    folder: Path, app_port: int, listen: str, *, media: Path | None = None, flower_port: int = 5555
) -> Path:
    """The shipped nginx.conf filled in for `folder`; returns its path."""
    for name in ("media", "temp"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "listen.conf").write_text(listen)
    mime_types = folder / "mime.types"
    mime_types.write_text("types { text/css css; text/javascript js; image/svg+xml svg; audio/ogg opus; }\n")
    values = {
        "NGINX_UPSTREAM": f"127.0.0.1:{app_port}",
        "NGINX_FLOWER": f"127.0.0.1:{flower_port}",
        "NGINX_LISTEN_FILE": str(folder / "listen.conf"),
        "NGINX_MEDIA": str(media or folder / "media"),
        "NGINX_STATIC": str(REPOSITORY / "musicapp" / "static"),
        "NGINX_TEMP": str(folder / "temp"),
    }
    target = folder / "nginx.conf"
    text = fill_in("nginx.conf.template", values)
    target.write_text(text.replace("/etc/nginx/mime.types", str(mime_types)))
    return target


def nginx_command(configuration: Path) -> list[str]:
    folder = configuration.parent
    # Started by root, nginx would read files as another user, who can't enter pytest's folders.
    user = "user root; " if os.geteuid() == 0 else ""
    directives = f"{user}daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
    return [nginx_program(), "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/error.log", "-g", directives]
