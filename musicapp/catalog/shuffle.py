"""A shuffle that needs no list: the n-th place of a seed's order is counted. Pure."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from hashlib import blake2b

_SEED = re.compile(r"([a-z0-9]{1,12})\.([1-9][0-9]{0,8})")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Shuffle:
    """An order of the numbers 1 to `size`, each once. Its text stands in addresses: the same text, the same order."""

    key: str
    size: int

    def __str__(self) -> str:
        return f"{self.key}.{self.size}"

    @classmethod
    def new(cls, size: int) -> Shuffle:
        return cls("".join(secrets.choice(_LETTERS) for _ in range(6)), max(size, 1))

    @classmethod
    def read(cls, text: str | None) -> Shuffle | None:
        """None for what is no seed."""
        match = _SEED.fullmatch(text or "")
        return cls(match[1], int(match[2])) if match else None

    def numbers(self, start: int, count: int) -> list[int]:
        """The numbers at the places `start` (from 0) and after; fewer at the end."""
        return [self._number(place) for place in range(start, min(start + count, self.size))]

    def _number(self, place: int) -> int:
        # A Feistel network over the next even power of two; what falls outside goes around again.
        half_bits = max((self.size - 1).bit_length() + 1, 2) // 2
        mask = (1 << half_bits) - 1
        while True:
            left, right = place >> half_bits, place & mask
            for step in range(4):
                mixed = blake2b(b"%d %d" % (step, right), digest_size=4, key=self.key.encode()).digest()
                left, right = right, left ^ (int.from_bytes(mixed, "big") & mask)
            place = left << half_bits | right
            if place < self.size:
                return place + 1
