// Search as you type. The form in the top bar and the page /search are complete without it.
import { onPage } from "./page.js";

const form = document.getElementById("search");
const field = form?.querySelector("input");
const PAUSE_MS = 120;
const RESULTS = "#search-results :is(.top-hit-name, .row-title, .album-card-title, .person-card, .recent-list a, .search-note a)";
let timer = 0;
let wasTyped = false; // what stands on the page was only typed, so it is remembered when one of its results is opened

const isHere = () => location.pathname === "/search";
const textHere = () => (isHere() ? new URLSearchParams(location.search).get("q") ?? "" : "");

/** The address of what is typed, with the filters of the page where there are some. */
function address() {
  const asked = new URLSearchParams(isHere() ? location.search : "");
  asked.delete("after");
  asked.set("q", field.value.trim());
  if (!asked.get("q")) return "/search";
  return `/search?${asked}`;
}

function ask() {
  const url = address();
  if (!isHere() && url === "/search") return;
  if (field.value.trim() === textHere() && isHere()) return;
  wasTyped = true;
  // hx-sync on the form drops an older request; morphing keeps what is the same, and the focus where it is
  window.htmx.ajax("GET", url, {
    source: form, target: "#main", select: "#main", swap: "outerMorph",
    [isHere() ? "replace" : "push"]: url,
    headers: { "HX-Boosted": "true", "X-Typed": "1" },
  });
}

function askSoon(event) {
  clearTimeout(timer);
  if (!event.isComposing) timer = setTimeout(ask, PAUSE_MS);
}

/** From the field into the results and through them; above the first is the field. */
function move(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const results = [...document.querySelectorAll(RESULTS)];
  const at = event.target === field ? -1 : results.indexOf(event.target);
  if (event.target !== field && at < 0) return;
  const next = at + step;
  if (next < -1 || next >= results.length) return;
  event.preventDefault();
  event.stopPropagation();
  (next < 0 ? field : results[next]).focus();
}

if (form) {
  field.addEventListener("input", askSoon);
  field.addEventListener("compositionend", askSoon);
  form.addEventListener("submit", () => { clearTimeout(timer); wasTyped = false; });
  document.addEventListener("keydown", move, true);
  addEventListener("popstate", () => { clearTimeout(timer); field.value = textHere(); });
  let isFirst = true;
  onPage(() => {
    if (document.activeElement !== field) field.value = textHere();
    // who comes to the empty page wants to type; after the swap, which puts the focus on <main>
    if (!isFirst && isHere() && !textHere()) setTimeout(() => field.focus());
    isFirst = false;
  });
  document.addEventListener("click", (event) => {
    const isResult = event.target.closest?.("#search-results a[href]:not([href^='/search'])");
    if (!isResult || !wasTyped || !document.getElementById("main").dataset.viewer) return;
    wasTyped = false;
    fetch("/search/recent", { method: "POST", body: new URLSearchParams({ q: textHere() }), keepalive: true }).catch(() => {});
  });
}
