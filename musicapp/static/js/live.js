// The live channel: one EventSource for the visit, outside <main>. The page is complete without it.
// docs/decisions/0110 says why this is not htmx's own SSE extension.
import { onContent, onPage } from "./page.js";

const HINT_AFTER_MS = 10_000;
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 60_000;
const POKE_SPREAD_MS = 2000; // so that a thousand open pages don't ask in the same instant
const bus = document.getElementById("live-bus");
const hint = document.getElementById("live-hint");

let source = null;
let topics = "";
let cursor = ""; // the last thing this page knows of
let known = new Set(); // names of events that this EventSource listens for
let attempts = 0;
let retryTimer = 0;
let hintTimer = 0;

/** Cursors are Redis stream ids, <ms>-<sequence>: as text they sort wrongly. */
export function isLater(one, other) {
  const [ms = 0, sequence = 0] = one.split("-").map(Number);
  const [otherMs = 0, otherSequence = 0] = other.split("-").map(Number);
  return ms > otherMs || (ms === otherMs && sequence > otherSequence);
}

const heard = new Map();
/** Calls back with the event's data whenever the named poke comes, on whatever page is open. For topics of #live-bus. */
export function onPoke(name, callback) {
  heard.set(name, [...(heard.get(name) ?? []), callback]);
  listenForPokes();
}

/** For pages that keep up by themselves; false where one of them wants no swap. state: open, lost or resync. */
const tell = (state) => document.dispatchEvent(new CustomEvent("musicapp:live", { cancelable: true, detail: { state } }));

const isWanted = () => topics !== "" && (!document.hidden || document.documentElement.classList.contains("is-playing"));

function showConnected(isConnected) {
  if (isConnected) {
    clearTimeout(hintTimer);
    hintTimer = 0;
    hint.hidden = true;
  } else if (!hintTimer) {
    hintTimer = setTimeout(() => { hint.hidden = !isWanted(); }, HINT_AFTER_MS);
  }
}

function close() {
  clearTimeout(retryTimer);
  retryTimer = 0;
  source?.close();
  source = null;
}

function open() {
  close();
  if (!isWanted()) return;
  const query = new URLSearchParams({ topics: topics.split(" ").join(",") });
  if (cursor) query.set("after", cursor);
  source = new EventSource(`${bus.dataset.endpoint}?${query}`);
  known = new Set();
  source.onopen = () => { attempts = 0; showConnected(true); tell("open"); };
  source.onmessage = receive;
  source.addEventListener("resync", resync);
  source.addEventListener("cursor", note); // heartbeats: a quiet page keeps up with the log
  listenForPokes();
  source.onerror = () => {
    // EventSource gives up for ever on a 503 and retries everything else in step with all other pages: do it ourselves
    close();
    showConnected(false);
    tell("lost");
    const delay_ms = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** attempts) * (0.5 + Math.random());
    attempts += 1;
    retryTimer = setTimeout(open, delay_ms);
  };
}

function note(event) {
  if (event.lastEventId && (!cursor || isLater(event.lastEventId, cursor))) cursor = event.lastEventId;
}

let swapping = Promise.resolve();
function receive(event) {
  note(event);
  // one after the other: an older fragment must not overtake a newer one
  swapping = swapping.then(() => htmx.swap({
    text: event.data, sourceElement: bus, target: bus, swap: "none", request: {}, response: {}, isLive: true,
  })).catch(() => {});
}

// Morphing keeps focus, open menus and running transitions in a row whose percent has changed.
document.addEventListener("htmx:before:swap", (event) => {
  if (!event.detail.ctx?.isLive) return;
  for (const task of event.detail.tasks) {
    if (task.type === "partial" && task.swapSpec.style === "outerHTML") task.swapSpec.style = "outerMorph";
    if (task.type === "partial" && /^(before|after)/.test(task.swapSpec.style)) dropTwin(task);
  }
});

/** A new row that is already there (it came with the page) takes the old one's place instead of standing twice. */
function dropTwin(task) {
  for (const element of task.fragment.children) {
    const twin = element.id && document.getElementById(element.id);
    if (twin) twin.remove();
    else element.classList.add("is-fresh");
  }
}

async function resync(event) {
  note(event);
  if (!tell("resync") || !document.getElementById("page-live")) return;
  // a restarted server says this to every page in the same moment
  await new Promise((done) => setTimeout(done, Math.random() * 2000));
  try {
    await htmx.ajax("GET", location.pathname + location.search, {
      source: bus, target: "#main", select: "#main", swap: "outerMorph",
    });
  } catch { /* the page that is shown stays; the next update or visit brings the rest */ }
}

// ---- Pokes: named events say "ask again" to parts that depend on who is looking
function names() {
  const onPage = [...document.querySelectorAll("[data-refresh-on]")].flatMap((element) => element.dataset.refreshOn.split(/\s+/));
  return new Set([...heard.keys(), ...onPage]);
}

function listenForPokes() {
  if (!source) return;
  for (const name of names()) {
    if (!name || known.has(name) || ["resync", "cursor"].includes(name)) continue;
    known.add(name);
    source.addEventListener(name, (event) => {
      note(event);
      document.dispatchEvent(new CustomEvent(name, { detail: { data: event.data } }));
      for (const callback of heard.get(name) ?? []) callback(event.data);
      poke(name);
    });
  }
}

const waiting = new WeakSet();
function poke(name) {
  for (const element of document.querySelectorAll("[data-refresh-on]")) {
    if (!element.dataset.refreshOn.split(/\s+/).includes(name) || waiting.has(element)) continue;
    waiting.add(element);
    setTimeout(() => {
      waiting.delete(element);
      const address = element.getAttribute("hx-get") || element.dataset.refreshUrl || location.pathname + location.search;
      if (!element.isConnected) return;
      const swap = element.getAttribute("hx-swap") || "outerMorph";
      const select = element.getAttribute("hx-get") || !element.id ? undefined : `#${CSS.escape(element.id)}`;
      htmx.ajax("GET", address, { source: element, target: element, swap, select }).catch(() => {});
    }, Math.random() * POKE_SPREAD_MS);
  }
}

// ---- What the page listens to, and what the viewer's own things say on every page
onPage((main) => {
  const page = main?.querySelector("#page-live");
  const wanted = `${page?.dataset.topics ?? ""} ${bus.dataset.topics ?? ""}`.split(/\s+/).filter(Boolean).sort().join(" ");
  const drawnAt = page?.dataset.cursor ?? "";
  // The page was drawn at its own cursor. An update that came between that and now went into the old page: fetch it again.
  const missedSome = cursor !== "" && drawnAt !== "" && isLater(cursor, drawnAt);
  const isSame = wanted === topics && source !== null;
  topics = wanted;
  if (isSame && !missedSome) {
    if (isLater(drawnAt, cursor)) cursor = drawnAt;
    return;
  }
  cursor = drawnAt || cursor; // a page that only hears the viewer's own topics has none
  open();
});
onContent(() => { if (source) listenForPokes(); });

document.addEventListener("visibilitychange", () => {
  if (!isWanted()) {
    close();
    showConnected(true);
  } else if (!source && !retryTimer) {
    open();
  }
});
addEventListener("online", () => { if (!source) { attempts = 0; open(); } });
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) open(); });
