// When one track fades into the next, for how long, and along which curve.
const STEPS = 65;
const LONGEST_SHARE = 0.4; // of the shorter track: two fades must not meet in it

/** Tracks of one album that follow each other are meant to: they are joined, never faded. */
export function fadesInto(track, next, queue) {
  return !track.album_id || track.album_id !== next.album_id || queue.isShuffled;
}

export function fadeLength(wanted_s, duration_s, next) {
  const shorter_s = Math.min(duration_s, (next.duration_ms ?? Infinity) / 1000);
  return Math.min(wanted_s, shorter_s * LONGEST_SHARE);
}

/** Equal power: the two sound as loud together as one alone. */
export const RISE = Float32Array.from({ length: STEPS }, (_, step) => Math.sin((step / (STEPS - 1)) * (Math.PI / 2)));
export const FALL = RISE.slice().reverse();
