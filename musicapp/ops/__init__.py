"""The operator's desk: health."""
