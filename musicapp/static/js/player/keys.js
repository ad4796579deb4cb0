// The player's shortcuts; core/_shortcuts.html says them in words.
import { shortcut } from "../shortcuts.js";

const SEEK_S = 5;
const VOLUME_STEP = 0.05;

export function startKeys(player) {
  const press = (name) => () => document.getElementById(`player-${name}`).click();
  const bind = (keys, run, rest = {}) => shortcut({ keys, group: "player", run, ...rest });
  const when = () => player.queue.current !== null;
  const louder = (step) => () => player.setVolume(player.sound.volume + step);
  bind(["Space"], () => player.toggle(), { when });
  bind(["n"], () => player.next(), { when });
  bind(["p"], () => player.previous(), { when });
  bind(["ArrowRight"], () => player.seek(player.position_s + SEEK_S), { when, repeats: true });
  bind(["ArrowLeft"], () => player.seek(player.position_s - SEEK_S), { when, repeats: true });
  bind(["+", "="], louder(VOLUME_STEP), { repeats: true });
  bind(["-"], louder(-VOLUME_STEP), { repeats: true });
  bind(["m"], press("mute"));
  bind(["s"], press("shuffle"));
  bind(["r"], press("repeat"));
  bind(["f"], press("open"));
  bind(["v"], press("list"));
}
