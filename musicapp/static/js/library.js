// Likes and follows wherever they stand, and the menu of a track. Without scripts the same forms post and come back.
//   form[data-like="track-5"], form[data-follow="artist-3"]   one button; every button of the same thing shows the same
//   #viewer-state                                             what the viewer likes and follows of what the page shows
//   a[data-track-menu]                                        a page of forms that opens as a menu; the row may add to it
//                                                             with <template data-menu-extra> (list items)
import { onPoke } from "./live.js";
import { onPage } from "./page.js";
import { shortcut } from "./shortcuts.js";
import { toast } from "./toasts.js";

const KINDS = { track: "likedTracks", album: "likedAlbums", artist: "followedArtists" };
const ASK = 200; // ids that fit into one address
const FORMS = "form[data-like], form[data-follow]";
const words = document.getElementById("toasts").dataset;
const user = /(?:^|\s)library-(\d+)/.exec(document.getElementById("live-bus").dataset.topics ?? "")?.[1] ?? "";

const kept = new Map(); // "track-5" -> whether the viewer likes it
const underway = new Map(); // the same, as pressed last and not yet stored
let changes = 0;

const whatOf = (form) => form.dataset.like ?? form.dataset.follow;
const isOurs = (what) => what.split("-")[0] in KINDS;

// ---- Painting: fragments that arrive live are the same for everybody
function show(form, isOn) {
  form.elements.on.value = isOn ? "0" : "1";
  form.querySelector("button").setAttribute("aria-pressed", String(isOn));
}

function paint(what, isOn) {
  kept.set(what, isOn);
  for (const form of document.querySelectorAll(FORMS)) if (whatOf(form) === what) show(form, isOn);
}

function paintAll() {
  const unknown = [];
  for (const form of document.querySelectorAll(FORMS)) {
    const what = whatOf(form);
    if (kept.has(what)) show(form, kept.get(what));
    else if (user && isOurs(what)) unknown.push(what);
  }
  if (unknown.length) ask(unknown);
}

async function ask(things) {
  const asked = [...new Set(things)];
  for (let from = 0; from < asked.length; from += ASK) {
    const query = new URLSearchParams();
    const piece = asked.slice(from, from + ASK);
    for (const kind of Object.keys(KINDS)) {
      const ids = piece.filter((what) => what.startsWith(`${kind}-`)).map((what) => what.split("-")[1]);
      if (ids.length) query.set(`${kind}s`, ids.join());
    }
    const seen = changes;
    try {
      const response = await fetch(`/library/state.json?${query}`, { headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const state = await response.json();
      if (seen !== changes) return ask(asked); // something was pressed meanwhile: this is what was before
      for (const what of piece) {
        const [kind, id] = what.split("-");
        if (!underway.has(what)) paint(what, state[`${kind}s`].includes(Number(id)));
      }
    } catch {
      return; // no connection: what is shown stays
    }
  }
}

const askAll = () => ask([...document.querySelectorAll(FORMS)].map(whatOf).filter(isOurs));

onPage((main) => {
  const state = main?.querySelector("#viewer-state");
  if (state) {
    const on = Object.fromEntries(Object.entries(KINDS).map(([kind, name]) => [kind, new Set(state.dataset[name].split(" "))]));
    for (const form of main.querySelectorAll(FORMS)) {
      const [kind, id] = whatOf(form).split("-");
      if (on[kind] && !underway.has(whatOf(form))) kept.set(whatOf(form), on[kind].has(id));
    }
  }
  paintAll();
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx?.target?.id !== "main") paintAll();
});
document.addEventListener("musicapp:rows", paintAll); // a playlist has drawn rows that came live
if (user) {
  onPoke(`library-${user}-changed`, askAll);
  document.addEventListener("live:resync", askAll);
  addEventListener("pageshow", (event) => { if (event.persisted) askAll(); });
}

// ---- Pressing
async function put(action, what, isOn) {
  paint(what, isOn);
  changes += 1;
  if (underway.has(what)) {
    underway.set(what, isOn); // the one that is on its way sends this one too
    return;
  }
  underway.set(what, isOn);
  let stored = !isOn;
  try {
    while (underway.get(what) !== stored) {
      const wanted = underway.get(what);
      const response = await fetch(action, {
        method: "POST", body: new URLSearchParams({ on: wanted ? "1" : "0" }), headers: { "HX-Request": "true" },
      });
      if (response.status === 401) logIn();
      if (!response.ok) throw new Error(`answered ${response.status}`);
      stored = wanted;
    }
    if (!stored) {
      const said = /^\/?(artist|playlist)/.test(what) ? words.wordsUnfollowed : words.wordsUnliked;
      toast(said, { action: { words: words.wordsUndo, run: () => put(action, what, true) } });
    }
  } catch (error) {
    paint(what, stored);
    toast(error instanceof TypeError ? words.wordsOffline : words.wordsServer, { kind: "error" });
  } finally {
    underway.delete(what);
    changes += 1;
  }
}

function logIn() {
  location.href = `/login?${new URLSearchParams({ next: location.pathname + location.search })}`;
}

// before htmx, which sends boosted forms
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches(FORMS)) return;
  event.preventDefault();
  event.stopPropagation();
  if (!document.getElementById("main").dataset.viewer) return logIn();
  put(form.action, whatOf(form), form.elements.on.value === "1");
}, true);

