// Lock screen, headset keys and the desktop's media controls.
const STEP_S = 10;

/** Keeps navigator.mediaSession in step with the player; does nothing where there is none. */
export function startMediaSession(player) {
  const session = navigator.mediaSession;
  if (!session || !window.MediaMetadata) return;
  const handlers = {
    play: () => player.play(),
    pause: () => player.pause(),
    stop: () => player.pause(),
    nexttrack: () => player.next(),
    previoustrack: () => player.previous(),
    seekto: ({ seekTime }) => player.seek(seekTime),
    seekforward: ({ seekOffset }) => player.seek(player.position_s + (seekOffset || STEP_S)),
    seekbackward: ({ seekOffset }) => player.seek(player.position_s - (seekOffset || STEP_S)),
  };
  for (const [name, run] of Object.entries(handlers)) {
    try {
      session.setActionHandler(name, run);
    } catch { /* an older browser doesn't know this action */ }
  }
  let shown = null;
  player.addEventListener("change", () => {
    const track = player.queue.current;
    session.playbackState = track ? (player.isPlaying ? "playing" : "paused") : "none";
    if (track === shown) return;
    shown = track;
    session.metadata = track && new MediaMetadata({
      title: track.title, artist: track.artists, album: track.album ?? "",
      artwork: track.cover ? [{ src: new URL(track.cover, location.href).href }] : [],
    });
  });
  player.addEventListener("time", () => {
    const duration = player.duration_s;
    if (!Number.isFinite(duration) || duration <= 0 || !player.loaded) return;
    try {
      session.setPositionState({ duration, position: Math.min(duration, Math.max(0, player.position_s)), playbackRate: 1 });
    } catch { /* a position that the browser finds odd is no reason to stop */ }
  });
}
