// Says every 20 s that this page looks at the playlist, and when it goes away. The server forgets after 45 s.
const BEAT_MS = 20_000;

/** Returns what ends it. */
export function startPresence(url) {
  const body = (leaves) => new URLSearchParams({ page: key, leaves });
  const key = crypto.getRandomValues(new Uint32Array(2)).join("");
  const beat = () => { if (!document.hidden) fetch(url, { method: "POST", body: body("") }).catch(() => {}); };
  const leave = () => { navigator.sendBeacon(url, body("1")); };
  const look = () => (document.hidden ? leave() : beat());
  const timer = setInterval(beat, BEAT_MS);
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", look);
  beat();
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", look);
    leave();
  };
}
