// Lists that a person may reorder: data-reorder-url on the list, data-id on each row, data-drag on the handle.
// Dragging posts order=3,1,2 to that address. The page's own "move up" and "move down" forms are the way without a mouse.
import { onContent, vendored, within } from "./page.js";
import { toast } from "./toasts.js";

async function send(list) {
  const order = [...list.querySelectorAll(":scope > [data-id]")].map((row) => row.dataset.id).join(",");
  try {
    const response = await fetch(list.dataset.reorderUrl, {
      method: "POST", body: new URLSearchParams({ order }), headers: { "HX-Request": "true" }, credentials: "same-origin",
    });
    if (response.ok) return true;
  } catch { /* no connection: told below */ }
  toast(document.getElementById("toasts").dataset.wordsOffline, { kind: "error" });
  return false;
}

onContent(async (content) => {
  const lists = within(content, "[data-reorder-url]");
  if (!lists.length) return;
  const Sortable = await vendored("sortablejs-1.15.7/Sortable.min.js", "Sortable").catch(() => null);
  for (const list of lists) {
    if (!Sortable || !list.isConnected || Sortable.get(list)) continue;
    let before = [];
    Sortable.create(list, {
      handle: "[data-drag]", draggable: "[data-id]", animation: 120,
      onStart: () => { before = [...list.children]; },
      onEnd: async ({ oldIndex, newIndex }) => {
        if (oldIndex === newIndex || (await send(list))) return;
        list.append(...before); // as the server still has it
      },
    });
  }
});
