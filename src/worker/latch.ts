/** Something to wait at: `open` lets everybody through who waits, or else the next one who comes. */
export class Latch {
  private isOpen = false;
  private waiting: (() => void) | undefined;

  open(): void {
    this.isOpen = true;
    this.waiting?.();
  }

  /** Resolves when the latch is opened, at once if it was since the last wait. One waiter at a time. */
  async wait(): Promise<void> {
    if (!this.isOpen) await new Promise<void>((resolve) => (this.waiting = resolve));
    this.waiting = undefined;
    this.isOpen = false;
  }
}
