// What makes the sound: one <audio>, joined tracks where they can be joined, its plain `src` where they can't, and a
// second <audio> only for those who want crossfade. Speaks of places in the current track, whatever plays it.
import { fadeLength } from "./crossfade.js";
import { canJoin, Tape } from "./gapless.js";

const HEARD = ["loadedmetadata", "timeupdate", "playing", "waiting", "play", "pause", "ended", "error"];
const PRELOAD_S = 15; // before a fade the next track is made ready
const ENOUGH_DATA = 3;

export function streamAddress(track, quality) {
  const address = new URL(`/tracks/${track.id}/stream`, location.origin);
  if (quality) address.searchParams.set("quality", quality);
  return address.href;
}

/** One <audio> and what is in it. */
class Deck {
  track = null;
  #tape = null;
  #quality = "";
  #startAt_s = 0;
  #wants = false;
  #onJoin;

  constructor(audio, onJoin) {
    this.audio = audio;
    this.#onJoin = onJoin;
    audio.addEventListener("loadedmetadata", () => {
      if (this.#tape || !this.#startAt_s) return;
      audio.currentTime = Math.min(this.#startAt_s, Math.max(0, this.duration_s - 0.5) || this.#startAt_s);
    });
  }

  get isJoined() { return this.#tape !== null; }

  get position_s() {
    if (this.#tape) return this.#tape.position_s;
    return this.audio.readyState ? this.audio.currentTime : this.#startAt_s;
  }

  get duration_s() {
    const { duration } = this.audio;
    if (this.#tape) return this.#tape.duration_s;
    return Number.isFinite(duration) && duration > 0 ? duration : (this.track?.duration_ms ?? NaN) / 1000;
  }

  load(track, position_s, quality) {
    this.#tape?.close();
    this.#tape = null;
    this.track = track;
    this.#quality = quality;
    this.#wants = false;
    this.#startAt_s = position_s;
    if (!canJoin || quality === "original") this.#loadPlainly();
    else {
      this.#tape = new Tape(this.audio, track, position_s, quality, {
        onJoin: (next) => { this.track = next; this.#onJoin(); },
        onFail: () => this.fallBack(),
      });
    }
  }

  #loadPlainly() {
    this.audio.src = streamAddress(this.track, this.#quality);
  }

  /** Goes on with the element's own loading: it may play what can't be joined, and says what is wrong with it. */
  fallBack() {
    this.#startAt_s = this.position_s;
    this.#tape.close();
    this.#tape = null;
    this.#loadPlainly();
    if (this.#wants) this.audio.play().catch(() => {});
  }

  unload() {
    this.#tape?.close();
    this.#tape = null;
    this.track = null;
    this.#wants = false;
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  setNext(track) { this.#tape?.setNext(track); }

  play() {
    this.#wants = true;
    return this.audio.play();
  }

  pause() {
    this.#wants = false;
    this.audio.pause();
  }

  /** Also when the element paused by itself: a headset, the lock screen. */
  noteWish(wants) { this.#wants = wants; }

  seek(position_s) {
    if (this.#tape) this.#tape.seek(position_s);
    else if (this.audio.readyState) this.audio.currentTime = position_s;
    else this.#startAt_s = position_s;
  }
}

/** Speaks the current deck's media events, and "join" when playing has gone over into what setNext named. */
export class Engine extends EventTarget {
  #sound;
  #decks;
  #deck;
  #next = null;
  #quality = "";
  #fade_s = 0;
  #fading = null; // the deck that falls silent
  #timer = 0;
  #fadeTimer = 0;

  constructor(audio, sound) {
    super();
    this.#sound = sound;
    this.#deck = this.#made(audio);
    this.#decks = [this.#deck];
  }

  #made(audio) {
    const deck = new Deck(audio, () => { if (deck === this.#deck) this.#joined(); });
    this.#sound.adopt(audio);
    for (const name of HEARD) {
      audio.addEventListener(name, () => {
        if (deck !== this.#deck) return;
        if (name === "play" || (name === "pause" && !audio.ended)) deck.noteWish(name === "play");
        if (name === "error" && deck.isJoined) { deck.fallBack(); return; }
        this.dispatchEvent(new Event(name));
        if (name === "timeupdate") this.#consider();
      });
    }
    return deck;
  }

  get audio() { return this.#deck.audio; }

  get track() { return this.#deck.track; }

  get position_s() { return this.#deck.position_s; }

  get duration_s() { return this.#deck.duration_s; }

  load(track, position_s, quality) {
    this.#dropOthers();
    this.#next = null;
    this.#quality = quality;
    this.#sound.setTrack(this.audio, track, true);
    this.#deck.load(track, position_s, quality);
  }

  unload() {
    this.#dropOthers();
    this.#next = null;
    this.#deck.unload();
  }

  play() { return this.#deck.play(); }

  pause() {
    this.#deck.pause();
    if (this.#fading) this.#dropOthers();
  }

  seek(position_s) {
    if (this.#fading) this.#dropOthers();
    this.#deck.seek(position_s);
  }

  /** What follows: joined without a gap, or faded into over `fade_s` seconds; null for nothing. */
  setNext(track, fade_s = 0) {
    this.#next = track;
    this.#fade_s = this.#sound.canFade ? fade_s : 0;
    this.#deck.setNext(this.#fade_s ? null : track);
    const other = this.#other();
    if (other?.track && other !== this.#fading && (!this.#fade_s || other.track.id !== track?.id)) other.unload();
  }

  #other() { return this.#decks.find((deck) => deck !== this.#deck); }

  #dropOthers() {
    clearTimeout(this.#fadeTimer);
    clearTimeout(this.#timer);
    this.#fading = null;
    const other = this.#other();
    if (other?.track) other.unload();
    this.#sound.endFade();
  }

  #joined() {
    this.#next = null;
    this.#sound.setTrack(this.audio, this.track);
    this.dispatchEvent(new Event("join"));
  }

  #consider() {
    clearTimeout(this.#timer);
    if (!this.#fade_s || !this.#next || this.#fading || this.audio.paused) return;
    const fade_s = fadeLength(this.#fade_s, this.duration_s, this.#next);
    const left_s = this.duration_s - this.position_s - fade_s;
    if (left_s > PRELOAD_S) return;
    let other = this.#other();
    if (!other) {
      const audio = this.audio.cloneNode();
      audio.removeAttribute("id");
      audio.removeAttribute("src");
      audio.preload = "auto";
      this.audio.after(audio);
      other = this.#made(audio);
      this.#decks.push(other);
    }
    if (other.track?.id !== this.#next.id) other.load(this.#next, 0, this.#quality);
    if (left_s < 0.01) this.#cross(other, fade_s + Math.min(0, left_s));
    else if (left_s < 0.5) this.#timer = setTimeout(() => this.#consider(), left_s * 1000);
  }

  #cross(to, fade_s) {
    if (to.audio.readyState < ENOUGH_DATA || fade_s < 0.1) return; // it begins when this one has ended
    const from = this.#deck;
    this.#fading = from;
    this.#deck = to;
    this.#sound.setTrack(to.audio, to.track, true);
    this.#sound.hush(to.audio);
    to.audio.addEventListener("playing", () => { // a browser may take a quarter of a second from play() to the first sound
      if (this.#fading !== from) return;
      const left_s = Math.max(0.05, Math.min(fade_s, from.duration_s - from.position_s));
      this.#sound.fade(from.audio, to.audio, left_s);
      this.#fadeTimer = setTimeout(() => this.#dropOthers(), left_s * 1000 + 50);
    }, { once: true });
    to.play().catch(() => {});
    this.#joined();
  }
}
