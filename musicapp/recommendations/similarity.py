"""Which artists have listeners in common. Pure: pairs of listener and artist in, neighbours out.

The measure is the cosine of the two sets of listeners: those in common over the root of both sizes' product. Memory and
time are bounded whatever a site grows to: an artist is known by a sample of the listeners, the same for all artists, so
that what they share is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_LISTENERS = 1_000
"""Of one artist; the sample of a larger audience."""
MOST_ARTISTS_OF_LISTENER = 400
"""Whoever hears everything says little about what goes together, and costs the square of it."""
FEWEST_IN_COMMON = 2
"""One person's taste is nobody's business, and no similarity either."""
PLACES = 12

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another artist and how similar it is, 0 to 1."""

    artist_id: int
    score: float


def similar(listener_ids: Ids, artist_ids: Ids) -> Iterator[tuple[int, list[Neighbour]]]:
    """(artist id, its neighbours, most similar first) for each artist that has any. Pairs may come more than once."""
    if not len(listener_ids):
        return
    listeners, artists = _distinct(listener_ids, artist_ids)
    names, artist = np.unique(artists, return_inverse=True)
    _people, listener = np.unique(listeners, return_inverse=True)
    # In an order that has nothing to do with ids, and is the same for all artists.
    draw = np.random.default_rng(1).permutation(len(_people))[listener]
    artist, listener = _first_of_each(artist, listener, draw, MOST_LISTENERS)
    other = np.random.default_rng(2).permutation(len(names))[artist]
    listener, artist = _first_of_each(listener, artist, other, MOST_ARTISTS_OF_LISTENER)

    sizes = np.bincount(artist, minlength=len(names))
    by_listener = np.argsort(listener, kind="stable")
    heard = artist[by_listener]
    ends = np.cumsum(np.bincount(listener, minlength=len(_people)))
    by_artist = np.argsort(artist, kind="stable")
    hearers, start = listener[by_artist], 0
    for index, size in enumerate(sizes):
        of_artist = hearers[start : start + size]
        start += int(size)
        if size < FEWEST_IN_COMMON:
            continue
        begins = np.where(of_artist > 0, ends[of_artist - 1], 0)
        shared = np.bincount(_runs(heard, begins, ends[of_artist]), minlength=len(names))
        shared[index] = 0
        near = np.flatnonzero(shared >= FEWEST_IN_COMMON)
        if len(near):
            scores = shared[near] / np.sqrt(float(size) * sizes[near])
            best = np.lexsort((names[near], -scores))[:PLACES]
            yield int(names[index]), [Neighbour(int(names[near[at]]), float(scores[at])) for at in best]


def _distinct(first: Ids, second: Ids) -> tuple[Ids, Ids]:
    pairs = np.unique(np.stack((first, second), axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _first_of_each(key: Ids, value: Ids, draw: Ids, most: int) -> tuple[Ids, Ids]:
    """Of each key the `most` pairs that are drawn first."""
    order = np.lexsort((draw, key))
    key, value = key[order], value[order]
    begins = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    place = np.arange(len(key)) - np.repeat(begins, np.diff(np.r_[begins, len(key)]))
    kept = place < most
    return key[kept], value[kept]


def _runs(values: Ids, begins: Ids, ends: Ids) -> Ids:
    """The values of several stretches, one after another."""
    lengths = ends - begins
    first = np.repeat(begins - np.r_[0, np.cumsum(lengths)[:-1]], lengths)
    return values[first + np.arange(int(lengths.sum()))]
