// Which playlist the page shows: for start.js, which opens it, and for whoever acts on it.
let open = null;

/** The open playlist, for shortcuts and for drops from elsewhere; null where the page shows none. */
export const openPlaylist = () => (open?.root.isConnected ? open : null);

/** Puts another in its place, or null. */
export function setOpen(page) { open = page; }
