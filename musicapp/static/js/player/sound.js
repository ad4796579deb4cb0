// Volume, one loudness for all tracks, and the curves of a crossfade.
import { keep, recall } from "../page.js";
import { FALL, RISE } from "./crossfade.js";

export const MOST_CROSSFADE_S = 12;
const SMOOTH_S = 0.02; // a joined track's own gain comes without a click
const within = (value, most, otherwise) => (Number.isFinite(value) ? Math.min(most, Math.max(0, value)) : otherwise);

/** What a track's measured gain may be without clipping: its true peak may at most reach full scale. */
export function gainFactor(track) {
  if (!Number.isFinite(track?.gain_db)) return 1;
  const limit = Number.isFinite(track.true_peak_dbtp) ? -track.true_peak_dbtp : 0;
  return 10 ** (Math.min(track.gain_db, limit) / 20);
}

export class Sound {
  #context = null;
  #outputs = new Map(); // <audio> -> {track, gain, fade}; the nodes are null without a graph

  constructor() {
    const kept = recall("sound", {});
    this.volume = within(kept.volume, 1, 1);
    this.isMuted = kept.isMuted === true;
    this.isEven = kept.isEven === true;
    this.crossfade_s = within(kept.crossfade_s, MOST_CROSSFADE_S, 0);
    this.quality = ["low", "normal", "high", "original"].includes(kept.quality) ? kept.quality : "";
  }

  adopt(audio) {
    this.#outputs.set(audio, { track: null, gain: null, fade: null });
    if (this.#context) this.#connect(audio);
    this.#apply();
  }

  #apply() {
    for (const [audio, { track, gain }] of this.#outputs) {
      // loudness is heard by ratio: the square makes the middle of the slider sound like the middle
      audio.volume = this.volume ** 2;
      audio.muted = this.isMuted;
      if (gain) gain.gain.value = this.#factor(track);
    }
  }

  #factor(track) { return this.isEven ? gainFactor(track) : 1; }

  set(changes) {
    Object.assign(this, changes);
    const { volume, isMuted, isEven, crossfade_s, quality } = this;
    keep("sound", { volume, isMuted, isEven, crossfade_s, quality });
    this.#apply();
  }

  /** isFresh: nothing is heard of this element yet. */
  setTrack(audio, track, isFresh = false) {
    const output = this.#outputs.get(audio);
    output.track = track;
    if (isFresh) this.#apply();
    else output.gain?.gain.setTargetAtTime(this.#factor(track), this.#context.currentTime, SMOOTH_S);
  }

  /** Before playing. The graph is made once per audio element, and only when wanted: browsers keep it silent until
      somebody has touched the page, and phones may stop it when the screen locks. */
  prepare() {
    if ((this.isEven || this.crossfade_s) && !this.#context && window.AudioContext && navigator.userActivation?.hasBeenActive !== false) {
      this.#context = new AudioContext({ latencyHint: "playback" });
      for (const audio of this.#outputs.keys()) this.#connect(audio);
      this.#apply();
    }
    if (this.#context?.state === "suspended") this.#context.resume().catch(() => {});
  }

  #connect(audio) {
    const context = this.#context;
    const output = this.#outputs.get(audio);
    output.gain = context.createGain();
    output.fade = context.createGain();
    context.createMediaElementSource(audio).connect(output.gain).connect(output.fade).connect(context.destination);
  }

  get canFade() { return this.#context !== null; }

  hush(audio) { this.#outputs.get(audio).fade.gain.value = 0; }

  fade(from, to, seconds) {
    const now = this.#context.currentTime;
    for (const [audio, curve] of [[from, FALL], [to, RISE]]) {
      this.#outputs.get(audio).fade.gain.setValueCurveAtTime(curve, now, seconds);
    }
  }

  endFade() {
    for (const { fade } of this.#outputs.values()) {
      fade?.gain.cancelScheduledValues(0);
      if (fade) fade.gain.value = 1;
    }
  }
}
