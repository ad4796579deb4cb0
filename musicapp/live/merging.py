"""When a changed fragment is rendered: at once, or once for all changes of the next moment."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from musicapp.live.log import LiveUpdate

FragmentKey = tuple[str, str, int]


@dataclass(slots=True)
class Merger:
    """Holds updates until they are due. Times are seconds of one monotonic clock.

    Logged updates leave in the order of their cursors: what stands behind a fragment that changed a moment ago waits
    with it, at most `merge_seconds`. Unlogged ones (percent) wait for nobody.
    """

    merge_seconds: float
    percent_seconds: float
    _logged: OrderedDict[FragmentKey, LiveUpdate] = field(default_factory=OrderedDict)
    _unlogged: dict[FragmentKey, LiveUpdate] = field(default_factory=dict)
    _left_at: OrderedDict[FragmentKey, float] = field(default_factory=OrderedDict)

    def add(self, update: LiveUpdate) -> None:
        """Takes an update; it replaces a waiting one of its fragment, and stands at its own cursor's place."""
        key = update.fragment_key
        if update.cursor is None:
            self._unlogged[key] = update
        else:
            self._logged.pop(key, None)
            self._logged[key] = update
            self._unlogged.pop(key, None)  # the logged one shows the percent too

    def clear(self) -> None:
        self._logged.clear()
        self._unlogged.clear()

    def due(self, now: float, limit: int) -> list[LiveUpdate]:
        """Removes and returns the updates to render now, at most `limit`."""
        updates: list[LiveUpdate] = []
        while self._logged and len(updates) < limit:
            key = next(iter(self._logged))
            if self._due_at(key, self.merge_seconds) > now:
                break
            updates.append(self._logged.pop(key))
        for key in [key for key in self._unlogged if self._due_at(key, self.percent_seconds) <= now]:
            if len(updates) == limit:
                break
            updates.append(self._unlogged.pop(key))
        for update in updates:
            self._left_at[update.fragment_key] = now
            self._left_at.move_to_end(update.fragment_key)
        self._forget_before(now - max(self.merge_seconds, self.percent_seconds))
        return updates

    def next_due_at(self) -> float | None:
        """When `due` will next return something; None when nothing waits."""
        times = [self._due_at(key, self.percent_seconds) for key in self._unlogged]
        if self._logged:
            times.append(self._due_at(next(iter(self._logged)), self.merge_seconds))
        return min(times, default=None)

    def _due_at(self, key: FragmentKey, interval_seconds: float) -> float:
        left_at = self._left_at.get(key)
        return float("-inf") if left_at is None else left_at + interval_seconds

    def _forget_before(self, then: float) -> None:
        while self._left_at and next(iter(self._left_at.values())) < then:
            self._left_at.popitem(last=False)
