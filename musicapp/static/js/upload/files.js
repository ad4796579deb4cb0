// Which files a person meant: picked, or dropped, folders included.

const AUDIO = new Set(("mp3 mp2 flac ogg oga opus spx m4a m4b mp4 aac alac wav wave w64 aif aiff aifc wma asf ape wv mpc tta dsf dff "
  + "mka webm caf au snd ac3 dts amr").split(" "));
const byPath = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function isAudio(file) {
  const suffix = file.name.includes(".") ? file.name.split(".").pop().toLowerCase() : "";
  return AUDIO.has(suffix) || file.type.startsWith("audio/");
}

const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

async function walk(entry, found) {
  if (entry.name.startsWith(".")) return;
  if (entry.isFile) {
    found.push({ path: entry.fullPath, file: await fileOf(entry) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // a reader hands out about a hundred entries at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const child of some) await walk(child, found);
  }
}

/** Files of a drop in the order of their paths ("2" before "10"). Out of folders only audio is taken; what was named
    one by one is taken as it is, and the server says what is wrong with it. Returns {files, leftOut}. */
export async function droppedFiles(transfer) {
  // entries must be asked for before the first await: the browser empties the transfer then
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  const plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return { files: plain, leftOut: 0 };
  const found = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  found.sort((one, other) => byPath.compare(one.path, other.path));
  const files = found.map(({ file }) => file).filter(isAudio);
  return { files, leftOut: found.length - files.length };
}

/** 12.3 MB, in powers of 1000 as file managers show them. */
export function sizeWords(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  return `${size.toFixed(unit < 2 ? 0 : 1)} ${units[unit]}`;
}
