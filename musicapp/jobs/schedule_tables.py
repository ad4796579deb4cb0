"""The tables of sqlalchemy-celery-beat, made by our migrations and not by the library when beat starts.

They are the library's own, copied into the site's metadata, so that a version of it with other columns fails the test
of the migrations.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, MetaData, Table
from sqlalchemy_celery_beat import models as library

from musicapp.core.db import Base


def _adopted(table: Table) -> Table:
    nameless = table.to_metadata(MetaData(), schema=None)  # type: ignore[arg-type]
    for column in nameless.columns:
        column.comment = None  # SQLite keeps none
    for constraint in nameless.constraints:
        if isinstance(constraint, CheckConstraint):
            constraint.name = str(constraint.sqltext).split()[0]  # its column; our convention adds the rest
    return nameless.to_metadata(Base.metadata)


ENTRIES = _adopted(library.PeriodicTask.__table__)
CHANGES = _adopted(library.PeriodicTaskChanged.__table__)
"""One row: when somebody changed the schedule last. Beat looks at it with each turn."""
INTERVALS = _adopted(library.IntervalSchedule.__table__)
CRONTABS = _adopted(library.CrontabSchedule.__table__)
MOMENTS = _adopted(library.ClockedSchedule.__table__)
SOLAR = _adopted(library.SolarSchedule.__table__)
"""Not offered at the desk; the library's entries look into it."""
