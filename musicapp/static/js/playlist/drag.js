// Dragging rows: within an open playlist to another place, and from any list onto a playlist of the side bar
// (data-drop-playlist). With a mouse by the whole row, with a finger by its handle, so that lists still scroll.
import { send } from "../chooser.js";
import { openPlaylist } from "./open.js";

const START_PX = 6;
const EDGE_PX = 96;
const FASTEST_PX = 18; // per frame

let drag = null;

function begin(row, event) {
  const page = openPlaylist();
  const isOwn = row.dataset.entry !== undefined && page?.list.contains(row);
  const ids = isOwn ? page.selection.with(row) : [];
  const ghost = document.createElement("div");
  ghost.className = "drag-ghost";
  const title = row.querySelector(".row-title")?.textContent ?? "";
  ghost.textContent = ids.length > 1 ? `${ids.length} × ♪` : title;
  const line = document.createElement("div");
  line.className = "drag-line";
  line.hidden = true;
  document.body.append(ghost);
  if (isOwn) page.list.parentElement.append(line);
  document.documentElement.classList.add("is-dragging-rows");
  getSelection()?.removeAllRanges();
  drag = { ...drag, row, page: isOwn ? page : null, ids, ghost, line, y: event.clientY, x: event.clientX, isOn: true };
  drag.frame = requestAnimationFrame(scroll);
}

function scroll() {
  if (!drag?.isOn) return;
  const bottom = innerHeight - (document.getElementById("player")?.offsetHeight ?? 0);
  const into = drag.y < EDGE_PX ? drag.y - EDGE_PX : Math.max(0, drag.y - (bottom - EDGE_PX));
  if (drag.page && into) {
    scrollBy(0, Math.max(-1, Math.min(1, into / EDGE_PX)) * FASTEST_PX);
    aim();
  }
  drag.frame = requestAnimationFrame(scroll);
}

/** Finds what is under the pointer: a playlist to drop on, or a place between two rows. */
function aim() {
  const { x, y, page, ghost, line } = drag;
  ghost.style.transform = `translate(${x + 12}px, ${y + 12}px)`;
  const under = document.elementFromPoint(x, y)?.closest("[data-drop-playlist]");
  if (under !== drag.target) {
    drag.target?.classList.remove("is-drop-target");
    under?.classList.add("is-drop-target");
    drag.target = under;
  }
  drag.place = null;
  if (page?.canMove && !under) {
    const box = page.list.getBoundingClientRect();
    if (x > box.left && x < box.right) {
      drag.place = Math.max(0, Math.min(page.ids.length, Math.round((y - box.top) / page.window.height)));
      line.style.transform = `translateY(${page.window.topOf(drag.place)}px)`;
    }
  }
  line.hidden = drag.place === null;
}

function end(isDropped) {
  const { row, page, ids, ghost, line, target, place, frame, isOn } = drag;
  drag = null;
  if (!isOn) return;
  cancelAnimationFrame(frame);
  ghost.remove();
  line.remove();
  target?.classList.remove("is-drop-target");
  document.documentElement.classList.remove("is-dragging-rows");
  // the click that follows is the end of the drag, not a press on what lies under it
  const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
  if (!isDropped) return;
  if (target) {
    const fields = page ? new URLSearchParams(page.choiceOf(ids)) : new URLSearchParams({ track_id: JSON.parse(row.dataset.track).id });
    fields.set("duplicates", "add");
    send(`/playlists/${target.dataset.dropPlaylist}/entries`, fields);
  } else if (place !== null && place !== undefined) {
    page.move(ids, place ? page.ids[place - 1] : 0);
  }
}

document.addEventListener("pointerdown", (event) => {
  const row = event.target.closest?.("#main :is([data-track], [data-entry])");
  const isHandle = event.target.closest?.("[data-drag-entry]");
  if (!row || event.button !== 0 || !document.getElementById("main").dataset.viewer) return;
  if (row.closest("[data-reorder-url]") || event.target.closest("button, input, [data-drag], [data-play]")) return;
  if (event.pointerType === "touch" && !isHandle) return;
  drag = { row, startX: event.clientX, startY: event.clientY, pointerId: event.pointerId, isOn: false };
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointerId) return;
  if (!drag.isOn) {
    if (Math.hypot(event.clientX - drag.startX, event.clientY - drag.startY) < START_PX) return;
    begin(drag.row, event);
  }
  drag.x = event.clientX;
  drag.y = event.clientY;
  aim();
});
document.addEventListener("pointerup", (event) => { if (drag?.pointerId === event.pointerId) end(true); });
document.addEventListener("pointercancel", () => { if (drag) end(false); });
document.addEventListener("keydown", (event) => { if (drag?.isOn && event.key === "Escape") { event.stopPropagation(); end(false); } }, true);
// the browser's own dragging of links and pictures would take the pointer away
// lists in a studio are reordered by the browser's own dragging
document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.("#main :is([data-track], [data-entry])");
  if (row && !row.closest("[data-reorder-url]")) event.preventDefault();
});
