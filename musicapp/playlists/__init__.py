"""Lists that people make, alone or together, live."""
