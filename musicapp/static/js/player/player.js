// The player, for the whole visit outside what navigation swaps. This file ties its parts together.
import { clock, fill, keep, recall } from "../page.js";
import { toast } from "../toasts.js";
import { fadesInto } from "./crossfade.js";
import { Engine, streamAddress } from "./engine.js";
import { startKeys } from "./keys.js";
import { startMediaSession } from "./media_session.js";
import { NowPlaying } from "./now.js";
import { QueuePanel } from "./panel.js";
import { PlayReporter } from "./plays.js";
import { PlayQueue } from "./queue.js";
import { startQueueForms } from "./queue_forms.js";
import { startRemote } from "./remote.js";
import { startRows } from "./rows.js";
import { Sound } from "./sound.js";
import { SeekSlider } from "./waveform.js";

const MOST_FAILURES = 3; // tracks in a row that can't be played, before giving up
const RESTART_AFTER_S = 3; // "previous" later than this goes to the track's own start
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 30_000;
const root = document.documentElement;

class Player extends EventTarget {
  constructor(element) {
    super();
    this.element = element;
    this.words = element.dataset;
    this.queue = new PlayQueue();
    this.sound = new Sound();
    this.engine = new Engine(document.getElementById("player-audio"), this.sound);
    this.reporter = new PlayReporter(() => this.queue.current?.source || this.queue.source);
    this.slider = new SeekSlider(document.getElementById("player-seek"), this.words.wordsOf, (place) => this.seek(place));
    this.wantsToPlay = false;
    this.loaded = null; // the queue's track that the engine holds
    this.startAt_s = 0;
    this.failures = 0;
    this.retries = 0;
    this.retryTimer = 0;
    this.isReported = false; // whether the server knows that this hearing began
    this.otherTabs = new BroadcastChannel("musicapp.player");
    this.otherTabs.onmessage = () => this.pause(); // one tab at a time is heard
    this.#listen();
    this.#restore();
  }

  get position_s() { return this.loaded ? this.engine.position_s : this.startAt_s; }

  get duration_s() { return this.loaded ? this.engine.duration_s : (this.queue.current?.duration_ms ?? NaN) / 1000; }

  get isPlaying() { return this.wantsToPlay && this.queue.current !== null; }

  // ---- What people do
  playTracks(tracks, index, source = "") {
    this.#leave("skip");
    this.queue.replace(tracks, index, source);
    this.failures = 0;
    this.#load(0);
    this.play();
  }

  jump(index) {
    this.#leave("skip");
    this.queue.jump(index);
    this.failures = 0;
    this.#load(0);
    this.play();
  }

  play() {
    if (!this.queue.current) return;
    this.wantsToPlay = true;
    if (!this.loaded) this.#load(this.startAt_s);
    this.sound.prepare();
    this.#prepareNext(); // only now is it known whether it can fade
    this.engine.play().catch((error) => {
      if (error.name !== "NotAllowedError") return; // everything else arrives as the element's error event
      this.wantsToPlay = false;
      toast(this.words.wordsBlocked);
      this.#show();
    });
    this.otherTabs.postMessage("playing");
    this.#show();
  }

  pause() {
    this.#stopRetrying();
    this.wantsToPlay = false;
    this.engine.pause();
    this.#show();
  }

  toggle() {
    if (this.wantsToPlay) this.pause();
    else this.play();
  }

