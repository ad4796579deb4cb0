// Volume, and one loudness for all tracks.
import { keep, recall } from "../page.js";

/** What a track's measured gain may be without clipping: its true peak may at most reach full scale. */
export function gainFactor(track) {
  if (!Number.isFinite(track?.gain_db)) return 1;
  const limit = Number.isFinite(track.true_peak_dbtp) ? -track.true_peak_dbtp : 0;
  return 10 ** (Math.min(track.gain_db, limit) / 20);
}

export class Sound {
  #audio;
  #context = null;
  #gain = null;
  #track = null;

  constructor(audio) {
    this.#audio = audio;
    const kept = recall("sound", {});
    this.volume = Number.isFinite(kept.volume) ? Math.min(1, Math.max(0, kept.volume)) : 1;
    this.isMuted = kept.isMuted === true;
    this.isEven = kept.isEven === true;
    this.quality = ["low", "normal", "high", "original"].includes(kept.quality) ? kept.quality : "";
    this.#apply();
  }

  #apply() {
    // loudness is heard by ratio: the square makes the middle of the slider sound like the middle
    this.#audio.volume = this.volume ** 2;
    this.#audio.muted = this.isMuted;
    if (this.#gain) this.#gain.gain.value = this.isEven ? gainFactor(this.#track) : 1;
  }

  set(changes) {
    Object.assign(this, changes);
    keep("sound", { volume: this.volume, isMuted: this.isMuted, isEven: this.isEven, quality: this.quality });
    this.#apply();
  }

  setTrack(track) {
    this.#track = track;
    this.#apply();
  }

  /** Before playing. The graph is made once per audio element, and only when wanted: browsers keep it silent until
      somebody has touched the page, and phones may stop it when the screen locks. */
  prepare() {
    if (this.isEven && !this.#context && window.AudioContext && navigator.userActivation?.hasBeenActive !== false) {
      this.#context = new AudioContext({ latencyHint: "playback" });
      this.#gain = this.#context.createGain();
      this.#context.createMediaElementSource(this.#audio).connect(this.#gain).connect(this.#context.destination);
      this.#apply();
    }
    if (this.#context?.state === "suspended") this.#context.resume().catch(() => {});
  }
}
