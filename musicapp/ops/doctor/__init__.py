"""Looks at every setting and part and says how to mend what is wrong.

To add a check: a function marked with @check in one of the modules here. It returns a Finding, or several; what it
raises is a finding, too. They run in the order in which they are declared.
"""

from __future__ import annotations

# isort: off
from musicapp.ops.doctor import settings
from musicapp.ops.doctor import parts
from musicapp.ops.doctor import machine

# isort: on
from musicapp.ops.doctor.registry import CHECKS, OK, PROBLEM, WARNING, Finding, examine

__all__ = ["CHECKS", "OK", "PROBLEM", "WARNING", "Finding", "examine", "machine", "parts", "settings"]
