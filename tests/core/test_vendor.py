"""The committed third-party files are the ones the lock names; no network is needed to see it."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load_vendor_script() -> ModuleType:
    """deploy/ is a folder of scripts, not a package."""
    spec = importlib.util.spec_from_file_location("vendor_script", ROOT / "deploy" / "vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def vendor() -> ModuleType:
    return load_vendor_script()


@pytest.fixture
def lock() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads((ROOT / "vendor.lock.json").read_text(encoding="utf-8"))
    return parsed


def test_committed_files_have_the_hashes_of_the_lock(vendor: ModuleType, lock: dict[str, Any]) -> None:
    assert vendor.differences(lock) == []


def test_every_package_names_its_version_licence_and_integrity(lock: dict[str, Any]) -> None:
    for package in lock["packages"]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), package["name"]
        assert package["licence"], package["name"]
        assert package["integrity"].startswith("sha512-"), package["name"]
        assert "LICENSE" in package["files"], package["name"]


def test_a_changed_a_missing_and_an_unknown_file_are_each_named(
    vendor: ModuleType, lock: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    static = tmp_path / "static"
    shutil.copytree(ROOT / "musicapp" / "static" / "vendor", static / "vendor")
    shutil.copy(ROOT / "musicapp" / "static" / "icons.svg", static / "icons.svg")
    shutil.copytree(ROOT / "tests" / "e2e" / "vendor", tmp_path / "tests" / "e2e" / "vendor")
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    monkeypatch.setattr(vendor, "STATIC", static)
    assert vendor.differences(lock) == []
    with (static / "icons.svg").open("a") as sprite:
        sprite.write(" ")
    next(static.glob("vendor/htmx*/htmx.min.js")).unlink()
    (static / "vendor" / "stray.js").write_text("1")
    problems = " ".join(vendor.differences(lock))
    assert "icons.svg was changed by hand" in problems
    assert "htmx.min.js is missing" in problems
    assert "stray.js is not in vendor.lock.json" in problems


def test_every_icon_that_a_template_or_script_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "musicapp" / "static" / "icons.svg").read_text(encoding="utf-8")
    known = set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))
    used: set[str] = set()
    for template in (ROOT / "musicapp").rglob("templates/**/*.html"):
        used |= set(re.findall(r'icon\(\s*"([a-z0-9-]+)"', template.read_text(encoding="utf-8")))
    for script in (ROOT / "musicapp" / "static" / "js").rglob("*.js"):
        used |= set(re.findall(r'"#([a-z0-9-]+)"\)', script.read_text(encoding="utf-8"))) & known
    assert used
    assert used <= known


def test_sprite_has_no_icon_that_nobody_draws(lock: dict[str, Any]) -> None:
    folder = ROOT / "musicapp"
    files = [path for kind in ("html", "js", "py") for path in folder.rglob(f"*.{kind}") if "vendor" not in path.parts]
    named = set(re.findall(r"""["'#]([a-z0-9-]+)""", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    icons = next(package["icons"] for package in lock["packages"] if "icons" in package)
    assert set(icons) - named == set()
