// When content arrives. Everything that decorates pages hangs on these two, so that a first load, a navigation,
// a restored history entry and a live update all take the same way.

/** Calls back for every element that came into the page: body at first, then whatever htmx swapped in. */
export function onContent(callback) {
  callback(document.body);
  document.addEventListener("htmx:after:process", (event) => {
    if (event.target instanceof Element && event.target.isConnected) callback(event.target);
  });
}

/** Calls back with <main> for every page: at first, and whenever <main> is another one or was refilled. */
export function onPage(callback) {
  callback(document.getElementById("main"));
  document.addEventListener("htmx:after:process", (event) => {
    if (event.target.id === "main") callback(event.target);
  });
}

/** Elements of a piece of content that match, the piece itself included. */
export function within(root, selector) {
  return [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
}

const loading = new Map();

/** Loads a vendored classic script once, when it is first needed; resolves to the global it defines. */
export function vendored(path, globalName) {
  if (!loading.has(path)) {
    loading.set(path, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(`../vendor/${path}`, import.meta.url);
      script.onload = () => resolve(window[globalName]);
      script.onerror = () => { loading.delete(path); reject(new Error(`${path} did not load`)); };
      document.head.append(script);
    }));
  }
  return loading.get(path);
}

/** Replaces each {} of a translated sentence. Words come from the templates, where _() marks them. */
export function fill(words, ...values) {
  return values.reduce((text, value) => text.replace("{}", () => value), words);
}

/** 3:07 or 1:02:09. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.floor(Math.max(0, seconds) + 0.001);
  const tail = `${String(Math.floor(whole / 60) % 60).padStart(whole >= 3600 ? 2 : 1, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${tail}` : tail;
}

/** What was kept in this browser, or the fallback: storage may be full, forbidden or from an older version. */
export function recall(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(`musicapp.${key}`)) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keeps a value in this browser; true when it was kept. */
export function keep(key, value) {
  try {
    localStorage.setItem(`musicapp.${key}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
