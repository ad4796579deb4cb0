"""Tallies: how often what was heard, per day."""
