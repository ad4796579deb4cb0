"""docker-compose.yml and Dockerfile, as far as they can be judged without a Docker daemon."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from ruamel.yaml import YAML

from deploy.settings import read_settings
from deploy.supervision import programs
from musicapp.jobs.registry import KINDS
from tests.run.conftest import clean_environ
from tests.servers import REPOSITORY


def services() -> dict[str, Any]:
    loaded = YAML(typ="safe").load((REPOSITORY / "docker-compose.yml").read_text())
    found: dict[str, Any] = loaded["services"]
    return found


LASTING = sorted(set(services()) - {"migrate"})


def test_every_part_of_the_site_has_a_service() -> None:
    assert set(LASTING) == {
        "nginx", "web", "worker-default", "worker-media", "beat", "redis", "postgres", "flower",
    }  # fmt: skip


@pytest.mark.parametrize("name", LASTING)
def test_a_service_is_restarted_always_and_watched(name: str) -> None:
    service = services()[name]
    assert service["restart"] == "always"
    assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", LASTING)
def test_an_image_is_ours_or_has_a_version(name: str) -> None:
    assert re.fullmatch(r"musicapp|[\w/]+:\d[\w.-]+", services()[name]["image"])


def test_no_secret_has_a_default() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        used = re.findall(rf"\$\{{{name}([^}}]*)\}}", text)
        assert used
        assert all(rest.startswith(":?") for rest in used)


def test_every_queue_that_jobs_wait_in_has_a_worker_in_make_run_and_in_compose(app: Flask, tmp_path: Any) -> None:
    queues = {kind.queue for kind in KINDS.values()} | {app.extensions["celery"].conf.task_default_queue}
    settings = read_settings(clean_environ(INSTANCE_PATH=str(tmp_path / "other")))
    for commands in (
        [program.command for program in programs(settings, None)],
        [service["command"] for service in services().values() if "command" in service],
    ):
        served = [command[command.index("-Q") + 1] for command in commands if "-Q" in command]
        assert queues <= {queue for names in served for queue in names.split(",")}


def test_flower_is_reached_by_way_of_nginx_only() -> None:
    flower, nginx = services()["flower"], services()["nginx"]
    assert "ports" not in flower
    assert "--url_prefix=flower" in flower["command"]
    assert nginx["environment"]["NGINX_FLOWER"] == "flower:5555"
    assert "flower" in nginx["depends_on"]


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    let_through = {
        line.removeprefix("!")
        for line in (REPOSITORY / ".dockerignore").read_text().split("\n")
        if line.startswith("!")
    }
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied
    assert copied <= let_through
    assert all((REPOSITORY / name).exists() for name in copied)
