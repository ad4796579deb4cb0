// Opens the playlist that a page shows; its modules are fetched with the first one.
import { onPage } from "../page.js";

let open = null;
onPage(async (main) => {
  const root = main?.querySelector("[data-playlist]");
  if (open?.root === root) return;
  open?.close();
  open = null;
  if (!root) return;
  const { PlaylistPage } = await import("./page.js");
  if (root.isConnected && !open) open = new PlaylistPage(root);
});

/** The open playlist, for shortcuts and for drops from elsewhere; null where the page shows none. */
export const openPlaylist = () => (open?.root.isConnected ? open : null);
