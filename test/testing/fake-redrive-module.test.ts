import { Container, ContainerModule, inject, injectable } from 'inversify';
import { describe, expect, it } from 'vitest';
import { defineJob, FailedJobs, isRedriveError, Redrive, redriveModule, type RedriveConfig } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { FakeRedrive, fakeRedriveModule } from 'redrive/testing';

const ship = defineJob({ name: 'orders.ship', handle: () => expect.fail('a fake runs no job') });

@injectable()
class Shop {
  constructor(@inject(Redrive) private readonly redrive: Redrive) {}
  async sell(order: number): Promise<string> {
    return this.redrive.dispatch(ship, { order }, { queue: 'orders' });
  }
}

const config: RedriveConfig = {
  connections: {
    main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: '/nowhere/app.db' } } },
  },
  workerPools: { pool: { connection: 'main', queues: 'orders' } },
  jobs: [ship],
};
const appModule = new ContainerModule(({ bind }) => void bind(Shop).toSelf());

describe('fakeRedriveModule', () => {
  it('stands in for redriveModule', async () => {
    const container = new Container();
    container.load(appModule, fakeRedriveModule(config));
    await container.get(Shop).sell(5);
    const fake = container.get(FakeRedrive);
    fake.assertDispatchedOn('orders', ship, { order: 5 });
    expect(container.get(Redrive)).toBe(fake);
    expect(container.get(FailedJobs)).toBe(fake.failedJobs);
  });

  it('takes the place of the real one in a container that has it', async () => {
    const container = new Container();
    container.load(redriveModule(config), appModule);
    container.load(fakeRedriveModule());
    await container.get(Shop).sell(5);
    container.get(FakeRedrive).assertDispatchedTimes(ship, 1);
  });

  it('leaves a parent container as it was', () => {
    const parent = new Container();
    parent.load(redriveModule(config));
    const child = new Container({ parent });
    child.load(fakeRedriveModule());
    expect(child.get(Redrive)).toBeInstanceOf(FakeRedrive);
    expect(parent.get(Redrive)).not.toBeInstanceOf(FakeRedrive);
  });

  it('throws for a config with faults when it is made', () => {
    expect(() => fakeRedriveModule({ jobs: [class Nothing {}] } as unknown as RedriveConfig)).toThrow(
      expect.toSatisfy((error) => isRedriveError(error, 'CONFIG_INVALID')),
    );
  });
});
