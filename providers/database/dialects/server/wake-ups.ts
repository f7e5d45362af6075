import type { WakeUps } from './server-store.ts';

/** For servers on which a connection cannot tell another one something: pools look by themselves, soon after they found work, less often when idle. */
export const noWakeUps: WakeUps = {
  hearsOthers: false,
  listen: () => () => undefined,
  tell: () => undefined,
  close: async () => undefined,
};
