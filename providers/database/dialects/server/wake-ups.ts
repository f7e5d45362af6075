import type { WakeUps } from './server-store.ts';

/** For servers on which a connection cannot tell another one something: pools look by themselves. */
export const noWakeUps: WakeUps = {
  listen: () => () => undefined,
  tell: () => undefined,
  close: async () => undefined,
};
