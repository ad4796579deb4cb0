// The play queue: what plays, in which order. Knows nothing of audio. For strangers it lives in this browser; for people
// with an account on the server, the same on all their devices: a change shows here at once and goes there by itself.
import { keep, recall } from "../page.js";
import { addedLast, addedNext, hashOf, numbered, shuffled, unshuffled, withPlaces } from "./order.js";
import { deviceId, QueueServer } from "./queue_server.js";

const MOST_HERE = 2000; // tracks that localStorage bears with all that is known about them
const BEFORE = 25; // tracks around the current one that are always known: as many as panel.js shows
const AFTER = 85;
const ASK = 200; // tracks at once
const KEEP_AFTER_MS = 300;
const MODES = ["off", "all", "one"];
const OWN_IDS = 2 ** 30; // from here up devices number what they add

const newEntry = () => OWN_IDS + Math.floor(Math.random() * (OWN_IDS - 20_000));
const newSeed = () => crypto.getRandomValues(new Uint32Array(1))[0];
const isKnown = (track) => track.title !== undefined;

/** Whose queue this is: the live channel knows. "" for strangers. */
const userOf = (bus) => /(?:^|\s)queue-(\d+)/.exec(bus?.dataset.topics ?? "")?.[1] ?? "";

/** Events: "change" whenever anything differs; "remote" when another device, tab or page made it so: detail.before is the
    track that was current. */
export class PlayQueue extends EventTarget {
  #server = null;
  #key = "queue";
  #keepTimer = 0;
  #asking = new Set();
  #unread = null; // what was heard while changes were on their way
  #version = -1;

