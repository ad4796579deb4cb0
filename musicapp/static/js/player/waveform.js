// The Seek slider: a waveform to look at, point at, drag and step through with the keyboard.
import { clock, fill } from "../page.js";

const BAR_PX = 2;
const GAP_PX = 1;
const LEAST_PX = 2;
const STEP_S = 5;
const KEPT_WAVEFORMS = 20;

export class SeekSlider {
  #element;
  #canvas;
  #hover;
  #words;
  #seek;
  #peaks = null;
  #bars = [];
  #fraction = 0;
  #duration_s = 0;
  #dragged = null;
  #pointed = null;
  #cache = new Map();
  #wanted = null;

  /** seek(seconds) is called when a person has chosen a place. */
  constructor(element, words, seek) {
    this.#element = element;
    this.#canvas = element.querySelector("canvas");
    this.#hover = element.querySelector(".player-hover");
    this.#words = words;
    this.#seek = seek;
    new ResizeObserver(() => this.#measure()).observe(element);
    document.addEventListener("musicapp:look", () => this.#draw());
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", () => { this.#dragged = null; this.#draw(); });
    element.addEventListener("pointerleave", () => { this.#pointed = null; this.#hover.hidden = true; this.#draw(); });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Fetches the peaks of a track; until they are here, and where there are none, a plain line is drawn. */
  async show(trackId) {
    this.#wanted = trackId;
    this.#peaks = this.#cache.get(trackId) ?? null;
    this.#measure();
    if (trackId === null || this.#peaks) return;
    try {
      const response = await fetch(`/tracks/${trackId}/waveform`, { headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const { data, bits } = await response.json();
      const full = 2 ** ((bits ?? 8) - 1);
      const peaks = new Float32Array(data.length / 2);
      for (let at = 0; at < peaks.length; at += 1) {
        peaks[at] = Math.max(Math.abs(data[2 * at]), Math.abs(data[2 * at + 1])) / full;
      }
      const loudest = Math.max(...peaks, 0.05);
      this.#cache.set(trackId, peaks.map((peak) => peak / loudest));
      if (this.#cache.size > KEPT_WAVEFORMS) this.#cache.delete(this.#cache.keys().next().value);
    } catch {
      return; // no connection: the line serves
    }
    if (this.#wanted !== trackId) return;
    this.#peaks = this.#cache.get(trackId);
    this.#measure();
  }

  setTime(position_s, duration_s) {
    const known = Number.isFinite(duration_s) && duration_s > 0;
    this.#duration_s = known ? duration_s : 0;
    this.#fraction = known ? Math.min(1, position_s / duration_s) : 0;
    this.#element.setAttribute("aria-disabled", String(!known));
    this.#element.setAttribute("aria-valuemax", String(Math.round(this.#duration_s)));
    this.#element.setAttribute("aria-valuenow", String(Math.round(known ? position_s : 0)));
    this.#element.setAttribute("aria-valuetext", fill(this.#words, clock(position_s), clock(this.#duration_s)));
    if (this.#dragged === null) this.#draw();
  }

  #measure() {
    const { width, height } = this.#element.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    const count = Math.max(0, Math.floor((width + GAP_PX) / (BAR_PX + GAP_PX)));
    this.#bars = Array.from({ length: count }, (_, bar) => {
      if (!this.#peaks) return 0;
      const from = Math.floor((bar / count) * this.#peaks.length);
      const to = Math.max(from + 1, Math.floor(((bar + 1) / count) * this.#peaks.length));
      return Math.max(...this.#peaks.subarray(from, to));
    });
    this.#draw();
  }

  #draw() {
    const context = this.#canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const height = this.#canvas.height / ratio;
    const style = getComputedStyle(this.#element);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    const played = (this.#dragged ?? this.#fraction) * this.#bars.length;
    const pointed = this.#pointed === null ? -1 : this.#pointed * this.#bars.length;
    this.#bars.forEach((peak, bar) => {
      const bar_px = Math.max(LEAST_PX, peak * height * 0.86);
      const share = Math.min(1, Math.max(0, played - bar)); // the bar at the playhead fills as it is heard
      const x = bar * (BAR_PX + GAP_PX);
      const y = (height - bar_px) / 2;
      // the style sheet puts the accent in caret-color: there it is resolved for dark and light
      context.globalAlpha = share < 1 && bar < pointed ? 1 : 0.8;
      context.fillStyle = bar < pointed && share < 1 ? style.columnRuleColor : style.color;
      if (share < 1) context.fillRect(x, y, BAR_PX, bar_px);
      if (share > 0) {
        context.globalAlpha = share;
        context.fillStyle = style.caretColor;
        context.fillRect(x, y, BAR_PX, bar_px);
      }
    });
  }

  #fractionAt(event) {
    const { left, width } = this.#element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width));
  }

  #point(event) {
    const fraction = this.#fractionAt(event);
    this.#hover.hidden = false;
    this.#hover.textContent = clock(fraction * this.#duration_s);
    const room = this.#element.clientWidth - this.#hover.offsetWidth;
    const left = Math.min(room, Math.max(0, fraction * this.#element.clientWidth - this.#hover.offsetWidth / 2));
    this.#hover.style.setProperty("transform", `translateX(${left}px)`);
    return fraction;
  }

  #down(event) {
    if (!this.#duration_s || event.button !== 0) return;
    this.#element.setPointerCapture(event.pointerId);
    this.#dragged = this.#point(event);
    this.#draw();
  }

  #move(event) {
    if (!this.#duration_s) return;
    const fraction = this.#point(event);
    if (this.#dragged === null) this.#pointed = fraction;
    else this.#dragged = fraction;
    this.#draw();
  }

  #up(event) {
    if (this.#dragged === null) return;
    const place_s = this.#fractionAt(event) * this.#duration_s;
    this.#dragged = null;
    if (event.pointerType !== "mouse") this.#hover.hidden = true;
    this.#seek(place_s);
  }

  #key(event) {
    if (!this.#duration_s || event.ctrlKey || event.metaKey || event.altKey) return;
    const now_s = this.#fraction * this.#duration_s;
    const target_s = {
      ArrowRight: now_s + STEP_S, ArrowUp: now_s + STEP_S, ArrowLeft: now_s - STEP_S, ArrowDown: now_s - STEP_S,
      PageUp: now_s + 6 * STEP_S, PageDown: now_s - 6 * STEP_S, Home: 0, End: this.#duration_s,
    }[event.key];
    if (target_s === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.#seek(Math.min(this.#duration_s, Math.max(0, target_s)));
  }
}
