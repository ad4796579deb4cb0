// The player's own controls: buttons, volume, sound settings, and the play queue as a list.
import { clock, fill, vendored } from "../page.js";

const MOST_ROWS = 100;
const ROWS_BEFORE = 20;

const id = (name) => document.getElementById(`player-${name}`);

/** As title_hue in core/pages.py counts it, so that a made cover has one colour everywhere. */
const hueOf = (title) => Math.floor([...title.trim().toLowerCase()].reduce((hue, letter) => (hue * 131 + letter.codePointAt(0)) % 65521, 7) * 40503 % 65521 * 8 / 65521);

/** A made cover is drawn by the page's style sheet; here it is the title's initial on one of eight colours. */
function coverOf(track) {
  const cover = document.createElement("span");
  cover.className = "cover";
  if (track?.cover) {
    const image = new Image(56, 56);
    image.alt = "";
    image.src = track.cover;
    image.addEventListener("error", () => cover.replaceWith(coverOf({ ...track, cover: null })));
    cover.append(image);
  } else if (track) {
    const title = track.album || track.title;
    cover.classList.add("cover-made", `hue-${hueOf(title)}`);
    const initial = document.createElement("span");
    initial.textContent = ([...title.trim()][0] ?? "♪").toUpperCase();
    cover.append(initial);
  }
  return cover;
}

function link(element, words, address) {
  element.textContent = words;
  if (address) element.href = address;
  else element.removeAttribute("href");
}

export class QueuePanel {
  #player;
  #list = id("queue");
  #panel = id("queue-panel");
  #template = document.getElementById("player-queue-row").content.firstElementChild;
  #shown = undefined;
  #coverShown = undefined;
  #first = 0; // the list's first row is this one of the queue

