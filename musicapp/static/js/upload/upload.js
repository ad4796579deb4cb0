// Uploads: forms with data-upload send files by tus, several at a time, while people go on using the site.
// Without scripts the same form posts the files to its action.
import { fill, onContent, vendored, within } from "../page.js";
import { toast } from "../toasts.js";
import { droppedFiles, sizeWords } from "./files.js";
import { Transfer } from "./transfer.js";

const AT_ONCE = 3;
const REMOVE_DONE_MS = 1500;
const badge = document.getElementById("upload-badge");
const words = badge?.dataset ?? {};
const template = document.getElementById("upload-template")?.content.firstElementChild;
const transfers = [];
const rows = new Map(); // transfer -> its row
const holders = new Map(); // album id -> the list that travels into whichever page has that album's form
const loadTus = () => vendored("tus-js-client-4.3.1/tus.min.js", "tus");

// ---- Sending
function startNext() {
  const free = AT_ONCE - transfers.filter((transfer) => transfer.isRunning).length;
  for (const transfer of transfers.filter(({ state }) => state === "waiting").slice(0, Math.max(0, free))) transfer.start();
}

async function send(form, files) {
  if (!files.length) return;
  let tus;
  try {
    tus = await loadTus();
  } catch {
    toast(words.wordsOffline, { kind: "error" });
    return;
  }
  const place = { endpoint: form.dataset.endpoint, albumId: form.dataset.albumId ?? "" };
  badge.href = location.pathname;
  for (const file of files) {
    const transfer = new Transfer(tus, file, place);
    transfers.push(transfer);
    transfer.addEventListener("change", () => changed(transfer));
    rows.set(transfer, makeRow(transfer));
    holderOf(place.albumId).querySelector("ol").append(rows.get(transfer));
  }
  mount(document.body);
  startNext();
  draw();
}

let lastState = new WeakMap();
function changed(transfer) {
  if (lastState.get(transfer) !== transfer.state) {
    lastState.set(transfer, transfer.state);
    if (transfer.state === "done") refreshSoon();
    if (transfer.isOver) setTimeout(() => forget(transfer), transfer.state === "done" ? REMOVE_DONE_MS : 0);
    queueMicrotask(startNext);
  }
  drawSoon();
}

function forget(transfer) {
  rows.get(transfer)?.remove();
  rows.delete(transfer);
  // the totals count finished files until all are through
  if (transfer.state === "cancelled" || transfers.every(({ isOver }) => isOver)) {
    if (transfer.state === "cancelled") transfers.splice(transfers.indexOf(transfer), 1);
    else transfers.length = 0;
  }
  draw();
}

// Live updates bring the finished file's own row. Where the live channel is away, the page asks once.
let refreshTimer = 0;
function refreshSoon() {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => {
    if (!document.getElementById("uploads")) return;
    htmx.ajax("GET", location.pathname + location.search, {
      source: "#uploads", target: "#uploads", select: "#uploads", swap: "outerMorph",
    }).catch(() => {});
  }, 700);
}

// ---- Showing
let rowCount = 0;
function makeRow(transfer) {
  const row = template.cloneNode(true);
  const name = row.querySelector(".upload-name");
  name.textContent = transfer.file.name;
  name.id = `upload-name-${++rowCount}`;
  row.querySelector("progress").setAttribute("aria-label", transfer.file.name);
  // the buttons keep the names that the server's rows use; whose they are is their description
  for (const button of row.querySelectorAll("button")) button.setAttribute("aria-describedby", name.id);
  row.addEventListener("click", (event) => {
    const act = event.target.closest("[data-upload-act]")?.dataset.uploadAct;
    if (act === "pause") transfer.pause();
    if (act === "resume" || act === "retry") transfer.retry();
    if (act === "cancel") transfer.cancel();
  });
  return row;
}

function holderOf(albumId) {
  if (!holders.has(albumId)) {
    const holder = document.createElement("div");
    holder.id = "upload-rows";
    holder.innerHTML = '<div class="upload-total" hidden><p class="spread"><span></span><span></span></p><progress max="100" value="0"></progress></div><ol class="uploads"></ol>';
    holder.querySelector("progress").setAttribute("aria-label", words.wordsTotal);
    holders.set(albumId, holder);
  }
  return holders.get(albumId);
}

