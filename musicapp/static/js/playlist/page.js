// An open playlist: what others do is shown as it happens, what this page does at once and sent in its turn.
// The changes arrive as elements of #playlist-<id>-changes (docs/live.md) and are applied strictly by version; where one
// is missing, after a second, a lost connection or a return from offline, the page asks for what it has not seen.
import { toast } from "../toasts.js";
import { Order } from "./order.js";
import { startPresence } from "./presence.js";
import { RowWindow } from "./row_window.js";
import { Selection } from "./selection.js";

const GAP_MS = 1000;
const RETRY_MS = 3000;
const NEWS_MS = 6000;
const RELOAD_SPREAD_MS = 400;
const JSON_ONLY = { Accept: "application/json" };

class RefusedError extends Error { isRefusal = true; }

export class PlaylistPage {
  constructor(root) {
    this.root = root;
    this.words = root.dataset;
    this.url = `/playlists/${root.dataset.playlist}`;
    this.mayEdit = root.dataset.role === "owner" || root.dataset.role === "editor";
    this.view = root.dataset.view ?? ""; // "sort=title&down=1": drawn in another order than its own
    this.isClosed = false;
    this.waiting = new Map(); // version -> change that came before its turn
    this.sending = Promise.resolve();
    this.timers = new Set();
    this.list = root.querySelector(".playlist-rows");
    this.news = root.querySelector("#playlist-news");
    const rows = [...this.list.querySelectorAll(":scope > [data-entry]")];
    this.order = new Order(rows.map((row) => [Number(row.dataset.entry), row.dataset.key]), Number(root.dataset.version));
    this.viewIds = rows.map((row) => Number(row.dataset.entry));
    this.window = new RowWindow(this.list, {
      load: (ids) => this.#rows(`ids=${ids.join(",")}`),
      prepare: (row) => { if (!this.canMove) row.querySelector(".row-edit")?.remove(); row.tabIndex = -1; },
      shown: (row) => this.selection?.paint(row),
    });
    this.selection = new Selection(this);
    this.ready = this.#start(Number(root.dataset.count));
    this.#listen();
    this.stopPresence = root.dataset.role ? startPresence(`${this.url}/presence`) : () => this.#seen();
    this.#seen();
  }

  get canMove() { return this.mayEdit && !this.view; }

  get ids() { return this.view ? this.viewIds : this.order.ids; }

