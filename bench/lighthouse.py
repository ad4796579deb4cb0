"""Lighthouse's scores of home, album and playlist, on a desktop and on a phone, and what pages weigh.

`python bench/lighthouse.py [--runs 1] [--only direct,nginx] [--viewers stranger,listener] [--keep FOLDER]`
A real site with covers on a library of 1,000 tracks; straight from gunicorn, as `make run` serves it, and behind nginx
as the compose file does. bench/setup installs Lighthouse beside this file. `--keep` stores the full reports as HTML.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/lighthouse.py`

from bench.library_pictures import draw_pictures  # noqa: E402
from bench.live_subjects import ADDRESS, answers, free_port, program, wait_for  # noqa: E402
from bench.served import Served, app_of, cookie_of, filled_databases, served  # noqa: E402
from musicapp.core.assets import Assets  # noqa: E402

LIGHTHOUSE = REPOSITORY / "bench/node_modules/lighthouse/cli/index.js"
STATIC = REPOSITORY / "musicapp" / "static"
PAGES = {"home": "/", "album": "/albums/1", "playlist": "/playlists/2"}
PRESETS = ("desktop", "phone")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SCORE_GOAL = 95
FIRST_PARTY_GOAL_KB, OTHERS_GOAL_KB = 60, 150
SCALE = 0.01
LISTENER_ID = 2
TRIES = 3
LONGEST_S = 180
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"


@dataclass(frozen=True, slots=True)
class Report:
    """One visit by Lighthouse."""

    page: str
    viewer: str
    server: str
    preset: str
    found: dict[str, Any]

    def score(self, category: str) -> int:
        return round(100 * (self.found["categories"][category]["score"] or 0))

    def audit_ms(self, name: str) -> float:
        return float(self.found["audits"][name].get("numericValue") or 0)

    def complaints(self) -> Iterator[str]:
        """What it would have otherwise; remarks that change no score too."""
        counted = {
            ref["id"] for name in CATEGORIES for ref in self.found["categories"][name]["auditRefs"] if ref["weight"]
        }
        for name, audit in self.found["audits"].items():
            if audit["score"] is not None and audit["score"] < 0.9:
                said = f"{audit['title']} ({name}){': ' + audit['displayValue'] if audit.get('displayValue') else ''}"
                yield said if name in counted else f"{said} [no score]"

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.found["audits"]["network-requests"]["details"]["items"]
        return found


def visit(address: str, preset: str, cookie: str, keep: Path | None) -> dict[str, Any]:
    """A visit's report. Chromium loses a trace now and then: made again then; RuntimeError after three times."""
    for _ in range(TRIES - 1):
        try:
            return visit_once(address, preset, cookie, keep)
        except RuntimeError as error:
            print(f"once more: {str(error)[-200:].strip()}", file=sys.stderr)
    return visit_once(address, preset, cookie, keep)


def visit_once(address: str, preset: str, cookie: str, keep: Path | None) -> dict[str, Any]:
    """Runs Lighthouse once. Raises RuntimeError with what it said when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report"
        command = ["node", str(LIGHTHOUSE), address, "--quiet", "--output=json", "--output=html"]
        command += [f"--output-path={written}", f"--chrome-flags={CHROME_FLAGS}", "--enable-error-reporting=false"]
        command += [f"--only-categories={','.join(CATEGORIES)}"] + (["--preset=desktop"] if preset == "desktop" else [])
        if cookie:
            command += [f"--extra-headers={json.dumps({'Cookie': cookie})}"]
        environ = {**os.environ, "CHROME_PATH": os.environ.get("CHROME_PATH") or chromium() or ""}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        report = written.with_name("report.report.json")
        if done.returncode or not report.exists():
            raise RuntimeError(f"lighthouse {address}: {done.stdout[-500:]}{done.stderr[-1500:]}")
        if keep:
            keep.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(written.with_name("report.report.html"), keep)
            shutil.copy(report, keep.with_suffix(".json"))
        found: dict[str, Any] = json.loads(report.read_text())
    if "runtimeError" in found:
        raise RuntimeError(f"lighthouse {address}: {found['runtimeError']['message']}")
    return found


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


def nginx_before(stack: ExitStack, site: Served, folder: Path) -> int | None:
    """The port of nginx with the shipped configuration in front of the site; None where it isn't installed."""
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if nginx is None:
        return None
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "temp").mkdir()
    port = free_port()
    (folder / "listen.conf").write_text(f"listen {ADDRESS}:{port} default_server;\n")
    types = {"text/css": "css", "text/javascript": "js", "image/svg+xml": "svg", "font/woff2": "woff2"}
    (folder / "mime.types").write_text("types { " + " ".join(f"{mime} {end};" for mime, end in types.items()) + " }\n")
    values = {
        "NGINX_UPSTREAM": f"{ADDRESS}:{site.port}",
        "NGINX_LISTEN_FILE": folder / "listen.conf",
        "NGINX_FLOWER": "127.0.0.1:5555",
        "NGINX_MEDIA": Path(site.environ["INSTANCE_PATH"]) / "media",
        "NGINX_STATIC": STATIC,
        "NGINX_TEMP": folder / "temp",
    }
    text = (REPOSITORY / "deploy" / "nginx" / "nginx.conf.template").read_text()
    for name, value in values.items():
        text = text.replace("${" + name + "}", str(value))
    text = text.replace("/etc/nginx/mime.types", str(folder / "mime.types"))
    if os.getuid() == 0:
        text = "user root;\n" + text  # or it can't read this folder
    (folder / "nginx.conf").write_text(text)
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off; pid nginx.pid;"]
    stack.enter_context(program([*command, "-e", str(folder / "error.log")], folder))
    wait_for(lambda: answers(port), 30, "nginx")
    return port


