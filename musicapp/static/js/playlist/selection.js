// Several rows at once: click, Shift, Ctrl or Cmd, the rows' check boxes, keys; and the bar with what can be done with them.
import { choosePlaylist } from "../chooser.js";
import { fill } from "../page.js";
import { shortcut } from "../shortcuts.js";
import { toast } from "../toasts.js";
import { openPlaylist } from "./open.js";

const CONTROL = "a, button, input, select, label, summary, [data-drag-entry]";
const idOf = (row) => Number(row.dataset.entry);

export class Selection {
  constructor(page) {
    this.page = page;
    this.chosen = new Set();
    this.anchor = null;
    this.bar = page.root.querySelector(".selection-bar");
    this.abort = new AbortController();
    const { signal } = this.abort;
    if (!this.bar) return; // strangers choose nothing
    page.list.addEventListener("click", (event) => this.#click(event), { signal });
    page.list.addEventListener("mousedown", (event) => {
      if (event.shiftKey && !event.target.closest(CONTROL)) event.preventDefault(); // it would mark text
    }, { signal });
    this.bar.addEventListener("click", (event) => {
      const { does } = event.target.closest("[data-does]")?.dataset ?? {};
      if (does) this.run(does);
    }, { signal });
    page.root.querySelector("[data-select-rows]")?.addEventListener("click", (event) => {
      const isOn = page.root.classList.toggle("is-selecting");
      event.currentTarget.setAttribute("aria-pressed", String(isOn));
      if (!isOn) this.clear();
    }, { signal });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.chosen.size && !event.defaultPrevented && !document.querySelector("dialog:modal")) this.clear();
    }, { signal });
  }

  close() {
    this.abort.abort();
    if (this.bar) this.bar.hidden = true;
  }

  /** The chosen entries in the order of the list. */
  get ids() { return this.page.ids.filter((id) => this.chosen.has(id)); }

  /** What an action on this row is about: all chosen rows when it is one of them, else the row alone. */
  with(row) {
    const id = idOf(row);
    return this.chosen.has(id) ? this.ids : [id];
  }

  #click(event) {
    const row = event.target.closest("[data-entry]");
    if (!row) return;
    const id = idOf(row);
    if (event.target.matches(".row-check")) {
      if (event.shiftKey) this.#span(id);
      else this.toggle(id);
      return;
    }
    if (event.target.closest(CONTROL)) return;
    const isSelecting = this.page.root.classList.contains("is-selecting");
    if (event.shiftKey) this.#span(id);
    else if (event.ctrlKey || event.metaKey || isSelecting) this.toggle(id);
    else if (matchMedia("(hover: hover)").matches) this.#set([id], id);
    row.focus({ preventScroll: true });
  }

  #set(ids, anchor) {
    this.chosen = new Set(ids);
    this.anchor = anchor;
    this.show();
  }

  #span(id) {
    const { ids } = this.page;
    const from = Math.max(0, ids.indexOf(this.anchor ?? id));
    const to = ids.indexOf(id);
    this.#set(ids.slice(Math.min(from, to), Math.max(from, to) + 1), ids[from]);
  }

  toggle(id) {
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.anchor = id;
    this.show();
  }

  all() { this.#set(this.page.ids, this.page.ids[0]); }

  clear() { this.#set([], null); }

  /** Forgets what is no longer in the list. */
  keep(ids) {
    if (!this.chosen.size) return;
    const here = new Set(ids);
    this.chosen = new Set([...this.chosen].filter((id) => here.has(id)));
    this.#showBar();
  }

  show() {
    for (const row of this.page.list.children) this.paint(row);
    this.#showBar();
  }

  paint(row) {
    const isChosen = this.chosen.has(idOf(row));
    row.classList.toggle("is-chosen", isChosen);
    const box = row.querySelector(".row-check");
    if (box && box.checked !== isChosen) box.checked = isChosen;
  }

  #showBar() {
    const count = this.chosen.size;
    this.bar.hidden = count === 0;
    this.page.root.classList.toggle("has-selection", count > 0);
    const words = this.bar.querySelector("[data-words-many]");
    words.textContent = count === 1 ? words.dataset.wordsOne : fill(words.dataset.wordsMany, count);
  }

  /** Puts the keyboard on the row that takes the place of those that go away. */
  focusAfter(gone) {
    if (!this.page.list.contains(document.activeElement)) return;
    const { ids } = this.page;
    const last = ids.indexOf(gone.at(-1));
    const next = ids.slice(last + 1).find((id) => !gone.includes(id)) ?? ids.slice(0, last).findLast((id) => !gone.includes(id));
    const row = next && this.page.window.rows.get(next);
    if (row?.isConnected) row.focus({ preventScroll: true });
  }

  async run(does, ids = this.ids) {
    const { page } = this;
    if (does === "clear") this.clear();
    else if (does === "remove") { this.focusAfter(ids); page.remove(ids); }
    else if (does === "top") page.move(ids, 0);
    else if (does === "playlist") choosePlaylist(page.choiceOf(ids));
    else {
      try {
        toast((await page.post("queue", { entry_ids: ids, place: does })).words);
      } catch (error) {
        toast(error.isRefusal ? error.message : page.words.wordsOffline, { kind: "error" });
      }
    }
  }
}

// ---- Keys, bound once: core/_shortcuts.html says them in words
const here = (row) => {
  const page = openPlaylist();
  return page?.selection.bar && row?.dataset.entry !== undefined && page.list.contains(row) ? page : null;
};
const editable = (row) => (here(row)?.canMove ? here(row) : null);
const group = "playlist";
shortcut({ keys: ["x"], group, when: here, run: (event, row) => here(row).selection.toggle(idOf(row)) });
shortcut({ keys: ["Mod+a"], group, when: here, run: (event, row) => here(row).selection.all() });
for (const [key, step] of [["Alt+ArrowUp", -1], ["Alt+ArrowDown", 1]]) {
  shortcut({ keys: [key], group, when: editable, repeats: true, run: (event, row) => editable(row).moveBy(editable(row).selection.with(row), step) });
}
shortcut({ keys: ["Delete", "Backspace"], group, when: editable, run: (event, row) => { const { selection } = editable(row); selection.run("remove", selection.with(row)); } });
shortcut({ keys: ["Mod+z"], group, when: () => openPlaylist()?.mayEdit, run: () => openPlaylist().undo() });
shortcut({
  keys: ["a"], group, when: (row) => here(row)?.selection.chosen.has(idOf(row)),
  run: (event, row) => here(row).selection.run("playlist"),
});
