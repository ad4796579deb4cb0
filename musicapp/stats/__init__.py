"""Tallies of what was heard, made from plays."""
