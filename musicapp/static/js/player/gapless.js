// Tracks joined on one MediaSource, so that one <audio> plays from one into the next without losing or adding a sample:
// what encoders put around the sound falls outside the append window.
import { FORMATS, PlainOnly, TrackFile } from "./track_file.js";

const AHEAD_S = 40; // fetched before it is heard: the whole of a minute's tunnel would cost a phone's traffic for skipped tracks
const BEHIND_S = 30;
const RETRY_MS = 2000;
const SLACK_S = 60; // a MediaSource without a length lets nobody seek

export const canJoin = FORMATS !== "";

class Stopped extends Error {}

/** The tape of one <audio>: what it plays now, and what is joined behind. handlers: onJoin(track) when playing has gone
    over into the next track, onFail(error, track) when the current one can't go on. */
export class Tape {
  #audio;
  #quality;
  #handlers;
  #source = new MediaSource();
  #buffer = null;
  #type = null;
  #segments = []; // {track, file, start, end}: seconds on the tape; end is null until it is known exactly
  #next = null;
  #run = null; // AbortController of what fills the tape
  #filled_s = 0;
  #joinTimer = 0;
  #chain = Promise.resolve();
  #wake = new EventTarget();
  #listening = new AbortController();
  #target_s; // where playing is to begin, until the element can be told
  #isBroken = false;
  #early = null; // {file, position_s, ready}: what is being opened before the tape is

  constructor(audio, track, position_s, quality, handlers) {
    this.#audio = audio;
    this.#quality = quality;
    this.#handlers = handlers;
    this.#segments = [{ track, start: 0, end: null }];
    this.#target_s = position_s;
    const { signal } = this.#listening;
    // bytes are asked for while the browser still makes the source: that is tens of milliseconds to the first sound
    const file = new TrackFile(track, quality, signal);
    this.#early = { file, position_s, ready: file.open(position_s, (track.duration_ms ?? 0) / 1000) };
    this.#early.ready.catch(() => {});
    const url = URL.createObjectURL(this.#source);
    audio.src = url;
    for (const name of ["timeupdate", "seeking", "playing"]) {
      audio.addEventListener(name, () => this.#tick(), { signal });
    }
    this.#source.addEventListener("sourceopen", () => {
      URL.revokeObjectURL(url);
      this.#begin(this.#target_s);
    }, { once: true, signal });
  }

  get #current() { return this.#segments[0]; }

  get track() { return this.#current.track; }

  get position_s() { return this.#target_s ?? Math.max(0, this.#audio.currentTime - this.#current.start); }

  get duration_s() {
    const { start, end, track } = this.#current;
    return end === null ? (track.duration_ms ?? NaN) / 1000 : end - start;
  }

  /** What is to follow without a gap; null for nothing. Takes back another track that was joined already. */
  setNext(track) {
    if (track?.id === this.#next?.id) return;
    this.#next = track;
    const joined = this.#segments[1];
    if (joined && joined.track.id !== track?.id) {
      this.#stop();
      this.#segments.length = 1;
      this.#filled_s = joined.start;
      this.#operate(() => this.#buffer.remove(joined.start, Infinity)).catch(() => {});
      this.#fill(null);
    } else if (!this.#run && this.#current.end !== null) {
      this.#fill(null); // another one could not be joined
    }
    this.#wake.dispatchEvent(new Event("next"));
  }

  seek(position_s) {
    const { start } = this.#current;
    const target_s = start + Math.max(0, Math.min(position_s, this.duration_s - 0.05));
    const { buffered } = this.#audio;
    for (let range = 0; range < buffered.length && this.#target_s === null; range += 1) {
      if (buffered.start(range) <= target_s && target_s < buffered.end(range)) {
        this.#audio.currentTime = target_s;
        return;
      }
    }
    this.#target_s = target_s - start;
    if (this.#source.readyState === "closed") return; // it begins there
    this.#stop();
    this.#segments.length = 1;
    this.#begin(this.#target_s);
  }

  #arrive(position_s) {
    this.#target_s = null;
    this.#audio.currentTime = this.#current.start + position_s;
  }

  #expect(segment) {
    const { duration_ms } = segment.track;
    if (this.#source.readyState !== "open") return;
    this.#source.duration = Math.max(segment.start + (duration_ms ?? 0) / 1000, this.#filled_s) + SLACK_S;
  }

  close() {
    this.#stop();
    this.#listening.abort();
    clearTimeout(this.#joinTimer);
  }

  /** Fills the tape anew from a place of the current track on. */
  #begin(position_s) {
    this.#fill(position_s, async () => {
      if (!this.#buffer) return;
      await this.#operate(() => this.#buffer.remove(0, Infinity));
      this.#filled_s = 0;
      await this.#operate(() => this.#expect(this.#current));
      this.#arrive(position_s);
    });
  }

  #stop() {
    this.#run?.abort();
    this.#run = null;
  }

  /** position_s: where to begin in the current track; null when it is complete and what follows is wanted. */
  async #fill(position_s, prepare = null) {
    const run = new AbortController();
    this.#run = run;
    let segment = this.#current;
    try {
      await prepare?.();
      if (position_s !== null) await this.#append(segment, position_s, run.signal);
      for (;;) {
        const track = await this.#following(run.signal);
        segment = { track, start: this.#segments.at(-1).end, end: null };
        this.#segments.push(segment);
        await this.#append(segment, 0, run.signal);
      }
    } catch (error) {
      if (run.signal.aborted || error instanceof Stopped) return;
      this.#run = null;
      if (segment === this.#current) {
        this.#handlers.onFail(error, segment.track);
      } else {
        this.#segments.length = 1;
        this.#end().catch(() => {}); // the element says "ended", and the next track is loaded as any other
      }
    }
  }

  async #following(signal) {
    const joined = () => this.#segments.length > 1; // one ahead is enough
    for (;;) {
      if (!joined() && this.#next) return this.#next;
      if (!joined()) await this.#end();
      await this.#event(signal);
    }
  }

  /** Nothing follows: the element may come to its end. Appending more takes that back. */
  #end() {
    return this.#operate(() => { if (this.#source.readyState === "open") this.#source.endOfStream(); });
  }

