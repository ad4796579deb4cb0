// "Add to playlist": the page /playlists/choose as a dialog, wherever a link with data-choose-playlist stands; key: a.
import { shortcut } from "./shortcuts.js";
import { toast } from "./toasts.js";

let dialog = null;
const site = () => document.getElementById("toasts").dataset;

function box() {
  if (dialog?.isConnected) return dialog;
  dialog = document.createElement("dialog");
  dialog.className = "chooser-dialog";
  dialog.setAttribute("aria-labelledby", "chooser-title");
  dialog.addEventListener("submit", submit, { capture: true });
  dialog.addEventListener("input", filter);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());
  document.body.append(dialog);
  return dialog;
}

function fillBox(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const element of template.content.querySelectorAll("title, template, .page-live")) element.remove();
  box().replaceChildren(template.content);
  // with a finger the keyboard would cover the list
  const field = matchMedia("(hover: hover)").matches && dialog.querySelector("input[type=search], [name=name]");
  (field || dialog.querySelector(".form-actions button, [data-close]"))?.focus();
}

/** Opens the dialog for what the query names: "track_id=5", "album_id=3", "playlist_id=7&entry_ids=1,2". */
export async function choosePlaylist(query) {
  const address = `/playlists/choose?${query}`;
  try {
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    if (response.redirected || response.status === 401) { location.href = address; return; } // to the sign-in
    if (!response.ok) throw new Error(`answered ${response.status}`);
    const html = await response.text();
    box();
    if (!dialog.open) dialog.showModal();
    fillBox(html);
  } catch {
    toast(site().wordsOffline, { kind: "error" });
  }
}

function filter(event) {
  if (event.target.type !== "search") return;
  const fold = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const wanted = fold(event.target.value.trim());
  for (const row of dialog.querySelectorAll("[data-name]")) row.hidden = !fold(row.dataset.name).includes(wanted);
}

async function submit(event) {
  const form = event.target;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.method !== "post") return; // the search: filtered while it is typed
  const answer = await send(form.action, new FormData(form, event.submitter));
  if (answer?.html) fillBox(answer.html);
  else if (answer) dialog.close();
}

/** Adds to a playlist; says so with "Undo". Resolves to the answer, null when it failed (which was said, too). */
export async function send(address, fields) {
  try {
    const response = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body: fields });
    const answer = await response.json();
    if (answer.html) return answer; // a question, or a field to correct
    if (!response.ok) {
      toast(answer.error ?? site().wordsServer, { kind: "error" });
      return null;
    }
    toast(answer.words, { action: answer.undo_url ? { words: answer.undo_words, run: () => undo(answer) } : null });
    return answer;
  } catch {
    toast(site().wordsOffline, { kind: "error" });
    return null;
  }
}

function undo({ undo_url: address, change }) {
  return send(address, new URLSearchParams({ change_id: change.id }));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-choose-playlist]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  choosePlaylist(new URL(link.href).search.slice(1));
});
shortcut({
  keys: ["a"], group: "list", when: (row) => row?.querySelector(".add-to-playlist") && !row.classList.contains("is-chosen"),
  run: (event, row) => row.querySelector(".add-to-playlist").click(),
});
