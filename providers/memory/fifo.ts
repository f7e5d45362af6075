/** Gaps at the front that are worth closing up. */
const largestGap = 1_024;

/** A line: what was added first is taken first. An array's own `shift` would move all the others each time. */
export class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  get first(): T | undefined {
    return this.items[this.head];
  }

  add(item: T): void {
    this.items.push(item);
  }

  /** Takes out the first item, where there is one. */
  take(): T | undefined {
    const { first } = this;
    if (this.size === 0) return undefined;
    this.head += 1;
    if (this.head > largestGap && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return first;
  }
}