  async #append(segment, position_s, signal) {
    const file = await this.#opened(segment, position_s, signal);
    let isFirst = true;
    for (;;) {
      const item = await this.#patiently(() => file.next(), segment, signal);
      if (!item) break;
      const until_s = file.length_s === null ? null : segment.start + file.length_s;
      await this.#operate(() => {
        this.#check(signal);
        this.#take(file.mime);
        if (isFirst) {
          if (this.#source.readyState === "open") this.#buffer.abort();
          // mp3 has no times of its own: the first sample appended goes to the offset
          this.#buffer.timestampOffset = segment.start - file.delay_s + (this.#buffer.mode === "sequence" ? item.from_s + file.delay_s : 0);
          this.#expect(segment); // open again by now
        }
        this.#buffer.appendWindowEnd = until_s ?? Infinity;
        this.#buffer.appendWindowStart = segment.start;
        this.#buffer.appendBuffer(item.bytes);
      });
      if (isFirst && this.#target_s !== null && segment === this.#current) this.#arrive(position_s);
      isFirst = false;
      const { buffered } = this.#buffer;
      this.#filled_s = buffered.length ? buffered.end(buffered.length - 1) : 0;
      await this.#evict();
      while (this.#filled_s - this.#audio.currentTime > AHEAD_S) await this.#event(signal);
    }
    if (isFirst) throw new PlainOnly("nothing in it");
    segment.end = segment.start + (file.length_s ?? this.#filled_s - segment.start);
    this.#tick();
  }

  async #opened(segment, position_s, signal) {
    const early = this.#early;
    this.#early = null;
    if (early?.position_s === position_s) {
      await early.ready;
      this.#check(signal);
      return early.file;
    }
    const file = new TrackFile(segment.track, this.#quality, signal);
    await this.#patiently(() => file.open(position_s, segment.track.duration_ms / 1000), segment, signal);
    return file;
  }

  /** Without a connection: again and again while there is something left to hear. */
  async #patiently(run, segment, signal) {
    for (;;) {
      try {
        const result = await run();
        this.#check(signal);
        return result;
      } catch (error) {
        this.#check(signal);
        const left_s = this.#filled_s - this.#audio.currentTime;
        if (left_s < 1 || (error instanceof PlainOnly && segment !== this.#current)) throw error;
        await Promise.race([this.#event(signal), new Promise((resolve) => { setTimeout(resolve, RETRY_MS); })]);
      }
    }
  }

  #take(mime) {
    if (this.#type === mime) return;
    if (this.#buffer) {
      this.#buffer.changeType(mime);
    } else {
      this.#buffer = this.#source.addSourceBuffer(mime);
      this.#buffer.addEventListener("error", () => { this.#isBroken = true; });
    }
    this.#type = mime;
    if (mime !== "audio/mpeg") this.#buffer.mode = "segments";
  }

  async #evict() {
    const until_s = this.#audio.currentTime - BEHIND_S;
    const { buffered } = this.#buffer;
    if (buffered.length && until_s - buffered.start(0) > BEHIND_S) await this.#operate(() => this.#buffer.remove(0, until_s));
  }

  /** One thing at a time happens to a SourceBuffer. */
  #operate(run) {
    const done = this.#chain.then(async () => {
      await this.#idle();
      run();
      await this.#idle();
    });
    this.#chain = done.catch(() => {});
    return done;
  }

  async #idle() {
    if (this.#buffer?.updating) {
      await new Promise((resolve) => { this.#buffer.addEventListener("updateend", resolve, { once: true }); });
    }
    if (this.#isBroken) throw new PlainOnly("the browser can't read it");
  }

  #check(signal) {
    if (signal.aborted) throw new Stopped();
  }

  /** Waits until something has happened: time has gone on, or another track is to follow. */
  #event(signal) {
    return new Promise((resolve, reject) => {
      const done = () => (signal.aborted ? reject(new Stopped()) : resolve());
      this.#wake.addEventListener("tick", done, { once: true });
      this.#wake.addEventListener("next", done, { once: true });
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  #tick() {
    clearTimeout(this.#joinTimer);
    const { end } = this.#current;
    const left_s = end === null ? Infinity : end - this.#audio.currentTime;
    if (this.#segments.length > 1 && left_s <= 0.005) {
      this.#segments.shift();
      this.#next = null;
      this.#handlers.onJoin(this.track);
    } else if (this.#segments.length > 1 && left_s < 1 && !this.#audio.paused) {
      this.#joinTimer = setTimeout(() => this.#tick(), left_s * 1000);
    }
    this.#wake.dispatchEvent(new Event("tick"));
  }
}
