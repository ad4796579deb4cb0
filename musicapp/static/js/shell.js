// What stands around <main>: navigation marks, the look switch, notes, dates in the reader's own zone, cover colours.
import { onContent, onPage, within } from "./page.js";
import { liftFlashes, toast } from "./toasts.js";

const root = document.documentElement;
const toasts = document.getElementById("toasts");

// ---- Navigation: the nav is outside <main>, so its marks are ours to move
function markNavigation() {
  for (const link of document.querySelectorAll(".nav-link")) {
    const path = new URL(link.href).pathname;
    // /playlists/1 is not where /playlists/12 is
    const here = location.pathname === path || (path !== "/" && location.pathname.startsWith(path.replace(/\/?$/, "/")));
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
onPage(markNavigation);
onContent((root) => { if (root.closest(".nav")) markNavigation(); });

// who is signed in shows outside <main> too: another person's page needs the whole page
const viewer = document.getElementById("main").dataset.viewer;
onPage((main) => { if (main.dataset.viewer !== undefined && main.dataset.viewer !== viewer) location.reload(); });

const isNavigation = (event) => event.detail.ctx?.target?.id === "main" || event.detail.ctx?.select === "#main";
const waitLine = document.getElementById("wait-line");
document.addEventListener("htmx:before:request", (event) => {
  if (isNavigation(event)) waitLine.classList.add("is-waiting");
});
document.addEventListener("htmx:finally:request", (event) => {
  if (isNavigation(event)) waitLine.classList.remove("is-waiting");
});
document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = event.detail;
  if (!isNavigation(event) || ctx.isLive || ctx.swap === "outerMorph") return;
  const main = document.getElementById("main");
  const wrong = ctx.response?.status === 422 && main?.querySelector("[aria-invalid=true]");
  // a screen reader starts at the new page, or at the field to correct, not at the link that led here
  if (wrong) wrong.focus();
  else if (!main?.querySelector("[autofocus]")) main?.focus({ preventScroll: true });
});
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { status } = ctx.response;
  if (ctx.select === "#main") {
    if (ctx.text?.includes('id="main"')) return;
    // not one of our pages (a proxy's error, a file): swapping it in would leave an empty page
    event.preventDefault();
    if (status < 400) location.href = ctx.response.raw.url;
    else toast(toasts.dataset.wordsServer, { kind: "error" });
  } else if (status >= 400 && status !== 422) {
    // an error page must not stand where a row was; who pressed a button hears why, a poll stays silent
    event.preventDefault();
    if (ctx.sourceEvent?.isTrusted) toast(errorWords(ctx.text) || toasts.dataset.wordsServer, { kind: "error" });
  }
});

function errorWords(text) {
  return new DOMParser().parseFromString(text ?? "", "text/html").querySelector(".error-words")?.textContent.trim();
}

document.addEventListener("htmx:error", (event) => {
  const { ctx, error } = event.detail;
  if (ctx?.sourceEvent?.isTrusted && (error instanceof TypeError || error?.name === "AbortError")) {
    toast(toasts.dataset.wordsOffline, { kind: "error" });
  }
});

// ---- Notes from the server
onContent(liftFlashes);

// ---- Dates: the server writes UTC, so that the same bytes fit everybody
const [dates, clocks] = ["medium", undefined].map(
  (dateStyle) => new Intl.DateTimeFormat(root.lang || undefined, { dateStyle, timeStyle: "short" }),
);
onContent((content) => {
  for (const time of within(content, "time[datetime*=T]")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.valueOf()))
      // under a day's heading the day need not be said again
      time.textContent = (time.closest(".notices-day") ? clocks : dates).format(instant);
  }
});

// ---- Cover colours: CSSOM, because the Content-Security-Policy has no style attributes
onContent((content) => {
  for (const element of within(content, "[data-color]")) {
    if (!CSS.supports("color", element.dataset.color)) continue;
    element.style.setProperty("--cover-color", element.dataset.color);
    element.classList.add("has-color");
  }
});

// ---- Menus made of <details> close when something else is wanted
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".menu-item")) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// ---- Dark or light: a cookie, so that the first paint is right already
const dark = matchMedia("(prefers-color-scheme: dark)");
const themeSwitch = document.getElementById("theme-switch");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
function showTheme() {
  const other = isDark() ? "light" : "dark";
  const words = other === "light" ? themeSwitch.dataset.labelLight : themeSwitch.dataset.labelDark;
  themeSwitch.setAttribute("aria-label", words);
  themeSwitch.title = words;
  const use = themeSwitch.querySelector("use");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, other === "light" ? "#sun" : "#moon"));
  document.dispatchEvent(new CustomEvent("musicapp:look"));
}
themeSwitch.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  showTheme();
});
dark.addEventListener("change", showTheme);
showTheme();
