// Lists that a person may reorder by dragging: data-reorder-url on the list, data-drag on the handles, and in each row
// data-id (or data-track, whose id is taken). Dropping posts order=3,1,2 there; HTML that comes back (one element with
// an id) takes the place of the old one, so that numbers follow. Without a mouse: the page's own "move up" buttons.
import { onContent, vendored, within } from "./page.js";
import { toast } from "./toasts.js";

const ROW = ":scope > [data-id], :scope > [data-track]";
const idOf = (row) => row.dataset.id ?? String(JSON.parse(row.dataset.track).id);

async function send(list) {
  const order = [...list.querySelectorAll(ROW)].map(idOf).join(",");
  try {
    const response = await fetch(list.dataset.reorderUrl, {
      method: "POST", body: new URLSearchParams({ order }), headers: { "HX-Request": "true" }, credentials: "same-origin",
    });
    if (!response.ok) throw new Error(`answered ${response.status}`);
    const text = response.status === 200 ? await response.text() : "";
    const id = text.match(/^\s*<[a-z-]+[^>]*\sid="([^"]+)"/)?.[1];
    const target = id && document.getElementById(id);
    if (target) await htmx.swap({ text, sourceElement: target, target, swap: "outerMorph", request: {}, response: {} });
    return true;
  } catch {
    toast(document.getElementById("toasts").dataset.wordsOffline, { kind: "error" });
    return false;
  }
}

onContent(async (content) => {
  const lists = within(content, "[data-reorder-url]");
  if (!lists.length) return;
  const Sortable = await vendored("sortablejs-1.15.7/Sortable.min.js", "Sortable").catch(() => null);
  for (const list of lists) {
    if (!Sortable || !list.isConnected || Sortable.get(list)) continue;
    let before = [];
    Sortable.create(list, {
      handle: "[data-drag]", draggable: "[data-id], [data-track]", animation: 120,
      onStart: () => { before = [...list.children]; },
      onEnd: async ({ oldIndex, newIndex }) => {
        if (oldIndex === newIndex || (await send(list))) return;
        list.append(...before); // as the server still has it
      },
    });
  }
});
