"""What the library does when something happens elsewhere."""

from __future__ import annotations
