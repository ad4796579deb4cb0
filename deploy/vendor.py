"""Renew or check the front end's third-party files.

``python deploy/vendor.py`` fetches every package named in ``vendor.lock.json`` with ``npm pack``, compares its
integrity with the locked one, and unpacks the listed files and the licence into
``musicapp/static/vendor/<name>-<version>/``, or into the folder that its ``home`` names (what only tests need).
Icons are joined into one sprite, ``musicapp/static/icons.svg``.
``--check`` re-hashes the committed files, without network and without npm.

A package whose ``integrity`` is empty is new: what npm answers is written into the lock, to be reviewed in the commit.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "vendor.lock.json"
STATIC = ROOT / "musicapp" / "static"
SPRITE = "icons.svg"
LICENCE_FILE = "LICENSE"


class VendorError(Exception):
    """A package or file is not what the lock says; the text names it and what to do."""


def sha384(content: bytes) -> str:
    """Hash as browsers' subresource integrity writes it."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def folder_name(package: dict[str, Any]) -> str:
    """Folder of a package under static/vendor: the scope's ``@`` and ``/`` make poor paths."""
    return f"{package['name'].lstrip('@').replace('/', '-')}-{package['version']}"


def homes(lock: dict[str, Any]) -> dict[Path, list[dict[str, Any]]]:
    """Folder -> the packages that live in it. The site's own folder is always one of them."""
    found: dict[Path, list[dict[str, Any]]] = {STATIC / "vendor": []}
    for package in lock["packages"]:
        home = ROOT / package["home"] if "home" in package else STATIC / "vendor"
        found.setdefault(home, []).append(package)
    return found


def fetch(package: dict[str, Any], folder: Path) -> Path:
    """Download one package with npm's own client; returns the tarball. Raises VendorError when it differs."""
    spec = f"{package['name']}@{package['version']}"
    answer = subprocess.run(["npm", "pack", spec, "--json"], cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise VendorError(f"npm pack {spec} failed: {answer.stderr.strip().splitlines()[-1:]}")
    parsed = json.loads(answer.stdout)
    entry = (parsed if isinstance(parsed, list) else list(parsed.values()))[0]
    tarball = folder / str(entry["filename"])
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    locked = package.get("integrity", "")
    if locked and integrity != locked:
        raise VendorError(f"{spec} has integrity {integrity}, the lock says {locked}. Don't use it; find out why.")
    package["integrity"] = integrity
    return tarball


def read_member(archive: tarfile.TarFile, path: str) -> bytes:
    """Content of one file of an npm tarball (they keep everything under ``package/``)."""
    try:
        member = archive.extractfile(f"package/{path}")
    except KeyError:
        member = None
    if member is None:
        raise VendorError(f"{path} is not in {archive.name!s}; look at the package's new layout and edit the lock.")
    return member.read()


def sprite_symbol(name: str, svg: str) -> str:
    """One ``<symbol>`` out of one icon file; strokes are left to the style sheet."""
    body = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if body is None:
        raise VendorError(f"Icon {name} is not an SVG file.")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(body.group(1).split())}</symbol>'


def renew(lock: dict[str, Any]) -> None:
    """Fetch everything and rewrite static/vendor, the sprite and the hashes in ``lock``."""
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary) / "fresh"
        for package in lock["packages"]:
            with tarfile.open(fetch(package, Path(temporary))) as archive:
                target = fresh / folder_name(package)
                target.mkdir(parents=True)
                for path in sorted({*package["files"], LICENCE_FILE}):
                    content = read_member(archive, path)
                    (target / Path(path).name).write_bytes(content)
                    package["files"][path] = sha384(content)
                if "icons" in package:
                    symbols = [
                        sprite_symbol(name, read_member(archive, f"icons/{name}.svg").decode())
                        for name in sorted(package["icons"])
                    ]
                    notice = f"<!-- {package['name']} {package['version']}, {package['licence']} licence -->"
                    lines = [f'<svg xmlns="http://www.w3.org/2000/svg">{notice}', *symbols, "</svg>", ""]
                    sprite = "\n".join(lines).encode()
                    (STATIC / SPRITE).write_bytes(sprite)
                    package["sprite"] = {SPRITE: sha384(sprite)}
        # swapped only now, so that a failed download leaves the old files as they were
        for home, packages in homes(lock).items():
            shutil.rmtree(home, ignore_errors=True)
            for package in packages:
                shutil.copytree(fresh / folder_name(package), home / folder_name(package))


def differences(lock: dict[str, Any]) -> list[str]:
    """What differs between the lock and the committed files, one sentence each; empty when all is well."""
    problems: list[str] = []
    expected: dict[Path, str] = {}
    for home, packages in homes(lock).items():
        for package in packages:
            for path, digest in package["files"].items():
                expected[home / folder_name(package) / Path(path).name] = digest
            for path, digest in package.get("sprite", {}).items():
                expected[STATIC / path] = digest
    for path, digest in expected.items():
        if not path.is_file():
            problems.append(f"{path.relative_to(ROOT)} is missing; run `make vendor`.")
        elif sha384(path.read_bytes()) != digest:
            problems.append(f"{path.relative_to(ROOT)} was changed by hand; run `make vendor`.")
    for home in homes(lock):
        for path in sorted(home.rglob("*")):
            if path.is_file() and path not in expected:
                problems.append(f"{path.relative_to(ROOT)} is not in vendor.lock.json.")
    return problems


def main(arguments: list[str]) -> int:
    """Renew (default) or ``--check``; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only compare the committed files with the lock")
    options = parser.parse_args(arguments)
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    try:
        if not options.check:
            renew(lock)
            LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except VendorError as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 1
    problems = differences(lock)
    for problem in problems:
        print(f"vendor: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
