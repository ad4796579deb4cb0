// The keyboard anywhere on the page, except where somebody writes or a control has its own use for the key.
// core/_shortcuts.html lists every shortcut in words; a browser test compares that list with what is bound.
const WRITING = "textarea, select, [contenteditable]:not([contenteditable=false]), audio, video, input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit], [type=file])";
const PRESSED = "button, a[href], summary, [role=button], [role=option], [role=menuitem], input, label"; // take Space and Enter themselves
const STEERED = "[role=slider], [role=listbox], [role=combobox], [role=menu], [role=tablist], input[type=range], input[type=radio]";
const ROWS = "[data-track], [data-row]";
const SEQUENCE_MS = 1200;

const bound = [];
let before = ""; // "g" while "g h" may still become complete
let beforeTimer = 0;
let pointed = null;

/** As in `keys`: "a", "Shift+e", "Mod+z" (Ctrl, or Cmd on a Mac), "Alt+ArrowUp", "Space", "?". */
function nameOf(event) {
  const isLetter = /^\p{L}$/u.test(event.key);
  const key = event.key === " " ? "Space" : isLetter ? event.key.toLowerCase() : event.key;
  // Shift is how "?" is typed; it counts only with letters and with keys that have a name
  const shift = event.shiftKey && (isLetter || key.length > 1) ? "Shift+" : "";
  return `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${shift}${key}`;
}

/** Binds keys ("g h" is one after the other) while `when(row)` holds; `run(event, row)` may return false: not taken.
    `row` is the row of a list that has the focus or is under the pointer, or null. Where several fit, the first bound wins. */
export function shortcut({ keys, group, when = () => true, run, repeats = false }) {
  bound.push({ keys, group, when, run, repeats });
}

/** Every key that is bound, by group: for the test that the list of shortcuts is complete. */
export const boundKeys = () => bound.map(({ keys, group }) => ({ keys, group }));

/** The row of a list that the keyboard is at: with the focus in it, else under the pointer; null where there is none. */
export function currentRow() {
  const focused = document.activeElement?.closest(ROWS);
  if (focused) return focused;
  return pointed?.isConnected ? pointed : null;
}

/** Puts the keyboard on a row. */
export function focusRow(row) {
  if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("pointerover", (event) => { pointed = event.target.closest?.(ROWS) ?? null; });

document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.defaultPrevented || event.isComposing || !target.closest) return;
  const name = nameOf(event);
  if (name === "Space" && target.matches("a[role=button]")) {
    event.preventDefault(); // a link where scripts are off; as a button it takes the space bar too
    target.click();
    return;
  }
  if (target.closest(WRITING) || document.querySelector("dialog:modal")) return;
  if (/^(Space|(Shift\+)?Enter)$/.test(name) && target.closest(PRESSED)) return;
  if (/^((Shift\+)?Arrow\w+|Home|End|Page\w+|Enter)$/.test(name) && target.closest(STEERED)) return;
  const wanted = before ? `${before} ${name}` : name;
  clearTimeout(beforeTimer);
  before = "";
  const row = currentRow();
  for (const one of bound) {
    if (!one.keys.includes(wanted) || (event.repeat && !one.repeats) || !one.when(row)) continue;
    if (one.run(event, row) === false) continue;
    event.preventDefault();
    return;
  }
  if (bound.some(({ keys }) => keys.some((key) => key.startsWith(`${wanted} `)))) {
    before = wanted;
    beforeTimer = setTimeout(() => { before = ""; }, SEQUENCE_MS);
  }
});

// ---- Lists: moving from row to row
const shownRows = () => [...document.querySelectorAll(`#main :is(${ROWS})`)].filter((row) => row.checkVisibility());

function moveBy(step) {
  return (event, row) => {
    const rows = shownRows();
    const at = rows.indexOf(row);
    const next = at < 0 ? rows[step > 0 ? 0 : rows.length - 1] : rows[at + step];
    if (next) focusRow(next);
    return Boolean(next) || at >= 0;
  };
}

// arrows scroll the page until the keyboard is in a list
const isInList = (row) => row?.contains(document.activeElement);
shortcut({ keys: ["j"], group: "list", run: moveBy(1), repeats: true });
shortcut({ keys: ["k"], group: "list", run: moveBy(-1), repeats: true });
shortcut({ keys: ["ArrowDown"], group: "list", when: isInList, run: moveBy(1), repeats: true });
shortcut({ keys: ["ArrowUp"], group: "list", when: isInList, run: moveBy(-1), repeats: true });
shortcut({
  keys: ["Enter"], group: "list", when: (row) => row?.querySelector("[data-play]"),
  run: (event, row) => row.querySelector("[data-play]").click(),
});

// ---- The site: the list of shortcuts holds these addresses as links, so that a key and a click take the same way
const dialog = document.getElementById("shortcuts");
if (dialog) {
  const show = () => { if (!dialog.open) dialog.showModal(); };
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const key of dialog.querySelectorAll("[data-mod]")) key.textContent = "⌘";
    for (const key of dialog.querySelectorAll("[data-alt]")) key.textContent = "⌥";
  }
  for (const link of dialog.querySelectorAll("a[data-keys]")) {
    shortcut({ keys: [link.dataset.keys], group: "site", run: () => link.click() });
  }
  shortcut({ keys: ["?"], group: "site", run: show });
  shortcut({
    keys: ["/"], group: "site",
    run: () => {
      const field = [...document.querySelectorAll("input[type=search], [role=searchbox]")].find((one) => one.checkVisibility());
      if (field) { field.focus(); field.select?.(); } else dialog.querySelector("[data-search]").click();
    },
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) show();
    else if (event.target === dialog || event.target.closest("#shortcuts a")) dialog.close();
  });
}