shortcut({
  keys: ["l"], group: "list", when: (row) => row?.querySelector("form[data-like]"),
  run: (event, row) => row.querySelector("form[data-like]").requestSubmit(),
});

// ---- The menu of a track
const itemsOf = (menu) => [...menu.querySelectorAll(".menu-item")].filter((item) => item.checkVisibility());

async function openMenu(link) {
  let page = null;
  try {
    const response = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (response.status === 401) return logIn();
    page = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("track-menu");
  } catch {
    toast(words.wordsOffline, { kind: "error" });
    return;
  }
  if (!page) return toast(words.wordsServer, { kind: "error" });
  document.querySelector(".track-menu-popover")?.remove();
  if (!link.isConnected) return;
  const menu = document.createElement("div");
  menu.className = "track-menu-popover";
  menu.popover = "auto";
  menu.setAttribute("role", "dialog");
  menu.setAttribute("aria-labelledby", "track-menu-title");
  menu.append(...page.childNodes);
  const extra = link.closest("[data-track], [data-row]")?.querySelector("template[data-menu-extra]");
  menu.querySelector(".track-menu-extra").replaceWith(extra ? extra.content.cloneNode(true) : "");
  if (!navigator.share) menu.querySelector("[data-share-link]").parentElement.remove();
  document.body.append(menu);
  htmx.process(menu);
  paintAll();
  menu.showPopover();
  place(menu, link);
  link.setAttribute("aria-expanded", "true");
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open") return;
    link.removeAttribute("aria-expanded");
    if (menu.contains(document.activeElement) || document.activeElement === document.body) link.focus();
    setTimeout(() => menu.remove()); // the form that was pressed in it is still being read
  });
  menu.addEventListener("keydown", (event) => walk(menu, event));
  // whatever was chosen, the menu has served; in the bubble phase, so that the choice is taken first
  for (const name of ["submit", "click"]) {
    menu.addEventListener(name, (event) => { if (event.target.closest("form, a, button")) setTimeout(() => { if (menu.isConnected) menu.hidePopover(); }); }, name === "submit");
  }
  itemsOf(menu)[0]?.focus();
}

function place(menu, link) {
  const at = link.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + height + 8 <= innerHeight || at.top < height;
  menu.style.setProperty("--menu-x", `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`);
  menu.style.setProperty("--menu-y", `${Math.max(8, Math.min(below ? at.bottom + 4 : at.top - height - 4, innerHeight - height - 8))}px`);
}

function walk(menu, event) {
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1, Home: 0, End: -1 }[event.key];
  if (event.key === " " && document.activeElement?.matches("a")) document.activeElement.click();
  else if (next !== undefined) items.at(next % items.length)?.focus();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-track-menu]");
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) {
    event.preventDefault();
    openMenu(link);
  }
  const copied = event.target.closest("[data-copy-link]");
  if (copied) {
    await navigator.clipboard.writeText(new URL(copied.dataset.copyLink, location.href).href).then(
      () => toast(copied.dataset.words), () => toast(words.wordsServer, { kind: "error" }),
    );
  }
  const shared = event.target.closest("[data-share-link]");
  if (shared) navigator.share({ title: shared.dataset.title, url: shared.dataset.shareLink }).catch(() => {}); // thought better of it
});
