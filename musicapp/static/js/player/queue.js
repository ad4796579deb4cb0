// The play queue: what plays, in which order. Knows nothing of audio or of the page.
import { keep, recall } from "../page.js";

const MOST_TRACKS = 2000; // what localStorage and a list on the screen bear
const MODES = ["off", "all", "one"];

export class PlayQueue extends EventTarget {
  constructor() {
    super();
    const kept = recall("queue", {});
    this.tracks = Array.isArray(kept.tracks) ? kept.tracks : []; // in playing order; `place` is the order before shuffling
    this.index = Math.min(Math.max(0, kept.index ?? 0), Math.max(0, this.tracks.length - 1));
    this.isShuffled = kept.isShuffled === true;
    this.repeat = MODES.includes(kept.repeat) ? kept.repeat : "off";
  }

  get current() { return this.tracks[this.index] ?? null; }

  #changed() {
    keep("queue", { tracks: this.tracks, index: this.index, isShuffled: this.isShuffled, repeat: this.repeat });
    this.dispatchEvent(new Event("change"));
  }

  /** Plays these from one of them on. */
  replace(tracks, index) {
    const from = Math.max(0, Math.min(index, tracks.length - MOST_TRACKS));
    this.tracks = tracks.slice(from, from + MOST_TRACKS).map((track, place) => ({ ...track, place }));
    this.index = Math.max(0, index - from);
    if (this.isShuffled) this.#mix();
    this.#changed();
  }

  #mix() {
    const [first] = this.tracks.splice(this.index, 1);
    for (let last = this.tracks.length - 1; last > 0; last -= 1) {
      const other = Math.floor(Math.random() * (last + 1));
      [this.tracks[last], this.tracks[other]] = [this.tracks[other], this.tracks[last]];
    }
    if (first) this.tracks.unshift(first);
    this.index = 0;
  }

  toggleShuffle() {
    this.isShuffled = !this.isShuffled;
    if (this.isShuffled) {
      this.#mix();
    } else {
      const { current } = this;
      this.tracks.sort((one, other) => one.place - other.place);
      this.index = Math.max(0, this.tracks.indexOf(current));
    }
    this.#changed();
  }

  cycleRepeat() {
    this.repeat = MODES[(MODES.indexOf(this.repeat) + 1) % MODES.length];
    this.#changed();
  }

  /** Steps by one (or back by minus one); false at the end, where nothing repeats. */
  step(by) {
    const next = this.index + by;
    if (next < 0 || next >= this.tracks.length) {
      if (this.repeat === "off" || this.tracks.length === 0) return false;
      this.index = (next + this.tracks.length) % this.tracks.length;
    } else {
      this.index = next;
    }
    this.#changed();
    return true;
  }

  hasStep(by) {
    return this.tracks.length > 0 && (this.repeat !== "off" || Boolean(this.tracks[this.index + by]));
  }

  jump(index) {
    this.index = index;
    this.#changed();
  }

  move(from, to) {
    if (to < 0 || to >= this.tracks.length || from === to) return;
    const { current } = this;
    this.tracks.splice(to, 0, ...this.tracks.splice(from, 1));
    if (!this.isShuffled) this.tracks.forEach((track, place) => { track.place = place; });
    this.index = this.tracks.indexOf(current);
    this.#changed();
  }

  /** True when the removed track was the current one: the next has moved into its place. */
  remove(index) {
    const wasCurrent = index === this.index;
    this.tracks.splice(index, 1);
    if (index < this.index) this.index -= 1;
    this.index = Math.max(0, Math.min(this.index, this.tracks.length - 1));
    this.#changed();
    return wasCurrent;
  }

  clear() {
    this.tracks = [];
    this.index = 0;
    this.#changed();
  }
}
