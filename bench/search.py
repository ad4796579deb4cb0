"""How long the search page takes with 100,000 tracks, beside the bare SQL of the same searches.

`python bench/search.py [--rounds 5] [--samples 40] [--only sqlite,postgresql] [--scale 1] [--json FILE]`
Measured as bench/pages.py does, on words of the library's own titles, in all its scripts.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # also when started as `python bench/search.py`

from bench.pages import main

if __name__ == "__main__":
    sys.exit(main(searches=True))
