// Short notes at the edge of the screen.
const STAY_MS = 6000;
const MOST = 4; // more would cover the page

function withdraw(toast, delay_ms) {
  let timer = setTimeout(() => toast.remove(), delay_ms);
  // who reads or aims at a button keeps it
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) {
    toast.addEventListener(name, () => { clearTimeout(timer); timer = setTimeout(() => toast.remove(), 2000); });
  }
}

/** Shows words; kind "error" stays twice as long. action: {words, run} adds a button. */
export function toast(words, { kind = "note", action = null } = {}) {
  const place = document.getElementById("toasts");
  const element = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  if (kind === "error") {
    const use = element.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, "#circle-alert"));
  }
  element.dataset.kind = kind;
  element.querySelector(".toast-words").textContent = words;
  if (action) {
    const button = element.querySelector(".toast-action");
    button.textContent = action.words;
    button.hidden = false;
    button.addEventListener("click", () => { element.remove(); action.run(); });
  }
  // the same words twice say no more than once
  for (const other of place.children) {
    if (other.querySelector(".toast-words")?.textContent === words) other.remove();
  }
  place.append(element);
  while (place.children.length > MOST) place.firstElementChild.remove();
  withdraw(element, kind === "error" || action ? 2 * STAY_MS : STAY_MS);
  return element;
}

/** Lifts notes that the server wrote into the page out of it. */
export function liftFlashes(root) {
  for (const flash of root.querySelectorAll(".flashes .toast")) {
    toast(flash.querySelector(".toast-words").textContent, { kind: flash.dataset.kind });
    flash.remove();
  }
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
});
