"""A day and a time as somebody types them, in their own time zone, as an instant. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from flask_babel import gettext as _

from musicapp.notifications.due import zone_of

LATEST = timedelta(days=366)


class MomentError(ValueError):
    """Words for the person who typed it; `field` is "day" or "time"."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def moment_of(day: str, hour: str, zone_name: str, *, now: datetime) -> datetime:
    """The instant behind a typed day (2026-03-29) and time (08:30) in that zone, in UTC.

    Of an hour that comes twice, when clocks go back, the first is meant. Raises MomentError for what is no day or no
    time, for the past, for more than a year ahead, and for the hour that is left out when clocks go forward.
    """
    zone = zone_of(zone_name)
    try:
        on = date.fromisoformat(day.strip())
    except ValueError:
        raise MomentError("day", _("Choose the day, as year-month-day, like 2026-03-31.")) from None
    try:
        at = time.fromisoformat(hour.strip())
    except ValueError:
        raise MomentError("time", _("Choose the time, like 18:30.")) from None
    local = datetime.combine(on, at.replace(tzinfo=None))
    try:
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        there = moment.astimezone(zone).replace(tzinfo=None)
    except OverflowError:  # the first and the last day of the calendar
        raise MomentError("day", _("Choose a day within the next year.")) from None
    if there != local:
        words = _(
            "On that day clocks go forward, and %(time)s does not exist in %(zone)s. Choose another time.",
            time=at.strftime("%H:%M"),
            zone=zone_name.replace("_", " "),
        )
        raise MomentError("time", words)
    if moment <= now:
        field = "day" if on < now.astimezone(zone).date() else "time"
        raise MomentError(field, _("This moment has passed. Choose a later one, or send it now."))
    if moment > now + LATEST:
        raise MomentError("day", _("Choose a day within the next year."))
    return moment
