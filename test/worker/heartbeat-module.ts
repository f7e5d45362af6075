/** A backend of shared memory, for the tests of the heartbeat's thread: loaded in it. */
import type { ConnectHeartbeat } from '../../src/provider/heartbeat.ts';

/** Where things are counted in the memory. */
export const count = { connected: 0, prolonged: 1, closed: 2, order: 3 } as const;
/** What the next call does: its end is that of the thread, or of the session. */
export const order = { none: 0, fail: 1, die: 2, isDead: 3 } as const;

export const connect: ConnectHeartbeat = async (given) => {
  const counts = new Int32Array((given as { memory: SharedArrayBuffer }).memory);
  Atomics.add(counts, count.connected, 1);
  return {
    async prolong() {
      switch (Atomics.exchange(counts, count.order, order.none)) {
        case order.fail:
          throw new Error('the line is dead');
        case order.die:
          process.exit(3);
        // eslint-disable-next-line no-fallthrough
        case order.isDead:
          return false;
        default:
          Atomics.add(counts, count.prolonged, 1);
          return true;
      }
    },
    async close() {
      Atomics.add(counts, count.closed, 1);
    },
  };
};
