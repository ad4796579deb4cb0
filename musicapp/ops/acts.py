"""What the acts of the audit log are called on the page. An act without a line here is shown as it is stored."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

ACTS: dict[str, str] = {
    "user.suspend": _l("suspended"),
    "user.unsuspend": _l("lifted the suspension of"),
    "user.make_admin": _l("made an admin of"),
    "user.dismiss_admin": _l("took the admin's rights from"),
    "user.set_quotas": _l("changed the quotas of"),
    "user.confirm_address": _l("confirmed the address of"),
    "user.send_reset_link": _l("sent a link for a new password to"),
    "user.sign_out": _l("signed out every device of"),
    "album.take_down": _l("took down the album"),
    "album.give_back": _l("gave back the album"),
    "artist.take_down": _l("took down the albums of"),
    "artist.give_back": _l("gave back the albums of"),
    "job.retry": _l("tried again the job"),
    "job.cancel": _l("cancelled the job"),
    "job.retry_all": _l("tried again all failed jobs of the kind"),
    "job.cancel_all": _l("cancelled all waiting jobs of the kind"),
    "playlist.hide": _l("made private the playlist"),
    "announcement.write": _l("wrote the announcement"),
    "announcement.edit": _l("edited the announcement"),
    "announcement.send": _l("sent the announcement"),
    "announcement.schedule": _l("scheduled the announcement"),
    "announcement.stop": _l("stopped the announcement"),
    "announcement.go_on": _l("went on sending the announcement"),
    "announcement.delete": _l("deleted the announcement"),
    "mail.send_again": _l("sent again the mail"),
    "mail.allow_address": _l("allowed mails again to"),
    "schedule.run": _l("ran now the task"),
    "schedule.add": _l("made the schedule"),
    "schedule.change": _l("changed the schedule"),
    "schedule.switch_on": _l("switched on the schedule"),
    "schedule.switch_off": _l("switched off the schedule"),
    "schedule.remove": _l("removed the schedule"),
    "storage.measure": _l("had the storage measured"),
    "report.dismiss": _l("dismissed the report about"),
    "report.act": _l("acted on the report about"),
}

ROOMS: dict[str, str] = {
    "user": _l("Users"),
    "artist": _l("Artists"),
    "album": _l("Albums"),
    "playlist": _l("Playlists"),
    "report": _l("Reports"),
    "job": _l("Jobs"),
    "mail": _l("Mail"),
    "schedule": _l("Schedules"),
    "announcement": _l("Announcements"),
    "storage": _l("Storage"),
}
