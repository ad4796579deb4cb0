"""The list of checks, and what a check may find."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from musicapp.core.db import db
from musicapp.core.logs import without_secrets

OK, WARNING, PROBLEM = "ok", "warning", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `mend` says what to do, and is empty where all is well."""

    status: str
    words: str
    mend: str = ""
    name: str = ""


Check = Callable[[], Finding | Iterable[Finding]]

CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Declares a check under the name that the operator reads, such as "Redis"."""

    def declare(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return declare


def examine(names: Iterable[str] | None = None) -> list[Finding]:
    """Runs the checks (all, or those named), in the order they are declared. One that fails is a problem itself."""
    found: list[Finding] = []
    for name in names if names is not None else CHECKS:
        try:
            said = CHECKS[name]()
            findings = [said] if isinstance(said, Finding) else list(said)
        except Exception as error:  # whatever is broken, the other parts are still looked at
            words = f"This could not be looked at: {type(error).__name__}: {error}"
            findings = [Finding(PROBLEM, words.strip(), "Mend what the words above name, then look again.")]
        finally:
            db.session.rollback()
        found += [Finding(each.status, without_secrets(each.words), each.mend, name) for each in findings]
    return found
