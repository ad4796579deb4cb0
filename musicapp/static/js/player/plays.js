// Tells the server what was heard. Events wait in this browser until the server has said that it has them, so that
// a tunnel or a restart loses none; a repeated event_id counts once there.
import { keep, recall } from "../page.js";

const SEND_EVERY_MS = 10_000;
const PROGRESS_EVERY_MS = 15_000;
const BATCH = 100;
const MOST_WAITING = 2000; // days without a connection; the oldest go first
const BEACON_BYTES = 60_000; // browsers refuse more than 64 KiB at the end of a page

// one place per tab, or two tabs would overwrite each other's waiting events
const tabId = crypto.randomUUID().slice(0, 8);
const key = `plays.${tabId}`;

export class PlayReporter {
  #waiting = [];
  #isSending = false;
  #retryAt = 0;
  #failures = 0;
  #heard_ms = 0;
  #heardSince = null;
  #sourceOf;

  /** sourceOf() says where what plays now was started from, as in "album-3". */
  constructor(sourceOf = () => "") {
    this.#sourceOf = sourceOf;
    this.#adopt();
    setInterval(() => this.send(), SEND_EVERY_MS);
    addEventListener("online", () => { this.#retryAt = 0; this.send(); });
    addEventListener("pagehide", () => this.#sendLast());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.#sendLast(); });
    this.send();
  }

  /** Takes over what closed tabs left. Both tabs may send the same event: it counts once. */
  #adopt() {
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith("musicapp.plays.")) continue;
      const left = recall(name.slice("musicapp.".length), []);
      if (Array.isArray(left)) this.#waiting.push(...left);
      localStorage.removeItem(name);
    }
    this.#keep();
  }

  #keep() {
    this.#waiting.splice(0, Math.max(0, this.#waiting.length - MOST_WAITING));
    if (this.#waiting.length) keep(key, this.#waiting);
    else localStorage.removeItem(`musicapp.${key}`);
  }

  /** kind: play, pause, seek, progress, skip or complete. */
  add(kind, trackId, position_s) {
    this.#waiting.push({
      event_id: crypto.randomUUID(),
      track_id: trackId,
      kind,
      position_ms: Math.max(0, Math.round(position_s * 1000)),
      at: new Date().toISOString(),
      source: (this.#sourceOf() || "").replace(/[^\p{L}\p{N}_-]/gu, "").slice(0, 40),
    });
    this.#keep();
  }

  /** Called several times a second: adds "progress" for every 15 s really heard. */
  hear(isPlaying, trackId, position_s) {
    const now = performance.now();
    if (this.#heardSince !== null) this.#heard_ms += now - this.#heardSince;
    this.#heardSince = isPlaying ? now : null;
    if (this.#heard_ms >= PROGRESS_EVERY_MS) {
      this.#heard_ms = 0;
      this.add("progress", trackId, position_s);
    }
  }

  startTrack() {
    this.#heard_ms = 0;
    this.#heardSince = null;
  }

  async send() {
    if (this.#isSending || !this.#waiting.length || Date.now() < this.#retryAt) return;
    this.#isSending = true;
    const batch = this.#waiting.slice(0, BATCH);
    try {
      const response = await fetch("/plays", {
        method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(batch), credentials: "same-origin",
      });
      // a refusal (400, 413, 422) would be refused again for ever; everything else is worth another try
      if (response.ok || [400, 413, 422].includes(response.status)) {
        const sent = new Set(batch.map((event) => event.event_id));
        this.#waiting = this.#waiting.filter((event) => !sent.has(event.event_id));
        this.#keep();
        this.#failures = 0;
      } else {
        throw new Error(`/plays answered ${response.status}`);
      }
    } catch {
      this.#failures += 1;
      this.#retryAt = Date.now() + Math.min(300_000, 5000 * 2 ** this.#failures);
    } finally {
      this.#isSending = false;
    }
    if (this.#waiting.length >= BATCH) this.send();
  }

  /** The page may never run again: the newest go out by beacon, and stay kept in case they don't arrive. */
  #sendLast() {
    if (!this.#waiting.length) return;
    let count = Math.min(BATCH, this.#waiting.length);
    let body = JSON.stringify(this.#waiting.slice(-count));
    while (body.length > BEACON_BYTES) {
      count = Math.floor(count / 2);
      body = JSON.stringify(this.#waiting.slice(-count));
    }
    navigator.sendBeacon("/plays", new Blob([body], { type: "application/json" }));
  }
}
