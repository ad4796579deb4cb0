// One file on its way: tus with resume. It outlives navigation, a lost connection and a restarted server.

const CHUNK_BYTES = 8 * 1024 * 1024; // what a cut connection can cost, and small enough for proxies that buffer
const QUICK_RETRIES_MS = [500, 1000, 2000, 4000]; // tus's own; after them the transfer waits and begins again
const RETRY_MOST_MS = 30_000;

/** The server's own sentence: {"error": "..."}, or plain text. */
function serverWords(response) {
  const body = response?.getBody?.()?.trim() ?? "";
  try {
    const { error } = JSON.parse(body);
    if (typeof error === "string") return error;
  } catch { /* not JSON */ }
  return body && !body.startsWith("<") ? body.slice(0, 300) : "";
}

const mayPass = (status) => status === 0 || status === 409 || status === 423 || status === 429 || status >= 500;

export class Transfer extends EventTarget {
  /** states: waiting, sending, paused, offline, done, failed, cancelled */
  constructor(tus, file, { endpoint, albumId }) {
    super();
    this.file = file;
    this.albumId = albumId;
    this.state = "waiting";
    this.sent_bytes = 0;
    this.bytes_per_s = 0;
    this.reason = "";
    this.attempts = 0;
    this.timer = 0;
    this.mark = null;
    const metadata = { filename: file.name, filetype: file.type || "application/octet-stream" };
    if (albumId) metadata.album_id = albumId;
    this.upload = new tus.Upload(file, {
      endpoint, metadata, chunkSize: CHUNK_BYTES, retryDelays: QUICK_RETRIES_MS, removeFingerprintOnSuccess: true,
      // the same file in two albums is two uploads
      fingerprint: async (input, options) => `${await tus.defaultOptions.fingerprint(input, options)}-${albumId}`,
      onProgress: (sent) => this.#progressed(sent),
      onSuccess: () => { this.sent_bytes = file.size; this.#become("done"); },
      onError: (error) => this.#failed(error),
      onShouldRetry: (error) => mayPass(error.originalResponse?.getStatus() ?? 0),
    });
  }

  get isRunning() { return this.state === "sending" || this.state === "offline"; }

  get isOver() { return this.state === "done" || this.state === "cancelled"; }

  #become(state) {
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }

  #progressed(sent) {
    const now = performance.now();
    if (this.mark && now - this.mark.at > 500) {
      const speed = ((sent - this.mark.sent) * 1000) / (now - this.mark.at);
      this.bytes_per_s = this.bytes_per_s ? 0.7 * this.bytes_per_s + 0.3 * speed : speed;
    }
    if (!this.mark || now - this.mark.at > 500) this.mark = { at: now, sent };
    this.sent_bytes = sent;
    this.attempts = 0;
    this.#become("sending");
  }

  #failed(error) {
    if (this.state === "paused" || this.state === "cancelled") return;
    const response = error.originalResponse;
    if (mayPass(response?.getStatus() ?? 0)) {
      this.attempts += 1;
      this.#become("offline");
      this.timer = setTimeout(() => this.start(), Math.min(RETRY_MOST_MS, 1000 * 2 ** this.attempts));
    } else {
      this.reason = serverWords(response);
      this.#become("failed");
    }
  }

  /** Begins, or goes on where the server has got to: in this visit or in an earlier one. */
  async start() {
    clearTimeout(this.timer);
    this.mark = null;
    this.bytes_per_s = 0;
    this.#become("sending");
    if (!this.upload.url) {
      const [previous] = await this.upload.findPreviousUploads().catch(() => []);
      if (previous) this.upload.resumeFromPreviousUpload(previous);
      if (this.state !== "sending") return; // paused or cancelled meanwhile
    }
    this.upload.start();
  }

  pause() {
    clearTimeout(this.timer);
    this.#become("paused");
    this.upload.abort().catch(() => {});
  }

  retry() {
    this.reason = "";
    this.#become("waiting");
  }

  /** Stops and removes what the server already has. */
  cancel() {
    clearTimeout(this.timer);
    this.#become("cancelled");
    // the server forgets unfinished uploads by itself, should this not reach it
    this.upload.abort(Boolean(this.upload.url)).catch(() => {});
  }
}
