// Draws the rows of a long list: only those near the screen stand in the page, the rest is room above and below them.
// A row keeps its element for as long as it is drawn, so that focus, hover and what plays stay where they are.
const DRAW_ALL = 50; // as many as the server draws: shorter lists need no window
const OVERSCAN = 12;
const MOST_KEPT = 1500;
const LOAD_AT_ONCE = 100;
const LOAD_AFTER_MS = 60; // rows that are only scrolled past are not fetched
const TAG_MS = 2000;

const isCalm = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;
const idOf = (row) => Number(row.dataset.entry);

export class RowWindow {
  /** load(ids) resolves to elements; prepare(row) is called once for each new element; shown(row) after each drawing. */
  constructor(list, { load, prepare, shown }) {
    this.list = list;
    this.load = load;
    this.prepare = prepare;
    this.shown = shown;
    this.ids = [];
    this.rows = new Map(); // entry id -> element, in the page or kept for when it is scrolled back
    this.tags = new Map(); // entry id -> who has just changed it
    this.asked = new Set();
    this.loadTimer = 0;
    this.frame = 0;
    for (const row of list.querySelectorAll(":scope > [data-entry]")) this.keep(row);
    this.height = this.#measure();
    this.onScroll = () => { this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw(); }); };
    this.onResize = () => { this.height = this.#measure(); this.onScroll(); };
    addEventListener("scroll", this.onScroll, { passive: true });
    addEventListener("resize", this.onResize);
  }

  close() {
    removeEventListener("scroll", this.onScroll);
    removeEventListener("resize", this.onResize);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.loadTimer);
  }

  #measure() {
    const row = this.list.querySelector(":scope > [data-entry]");
    return row?.getBoundingClientRect().height || this.height || 56;
  }

  keep(row) {
    this.prepare(row);
    this.rows.set(idOf(row), row);
  }

  /** Which rows stand near the screen, as [from, to). */
  #range() {
    if (this.ids.length <= DRAW_ALL) return [0, this.ids.length];
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.floor(top / this.height) - OVERSCAN;
    const count = Math.ceil(innerHeight / this.height) + 2 * OVERSCAN;
    const from = Math.max(0, Math.min(first, this.ids.length - count));
    return [from, Math.min(this.ids.length, from + count)];
  }

  /** Where entry number `index` begins, in px from the top of the list. */
  topOf(index) { return index * this.height; }

  /** Shows these entries. glides: rows that were drawn before move to their new places. */
  show(ids, { glides = false } = {}) {
    this.ids = ids;
    this.draw(glides && isCalm());
  }

  draw(glides = false) {
    const { list } = this;
    const focused = document.activeElement;
    const before = new Map();
    if (glides) for (const row of list.children) before.set(row, row.getBoundingClientRect().top);
    const [from, to] = this.#range();
    const missing = [];
    const wanted = [];
    for (let index = from; index < to; index += 1) {
      const id = this.ids[index];
      let row = this.rows.get(id);
      if (!row) {
        row = this.#placeholder(id);
        this.rows.set(id, row);
      }
      if (row.dataset.loading !== undefined && !this.asked.has(id)) missing.push(id);
      const place = String(index + 1);
      if (row.getAttribute("aria-posinset") !== place) {
        row.setAttribute("aria-posinset", place);
        const number = row.querySelector(".row-number");
        if (number) number.textContent = place;
      }
      row.setAttribute("aria-setsize", String(this.ids.length));
      wanted.push(row);
    }
    const stays = new Set(wanted);
    for (const row of [...list.children]) if (!stays.has(row)) row.remove();
    let next = list.firstElementChild;
    for (const row of wanted) {
      if (row === next) next = next.nextElementSibling;
      // moving an element by insertBefore takes the focus away from it
      else if (list.moveBefore && row.parentNode === list) list.moveBefore(row, next);
      else list.insertBefore(row, next);
    }
    list.style.paddingTop = `${from * this.height}px`;
    list.style.paddingBottom = `${(this.ids.length - to) * this.height}px`;
    if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
    for (const row of wanted) {
      this.#showTag(row);
      this.shown(row);
    }
    if (glides) this.#glide(wanted, before);
    if (missing.length) this.#loadSoon();
    this.#forget(stays);
  }

  #placeholder(id) {
    const row = document.createElement("li");
    row.className = "track-row entry-row";
    row.dataset.entry = id;
    row.dataset.loading = "";
    row.innerHTML = '<span class="row-lead"><span class="row-number"></span></span><span class="row-words"><span class="skeleton"></span></span>';
    return row;
  }

  #loadSoon() {
    clearTimeout(this.loadTimer);
    this.loadTimer = setTimeout(async () => {
      const missing = [...this.list.querySelectorAll(":scope > [data-loading]")].map(idOf).filter((id) => !this.asked.has(id)).slice(0, LOAD_AT_ONCE);
      if (!missing.length) return;
      for (const id of missing) this.asked.add(id);
      try {
        for (const row of await this.load(missing)) this.replace(row);
      } catch { /* they are asked for again with the next scroll */ }
      for (const id of missing) this.asked.delete(id);
      this.draw();
    }, LOAD_AFTER_MS);
  }

  /** A row's element has come, or a newer one. */
  replace(row) {
    const old = this.rows.get(idOf(row));
    this.keep(row);
    if (old?.isConnected) {
      for (const name of ["aria-posinset", "aria-setsize"]) {
        if (old.hasAttribute(name)) row.setAttribute(name, old.getAttribute(name));
      }
      const number = row.querySelector(".row-number");
      if (number) number.textContent = old.getAttribute("aria-posinset") ?? "";
      old.replaceWith(row);
      this.#showTag(row);
      this.shown(row);
    }
    htmx.process(row);
  }

  #glide(wanted, before) {
    for (const row of wanted) {
      const was = before.get(row);
      const options = { duration: 240, easing: "cubic-bezier(0.2, 0, 0, 1)" };
      if (was === undefined) {
        row.animate([{ opacity: 0, transform: "translateY(-8px)" }, {}], options);
        continue;
      }
      const by = was - row.getBoundingClientRect().top;
      if (Math.abs(by) > 1) row.animate([{ transform: `translateY(${by}px)` }, {}], options);
    }
  }

  /** Says for two seconds who has changed an entry. */
  tag(id, words) {
    clearTimeout(this.tags.get(id)?.timer);
    const timer = setTimeout(() => {
      this.tags.delete(id);
      const row = this.rows.get(id);
      if (row) this.#showTag(row);
    }, TAG_MS);
    this.tags.set(id, { words, timer });
  }

  #showTag(row) {
    const tag = this.tags.get(idOf(row));
    let element = row.querySelector(":scope > .row-tag");
    if (!tag) { element?.remove(); return; }
    if (!element) {
      element = document.createElement("span");
      element.className = "row-tag chip chip-accent";
      row.append(element);
    }
    element.textContent = tag.words;
  }

  #forget(stays) {
    if (this.rows.size <= MOST_KEPT) return;
    for (const [id, row] of this.rows) {
      if (!stays.has(row)) this.rows.delete(id);
      if (this.rows.size <= MOST_KEPT / 2) break;
    }
  }
}
