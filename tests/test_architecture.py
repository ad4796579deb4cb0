"""The rules of docs/architecture.md that imports alone can't show."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from musicapp.core.security import is_public

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "musicapp"
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
TEMPLATES = sorted(PACKAGE.glob("*/templates/**/*.html"))
# Mail programs read no style sheets.
PAGES = [path for path in TEMPLATES if path.parent.name != "notifications"]
LONGEST_FILE_LINES = 450

PUBLIC_ENDPOINTS = {
    "static",
    "asset",
    "accounts.ask_for_reset",
    "accounts.avatar",
    "accounts.confirm",
    "accounts.confirm_address",
    "accounts.create_account",
    "accounts.forgot",
    "accounts.log_in",
    "accounts.login",
    "accounts.logout",
    "accounts.profile",
    "accounts.register",
    "accounts.reset",
    "accounts.set_new_password",
    "accounts.theme",
    "browse.album",
    "browse.albums",
    "browse.artist",
    "browse.artists",
    "browse.genre",
    "browse.genres",
    "browse.home",
    "browse.now_playing",
    "browse.playlist",
    "browse.playlist_rows",
    "browse.random",
    "browse.search",
    "browse.track",
    "browse.year",
    "browse.years",
    "browse.track_menu",
    "catalog.artwork",
    "live.live",
    "notifications.ask_to_unsubscribe",
    "notifications.unsubscribe",
    "ops.flower_auth",
    "ops.healthz",
    "ops.metrics",
    "ops.readyz",
    "playback.audio_json",
    "play_queue.show",
    "playback.preview",
    "playback.report_plays",
    "playback.stream",
    "playback.waveform",
    "playlists.public_playlists",
    "playlists.changes",
    "playlists.export_playlist",
    "playlists.order",
    "uploads.tus.describe",
}
"""What a stranger may ask for. To make another view public, mark it and add it here: twice on purpose."""


def sources(pattern: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.glob(pattern)):
        yield path, ast.parse(path.read_text())


def test_imports_keep_the_contracts() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_only_the_chosen_endpoints_are_public(app: Flask) -> None:
    public = {name for name, view in app.view_functions.items() if is_public(view) or name == "static"}
    assert public == PUBLIC_ENDPOINTS


def test_every_room_stands_in_the_plan() -> None:
    plan = (REPOSITORY / "docs" / "architecture.md").read_text()
    assert [room for room in ROOMS if not re.search(rf"\b{room}\b", plan)] == []


def test_services_queries_and_handlers_never_commit() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}"
        for name in ("services", "queries", "handlers")
        for pattern in (f"*/{name}.py", f"*/{name}/*.py")
        for path, tree in sources(pattern)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert found == []


def test_task_parameters_are_ids_and_words(app: Flask) -> None:
    tasks = {name: task for name, task in app.extensions["celery"].tasks.items() if not name.startswith("celery.")}
    assert "jobs.work" in tasks
    for name, task in tasks.items():
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.annotation in {"int", "str"}, f"{name}({parameter})"


def test_the_clock_names_tasks_that_exist(app: Flask) -> None:
    celery = app.extensions["celery"]
    assert {entry["task"] for entry in celery.conf.beat_schedule.values()} - set(celery.tasks) == set()


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_template_has_no_inline_style_or_script(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag, tag


@pytest.mark.parametrize(
    "template", [path for path in TEMPLATES if path.name.startswith("_")], ids=lambda path: path.name
)
def test_fragment_says_what_it_needs_and_extends_nothing(template: Path) -> None:
    text = template.read_text()
    assert text.lstrip().startswith("{#"), "the first line names what the fragment needs"
    assert "{% extends" not in text


def test_files_stay_readable_in_one_sitting() -> None:
    long = {
        str(path.relative_to(REPOSITORY)): lines
        for path in [*PACKAGE.rglob("*.py"), *(REPOSITORY / "tests").rglob("*.py"), *PACKAGE.glob("static/js/**/*.js")]
        if (lines := len(path.read_text().splitlines())) > LONGEST_FILE_LINES
    }
    assert long == {}


def test_nothing_inside_imports_the_package_itself() -> None:
    found = [
        str(path.relative_to(REPOSITORY))
        for path, tree in sources("**/*.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "musicapp"
        and path != PACKAGE / "__init__.py"
        and any(alias.name == "create_app" for alias in node.names)
    ]
    assert found == []
