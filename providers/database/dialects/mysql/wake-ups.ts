import type { WakeUps } from '../server/server-store.ts';

/** MySQL has no way to tell other connections something: pools look by themselves, often after they found work, less often when idle. */
export const noWakeUps: WakeUps = {
  listen: () => () => undefined,
  tell: () => undefined,
  close: async () => undefined,
};