  constructor(player) {
    this.#player = player;
    this.#wireButtons();
    this.#wireSound();
    this.#wireList();
    this.#wirePanels();
    player.addEventListener("change", () => this.#show());
    this.#show();
  }

  #wireButtons() {
    const { queue } = this.#player;
    id("toggle").addEventListener("click", () => this.#player.toggle());
    id("next").addEventListener("click", () => this.#player.next());
    id("previous").addEventListener("click", () => this.#player.previous());
    id("shuffle").addEventListener("click", () => queue.toggleShuffle());
    id("repeat").addEventListener("click", () => queue.cycleRepeat());
    id("clear").addEventListener("click", () => this.#player.clear());
  }

  /** The browser's own dismissal would close the play queue at every press of the player's buttons. */
  #wirePanels() {
    const panels = [this.#panel, id("sound-panel")];
    for (const panel of panels) {
      panel.addEventListener("beforetoggle", (event) => { if (event.newState === "open") this.closePanels(panel); });
    }
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest("#player, #toasts")) this.closePanels();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !panels.some((panel) => panel.matches(":popover-open"))) return;
      id(this.#panel.matches(":popover-open") ? "list" : "sound").focus();
      this.closePanels();
    });
  }

  closePanels(except = null) {
    for (const panel of [this.#panel, id("sound-panel")]) {
      if (panel !== except && panel.matches(":popover-open")) panel.hidePopover();
    }
  }

  #wireSound() {
    const { sound, element } = this.#player;
    const show = () => {
      element.classList.toggle("is-muted", sound.isMuted || sound.volume === 0);
      id("mute").setAttribute("aria-pressed", String(sound.isMuted));
      id("volume").value = String(Math.round((sound.isMuted ? 0 : sound.volume) * 100));
      id("volume").setAttribute("aria-valuetext", `${id("volume").value} %`);
      id("volume").style.setProperty("--loud", `${id("volume").value}%`);
    };
    id("volume").addEventListener("input", () => this.#player.setVolume(id("volume").valueAsNumber / 100));
    this.#player.addEventListener("volume", show);
    id("mute").addEventListener("click", () => { sound.set({ isMuted: !sound.isMuted }); show(); });
    id("quality").value = sound.quality;
    id("quality").addEventListener("change", () => this.#player.setQuality(id("quality").value));
    const showFade = () => {
      const seconds = id("crossfade").valueAsNumber;
      const words = seconds ? fill(this.#player.words.wordsSeconds, seconds) : this.#player.words.wordsOff;
      id("crossfade-length").textContent = words;
      id("crossfade").setAttribute("aria-valuetext", words);
    };
    id("crossfade").value = String(sound.crossfade_s);
    id("crossfade").addEventListener("input", () => { this.#player.setCrossfade(id("crossfade").valueAsNumber); showFade(); });
    showFade();
    id("even").checked = sound.isEven;
    id("even").addEventListener("change", () => {
      sound.set({ isEven: id("even").checked });
      if (this.#player.isPlaying) sound.prepare();
    });
    show();
  }

  #wireList() {
    const { queue } = this.#player;
    const indexOf = (target) => {
      const at = [...this.#list.children].indexOf(target.closest(".queue-row"));
      return at < 0 ? at : at + this.#first;
    };
    this.#list.addEventListener("click", (event) => {
      const index = indexOf(event.target);
      if (index < 0) return;
      const act = event.target.closest("[data-queue]")?.dataset.queue;
      if (act === "up" || act === "down") {
        const to = index + (act === "up" ? -1 : 1);
        queue.move(index, to);
        this.#focus(to, act);
      } else if (act === "remove") {
        this.#player.remove(index);
        this.#focus(Math.min(index, queue.tracks.length - 1), act);
      } else if (event.target.closest(".queue-play")) {
        if (index === queue.index) this.#player.toggle();
        else this.#player.jump(index);
      }
    });
    this.#panel.addEventListener("toggle", (event) => {
      id("list").setAttribute("aria-expanded", String(event.newState === "open"));
      if (event.newState !== "open") return;
      this.#shown = undefined;
      this.#show();
      this.#list.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
    });
    id("sound-panel").addEventListener("toggle", (event) => {
      id("sound").setAttribute("aria-expanded", String(event.newState === "open"));
    });
  }

  /** The list was drawn anew: the keyboard stays on the same button of the moved row. */
  #focus(index, act) {
    const row = this.#list.children[index - this.#first];
    const button = row?.querySelector(`[data-queue=${act}]:not(:disabled)`) ?? row?.querySelector(".queue-play");
    (button ?? id("clear")).focus();
  }

  #show() {
    const { queue, words, element, isPlaying } = this.#player;
    const track = queue.current;
    element.classList.toggle("has-track", track !== null);
    element.classList.toggle("repeats-one", queue.repeat === "one");
    id("toggle").setAttribute("aria-label", isPlaying ? words.wordsPause : words.wordsPlay);
    id("toggle").title = isPlaying ? words.wordsPause : words.wordsPlay;
    id("toggle").disabled = track === null;
    id("previous").disabled = track === null;
    id("next").disabled = !queue.hasStep(1);
    id("shuffle").setAttribute("aria-pressed", String(queue.isShuffled));
    id("repeat").setAttribute("aria-pressed", String(queue.repeat !== "off"));
    id("repeat").title = { off: words.wordsRepeatOff, all: words.wordsRepeatAll, one: words.wordsRepeatOne }[queue.repeat];
    link(id("title"), track?.title ?? words.wordsReady, track?.album_url);
    link(id("artists"), track?.artists ?? "", track?.artist_url);
    const face = track && `${track.id} ${track.cover}`;
    if (face !== this.#coverShown) {
      this.#coverShown = face;
      id("cover").replaceChildren(...(track ? [coverOf(track)] : []));
    }
    if (this.#panel.matches(":popover-open") || element.classList.contains("is-open")) this.showList();
  }

  showList() {
    const { queue, words } = this.#player;
    id("queue-empty").hidden = queue.tracks.length > 0;
    id("clear").hidden = queue.tracks.length === 0;
    // a window of a long queue; /queue shows all of it
    const first = queue.length > MOST_ROWS ? Math.max(0, Math.min(queue.index - ROWS_BEFORE, queue.length - MOST_ROWS)) : 0;
    const tracks = queue.tracks.slice(first, first + MOST_ROWS);
    id("queue-more").hidden = tracks.length === queue.length;
    const state = tracks.map((track) => `${track.id} ${track.title}`).join() + `@${queue.index}`;
    if (state === this.#shown) return;
    this.#shown = state;
    this.#first = first;
    this.#list.replaceChildren(...tracks.map((track, at) => {
      const index = first + at;
      const row = this.#template.cloneNode(true);
      row.querySelector(".queue-title").textContent = track.title ?? "…";
      row.querySelector(".queue-artists").textContent = track.artists ?? "";
      row.querySelector(".queue-length").textContent = clock(track.duration_ms / 1000);
      if (index === queue.index) row.setAttribute("aria-current", "true");
      for (const [act, label] of [["up", words.wordsUp], ["down", words.wordsDown], ["remove", words.wordsRemove]]) {
        const button = row.querySelector(`[data-queue=${act}]`);
        button.setAttribute("aria-label", `${label}: ${track.title ?? ""}`);
        button.title = label;
        button.disabled = (act === "up" && index === 0) || (act === "down" && index === queue.tracks.length - 1);
      }
      return row;
    }));
    this.#makeSortable();
  }

  async #makeSortable() {
    const Sortable = await vendored("sortablejs-1.15.7/Sortable.min.js", "Sortable").catch(() => null);
    if (!Sortable || Sortable.get(this.#list)) return;
    Sortable.create(this.#list, {
      handle: "[data-drag]", animation: 120,
      onEnd: ({ oldIndex, newIndex }) => this.#player.queue.move(oldIndex + this.#first, newIndex + this.#first),
    });
  }
}
