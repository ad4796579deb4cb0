"""Bytes go out: streams, waveforms, and the plays that are counted."""
