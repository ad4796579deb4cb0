"""From a received file to a published track, in order: probe, encode, artwork, publish.

Each step reads, ends the transaction, works with none open, then writes once and commits.
"""
