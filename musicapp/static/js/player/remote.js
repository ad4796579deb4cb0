// One listener, several devices: who plays, and where. Reports where this tab is; falls silent when another device takes
// over; shows what plays elsewhere and goes on from there.
import { fill } from "../page.js";
import { toast } from "../toasts.js";
import { deviceId } from "./queue_server.js";

const REPORT_EVERY_MS = 5000;
const TICK_MS = 1000;
const DOUBT_MS = 20_000; // so long a device may be silent before it counts as gone
const NEAR_S = 0.7;

export function startRemote(player) {
  const { queue } = player;
  const { server } = queue;
  const template = document.getElementById("player-elsewhere");
  if (!server || !template) return;
  const words = template.dataset;
  const strip = template.content.firstElementChild.cloneNode(true);
  strip.hidden = true;
  player.element.prepend(strip);
  let told = ""; // what the server said last of where the music is
  let isAsking = false;
  let doubtAt = 0;

  function report(more = {}, by = "post") {
    const fields = {
      device_id: deviceId, entry_id: queue.current.entry, position_ms: Math.round(player.position_s * 1000),
      is_playing: queue.isHeard ? 1 : "", ...more,
    };
    if (by === "beacon") return server.beacon("position", fields);
    return server.post("/queue/position", fields).then((response) => response?.json()).then((answer) => {
      if (answer?.is_elsewhere && queue.isHeard) queue.refresh();
    }).catch(() => {});
  }

  /** The device that plays is asked for its second, which it has told the server. */
  async function takeOver() {
    isAsking = true;
    await server.arrived();
    const response = await server.post("/queue/play-here", { device_id: deviceId });
    const answer = response?.ok ? await response.json() : null;
    isAsking = false;
    if (!answer) return;
    const there_s = answer.position_ms / 1000;
    const isSame = answer.current_entry_id === queue.current?.entry;
    if (isSame && player.isPlaying && Math.abs(player.position_s - there_s) > NEAR_S) player.seek(there_s);
    queue.take(answer);
  }

  player.addEventListener("change", () => {
    if (!queue.current || player.isPlaying === queue.isHeard) return;
    if (player.isPlaying) {
      queue.isHeard = true;
      const { remote } = queue;
      if (queue.isPlayingElsewhere) takeOver();
      else if (!remote.isPlaying || remote.deviceId !== deviceId) queue.playHere(player.position_s);
      show();
      return;
    }
    // after the other listeners of the same event: who was made to fall silent has nothing to say
    setTimeout(async () => {
      if (!queue.isHeard || player.isPlaying || !queue.current) return;
      queue.rest(player.position_s);
      await server.arrived();
      if (!player.isPlaying) report();
    });
  });
  player.addEventListener("seek", () => {
    if (queue.current && queue.remote.deviceId === deviceId && !isAsking) server.arrived().then(() => report({ is_seek: 1 }));
  });
  player.otherTabs.addEventListener("message", () => { queue.isHeard = false; });
  setInterval(() => { if (queue.isHeard && player.isPlaying && server.isIdle) report(); }, REPORT_EVERY_MS);
  addEventListener("pagehide", () => {
    if (!queue.isHeard || !player.isPlaying) return;
    report({ is_playing: "" }, "beacon");
    queue.rest(player.position_s);
  });

  queue.addEventListener("remote", ({ detail: { before } }) => {
    const { remote, current } = queue;
    const news = [remote.deviceId, current?.entry, remote.isPlaying || remote.position_s].join();
    const isNews = news !== told;
    const isFirst = told === "";
    told = news;
    const moved = before?.entry !== current?.entry;
    if (queue.isPlayingElsewhere && !isAsking) {
      if (player.isPlaying) {
        queue.isHeard = false;
        player.pause();
      }
      player.follow(queue.position_s);
    } else if (player.isPlaying) {
      if (moved && current) player.follow(0);
      else if (!current) player.clear();
    } else if (moved || (isNews && !(isFirst && remote.deviceId === deviceId) && Math.abs(player.position_s - queue.position_s) > NEAR_S)) {
      // not at the first word: this browser knows better than the server where it stopped itself
      player.follow(queue.position_s);
    }
    show();
  });
  queue.addEventListener("refused", ({ detail }) => toast(detail.words ?? document.getElementById("toasts").dataset.wordsServer, { kind: "error" }));

  function show() {
    strip.hidden = !queue.isPlayingElsewhere || player.isPlaying;
    player.element.classList.toggle("is-elsewhere", !strip.hidden);
    strip.querySelector("span").textContent = strip.hidden ? "" : fill(words.wordsOn, queue.remote.device);
    doubtAt = performance.now() + DOUBT_MS;
  }

  strip.querySelector("button").addEventListener("click", () => {
    player.follow(queue.position_s);
    player.play(); // at once, while the browser still knows that somebody pressed
  });
  setInterval(() => {
    if (strip.hidden || document.hidden) return;
    player.follow(queue.position_s);
    if (performance.now() < doubtAt) return;
    doubtAt = performance.now() + DOUBT_MS;
    queue.refresh();
  }, TICK_MS);
}
