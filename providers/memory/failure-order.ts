import type { Place } from '../../src/record/failure-log.ts';

/** A row where lists find it; stale once it has a later entry, or is gone. */
interface Entry<Row> extends Place {
  readonly row: Row;
}

/** Rows in the order of their failures. Entering one that has the latest time, as nearly all have, costs a constant. */
export class FailureOrder<Row extends { readonly id: number }> {
  /** By rising place, stale ones among them. */
  private entries: Entry<Row>[] = [];
  private readonly current = new Map<Row, Entry<Row>>();

  placeOf(row: Row): Place {
    const { at, id } = this.current.get(row) ?? { at: 0, id: row.id };
    return { at, id };
  }

  /** Puts a row where it belongs; its earlier entry, if it has one, is no longer current. */
  enter(row: Row, at: number): void {
    const entry = { at, id: row.id, row };
    this.current.set(row, entry);
    const last = this.entries.at(-1);
    if (last === undefined || isBefore(last, entry)) this.entries.push(entry);
    else this.entries.splice(this.firstBeyond(entry), 0, entry);
    this.dropStale();
  }

  leave(row: Row): void {
    this.current.delete(row);
    this.dropStale();
  }

  /** Rows beyond a place, or all, in one direction. They must not change meanwhile. */
  *walk(after: Place | undefined, order: 'newest' | 'oldest'): Generator<Row, void, void> {
    const step = order === 'oldest' ? 1 : -1;
    for (let index = this.startOf(after, order); ; index += step) {
      const entry = this.entries[index];
      if (entry === undefined) return;
      if (this.current.get(entry.row) === entry) yield entry.row;
    }
  }

  private startOf(after: Place | undefined, order: 'newest' | 'oldest'): number {
    if (order === 'oldest') return after === undefined ? 0 : this.firstBeyond(after);
    if (after === undefined) return this.entries.length - 1;
    let index = this.firstBeyond(after) - 1;
    // What is at the place itself was there before.
    while (index >= 0 && !isBefore(this.entries[index] ?? after, after)) index -= 1;
    return index;
  }

  /** The index of the first entry beyond a place, found by halving. */
  private firstBeyond(place: Place): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(place, this.entries[middle] ?? place)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Once they are the most, so that it costs each failure no more than a constant. */
  private dropStale(): void {
    if (this.entries.length <= 2 * this.current.size) return;
    this.entries = this.entries.filter((entry) => this.current.get(entry.row) === entry);
  }
}

function isBefore(one: Place, other: Place): boolean {
  return one.at < other.at || (one.at === other.at && one.id < other.id);
}
