"""The index follows the catalog and the people."""

from __future__ import annotations
