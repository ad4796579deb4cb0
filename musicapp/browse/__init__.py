"""Pages that mix features: the home page."""
