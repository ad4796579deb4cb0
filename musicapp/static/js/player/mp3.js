// Whole mp3 frames out of bytes, counted, so that every sample's place is known. Samples are those of a channel.
import { joined } from "./ogg.js";

const KBPS = { 3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320], 2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] };
const HZ = [44_100, 48_000, 32_000];

function frameAt(bytes, at) {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || (bytes[at + 1] & 0xe6) !== 0xe2) return null; // layer III only
  const version = (bytes[at + 1] >> 3) & 3; // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  const kbps = KBPS[version === 3 ? 3 : 2][bytes[at + 2] >> 4];
  const hz = HZ[(bytes[at + 2] >> 2) & 3];
  if (version === 1 || !kbps || !hz) return null;
  const rate_hz = hz >> (version === 3 ? 0 : version === 2 ? 1 : 2);
  const samples = version === 3 ? 1152 : 576;
  const exact = (samples * 125 * kbps) / rate_hz;
  return { rate_hz, samples, kbps, exact, length: Math.floor(exact) + ((bytes[at + 2] >> 1) & 1), isMono: bytes[at + 3] >> 6 === 3, isFirst: version === 3 };
}

export class Mp3Frames {
  mime = "audio/mpeg";
  rate_hz = 0;
  total = null;
  delay;
  #padding;
  #rest = new Uint8Array(0);
  #count = 0;
  #first = null;
  #skip = 0; // bytes of an ID3 tag still to come
  #start = 0; // the byte where sound begins
  #read = 0;
  #isJump = false;
  #isConstant = true;

  /** delay and padding in samples, as the encoder noted them. The 529 samples that every decoder adds are not in them,
      and must not be: Chromium takes those off itself (measured: a joined sine keeps its phase to 0.1 samples). */
  constructor({ encoder_delay_samples: delay, encoder_padding_samples: padding }) {
    this.delay = delay ?? 0;
    this.#padding = padding ?? 0;
  }

  get isReady() { return this.#first !== null; }

  /** Forgets what was read: the next bytes come from byte `from` on. */
  jump(from) {
    this.#rest = new Uint8Array(0);
    this.#isJump = true;
    this.#skip = 0;
    this.#read = from;
    this.total = null;
  }

  push(bytes, isLast) {
    let buffer = joined([this.#rest, bytes]);
    let base = this.#read - this.#rest.length; // the file's byte that the buffer begins with
    this.#read += bytes.length;
    let at = 0;
    if (base === 0 && buffer[0] === 73 && buffer[1] === 68 && buffer[2] === 51) {
      this.#skip = 10 + ((buffer[6] << 21) | (buffer[7] << 14) | (buffer[8] << 7) | buffer[9]);
    }
    if (this.#skip > base) at = this.#skip - base;
    if (at > buffer.length) {
      this.#rest = new Uint8Array(0);
      return null;
    }
    let from = null;
    const parts = [];
    for (;;) {
      const frame = frameAt(buffer, at);
      if (!frame || (from === null && this.#isJump && !frameAt(buffer, at + frame.length))) {
        if (at + 4 > buffer.length) break;
        at += 1; // between frames nothing belongs: a tag at the end, or a place chosen by guessing
        continue;
      }
      if (at + frame.length > buffer.length) break;
      if (!this.#first) {
        this.#first = frame;
        this.rate_hz = frame.rate_hz;
        this.#start = base + at;
        if (isNote(buffer, at, frame)) {
          at += frame.length;
          this.#start = base + at;
          continue;
        }
      }
      if (this.#isJump) {
        // constant bitrate: padding bytes keep every frame within a byte of its exact place
        this.#count = Math.round((base + at - this.#start) / frame.exact);
        this.#isJump = false;
      }
      this.#isConstant &&= frame.kbps === this.#first.kbps;
      from ??= this.#count * frame.samples;
      parts.push(buffer.subarray(at, at + frame.length));
      at += frame.length;
      this.#count += 1;
    }
    this.#rest = buffer.slice(Math.min(at, buffer.length));
    if (isLast && this.#first) this.total = this.#count * this.#first.samples - this.#padding;
    return parts.length ? { bytes: joined(parts), from } : null;
  }
}

/** The first frame is silence that holds a note of the encoder: not a part of the sound. */
function isNote(buffer, at, { isFirst, isMono }) {
  const place = at + 4 + (isFirst ? (isMono ? 17 : 32) : isMono ? 9 : 17);
  return ["Xing", "Info"].includes(String.fromCharCode(...buffer.subarray(place, place + 4)));
}
