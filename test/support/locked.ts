import { Child } from './child.ts';
import type { LockOrders, LockSaid } from './lock-holder.ts';

/** Has another process lock a SQLite file; returns how to make it let go. */
export async function lockedByAnother(filename: string, lock: LockOrders['lock'] = 'immediate'): Promise<{ release(): Promise<void> }> {
  const holder = new Child<LockSaid>(new URL('lock-holder.ts', import.meta.url), { filename, lock } satisfies LockOrders);
  await holder.says('it has the lock', ({ said }) => said === 'locked');
  return {
    async release() {
      holder.send({});
      await holder.ended;
    },
  };
}

/** Whether a promise is still waiting after everything that does not wait for the outside has happened. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settle = (): void => void (pending = false);
  promise.then(settle, settle);
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return pending;
}
