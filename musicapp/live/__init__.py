"""Browser updates: ids travel through Redis, each web process renders once and sends the same bytes to all.

`services` is what other rooms call, `registry` is where they say what a change looks like and who may hear it.
log (Redis) -> hub (renders, merges) -> ring (frames, a position per stream) -> handover or a WSGI iterable.
"""