  next() { this.#step(1, "skip"); }

  previous() {
    if (this.position_s > RESTART_AFTER_S || !this.queue.hasStep(-1)) this.seek(0);
    else this.#step(-1, "skip");
  }

  seek(place_s) {
    if (!this.queue.current) return;
    const target_s = Math.min(Math.max(0, place_s), Number.isFinite(this.duration_s) ? this.duration_s : place_s);
    if (this.loaded) this.engine.seek(target_s);
    else this.startAt_s = target_s;
    this.reporter.add("seek", this.queue.current.id, target_s);
    this.#showTime();
    this.dispatchEvent(new Event("seek"));
  }

  remove(index) {
    if (index === this.queue.index) this.#leave("skip");
    if (!this.queue.remove(index)) return;
    const wanted = this.wantsToPlay;
    this.#load(0);
    if (wanted && this.queue.current) this.play();
    else this.pause();
  }

  clear() {
    this.#leave("skip");
    this.pause();
    this.queue.clear();
    this.#load(0);
  }

  setVolume(volume) {
    this.sound.set({ volume: Math.min(1, Math.max(0, volume)), isMuted: false });
    this.dispatchEvent(new Event("volume"));
  }

  /** Another device changed what is current, or plays it: goes there, silent unless music plays here. */
  follow(position_s) {
    const track = this.queue.current;
    if (this.wantsToPlay && track) {
      this.#leave("skip");
      this.#load(position_s);
      this.play();
      return;
    }
    this.#stopRetrying();
    if (this.loaded) this.engine.unload();
    this.loaded = null;
    this.startAt_s = Math.max(0, Math.min(position_s, (track?.duration_ms ?? Infinity) / 1000));
    if (this.followedId !== track?.id) this.slider.show(track?.id ?? null);
    this.followedId = track?.id;
    this.#show();
  }

  setQuality(quality) {
    this.sound.set({ quality });
    if (this.loaded) this.#reload();
  }

  setCrossfade(crossfade_s) {
    this.sound.set({ crossfade_s });
    if (this.isPlaying) this.sound.prepare();
    this.#prepareNext();
  }

  // ---- Inside
  #leave(kind) {
    if (this.loaded && this.position_s > 0 && !this.engine.audio.ended) this.reporter.add(kind, this.loaded.id, this.position_s);
  }

