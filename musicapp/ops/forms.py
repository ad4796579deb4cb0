"""What admins and reporters type, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_babel import gettext as _

REASON_LIMIT = 1000
LARGEST_GB, LARGEST_HOURS = 1_000_000.0, 500_000.0
"""Beyond any disk; seconds of so many hours fit the column."""


def read_words(form: Mapping[str, str], name: str) -> str:
    """Several lines of text, at most REASON_LIMIT characters."""
    return form.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()[:REASON_LIMIT]


@dataclass(slots=True)
class QuotaForm:
    """Gigabytes and hours as typed; empty is the site's own quota."""

    gigabytes: str = ""
    hours: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, form: Mapping[str, str]) -> QuotaForm:
        read = cls(form.get("gigabytes", "").strip(), form.get("hours", "").strip())
        read._check("gigabytes", read.gigabytes, LARGEST_GB)
        read._check("hours", read.hours, LARGEST_HOURS)
        return read

    @classmethod
    def of(cls, quota_bytes: int | None, quota_seconds: int | None) -> QuotaForm:
        return cls(
            "" if quota_bytes is None else f"{quota_bytes / 1e9:.9f}".rstrip("0").rstrip("."),
            "" if quota_seconds is None else f"{quota_seconds / 3600:.4f}".rstrip("0").rstrip("."),
        )

    @property
    def quota_bytes(self) -> int | None:
        return round(float(self.gigabytes.replace(",", ".")) * 1e9) if self.gigabytes else None

    @property
    def quota_seconds(self) -> int | None:
        return round(float(self.hours.replace(",", ".")) * 3600) if self.hours else None

    def _check(self, name: str, text: str, largest: float) -> None:
        try:
            number = float(text.replace(",", ".")) if text else 0.0
        except ValueError:
            number = -1.0
        if not 0 <= number <= largest:
            self.errors[name] = _(
                "Write a number from 0 to %(largest)s, or nothing for the site's own quota.", largest=f"{largest:,.0f}"
            )
