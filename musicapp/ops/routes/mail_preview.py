"""Every kind of mail as it looks, without sending one: in wide and narrow, light and dark."""

from __future__ import annotations

from flask import Response, abort, make_response, request

from musicapp.accounts.identity import current_viewer
from musicapp.catalog.queries import latest_albums
from musicapp.notifications.announcements.doors import MAIL_POLICY
from musicapp.notifications.letters.samples import Sample, fill_sample, samples
from musicapp.notifications.letters.writing import Written
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.routes._blueprint import blueprint

SHOWN_ALBUMS = 6
WIDTHS, LOOKS = ("wide", "narrow"), ("light", "dark")
DARK = "@media (prefers-color-scheme: dark)"


@blueprint.get("/admin/mail/preview/")
@admin_only
def mail_previews() -> Response:
    mails = [(sample, _filled(sample).subject) for sample in _samples().values()]
    return admin_page("ops/mail_previews_page.html", mails=mails)


@blueprint.get("/admin/mail/preview/<key>")
@admin_only
def mail_preview(key: str) -> Response:
    """`width` is wide or narrow, `look` light or dark; without, as the browser has it."""
    sample = _samples().get(key) or abort(404)
    return admin_page(
        "ops/mail_preview_page.html",
        sample=sample,
        written=_filled(sample),
        width=request.args.get("width", WIDTHS[0]),
        look=request.args.get("look", ""),
    )


@blueprint.get("/admin/mail/preview/<key>/html")
@admin_only
def mail_preview_html(key: str) -> Response:
    """The HTML alone, for a frame. Mails carry their styles in themselves, so its policy allows that, and only that."""
    sample = _samples().get(key) or abort(404)
    html = _filled(sample).html
    look = request.args.get("look", "")
    if look in LOOKS:
        html = html.replace(DARK, "@media all" if look == "dark" else "@media not all")
    response = make_response(html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    response.headers["Cache-Control"] = "no-store"
    return response


def _samples() -> dict[str, Sample]:
    return samples(latest_albums(SHOWN_ALBUMS))


def _filled(sample: Sample) -> Written:
    viewer = current_viewer()
    name = viewer.display_name or viewer.username
    return fill_sample(sample, name=name, locale=viewer.locale, time_zone=viewer.time_zone)
