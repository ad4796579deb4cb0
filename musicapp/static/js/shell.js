// What stands around <main>: navigation marks, the look switch, notes, dates in the reader's own zone, cover colours.
import { onContent, onPage, within } from "./page.js";
import { liftFlashes, toast } from "./toasts.js";

const root = document.documentElement;
const toasts = document.getElementById("toasts");

// ---- Navigation: the nav is outside <main>, so its marks are ours to move
onPage(() => {
  for (const link of document.querySelectorAll(".nav-link")) {
    const path = new URL(link.href).pathname;
    const here = path === "/" ? location.pathname === "/" : location.pathname.startsWith(path);
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
});

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
  if (ctx.select !== "#main" || ctx.text?.includes('id="main"')) return;
  // not one of our pages (a proxy's error, a file): swapping it in would leave an empty page
  event.preventDefault();
  if (ctx.response.status >= 400) toast(toasts.dataset.wordsServer, { kind: "error" });
  else location.href = ctx.response.raw.url;
});
document.addEventListener("htmx:error", (event) => {
  if (event.detail.error instanceof TypeError || event.detail.error?.name === "AbortError") {
    if (event.detail.ctx?.sourceElement?.closest("main, nav, header")) toast(toasts.dataset.wordsOffline, { kind: "error" });
  }
});

// ---- Notes from the server
onContent(liftFlashes);

// ---- Dates: the server writes UTC, so that the same bytes fit everybody
const dates = new Intl.DateTimeFormat(root.lang || undefined, { dateStyle: "medium", timeStyle: "short" });
onContent((content) => {
  for (const time of within(content, "time[datetime*=T]")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.valueOf())) time.textContent = dates.format(instant);
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
