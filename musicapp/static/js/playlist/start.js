// Opens the playlist that a page shows; its modules are fetched with the first one.
import { onPage } from "../page.js";
import { setOpen } from "./open.js";

let open = null;
onPage(async (main) => {
  const root = main?.querySelector("[data-playlist]");
  if (open?.root === root) return;
  open?.close();
  setOpen(open = null);
  if (!root) return;
  const { PlaylistPage } = await import("./page.js");
  if (root.isConnected && !open) setOpen(open = new PlaylistPage(root));
});
