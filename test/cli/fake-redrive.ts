import { systemClock } from '../../src/clock.ts';
import type { Services } from '../../src/cli/cli.ts';
import type { Redrive } from '../../src/redrive.ts';

/** What of Redrive a test makes up, where the real one could only with effort be brought to behave that way. */
export interface FakeRedrive {
  readonly dispatch?: Redrive['dispatch'];
  readonly dispatchMany?: Redrive['dispatchMany'];
  readonly migrate?: Redrive['migrate'];
  readonly start?: Redrive['start'];
  readonly stop?: Redrive['stop'];
  readonly idle?: Redrive['idle'];
  readonly workOnce?: Redrive['workOnce'];
  readonly failedJobs?: Partial<Redrive['failedJobs']>;
}

export interface FakeServices extends Services {
  /** How each Redrive was asked for, and whether it was closed. */
  readonly opened: { access: string; stopped: boolean }[];
}

/** Services of a process whose config is `config` and whose Redrive is `fake`. */
export function fakeServices(fake: FakeRedrive, config: unknown = {}): FakeServices {
  const opened: FakeServices['opened'] = [];
  return {
    opened,
    clock: systemClock,
    loadConfigFile: async () => ({ path: 'redrive.config.ts', config }),
    databaseProvider: async () => ({ DatabaseProvider: class FakeProvider {} }),
    async createRedrive(_config, { access }) {
      const entry = { access, stopped: false };
      opened.push(entry);
      const stop = async (): Promise<void> => {
        await fake.stop?.();
        entry.stopped = true;
      };
      return { start: async () => undefined, on: () => () => undefined, ...fake, stop } as unknown as Redrive;
    },
  };
}
