/** What a heap can hold: it keeps its own place there, so that it can be taken out from the middle. */
export interface Slotted {
  /** The heap's to write; -1 outside of one. */
  slot: number;
}

/** A binary heap: what comes first is at hand, and adding or taking out costs the logarithm of its size. */
export class Heap<T extends Slotted> {
  private readonly items: T[] = [];

  constructor(private readonly comesBefore: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  get first(): T | undefined {
    return this.items[0];
  }

  /** In no order to rely on. */
  [Symbol.iterator](): Iterator<T> {
    return this.items.values();
  }

  add(item: T): void {
    this.rise(item, this.items.length);
  }

  /** Takes out an item that is in this heap. */
  remove(item: T): void {
    const { slot } = item;
    item.slot = -1;
    const last = this.items.pop();
    if (last === undefined || last === item) return;
    // The last item fills the gap, and goes on to where it belongs from there.
    this.sink(last, slot);
    if (last.slot === slot) this.rise(last, slot);
  }

  private put(item: T, slot: number): void {
    this.items[slot] = item;
    item.slot = slot;
  }

  private rise(item: T, from: number): void {
    let slot = from;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = this.items[above];
      if (parent === undefined || !this.comesBefore(item, parent)) break;
      this.put(parent, slot);
      slot = above;
    }
    this.put(item, slot);
  }

  private sink(item: T, from: number): void {
    let slot = from;
    for (let below = this.firstBelow(slot); below !== undefined && this.comesBefore(below, item); below = this.firstBelow(slot)) {
      const next = below.slot;
      this.put(below, slot);
      slot = next;
    }
    this.put(item, slot);
  }

  /** The one of the two items below a slot that comes first. */
  private firstBelow(slot: number): T | undefined {
    const left = this.items[2 * slot + 1];
    const right = this.items[2 * slot + 2];
    return left !== undefined && right !== undefined && this.comesBefore(right, left) ? right : left;
  }
}