  #step(by, kind) {
    this.#leave(kind);
    if (!this.queue.step(by)) {
      this.pause();
      this.loaded = null; // it is fetched again when somebody presses play
      this.startAt_s = 0;
      this.engine.unload();
      this.#show();
      return;
    }
    const wanted = this.wantsToPlay || kind === "complete";
    this.#load(0);
    if (wanted) this.play();
  }

  #stopRetrying() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
  }

  #load(position_s) {
    this.#stopRetrying();
    const track = this.queue.current;
    this.loaded = track;
    this.retries = 0;
    this.startAt_s = position_s;
    this.isReported = false;
    this.reporter.startTrack();
    if (track) this.engine.load(track, position_s, this.sound.quality);
    else this.engine.unload();
    this.#prepareNext();
    this.slider.show(track?.id ?? null);
    this.#show();
  }

  #reload() {
    this.startAt_s = this.position_s;
    this.engine.load(this.loaded, this.startAt_s, this.sound.quality);
    this.#prepareNext();
    if (this.wantsToPlay) this.engine.play().catch(() => {});
  }

  /** What follows is fetched before this one ends, and joined to it or faded into. */
  #prepareNext() {
    const { queue, engine, sound } = this;
    const track = engine.track;
    if (!track || queue.current?.id !== track.id) return;
    const next = queue.repeat === "one" ? queue.current : queue.peek();
    if (!next || next.playable === false) engine.setNext(null);
    else engine.setNext(next, fadesInto(track, next, queue) ? sound.crossfade_s : 0);
  }

  /** The engine has gone over into the next track by itself. */
  #joined() {
    const left = this.loaded;
    this.reporter.add("complete", left.id, (left.duration_ms ?? 0) / 1000);
    this.reporter.startTrack();
    if (this.queue.repeat !== "one") this.queue.step(1);
    this.loaded = this.queue.current;
    this.retries = 0;
    if (this.loaded?.id !== this.engine.track?.id) { // the play queue was changed at this very moment
      this.#load(0);
      this.play();
      return;
    }
    this.startAt_s = 0;
    this.isReported = true;
    this.reporter.add("play", this.loaded.id, 0);
    this.slider.show(this.loaded.id);
    this.#prepareNext();
    this.#show();
  }

  #listen() {
    const { engine } = this;
    engine.addEventListener("loadedmetadata", () => this.#showTime());
    engine.addEventListener("join", () => this.#joined());
    engine.addEventListener("timeupdate", () => {
      this.reporter.hear(!engine.audio.paused && !engine.audio.seeking, this.loaded?.id, this.position_s);
      this.#showTime();
    });
    engine.addEventListener("playing", () => {
      this.failures = 0;
      this.retries = 0;
      this.#wait(false);
      if (this.isReported) return; // after a wait for bytes, or a seek: it is the same hearing
      this.isReported = true;
      this.reporter.add("play", this.loaded.id, this.position_s);
    });
    engine.addEventListener("waiting", () => this.#wait(true));
    engine.addEventListener("play", () => {
      this.wantsToPlay = true; // also from a headset or the lock screen
      this.#show();
    });
    engine.addEventListener("pause", () => {
      this.reporter.hear(false, this.loaded?.id, this.position_s);
      if (engine.audio.ended || engine.audio.error || !this.loaded) return;
      if (this.isReported) this.reporter.add("pause", this.loaded.id, this.position_s);
      this.isReported = false;
      this.#remember();
      if (!this.retryTimer) this.wantsToPlay = false;
      this.#show();
    });
    engine.addEventListener("ended", () => {
      this.reporter.add("complete", this.loaded.id, this.position_s);
      if (this.queue.repeat === "one") {
        this.#load(0);
        this.play();
      } else {
        this.#step(1, "complete");
      }
    });
    engine.addEventListener("error", () => this.#failed());
    addEventListener("online", () => { if (this.retryTimer) this.#retry(); });
    addEventListener("pagehide", () => this.#remember());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#remember(); });
    setInterval(() => { if (this.wantsToPlay) this.#remember(); }, 2000);
    this.queue.addEventListener("change", () => { this.#prepareNext(); this.#show(); });
  }

  /** The element says little about why; a HEAD request tells "the track is gone" from "the network is". */
  async #failed() {
    const track = this.loaded;
    if (!track) return;
    this.startAt_s = this.engine.position_s;
    if (!this.wantsToPlay) { this.loaded = null; return; } // it is loaded again when somebody presses play
    let status = 0;
    try {
      status = (await fetch(streamAddress(track, this.sound.quality), { method: "HEAD", cache: "no-store" })).status;
    } catch { /* status 0: no connection */ }
    if (track !== this.loaded || !this.wantsToPlay) return;
    if (status === 0 || status === 429 || status >= 502) {
      if (this.retries === 0) toast(this.words.wordsOffline, { kind: "error" });
      this.#wait(true);
      const delay_ms = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.retries);
      this.retries += 1;
      this.retryTimer = setTimeout(() => this.#retry(), delay_ms);
      return;
    }
    this.failures += 1;
    if (this.failures < MOST_FAILURES && this.failures < this.queue.tracks.length && this.queue.hasStep(1)) {
      toast(fill(this.words.wordsSkipped, track.title), { kind: "error" });
      this.#step(1, "skip");
      this.play();
    } else {
      this.pause();
      this.loaded = null;
      const action = { words: this.words.wordsRetry, run: () => { this.failures = 0; this.play(); } };
      toast(fill(this.words.wordsFailed, track.title), { kind: "error", action });
    }
  }

  #retry() {
    this.#stopRetrying();
    if (this.loaded && this.wantsToPlay) this.#reload();
  }

  #remember() {
    keep("position", { id: this.queue.current?.id ?? null, position_s: this.position_s });
  }

  #restore() {
    const track = this.queue.current;
    const kept = recall("position", {});
    this.startAt_s = track && kept.id === track.id && Number.isFinite(kept.position_s) ? kept.position_s : 0;
    if (track) this.slider.show(track.id); // the audio itself is fetched when somebody presses play
    this.#show();
  }

  #wait(isWaiting) {
    this.element.classList.toggle("is-waiting", isWaiting && this.wantsToPlay);
  }

  #showTime() {
    const id = (name) => document.getElementById(`player-${name}`);
    id("position").textContent = clock(this.queue.current ? this.position_s : 0);
    id("length").textContent = clock(this.queue.current ? this.duration_s : 0);
    this.slider.setTime(this.position_s, this.queue.current ? this.duration_s : NaN);
    this.dispatchEvent(new Event("time"));
  }

  #show() {
    root.classList.toggle("is-playing", this.isPlaying);
    if (!this.isPlaying) this.#wait(false);
    this.#showTime();
    this.dispatchEvent(new Event("change"));
  }
}

const element = document.getElementById("player");
if (element) {
  const player = new Player(element);
  new NowPlaying(player, new QueuePanel(player));
  startRows(player);
  startRemote(player);
  startQueueForms(player);
  startKeys(player);
  startMediaSession(player);
}
