"""What the loudspeakers get, recorded in the page, and what a sine says about the joints in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

RATE_HZ = 48_000
BLOCK = 2048

# Whatever a page connects to its loudspeakers is also heard here. A worklet, because the page's own thread has breaks.
_TAP = f"""
class Tap extends AudioWorkletProcessor {{
  constructor() {{ super(); this.kept = new Float32Array({BLOCK}); this.at = 0; }}
  process([[channel]]) {{
    this.kept.set(channel ?? new Float32Array(128), this.at);
    this.at += 128;
    if (this.at === {BLOCK}) {{ this.port.postMessage(this.kept.slice()); this.at = 0; }}
    return true;
  }}
}}
registerProcessor("tap", Tap);
"""
_CONNECT = f"""
window.heard = [];
const tapModule = URL.createObjectURL(new Blob([{json.dumps(_TAP)}], {{ type: "text/javascript" }}));
const connect = AudioNode.prototype.connect;
const taps = new WeakMap();
AudioNode.prototype.connect = function (to, ...more) {{
  if (to instanceof AudioDestinationNode) {{
    if (!taps.has(to)) taps.set(to, to.context.audioWorklet.addModule(tapModule).then(() => {{
      const tap = new AudioWorkletNode(to.context, "tap");
      tap.port.onmessage = ({{ data }}) => window.heard.push(data);
      connect.call(tap, to);
      return tap;
    }}));
    taps.get(to).then((tap) => connect.call(this, tap));
    return connect.call(this, to);
  }}
  return connect.call(this, to, ...more);
}};
window.AudioContext = class extends AudioContext {{
  constructor(wishes) {{ super({{ ...wishes, sampleRate: {RATE_HZ} }}); }}
}};
window.listen = async () => {{
  const context = new AudioContext();
  context.createMediaElementSource(document.getElementById("player-audio")).connect(context.destination);
  await taps.get(context.destination);
  await context.resume();
}};
window.heardBytes = () => {{
  const all = new Float32Array(window.heard.length * {BLOCK});
  window.heard.forEach((block, at) => all.set(block, at * {BLOCK}));
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}};
"""

Sound = NDArray[np.float64]


def prepare(page: Page) -> None:
    """Before the page is opened; its context needs `bypass_csp`, as the site allows no script that it has not sent."""
    page.add_init_script(_CONNECT)


def listen(page: Page) -> None:
    """Records the player's own element; not needed where the player has an audio graph already."""
    page.evaluate("listen()")


def heard(page: Page) -> Sound:
    found: Any = np.frombuffer(base64.b64decode(page.evaluate("heardBytes()")), dtype="<f4")
    sound: Sound = found.astype(np.float64)
    return sound


def sounding(sound: Sound, least: float = 0.02) -> Sound:
    """From the first to the last sample that is louder than `least`."""
    loud = np.flatnonzero(np.abs(sound) > least)
    return sound[int(loud[0]) : int(loud[-1]) + 1]


def quiet_runs_ms(sound: Sound, least: float = 0.01) -> list[float]:
    """Lengths of the runs of samples quieter than `least`, longest first."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (np.abs(sound) < least).astype(int), [0]))))
    return sorted(((edges[1::2] - edges[::2]) * 1000 / RATE_HZ).tolist(), reverse=True)


def phase_steps(sound: Sound, hertz: float) -> NDArray[np.float64]:
    """How far the phase of a sine leaves its straight line from one period to the next, in samples."""
    period = round(RATE_HZ / hertz)
    count = len(sound) // period
    turned = sound[: count * period] * np.exp(-2j * np.pi * hertz * np.arange(count * period) / RATE_HZ)
    phase = np.unwrap(np.angle(turned.reshape(count, period).sum(axis=1)))
    steps: NDArray[np.float64] = np.abs(np.diff(phase)) / (2 * np.pi * hertz) * RATE_HZ
    return steps
