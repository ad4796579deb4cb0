"""The doors of whoever writes: the same for an artist's member in the studio and for an admin at the desk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, make_response, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.catalog.forms import Form
from musicapp.core.db import db, reading, row_id, utc_now
from musicapp.core.pages import page
from musicapp.live import services as live
from musicapp.notifications.announcements import forms, previews, queries, services
from musicapp.notifications.due import zone_of

View = Callable[..., Any]
MAIL_POLICY = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
"""Of a mail in its frame: mails carry their styles in themselves, and nothing else may happen in there."""
NUMBER = "<int(max=2147483647):announcement_id>"


class AnnouncementDoors(ABC):
    """Views below one address. A subclass says who may come in, and how its pages are framed."""

    base = ""
    """Where they stand, such as "/studio/announcements"."""
    frame = ""
    """The template that its pages extend: it has a block `desk`."""

    @abstractmethod
    def artist_asked_for(self) -> int | None:
        """Whose announcements are meant (None: the operators'); ends the request with 404 for whom they aren't."""

    @abstractmethod
    def may_open(self, announcement_id: int) -> bool:
        """Whether the viewer may see this one."""

    def acted(self, act: str, announcement_id: int) -> None:  # noqa: B027 - the studio keeps no log of acts
        """Called in the transaction of every act, before its commit."""

    def draw(self, template: str, status: int = 200, **context: Any) -> Response:
        return page(f"notifications/announcements/{template}", status, frame=self.frame, base=self.base, **context)

    def add_to(self, blueprint: Blueprint, guard: Callable[[View], View] = lambda view: view) -> None:
        """Adds the views to the blueprint, each behind `guard`."""
        for rule, method, name, view in (
            ("", "GET", "announcements", self.listing),
            ("/new", "GET", "new_announcement", self.new),
            ("/new", "POST", "write_announcement", self.write),
            (f"/{NUMBER}", "GET", "announcement", self.show),
            (f"/{NUMBER}/edit", "GET", "edit_announcement", self.edit),
            (f"/{NUMBER}/edit", "POST", "save_announcement", self.save),
            (f"/{NUMBER}/mail", "GET", "announcement_mail", self.mail),
            (f"/{NUMBER}/send", "POST", "send_announcement", self.send),
            (f"/{NUMBER}/stop", "POST", "stop_announcement", self.stop),
            (f"/{NUMBER}/go-on", "POST", "go_on_with_announcement", self.go_on),
            (f"/{NUMBER}/delete", "POST", "delete_announcement", self.delete),
        ):
            blueprint.add_url_rule(self.base + rule, name, guard(_as_function(view)), methods=[method])

    def listing(self) -> BaseResponse:
        artist_id = self.artist_asked_for()
        told, next_before = queries.page_of(artist_id, before=request.args.get("before", type=row_id))
        return self.draw(
            "list_page.html", announcements=told, next_before=next_before, audience=queries.audience_of(artist_id)
        )

    def new(self) -> BaseResponse:
        return self._form_page(Form(), self.artist_asked_for())

    def write(self) -> BaseResponse:
        artist_id = self.artist_asked_for()
        form = forms.announcement_form(request.form)
        if not form.is_valid:
            return self._form_page(form, artist_id, status=422)
        announcement_id = services.write(signed_in_id(), artist_id, **form.values)
        self.acted("write", announcement_id)
        db.session.commit()
        return self._to(announcement_id)

    def edit(self, announcement_id: int) -> BaseResponse:
        told = self._opened(announcement_id)
        if told.has_begun:
            return self._to(announcement_id)
        return self._form_page(Form({"title": told.title, "words": told.words}), told.artist_id, told=told)

    def save(self, announcement_id: int) -> BaseResponse:
        told = self._opened(announcement_id)
        form = forms.announcement_form(request.form)
        if form.is_valid:
            try:
                services.edit(announcement_id, **form.values)
            except services.AnnouncementError as error:
                form.errors["words"] = str(error)
        if not form.is_valid:
            db.session.rollback()
            return self._form_page(form, told.artist_id, told=told, status=422)
        self.acted("edit", announcement_id)
        db.session.commit()
        flash(_("Saved."))
        return self._to(announcement_id)

    def show(self, announcement_id: int) -> BaseResponse:
        return self._page(announcement_id)

    def send(self, announcement_id: int) -> BaseResponse:
        self._opened(announcement_id)
        zone_name = current_viewer().time_zone
        form = forms.send_form(request.form, zone_name, now=utc_now())
        if not form.is_valid:
            return self._page(announcement_id, form, 422)
        try:
            services.send(
                announcement_id,
                signed_in_id(),
                send_at=form.send_at,
                most_per_day=current_app.config["ANNOUNCEMENTS_PER_DAY"],
                zone_name=zone_name,
            )
        except services.AnnouncementError as error:
            form.errors["send"] = str(error)
            db.session.rollback()
            return self._page(announcement_id, form, 422)
        self.acted("schedule" if form.send_at else "send", announcement_id)
        db.session.commit()
        flash(_("It goes out at the time you chose.") if form.send_at else _("It is on its way."))
        return self._to(announcement_id)

    def stop(self, announcement_id: int) -> BaseResponse:
        return self._act("stop", announcement_id, services.stop, _("Stopped."))

    def go_on(self, announcement_id: int) -> BaseResponse:
        return self._act("go_on", announcement_id, services.go_on, _("It goes on to those who have not got it."))

    def delete(self, announcement_id: int) -> BaseResponse:
        told = self._opened(announcement_id)
        self.acted("delete", announcement_id)
        try:
            services.delete(announcement_id)
        except services.AnnouncementError as error:
            db.session.rollback()
            flash(str(error), "error")
            return self._to(announcement_id)
        db.session.commit()
        flash(_("The draft is deleted."))
        return redirect(f"{self.base}?artist={told.artist_id}" if told.artist_id else self.base, 303)

    def mail(self, announcement_id: int) -> BaseResponse:
        """The mail as it will arrive, for the frame on the announcement's page."""
        self._opened(announcement_id)
        letter = previews.letter(announcement_id, signed_in_id())
        if letter is None:
            abort(404)
        response = make_response(letter.html)
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        response.headers["Cache-Control"] = "private, no-store"
        return response

    def _opened(self, announcement_id: int) -> queries.Told:
        told = queries.told(announcement_id) if self.may_open(announcement_id) else None
        if told is None:
            abort(404)
        return told

    @reading()
    def _page(self, announcement_id: int, form: forms.SendForm | None = None, status: int = 200) -> Response:
        cursor = live.current_cursor()
        told = self._opened(announcement_id)
        today = utc_now().astimezone(zone_of(current_viewer().time_zone)).date()
        is_open = not told.has_begun
        return self.draw(
            "announcement_page.html",
            status,
            told=told,
            form=form or forms.SendForm(values={"when": "now", "day": "", "time": ""}),
            today=today.isoformat(),
            audience=queries.audience_of(told.artist_id) if is_open else None,
            letter=previews.letter(announcement_id, signed_in_id()) if is_open else None,
            notice=previews.notice(announcement_id) if is_open else None,
            cursor=cursor,
        )

    @reading()
    def _form_page(
        self, form: Form, artist_id: int | None, *, told: queries.Told | None = None, status: int = 200
    ) -> Response:
        audience = queries.audience_of(artist_id)
        return self.draw("form_page.html", status, form=form, told=told, audience=audience, limits=forms)

    def _act(self, act: str, announcement_id: int, do: Callable[[int], Any], words: str) -> BaseResponse:
        self._opened(announcement_id)
        try:
            do(announcement_id)
        except services.AnnouncementError as error:
            db.session.rollback()
            flash(str(error), "error")
            return self._to(announcement_id)
        self.acted(act, announcement_id)
        db.session.commit()
        flash(words)
        return self._to(announcement_id)

    def _to(self, announcement_id: int) -> BaseResponse:
        return redirect(f"{self.base}/{announcement_id}", 303)


def _as_function(view: View) -> View:
    """Marks such as core.security.hidden are set on functions; a bound method takes none."""
    return lambda **arguments: view(**arguments)
