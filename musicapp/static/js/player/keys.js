// The keyboard anywhere on the page, except where somebody writes or a control has its own use for the key.
const SEEK_S = 5;

/** space plays and pauses, n next, p previous, m mutes, left and right seek by 5 s. */
export function startKeys(player) {
  const actions = {
    " ": () => player.toggle(),
    n: () => player.next(),
    p: () => player.previous(),
    m: () => player.element.querySelector("#player-mute").click(),
    ArrowRight: () => player.seek(player.position_s + SEEK_S),
    ArrowLeft: () => player.seek(player.position_s - SEEK_S),
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { target } = event;
    if (target.closest?.("input, textarea, select, [contenteditable], dialog, [role=slider], audio, video")) return;
    // a focused button or menu takes the space bar itself; letters and arrows are free there
    if (event.key === " " && target.closest?.("button, a, summary, [tabindex='0']")) return;
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || !player.queue.current) return;
    event.preventDefault();
    action();
  });
}
