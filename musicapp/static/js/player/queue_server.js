// The way of the play queue's changes to the server: one after the other, kept until the server has them, and repeated
// without harm, because a device numbers what it adds. Knows nothing of what a change means.
import { keep, recall } from "../page.js";

const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 30_000;
const BEACON_BYTES = 60_000;

const tabId = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
const headers = { Accept: "application/json" };

/** This browser, among a person's devices. */
export const deviceId = recall("device", null) ?? [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
keep("device", deviceId);

export class QueueServer {
  #key;
  #changes = [];
  #waiting = [];
  #isSending = false;
  #timer = 0;
  #failures = 0;
  #settled;
  #refused;
  /** True after a lost connection until the server's state is known again: others may have changed the queue meanwhile. */
  wasCut = false;

  /** settled(answer): all changes have arrived. refused(words): one was not taken. */
  constructor(user, { settled, refused }) {
    this.#settled = settled;
    this.#refused = refused;
    const prefix = `queue_changes.${user}.`;
    this.#key = prefix + tabId;
    // what a closed tab could not send; where that tab still runs both send it, and it counts once
    for (const name of Object.keys(localStorage).filter((one) => one.startsWith(`musicapp.${prefix}`))) {
      this.#changes.push(...recall(name.slice("musicapp.".length), []));
      localStorage.removeItem(name);
    }
    this.wasCut = this.#changes.length > 0;
    addEventListener("offline", () => { this.wasCut = true; });
    addEventListener("online", () => this.#drain());
    addEventListener("pagehide", () => {
      for (const { door, fields } of this.#changes) this.beacon(door, fields);
    });
  }

  get isIdle() { return !this.#changes.length; }

  start() { if (!this.isIdle) this.#drain(); }

  send(door, fields) {
    this.#changes.push({ door, fields });
    this.#keep();
    this.#drain();
  }

  #keep() {
    if (this.#changes.length) keep(this.#key, this.#changes);
    else localStorage.removeItem(`musicapp.${this.#key}`);
  }

  async #drain() {
    if (this.#isSending) return;
    this.#isSending = true;
    clearTimeout(this.#timer);
    let last = null;
    while (this.#changes.length) {
      const { door, fields } = this.#changes[0];
      const response = await this.post(`/queue/${door}`, fields);
      if (!response || response.status === 429 || response.status >= 500) {
        this.wasCut = true;
        this.#timer = setTimeout(() => this.#drain(), Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** this.#failures));
        this.#failures += 1;
        break;
      }
      this.#failures = 0;
      this.#changes.shift();
      this.#keep();
      const answer = await response.json().catch(() => ({}));
      if (response.ok) last = answer;
      else {
        last = {}; // what it did here must be undone: the order can't be the same
        this.#refused(answer.error);
      }
    }
    this.#isSending = false;
    if (!this.isIdle) return;
    if (last) this.#settled(last);
    for (const done of this.#waiting.splice(0)) done();
  }

  /** The response, or null without a connection. */
  async post(address, fields) {
    return fetch(address, { method: "POST", body: new URLSearchParams(fields), headers, credentials: "same-origin" }).catch(() => null);
  }

  /** Resolves when all changes made so far have arrived: for a door that changes the queue its own way. */
  async arrived() {
    if (!this.isIdle) await new Promise((done) => { this.#waiting.push(done); });
  }

  /** The answer as an object, or null. */
  async get(address) {
    const response = await fetch(address, { headers, credentials: "same-origin" }).catch(() => null);
    return response?.ok ? response.json().catch(() => null) : null;
  }

  /** For a page that may never run again. */
  beacon(door, fields) {
    const body = new URLSearchParams(fields);
    if (body.toString().length < BEACON_BYTES) navigator.sendBeacon(`/queue/${door}`, body);
  }
}
