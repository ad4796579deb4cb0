// One track's rendition, fetched in pieces and turned into what a MediaSource takes, with every sample's place.
import { Mp3Frames } from "./mp3.js";
import { OggOpus } from "./ogg.js";

const FIRST_BYTES = 96 * 1024; // six seconds of opus_128: the first sound waits for no more
const PIECE_BYTES = 256 * 1024;
const HEAD_BYTES = 16 * 1024; // enough for what stands before the sound, when playing begins elsewhere
const GUESS_BYTES = 64 * 1024;
const MOST_GUESSES = 6;
const PREROLL_S = 0.1; // opus needs 80 ms to find its voice, mp3 looks back up to three frames
const KEPT_FACTS = 100;

const Source = window.MediaSource;
/** What may be joined here, as `formats` of the stream's address; empty where nothing may. */
export const FORMATS = [["opus", 'audio/webm; codecs="opus"'], ["mp3", "audio/mpeg"]]
  .filter(([, mime]) => Source?.isTypeSupported?.(mime)).map(([name]) => name).join();

/** The stream can't be joined here: the plain element may play it yet. */
export class PlainOnly extends Error {}

const kept = new Map();

/** The facts about a track's file; remembered, because the track after this one is asked for early. */
async function factsOf(query, track) {
  const address = `/tracks/${track.id}/audio.json?${query}`;
  if (kept.has(address)) return kept.get(address);
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new PlainOnly(`no facts: ${response.status}`);
  const facts = await response.json();
  if (facts.is_original || !["opus", "mp3"].includes(facts.codec)) throw new PlainOnly(facts.mime);
  kept.set(address, facts);
  if (kept.size > KEPT_FACTS) kept.delete(kept.keys().next().value);
  return facts;
}

export class TrackFile {
  #track;
  #query;
  #signal;
  #facts = null;
  #parser = null;
  #size = 0;
  #etag = null;
  #at = 0; // the next byte to fetch
  #first = null; // a piece that is read already

  constructor(track, quality, signal) {
    this.#track = track;
    this.#signal = signal;
    this.#query = new URLSearchParams({ ...(quality && { quality }), formats: FORMATS });
  }

  get mime() { return this.#parser.mime; }

  /** Seconds that the encoder put in front. */
  get delay_s() { return this.#parser.delay / this.#parser.rate_hz; }

  /** The sound's exact length once its end was read, else null. */
  get length_s() {
    const { total, delay, rate_hz } = this.#parser;
    return total === null ? null : (total - delay) / rate_hz;
  }

  /** Readies the pieces from a place on. Raises PlainOnly, or TypeError without a connection. */
  async open(position_s, duration_s) {
    if (this.#parser) this.#parser.jump(0);
    this.#at = 0;
    const isNear = position_s < 2;
    const [facts, bytes] = await Promise.all([factsOf(this.#query, this.#track), this.#fetch(isNear ? FIRST_BYTES : HEAD_BYTES)]);
    if (facts.size_bytes !== this.#size) {
      kept.clear(); // a better rendition has come in between
      throw new PlainOnly("another file");
    }
    this.#facts = facts;
    this.#parser = facts.codec === "mp3" ? new Mp3Frames(facts) : new OggOpus();
    this.#first = this.#read(bytes);
    if (!this.#parser.isReady) throw new PlainOnly("its beginning is not what it should be");
    if (!isNear) await this.#goTo(position_s, duration_s || facts.duration_ms / 1000);
  }

  /** The next piece {bytes, from_s, isLast}; from_s counts from the sound's beginning. Null at the end. */
  async next() {
    for (;;) {
      const item = this.#first ?? (this.#at < this.#size ? this.#read(await this.#fetch(PIECE_BYTES)) : null);
      this.#first = null;
      if (item) return { ...item, from_s: item.from / this.#parser.rate_hz - this.delay_s, isLast: this.length_s !== null };
      if (this.#at >= this.#size) return null;
    }
  }

  #read(bytes) { return this.#parser.push(bytes, this.#at >= this.#size); }

  /** Finds the bytes of a place: at once in mp3 of constant bitrate, by a few guesses in opus. */
  async #goTo(position_s, duration_s) {
    const perSecond = this.#size / duration_s;
    const wanted_s = Math.max(0, position_s - PREROLL_S);
    let guess = Math.floor(perSecond * (wanted_s - 1));
    for (let tries = 0; tries < MOST_GUESSES && guess > 0; tries += 1) {
      this.#at = Math.min(guess, this.#size - 1);
      this.#parser.jump(this.#at);
      this.#first = this.#read(await this.#fetch(GUESS_BYTES));
      if (this.#first) {
        const from_s = this.#first.from / this.#parser.rate_hz - this.delay_s;
        if (from_s <= wanted_s && from_s > wanted_s - 20) return;
        guess += Math.floor((wanted_s - from_s) * perSecond) - (from_s > wanted_s ? GUESS_BYTES / 2 : 0);
      } else {
        guess -= GUESS_BYTES;
      }
    }
    this.#parser.jump(0);
    this.#at = 0;
    this.#first = null;
  }

  async #fetch(length) {
    const from = this.#at;
    const ask = (more) => fetch(`/tracks/${this.#track.id}/stream?${this.#query}`, {
      headers: { Range: `bytes=${from}-${from + length - 1}`, ...more }, signal: this.#signal, credentials: "same-origin",
    });
    let response = await ask({});
    const isOther = this.#etag && response.headers.get("ETag") !== this.#etag;
    if (isOther && response.ok) {
      response.body?.cancel();
      response = await ask({ "If-Range": this.#etag }); // the file that was begun, although there is a better one now
    }
    const size = Number(response.headers.get("Content-Range")?.split("/")[1]);
    if (response.status !== 206 || !size || (this.#size && size !== this.#size)) {
      response.body?.cancel();
      throw new PlainOnly(`the stream answered ${response.status}`);
    }
    this.#size = size;
    this.#etag = response.headers.get("ETag");
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.#at += bytes.length;
    return bytes;
  }
}
