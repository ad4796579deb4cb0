"""Pages for listeners that mix rooms, the home page first among them; the demo's library."""
