// The opened player: large cover, what can be done with the track, play queue, lyrics and credits. The same elements as
// the bar, laid out anew, so that nothing starts again; Escape, a swipe down or Android's back gesture closes it.
const SWIPE_PX = 60;
const KEPT = 30;
const id = (name) => document.getElementById(`player-${name}`);
const phone = matchMedia("(max-width: 899px)");

export class NowPlaying {
  #player;
  #panel;
  #watcher = null;
  #shown = null;
  #pages = new Map(); // track id -> promise of its page

  constructor(player, panel) {
    this.#player = player;
    this.#panel = panel;
    id("open").addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    id("cover").addEventListener("click", () => { if (!this.isOpen) this.open(); });
    // on a phone the whole of the small bar opens it, and links in it wait until they are large enough
    player.element.querySelector(".player-now").addEventListener("click", (event) => {
      if (this.isOpen || !phone.matches || event.target.closest("button, #player-cover")) return;
      event.preventDefault();
      event.stopPropagation(); // before htmx, which follows links
      this.open();
    }, true);
    id("list").addEventListener("click", (event) => {
      if (!this.isOpen) return;
      event.preventDefault(); // the list stands here already
      id("queue-panel").scrollIntoView({ behavior: "smooth" });
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.isOpen || this.#watcher || event.defaultPrevented || document.querySelector(":popover-open, dialog:modal")) return;
      this.close();
    });
    // a link in it leads to a page: make room for that
    document.addEventListener("htmx:before:history:update", () => { this.close(); panel.closePanels(); });
    this.#listenForSwipes();
    player.addEventListener("change", () => this.#show());
  }

  get isOpen() { return this.#player.element.classList.contains("is-open"); }

  open() {
    if (!this.#player.queue.current) return;
    this.#panel.closePanels();
    this.#lay(true);
    if (window.CloseWatcher) {
      this.#watcher = new CloseWatcher();
      this.#watcher.onclose = () => { this.#watcher = null; this.close(); };
    }
    this.#panel.showList();
    this.#show();
  }

  close() {
    if (!this.isOpen) return;
    this.#watcher?.destroy();
    this.#watcher = null;
    this.#lay(false);
    id("open").focus({ preventScroll: true });
  }

  #lay(isOpen) {
    const { element, words } = this.#player;
    element.classList.toggle("is-open", isOpen);
    element.scrollTop = 0;
    document.querySelector(".shell").inert = isOpen;
    document.documentElement.classList.toggle("has-player-open", isOpen);
    id("open").setAttribute("aria-expanded", String(isOpen));
    const name = isOpen ? words.wordsClose : words.wordsOpen;
    id("open").setAttribute("aria-label", name);
    id("open").title = `${name} (f)`;
  }

  #page(trackId) {
    if (!this.#pages.has(trackId)) {
      const page = fetch(`/tracks/${trackId}/now-playing`, { headers: { "HX-Request": "true" } })
        .then(async (response) => (response.ok ? new DOMParser().parseFromString(await response.text(), "text/html").getElementById("now") : null))
        .catch(() => null)
        .then((found) => { if (!found) this.#pages.delete(trackId); return found; });
      this.#pages.set(trackId, page);
      if (this.#pages.size > KEPT) this.#pages.delete(this.#pages.keys().next().value);
    }
    return this.#pages.get(trackId);
  }

  async #show() {
    const trackId = this.#player.queue.current?.id ?? null;
    if (!this.isOpen || trackId === this.#shown) return;
    if (trackId === null) { this.close(); return; }
    this.#shown = trackId;
    const page = await this.#page(trackId);
    if (trackId !== this.#shown) return; // another one plays by now
    const now = page?.cloneNode(true);
    this.#fill("actions", now?.querySelector("#now-actions"));
    this.#fill("details", now?.querySelector("#now-words"));
    const color = now?.dataset.color;
    this.#player.element.classList.toggle("has-color", Boolean(color));
    if (color) this.#player.element.style.setProperty("--cover-color", color);
    const picture = now?.querySelector(".cover > img");
    if (!picture) return;
    // the small cover stands until the large one can take its place
    picture.decode?.().catch(() => {}).then(() => { if (trackId === this.#shown) id("cover").replaceChildren(picture.parentElement); });
  }

  #fill(name, content) {
    const target = id(name); // by htmx, so that what arrives is decorated as anywhere: likes are painted as they are now
    htmx.swap({ text: content?.innerHTML ?? "", sourceElement: target, target, swap: "innerHTML", request: {}, response: {} });
  }

  #listenForSwipes() {
    const { element } = this.#player;
    let from = null;
    element.addEventListener("touchstart", (event) => {
      const [touch] = event.touches;
      const isFree = event.touches.length === 1 && element.scrollTop <= 0 && !event.target.closest("[role=slider], input, .player-panel:popover-open, .drag");
      from = isFree ? { x: touch.clientX, y: touch.clientY } : null;
    }, { passive: true });
    element.addEventListener("touchend", (event) => {
      if (!from) return;
      const [touch] = event.changedTouches;
      const down = touch.clientY - from.y;
      if (Math.abs(down) < SWIPE_PX || Math.abs(touch.clientX - from.x) > Math.abs(down)) return;
      if (this.isOpen && down > 0) this.close();
      else if (!this.isOpen && down < 0) this.open();
    }, { passive: true });
  }
}
