// Track rows anywhere on the site: elements with data-track play with the list they stand in.
import { onContent } from "../page.js";

const inList = (list) => [...list.querySelectorAll("[data-track]")];

function read(row) {
  try {
    return JSON.parse(row.dataset.track);
  } catch {
    return null;
  }
}

// a history or a playlist may hold a track twice, so ids of elements don't tell; the row's JSON begins with the track's
const isOf = (row, id) => new RegExp(`^\\{"id": ?${id}\\b`).test(row.dataset.track);

/** Makes rows and "play all" buttons work, and marks the row of the current track. */
export function startRows(player) {
  const words = player.words;

  function playList(list, from) {
    // a long list is only in part in the page: its door knows all of it
    const [door, first] = [list.dataset.playDoor, inList(list)[0]];
    if (door && player.playDoor && Number(first?.getAttribute("aria-setsize")) > inList(list).length) {
      player.playDoor(door, { place: "now", start: from ? Number(from.getAttribute("aria-posinset")) - 1 : 0 }, from ? read(from).id : 0);
      return;
    }
    const tracks = [];
    let index = 0;
    for (const row of inList(list)) {
      const track = read(row);
      if (!track?.playable) continue;
      if (row === from) index = tracks.length;
      tracks.push(track);
    }
    const source = (list.dataset.source ? list : list.querySelector("[data-source]"))?.dataset.source ?? "";
    if (tracks.length) player.playTracks(tracks, index, source);
  }

  function playRow(row) {
    const track = read(row);
    if (!track?.playable) return;
    if (player.queue.current?.id === track.id) player.toggle();
    else playList(row.closest("[data-track-list]") ?? row.parentElement, row);
  }

  const isControl = (target) => target.closest("a, button, input, select, label, summary, [data-drag]");

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const all = event.target.closest("[data-play-list]");
    if (all) {
      const list = document.querySelector(all.dataset.playList);
      const ids = list ? inList(list).map((row) => read(row)?.id) : [];
      if (player.queue.current && ids.includes(player.queue.current.id)) player.toggle();
      else if (list) playList(list, null);
      return;
    }
    const row = event.target.closest("[data-track]");
    if (!row) return;
    if (event.target.closest("[data-play]")) {
      event.preventDefault();
      playRow(row);
    } else if (matchMedia("(hover: none)").matches && !isControl(event.target)) {
      playRow(row); // a finger can't hover: the whole row is the button
    }
  });
  document.addEventListener("dblclick", (event) => {
    const row = event.target.closest("[data-track]");
    if (row && !isControl(event.target)) {
      getSelection()?.removeAllRanges();
      playRow(row);
    }
  });

  function label(control, isPlaying) {
    control.dataset.label ??= control.getAttribute("aria-label") ?? "";
    if (control.dataset.label) control.setAttribute("aria-label", isPlaying ? words.wordsPause : control.dataset.label);
  }

  function mark() {
    const id = player.queue.current?.id;
    for (const row of document.querySelectorAll("[data-track]")) {
      const isCurrent = id !== undefined && isOf(row, id);
      if (isCurrent) row.setAttribute("aria-current", "true");
      else if (row.hasAttribute("aria-current")) row.removeAttribute("aria-current");
      else continue;
      const control = row.querySelector("[data-play]");
      if (control) label(control, isCurrent && player.isPlaying);
    }
    for (const all of document.querySelectorAll("[data-play-list]")) {
      const list = document.querySelector(all.dataset.playList);
      const isHere = id !== undefined && Boolean(list) && inList(list).some((row) => isOf(row, id));
      showState(all, isHere && player.isPlaying);
    }
  }

  function showState(button, isPlaying) {
    const text = [...button.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!text) return;
    button.dataset.words ??= text.textContent.trim();
    const wanted = isPlaying ? words.wordsPause : button.dataset.words;
    if (text.textContent.trim() !== wanted) text.textContent = wanted;
    const use = button.querySelector("use");
    use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, isPlaying ? "#pause" : "#play"));
  }

  player.addEventListener("change", mark);
  onContent(mark);
}
