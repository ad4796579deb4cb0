"""What a job is called, what came of it in words, and who sees it. Rooms say it of their own kinds, in fragments.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from musicapp.jobs.models import Job
from musicapp.jobs.queries import SHARED, JobView


@dataclass(frozen=True, slots=True)
class Shown:
    """A job in words. All of it may stand in a live fragment: the same for everybody who may see the job."""

    title: str
    url: str = ""
    """The page of what it is about; empty where there is none, or none any more."""
    url_words: str = ""
    lines: tuple[str, ...] = ()
    """What has come of it, one sentence each."""
    counts: dict[str, int] = field(default_factory=dict)
    """The same for programs, by name."""


Presenter = Callable[[JobView], Shown]
P = TypeVar("P", bound=Presenter)

WORDS: dict[str, Any] = {}
"""Kind -> what it is called, translated when it is read."""
PRESENTERS: dict[str, Presenter] = {}


def call(**words: Any) -> None:
    """Says what kinds of job are called: `call(encode_track=_l("Encode a track"))`."""
    WORDS.update(words)


def presents(*kinds: str) -> Callable[[P], P]:
    """Marks the function that puts jobs of these kinds into words. It reads; it may find that the subject is gone."""

    def mark(presenter: P) -> P:
        for kind in kinds:
            PRESENTERS[kind] = presenter
        return presenter

    return mark


def shares(*kinds: str) -> Callable[[Callable[[Any, Job], bool]], Callable[[Any, Job], bool]]:
    """Marks the function (viewer, job) that says who sees and steers jobs of these kinds besides owner and admins."""

    def mark(may_see: Callable[[Any, Job], bool]) -> Callable[[Any, Job], bool]:
        SHARED.update(dict.fromkeys(kinds, may_see))
        return may_see

    return mark


def words_of(kind: str) -> str:
    """What a kind is called; one that nobody has named says its own name."""
    return str(WORDS[kind]) if kind in WORDS else kind.replace("_", " ").capitalize()


def shown(job: JobView) -> Shown:
    """The job in words, by its kind's presenter where there is one."""
    presenter = PRESENTERS.get(job.kind)
    return presenter(job) if presenter else Shown(words_of(job.kind))
