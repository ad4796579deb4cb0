// Forms that change the play queue, anywhere on the site, and the queue's own page. Without scripts they post and come
// back; here a change shows at once.
//   form[data-queue-form]            adds track_id (any number) or what its door stands for; place: next or last
//   form[data-queue-form="play"]     its door replaces the queue; it is played here
//   form[data-queue-act]             on /queue: up, down, remove, jump, clear, shuffle, repeat
import { clock, onContent, within } from "../page.js";
import { currentRow, shortcut } from "../shortcuts.js";
import { toast } from "../toasts.js";

const AGAIN_MS = 60;

export function startQueueForms(player) {
  const { queue } = player;
  const { server } = queue;
  const words = document.getElementById("player-elsewhere")?.dataset ?? {};

  function read(row) {
    try {
      return JSON.parse(row.dataset.track);
    } catch {
      return null;
    }
  }

  /** What the page knows about a track. */
  function trackOf(id, near) {
    const rows = [near?.closest("[data-track]"), ...document.querySelectorAll(`[data-track][id$="-${id}"]`), ...document.querySelectorAll("[data-track]")];
    for (const row of rows) {
      const track = row && read(row);
      if (track?.id === id) return track;
    }
    return null;
  }

  const sourceOf = (element) => element?.closest("[data-source]")?.dataset.source ?? "";

  function added(entries, place, said = "") {
    if (!entries) {
      toast(words.wordsFull, { kind: "error" });
      return;
    }
    const undo = { words: words.wordsUndo, run: () => { if (queue.removeEntries(entries)) player.follow(0); } };
    toast(said || (place === "next" ? words.wordsNext : words.wordsAdded), { action: entries.length ? undo : null });
  }

  function addHere(tracks, place, source) {
    added(place === "next" ? queue.addNext(tracks, source) : queue.addLast(tracks, source), place);
  }

  async function submit(form) {
    const fields = new FormData(form);
    const place = fields.get("place") ?? "last";
    const source = fields.get("source") || sourceOf(form);
    const tracks = fields.getAll("track_id").map((id) => trackOf(Number(id), form));
    const isPlay = form.dataset.queueForm === "play";
    if (!isPlay && tracks.length && tracks.every(Boolean)) return addHere(tracks, place, source);
    if (!server) {
      const album = Number(fields.get("album_id"));
      const shown = [...document.querySelectorAll("[data-track-list] [data-track]")].map(read).filter((track) => track?.playable && track.album_id === album);
      if (shown.length) return addHere(shown, place, `album-${album}`);
      return toast(words.wordsLogIn, { kind: "error" });
    }
    if (!fields.get("source")) fields.set("source", source);
    if (isPlay) return player.playDoor(form.action, fields);
    const answer = await ask(form.action, fields);
    if (answer) added(answer.added ?? [], place, answer.words);
  }

  /** Lets a door change the queue; its answer, or null, which has been said. */
  async function ask(door, fields) {
    await server.arrived();
    const response = await server.post(door, fields);
    const answer = await response?.json().catch(() => ({}));
    if (response?.ok) {
      await queue.refresh();
      return answer;
    }
    toast(answer?.error ?? document.getElementById("toasts").dataset.wordsOffline, { kind: "error" });
    return null;
  }

  /** Plays here what a door puts into the queue, from a track on: for lists that the page holds only a part of. */
  if (server) {
    player.playDoor = async (door, fields, trackId = 0) => {
      if (!(await ask(door, fields))) return;
      // what this person may not hear was left out, so the track may stand elsewhere
      const index = trackId && queue.current?.id !== trackId ? queue.tracks.findIndex((track) => track.id === trackId) : -1;
      if (index >= 0) queue.go(index);
      if (index >= 0 || !player.isPlaying) player.follow(0);
      player.play();
    };
  }

  const acts = {
    jump: (index) => (index === queue.index ? player.toggle() : player.jump(index)),
    up: (index) => queue.move(index, index - 1),
    down: (index) => queue.move(index, index + 1),
    remove: (index) => player.remove(index),
    shuffle: () => queue.toggleShuffle(),
    repeat: () => queue.cycleRepeat(),
    clear: () => {
      const kept = { tracks: queue.tracks, index: queue.index, source: queue.source };
      player.clear();
      const run = () => {
        queue.addLast(kept.tracks, kept.source);
        queue.go(kept.index);
        player.follow(0);
      };
      toast(words.wordsCleared, { action: { words: words.wordsUndo, run } });
    },
  };

  function act(name, entry) {
    const index = entry ? queue.tracks.findIndex((track) => track.entry === entry) : 0;
    if (index < 0 || !queue.length) return false;
    acts[name](index);
    return true;
  }

  // before htmx, which sends boosted forms
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-queue-form]")) submit(form);
    else if (!form.matches("[data-queue-act]") || !act(form.dataset.queueAct, Number(form.elements.entry_id?.value))) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  const inQueue = (row) => row?.matches("#queue-page [data-entry-id]");
  for (const [keys, name] of [[["Alt+ArrowUp"], "up"], [["Alt+ArrowDown"], "down"], [["Delete"], "remove"]]) {
    shortcut({ keys, group: "list", when: inQueue, run: (event, row) => act(name, Number(row.dataset.entryId)) });
  }
  for (const [keys, place] of [[["e"], "last"], [["Shift+e"], "next"]]) {
    const playable = (row) => row?.dataset.track && read(row)?.playable;
    shortcut({ keys, group: "list", when: playable, run: (event, row) => addHere([read(row)], place, sourceOf(row)) });
  }

  // ---- The page of the queue, as the server draws it
  let timer = 0;
  function redraw() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const shown = document.querySelector("#queue-page");
      if (!shown || (server && !server.isIdle)) return;
      const row = currentRow();
      await htmx.ajax("GET", location.pathname + location.search, {
        source: shown, target: shown, select: "#queue-page", swap: "outerMorph",
      }).catch(() => {});
      // a moved row keeps the keyboard
      if (row?.id && row.contains(document.activeElement) === false) document.getElementById(row.id)?.querySelector("button")?.focus();
    }, AGAIN_MS);
  }
  for (const name of ["settled", "remote"]) queue.addEventListener(name, redraw);

  // ---- The same page for strangers, whose queue only this browser knows
  function list(place) {
    place.replaceChildren(...queue.tracks.map((track, index) => {
      const row = document.getElementById("player-queue-row").content.firstElementChild.cloneNode(true);
      row.querySelector(".queue-title").textContent = track.title;
      row.querySelector(".queue-artists").textContent = track.artists;
      row.querySelector(".queue-length").textContent = clock(track.duration_ms / 1000);
      for (const other of row.querySelectorAll(".icon-button")) other.remove();
      const number = document.createElement("span");
      number.className = "row-number";
      number.textContent = index + 1;
      row.prepend(number);
      row.querySelector(".queue-play").addEventListener("click", () => (index === queue.index ? player.toggle() : player.jump(index)));
      if (index === queue.index) row.setAttribute("aria-current", "true");
      return row;
    }));
  }
  onContent((content) => within(content, "[data-local-queue]").forEach(list));
  queue.addEventListener("change", () => document.querySelectorAll("[data-local-queue]").forEach(list));
}
