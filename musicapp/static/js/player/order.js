// The order of a play queue: the same sums as playback/play_queue/entries.py, so that a device shows the outcome before
// the server has answered. Tracks carry `entry` (an id of their own in the queue) and `place` (before shuffling).
const BITS = 0x7fffffff;

export const withPlaces = (tracks) => {
  tracks.forEach((track, place) => { track.place = place; });
  return tracks;
};

export const numbered = (tracks, firstEntry, firstPlace = 0) => tracks.map(
  (track, at) => ({ ...track, entry: firstEntry + at, place: firstPlace + at }),
);

export function addedLast(tracks, more, firstEntry) {
  const place = tracks.reduce((most, track) => Math.max(most, track.place), -1) + 1;
  return [...tracks, ...numbered(more, firstEntry, place)];
}

/** `after`: an index, or -1 for the start. */
export function addedNext(tracks, more, firstEntry, after) {
  const place = after < 0 ? 0 : tracks[after].place + 1;
  for (const track of tracks) if (track.place >= place) track.place += more.length;
  return tracks.toSpliced(after + 1, 0, ...numbered(more, firstEntry, place));
}

/** The current one first, every other one once after it. */
export function shuffled(tracks, current, seed) {
  const rest = tracks.toSpliced(current, 1);
  const next = randomNumbers(seed);
  for (let last = rest.length - 1; last > 0; last -= 1) {
    const other = next() % (last + 1);
    [rest[last], rest[other]] = [rest[other], rest[last]];
  }
  return tracks.length ? [tracks[current], ...rest] : [];
}

export const unshuffled = (tracks) => withPlaces(tracks.toSorted((one, other) => one.place - other.place));

/** By which server and device see whether they hold the same order. */
export function hashOf(tracks) {
  let hash = 0;
  for (const { entry, id, place } of tracks) {
    for (const number of [entry, id, place]) hash = (Math.imul(hash, 31) + number) & BITS;
  }
  return hash;
}

/** mulberry32 */
function randomNumbers(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