  constructor() {
    super();
    const bus = document.getElementById("live-bus");
    const user = userOf(bus);
    if (user) this.#key = `queue.${user}`;
    const kept = recall(this.#key, {});
    const tracks = Array.isArray(kept.tracks) ? kept.tracks : [];
    this.tracks = tracks.every((track) => track.entry) ? tracks : numbered(tracks, newEntry()); // in playing order
    this.index = Math.min(Math.max(0, kept.index ?? 0), Math.max(0, this.tracks.length - 1));
    this.isShuffled = kept.isShuffled === true;
    this.repeat = MODES.includes(kept.repeat) ? kept.repeat : "off";
    this.source = kept.source ?? ""; // where it was started from: album-3, search
    this.most = MOST_HERE;
    this.remote = { deviceId: "", device: "", isPlaying: false, position_s: 0, at: 0 }; // who plays, and where it was then
    this.isHeard = false; // whether this tab plays: remote.js says so
    addEventListener("pagehide", () => this.#write());
    if (user) this.#connect(user, bus);
    // somebody else's titles don't stay in a browser that is signed out
    else Object.keys(localStorage).filter((name) => /^musicapp\.queue(_changes)?\./.test(name)).forEach((name) => localStorage.removeItem(name));
  }

  get length() { return this.tracks.length; }
  get current() { return this.tracks[this.index] ?? null; }
  get isOnServer() { return this.#server !== null; }
  get server() { return this.#server; }
  get isPlayingElsewhere() { return this.remote.isPlaying && this.remote.deviceId !== "" && this.remote.deviceId !== deviceId; }

  at(index) { return this.tracks[index] ?? null; }

  /** Where the device that plays is by now, in seconds. */
  get position_s() {
    const { isPlaying, position_s, at } = this.remote;
    return position_s + (isPlaying ? (performance.now() - at) / 1000 : 0);
  }

  // ---- Changes
  /** Plays these from one of them on. */
  replace(tracks, index, source = "") {
    const from = Math.max(0, Math.min(index, tracks.length - this.most));
    const entry = newEntry();
    const seed = newSeed();
    const wanted = tracks.slice(from, from + this.most);
    this.tracks = numbered(wanted, entry);
    this.index = Math.max(0, index - from);
    this.source = source;
    if (this.isShuffled) this.#mix(seed);
    this.#claim();
    this.#changed("replace", {
      track_ids: wanted.map((track) => track.id).join(), start: index - from, source, first_entry_id: entry, seed, play: 1, device_id: deviceId,
    });
  }

  /** Adds behind the current track; the new entries' ids, or null where they don't fit. */
  addNext(tracks, source = "") { return this.#add(tracks, "next", source); }

  addLast(tracks, source = "") { return this.#add(tracks, "last", source); }

  #add(tracks, place, source) {
    if (this.length + tracks.length > this.most) return null;
    const entry = newEntry();
    if (!this.length) this.source = source;
    this.tracks = place === "next" ? addedNext(this.tracks, tracks, entry, this.length ? this.index : -1) : addedLast(this.tracks, tracks, entry);
    this.#changed("add", { track_ids: tracks.map((track) => track.id).join(), place, source, first_entry_id: entry });
    return tracks.map((_, at) => entry + at);
  }

  #mix(seed) {
    this.tracks = shuffled(this.tracks, this.index, seed);
    this.index = 0;
  }

  toggleShuffle() {
    this.isShuffled = !this.isShuffled;
    const seed = newSeed();
    if (this.isShuffled) {
      this.#mix(seed);
    } else {
      const { current } = this;
      this.tracks = unshuffled(this.tracks);
      this.index = Math.max(0, this.tracks.indexOf(current));
    }
    this.#changed("shuffle", { on: this.isShuffled ? 1 : 0, seed });
  }

  cycleRepeat() {
    this.repeat = MODES[(MODES.indexOf(this.repeat) + 1) % MODES.length];
    this.#changed("repeat", { repeat: this.repeat });
  }

  /** The index that a step leads to, past what can't be played, or -1. */
  #next(by) {
    for (let steps = 1; steps <= this.length; steps += 1) {
      let next = this.index + by * steps;
      if (this.repeat === "off" && !this.tracks[next]) return -1;
      next = (next + steps * this.length) % this.length;
      if (this.tracks[next].playable !== false) return next;
    }
    return -1;
  }

  /** Steps by one (or back by minus one); false at the end, where nothing repeats. */
  step(by) {
    const next = this.#next(by);
    if (next < 0) return false;
    this.#go(next);
    return true;
  }

  hasStep(by) { return this.#next(by) >= 0; }

  /** The track that step(1) goes to, or null. */
  peek() { return this.at(this.#next(1)); }

  /** Makes a track the current one, from its beginning, wherever music plays. */
  go(index) { if (this.tracks[index]) this.#go(index); }

  /** Goes to a track to play it here. */
  jump(index) {
    if (!this.tracks[index]) return;
    this.#claim();
    this.#go(index, { play: 1, device_id: deviceId });
  }

  #go(index, more = {}) {
    this.index = index;
    this.remote = { ...this.remote, position_s: 0, at: performance.now() };
    this.#changed("jump", { entry_id: this.current.entry, ...more });
  }

  move(from, to) {
    if (to < 0 || to >= this.length || from === to) return;
    const { current } = this;
    const [moved] = this.tracks.splice(from, 1);
    this.tracks.splice(to, 0, moved);
    if (!this.isShuffled) withPlaces(this.tracks);
    this.index = this.tracks.indexOf(current);
    this.#changed("move", { entry_id: moved.entry, after_entry_id: this.tracks[to - 1]?.entry ?? "" });
  }

  /** True when the removed track was the current one: the next has moved into its place. */
  remove(index) { return this.removeEntries([this.tracks[index]?.entry]); }

  removeEntries(entries) {
    const { current } = this;
    const gone = new Set(entries);
    const before = this.tracks.slice(0, this.index).filter((track) => !gone.has(track.entry)).length;
    const left = this.tracks.filter((track) => !gone.has(track.entry));
    if (left.length === this.length) return false;
    this.tracks = this.isShuffled ? left : withPlaces(left);
    this.index = Math.max(0, Math.min(before, this.length - 1));
    this.#changed("remove", { entry_ids: [...gone].join() });
    return gone.has(current?.entry);
  }

  clear() {
    this.tracks = [];
    this.index = 0;
    this.source = "";
    this.#changed("clear", {});
  }

  /** Tells the server that this tab plays now, from where it is. */
  playHere(position_s) {
    this.#claim();
    this.#server?.send("play-here", { device_id: deviceId, entry_id: this.current.entry, position_ms: Math.round(position_s * 1000) });
  }

  /** This tab plays no more. */
  rest(position_s) {
    this.isHeard = false;
    this.remote = { ...this.remote, isPlaying: false, position_s, at: performance.now() };
  }

  #claim() { this.remote = { deviceId, device: "", isPlaying: true, position_s: 0, at: performance.now() }; }

  #changed(door, fields) {
    this.#server?.send(door, fields);
    this.#show();
  }

  #show() {
    clearTimeout(this.#keepTimer);
    if (this.isOnServer) this.#keepTimer = setTimeout(() => this.#write(), KEEP_AFTER_MS); // 10,000 tracks take a while
    else this.#write();
    if (this.isOnServer && this.length) this.window(this.index - BEFORE, this.index + AFTER);
    this.dispatchEvent(new Event("change"));
  }

  #write() {
    clearTimeout(this.#keepTimer);
    const { index, isShuffled, repeat, source } = this;
    const isNear = (at) => !this.isOnServer || (at >= index - BEFORE && at < index + AFTER);
    const tracks = this.tracks.map((track, at) => (isNear(at) ? track : { id: track.id, entry: track.entry, place: track.place }));
    keep(this.#key, { tracks, index, isShuffled, repeat, source });
  }

  // ---- What tracks are called
  /** The tracks from one index up to another, with all that the server says about them. */
  async window(from, to) {
    const wanted = this.tracks.slice(Math.max(0, from), to);
    const missing = [...new Set(wanted.filter((track) => !isKnown(track)).map((track) => track.id))].filter((id) => !this.#asking.has(id));
    if (!missing.length || !this.isOnServer) return wanted;
    missing.forEach((id) => this.#asking.add(id));
    for (let at = 0; at < missing.length; at += ASK) {
      const ids = missing.slice(at, at + ASK);
      const found = await this.#server.get(`/queue/tracks.json?ids=${ids.join()}`);
      ids.forEach((id) => this.#asking.delete(id));
      if (!found) break; // who draws them asks again
      this.#learn(found, ids);
      this.dispatchEvent(new Event("change"));
    }
    return this.tracks.slice(Math.max(0, from), to);
  }

  #learn(found, asked) {
    const ids = new Set(asked.map(Number));
    for (const track of this.tracks) {
      if (ids.has(track.id) && !isKnown(track)) Object.assign(track, found[track.id] ?? { title: "", artists: "", playable: false, isGone: true });
    }
  }

  // ---- The server's side
  #connect(user, bus) {
    this.most = 10_000;
    this.#server = new QueueServer(user, {
      settled: (answer) => this.#settle(answer),
      refused: (words) => this.dispatchEvent(new CustomEvent("refused", { detail: { words } })),
    });
    new MutationObserver(() => this.#hear(document.getElementById(`play_queue-${user}`)?.dataset)).observe(
      bus, { subtree: true, childList: true, attributes: true },
    );
    // the first stream has no cursor, a lost one may come back without: what was said in between is asked for
    let isSure = false;
    document.addEventListener("musicapp:live", ({ detail: { state } }) => {
      if (state === "resync" || (state === "open" && !isSure)) this.refresh();
      isSure = state !== "lost";
      if (!isSure) this.#server.wasCut = true;
    });
    addEventListener("online", () => this.refresh());
    addEventListener("pageshow", (event) => { if (event.persisted) this.refresh(); });
    this.#server.start();
    this.refresh();
  }

  /** A live update: all of the state but the order. */
  #hear(said) {
    if (!said?.version) return;
    this.take({
      version: Number(said.version), entries_hash: Number(said.entriesHash), current_entry_id: Number(said.currentEntryId),
      position_ms: Number(said.positionMs), is_playing: said.isPlaying === "1", is_shuffled: said.isShuffled === "1",
      repeat: said.repeat, source: said.source, device_id: said.deviceId, device: said.device,
    });
  }

  /** Takes what the server says, unless something newer is known or on its way. */
  take(state) {
    if (state.version <= this.#version) return;
    if (!this.#server.isIdle) this.#unread = state;
    else if (state.entries_hash === hashOf(this.tracks)) this.#adopt(state);
    else this.refresh();
  }

  #settle(answer) {
    const heard = this.#unread;
    this.#unread = null;
    if (answer.entries_hash !== hashOf(this.tracks)) this.refresh();
    else this.#adopt(answer);
    if (heard) this.take(heard);
    this.dispatchEvent(new Event("settled"));
  }

  /** Fetches what the server has; the order only where it differs. */
  async refresh() {
    await this.#server.arrived();
    const state = await this.#server.get(`/queue.json?hash=${hashOf(this.tracks)}`);
    if (!state || !this.#server.isIdle || state.version < this.#version) return; // settling asks again
    this.most = state.most;
    if (this.#moveIn(state)) return;
    this.#adopt(state);
  }

  /** What a stranger listened to is there after signing in, where the account has nothing yet. */
  #moveIn(state) {
    const kept = recall("queue", {});
    localStorage.removeItem("musicapp.queue");
    if (state.version > 0 || this.length || !kept.tracks?.length) return false;
    this.#version = state.version;
    this.isShuffled = false;
    this.replace(kept.tracks, kept.index ?? 0, kept.source);
    return true;
  }

  #adopt(state) {
    const before = this.current;
    this.#version = state.version;
    if (state.order) this.#reorder(state);
    Object.assign(this, { isShuffled: state.is_shuffled, repeat: state.repeat, source: state.source });
    this.remote = {
      deviceId: state.device_id, device: state.device, isPlaying: state.is_playing, position_s: state.position_ms / 1000, at: performance.now(),
    };
    const at = this.tracks.findIndex((track) => track.entry === state.current_entry_id);
    this.index = Math.max(0, at);
    const isLost = before && state.order && !this.tracks.some((track) => track.entry === before.entry);
    const { wasCut } = this.#server;
    this.#server.wasCut = false;
    // others changed the queue while this device was away: what it plays is not taken from it
    const isKept = isLost && wasCut && this.isHeard && !this.isPlayingElsewhere && this.addNext([before]) !== null;
    if (isKept) {
      this.index += 1;
      this.#changed("jump", { entry_id: this.current.entry });
    }
    this.#show();
    this.dispatchEvent(new CustomEvent("remote", { detail: { before: isKept ? this.current : before } }));
  }

  #reorder(state) {
    const known = new Map();
    const same = new Map();
    for (const track of this.tracks) {
      same.set(track.entry, track);
      if (isKnown(track)) known.set(track.id, track);
    }
    this.tracks = state.order.map(([entry, id, place]) => {
      const track = same.get(entry) ?? { ...(known.get(id) ?? { id }), entry };
      if (!isKnown(track) && state.tracks?.[id]) Object.assign(track, state.tracks[id]);
      track.place = place;
      return track;
    });
  }
}
