// The order of a playlist's entries: what the server has confirmed, and over it what this page has done since.
// Knows nothing of the network or of the page. Every page that has applied the same versions shows the same order.

const byKey = (keys) => (one, other) => {
  const a = keys.get(one);
  const b = keys.get(other);
  return a < b ? -1 : a > b ? 1 : one - other;
};

/** Puts `moved` behind the entry `after` (0: at the start); entries that are gone are left out. */
export function moveBehind(ids, moved, after) {
  const chosen = new Set(moved);
  const known = new Set(ids);
  const block = moved.filter((id) => known.has(id));
  // an anchor that moves itself stands for the nearest row before it that stays
  let anchor = after;
  if (chosen.has(after)) {
    const before = ids.slice(0, ids.indexOf(after)).filter((id) => !chosen.has(id));
    anchor = before.at(-1) ?? 0;
  } else if (after && !known.has(after)) {
    return ids;
  }
  const rest = ids.filter((id) => !chosen.has(id));
  rest.splice(anchor ? rest.indexOf(anchor) + 1 : 0, 0, ...block);
  return rest;
}

export class Order {
  /** entries: [entry id, order key] in any order. */
  constructor(entries, version) {
    this.pending = []; // {kind: "move" | "remove", ids, after, version once the server has answered}
    this.reset(entries, version);
  }

  reset(entries, version) {
    this.keys = new Map(entries);
    this.version = version;
    this.sorted = [...this.keys.keys()].sort(byKey(this.keys));
    this.#settle();
  }

  /** What the page shows. */
  get ids() {
    return this.pending.reduce(
      (ids, op) => (op.kind === "move" ? moveBehind(ids, op.ids, op.after) : ids.filter((id) => !op.ids.includes(id))),
      this.sorted,
    );
  }

  /** Applies the change of the next version. */
  apply(change) {
    const gone = new Set(change.removed);
    // one that came may get a shorter key in the same change
    const placed = new Map([...change.added, ...change.moved].map((one) => [one.entry_id, one.order_key]));
    for (const id of gone) this.keys.delete(id);
    for (const [id, key] of placed) {
      if (this.keys.has(id)) gone.add(id); // it is taken out and put in at its new place
      this.keys.set(id, key);
    }
    let sorted = gone.size ? this.sorted.filter((id) => !gone.has(id)) : [...this.sorted];
    if (placed.size > 50) {
      sorted = [...this.keys.keys()].sort(byKey(this.keys));
    } else {
      const compare = byKey(this.keys);
      for (const id of placed.keys()) {
        let low = 0;
        let high = sorted.length;
        while (low < high) {
          const middle = (low + high) >> 1;
          if (compare(sorted[middle], id) < 0) low = middle + 1;
          else high = middle;
        }
        sorted.splice(low, 0, id);
      }
    }
    this.sorted = sorted;
    this.version = change.version;
    this.#settle();
  }

  /** What the server has said to have done, and this page has seen it do, is no longer pending. */
  #settle() {
    this.pending = this.pending.filter((op) => op.version === undefined || op.version > this.version);
  }

  begin(op) {
    this.pending.push(op);
  }

  /** The answer to an own change: its version, or null when it changed nothing. */
  end(op, version) {
    op.version = version ?? 0;
    this.#settle();
  }
}
