// Opus out of Ogg pages and into WebM clusters, because browsers take no Ogg in a MediaSource. Bytes are only wrapped
// anew, never decoded. Samples count at 48 kHz, the encoder's pre-skip included (RFC 7845).
export const OPUS_HZ = 48_000;
const PAGE_HEAD = 27;
const CONTINUED = 1;
const LAST = 4;

export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** How long a packet sounds, from its first two bytes (RFC 6716, 3.1). */
function samplesOf(packet) {
  const config = packet[0] >> 3;
  const frame_ms = config < 12 ? [10, 20, 40, 60][config & 3] : config < 16 ? [10, 20][config & 1] : [2.5, 5, 10, 20][config & 3];
  const code = packet[0] & 3;
  return frame_ms * 48 * (code === 0 ? 1 : code < 3 ? 2 : packet[1] & 63);
}

export class OggOpus {
  mime = 'audio/webm; codecs="opus"';
  rate_hz = OPUS_HZ;
  #rest = new Uint8Array(0);
  #begun = []; // a packet that goes on in the next page
  #at = 0; // null: the stream was entered midway, the next page tells
  #head = null;
  #isRetold = false;

  get isReady() { return this.#head !== null; }

  /** Samples that the encoder put in front. */
  get delay() { return this.#head[10] | (this.#head[11] << 8); }

  /** Samples of delay and sound together; known once the last page is read. */
  total = null;

  /** Forgets what was read: the next bytes come from anywhere in the file. */
  jump() {
    this.#rest = new Uint8Array(0);
    this.#begun = [];
    this.#at = null;
    this.total = null;
    this.#isRetold = false;
  }

  /** Takes bytes of the file; returns what to append {bytes, from (samples)}, or null while there is too little. */
  push(bytes) {
    const buffer = joined([this.#rest, bytes]);
    const packets = [];
    let at = 0;
    for (;;) {
      at = this.#findPage(buffer, at);
      const count = buffer[at + 26];
      const body = at + PAGE_HEAD + count;
      if (at + PAGE_HEAD > buffer.length || body > buffer.length) break;
      const sizes = buffer.subarray(at + PAGE_HEAD, body);
      const end = body + sizes.reduce((sum, size) => sum + size, 0);
      if (end > buffer.length) break;
      this.#readPage(buffer, at, sizes, body, packets);
      at = end;
    }
    this.#rest = buffer.slice(Math.min(at, buffer.length));
    if (!packets.length) return null;
    const parts = [cluster(packets)];
    if (!this.#isRetold) parts.unshift(webmHead(this.#head));
    this.#isRetold = true;
    return { bytes: joined(parts), from: packets[0].at };
  }

  #findPage(buffer, from) {
    for (let at = from; at + 4 < buffer.length; at += 1) {
      if (buffer[at] === 79 && buffer[at + 1] === 103 && buffer[at + 2] === 103 && buffer[at + 3] === 83 && buffer[at + 4] === 0) return at;
    }
    return Math.max(from, buffer.length - 4);
  }

  #readPage(buffer, at, sizes, body, packets) {
    const view = new DataView(buffer.buffer, buffer.byteOffset + at);
    const flags = buffer[at + 5];
    const granule = Number(view.getBigInt64(6, true));
    const found = [];
    let isWhole = !(flags & CONTINUED) || this.#begun.length > 0; // entered midway: the first packet lacks its beginning
    let from = body;
    let to = body;
    for (const size of sizes) {
      to += size;
      if (size === 255) continue;
      const packet = joined([...this.#begun, buffer.subarray(from, to)]);
      if (isWhole && packet.length) found.push(packet);
      isWhole = true;
      this.#begun = [];
      from = to;
    }
    if (to > from) this.#begun.push(buffer.slice(from, to));
    for (const packet of found) {
      const name = String.fromCharCode(...packet.subarray(0, 8));
      if (name === "OpusHead") { this.#head = packet; continue; }
      if (name === "OpusTags") continue;
      packets.push({ bytes: packet, samples: samplesOf(packet), at: null });
    }
    const mine = packets.filter((packet) => packet.at === null);
    if (this.#at === null) {
      // the last page's granule is cut to the sound's end, so it can't tell where its packets begin
      if (granule < 0 || flags & LAST) { packets.length = 0; return; }
      this.#at = granule - mine.reduce((sum, packet) => sum + packet.samples, 0);
    }
    for (const packet of mine) {
      packet.at = this.#at;
      this.#at += packet.samples;
    }
    if (flags & LAST) this.total = granule;
  }
}

// ---- WebM: just enough EBML
const sized = (id, ...parts) => {
  const content = joined(parts.map((part) => (part instanceof Uint8Array ? part : Uint8Array.from(part))));
  const length = content.length;
  return joined([Uint8Array.from([...id, 0x10 | (length >>> 24), (length >>> 16) & 255, (length >>> 8) & 255, length & 255]), content]);
};
const text = (words) => new TextEncoder().encode(words);
const number = (value) => [value / 2 ** 24, value / 2 ** 16, value / 2 ** 8, value].map((byte) => byte & 255);

function webmHead(opusHead) {
  const head = opusHead.slice();
  head[10] = head[11] = 0; // delay is cut by the append window: a decoder that goes on from the track before cuts nothing
  const rate = new Uint8Array(8);
  new DataView(rate.buffer).setFloat64(0, OPUS_HZ);
  return joined([
    sized([0x1a, 0x45, 0xdf, 0xa3], sized([0x42, 0x82], text("webm")), sized([0x42, 0x87], [4]), sized([0x42, 0x85], [2])),
    Uint8Array.from([0x18, 0x53, 0x80, 0x67, 0x01, 255, 255, 255, 255, 255, 255, 255]), // a segment without end
    sized([0x15, 0x49, 0xa9, 0x66], sized([0x2a, 0xd7, 0xb1], number(1_000_000)), sized([0x4d, 0x80], text("musicapp")), sized([0x57, 0x41], text("musicapp"))),
    sized([0x16, 0x54, 0xae, 0x6b], sized(
      [0xae], sized([0xd7], [1]), sized([0x73, 0xc5], [1]), sized([0x83], [2]), sized([0x86], text("A_OPUS")),
      sized([0x63, 0xa2], head), sized([0x56, 0xaa], [0]), sized([0x56, 0xbb], number(80_000_000)),
      sized([0xe1], sized([0xb5], rate), sized([0x9f], [head[9]])),
    )),
  ]);
}

/** Clusters of at most 30 s: a block's time is 16 bits of milliseconds from its cluster's. */
function cluster(packets) {
  const clusters = [];
  let blocks = [];
  let start_ms = 0;
  const close = () => { if (blocks.length) clusters.push(sized([0x1f, 0x43, 0xb6, 0x75], sized([0xe7], number(start_ms)), ...blocks)); };
  for (const { bytes, at } of packets) {
    const at_ms = Math.round(at / 48);
    if (!blocks.length || at_ms - start_ms > 30_000) {
      close();
      blocks = [];
      start_ms = at_ms;
    }
    blocks.push(sized([0xa3], [0x81, (at_ms - start_ms) >> 8, (at_ms - start_ms) & 255, 0x80], bytes));
  }
  close();
  return joined(clusters);
}
