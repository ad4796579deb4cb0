"""What an outlet is: a way in which people hear of something."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from musicapp.jobs.context import JobContext
from musicapp.notifications.kinds import OFF, Kind
from musicapp.notifications.readers import Readers


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told, once: by one job."""

    job_id: int
    kind: Kind
    subject_id: int
    arguments: dict[str, Any]
    """Ids and short strings besides the subject. What is said is read anew when it is shown or sent."""
    reason: str
    """Nobody hears twice of one reason from one outlet."""
    happened_at: datetime


class Outlet(ABC):
    """One way to reach people. To add one: a file with a subclass, and its line in outlets/__init__.py."""

    name: ClassVar[str]
    """At most 32 letters; what is chosen is stored under it."""

    @property
    @abstractmethod
    def words(self) -> str:
        """The heading of its column among the preferences."""

    def choices(self, kind: Kind) -> tuple[str, ...]:
        """The frequencies that one may choose for a kind; none where it never tells of it."""
        return kind.choices.get(self.name, ())

    def default(self, kind: Kind) -> str:
        """What holds for who chose nothing."""
        return kind.defaults.get(self.name, OFF)

    def begins_at(self, told: Telling) -> datetime:
        """Not before this: an outlet may have to see first who is there."""
        return told.happened_at

    @abstractmethod
    def tell(self, told: Telling, readers: Readers) -> int:
        """Writes what a chunk of the audience shall get into the open transaction; returns for how many.

        Told again after a crash, it adds nothing. Committed by the caller. No network: SQLite's lock is held.
        """

    def finish(self, told: Telling, job: JobContext) -> dict[str, int]:
        """After everybody's rows are stored, what takes its time, with no transaction open; returns counts.

        May raise GoOn and RetryLater, and is then called again.
        """
        return {}