function mount(content) {
  for (const form of within(content, "form[data-upload]")) {
    form.querySelector("[data-upload-plain]")?.setAttribute("hidden", "");
    const holder = holders.get(form.dataset.albumId ?? "");
    if (holder && form.nextElementSibling !== holder) form.after(holder);
  }
}

function lineOf({ state, file, sent_bytes, bytes_per_s, reason }) {
  if (state === "failed") return reason || words.wordsRefused;
  if (state === "sending") {
    const left_s = bytes_per_s > 0 ? (file.size - sent_bytes) / bytes_per_s : NaN;
    const sizes = fill(words.wordsSent, sizeWords(sent_bytes), sizeWords(file.size));
    if (!Number.isFinite(left_s) || left_s < 2) return sizes;
    return `${sizes} · ${left_s < 90 ? fill(words.wordsSeconds, Math.round(left_s)) : fill(words.wordsMinutes, Math.round(left_s / 60))}`;
  }
  return { waiting: words.wordsWaiting, paused: words.wordsPaused, offline: words.wordsOffline, done: words.wordsDone }[state] ?? "";
}

let drawing = 0;
function drawSoon() {
  // a timer, not a frame: a hidden tab draws no frames and still shows its totals in the title bar of the list
  drawing ||= setTimeout(() => { drawing = 0; draw(); }, 100);
}

function draw() {
  for (const [transfer, row] of rows) {
    const { state, file } = transfer;
    const line = row.querySelector(".upload-line");
    line.textContent = lineOf(transfer);
    line.classList.toggle("upload-line-failed", state === "failed");
    row.querySelector("progress").value = file.size ? (100 * transfer.sent_bytes) / file.size : 0;
    row.querySelector("progress").hidden = state === "failed";
    const shown = { pause: transfer.isRunning || state === "waiting", resume: state === "paused", retry: state === "failed", cancel: state !== "done" };
    for (const [act, isShown] of Object.entries(shown)) row.querySelector(`[data-upload-act=${act}]`).hidden = !isShown;
  }
  for (const [albumId, holder] of holders) {
    drawTotal(holder.querySelector(".upload-total"), transfers.filter((transfer) => transfer.albumId === albumId));
  }
  const open = transfers.filter(({ isOver, state }) => !isOver && state !== "failed");
  badge.hidden = open.length === 0;
  badge.querySelector("span").textContent = fill(words.wordsBadge, transfers.length - open.length, transfers.length);
}

function drawTotal(total, mine) {
  total.hidden = mine.length < 2;
  const size = mine.reduce((sum, { file }) => sum + file.size, 0);
  const sent = mine.reduce((sum, transfer) => sum + transfer.sent_bytes, 0);
  const [count, sizes] = total.querySelectorAll(".spread span");
  count.textContent = fill(words.wordsFiles, mine.filter(({ state }) => state === "done").length, mine.length);
  sizes.textContent = fill(words.wordsSent, sizeWords(sent), sizeWords(size));
  total.querySelector("progress").value = size ? (100 * sent) / size : 0;
}

// ---- Picking and dropping
const formOf = (event) => event.target.closest?.("form[data-upload]");
document.addEventListener("change", (event) => {
  if (event.target.type !== "file" || !formOf(event)) return;
  const files = [...event.target.files];
  event.target.value = ""; // so that the same file can be picked again
  send(formOf(event), files);
});
document.addEventListener("submit", (event) => { if (formOf(event)) event.preventDefault(); }, true);
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    const form = formOf(event) ?? document.querySelector("form[data-upload]");
    if (!form) return;
    event.preventDefault(); // anywhere on the page: a file dropped beside the form must not replace the page
    event.dataTransfer.dropEffect = "copy";
    form.classList.add("is-over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.querySelector("form[data-upload].is-over")?.classList.remove("is-over");
});
document.addEventListener("drop", async (event) => {
  const form = formOf(event) ?? document.querySelector("form[data-upload]");
  if (!form || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  form.classList.remove("is-over");
  const { files, leftOut } = await droppedFiles(event.dataTransfer);
  if (leftOut) toast(fill(words.wordsLeftOut, leftOut));
  send(form, files);
});

addEventListener("online", () => {
  for (const transfer of transfers) if (transfer.state === "offline") transfer.start();
});
addEventListener("beforeunload", (event) => {
  if (transfers.some(({ isRunning, state }) => isRunning || state === "waiting")) event.preventDefault();
});
onContent((content) => {
  if (within(content, "form[data-upload]").length) loadTus().catch(() => {}); // the next try is at the first file
  mount(document.body);
});