  async #start(count) {
    if (count !== this.viewIds.length || this.words.from !== "0") await this.reload();
    else this.window.show(this.ids);
    this.root.classList.add("is-live");
    this.#offerUndo();
  }

  /** After a plain form (sort, restore): the note that the server wrote gets the button that takes it back. */
  #offerUndo() {
    const field = this.root.querySelector(".only-plain [name=change_id]");
    if (!field) return;
    const words = document.querySelector("#toasts .toast:last-child .toast-words")?.textContent;
    toast(words ?? field.form.textContent.trim(), { action: { words: this.words.wordsUndo, run: () => this.undo(field.value) } });
    field.closest(".only-plain").remove();
    history.replaceState(history.state, "", location.pathname + location.search.replace(/([?&])undo=\d+&?/, "$1").replace(/[?&]$/, ""));
  }

  close() {
    this.isClosed = true;
    this.window.close();
    this.selection.close();
    this.stopPresence();
    this.observer.disconnect();
    for (const timer of this.timers) clearTimeout(timer);
    this.abort.abort();
  }

  #later(run, delay_ms) {
    const timer = setTimeout(() => { this.timers.delete(timer); run(); }, delay_ms);
    this.timers.add(timer);
    return timer;
  }

  /** What a follower has looked at is news no more. */
  #seen() {
    if (this.words.followed !== undefined) navigator.sendBeacon(`${this.url}/seen`);
  }

  // ---- What comes in
  #listen() {
    this.abort = new AbortController();
    const { signal } = this.abort;
    const inbox = this.root.querySelector(".playlist-changes");
    this.observer = new MutationObserver(() => {
      for (const element of [...inbox.children]) {
        element.remove();
        const rows = element.querySelector("template")?.content.querySelectorAll("[data-entry]") ?? [];
        this.receive(JSON.parse(element.dataset.change), [...rows]);
      }
    });
    this.observer.observe(inbox, { childList: true });
    document.addEventListener("musicapp:live", (event) => {
      // the stream lists what was missed when it can; a page too far behind would be swapped under the reader's hands
      if (event.detail.state === "resync") event.preventDefault();
      if (event.detail.state !== "open" || this.wasOpen) this.catchUp();
      this.wasOpen = true;
    }, { signal });
    addEventListener("online", () => this.catchUp(), { signal });
    this.root.addEventListener("submit", (event) => this.#submit(event), { signal, capture: true });
    addEventListener("beforeunload", (event) => { if (this.order.pending.length) event.preventDefault(); }, { signal });
  }

  receive(change, rows = []) {
    if (this.isClosed) return;
    for (const row of rows) this.window.replace(row);
    if (change.version > this.order.version) this.waiting.set(change.version, change);
    if (this.isReloading) return;
    const applied = [];
    for (let next; (next = this.waiting.get(this.order.version + 1)); ) {
      this.waiting.delete(next.version);
      if (next.is_large) { this.reload(); return; }
      this.order.apply(next);
      applied.push(next);
    }
    if (this.waiting.size && !this.gapTimer) {
      this.gapTimer = this.#later(() => { this.gapTimer = 0; if (this.waiting.size) this.catchUp(); }, GAP_MS);
    }
    if (applied.length) this.#show(applied);
    if (rows.length) document.dispatchEvent(new Event("musicapp:rows"));
  }

  #show(changes) {
    for (const change of changes) {
      if (change.by_id === Number(this.words.me)) continue;
      for (const { entry_id: id } of [...change.added, ...change.moved].slice(0, 50)) this.window.tag(id, change.by);
      this.news.textContent = change.words;
      clearTimeout(this.newsTimer);
      this.newsTimer = this.#later(() => { this.news.textContent = ""; }, NEWS_MS);
    }
    if (!this.view) {
      this.draw();
    } else if (!this.viewTimer) {
      this.viewTimer = this.#later(() => { this.viewTimer = 0; this.reload(); }, RELOAD_SPREAD_MS);
    }
  }

  draw() {
    if (this.isClosed) return;
    const { ids } = this;
    this.root.classList.toggle("is-empty", ids.length === 0);
    this.selection.keep(ids);
    this.window.show(ids, { glides: true });
  }

  /** Asks for the changes that this page has not seen, and whether it may still be here. */
  async catchUp() {
    if (this.catching || this.isClosed) return;
    this.catching = true;
    try {
      const response = await fetch(`${this.url}/changes?since=${this.order.version}`, { headers: JSON_ONLY });
      if ([401, 403, 404].includes(response.status)) { location.reload(); return; }
      if (!response.ok) throw new Error(`answered ${response.status}`);
      const news = await response.json();
      if ((news.role ?? "") !== (this.words.role ?? "")) { location.reload(); return; }
      if (news.is_far_behind) await this.reload();
      else for (const change of news.changes) this.receive(change);
    } catch {
      clearTimeout(this.catchTimer);
      this.catchTimer = this.#later(() => this.catchUp(), RETRY_MS);
    } finally {
      this.catching = false;
    }
  }

  /** Takes the whole order from the server. */
  async reload() {
    if (this.isReloading) { this.isStale = true; return; }
    this.isReloading = true;
    try {
      do {
        this.isStale = false;
        const response = await fetch(`${this.url}/order.json?${this.view}`, { headers: JSON_ONLY });
        if (!response.ok) throw new Error(`answered ${response.status}`);
        const { version, entries } = await response.json();
        if (this.view) this.viewIds = entries.map(([id]) => id);
        this.order.reset(entries, version);
      } while (this.isStale);
    } catch {
      this.#later(() => this.reload(), RETRY_MS);
    }
    this.isReloading = false;
    if (this.isClosed) return;
    for (const version of this.waiting.keys()) if (version <= this.order.version) this.waiting.delete(version);
    this.draw();
    this.receive({ version: 0 });
  }

  async #rows(query) {
    const response = await fetch(`${this.url}/rows?${query}`);
    if (!response.ok) throw new Error(`answered ${response.status}`);
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    return [...template.content.querySelectorAll("[data-entry]")];
  }

  // ---- What goes out
  /** The query that names these entries for /playlists/choose. */
  choiceOf(ids) {
    const isAll = ids.length === this.ids.length;
    return `playlist_id=${this.root.dataset.playlist}${isAll ? "" : `&entry_ids=${ids.join(",")}`}`;
  }

  /** Moves entries behind `after` (0: to the start). */
  move(ids, after) { this.#edit({ kind: "move", ids, after }, "move", { entry_ids: ids, after_entry_id: after }); }

  remove(ids) { this.#edit({ kind: "remove", ids }, "remove", { entry_ids: ids }); }

  moveBy(ids, step) {
    const all = this.ids;
    const chosen = new Set(ids);
    const places = all.flatMap((id, place) => (chosen.has(id) ? [place] : []));
    const moved = places.map((place) => all[place]);
    const rest = all.filter((id) => !chosen.has(id));
    // how many rows that stay are to stand before the block
    const target = step < 0 ? places[0] - 1 : places.at(-1) - moved.length + 2;
    if (target < 0 || target > rest.length) return;
    this.move(moved, target ? rest[target - 1] : 0);
  }

  #edit(op, door, fields) {
    if (!this.canMove || !op.ids.length) return;
    this.order.begin(op);
    this.draw();
    // one after the other: each was meant for the order that the ones before it made
    this.sending = this.sending.then(() => this.#send(op, door, fields));
  }

  async #send(op, door, fields) {
    for (;;) { // also when the page is left: what was done is sent
      try {
        const answer = await this.post(door, fields);
        this.order.end(op, answer.change?.version);
        this.#answered(answer);
        this.draw();
        return;
      } catch (error) {
        if (error instanceof RefusedError) {
          this.order.end(op, null);
          toast(error.message, { kind: "error" });
          this.draw();
          this.catchUp();
          return;
        }
        // moves and removals may be said twice, so they wait for the connection
        if (!this.isOfflineSaid) toast(this.words.wordsOffline, { kind: "error" });
        this.isOfflineSaid = true;
        await new Promise((done) => {
          const timer = setTimeout(done, RETRY_MS);
          addEventListener("online", () => { clearTimeout(timer); done(); }, { once: true });
        });
      }
    }
  }

  async post(door, fields = {}) {
    const response = await fetch(`${this.url}/${door}`, { method: "POST", headers: JSON_ONLY, body: new URLSearchParams(fields) });
    this.isOfflineSaid = false;
    if (response.status >= 502) throw new Error(`answered ${response.status}`);
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new RefusedError(answer.error ?? document.getElementById("toasts").dataset.wordsServer);
    return answer;
  }

  #answered({ change, words, undo_url: mayUndo }) {
    if (change) this.receive(change);
    const action = mayUndo ? { words: this.words.wordsUndo, run: () => this.undo(change.id) } : null;
    if (!words) return;
    this.note?.remove(); // one step back at a time; further ones by key or button
    this.note = toast(words, { action });
  }

  /** Takes back a change, or the last one that this person made. */
  async undo(changeId = "") {
    await this.sending;
    try {
      this.#answered(await this.post("undo", { change_id: changeId }));
    } catch (error) {
      toast(error instanceof RefusedError ? error.message : this.words.wordsOffline, { kind: "error" });
    }
  }

  async #submit(event) {
    const form = event.target;
    const row = form.closest("[data-entry]");
    // a button without an address of its own would say that of the page
    const address = event.submitter?.getAttribute("formaction") ?? form.getAttribute("action");
    const door = address.split("?")[0].split("/").at(-1);
    const own = { undo: () => this.undo(), up: () => this.moveBy([Number(row.dataset.entry)], -1),
      down: () => this.moveBy([Number(row.dataset.entry)], 1), remove: () => this.remove([Number(row.dataset.entry)]) };
    if (!(form.matches(".row-edit") || form.matches(".playlist-undo")) || !own[door]) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (door === "remove") this.selection.focusAfter([Number(row.dataset.entry)]);
    own[door]();
  }
}