def measure(asked: argparse.Namespace) -> list[Report]:
    reports = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        # A library of its own: the others' are too large to be given pictures.
        (database,) = stack.enter_context(filled_databases(folder, "sqlite", SCALE, is_shared=False))
        site = stack.enter_context(served(database, folder / "site"))
        with app_of(site.environ) as app:
            draw_pictures(app)
            cookies = {"stranger": "", "listener": cookie_of(app, LISTENER_ID)}
        ports = {"direct": site.port, "nginx": nginx_before(stack, site, folder / "nginx")}
        for server in asked.only.split(","):
            if ports[server] is None:
                print("lighthouse: nginx isn't installed (bench/setup does it): left out")
                continue
            for viewer in asked.viewers.split(","):
                for page, path in PAGES.items():
                    for preset in PRESETS:
                        keep = asked.keep / f"{page}-{viewer}-{preset}-{server}.html" if asked.keep else None
                        runs = [
                            visit(f"http://{ADDRESS}:{ports[server]}{path}", preset, cookies[viewer], keep)
                            for _ in range(asked.runs)
                        ]
                        reports.append(Report(page, viewer, server, preset, _middle(runs)))
    return reports


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The run whose performance is the median."""
    scores = [run["categories"]["performance"]["score"] for run in runs]
    return runs[scores.index(statistics.median_low(scores))]


def table(reports: list[Report]) -> Iterator[str]:
    yield (
        "| page | viewer | served | look | performance | accessibility | best practices | SEO | LCP s | blocked ms | "
        "shift |"
    )
    yield "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for report in reports:
        scores = " | ".join(str(report.score(name)) for name in CATEGORIES)
        lcp_s = report.audit_ms("largest-contentful-paint") / 1000
        blocked_ms, shift = report.audit_ms("total-blocking-time"), report.audit_ms("cumulative-layout-shift")
        yield (
            f"| {report.page} | {report.viewer} | {report.server} | {report.preset} | {scores} | "
            f"{lcp_s:.1f} | {blocked_ms:.0f} | {shift:.3f} |"
        )


def complaints(reports: list[Report]) -> Iterator[str]:
    """Each complaint once, with the visits that it is about."""
    by_words: dict[str, list[str]] = {}
    for report in reports:
        for said in report.complaints():
            by_words.setdefault(said, []).append(f"{report.page}/{report.viewer}/{report.preset}/{report.server}")
    for said, where in sorted(by_words.items(), key=lambda item: (item[0].endswith("[no score]"), -len(item[1]))):
        yield f"- {said}: {', '.join(where) if len(where) < 5 else f'{len(where)} of {len(reports)} visits'}"


def weights(reports: list[Report]) -> Iterator[tuple[str, float, float]]:
    """(what, KB with gzip, goal) of all first-party script and of everything else that pages fetch."""
    assets = Assets(STATIC)
    scripts = {file.relative_to(STATIC).as_posix() for file in (STATIC / "js").rglob("*.js")}
    fetched = {
        path.split("/", 3)[3]
        for report in reports
        for path in (urlsplit(request["url"]).path for request in report.requests())
        if path.startswith("/assets/")
    }
    loaded = f"first-party script, all of it ({len(scripts & fetched)} of {len(scripts)} files on these pages)"
    yield loaded, _kb(assets, scripts), FIRST_PARTY_GOAL_KB
    rest = fetched - scripts
    yield f"everything else that these pages fetch ({', '.join(sorted(rest))})", _kb(assets, rest), OTHERS_GOAL_KB


def _kb(assets: Assets, names: set[str]) -> float:
    """Thousands of bytes as they are sent to a browser that takes gzip; brotli is a little less."""
    total = 0
    for name in names:
        file = STATIC / name
        is_text = file.suffix in {".js", ".css", ".svg"}
        total += len(assets.body(name, file, "gzip")) if is_text else file.stat().st_size
    return total / 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1, help="of which the one with the median performance counts")
    parser.add_argument("--only", default="direct,nginx")
    parser.add_argument("--viewers", default="stranger,listener")
    parser.add_argument("--keep", type=Path, help="a folder for the full reports")
    asked = parser.parse_args()
    if not LIGHTHOUSE.exists() or chromium() is None:
        print("lighthouse: needs node, chromium and bench/setup: not measured")
        return 0
    reports = measure(asked)
    print("\n".join(table(reports)) + "\n")
    print("\n".join(complaints(reports)) + "\n")
    worst = min((report.score(name), name, report.page) for report in reports for name in CATEGORIES)
    reached = worst[0] >= SCORE_GOAL
    print(
        f"- lowest score {worst[0]} ({worst[1]}, {worst[2]}; goal {SCORE_GOAL}): {'reached' if reached else 'MISSED'}"
    )
    for what, kb, goal_kb in weights(reports):
        reached = reached and kb < goal_kb
        print(f"- {what}: {kb:.1f} KB compressed (under {goal_kb}): {'reached' if kb < goal_kb else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
